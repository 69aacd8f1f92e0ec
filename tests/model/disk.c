/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails on demand: an SQLite VFS over the system's one. A finished write stays, as the
 * kernel does for a killed process; nothing is synced, because there are no power cuts here.
 */
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"
#include "world.h"

#define SLOW_NS     (200 * SIM_MS)
#define CACHE_BYTES 100000

struct file {
	sqlite3_file base;
	sqlite3_file *real;
};

#define REAL(f) (((struct file *)(f))->real)

static sqlite3_vfs *real_vfs;

enum what { READ, WRITE, OTHER };

/** Wait as the disk makes one wait. @return the SQLite code that it gives. */
static int ask(enum what what)
{
	/* CORRUPTFS is what SQLite's unix VFS makes of an EIO of read(2). */
	static const int io_errors[] = { [READ] = SQLITE_IOERR_CORRUPTFS,
		                         [WRITE] = SQLITE_IOERR_WRITE,
		                         [OTHER] = SQLITE_IOERR_FSYNC };
	bool hung = world->disk == DISK_HANGS;

	sim_point();
	while (world->disk == DISK_HANGS)
		(void)sim_wait(&world->disk, SIM_NEVER);
	if (hung && sim_chance(25))
		return io_errors[what];
	switch (world->disk) {
	case DISK_READS_FAIL:
		return what == READ ? io_errors[what] : SQLITE_OK;
	case DISK_WRITES_FAIL:
		return what == WRITE ? io_errors[what] : SQLITE_OK;
	case DISK_FAILS:
		return io_errors[what];
	case DISK_FLICKERS:
		return sim_chance(20) ? io_errors[what] : SQLITE_OK;
	case DISK_FULL:
		return what == WRITE ? SQLITE_FULL : SQLITE_OK;
	case DISK_SLOW:
		sim_sleep(sim_random_span(SIM_MS, SLOW_NS));
		return SQLITE_OK;
	case DISK_WORKS:
	case DISK_HANGS:
	case DISK_LOCKED:
	case DISK_FAULTS:
		break;
	}
	return SQLITE_OK;
}

static int file_close(sqlite3_file *f)
{
	int code = REAL(f)->pMethods->xClose(REAL(f));

	free(REAL(f));
	return code;
}

static int file_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	int code = ask(READ);

	return code ? code : REAL(f)->pMethods->xRead(REAL(f), buf, n, at);
}

static int file_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	int code = ask(WRITE);

	/* Part of it may be there all the same. */
	if (code && n > 1 && sim_chance(50))
		(void)REAL(f)->pMethods->xWrite(REAL(f), buf, (int)sim_random((uint32_t)n), at);
	return code ? code : REAL(f)->pMethods->xWrite(REAL(f), buf, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int code = ask(OTHER);

	return code ? code : REAL(f)->pMethods->xTruncate(REAL(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
	(void)f, (void)flags;
	return ask(OTHER);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), size);
}

static int file_lock(sqlite3_file *f, int level)
{
	sim_point();
	return world->disk == DISK_LOCKED ? SQLITE_BUSY : REAL(f)->pMethods->xLock(REAL(f), level);
}

static int file_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), level);
}

static int file_check_lock(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int file_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int file_traits(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

/* Version 1: no shared memory, which an outbox must do without. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *file = (struct file *)f;
	int code;

	(void)vfs;
	file->base.pMethods = NULL;
	sim_point();
	while (world->disk == DISK_HANGS)
		(void)sim_wait(&world->disk, SIM_NEVER);
	if (world->disk == DISK_FAILS)
		return SQLITE_CANTOPEN;
	file->real = calloc(1, (size_t)real_vfs->szOsFile);
	if (!file->real)
		return SQLITE_NOMEM;
	code = real_vfs->xOpen(real_vfs, name, file->real, flags, out);
	if (code == SQLITE_OK)
		file->base.pMethods = &methods;
	else
		free(file->real);
	return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	int code = ask(OTHER);

	(void)vfs, (void)sync_dir;
	return code ? code : real_vfs->xDelete(real_vfs, name, 0);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	sim_sleep((uint64_t)us * 1000);
	return us;
}

void disk_install(void)
{
	static sqlite3_vfs vfs;

	/* A cache of few pages, so that reads are of the disk. */
	if (sim_chance(50))
		sqlite3_soft_heap_limit64(CACHE_BYTES);
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.szOsFile = sizeof(struct file);
	vfs.zName = "failing";
	vfs.pNext = NULL;
	vfs.xOpen = vfs_open;
	vfs.xDelete = vfs_delete;
	vfs.xSleep = vfs_sleep;
	sqlite3_vfs_register(&vfs, 1);
}

void disk_check_files(void)
{
	char name[128];
	struct dirent *entry;
	DIR *dir;

	snprintf(name, sizeof(name), "%s/state", world->dir);
	dir = opendir(name);
	while (dir && (entry = readdir(dir))) {
		if (!world->flickered && strstr(entry->d_name, "outbox.db.corrupt-"))
			model_fail("a sound file was set aside as %s", entry->d_name);
	}
	if (dir)
		closedir(dir);
}

void disk_set(enum disk_fault fault)
{
	world->disk = fault;
	world->flickered |= fault == DISK_FLICKERS;
	model_disk_is(false);
	sim_notify(&world->disk);
}

void disk_take_file(void)
{
	static const char *const suffixes[] = { "-wal", "" };
	char from[128], to[160];

	for (size_t i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s/state/outbox.db%s", world->dir, suffixes[i]);
		snprintf(to, sizeof(to), "%s/taken-%llu%s", world->dir,
		         (unsigned long long)world->now_ns, suffixes[i]);
		(void)rename(from, to);
	}
	world->file_taken = true;
	world->failures_before = gateway_disk_failures();
	model_disk_is(false);
}
