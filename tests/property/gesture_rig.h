/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gesture_rig.h
 * @brief Gestures under random events, compared with a model line by line.
 *
 * Every event carries its number as `"i"`. What gestures emit is written as
 * `<name> <time> <producer>: <numbers of the events in it>`, the model writes
 * the same to `expected`, and the two are compared after every event.
 */
#ifndef GESTURE_RIG_H
#define GESTURE_RIG_H

#include "bus_fixture.h"

#include <cjson/cJSON.h>
#include <stdarg.h>

#define RIG_TEXT 16384

struct rig {
	struct fixture f;
	struct cue_playlists *playlists;
	struct cue_gestures *gestures;
	uint64_t now_ns;
	unsigned long long seed;
	unsigned n_events;
	unsigned n_fired;
	char actual[RIG_TEXT], expected[RIG_TEXT];
};

/** A number below @p n; the rig's own stream, not the bus's. */
static inline unsigned below(uint64_t *rng, unsigned n)
{
	uint64_t z = *rng += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (unsigned)((z ^ (z >> 31)) % n);
}

__attribute__((format(printf, 2, 3))) static inline void text_add(char text[RIG_TEXT],
                                                                  const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text + used, RIG_TEXT - used, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= RIG_TEXT - used)
		abort(); /* a longer text would hide a difference */
}

static inline void log_events(char text[RIG_TEXT], const cJSON *events)
{
	const cJSON *event;

	cJSON_ArrayForEach(event, events)
	{
		const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
		const cJSON *i = cJSON_GetObjectItemCaseSensitive(data, "i");

		text_add(text, " %d", i ? i->valueint : -1);
	}
}

static inline int rig_log(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct rig *rig = user;
	const cJSON *json, *peripheral, *events;

	(void)bus;
	if (event->origin == 0)
		return 0;
	rig->n_fired++;
	json = cue_payload_json(event->payload);
	peripheral = cJSON_GetObjectItemCaseSensitive(json, "virtual_peripheral");
	events = cJSON_GetObjectItemCaseSensitive(json, "events");
	if (!events)
		events = cJSON_GetObjectItemCaseSensitive(json, "sequence");
	text_add(rig->actual,
	         "%s %llu %u:", cJSON_GetObjectItemCaseSensitive(peripheral, "name")->valuestring,
	         (unsigned long long)event->time_ns, (unsigned)event->producer_id);
	if (events)
		log_events(rig->actual, events);
	else
		text_add(rig->actual, " %s", cue_payload_bytes(event->payload, NULL));
	text_add(rig->actual, "\n");
	return 0;
}

static inline void rig_must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-r));
	abort();
}

static inline void rig_open(struct rig *rig, unsigned long long seed,
                            const struct cue_limits *limits)
{
	struct cue_subscription *subscription;

	memset(rig, 0, sizeof(*rig));
	rig->seed = seed;
	fixture_open(&rig->f, limits);
	rig->now_ns = cue_bus_now(rig->f.bus);
	rig_must(cue_playlists_new(rig->f.bus, &rig->playlists), "playlists");
	rig_must(cue_gestures_new(rig->f.bus, rig->playlists, &rig->gestures), "gestures");
	rig_must(cue_bus_subscribe(rig->f.bus,
	                           &(struct cue_subscription_config){
	                                   .type = "*",
	                                   .priority = CUE_PRIORITY_BRIDGE,
	                                   .handler = rig_log,
	                                   .user = rig,
	                           },
	                           &subscription),
	         "subscribe");
}

/** @return whether all went well to the end. */
static inline bool rig_close(struct rig *rig)
{
	bool ok = rig->f.reports[CUE_REPORT_HANDLER_FAILED] == 0;

	if (!ok)
		fprintf(stderr, "seed %llu: a handler has failed\n", rig->seed);
	cue_gestures_free(rig->gestures);
	cue_playlists_free(rig->playlists);
	fixture_close(&rig->f);
	return ok;
}

static inline void rig_define(struct rig *rig, const struct cue_gesture_config *config)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };
	int r = cue_gesture_define(rig->gestures, config, NULL, &error);

	if (r >= 0)
		return;
	fprintf(stderr, "seed %llu: %s at \"%s\": %s\n", rig->seed, config->name, error.path,
	        error.text);
	abort();
}

/** Emit; @p time_ns may lie before now, which moves on to it otherwise. */
static inline void rig_emit(struct rig *rig, const char *type, uint32_t producer_id,
                            uint64_t time_ns, const char *data)
{
	struct cue_emit emit = { .type = type, .producer_id = producer_id, .time_ns = time_ns };

	rig_must(cue_payload_new(data, strlen(data), 0, &emit.payload, NULL), data);
	if (time_ns > rig->now_ns)
		rig->now_ns = time_ns;
	rig_must(cue_bus_advance_before(rig->f.bus, rig->now_ns), "advance");
	rig_must(cue_bus_emit(rig->f.bus, &emit, NULL), "emit");
	cue_payload_unref(emit.payload);
	rig->n_events++;
}

/** Whether model and gestures said the same since the last call. */
static inline bool rig_agrees(struct rig *rig)
{
	bool ok = strcmp(rig->actual, rig->expected) == 0;

	if (!ok)
		fprintf(stderr, "seed %llu, event %u:\nexpected\n%sgot\n%s", rig->seed,
		        rig->n_events - 1, rig->expected, rig->actual);
	rig->actual[0] = rig->expected[0] = '\0';
	return ok;
}

/* ---- the model's cooldown ---- */

struct model_cooldown {
	bool fired;
	uint64_t time_ns;
};

static inline uint64_t model_distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/** @return whether it fires at @p time_ns (and has, then). */
static inline bool model_fires(struct model_cooldown *cooldown, uint64_t cooldown_ns,
                               uint64_t time_ns)
{
	if (cooldown->fired && model_distance(cooldown->time_ns, time_ns) < cooldown_ns)
		return false;
	*cooldown = (struct model_cooldown){ true, time_ns };
	return true;
}

/** Run @p one for each seed; a property that fails names its seed. */
static inline int rig_main(int argc, char **argv, unsigned long long cases,
                           bool (*one)(unsigned long long seed))
{
	unsigned long long first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	if (argc > 1)
		cases = strtoull(argv[1], NULL, 10);
	for (unsigned long long seed = first; seed < first + cases; seed++) {
		if (one(seed))
			continue;
		fprintf(stderr, "again with: %s 1 %llu\n", argv[0], seed);
		return 1;
	}
	printf("%llu cases agree with the model\n", cases);
	return 0;
}

#endif
