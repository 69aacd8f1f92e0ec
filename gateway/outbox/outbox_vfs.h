/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_vfs.h
 * @brief The system's files for SQLite, and whether the disk read them.
 *
 * Where a disk refuses a read, SQLite says that the database is malformed (it takes the
 * SQLITE_IOERR_CORRUPTFS of its unix VFS for SQLITE_CORRUPT). A disk that hangs for a while is no
 * damaged file: through this VFS such a read is SQLITE_IOERR_READ, and counted.
 *
 * Without shared memory, so only for databases in locking_mode EXCLUSIVE. Any thread.
 */
#ifndef CUEBUS_OUTBOX_VFS_H
#define CUEBUS_OUTBOX_VFS_H

#include <stdint.h>

/** @return the name for sqlite3_open_v2(), static; NULL: the default one has to do. */
const char *outbox_vfs_name(void);

/** Reads that the disk refused since the process started; at the end of a file is none. */
uint64_t outbox_vfs_refused_reads(void);

#endif
