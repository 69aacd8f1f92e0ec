/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences against their definition: keep the longest suffix of the seen events that is a prefix
 * of the steps. The model tries every length on the producer's whole history, longest first. An
 * event that is older than the last one is ignored.
 */
#include "gesture_rig.h"

#define PRODUCERS 4
#define EVENTS    200
#define STEPS     8
#define TYPES     3

static const char *const types[TYPES] = { "k0", "k1", "k2" };

struct model_step {
	unsigned type;
	char code; /* '?': any */
};

struct seen {
	uint64_t time_ns;
	unsigned type;
	char code;
	unsigned i;
};

struct history {
	bool tracked;
	unsigned heard;
	uint64_t last_ns;
	struct model_cooldown cooldown;
	struct seen events[EVENTS];
	size_t n;
};

struct model {
	struct model_step steps[STEPS];
	size_t n_steps;
	uint64_t timeout_ns, cooldown_ns;
	size_t tracked_max;
	struct history producers[PRODUCERS];
	unsigned forgotten;
	size_t progress; /* longest prefix of the last event, to bias the stream */
};

/* ---- the model ---- */

static bool step_matches(const struct model_step *step, const struct seen *event)
{
	return step->type == event->type && (step->code == '?' || step->code == event->code);
}

/** Whether the last @p len events are the first @p len steps. */
static bool suffix_is_prefix(const struct model *m, const struct history *h, size_t len)
{
	const struct seen *suffix = &h->events[h->n - len];

	for (size_t k = 0; k < len; k++) {
		if (!step_matches(&m->steps[k], &suffix[k]))
			return false;
		if (k > 0 && m->timeout_ns > 0 &&
		    model_distance(suffix[k].time_ns, suffix[k - 1].time_ns) > m->timeout_ns)
			return false;
	}
	return true;
}

static void model_fire(struct rig *rig, struct model *m, struct history *h)
{
	const struct seen *match = &h->events[h->n - m->n_steps];
	uint64_t time_ns = 0;

	for (size_t k = 0; k < m->n_steps; k++)
		time_ns = match[k].time_ns > time_ns ? match[k].time_ns : time_ns;
	if (model_fires(&h->cooldown, m->cooldown_ns, time_ns)) {
		text_add(rig->expected, "seq %llu %u:", (unsigned long long)time_ns,
		         (unsigned)(h - m->producers));
		for (size_t k = 0; k < m->n_steps; k++)
			text_add(rig->expected, " %u", match[k].i);
		text_add(rig->expected, "\n");
	}
	h->n = 0;
}

/** A producer is tracked from its first step on. @return whether it is. */
static bool model_track(struct model *m, struct history *h, const struct seen *event)
{
	struct history *oldest = NULL;
	size_t n = 0;

	if (!h->tracked && !step_matches(&m->steps[0], event))
		return false;
	for (size_t p = 0; p < PRODUCERS; p++) {
		struct history *other = &m->producers[p];

		n += other->tracked;
		if (other->tracked && (!oldest || other->heard < oldest->heard))
			oldest = other;
	}
	if (!h->tracked && n == m->tracked_max) {
		memset(oldest, 0, sizeof(*oldest));
		m->forgotten++;
	}
	h->tracked = true;
	h->heard = event->i;
	return true;
}

static void model_event(struct rig *rig, struct model *m, uint32_t producer_id,
                        const struct seen *event)
{
	struct history *h = &m->producers[producer_id];
	bool used = false;
	size_t len;

	for (size_t k = 0; k < m->n_steps; k++)
		used |= m->steps[k].type == event->type;
	if (!used || !model_track(m, h, event))
		return;
	if (event->time_ns < h->last_ns)
		return;
	h->last_ns = event->time_ns;
	h->events[h->n++] = *event;
	len = h->n < m->n_steps ? h->n : m->n_steps;
	while (len > 0 && !suffix_is_prefix(m, h, len))
		len--;
	m->progress = len < m->n_steps ? len : 0;
	if (len == m->n_steps)
		model_fire(rig, m, h);
}

/* ---- random cases ---- */

static void random_sequence(struct rig *rig, struct model *m, uint64_t *rng)
{
	struct cue_filter steps[STEPS];
	cJSON *matches[STEPS] = { NULL };
	unsigned used_types = 1 + below(rng, 2);
	char text[16];

	memset(m, 0, sizeof(*m));
	m->n_steps = 1 + below(rng, STEPS);
	m->timeout_ns = below(rng, 2) ? 1 + below(rng, 20) : 0;
	m->cooldown_ns = below(rng, 3) ? 0 : below(rng, 150);
	m->tracked_max = cue_bus_limits(rig->f.bus)->gesture_producers;
	for (size_t k = 0; k < m->n_steps; k++) {
		m->steps[k].type = below(rng, used_types);
		m->steps[k].code = "aabb?"[below(rng, 5)];
		snprintf(text, sizeof(text), "{\"c\":\"%c\"}", m->steps[k].code);
		if (m->steps[k].code != '?')
			matches[k] = cJSON_Parse(text);
		steps[k] =
		        (struct cue_filter){ .type = types[m->steps[k].type], .match = matches[k] };
	}
	rig_define(rig, &(struct cue_gesture_config){
	                        .name = "seq",
	                        .type = CUE_GESTURE_SEQUENCE,
	                        .emit = "out",
	                        .steps = steps,
	                        .n_steps = m->n_steps,
	                        .timeout_ns = m->timeout_ns,
	                        .cooldown_ns = m->cooldown_ns,
	                });
	for (size_t k = 0; k < m->n_steps; k++)
		cJSON_Delete(matches[k]);
}

/** Often the step that comes next, so that long sequences are reached. */
static void random_event(const struct model *m, struct seen *event, unsigned helpful, uint64_t *rng)
{
	const struct model_step *next = &m->steps[m->progress];

	event->type = below(rng, TYPES);
	event->code = "ab"[below(rng, 2)];
	if (below(rng, 10) >= helpful)
		return;
	event->type = next->type;
	if (next->code != '?')
		event->code = next->code;
}

static bool stream(struct rig *rig, struct model *m, uint64_t *rng)
{
	unsigned late = below(rng, 3) ? 0 : 1 + below(rng, 10);
	unsigned pace = 1 + below(rng, 8);
	unsigned producers = 1 + below(rng, PRODUCERS);
	unsigned helpful = below(rng, 11);
	uint64_t base_ns = rig->now_ns + 100;
	struct cue_gestures_stats stats;
	char data[32];

	for (unsigned i = 0; i < EVENTS; i++) {
		struct seen event = { .i = i };
		uint32_t producer_id = below(rng, producers);

		base_ns += below(rng, pace);
		event.time_ns = base_ns - (late ? below(rng, late) : 0);
		random_event(m, &event, helpful, rng);
		model_event(rig, m, producer_id, &event);
		snprintf(data, sizeof(data), "{\"i\":%u,\"c\":\"%c\"}", i, event.code);
		rig_emit(rig, types[event.type], producer_id, event.time_ns, data);
		if (!rig_agrees(rig))
			return false;
	}
	cue_gestures_get_stats(rig->gestures, &stats);
	if (stats.producers_forgotten != m->forgotten || stats.fired != rig->n_fired) {
		fprintf(stderr, "seed %llu: the counters are wrong\n", rig->seed);
		return false;
	}
	return true;
}

static unsigned total_fired;

static bool one(unsigned long long seed)
{
	uint64_t rng = seed * 0x2545f4914f6cdd1dULL;
	const struct cue_limits limits = { .gesture_producers = 1 + below(&rng, PRODUCERS) };
	struct model m;
	struct rig rig;
	bool ok;

	rig_open(&rig, seed, &limits);
	random_sequence(&rig, &m, &rng);
	ok = stream(&rig, &m, &rng);
	total_fired += rig.n_fired;
	return rig_close(&rig) && ok;
}

int main(int argc, char **argv)
{
	int r = rig_main(argc, argv, 3000, one);

	if (r == 0 && argc == 1 && total_fired < 10000) {
		fprintf(stderr, "only %u sequences: the streams prove nothing\n", total_fired);
		return 1;
	}
	return r;
}
