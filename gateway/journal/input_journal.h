/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file input_journal.h
 * @brief Counts and positions that survive a restart (`restore` of an input).
 *
 * They use the outbox's notes, so that a value is committed together with its event. There is one
 * note for each input, by key (the value is JSON; the number is in a string, because JSON numbers
 * can't hold 64 bits):
 *
 *   input/<32 hex digits from its name>   {"input","kind","value"}
 *
 * If the event is not written (its QoS is not 1, or outbox.disk is `when_away`), the note is
 * written at most every INPUT_JOURNAL_REST_NS, to spare the disk.
 *
 * Thread: the loop's; no function waits for the disk.
 */
#ifndef CUEBUS_INPUT_JOURNAL_H
#define CUEBUS_INPUT_JOURNAL_H

#include "engine.h"
#include "log.h"
#include "outbox.h"

#define INPUT_JOURNAL_REST_NS (5 * CUE_NS_PER_S)

struct input_journal;

struct input_journal_config {
	struct engine *engine; /**< borrowed, as all here; outlives the journal */
	struct outbox *outbox;
	struct log *log;
};

/** @return 0; -ENOMEM. */
int input_journal_new(const struct input_journal_config *config,
                      struct input_journal **ret_journal);
/** The notes stay. NULL is allowed. @return NULL. */
struct input_journal *input_journal_free(struct input_journal *journal);

/** Add the values of the previous boot to the counts of the inputs, once, as soon as the outbox's
 * database is open. Call it after engine_open_inputs() and at the beginning of each wake-up. */
void input_journal_catch_up(struct input_journal *journal);

/** An input has changed: input_journal_mark() has work. */
void input_journal_changed(struct input_journal *journal);

/**
 * Note changed values. Call it at the end of each wake-up, in the outbox's group.
 * @param all also note values that would be written later: at the stop.
 */
void input_journal_mark(struct input_journal *journal, uint64_t now_ns, bool all);

/** Time at which input_journal_mark() next has something to write; UINT64_MAX: not without a
 * change. */
uint64_t input_journal_deadline(const struct input_journal *journal);

#endif
