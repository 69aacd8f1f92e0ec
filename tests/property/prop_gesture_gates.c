/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gated mirrors and gated playlists against a model that knows the truth of
 * every payload beforehand and keeps its own table of states and runs. What a
 * mirror emits is compared byte for byte.
 */
#include "gesture_rig.h"

#define PRODUCERS       3 /* 0 and 1 are inputs, 2 is the mirror */
#define MIRROR_PRODUCER 2
#define EVENTS          120
#define TYPES           4
#define DEPTH           3

static const char *const types[TYPES] = { "t0", "t1", "t2", "t3" };

/** Data `<before><number><kept><rest>` and its truth as a gate. */
static const struct sample {
	const char *before, *kept, *rest; /* a mirror leaves out the rest */
	bool is_object, truth;
} samples[] = {
	{ "{\"i\":", ",\"state\":true", "}", true, true },
	{ "{\"i\":", ",\"state\":0.0", "}", true, false },
	{ "{\"i\":", ",\"pressed\":\"\",\"state\":1", "}", true, false },
	{ "{\"value\":[0],\"i\":", "", "}", true, true },
	{ "{\"enabled\":{},\"value\":1,\"i\":", "", "}", true, false },
	{ "{\"i\":", "", ",\"virtual_peripheral\":{\"id\":[\"}\"]}}", true, true },
	{ "1", "", "", false, true },
	{ "\"", "\"", "", false, true },
	{ "0e", "", "", false, false },
	{ "[", "]", "", false, true },
};
#define N_SAMPLES (sizeof(samples) / sizeof(*samples))

/* ---- states and conditions ---- */

struct state {
	bool seen, truth;
};

struct states {
	struct state of[TYPES][PRODUCERS], latest[TYPES];
};

static void update(struct states *states, unsigned type, unsigned producer_id, bool truth)
{
	states->latest[type] = states->of[type][producer_id] = (struct state){ true, truth };
}

enum node_kind { NODE_STATE, NODE_ALL, NODE_ANY, NODE_NOT, NODE_KINDS };

/** A full tree, children of i at 2i+1 and 2i+2; what is not needed lies idle. */
struct node {
	enum node_kind kind;
	unsigned type, producer_id; /* PRODUCERS: any */
	int truthy;                 /* 0, 1; 2: not said */
};

struct condition {
	struct node nodes[1U << (DEPTH + 1)];
};

static void random_condition(struct condition *condition, uint64_t *rng)
{
	for (unsigned i = 0; i < 1U << (DEPTH + 1); i++) {
		/* the last level has no children */
		bool leaf = 2 * i + 2 >= 1U << (DEPTH + 1);

		condition->nodes[i] = (struct node){
			.kind = leaf ? NODE_STATE : (enum node_kind)below(rng, NODE_KINDS),
			.type = below(rng, TYPES),
			.producer_id = below(rng, PRODUCERS + 1),
			.truthy = (int)below(rng, 3),
		};
	}
}

static void write_state(const struct node *node, char text[RIG_TEXT])
{
	text_add(text, "{\"state\":\"%s\"", types[node->type]);
	if (node->producer_id < PRODUCERS)
		text_add(text, ",\"producer_id\":%u", node->producer_id);
	if (node->truthy < 2)
		text_add(text, ",\"truthy\":%s", node->truthy ? "true" : "false");
	text_add(text, "}");
}

static void write_condition(const struct condition *condition, unsigned i, char text[RIG_TEXT])
{
	static const char *const keys[] = { "", "all", "any", "not" };
	const struct node *node = &condition->nodes[i];

	if (node->kind == NODE_STATE) {
		write_state(node, text);
		return;
	}
	text_add(text, "{\"%s\":%s", keys[node->kind], node->kind == NODE_NOT ? "" : "[");
	write_condition(condition, 2 * i + 1, text);
	if (node->kind != NODE_NOT) {
		text_add(text, ",");
		write_condition(condition, 2 * i + 2, text);
		text_add(text, "]");
	}
	text_add(text, "}");
}

static bool holds(const struct condition *condition, unsigned i, const struct states *states)
{
	const struct node *node = &condition->nodes[i];
	const struct state *state;

	switch (node->kind) {
	case NODE_ALL:
		return holds(condition, 2 * i + 1, states) && holds(condition, 2 * i + 2, states);
	case NODE_ANY:
		return holds(condition, 2 * i + 1, states) || holds(condition, 2 * i + 2, states);
	case NODE_NOT:
		return !holds(condition, 2 * i + 1, states);
	case NODE_STATE:
	case NODE_KINDS:
		break;
	}
	state = node->producer_id < PRODUCERS ? &states->of[node->type][node->producer_id]
	                                      : &states->latest[node->type];
	return (state->seen && state->truth) == (node->truthy != 0);
}

/* ---- random gates, common to both ---- */

struct gate {
	bool is_gate[TYPES], is_mirrored[TYPES];
	const char *gates[TYPES], *mirrored[TYPES];
	bool has_when;
	struct condition when;
	cJSON *when_json;
	struct states states;
	struct model_cooldown cooldown;
	uint64_t cooldown_ns;
};

static size_t random_types(bool *flags, const char **names, size_t min, uint64_t *rng)
{
	size_t n = 0;

	while (n < min || n == 0) {
		n = 0;
		for (unsigned t = 0; t < TYPES; t++) {
			flags[t] = below(rng, 3) == 0;
			if (flags[t])
				names[n++] = types[t];
		}
		if (min == 0)
			break;
	}
	return n;
}

static void random_gate(struct gate *gate, struct cue_gesture_config *config, uint64_t *rng)
{
	static char text[RIG_TEXT];

	memset(gate, 0, sizeof(*gate));
	gate->has_when = below(rng, 2);
	if (gate->has_when) {
		random_condition(&gate->when, rng);
		text[0] = '\0';
		write_condition(&gate->when, 0, text);
		gate->when_json = cJSON_Parse(text);
	}
	gate->cooldown_ns = below(rng, 3) ? 0 : below(rng, 40);
	*config = (struct cue_gesture_config){ .name = "gate",
		                               .when = gate->when_json,
		                               .cooldown_ns = gate->cooldown_ns,
		                               .gate = gate->gates,
		                               .mirror = gate->mirrored };
}

static void sample_text(const struct sample *sample, unsigned i, char *buf, size_t size)
{
	snprintf(buf, size, "%s%u%s%s", sample->before, i, sample->kept, sample->rest);
}

/* ---- mirrors ---- */

struct mirror {
	struct gate gate;
	bool gated, open, keeps_type;
	char peripheral[128];
};

static void random_mirror(struct rig *rig, struct mirror *m, uint64_t *rng)
{
	struct cue_gesture_config config;
	char id_text[CUE_ID_TEXT_SIZE];
	struct cue_id id;

	memset(m, 0, sizeof(*m));
	random_gate(&m->gate, &config, rng);
	config.type = CUE_GESTURE_GATED_MIRROR;
	config.n_gate = random_types(m->gate.is_gate, m->gate.gates,
	                             m->gate.has_when && below(rng, 2) ? 0 : 1, rng);
	config.n_mirror = random_types(m->gate.is_mirrored, m->gate.mirrored, 1, rng);
	config.output_producer_id = MIRROR_PRODUCER;
	config.initial = m->open = below(rng, 2);
	m->gated = config.n_gate == 0;
	m->keeps_type = below(rng, 2);
	config.emit = m->keeps_type ? NULL : "out";
	rig_define(rig, &config);
	cue_id_derive(cue_bus_gateway_id(rig->f.bus), "gesture/gate", &id);
	cue_id_format(&id, id_text);
	snprintf(m->peripheral, sizeof(m->peripheral),
	         "\"virtual_peripheral\":{\"id\":\"%s\",\"name\":\"gate\",\"metadata\":null}",
	         id_text);
	cJSON_Delete(m->gate.when_json);
}

static void model_mirror(struct rig *rig, struct mirror *m, unsigned type, unsigned producer_id,
                         const struct sample *sample, unsigned i)
{
	struct gate *gate = &m->gate;
	bool open;

	update(&gate->states, type, producer_id, sample->truth);
	if (gate->is_gate[type]) {
		m->gated = true;
		m->open = sample->truth;
	}
	open = gate->has_when && m->gated ? holds(&gate->when, 0, &gate->states) : m->open;
	if (!gate->is_mirrored[type] || !open ||
	    !model_fires(&gate->cooldown, gate->cooldown_ns, rig->now_ns))
		return;
	text_add(rig->expected, "gate %llu %u: %s%s%u%s,%s}\n", (unsigned long long)rig->now_ns,
	         (unsigned)MIRROR_PRODUCER, sample->is_object ? "" : "{\"value\":", sample->before,
	         i, sample->kept, m->peripheral);
	if (m->keeps_type) /* it counts as a state, but not as a gate of its own */
		update(&gate->states, type, MIRROR_PRODUCER, sample->truth);
}

static bool mirrors(struct rig *rig, uint64_t *rng)
{
	struct mirror m;
	char data[128];

	random_mirror(rig, &m, rng);
	for (unsigned i = 0; i < EVENTS; i++) {
		const struct sample *sample = &samples[below(rng, N_SAMPLES)];
		unsigned type = below(rng, TYPES), producer_id = below(rng, 2);

		rig->now_ns += below(rng, 15);
		model_mirror(rig, &m, type, producer_id, sample, i);
		sample_text(sample, i, data, sizeof(data));
		rig_emit(rig, types[type], producer_id, rig->now_ns, data);
		if (!rig_agrees(rig))
			return false;
	}
	return true;
}

/* ---- playlists ---- */

struct runs {
	struct gate gate;
	bool cancels, single;
	unsigned max_runs;
	uint64_t lasts_ns;
	uint64_t ends_ns[EVENTS]; /* of the active ones */
	size_t n;
	struct cue_playlists_stats expected;
};

static void random_runs(struct rig *rig, struct runs *m, uint64_t *rng)
{
	struct cue_gesture_config config;
	struct cue_step step = { .emit = "x" };

	memset(m, 0, sizeof(*m));
	random_gate(&m->gate, &config, rng);
	config.type = CUE_GESTURE_GATED_PLAYLIST;
	config.n_gate = random_types(m->gate.is_gate, m->gate.gates, 1, rng);
	config.playlist = "p";
	config.cancel_active_runs = m->cancels = below(rng, 2);
	m->single = below(rng, 2);
	m->max_runs = 1 + below(rng, 3);
	step.offset_ns = m->lasts_ns = 1 + below(rng, 50);
	rig_define(rig, &config);
	rig_must(
	        cue_playlist_define(rig->playlists,
	                            &(struct cue_playlist_config){
	                                    .name = "p",
	                                    .mode = m->single ? CUE_MODE_SINGLE : CUE_MODE_PARALLEL,
	                                    .max_runs = m->max_runs,
	                                    .steps = &step,
	                                    .n_steps = 1,
	                            },
	                            NULL, NULL),
	        "playlist");
	cJSON_Delete(m->gate.when_json);
}

/** At equal times an input goes before a timer, so a run that ends now is still active. */
static void model_ends(struct runs *m, uint64_t now_ns)
{
	size_t left = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->ends_ns[i] < now_ns)
			m->expected.completed++;
		else
			m->ends_ns[left++] = m->ends_ns[i];
	}
	m->n = left;
}

static void model_gate(struct runs *m, unsigned type, unsigned producer_id, bool truth,
                       uint64_t now_ns)
{
	struct gate *gate = &m->gate;
	struct model_cooldown before = gate->cooldown;

	update(&gate->states, type, producer_id, truth);
	if (gate->has_when)
		truth = holds(&gate->when, 0, &gate->states);
	if (!gate->is_gate[type] || !truth ||
	    !model_fires(&gate->cooldown, gate->cooldown_ns, now_ns))
		return;
	if (m->cancels) {
		m->expected.cancelled += m->n;
		m->n = 0;
	}
	if (m->n >= (m->single ? 1 : m->max_runs)) {
		m->expected.rejected++;
		gate->cooldown = before; /* what was refused has not fired */
		return;
	}
	m->expected.started++;
	m->ends_ns[m->n++] = now_ns + m->lasts_ns;
}

static bool playlists(struct rig *rig, uint64_t *rng)
{
	unsigned pace = 1 + below(rng, 40);
	struct cue_playlists_stats stats;
	struct runs m;
	char data[128];

	random_runs(rig, &m, rng);
	for (unsigned i = 0; i < EVENTS; i++) {
		const struct sample *sample = &samples[below(rng, N_SAMPLES)];
		unsigned type = below(rng, TYPES), producer_id = below(rng, 2);

		rig->now_ns += below(rng, pace);
		model_ends(&m, rig->now_ns);
		model_gate(&m, type, producer_id, sample->truth, rig->now_ns);
		sample_text(sample, i, data, sizeof(data));
		rig_emit(rig, types[type], producer_id, rig->now_ns, data);
		cue_playlists_get_stats(rig->playlists, &stats);
		text_add(rig->expected,
		         "%llu started %llu completed %llu cancelled %llu rejected %zu\n",
		         (unsigned long long)m.expected.started,
		         (unsigned long long)m.expected.completed,
		         (unsigned long long)m.expected.cancelled,
		         (unsigned long long)m.expected.rejected, m.n);
		text_add(rig->actual,
		         "%llu started %llu completed %llu cancelled %llu rejected %u\n",
		         (unsigned long long)stats.started, (unsigned long long)stats.completed,
		         (unsigned long long)stats.cancelled, (unsigned long long)stats.rejected,
		         (unsigned)stats.active_runs);
		if (!rig_agrees(rig))
			return false;
	}
	return true;
}

static bool one(unsigned long long seed)
{
	uint64_t rng = seed * 0x2545f4914f6cdd1dULL;
	struct rig rig;
	bool ok;

	rig_open(&rig, seed, NULL);
	ok = seed % 2 ? mirrors(&rig, &rng) : playlists(&rig, &rng);
	return rig_close(&rig) && ok;
}

int main(int argc, char **argv)
{
	return rig_main(argc, argv, 4000, one);
}
