/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file journal.h
 * @brief The run journal: which runs are active, kept on disk across a crash.
 *
 * It uses the outbox's notes, so that what it keeps and what is published are
 * committed together: a run's note is there exactly when `created` was
 * committed and `stopped` was not. Notes, by key (values are JSON; nanoseconds
 * are in strings, because JSON's numbers do not hold them):
 *
 *   run/<run id>   {"number","playlist","definition","state":"running|queued",
 *                   "boot","start_mono","start_wall","passed"?,
 *                   "trigger_type"?,"trigger_producer"?,"trigger_data"?,"trigger_note"?,
 *                   "trigger_omitted"?}
 *                  passed: of a restored run, what was due up to so long after
 *                  the start was behind it when it was taken up
 *   skip/<run id>  number of occurrences dropped, while there are any
 *   def/<number>   a definition that active runs are on, in the config's form
 *   data/<number>  data of an event that active runs were started by (trigger_note), where it
 *                  is too large for their own notes; cue_limits.trigger_bytes bounds it
 *   mark           {"boot","mono","wall"}: all that was due up to then was
 *                  emitted or dropped
 *
 * A time is the monotonic clock's with the kernel's boot id, and the wall
 * clock's: between two times of one boot of the machine the first is exact,
 * else the second has to do.
 *
 * Thread: the loop's; nothing here waits for the disk.
 */
#ifndef CUEBUS_JOURNAL_H
#define CUEBUS_JOURNAL_H

#include "engine.h"
#include "log.h"
#include "outbox.h"

struct journal;

struct journal_config {
	struct engine *engine; /**< borrowed, as all here; outlives the journal */
	struct outbox *outbox;
	struct log *log;
	/** The kernel's boot id; NULL: /proc/sys/kernel/random/boot_id. Copied. */
	const char *kernel_boot_id;
};

struct journal_stats {
	uint64_t found; /**< runs of the previous life */
	/** of these, such whose definition could not be read, or does not fit limits.event_types
	 *  any more: `stopped` without its metadata */
	uint64_t unknown;
	uint64_t failures; /**< notes that could not be made for lack of memory */
};

/**
 * From here on the journal follows the engine's playlists (it is their
 * observer). What a previous life left is read, but nothing is done yet.
 * @return 0; -ENOMEM.
 */
int journal_new(const struct journal_config *config, struct journal **ret_journal);
/** Before the engine. The notes stay. NULL is allowed. @return NULL. */
struct journal *journal_free(struct journal *journal);

/**
 * Do with the runs of the previous life what their definitions say, in the
 * order in which they were started. Once, when all definitions are made and
 * what the bus emits is put into the outbox. Where the outbox's database is not
 * open yet, journal_catch_up() does it.
 * @return 0; -ENOMEM, -ENOBUFS: runs that could not be restored are left for the next start.
 */
int journal_restore(struct journal *journal);

/** At the beginning of each wake, in the outbox's group: restore as soon as the database is open.
 *  @return 0; as journal_restore(). */
int journal_catch_up(struct journal *journal);

/** At the end of each wake, in the outbox's group: how far the runs have come. */
void journal_mark(struct journal *journal);

void journal_get_stats(const struct journal *journal, struct journal_stats *ret_stats);

#endif
