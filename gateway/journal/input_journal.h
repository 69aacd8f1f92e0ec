/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file input_journal.h
 * @brief Counts and positions that outlast a restart (`restore` of an input).
 *
 * They use the outbox's notes, so that a value is committed together with the
 * event that told it. One note for each input, by key (the value is JSON;
 * the number is in a string, because JSON's numbers do not hold it):
 *
 *   input/<32 hex digits from its name>   {"input","kind","value"}
 *
 * Where the event is not written (its QoS is not 1, or outbox.disk is
 * `when_away`), the note is written every INPUT_JOURNAL_REST_NS at most: it would
 * be all that wears the disk out.
 *
 * Thread: the loop's; nothing here waits for the disk.
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

/** What a previous life left is added to what the inputs have counted, once, as soon as the
 *  outbox's database is open. After engine_open_inputs(), and at the beginning of each wake. */
void input_journal_catch_up(struct input_journal *journal);

/** Some input has changed: input_journal_mark() has something to look at. */
void input_journal_changed(struct input_journal *journal);

/**
 * At the end of each wake, in the outbox's group: note what has changed.
 * @param all also what is to be written later: at the stop.
 */
void input_journal_mark(struct input_journal *journal, uint64_t now_ns, bool all);

/** When input_journal_mark() next has something to write; UINT64_MAX: not by itself. */
uint64_t input_journal_deadline(const struct input_journal *journal);

#endif
