/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clicks against a model that sees the whole stream at once: it knows every press and its end
 * beforehand, and so writes down what each sequence of presses is, without states and timers.
 *
 * Edges are often lost. Times are few, so that windows and holds are met exactly and missed by 1 ns
 * often. In every second stream presses and releases have different delays, as inputs with
 * different debounce have, so that the detector gets them out of order.
 */
#include "gesture_rig.h"

#define PRODUCERS 3
#define EDGES     60
#define MODES     8
#define UNIT_NS   CUE_NS_PER_MS

struct edge {
	uint64_t time_ns;
	uint32_t producer_id;
	bool is_press;
	uint64_t dispatched_ns;
	unsigned i;
};

struct mode {
	uint64_t time_ns;
	bool on;
};

struct stream {
	struct cue_gesture_config config;
	struct edge edges[EDGES]; /* in order of time */
	struct mode modes[MODES]; /* in order of time; no edge has the same time */
	size_t n_modes;
	bool has_when;
	uint64_t base_ns, end_ns;
	char actual[PRODUCERS][RIG_TEXT], expected[PRODUCERS][RIG_TEXT];
};

static unsigned total[CUE_CLICKS], total_lost;

/* ---- what came ---- */

static int log_click(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	const cJSON *json, *events, *item;
	struct stream *s = user;
	char *text = s->actual[event->producer_id % PRODUCERS];

	(void)bus;
	if (event->origin == 0)
		return 0;
	json = cue_payload_json(event->payload);
	events = cJSON_GetObjectItemCaseSensitive(json, "events");
	text_add(text, "%llu %s", (unsigned long long)(event->time_ns - s->base_ns),
	         cJSON_GetObjectItemCaseSensitive(json, "click")->valuestring);
	item = cJSON_GetObjectItemCaseSensitive(json, "held_ms");
	if (item)
		text_add(text, " held %.0f", item->valuedouble);
	item = cJSON_GetObjectItemCaseSensitive(json, "repeat_index");
	if (item)
		text_add(text, " repeat %d", item->valueint);
	item = cJSON_GetObjectItemCaseSensitive(json, "lost");
	if (item)
		text_add(text, " lost");
	item = cJSON_GetObjectItemCaseSensitive(json, "count");
	text_add(text, " of %d:", item->valueint);
	log_events(text, events);
	text_add(text, "\n");
	return 0;
}

/* ---- the model ---- */

struct sequence {
	const struct edge *presses[CUE_CLICK_PRESSES_MAX];
	size_t n;
};

static void say(struct stream *s, const struct sequence *q, enum cue_click click, uint64_t time_ns,
                int repeat_index, bool lost)
{
	const struct edge *last = q->presses[q->n - 1];
	char *text = s->expected[last->producer_id];

	if (!s->config.clicks[click])
		return;
	total[click]++;
	total_lost += lost;
	text_add(text, "%llu %s", (unsigned long long)(time_ns - s->base_ns),
	         cue_click_name(click));
	if (click >= CUE_CLICK_HOLD)
		text_add(text, " held %llu",
		         (unsigned long long)((time_ns - last->time_ns) / CUE_NS_PER_MS));
	if (click == CUE_CLICK_REPEAT)
		text_add(text, " repeat %d", repeat_index);
	text_add(text, "%s of %zu:", lost ? " lost" : "", q->n);
	for (size_t i = 0; i < q->n; i++)
		text_add(text, " %u", q->presses[i]->i);
	text_add(text, "\n");
}

static bool is_on(const struct stream *s, uint64_t time_ns)
{
	bool on = false;

	for (size_t i = 0; i < s->n_modes && s->modes[i].time_ns <= time_ns; i++)
		on = s->modes[i].on;
	return on || !s->has_when;
}

static bool fires(const struct stream *s, struct model_cooldown *cooldown, uint64_t time_ns)
{
	return is_on(s, time_ns) && model_fires(cooldown, s->config.cooldown_ns, time_ns);
}

static void click(struct stream *s, const struct sequence *q, struct model_cooldown *cooldown,
                  uint64_t time_ns)
{
	enum cue_click kind = (enum cue_click)(q->n - 1);

	if (time_ns <= s->end_ns && s->config.clicks[kind] && fires(s, cooldown, time_ns))
		say(s, q, kind, time_ns, 0, false);
}

/** A hold that ends with the edge @p end (NULL: not in this stream). */
static void hold(struct stream *s, const struct sequence *q, struct model_cooldown *cooldown,
                 const struct edge *end)
{
	uint64_t time_ns = q->presses[q->n - 1]->time_ns + s->config.hold_ns;
	uint64_t last_ns = end ? end->time_ns - 1 : s->end_ns;

	if (time_ns > s->end_ns || !fires(s, cooldown, time_ns))
		return;
	say(s, q, CUE_CLICK_HOLD, time_ns, 0, false);
	for (int k = 0; s->config.repeat_ns > 0; k++) {
		uint64_t repeat_ns = time_ns + (uint64_t)(k + 1) * s->config.repeat_ns;

		if (repeat_ns > last_ns)
			break;
		if (is_on(s, repeat_ns))
			say(s, q, CUE_CLICK_REPEAT, repeat_ns, k, false);
	}
	if (end)
		say(s, q, CUE_CLICK_RELEASE, end->time_ns, 0, end->is_press);
}

static size_t highest(const struct stream *s)
{
	for (size_t n = CUE_CLICK_PRESSES_MAX; n > 0; n--) {
		if (s->config.clicks[n - 1])
			return n;
	}
	return CUE_CLICK_PRESSES_MAX;
}

/** The sequence that begins with @p all[at]. @return where to go on. */
static size_t one_sequence(struct stream *s, const struct edge *const *all, size_t n, size_t at,
                           struct model_cooldown *cooldown)
{
	const uint64_t hold_ns = s->config.hold_ns;
	struct sequence q = { { NULL }, 0 };

	for (;;) {
		const struct edge *down = all[at], *next = at + 1 < n ? all[at + 1] : NULL;

		q.presses[q.n++] = down;
		if (!s->config.release.type) {
			if (q.n == highest(s)) {
				click(s, &q, cooldown, down->time_ns);
				return at + 1;
			}
			next = down; /* its own release */
		} else if (q.n == highest(s) && q.n > 1 && hold_ns == 0) {
			click(s, &q, cooldown, down->time_ns);
			return at + 1;
		} else if (hold_ns > 0 && (!next || next->time_ns > down->time_ns + hold_ns)) {
			hold(s, &q, cooldown, next);
			return at + 1;
		} else if (!next || next->is_press) {
			return at + 1; /* its release was lost, or is still to come */
		} else if (q.n == highest(s)) {
			click(s, &q, cooldown, next->time_ns);
			return at + 1;
		} else {
			at++;
		}
		while (at + 1 < n && !all[at + 1]->is_press)
			at++; /* releases without a press */
		if (at + 1 >= n || all[at + 1]->time_ns > next->time_ns + s->config.window_ns) {
			click(s, &q, cooldown, next->time_ns + s->config.window_ns);
			return at + 1;
		}
		at++;
	}
}

static void model(struct stream *s, uint32_t producer_id)
{
	const struct edge *all[EDGES];
	struct model_cooldown cooldown = { 0 };
	size_t n = 0, at = 0;

	for (size_t i = 0; i < EDGES; i++) {
		bool heard = s->edges[i].is_press || s->config.release.type;

		if (s->edges[i].producer_id == producer_id && heard)
			all[n++] = &s->edges[i];
	}
	while (at < n) {
		if (all[at]->is_press)
			at = one_sequence(s, all, n, at, &cooldown);
		else
			at++;
	}
}

/* ---- random streams ---- */

static void random_click(struct rig *rig, struct stream *s, uint64_t *rng)
{
	static const char *const types[CUE_CLICKS] = { "o.a", "o.b", "o.c", "o.d",
		                                       "o.e", "o.f", "o.g", "o.h" };
	cJSON *when = NULL;
	bool any = false;

	s->config = (struct cue_gesture_config){
		.name = "c",
		.type = CUE_GESTURE_CLICK,
		.source = { .type = "press" },
		.window_ns = UNIT_NS * (1 + below(rng, 12)),
		.cooldown_ns = below(rng, 3) ? 0 : UNIT_NS * below(rng, 60),
	};
	if (below(rng, 5))
		s->config.release.type = "release";
	if (s->config.release.type && below(rng, 2))
		s->config.hold_ns = UNIT_NS * (1 + below(rng, 15));
	if (s->config.hold_ns && below(rng, 2))
		s->config.repeat_ns = UNIT_NS * (10 + below(rng, 5));
	for (unsigned i = 0; i < CUE_CLICKS; i++) {
		bool may = i < CUE_CLICK_HOLD ||
		           (i == CUE_CLICK_REPEAT ? s->config.repeat_ns : s->config.hold_ns) > 0;

		if (may && below(rng, 2))
			s->config.clicks[i] = types[i];
		any |= s->config.clicks[i] != NULL;
	}
	if (!any)
		s->config.clicks[below(rng, 5)] = "o.x";
	s->has_when = below(rng, 4) == 0;
	if (s->has_when)
		when = cJSON_Parse("{\"state\":\"mode\",\"truthy\":true}");
	s->config.when = when;
	rig_define(rig, &s->config);
	s->config.when = NULL;
	cJSON_Delete(when);
}

static void random_edges(struct stream *s, uint64_t *rng, const uint64_t delay_ns[2])
{
	bool down[PRODUCERS] = { false };
	uint64_t last_ns[PRODUCERS] = { 0 };
	unsigned pace = 1 + below(rng, 14), lost = below(rng, 2) ? 0 : 2 + below(rng, 10);
	uint64_t time_ns = s->base_ns;

	for (unsigned i = 0; i < EDGES; i++) {
		struct edge *e = &s->edges[i];
		uint32_t p = below(rng, PRODUCERS);

		time_ns += UNIT_NS * below(rng, pace);
		if (below(rng, 6) == 0)
			time_ns += below(rng, 2);
		if (time_ns <= last_ns[p])
			time_ns = last_ns[p] + UNIT_NS;
		last_ns[p] = time_ns;
		down[p] = lost && below(rng, lost) == 0 ? down[p] : !down[p];
		*e = (struct edge){ .time_ns = time_ns,
			            .producer_id = p,
			            .is_press = down[p],
			            .dispatched_ns = time_ns + delay_ns[down[p]],
			            .i = i };
		if (s->n_modes < MODES && below(rng, 10) == 0) {
			time_ns += UNIT_NS / 2;
			s->modes[s->n_modes++] = (struct mode){ time_ns, below(rng, 2) == 0 };
			time_ns += UNIT_NS / 2;
		}
	}
	s->end_ns = time_ns + UNIT_NS * (1 + below(rng, 30));
}

static int by_dispatch(const void *a, const void *b)
{
	const struct edge *x = *(const struct edge *const *)a, *y = *(const struct edge *const *)b;

	if (x->dispatched_ns != y->dispatched_ns)
		return x->dispatched_ns < y->dispatched_ns ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

static void emit_at(struct rig *rig, uint64_t now_ns, const struct cue_emit *from, const char *data)
{
	struct cue_emit emit = *from;

	rig_must(cue_payload_new(data, strlen(data), 0, &emit.payload, NULL), data);
	rig_must(cue_bus_advance_before(rig->f.bus, now_ns), "advance");
	rig_must(cue_bus_emit(rig->f.bus, &emit, NULL), "emit");
	cue_payload_unref(emit.payload);
	rig->actual[0] = '\0'; /* the log of the rig is not used */
}

static void play(struct rig *rig, struct stream *s, uint64_t wait_ns)
{
	const struct edge *order[EDGES];
	size_t mode = 0;
	char data[32];

	for (size_t i = 0; i < EDGES; i++)
		order[i] = &s->edges[i];
	qsort(order, EDGES, sizeof(*order), by_dispatch);
	for (size_t i = 0; i <= EDGES; i++) {
		uint64_t until_ns = i < EDGES ? order[i]->dispatched_ns : UINT64_MAX;

		/* The state is read when a deadline is handled, up to the longest delay later. */
		for (; mode < s->n_modes && s->modes[mode].time_ns + wait_ns < until_ns; mode++)
			emit_at(rig, s->modes[mode].time_ns + wait_ns,
			        &(struct cue_emit){ .type = "mode",
			                            .time_ns = s->modes[mode].time_ns },
			        s->modes[mode].on ? "true" : "false");
		if (i == EDGES)
			break;
		snprintf(data, sizeof(data), "{\"i\":%u}", order[i]->i);
		emit_at(rig, order[i]->dispatched_ns,
		        &(struct cue_emit){ .type = order[i]->is_press ? "press" : "release",
		                            .producer_id = order[i]->producer_id,
		                            .time_ns = order[i]->time_ns },
		        data);
	}
	rig_must(cue_bus_advance(rig->f.bus, s->end_ns + wait_ns), "advance");
	rig->actual[0] = '\0';
}

static bool agrees(const struct stream *s, unsigned long long seed)
{
	bool ok = true;

	for (uint32_t p = 0; p < PRODUCERS; p++) {
		if (strcmp(s->actual[p], s->expected[p]) == 0)
			continue;
		fprintf(stderr, "seed %llu, producer %u, window %llu, hold %llu, repeat %llu:\n",
		        seed, (unsigned)p, (unsigned long long)s->config.window_ns,
		        (unsigned long long)s->config.hold_ns,
		        (unsigned long long)s->config.repeat_ns);
		for (size_t i = 0; i < EDGES; i++) {
			if (s->edges[i].producer_id == p)
				fprintf(stderr, "  %llu %s %u\n",
				        (unsigned long long)(s->edges[i].time_ns - s->base_ns),
				        s->edges[i].is_press ? "press" : "release", s->edges[i].i);
		}
		fprintf(stderr, "expected\n%sgot\n%s", s->expected[p], s->actual[p]);
		ok = false;
	}
	return ok;
}

static bool one(unsigned long long seed)
{
	static struct stream s;
	uint64_t rng = seed * 0x2545f4914f6cdd1dULL;
	uint64_t delay_ns[2] = { 0, 0 }, wait_ns;
	struct cue_subscription *subscription;
	struct rig rig;
	bool ok;

	memset(&s, 0, sizeof(s));
	rig_open(&rig, seed, NULL);
	s.base_ns = cue_bus_now(rig.f.bus);
	rig_must(cue_bus_subscribe(rig.f.bus,
	                           &(struct cue_subscription_config){
	                                   .type = "o.*", .handler = log_click, .user = &s },
	                           &subscription),
	         "subscribe");
	random_click(&rig, &s, &rng);
	/* Without a state of the mode, which has no delay of its own, the delays may differ. */
	for (unsigned i = 0; i < 2 && seed % 2 == 0; i++)
		delay_ns[i] = UNIT_NS * below(&rng, 8);
	if (!s.config.release.type)
		delay_ns[0] = delay_ns[1];
	wait_ns = delay_ns[0] > delay_ns[1] ? delay_ns[0] : delay_ns[1];
	cue_gestures_add_delay(rig.gestures, "release", delay_ns[0]);
	cue_gestures_add_delay(rig.gestures, "press", delay_ns[1]);
	random_edges(&s, &rng, delay_ns);
	for (uint32_t p = 0; p < PRODUCERS; p++)
		model(&s, p);
	play(&rig, &s, wait_ns);
	ok = agrees(&s, seed);
	return rig_close(&rig) && ok;
}

int main(int argc, char **argv)
{
	int r = rig_main(argc, argv, 3000, one);

	for (unsigned i = 0; r == 0 && argc == 1 && i < CUE_CLICKS; i++) {
		if (total[i] >= 100)
			continue;
		fprintf(stderr, "only %u of %s: the streams prove nothing\n", total[i],
		        cue_click_name((enum cue_click)i));
		return 1;
	}
	if (r == 0 && argc == 1 && total_lost < 100) {
		fprintf(stderr, "only %u lost releases\n", total_lost);
		return 1;
	}
	return r;
}
