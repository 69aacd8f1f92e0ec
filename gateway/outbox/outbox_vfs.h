/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_vfs.h
 * @brief A VFS for SQLite that distinguishes failed reads from damage.
 *
 * If a disk refuses a read, SQLite reports a malformed database (it treats the
 * SQLITE_IOERR_CORRUPTFS of its unix VFS as SQLITE_CORRUPT). But a disk that hangs for a while does
 * not mean a damaged file: with this VFS such a read is SQLITE_IOERR_READ, and counted.
 *
 * Without shared memory, so only for databases in locking_mode EXCLUSIVE. Any thread.
 */
#ifndef CUEBUS_OUTBOX_VFS_H
#define CUEBUS_OUTBOX_VFS_H

#include <stdint.h>

/** @return the name for sqlite3_open_v2(), static; NULL: use the default VFS. */
const char *outbox_vfs_name(void);

/** Number of reads that the disk refused since the process started; reading past the end does not
 * count. */
uint64_t outbox_vfs_refused_reads(void);

#endif
