/* SPDX-License-Identifier: Apache-2.0 */
/* Read all notes of the previous boot before handling any. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "journal_internal.h"

struct skip {
	struct cue_id id;
	uint64_t count;
};

struct reading {
	struct journal_past past;
	struct outbox *outbox;
	struct log *log;
	struct skip *skips;
	size_t n_skips, cap_skips;
};

static int add_run(struct reading *reading, const char *key, const char *value, size_t len)
{
	struct journal_past *past = &reading->past;
	struct journal_run *runs =
	        array_grow(past->runs, past->n_runs, &past->cap_runs, sizeof(*runs));
	int r;

	if (!runs)
		return -ENOMEM;
	past->runs = runs;
	r = journal_run_parse(key, value, len, &runs[past->n_runs]);
	past->n_runs += r >= 0;
	return r;
}

static int add_text(struct journal_texts *texts, const char *number, const char *value, size_t len)
{
	struct journal_text *items =
	        array_grow(texts->items, texts->n, &texts->cap, sizeof(*items));
	struct journal_text text = { .len = len };
	int r;

	if (!items)
		return -ENOMEM;
	texts->items = items;
	r = journal_number_parse(number, strlen(number), &text.number);
	if (r < 0)
		return r;
	text.json = malloc(len + 1);
	if (!text.json)
		return -ENOMEM;
	memcpy(text.json, value, len);
	text.json[len] = '\0';
	items[texts->n++] = text;
	return 0;
}

static int add_skip(struct reading *reading, const char *key, const char *value, size_t len)
{
	struct skip *skips =
	        array_grow(reading->skips, reading->n_skips, &reading->cap_skips, sizeof(*skips));
	struct skip skip;
	int r = cue_id_parse(key + strlen(JOURNAL_SKIP), &skip.id);

	if (!skips)
		return -ENOMEM;
	reading->skips = skips;
	if (r >= 0)
		r = journal_number_parse(value, len, &skip.count);
	if (r < 0)
		return -EBADMSG;
	skips[reading->n_skips++] = skip;
	return 0;
}

static bool begins(const char *key, const char *prefix)
{
	return strncmp(key, prefix, strlen(prefix)) == 0;
}

static int read_note(void *user, const char *key, const void *value, size_t len)
{
	struct reading *reading = user;
	int r = 0;

	if (begins(key, JOURNAL_RUN))
		r = add_run(reading, key, value, len);
	else if (begins(key, JOURNAL_SKIP))
		r = add_skip(reading, key, value, len);
	else if (begins(key, JOURNAL_DEFINITION))
		r = add_text(&reading->past.definitions, key + strlen(JOURNAL_DEFINITION), value,
		             len);
	else if (begins(key, JOURNAL_DATA))
		r = add_text(&reading->past.datas, key + strlen(JOURNAL_DATA), value, len);
	else if (strcmp(key, JOURNAL_MARK) == 0)
		r = journal_time_parse(value, len, &reading->past.mark);
	else
		return 0; /* a note of another user of the outbox */
	if (r == 0 && strcmp(key, JOURNAL_MARK) == 0)
		reading->past.has_mark = true;
	if (r != -EBADMSG)
		return r;
	log_write(reading->log, LOG_LEVEL_ERROR,
	          "the run journal's note '%s' is not what cuebus writes; it is removed", key);
	return outbox_journal_remove(reading->outbox, key);
}

static int by_number(const void *a, const void *b)
{
	const struct journal_run *left = a, *right = b;

	return left->number < right->number ? -1 : left->number > right->number;
}

static int skip_by_id(const void *a, const void *b)
{
	return memcmp(((const struct skip *)a)->id.bytes, ((const struct skip *)b)->id.bytes,
	              sizeof(struct cue_id));
}

static void arrange(struct reading *reading)
{
	struct journal_past *past = &reading->past;

	if (past->n_runs > 0)
		qsort(past->runs, past->n_runs, sizeof(*past->runs), by_number);
	journal_texts_sort(&past->definitions);
	journal_texts_sort(&past->datas);
	if (reading->n_skips == 0)
		return;
	qsort(reading->skips, reading->n_skips, sizeof(*reading->skips), skip_by_id);
	for (size_t i = 0; i < past->n_runs; i++) {
		struct skip key = { .id = past->runs[i].id };
		const struct skip *skip =
		        bsearch(&key, reading->skips, reading->n_skips, sizeof(key), skip_by_id);

		if (skip)
			past->runs[i].skipped_count = skip->count;
	}
}

int journal_past_read(struct outbox *outbox, struct log *log, struct journal_past *ret_past)
{
	struct reading reading = { .outbox = outbox, .log = log };
	int r = outbox_journal_foreach(outbox, read_note, &reading);

	if (r < 0) {
		journal_past_clear(&reading.past);
	} else {
		arrange(&reading);
		*ret_past = reading.past;
	}
	free(reading.skips);
	return r;
}

void journal_past_clear(struct journal_past *past)
{
	for (size_t i = 0; i < past->n_runs; i++)
		journal_run_clear(&past->runs[i]);
	journal_texts_clear(&past->definitions);
	journal_texts_clear(&past->datas);
	free(past->runs);
	*past = (struct journal_past){ 0 };
}
