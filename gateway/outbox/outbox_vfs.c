/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

struct file {
	sqlite3_file base;
	sqlite3_file *real;
};

static _Atomic uint64_t refused_reads;

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct file *)file)->real;
}

static int file_close(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);
	int code = real->pMethods->xClose(real);

	free(real);
	return code;
}

static int file_read(sqlite3_file *file, void *buffer, int len, sqlite3_int64 at)
{
	sqlite3_file *real = real_of(file);
	int code = real->pMethods->xRead(real, buffer, len, at);

	if (code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ)
		return code;
	atomic_fetch_add(&refused_reads, 1);
	return code == SQLITE_IOERR_CORRUPTFS ? SQLITE_IOERR_READ : code;
}

static int file_write(sqlite3_file *file, const void *buffer, int len, sqlite3_int64 at)
{
	return real_of(file)->pMethods->xWrite(real_of(file), buffer, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int file_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *ret_reserved)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_reserved);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods methods = {
	.iVersion = 1, /* no shared memory, no mapping */
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
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_traits,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *ret_file, int flags,
                    int *ret_flags)
{
	sqlite3_vfs *system = sqlite3_vfs_find(NULL);
	struct file *file = (struct file *)ret_file;
	int code;

	(void)vfs;
	file->base.pMethods = NULL; /* otherwise SQLite would close it */
	file->real = calloc(1, (size_t)system->szOsFile);
	if (!file->real)
		return SQLITE_NOMEM;
	code = system->xOpen(system, name, file->real, flags, ret_flags);
	if (code == SQLITE_OK) {
		file->base.pMethods = &methods;
		return code;
	}
	/* SQLite closes a file whose methods xOpen has set, even if xOpen failed. */
	if (file->real->pMethods)
		file->real->pMethods->xClose(file->real);
	free(file->real);
	return code;
}

static const char *name;

/** Only xOpen is replaced; the system's own functions work on the copy. */
static void register_it(void)
{
	static sqlite3_vfs vfs;
	sqlite3_vfs *system = sqlite3_vfs_find(NULL);

	if (!system)
		return;
	vfs = *system;
	vfs.szOsFile = sizeof(struct file);
	vfs.pNext = NULL;
	vfs.zName = "cuebus-outbox";
	vfs.xOpen = vfs_open;
	if (sqlite3_vfs_register(&vfs, 0) == SQLITE_OK)
		name = vfs.zName;
}

const char *outbox_vfs_name(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, register_it);
	return name;
}

uint64_t outbox_vfs_refused_reads(void)
{
	return atomic_load(&refused_reads);
}
