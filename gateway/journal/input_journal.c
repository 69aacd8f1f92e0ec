/* SPDX-License-Identifier: Apache-2.0 */
#include "input_journal.h"

#include <cJSON.h>
#include <cuebus/json_writer.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "input/"

/** The noted state of one input. */
struct noted {
	struct noted *next;
	char *name;
	bool is_noted; /* `value` is valid */
	int64_t value;
	uint64_t rest_until_ns; /* earliest time of the next note, if the event is not written */
};

struct input_journal {
	struct input_journal_config config;
	struct noted *noted;
	bool caught_up;
	bool changed;
	uint64_t deadline_ns;
};

/* In the order of enum decoder_kind. */
static const char *const kinds[] = { "button", "switch", "rotary", "counter" };

static void make_key(const char *name, char key[OUTBOX_KEY_MAX + 1])
{
	char text[CUE_ID_TEXT_SIZE];
	struct cue_id id;

	cue_id_derive("input", name, &id);
	cue_id_format(&id, text);
	snprintf(key, OUTBOX_KEY_MAX + 1, PREFIX "%s", text);
}

static struct noted *find(struct input_journal *journal, const char *name)
{
	struct noted *noted = journal->noted;

	while (noted && strcmp(noted->name, name) != 0)
		noted = noted->next;
	if (noted)
		return noted;
	noted = calloc(1, sizeof(*noted));
	if (!noted)
		return NULL;
	noted->name = strdup(name);
	if (!noted->name) {
		free(noted);
		return NULL;
	}
	noted->next = journal->noted;
	journal->noted = noted;
	return noted;
}

/* ---- reading ---- */

struct found {
	const char *name;
	enum decoder_kind kind;
	int64_t value;
};

static bool read_kind(const char *text, enum decoder_kind *ret_kind)
{
	if (text && strcmp(text, kinds[DECODER_COUNTER]) == 0)
		*ret_kind = DECODER_COUNTER;
	else if (text && strcmp(text, kinds[DECODER_ROTARY]) == 0)
		*ret_kind = DECODER_ROTARY;
	else
		return false;
	return true;
}

/** @param ret_found its name belongs to @p root. */
static bool read_note(const cJSON *root, struct found *ret_found)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "value"));
	char *end;

	ret_found->name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "input"));
	if (!ret_found->name || !value ||
	    !read_kind(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "kind")),
	               &ret_found->kind))
		return false;
	errno = 0;
	ret_found->value = strtoll(value, &end, 10);
	return errno == 0 && end != value && *end == '\0' &&
	       (ret_found->kind != DECODER_COUNTER || ret_found->value >= 0);
}

static int restore(void *user, const char *key, const void *value, size_t len)
{
	struct input_journal *journal = user;
	struct found found;
	cJSON *root;

	if (strncmp(key, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	root = cJSON_ParseWithLength(value, len);
	if (!read_note(root, &found))
		log_write(journal->config.log, LOG_LEVEL_ERROR,
		          "the note '%s' of a count or position is not what cuebus writes; it is "
		          "removed",
		          key);
	else if (engine_input_restore(journal->config.engine, found.name, found.kind,
	                              found.value) == 0)
		goto finish;
	/* The input no longer exists or has no `restore`. */
	(void)outbox_journal_remove(journal->config.outbox, key);
finish:
	cJSON_Delete(root);
	return 0;
}

void input_journal_catch_up(struct input_journal *journal)
{
	int r;

	if (journal->caught_up || !outbox_journal_is_known(journal->config.outbox))
		return;
	journal->caught_up = true;
	journal->changed = true;
	r = outbox_journal_foreach(journal->config.outbox, restore, journal);
	if (r < 0)
		log_write(journal->config.log, LOG_LEVEL_ERROR,
		          "counts and positions could not be restored: %s", strerrordesc_np(-r));
}

/* ---- writing ---- */

/** Whether the event with the value is written to disk in the same transaction. */
static bool is_event_written(const struct config *config, const char *name)
{
	if (config->outbox.when != OUTBOX_DISK_ALWAYS)
		return false;
	for (size_t i = 0; i < config->n_inputs; i++) {
		if (strcmp(config->inputs[i].name, name) == 0)
			return config_qos(&config->mqtt, config->inputs[i].event) == 1;
	}
	return false;
}

static int put(struct input_journal *journal, const struct engine_input_info *info)
{
	char key[OUTBOX_KEY_MAX + 1], number[24], *text;
	struct cue_writer w = { 0 };
	size_t len;
	int r;

	make_key(info->name, key);
	snprintf(number, sizeof(number), "%" PRId64, info->counted);
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "input");
	cue_writer_string(&w, info->name);
	cue_writer_key(&w, "kind");
	cue_writer_string(&w, kinds[info->kind]);
	cue_writer_key(&w, "value");
	cue_writer_string(&w, number);
	cue_writer_object_end(&w);
	r = cue_writer_finish(&w, &text, &len);
	if (r < 0)
		return r;
	r = outbox_journal_put(journal->config.outbox, key, text, len);
	free(text);
	return r;
}

struct marking {
	struct input_journal *journal;
	uint64_t now_ns;
	bool all;
};

/*
 *   event written | rested | then
 *   yes           | -      | noted at once
 *   no            | yes    | noted at once; rests
 *   no            | no     | at the end of its rest, or at the stop
 */
static int mark_one(void *user, const struct engine_input_info *info)
{
	const struct marking *m = user;
	struct input_journal *journal = m->journal;
	struct noted *noted;

	if (!info->restore)
		return 0;
	noted = find(journal, info->name);
	if (!noted) /* try again with the next change */
		return 0;
	if (noted->is_noted ? noted->value == info->counted : info->counted == info->counted_from)
		return 0;
	if (!m->all && m->now_ns < noted->rest_until_ns) {
		if (noted->rest_until_ns < journal->deadline_ns)
			journal->deadline_ns = noted->rest_until_ns;
		return 0;
	}
	if (put(journal, info) < 0)
		return 0;
	noted->is_noted = true;
	noted->value = info->counted;
	if (!is_event_written(engine_get_config(journal->config.engine), info->name))
		noted->rest_until_ns = m->now_ns + INPUT_JOURNAL_REST_NS;
	return 0;
}

void input_journal_changed(struct input_journal *journal)
{
	journal->changed = true;
}

void input_journal_mark(struct input_journal *journal, uint64_t now_ns, bool all)
{
	struct marking marking = { journal, now_ns, all };

	/* Not before input_journal_catch_up(): a new note would overwrite that of the previous
	 * boot. */
	if (!journal->caught_up || (!journal->changed && !all && now_ns < journal->deadline_ns))
		return;
	/* The event with the new value still waits for dispatch: note both together later. */
	if (cue_bus_has_waiting(engine_bus(journal->config.engine)) && !all)
		return;
	journal->changed = false;
	journal->deadline_ns = UINT64_MAX;
	(void)engine_input_foreach(journal->config.engine, mark_one, &marking);
}

uint64_t input_journal_deadline(const struct input_journal *journal)
{
	return journal->caught_up ? journal->deadline_ns : UINT64_MAX;
}

/* ---- life ---- */

int input_journal_new(const struct input_journal_config *config, struct input_journal **ret_journal)
{
	struct input_journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return -ENOMEM;
	journal->config = *config;
	journal->deadline_ns = UINT64_MAX;
	*ret_journal = journal;
	return 0;
}

struct input_journal *input_journal_free(struct input_journal *journal)
{
	if (!journal)
		return NULL;
	while (journal->noted) {
		struct noted *noted = journal->noted;

		journal->noted = noted->next;
		free(noted->name);
		free(noted);
	}
	free(journal);
	return NULL;
}
