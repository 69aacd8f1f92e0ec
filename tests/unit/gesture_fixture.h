/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gesture_fixture.h
 * @brief A bus with playlists and gestures, and a log of what gestures emitted.
 *
 * Times are in ms after the bus's start, which is wall time 0. Include after
 * cue_criterion.h.
 */
#ifndef GESTURE_FIXTURE_H
#define GESTURE_FIXTURE_H

#include "bus_fixture.h"

#include <cjson/cJSON.h>

#define START_NS 5000000000ULL
#define MS(n)    ((uint64_t)(n)*CUE_NS_PER_MS)

struct gesture_fixture {
	struct fixture base;
	struct cue_bus *bus;
	struct cue_playlists *playlists;
	struct cue_gestures *gestures;
	struct cue_subscription *log_subscription;
	int last_error; /* of the last handler that failed */
	/* "<ms> <type> <producer>\n" of each event with an origin */
	char log[4096];
	struct cue_payload *last; /* payload of the last of them */
};

/** ms after the start, with what is below as decimals: 10, 10.000001. */
static inline void format_ms(uint64_t time_ns, char *buf, size_t size)
{
	unsigned long long ns = time_ns - START_NS;

	if (ns % CUE_NS_PER_MS == 0)
		snprintf(buf, size, "%llu", ns / CUE_NS_PER_MS);
	else
		snprintf(buf, size, "%llu.%06llu", ns / CUE_NS_PER_MS, ns % CUE_NS_PER_MS);
}

static inline int log_gesture(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct gesture_fixture *f = user;
	size_t used = strlen(f->log);
	char ms[40];

	(void)bus;
	if (event->origin == 0)
		return 0;
	format_ms(event->time_ns, ms, sizeof(ms));
	snprintf(f->log + used, sizeof(f->log) - used, "%s %s %u\n", ms, cue_event_type_name(event),
	         (unsigned)event->producer_id);
	cue_payload_unref(f->last);
	f->last = cue_payload_ref(event->payload);
	return 0;
}

static inline void gesture_fixture_report(void *user, const struct cue_report *report)
{
	struct gesture_fixture *f = user;

	fixture_report(&f->base, report);
	if (report->code == CUE_REPORT_HANDLER_FAILED)
		f->last_error = report->error;
}

static inline void gesture_open(struct gesture_fixture *f, const struct cue_limits *limits)
{
	struct cue_bus_config config = {
		.gateway_id = "test",
		.start_ns = START_NS,
		.wall_offset_ns = -(int64_t)START_NS,
		.random = fixture_random,
		.report = gesture_fixture_report,
		.user = f,
	};

	memset(f, 0, sizeof(*f));
	if (limits)
		config.limits = *limits;
	cr_assert_eq(cue_bus_new(&config, &f->bus), 0);
	cr_assert_eq(cue_playlists_new(f->bus, &f->playlists), 0);
	cr_assert_eq(cue_gestures_new(f->bus, f->playlists, &f->gestures), 0);
	cr_assert_eq(cue_bus_subscribe(f->bus,
	                               &(struct cue_subscription_config){
	                                       .type = "*",
	                                       .priority = CUE_PRIORITY_BRIDGE,
	                                       .handler = log_gesture,
	                                       .user = f,
	                               },
	                               &f->log_subscription),
	             0);
}

static inline void gesture_close(struct gesture_fixture *f)
{
	f->last = cue_payload_unref(f->last);
	f->gestures = cue_gestures_free(f->gestures);
	f->playlists = cue_playlists_free(f->playlists);
	f->bus = cue_bus_free(f->bus);
}

/** Define; the parsed JSON of matches is the caller's. */
static inline void gesture_define(struct gesture_fixture *f,
                                  const struct cue_gesture_config *config)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };
	int r = cue_gesture_define(f->gestures, config, NULL, &error);

	cr_assert_eq(r, 0, "%d at \"%s\": %s", r, error.path, error.text);
}

/** An event at @p ns after the start; time moves on to it if it is later. */
static inline void gesture_event_ns(struct gesture_fixture *f, uint64_t ns, const char *type,
                                    uint32_t producer_id, const char *data)
{
	struct cue_emit emit = { .type = type,
		                 .producer_id = producer_id,
		                 .time_ns = START_NS + ns };

	cr_assert_eq(cue_payload_new(data, strlen(data), 0, &emit.payload, NULL), 0, "%s", data);
	cr_assert_eq(cue_bus_advance_before(f->bus, emit.time_ns), 0);
	cr_assert_eq(cue_bus_emit(f->bus, &emit, NULL), 0);
	cue_payload_unref(emit.payload);
}

static inline void gesture_event(struct gesture_fixture *f, uint64_t ms, const char *type,
                                 uint32_t producer_id, const char *data)
{
	gesture_event_ns(f, MS(ms), type, producer_id, data);
}

/** What was logged since the last call. */
#define expect_log(f, expected)                                                                    \
	do {                                                                                       \
		cr_assert_str_eq((f)->log, expected);                                              \
		(f)->log[0] = '\0';                                                                \
	} while (0)

/** The bytes of the last gesture's data. */
#define expect_last(f, expected) cr_assert_str_eq(cue_payload_bytes((f)->last, NULL), expected)

struct gesture_found {
	const char *name;
	struct cue_gesture_info info;
};

static inline int gesture_find(void *user, const struct cue_gesture_info *info)
{
	struct gesture_found *found = user;

	if (strcmp(info->name, found->name) != 0)
		return 0;
	found->info = *info;
	return 1;
}

/** Its counters and id; `name` is not valid any more. */
static inline struct cue_gesture_info gesture_info(struct gesture_fixture *f, const char *name)
{
	struct gesture_found found = { .name = name };

	cr_assert_eq(cue_gesture_foreach(f->gestures, gesture_find, &found), 1);
	found.info.name = name;
	return found.info;
}

#endif
