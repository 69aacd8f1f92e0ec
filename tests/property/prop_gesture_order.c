/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events with different delays, against the same gestures on a bus that gets all events sorted by
 * their times and without delays. Both must emit the same events, each gesture in the same order.
 * Times are small and often equal, delays too; gestures listen to each other, too.
 */
#include "gesture_rig.h"

#define TYPES     4
#define SOURCES   6 /* inputs; several may emit one type */
#define EVENTS    150
#define GESTURES  5
#define DELAY_MAX 40
#define NAME_SIZE 8

static const char *const types[TYPES] = { "t0", "t1", "t2", "t3" };

struct source {
	unsigned type;
	uint32_t producer_id;
	uint64_t delay_ns;
};

struct sent {
	const struct source *source;
	uint64_t time_ns;
	unsigned i;
	char code;
};

struct scenario {
	struct source sources[SOURCES];
	struct sent sent[EVENTS];
	bool chained; /* gestures listen to what gestures emit; all times differ then */
};

/** What one bus emitted, gesture by gesture. */
struct record {
	char text[GESTURES][RIG_TEXT];
	unsigned n;
};

static int record_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct record *record = user;
	const cJSON *json, *peripheral, *events, *number;
	char *text;

	(void)bus;
	if (event->origin == 0)
		return 0;
	json = cue_payload_json(event->payload);
	peripheral = cJSON_GetObjectItemCaseSensitive(json, "virtual_peripheral");
	text = record->text[cJSON_GetObjectItemCaseSensitive(peripheral, "name")->valuestring[1] -
	                    '0'];
	events = cJSON_GetObjectItemCaseSensitive(json, "events");
	if (!events)
		events = cJSON_GetObjectItemCaseSensitive(json, "sequence");
	text_add(text, "%llu %u %u:", (unsigned long long)event->time_ns,
	         (unsigned)event->producer_id, (unsigned)event->depth);
	if (events)
		log_events(text, events);
	number = cJSON_GetObjectItemCaseSensitive(json, "i");
	if (number)
		text_add(text, " %d", number->valueint);
	text_add(text, "\n");
	record->n++;
	return 0;
}

/* ---- random gestures ---- */

/** A type of the inputs, or what an earlier gesture emits. */
static const char *random_type(unsigned number, bool chained, uint64_t *rng)
{
	static const char *const emitted[GESTURES] = { "g0", "g1", "g2", "g3", "g4" };

	if (chained && number > 0 && below(rng, 3) == 0)
		return emitted[below(rng, number)];
	return types[below(rng, TYPES)];
}

static void define_one(struct rig *rig, unsigned number, bool chained, uint64_t *rng)
{
	static const enum cue_gesture_type kinds[] = {
		CUE_GESTURE_DOUBLE_TAP, CUE_GESTURE_MULTI_TAP,    CUE_GESTURE_SIMULTANEOUS,
		CUE_GESTURE_SEQUENCE,   CUE_GESTURE_GATED_MIRROR,
	};
	cJSON *match = cJSON_Parse("{\"c\":\"a\"}");
	char name[NAME_SIZE];
	const char *gate = random_type(number, chained, rng);
	const char *mirrored = random_type(number, chained, rng);
	struct cue_filter steps[3];

	snprintf(name, sizeof(name), "g%u", number % 10);
	for (size_t k = 0; k < 3; k++)
		steps[k] = (struct cue_filter){ .type = random_type(number, chained, rng),
			                        .match = below(rng, 2) ? match : NULL };
	rig_define(rig, &(struct cue_gesture_config){
	                        .name = name,
	                        .type = kinds[below(rng, 5)],
	                        .emit = name,
	                        .priority = (int)below(rng, 3),
	                        .cooldown_ns = below(rng, 3) ? 0 : below(rng, 50),
	                        .source = steps[0],
	                        .window_ns = 1 + below(rng, 60),
	                        .count = 2 + below(rng, 2),
	                        .required_sources = 2,
	                        .steps = steps,
	                        .n_steps = 1 + below(rng, 3),
	                        .timeout_ns = below(rng, 2) ? 1 + below(rng, 60) : 0,
	                        .gate = &gate,
	                        .n_gate = 1,
	                        .mirror = &mirrored,
	                        .n_mirror = 1,
	                        .initial = below(rng, 2),
	                });
	cJSON_Delete(match);
}

/** The same gestures for the same @p seed. */
static void open_rig(struct rig *rig, struct record *record, unsigned long long seed, bool chained)
{
	struct cue_subscription *subscription;
	uint64_t rng = seed * 0x9e3779b97f4a7c15ULL;

	memset(record, 0, sizeof(*record));
	rig_open(rig, seed, NULL);
	rig_must(cue_bus_subscribe(rig->f.bus,
	                           &(struct cue_subscription_config){
	                                   .type = "*",
	                                   .handler = record_event,
	                                   .user = record,
	                           },
	                           &subscription),
	         "subscribe");
	for (unsigned g = 0; g < GESTURES; g++)
		define_one(rig, g, chained, &rng);
}

/* ---- the stream ---- */

static void random_scenario(struct scenario *s, uint64_t base_ns, uint64_t *rng)
{
	unsigned delay = 1 + below(rng, DELAY_MAX), pace = 1 + below(rng, 12);

	s->chained = below(rng, 2);
	for (size_t i = 0; i < SOURCES; i++)
		s->sources[i] = (struct source){ below(rng, TYPES), below(rng, 2),
			                         below(rng, 2) ? below(rng, delay) : 0 };
	for (unsigned i = 0; i < EVENTS; i++) {
		base_ns += s->chained + below(rng, pace);
		s->sent[i] = (struct sent){ &s->sources[below(rng, SOURCES)], base_ns, i,
			                    "ab"[below(rng, 2)] };
	}
}

/** By dispatch; of equal ones, in the order of sending. */
static int by_arrival(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;
	uint64_t x_ns = x->time_ns + x->source->delay_ns, y_ns = y->time_ns + y->source->delay_ns;

	if (x_ns != y_ns)
		return x_ns < y_ns ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

/** By time; of equal ones, in the order in which they arrive. */
static int by_time(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return by_arrival(a, b);
}

static void send_one(struct rig *rig, const struct sent *sent, uint64_t at_ns)
{
	char data[64];

	rig_must(cue_bus_advance_before(rig->f.bus, at_ns), "advance");
	rig->actual[0] = '\0';
	rig->now_ns = at_ns;
	snprintf(data, sizeof(data), "{\"i\":%u,\"c\":\"%c\",\"state\":%s}", sent->i, sent->code,
	         sent->code == 'a' ? "true" : "false");
	rig_emit(rig, types[sent->source->type], sent->source->producer_id, sent->time_ns, data);
	rig->actual[0] = '\0'; /* the record has it */
}

static bool same(const struct record *expected, const struct record *got, unsigned long long seed)
{
	for (unsigned g = 0; g < GESTURES; g++) {
		if (strcmp(expected->text[g], got->text[g]) == 0)
			continue;
		fprintf(stderr, "seed %llu, gesture g%u:\nexpected\n%sgot\n%s", seed, g,
		        expected->text[g], got->text[g]);
		return false;
	}
	return true;
}

static unsigned total, total_held;

static bool nothing_is_left(struct rig *rig, unsigned long long seed)
{
	struct cue_gestures_stats stats;

	cue_gestures_get_stats(rig->gestures, &stats);
	if (stats.held_events == 0 && stats.held_bytes == 0 && stats.taken_early == 0)
		return true;
	fprintf(stderr, "seed %llu: %llu events are held still\n", seed,
	        (unsigned long long)stats.held_events);
	return false;
}

static bool one(unsigned long long seed)
{
	static struct record sorted, late;
	uint64_t rng = seed * 0x2545f4914f6cdd1dULL;
	struct cue_gestures_stats stats;
	struct scenario s;
	struct rig rig;
	bool ok;

	/* only to know when time begins */
	rig_open(&rig, seed, NULL);
	random_scenario(&s, rig.now_ns + 100, &rng);
	rig_close(&rig);

	open_rig(&rig, &sorted, seed, s.chained);
	qsort(s.sent, EVENTS, sizeof(s.sent[0]), by_time);
	for (unsigned i = 0; i < EVENTS; i++)
		send_one(&rig, &s.sent[i], s.sent[i].time_ns);
	ok = rig_close(&rig);

	open_rig(&rig, &late, seed, s.chained);
	for (size_t i = 0; i < SOURCES; i++)
		cue_gestures_add_delay(rig.gestures, types[s.sources[i].type],
		                       s.sources[i].delay_ns);
	qsort(s.sent, EVENTS, sizeof(s.sent[0]), by_arrival);
	for (unsigned i = 0; i < EVENTS; i++) {
		send_one(&rig, &s.sent[i], s.sent[i].time_ns + s.sent[i].source->delay_ns);
		cue_gestures_get_stats(rig.gestures, &stats);
		total_held += stats.held_events > 0;
	}
	rig_must(cue_bus_advance(rig.f.bus, rig.now_ns + 1000), "advance");
	ok = nothing_is_left(&rig, seed) && ok;
	ok = rig_close(&rig) && ok;
	total += late.n;
	return same(&sorted, &late, seed) && ok;
}

int main(int argc, char **argv)
{
	int r = rig_main(argc, argv, 3000, one);

	if (r == 0 && argc == 1 && (total < 10000 || total_held < 10000)) {
		fprintf(stderr, "only %u gestures, %u events held: the streams prove nothing\n",
		        total, total_held);
		return 1;
	}
	return r;
}
