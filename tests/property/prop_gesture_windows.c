/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taps and simultaneous gestures against their definitions applied naively to
 * the whole stream: the model keeps every event ever seen and asks again each
 * time which of them still count. Times are small and often out of order, so
 * that windows are met exactly and missed by 1 ns often.
 */
#include "gesture_rig.h"

#define PRODUCERS 6
#define EVENTS    150
#define GESTURES  3

struct model_event {
	uint64_t time_ns;
	uint32_t producer_id;
	unsigned i;
	bool alive; /* neither consumed nor dropped */
};

struct model {
	char name[8];
	struct cue_gesture_config config;
	bool only_a; /* source.match */
	size_t tracked_max;
	struct model_event events[EVENTS];
	size_t n;
	struct model_cooldown cooldown[PRODUCERS]; /* [0] alone when simultaneous */
	bool tracked[PRODUCERS];
	unsigned heard[PRODUCERS]; /* number of the last event */
	unsigned forgotten;
};

/* ---- the model ---- */

static struct model_event *newest(struct model *m, uint32_t producer_id, bool any)
{
	struct model_event *found = NULL;

	for (size_t k = 0; k < m->n; k++) {
		struct model_event *e = &m->events[k];

		if (e->alive && (any || e->producer_id == producer_id) &&
		    (!found || e->time_ns >= found->time_ns))
			found = e;
	}
	return found;
}

static void kill_all(struct model *m, uint32_t producer_id, bool any)
{
	for (size_t k = 0; k < m->n; k++) {
		if (any || m->events[k].producer_id == producer_id)
			m->events[k].alive = false;
	}
}

/** Write those of @p chosen by time, then arrival: a selection sort. */
static void model_log(struct rig *rig, const struct model *m, const bool *chosen, uint64_t time_ns,
                      uint32_t producer_id)
{
	bool written[EVENTS] = { false };

	text_add(rig->expected, "%s %llu %u:", m->name, (unsigned long long)time_ns,
	         (unsigned)producer_id);
	for (;;) {
		size_t next = m->n;

		for (size_t k = 0; k < m->n; k++) {
			if (chosen[k] && !written[k] &&
			    (next == m->n || m->events[k].time_ns < m->events[next].time_ns))
				next = k;
		}
		if (next == m->n)
			break;
		written[next] = true;
		text_add(rig->expected, " %u", m->events[next].i);
	}
	text_add(rig->expected, "\n");
}

static void model_track(struct model *m, uint32_t producer_id, unsigned i)
{
	size_t n = 0;
	uint32_t oldest = PRODUCERS;

	for (uint32_t p = 0; p < PRODUCERS; p++) {
		n += m->tracked[p];
		if (m->tracked[p] && (oldest == PRODUCERS || m->heard[p] < m->heard[oldest]))
			oldest = p;
	}
	if (!m->tracked[producer_id] && n == m->tracked_max) {
		m->tracked[oldest] = false;
		m->cooldown[oldest].fired = false;
		kill_all(m, oldest, false);
		m->forgotten++;
	}
	m->tracked[producer_id] = true;
	m->heard[producer_id] = i;
}

static bool is_near(const struct model *m, const bool *chosen, const struct model_event *event)
{
	for (size_t k = 0; k < m->n; k++) {
		if (chosen[k] &&
		    model_distance(m->events[k].time_ns, event->time_ns) <= m->config.window_ns)
			return true;
	}
	return false;
}

/** Those that hang together with the newest by gaps of at most the window. */
static size_t closure(struct model *m, uint32_t producer_id, bool *chosen)
{
	const struct model_event *last = newest(m, producer_id, false);
	size_t n = 1;
	bool grown = true;

	chosen[last - m->events] = true;
	while (grown) {
		grown = false;
		for (size_t k = 0; k < m->n; k++) {
			const struct model_event *e = &m->events[k];

			if (chosen[k] || !e->alive || e->producer_id != producer_id ||
			    !is_near(m, chosen, e))
				continue;
			chosen[k] = grown = true;
			n++;
		}
	}
	return n;
}

static void model_tap(struct rig *rig, struct model *m, const struct model_event *event)
{
	unsigned count = m->config.type == CUE_GESTURE_DOUBLE_TAP ? 2 : m->config.count;
	bool chosen[EVENTS] = { false };
	uint64_t time_ns;

	model_track(m, event->producer_id, event->i);
	if (closure(m, event->producer_id, chosen) < count) {
		for (size_t k = 0; k < m->n; k++) {
			if (m->events[k].producer_id == event->producer_id && !chosen[k])
				m->events[k].alive = false;
		}
		return;
	}
	time_ns = newest(m, event->producer_id, false)->time_ns;
	if (model_fires(&m->cooldown[event->producer_id], m->config.cooldown_ns, time_ns))
		model_log(rig, m, chosen, time_ns, event->producer_id);
	kill_all(m, event->producer_id, false);
}

static void model_simultaneous(struct rig *rig, struct model *m)
{
	uint64_t time_ns = newest(m, 0, true)->time_ns;
	bool chosen[EVENTS] = { false };
	size_t n = 0;

	for (uint32_t p = 0; p < PRODUCERS; p++) {
		const struct model_event *last = newest(m, p, false);

		if (last && time_ns - last->time_ns <= m->config.window_ns) {
			chosen[last - m->events] = true;
			n++;
		}
	}
	for (size_t k = 0; k < m->n; k++)
		m->events[k].alive = chosen[k];
	if (n < m->config.required_sources)
		return;
	if (model_fires(&m->cooldown[0], m->config.cooldown_ns, time_ns))
		model_log(rig, m, chosen, time_ns, 0);
	kill_all(m, 0, true);
}

static void model_event(struct rig *rig, struct model *m, const struct model_event *event,
                        char code)
{
	if (m->only_a && code != 'a')
		return;
	m->events[m->n++] = *event;
	if (m->config.type == CUE_GESTURE_SIMULTANEOUS)
		model_simultaneous(rig, m);
	else
		model_tap(rig, m, event);
}

/* ---- random cases ---- */

static void random_gesture(struct rig *rig, struct model *m, unsigned number, uint64_t *rng)
{
	static const enum cue_gesture_type types[] = { CUE_GESTURE_DOUBLE_TAP,
		                                       CUE_GESTURE_MULTI_TAP,
		                                       CUE_GESTURE_SIMULTANEOUS };
	cJSON *match = NULL;

	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "g%u", number % 10);
	m->only_a = below(rng, 3) == 0;
	m->tracked_max = cue_bus_limits(rig->f.bus)->gesture_producers;
	if (m->only_a)
		match = cJSON_Parse("{\"c\":\"a\"}");
	m->config = (struct cue_gesture_config){
		.name = m->name,
		.type = types[below(rng, 3)],
		.emit = "out",
		.priority = (int)(GESTURES - number), /* the order the models run in */
		.source = { .type = "in", .match = match },
		.window_ns = 1 + below(rng, 30),
		.count = 2 + below(rng, 4),
		.required_sources = 2 + below(rng, 3),
		.cooldown_ns = below(rng, 2) ? below(rng, 100) : 0,
	};
	rig_define(rig, &m->config);
	m->config.source.match = NULL;
	cJSON_Delete(match);
}

static int sum_forgotten(void *user, const struct cue_gesture_info *info)
{
	unsigned *sum = user;

	*sum += (unsigned)info->producers_forgotten;
	return 0;
}

static bool stream(struct rig *rig, struct model *models, uint64_t *rng)
{
	unsigned late = below(rng, 2) ? 1 + below(rng, 40) : 0;
	unsigned pace = 1 + below(rng, 15);
	unsigned producers = 1 + below(rng, PRODUCERS);
	unsigned expected = 0, forgotten = 0;
	uint64_t base_ns = rig->now_ns + 100;
	char data[32];

	for (unsigned i = 0; i < EVENTS; i++) {
		char code = below(rng, 4) ? 'a' : 'b';
		struct model_event event = { .i = i, .alive = true };

		base_ns += below(rng, pace);
		event.time_ns = base_ns - (late && below(rng, 3) == 0 ? below(rng, late) : 0);
		event.producer_id = below(rng, producers);
		for (unsigned g = 0; g < GESTURES; g++)
			model_event(rig, &models[g], &event, code);
		snprintf(data, sizeof(data), "{\"i\":%u,\"c\":\"%c\"}", i, code);
		rig_emit(rig, "in", event.producer_id, event.time_ns, data);
		if (!rig_agrees(rig))
			return false;
	}
	for (unsigned g = 0; g < GESTURES; g++)
		expected += models[g].forgotten;
	cue_gesture_foreach(rig->gestures, sum_forgotten, &forgotten);
	if (forgotten != expected)
		fprintf(stderr, "seed %llu: %u producers forgotten, %u expected\n", rig->seed,
		        forgotten, expected);
	return forgotten == expected;
}

static unsigned total_fired;

static bool one(unsigned long long seed)
{
	uint64_t rng = seed * 0x2545f4914f6cdd1dULL;
	const struct cue_limits limits = { .gesture_producers = 1 + below(&rng, PRODUCERS) };
	struct model models[GESTURES];
	struct cue_bus_stats stats;
	struct rig rig;
	bool ok;

	rig_open(&rig, seed, &limits);
	for (unsigned g = 0; g < GESTURES; g++)
		random_gesture(&rig, &models[g], g, &rng);
	ok = stream(&rig, models, &rng);
	cue_bus_get_stats(rig.f.bus, &stats);
	if (stats.timers_armed != 0) {
		fprintf(stderr, "seed %llu: a gesture has left a timer\n", seed);
		ok = false;
	}
	total_fired += rig.n_fired;
	return rig_close(&rig) && ok;
}

int main(int argc, char **argv)
{
	int r = rig_main(argc, argv, 1500, one);

	if (r == 0 && argc == 1 && total_fired < 10000) {
		fprintf(stderr, "only %u gestures: the streams prove nothing\n", total_fired);
		return 1;
	}
	return r;
}
