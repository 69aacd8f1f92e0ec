/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file playlist_fixture.h
 * @brief A bus with playlists whose events are logged in short form.
 *
 * A log line is "<ms> <event>": a plain event by its type, with `#<producer>`
 * unless 0; a lifecycle event as `created A`, `emitted A 0.1` (step, repeat),
 * `stopped A completed 3` (reason, count, then `<detail>` and `skipped n` where
 * there are), `rejected A busy`, `overdue A 5000` (by how many ms), `created A at 1500`
 * (restored, at how many ms), `paused A at 1500` and the like (with `skipped n` where there are).
 * Runs are called A, B, … in order of first
 * appearance. A type in `quiet` is not logged.
 */
#ifndef CUE_PLAYLIST_FIXTURE_H
#define CUE_PLAYLIST_FIXTURE_H

#include <cjson/cJSON.h>
#include <cuebus/cuebus.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cue_criterion.h"

#define MS(n) ((uint64_t)(n) * (uint64_t)CUE_NS_PER_MS)

struct pf {
	struct cue_bus *bus;
	struct cue_playlists *playlists;
	char runs[64][CUE_ID_TEXT_SIZE];
	size_t n_runs;
	char log[16384];
	char *last[8]; /* payload of the last event of each lifecycle kind, owned */
	uint64_t random;
	uint64_t clock_ns; /* used when pf_open_clock() made the bus */
	unsigned reports[8];
	uint32_t own;    /* subscriptions of the test */
	bool no_emitted; /* leave `emitted` out of the log */
};

enum { PF_CREATED, PF_EMITTED, PF_STOPPED, PF_REJECTED, PF_OVERDUE, PF_STEERED, PF_PLAIN };

static inline int pf_random(void *user, void *buf, size_t len)
{
	struct pf *f = user;
	unsigned char *bytes = buf;

	for (size_t i = 0; i < len; i++) {
		f->random = f->random * 6364136223846793005ULL + 1442695040888963407ULL;
		bytes[i] = (unsigned char)(f->random >> 56);
	}
	return 0;
}

static inline uint64_t pf_clock(void *user)
{
	return ((struct pf *)user)->clock_ns;
}

static inline void pf_report(void *user, const struct cue_report *report)
{
	((struct pf *)user)->reports[report->code]++;
}

__attribute__((format(printf, 2, 3))) static inline void pf_log(struct pf *f, const char *format,
                                                                ...)
{
	size_t len = strlen(f->log);
	va_list args;

	va_start(args, format);
	vsnprintf(f->log + len, sizeof(f->log) - len, format, args);
	va_end(args);
}

static inline char pf_run(struct pf *f, const char *id)
{
	for (size_t i = 0; i < f->n_runs; i++) {
		if (strcmp(f->runs[i], id) == 0)
			return (char)('A' + i);
	}
	cr_assert_lt(f->n_runs, 64U);
	snprintf(f->runs[f->n_runs], CUE_ID_TEXT_SIZE, "%s", id);
	return (char)('A' + f->n_runs++);
}

static inline const char *pf_text(const cJSON *json, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static inline int pf_number(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	return item ? item->valueint : 0;
}

/** Seconds, as milliseconds; -1 when there is none. */
static inline int pf_ms(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	return item ? (int)(item->valuedouble * 1000 + 0.5) : -1;
}

static inline void pf_keep(struct pf *f, int kind, const struct cue_payload *payload)
{
	free(f->last[kind]);
	f->last[kind] = strdup(cue_payload_bytes(payload, NULL));
}

static inline void pf_log_stopped(struct pf *f, const cJSON *json)
{
	pf_log(f, "stopped %c %s %d", pf_run(f, pf_text(json, "playlist_id")),
	       pf_text(json, "reason"), pf_number(json, "emitted_count"));
	if (pf_text(json, "detail"))
		pf_log(f, " <%s>", pf_text(json, "detail"));
	if (pf_number(json, "skipped_count"))
		pf_log(f, " skipped %d", pf_number(json, "skipped_count"));
}

static inline int pf_record(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct pf *f = user;
	const char *type = cue_event_type_name(event);
	const cJSON *json = NULL;
	int kind = PF_PLAIN;

	(void)bus;
	if (strncmp(type, "event.playlist.", 15) == 0) {
		type += 15;
		json = cue_payload_json(event->payload);
		kind = *type == 'c'                    ? PF_CREATED
		       : *type == 'e'                  ? PF_EMITTED
		       : strcmp(type, "stopped") == 0  ? PF_STOPPED
		       : *type == 'o'                  ? PF_OVERDUE
		       : strcmp(type, "rejected") == 0 ? PF_REJECTED
		                                       : PF_STEERED;
		cr_assert_eq(event->producer_id, 0);
	}
	pf_keep(f, kind, event->payload);
	if (f->no_emitted && kind == PF_EMITTED)
		return 0;
	pf_log(f, "%llu ", (unsigned long long)(event->time_ns / (uint64_t)CUE_NS_PER_MS));
	if (kind == PF_STOPPED)
		pf_log_stopped(f, json);
	else if (kind == PF_PLAIN)
		pf_log(f, event->producer_id ? "%s#%u" : "%s", type, event->producer_id);
	else
		pf_log(f, "%s %c", type, pf_run(f, pf_text(json, "playlist_id")));
	if (kind == PF_EMITTED)
		pf_log(f, " %d.%d", pf_number(json, "step_index"), pf_number(json, "repeat_index"));
	if (kind == PF_CREATED && strcmp(pf_text(json, "cause"), "restore") == 0)
		pf_log(f, " at %d", pf_ms(json, "offset"));
	if (kind == PF_OVERDUE)
		pf_log(f, " %d", pf_ms(json, "overdue_by"));
	if (kind == PF_REJECTED)
		pf_log(f, " %s", pf_text(json, "reason"));
	if (kind == PF_STEERED)
		pf_log(f, " at %d", pf_ms(json, "offset"));
	if (kind == PF_STEERED && pf_number(json, "skipped_count"))
		pf_log(f, " skipped %d", pf_number(json, "skipped_count"));
	pf_log(f, "\n");
	return 0;
}

static inline void pf_subscribe(struct pf *f, const char *type, int priority, cue_handler handler,
                                void *user)
{
	struct cue_subscription *subscription;
	struct cue_subscription_config config = {
		.type = type, .priority = priority, .handler = handler, .user = user, .name = type
	};

	cr_assert_eq(cue_bus_subscribe(f->bus, &config, &subscription), 0);
	f->own++;
}

static inline void pf_open_config(struct pf *f, struct cue_bus_config config)
{
	memset(f, 0, sizeof(*f));
	config.gateway_id = "porch";
	config.random = pf_random;
	config.report = pf_report;
	config.user = f;
	f->clock_ns = config.start_ns;
	cr_assert_eq(cue_bus_new(&config, &f->bus), 0);
	cr_assert_eq(cue_playlists_new(f->bus, &f->playlists), 0);
	pf_subscribe(f, "*", CUE_PRIORITY_BRIDGE, pf_record, f);
}

static inline void pf_open(struct pf *f)
{
	pf_open_config(f, (struct cue_bus_config){ 0 });
}

/** End the test: ended runs must not leave timers behind. */
static inline void pf_close(struct pf *f)
{
	struct cue_bus_stats stats;

	cue_playlist_stop(f->playlists, NULL, "test ends", NULL, NULL);
	cue_bus_get_stats(f->bus, &stats);
	cr_assert_eq(stats.timers_armed, 0);
	cr_assert_eq(stats.queue_events, 0);
	cue_playlists_free(f->playlists);
	cue_bus_get_stats(f->bus, &stats);
	cr_assert_eq(stats.subscriptions, f->own);
	cue_bus_free(f->bus);
	for (size_t i = 0; i < sizeof(f->last) / sizeof(*f->last); i++)
		free(f->last[i]);
}

static inline void pf_emit_data(struct pf *f, const char *type, uint32_t producer_id,
                                const char *json)
{
	struct cue_payload *payload = NULL;
	struct cue_emit emit = { .type = type,
		                 .producer_id = producer_id,
		                 .time_ns = CUE_TIME_NONE };

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	emit.payload = payload;
	cr_assert_eq(cue_bus_emit(f->bus, &emit, NULL), 0);
	cue_payload_unref(payload);
}

static inline void pf_emit(struct pf *f, const char *type)
{
	pf_emit_data(f, type, 0, "null");
}

static inline void pf_advance(struct pf *f, uint64_t ms)
{
	cr_assert_eq(cue_bus_advance(f->bus, MS(ms)), 0);
}

static inline void pf_define(struct pf *f, const struct cue_playlist_config *config)
{
	struct cue_predicate_error error = { .path = "", .text = "" };
	int r = cue_playlist_define(f->playlists, config, NULL, &error);

	cr_assert_eq(r, 0, "%d %s %s", r, error.path, error.text);
}

static inline int pf_start(struct pf *f, const char *name)
{
	struct cue_playlist_start start = { .name = name, .cause = CUE_CAUSE_COMMAND };

	return cue_playlist_start(f->playlists, &start, NULL);
}

/** Compares the log and clears it. */
#define pf_expect(f, text)                                                                         \
	do {                                                                                       \
		cr_assert_str_eq((f)->log, text);                                                  \
		(f)->log[0] = '\0';                                                                \
	} while (0)

#endif
