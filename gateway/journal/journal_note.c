/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the notes of a previous boot. They come from a disk and may contain anything: a note is
 * either valid, or skipped and logged. */
#include <cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal_internal.h"

#define NUMBER_MAX_LEN 20U

int journal_number_parse(const char *text, size_t len, uint64_t *ret_number)
{
	char copy[NUMBER_MAX_LEN + 1];
	char *end;

	if (len == 0 || len > NUMBER_MAX_LEN)
		return -EBADMSG;
	memcpy(copy, text, len); /* a note has no NUL at its end */
	copy[len] = '\0';
	if (strspn(copy, "0123456789") < len)
		return -EBADMSG;
	errno = 0;
	*ret_number = strtoull(copy, &end, 10);
	return errno == 0 && *end == '\0' ? 0 : -EBADMSG;
}

static int get_number(const cJSON *root, const char *key, uint64_t *ret_number)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, key));

	return text ? journal_number_parse(text, strlen(text), ret_number) : -EBADMSG;
}

static int get_ns(const cJSON *root, const char *key, int64_t *ret_ns)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, key));
	bool negative = text && *text == '-';
	uint64_t magnitude;

	if (!text ||
	    journal_number_parse(text + negative, strlen(text) - negative, &magnitude) < 0 ||
	    magnitude > INT64_MAX)
		return -EBADMSG;
	*ret_ns = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return 0;
}

static int get_text(const cJSON *root, const char *key, char **ret_text)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, key));

	if (!text)
		return -EBADMSG;
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

static int get_time(const cJSON *root, const char *mono, const char *wall,
                    struct journal_time *ret_time)
{
	const char *boot = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "boot"));
	int r;

	if (!boot || strlen(boot) >= sizeof(ret_time->boot))
		return -EBADMSG;
	strcpy(ret_time->boot, boot);
	r = get_ns(root, mono, &ret_time->mono_ns);
	return r < 0 ? r : get_ns(root, wall, &ret_time->wall_ns);
}

int journal_time_parse(const char *text, size_t len, struct journal_time *ret_time)
{
	cJSON *root = cJSON_ParseWithLength(text, len);
	int r = get_time(root, "mono", "wall", ret_time);

	cJSON_Delete(root);
	return r;
}

bool journal_same_boot(const struct journal_time *a, const struct journal_time *b)
{
	return a->boot[0] && strcmp(a->boot, b->boot) == 0;
}

int64_t journal_elapsed(const struct journal_time *from, const struct journal_time *to)
{
	int64_t elapsed_ns;
	bool same_boot = journal_same_boot(from, to);

	if (__builtin_sub_overflow(same_boot ? to->mono_ns : to->wall_ns,
	                           same_boot ? from->mono_ns : from->wall_ns, &elapsed_ns))
		return 0;
	return elapsed_ns;
}

static enum cue_omitted get_omitted(const cJSON *root)
{
	const char *name =
	        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "trigger_omitted"));
	enum cue_omitted omitted = CUE_OMITTED_LIMIT; /* also for an unknown word */

	if (!name)
		return CUE_OMITTED_NOT;
	while (omitted > CUE_OMITTED_NOT && strcmp(cue_omitted_name(omitted), name) != 0)
		omitted--;
	return omitted == CUE_OMITTED_NOT ? CUE_OMITTED_LIMIT : omitted;
}

static int get_trigger(const cJSON *root, struct journal_run *run)
{
	const char *data;
	uint64_t producer;
	int r;

	if (!cJSON_HasObjectItem(root, "trigger_type"))
		return 0;
	r = get_text(root, "trigger_type", &run->trigger_type);
	if (r >= 0)
		r = get_number(root, "trigger_producer", &producer);
	if (r < 0)
		return r;
	if (producer > UINT32_MAX)
		return -EBADMSG;
	run->trigger_producer_id = (uint32_t)producer;
	run->trigger_omitted = get_omitted(root);
	run->has_data_note = cJSON_HasObjectItem(root, "trigger_note");
	if (run->has_data_note)
		return get_number(root, "trigger_note", &run->data_note);
	data = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "trigger_data"));
	if (!data)
		return -EBADMSG;
	r = cue_payload_new(data, strlen(data), CUE_JSON_DEPTH_MAX, &run->trigger_data, NULL);
	return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}

/** The time line of a run that was steered. */
static int get_line(const cJSON *root, struct journal_run *run)
{
	struct cue_run_line *line = &run->line;
	uint64_t tempo = 0, fraction = 0;
	int r;

	if (!cJSON_HasObjectItem(root, "tempo"))
		return 0;
	line->steered = true;
	line->paused = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "paused"));
	r = get_number(root, "tempo", &tempo);
	if (r >= 0)
		r = get_number(root, "fraction", &fraction);
	if (r >= 0)
		r = get_number(root, "offset", &line->offset_ns);
	if (r >= 0)
		r = get_number(root, "pending", &line->pending_ns);
	if (r >= 0)
		r = get_number(root, "emitted", &line->emitted_count);
	if (r >= 0)
		r = get_number(root, "skipped", &line->skipped_count);
	if (r >= 0)
		r = get_time(root, "since_mono", "since_wall", &run->since);
	if (r < 0)
		return r;
	if (tempo < CUE_TEMPO_MIN || tempo > CUE_TEMPO_MAX || fraction >= CUE_TEMPO_AS_WRITTEN ||
	    line->offset_ns > CUE_DURATION_MAX_NS || line->pending_ns > CUE_DURATION_MAX_NS)
		return -EBADMSG;
	line->tempo = (uint32_t)tempo;
	line->fraction = (uint32_t)fraction;
	return 0;
}

static int get_run(const cJSON *root, struct journal_run *run)
{
	const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "state"));
	int r;

	if (!state || (strcmp(state, "running") != 0 && strcmp(state, "queued") != 0))
		return -EBADMSG;
	run->queued = *state == 'q';
	r = get_number(root, "number", &run->number);
	if (r >= 0)
		r = get_number(root, "definition", &run->definition);
	if (r >= 0)
		r = get_time(root, "start_mono", "start_wall", &run->start);
	run->passed_ns = CUE_TIME_NONE;
	if (r >= 0 && cJSON_HasObjectItem(root, "passed"))
		r = get_number(root, "passed", &run->passed_ns);
	if (r >= 0)
		r = get_line(root, run);
	if (r >= 0)
		r = get_text(root, "playlist", &run->playlist);
	return r < 0 ? r : get_trigger(root, run);
}

int journal_run_parse(const char *key, const char *text, size_t len, struct journal_run *ret_run)
{
	struct journal_run run = { 0 };
	cJSON *root;
	int r;

	if (cue_id_parse(key + strlen(JOURNAL_RUN), &run.id) < 0)
		return -EBADMSG;
	root = cJSON_ParseWithLength(text, len);
	r = get_run(root, &run);
	cJSON_Delete(root);
	if (r < 0) {
		journal_run_clear(&run);
		return r;
	}
	*ret_run = run;
	return 0;
}

void journal_run_clear(struct journal_run *run)
{
	free(run->playlist);
	free(run->trigger_type);
	cue_payload_unref(run->trigger_data);
}
