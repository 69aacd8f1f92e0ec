/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gesture_journal.h
 * @brief Places of cycles that survive a restart (`restore` of a cycle).
 *
 * They use the outbox's notes, so that a place is committed together with the event that has its
 * value. There is one note for each cycle that has a place, by key:
 *
 *   cycle/<32 hex digits from its name>   {"gesture":name,"values":id,"place":n}
 *
 * `values` is derived from the cycle's values: a place among other values means nothing. If the
 * event is not written (its QoS is not 1, or outbox.disk is `when_away`), the note is written at
 * most every GESTURE_JOURNAL_REST_NS, to spare the disk.
 *
 * Thread: the loop's; no function waits for the disk.
 */
#ifndef CUEBUS_GESTURE_JOURNAL_H
#define CUEBUS_GESTURE_JOURNAL_H

#include "engine.h"
#include "log.h"
#include "outbox.h"

#define GESTURE_JOURNAL_REST_NS (5 * CUE_NS_PER_S)

struct gesture_journal;

struct gesture_journal_config {
	struct engine *engine; /**< borrowed, as all here; outlives the journal */
	struct outbox *outbox;
	struct log *log;
};

/** @return 0; -ENOMEM. */
int gesture_journal_new(const struct gesture_journal_config *config,
                        struct gesture_journal **ret_journal);
/** The notes stay. NULL is allowed. @return NULL. */
struct gesture_journal *gesture_journal_free(struct gesture_journal *journal);

/** Take the cycles to their places of the previous boot, once, as soon as the outbox's database is
 * open. A cycle that has moved since the start stays where it is. Call it after the kept
 * definitions are in force, and at the beginning of each wake-up. */
void gesture_journal_catch_up(struct gesture_journal *journal);

/**
 * Note changed places. Call it at the end of each wake-up, in the outbox's group.
 * @param all also note places that would be written later: at the stop.
 */
void gesture_journal_mark(struct gesture_journal *journal, uint64_t now_ns, bool all);

/** Time at which gesture_journal_mark() next has something to write; UINT64_MAX: not without a
 * change. */
uint64_t gesture_journal_deadline(const struct gesture_journal *journal);

#endif
