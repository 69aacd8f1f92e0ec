/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_wal.h
 * @brief Whether SQLite will read a write-ahead log to its end.
 *
 * SQLite reads a log up to the first frame that does not check, and says
 * nothing: that is right for a power cut, which leaves an end half written. But
 * what was committed behind damage is lost with it, and somebody should know.
 * The format is documented at sqlite.org/fileformat2.html#walformat.
 */
#ifndef CUEBUS_OUTBOX_WAL_H
#define CUEBUS_OUTBOX_WAL_H

#include <stdint.h>

/**
 * Look through a log that nobody has open.
 * @param ret_lost frames that are whole and lie behind one that is not (0: the
 *        header is damaged, so that all may be lost). Only set when it returns 1.
 * @return 0 no such file, or SQLite reads all that is whole in it; 1 damaged;
 *         -EIO, -EACCES … it can't be read; -ENOMEM.
 */
int outbox_wal_check(const char *path, uint64_t *ret_lost);

#endif
