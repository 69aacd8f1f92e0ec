/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file disk_fixture.h
 * @brief A folder of the test's own, and a disk that fails on demand: an SQLite
 *        VFS over the system's one, which every database of the process uses.
 */
#ifndef CUE_DISK_FIXTURE_H
#define CUE_DISK_FIXTURE_H

#include <ftw.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a folder ---- */

static inline int disk_remove_one(const char *path, const struct stat *st, int type,
                                  struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void disk_remove_dir(const char *dir)
{
	nftw(dir, disk_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/** @p dir: 64 bytes. */
static inline void disk_make_dir(char *dir)
{
	strcpy(dir, "/tmp/cuebus-test-XXXXXX");
	if (!mkdtemp(dir))
		abort();
}

/* ---- a disk that fails ---- */

/** The SQLite code that writes, reads and syncs give; SQLITE_OK: they work. */
static _Atomic int disk_write_code, disk_read_code, disk_sync_code;
/** Set: the next disk_install() leaves the codes and the bad sector as they are. */
static bool disk_kept;
/** While set, syncs do not return. */
static _Atomic bool disk_hangs;
static _Atomic unsigned disk_syncs;

/** A byte of one file that can't be read: a bad sector. Inode 0: none. */
static _Atomic ino_t disk_bad_inode;
#define DISK_BAD_AT (40 * 4096 + 100)

struct disk_file {
	sqlite3_file base;
	sqlite3_file *real;
	ino_t inode;
};

static sqlite3_vfs *disk_real_vfs;

#define DISK_REAL(file) (((struct disk_file *)(file))->real)

static inline int disk_close(sqlite3_file *f)
{
	int code = DISK_REAL(f)->pMethods->xClose(DISK_REAL(f));

	free(DISK_REAL(f));
	return code;
}
static inline int disk_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	int code = disk_read_code;

	if (disk_bad_inode && ((struct disk_file *)f)->inode == disk_bad_inode &&
	    at <= DISK_BAD_AT && DISK_BAD_AT < at + n)
		code = SQLITE_IOERR_CORRUPTFS;
	return code ? code : DISK_REAL(f)->pMethods->xRead(DISK_REAL(f), buf, n, at);
}
static inline int disk_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	int code = disk_write_code;

	return code ? code : DISK_REAL(f)->pMethods->xWrite(DISK_REAL(f), buf, n, at);
}
static inline int disk_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return DISK_REAL(f)->pMethods->xTruncate(DISK_REAL(f), size);
}
static inline int disk_sync(sqlite3_file *f, int flags)
{
	int code = disk_sync_code;

	disk_syncs++;
	while (disk_hangs)
		usleep(1000);
	return code ? code : DISK_REAL(f)->pMethods->xSync(DISK_REAL(f), flags);
}
static inline int disk_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return DISK_REAL(f)->pMethods->xFileSize(DISK_REAL(f), size);
}
static inline int disk_lock(sqlite3_file *f, int level)
{
	return DISK_REAL(f)->pMethods->xLock(DISK_REAL(f), level);
}
static inline int disk_unlock(sqlite3_file *f, int level)
{
	return DISK_REAL(f)->pMethods->xUnlock(DISK_REAL(f), level);
}
static inline int disk_check_lock(sqlite3_file *f, int *out)
{
	return DISK_REAL(f)->pMethods->xCheckReservedLock(DISK_REAL(f), out);
}
static inline int disk_control(sqlite3_file *f, int op, void *arg)
{
	return DISK_REAL(f)->pMethods->xFileControl(DISK_REAL(f), op, arg);
}
static inline int disk_sector(sqlite3_file *f)
{
	return DISK_REAL(f)->pMethods->xSectorSize(DISK_REAL(f));
}
static inline int disk_traits(sqlite3_file *f)
{
	return DISK_REAL(f)->pMethods->xDeviceCharacteristics(DISK_REAL(f));
}

/* Version 1: no shared memory, which an outbox must do without. */
/* Columns by hand. */
/* clang-format off */
static const sqlite3_io_methods disk_methods = {
	1,          disk_close,   disk_read,       disk_write,   disk_truncate, disk_sync,
	disk_size,
	disk_lock,  disk_unlock,  disk_check_lock, disk_control, disk_sector,   disk_traits, NULL,
	NULL,       NULL,         NULL,            NULL,         NULL,
};
/* clang-format on */

static inline int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
                            int *out)
{
	struct disk_file *file = (struct disk_file *)f;
	struct stat st;
	int code;

	(void)vfs;
	file->base.pMethods = NULL;
	file->real = calloc(1, (size_t)disk_real_vfs->szOsFile);
	if (!file->real)
		return SQLITE_NOMEM;
	code = disk_real_vfs->xOpen(disk_real_vfs, name, file->real, flags, out);
	if (code == SQLITE_OK) {
		file->base.pMethods = &disk_methods;
		file->inode = name && stat(name, &st) == 0 ? st.st_ino : 0;
	} else {
		free(file->real);
	}
	return code;
}

/** Before the first database is opened. */
static inline void disk_install(void)
{
	static sqlite3_vfs vfs;

	if (!disk_kept) {
		disk_write_code = disk_read_code = disk_sync_code = SQLITE_OK;
		disk_bad_inode = 0;
	}
	disk_hangs = disk_kept = false;
	if (disk_real_vfs)
		return;
	disk_real_vfs = sqlite3_vfs_find(NULL);
	vfs = *disk_real_vfs;
	vfs.szOsFile = sizeof(struct disk_file);
	vfs.zName = "failing";
	vfs.pNext = NULL;
	vfs.xOpen = disk_open;
	sqlite3_vfs_register(&vfs, 1);
}

#endif
