/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file journal.h
 * @brief The run journal: which runs are active, kept on disk across a crash.
 *
 * It uses the outbox's notes, so that its records and the published events are committed together:
 * a run's note exists exactly if `created` was committed and `stopped` was not. Notes, by key
 * (values are JSON; nanoseconds are in strings, because JSON numbers can't hold 64 bits):
 *
 *   run/<run id>   {"number","playlist","definition","state":"running|queued",
 *                   "boot","start_mono","start_wall","passed"?,
 *                   "paused"?,"tempo"?,"since_mono"?,"since_wall"?,"offset"?,"fraction"?,
 *                   "pending"?,"emitted"?,"skipped"?,
 *                   "trigger_type"?,"trigger_producer"?,"trigger_data"?,"trigger_note"?,
 *                   "trigger_omitted"?}
 *                  passed: of a restored run, the time after its start whose
 *                  events were over when it was restored
 *                  since: when it was steered last, and then: its position
 *                  (offset, fraction), what was over (pending), its counts
 *   skip/<run id>  number of occurrences dropped, while there are any
 *   def/<number>   a definition that active runs are on, in the config's form
 *   data/<number>  data of an event that active runs were started by (trigger_note), where it
 *                  is too large for their own notes; cue_limits.trigger_bytes bounds it
 *   mark           {"boot","mono","wall"}: all that was due up to then was
 *                  emitted or dropped
 *
 * A time is that of the monotonic clock with the kernel's boot id, and that of the wall clock.
 * Between two times of one boot of the machine the first is exact; otherwise the second is used.
 *
 * Thread: the loop's; no function waits for the disk.
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
	uint64_t found; /**< runs of the previous boot */
	/** runs among them whose definition could not be read, or no longer fits
	 * limits.event_types: stopped without their metadata */
	uint64_t unknown;
	uint64_t failures; /**< notes lost because memory ran out */
};

/**
 * Create the journal as observer of the engine's playlists. The notes of the previous boot are
 * read, but not handled yet.
 * @return 0; -ENOMEM.
 */
int journal_new(const struct journal_config *config, struct journal **ret_journal);
/** Free the journal, before the engine. The notes stay. NULL is allowed. @return NULL. */
struct journal *journal_free(struct journal *journal);

/**
 * Restore or stop the runs of the previous boot as their definitions say, in the order in which
 * they were started. Call it once, after all definitions are made and when events of the bus are
 * put into the outbox. If the outbox's database is not open yet, journal_catch_up() does it later.
 * @return 0; -ENOMEM, -ENOBUFS: runs that could not be restored stay for the next start.
 */
int journal_restore(struct journal *journal);

/** Restore as soon as the database is open. Call it at the beginning of each wake-up, in the
 * outbox's group.
 * @return 0; as journal_restore(). */
int journal_catch_up(struct journal *journal);

/** Record the progress of the runs. Call it at the end of each wake-up, in the outbox's group. */
void journal_mark(struct journal *journal);

void journal_get_stats(const struct journal *journal, struct journal_stats *ret_stats);

#endif
