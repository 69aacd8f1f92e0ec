/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_wal.h
 * @brief Check whether SQLite will read a write-ahead log to its end.
 *
 * SQLite silently stops at the first frame with a bad checksum. That is right after a power cut,
 * which leaves an incomplete end. But commits behind damage are lost too, which should be reported.
 * The format is documented at sqlite.org/fileformat2.html#walformat.
 */
#ifndef CUEBUS_OUTBOX_WAL_H
#define CUEBUS_OUTBOX_WAL_H

#include <stdint.h>

/**
 * Check a log that no process has open.
 * @param ret_lost number of valid frames behind a damaged one (0: the header is damaged, so all may
 *                 be lost). Set only if the result is 1.
 * @return 0 no such file, or SQLite reads all valid frames; 1 damaged; -EIO, -EACCES … it can't be
 *         read; -ENOMEM.
 */
int outbox_wal_check(const char *path, uint64_t *ret_lost);

#endif
