/* SPDX-License-Identifier: Apache-2.0 */
#include "gesture_journal.h"

#include <cJSON.h>
#include <cuebus/json_writer.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "cycle/"

/** What the database has of one cycle. */
struct noted {
	struct noted *next;
	char *name;
	bool is_noted; /* `place` and `values_id` are valid */
	int32_t place;
	struct cue_id values_id;
	uint64_t rest_until_ns; /* earliest time of the next note, if the event is not written */
};

struct gesture_journal {
	struct gesture_journal_config config;
	struct noted *noted; /* by name, in the order of cue_gesture_foreach() */
	bool caught_up;
	uint64_t moved; /* cue_gestures_stats.cycles_moved of the last mark */
	uint64_t deadline_ns;
};

static void make_key(const char *name, char key[OUTBOX_KEY_MAX + 1])
{
	char text[CUE_ID_TEXT_SIZE];
	struct cue_id id;

	cue_id_derive("cycle", name, &id);
	cue_id_format(&id, text);
	snprintf(key, OUTBOX_KEY_MAX + 1, PREFIX "%s", text);
}

static uint64_t moved(const struct gesture_journal *journal)
{
	struct cue_gestures_stats stats;

	cue_gestures_get_stats(engine_gestures(journal->config.engine), &stats);
	return stats.cycles_moved;
}

/* ---- what is noted, by name ---- */

static struct noted *insert(struct noted **link, const char *name)
{
	struct noted *noted = calloc(1, sizeof(*noted));

	if (noted)
		noted->name = strdup(name);
	if (!noted || !noted->name) {
		free(noted);
		return NULL;
	}
	noted->next = *link;
	*link = noted;
	return noted;
}

/** The database has this already: the first change is noted at once. */
static void take_as_noted(struct gesture_journal *journal, const char *name, int32_t place,
                          const struct cue_id *values_id)
{
	struct noted **link = &journal->noted, *noted;

	while (*link && strcmp((*link)->name, name) < 0)
		link = &(*link)->next;
	noted = insert(link, name);
	if (!noted)
		return;
	noted->is_noted = true;
	noted->place = place;
	noted->values_id = *values_id;
}

/* ---- reading ---- */

struct found {
	const char *name;
	struct cue_id values_id;
	int32_t place;
};

/** @param ret_found its name belongs to @p root. */
static bool read_note(const cJSON *root, struct found *ret_found)
{
	const char *values = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "values"));
	const cJSON *place = cJSON_GetObjectItemCaseSensitive(root, "place");

	ret_found->name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "gesture"));
	if (!ret_found->name || !values || cue_id_parse(values, &ret_found->values_id) < 0 ||
	    !cJSON_IsNumber(place))
		return false;
	/* A fraction or a huge number is cut to a place that exists, or is refused as one that
	 * does not. */
	ret_found->place = place->valueint;
	return ret_found->place >= 0;
}

static int restore(void *user, const char *key, const void *value, size_t len)
{
	struct gesture_journal *journal = user;
	struct found found;
	cJSON *root;

	if (strncmp(key, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	root = cJSON_ParseWithLength(value, len);
	if (!read_note(root, &found))
		log_write(journal->config.log, LOG_LEVEL_ERROR,
		          "the note '%s' of a cycle is not what cuebus writes; it is removed", key);
	else if (cue_gesture_restore(engine_gestures(journal->config.engine), found.name,
	                             found.place, &found.values_id) == 0) {
		take_as_noted(journal, found.name, found.place, &found.values_id);
		goto finish;
	}
	/* The cycle no longer exists, has no `restore`, or has other values. */
	(void)outbox_journal_remove(journal->config.outbox, key);
finish:
	cJSON_Delete(root);
	return 0;
}

void gesture_journal_catch_up(struct gesture_journal *journal)
{
	int r;

	if (journal->caught_up || !outbox_journal_is_known(journal->config.outbox))
		return;
	journal->caught_up = true;
	r = outbox_journal_foreach(journal->config.outbox, restore, journal);
	if (r < 0)
		log_write(journal->config.log, LOG_LEVEL_ERROR,
		          "places of cycles could not be restored: %s", strerrordesc_np(-r));
}

/* ---- writing ---- */

static int put(const struct gesture_journal *journal, const struct cue_gesture_info *info)
{
	char key[OUTBOX_KEY_MAX + 1], values[CUE_ID_TEXT_SIZE], *text;
	struct cue_writer w = { 0 };
	size_t len;
	int r;

	make_key(info->name, key);
	cue_id_format(&info->values_id, values);
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "gesture");
	cue_writer_string(&w, info->name);
	cue_writer_key(&w, "values");
	cue_writer_string(&w, values);
	cue_writer_key(&w, "place");
	cue_writer_i64(&w, info->place);
	cue_writer_object_end(&w);
	r = cue_writer_finish(&w, &text, &len);
	if (r < 0)
		return r;
	r = outbox_journal_put(journal->config.outbox, key, text, len);
	free(text);
	return r;
}

static void remove_note(const struct gesture_journal *journal, const char *name)
{
	char key[OUTBOX_KEY_MAX + 1];

	make_key(name, key);
	(void)outbox_journal_remove(journal->config.outbox, key);
}

/** Forget the cycle at @p link, and its note. */
static void forget(const struct gesture_journal *journal, struct noted **link)
{
	struct noted *noted = *link;

	if (noted->is_noted)
		remove_note(journal, noted->name);
	*link = noted->next;
	free(noted->name);
	free(noted);
}

/** Whether the event with the value is written to disk in the same transaction. */
static bool is_event_written(const struct config *config, const char *type)
{
	return config->outbox.when == OUTBOX_DISK_ALWAYS && config_qos(&config->mqtt, type) == 1;
}

static bool is_up_to_date(const struct noted *noted, const struct cue_gesture_info *info)
{
	return noted->is_noted && noted->place == info->place &&
	       cue_id_equal(&noted->values_id, &info->values_id);
}

struct marking {
	struct gesture_journal *journal;
	struct noted **link; /* the place in the list of the next gesture */
	uint64_t now_ns;
	bool all;
};

/*
 *   event written | rested | then
 *   yes           | -      | noted at once
 *   no            | yes    | noted at once; rests
 *   no            | no     | at the end of its rest, or at the stop
 */
static void mark_place(const struct marking *m, struct noted *noted,
                       const struct cue_gesture_info *info)
{
	struct gesture_journal *journal = m->journal;

	if (!m->all && m->now_ns < noted->rest_until_ns) {
		if (noted->rest_until_ns < journal->deadline_ns)
			journal->deadline_ns = noted->rest_until_ns;
		return;
	}
	if (put(journal, info) < 0)
		return;
	noted->is_noted = true;
	noted->place = info->place;
	noted->values_id = info->values_id;
	if (!is_event_written(engine_get_config(journal->config.engine), info->emit))
		noted->rest_until_ns = m->now_ns + GESTURE_JOURNAL_REST_NS;
}

/** Merge: gestures and notes are in the same order. */
static int mark_one(void *user, const struct cue_gesture_info *info)
{
	struct marking *m = user;
	struct noted *noted;

	if (!info->restore || info->place < 0)
		return 0;
	while (*m->link && strcmp((*m->link)->name, info->name) < 0)
		forget(m->journal, m->link); /* removed, or without a place */
	noted = *m->link;
	if (!noted || strcmp(noted->name, info->name) != 0)
		noted = insert(m->link, info->name);
	if (!noted) /* try again with the next change */
		return 0;
	if (!is_up_to_date(noted, info))
		mark_place(m, noted, info);
	m->link = &noted->next;
	return 0;
}

void gesture_journal_mark(struct gesture_journal *journal, uint64_t now_ns, bool all)
{
	struct marking marking = { journal, &journal->noted, now_ns, all };
	uint64_t now_moved = moved(journal);

	/* Not before gesture_journal_catch_up(): a new note would overwrite that of the previous
	 * boot. */
	if (!journal->caught_up ||
	    (journal->moved == now_moved && !all && now_ns < journal->deadline_ns))
		return;
	/* The event with the new value still waits for dispatch: note both together later. */
	if (cue_bus_has_waiting(engine_bus(journal->config.engine)) && !all)
		return;
	journal->moved = now_moved;
	journal->deadline_ns = UINT64_MAX;
	(void)cue_gesture_foreach(engine_gestures(journal->config.engine), mark_one, &marking);
	while (*marking.link)
		forget(journal, marking.link);
}

uint64_t gesture_journal_deadline(const struct gesture_journal *journal)
{
	return journal->caught_up ? journal->deadline_ns : UINT64_MAX;
}

/* ---- life ---- */

int gesture_journal_new(const struct gesture_journal_config *config,
                        struct gesture_journal **ret_journal)
{
	struct gesture_journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return -ENOMEM;
	journal->config = *config;
	journal->deadline_ns = UINT64_MAX;
	*ret_journal = journal;
	return 0;
}

struct gesture_journal *gesture_journal_free(struct gesture_journal *journal)
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
