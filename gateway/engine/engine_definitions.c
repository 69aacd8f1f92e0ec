/* SPDX-License-Identifier: Apache-2.0 */
/* Playlists and gestures of a configuration: their first definition, and the switch from one
 * configuration to the next, which does not touch unchanged ones. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"

static int explain(int r, const char *kind, const char *name,
                   const struct cue_predicate_error *fault, char error[ENGINE_ERROR_SIZE])
{
	if (r == -EINVAL)
		snprintf(error, ENGINE_ERROR_SIZE, "%s \"%s\"%s: %s", kind, name, fault->path,
		         fault->text);
	else if (r == -ENOSPC)
		snprintf(error, ENGINE_ERROR_SIZE,
		         "%s \"%s\": limits.definitions or limits.event_types is reached", kind,
		         name);
	else
		snprintf(error, ENGINE_ERROR_SIZE, "%s \"%s\": %s", kind, name,
		         strerrordesc_np(-r));
	return r;
}

static int define_playlist(struct engine *engine, const struct config_playlist *playlist,
                           char error[ENGINE_ERROR_SIZE])
{
	struct cue_predicate_error fault = { .path = "", .text = "" };
	int r = cue_playlist_define(engine->playlists, &playlist->def, NULL, &fault);

	if (r < 0)
		return explain(r, "playlist", playlist->def.name, &fault, error);
	engine_playlist_changed(engine, playlist->def.name);
	return 0;
}

static int define_gesture(struct engine *engine, const struct config_gesture *gesture,
                          char error[ENGINE_ERROR_SIZE])
{
	struct cue_predicate_error fault = { .path = "", .text = "" };
	int r = cue_gesture_define(engine->gestures, &gesture->def, NULL, &fault);

	return r < 0 ? explain(r, "gesture", gesture->def.name, &fault, error) : 0;
}

int engine_define_all(struct engine *engine, const struct config *config,
                      char error[ENGINE_ERROR_SIZE])
{
	for (size_t i = 0; i < config->n_playlists; i++) {
		int r = define_playlist(engine, &config->playlists[i], error);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < config->n_gestures; i++) {
		int r = define_gesture(engine, &config->gestures[i], error);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- delays of events ---- */

/** Delay from an edge to its event; 0 for an input whose first edge counts at once. */
static uint64_t input_delay_ns(const struct config_input *input)
{
	return input->decoder.debounce_eager ? 0 : input->decoder.debounce_ns;
}

void engine_tell_delays(struct engine *engine, const struct config *config)
{
	struct cue_gestures *gestures = engine->gestures;

	cue_gestures_clear_delays(gestures);
	for (size_t i = 0; i < config->n_inputs; i++) {
		const struct config_input *input = &config->inputs[i];

		cue_gestures_add_delay(gestures, input->event, input_delay_ns(input));
		if (input->release_event)
			cue_gestures_add_delay(gestures, input->release_event,
			                       input_delay_ns(input));
	}
	/* If publishers may emit an input's type, their events have no delay. */
	for (size_t i = 0; config->mqtt.remote.inputs && i < config->n_inputs; i++) {
		const char *type = config->inputs[i].event;

		if (config_allows_event(&config->mqtt.remote.emit, type))
			cue_gestures_add_delay(gestures, type, 0);
	}
	/* A playlist may emit an input's type too; its events have no delay. */
	for (size_t i = 0; i < config->n_playlists; i++) {
		const struct cue_playlist_config *def = &config->playlists[i].def;

		for (size_t k = 0; k < def->n_steps; k++)
			cue_gestures_add_delay(gestures, def->steps[k].emit, 0);
		if (def->completion)
			cue_gestures_add_delay(gestures, def->completion, 0);
	}
}

/* ---- names of a configuration, sorted: 10,000 definitions are compared in n log n ---- */

struct named {
	const char *name;
	const struct cue_payload *json;
	size_t index;
};

struct name_index {
	struct named *items;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static void index_clear(struct name_index *index)
{
	free(index->items);
}

static int index_playlists(const struct config *config, struct name_index *index)
{
	index->n = config->n_playlists;
	index->items = calloc(index->n + 1, sizeof(*index->items));
	if (!index->items)
		return -ENOMEM;
	for (size_t i = 0; i < index->n; i++)
		index->items[i] = (struct named){ config->playlists[i].def.name,
			                          config->playlists[i].json, i };
	qsort(index->items, index->n, sizeof(*index->items), by_name);
	return 0;
}

static int index_gestures(const struct config *config, struct name_index *index)
{
	index->n = config->n_gestures;
	index->items = calloc(index->n + 1, sizeof(*index->items));
	if (!index->items)
		return -ENOMEM;
	for (size_t i = 0; i < index->n; i++)
		index->items[i] =
		        (struct named){ config->gestures[i].def.name, config->gestures[i].json, i };
	qsort(index->items, index->n, sizeof(*index->items), by_name);
	return 0;
}

static const struct named *find(const struct name_index *index, const char *name)
{
	struct named key = { .name = name };

	return bsearch(&key, index->items, index->n, sizeof(*index->items), by_name);
}

static bool same_json(const struct cue_payload *a, const struct cue_payload *b)
{
	size_t a_len, b_len;
	const char *a_bytes = cue_payload_bytes(a, &a_len);
	const char *b_bytes = cue_payload_bytes(b, &b_len);

	return a_len == b_len && memcmp(a_bytes, b_bytes, a_len) == 0;
}

struct swap {
	const struct config *from, *to;
	struct name_index from_playlists, from_gestures, to_playlists, to_gestures;
};

static bool playlist_unchanged(const struct name_index *others,
                               const struct config_playlist *playlist)
{
	const struct named *other = find(others, playlist->def.name);

	return other && same_json(other->json, playlist->json);
}

static bool gesture_unchanged(const struct name_index *others, const struct config_gesture *gesture)
{
	const struct named *other = find(others, gesture->def.name);

	return other && same_json(other->json, gesture->json);
}

/** Check all of @p to before changing anything. */
static int check_all(const struct config *to, char error[ENGINE_ERROR_SIZE])
{
	struct cue_predicate_error fault = { .path = "", .text = "" };

	for (size_t i = 0; i < to->n_playlists; i++) {
		int r = cue_playlist_check(&to->playlists[i].def, &fault);

		if (r >= 0)
			r = cue_playlist_check_rate(&to->playlists[i].def, &to->limits.playlist,
			                            &fault);
		if (r < 0)
			return explain(r, "playlist", to->playlists[i].def.name, &fault, error);
	}
	for (size_t i = 0; i < to->n_gestures; i++) {
		int r = cue_gesture_check(&to->gestures[i].def, &fault);

		if (r < 0)
			return explain(r, "gesture", to->gestures[i].def.name, &fault, error);
	}
	return 0;
}

static int count_gesture(void *user, const struct cue_gesture_info *info)
{
	(void)info;
	++*(size_t *)user;
	return 0;
}

/** Count the definitions made by command: those in the engine but not in the configuration. They
 * stay. */
static size_t count_others(struct engine *engine, const struct config *from)
{
	struct cue_playlists_stats stats;
	struct cue_playlist_info playlist;
	struct cue_gesture_info gesture;
	size_t n = 0;

	cue_playlists_get_stats(engine->playlists, &stats);
	(void)cue_gesture_foreach(engine->gestures, count_gesture, &n);
	n += stats.definitions;
	for (size_t i = 0; i < from->n_playlists; i++)
		n -= cue_playlist_get(engine->playlists, from->playlists[i].def.name, &playlist) ==
		     0;
	for (size_t i = 0; i < from->n_gestures; i++)
		n -= cue_gesture_get(engine->gestures, from->gestures[i].def.name, &gesture) == 0;
	return n;
}

/** Count the definitions made by command that definitions of @p to replace. */
static size_t count_replaced(struct engine *engine, const struct swap *swap)
{
	struct cue_playlist_info playlist;
	struct cue_gesture_info gesture;
	size_t n = 0;

	for (size_t i = 0; i < swap->to->n_playlists; i++) {
		const char *name = swap->to->playlists[i].def.name;

		n += !find(&swap->from_playlists, name) &&
		     cue_playlist_get(engine->playlists, name, &playlist) == 0;
	}
	for (size_t i = 0; i < swap->to->n_gestures; i++) {
		const char *name = swap->to->gestures[i].def.name;

		n += !find(&swap->from_gestures, name) &&
		     cue_gesture_get(engine->gestures, name, &gesture) == 0;
	}
	return n;
}

static int check_room(struct engine *engine, const struct swap *swap, char error[ENGINE_ERROR_SIZE])
{
	size_t limit = cue_bus_limits(engine->bus)->definitions;
	size_t own = swap->to->n_playlists + swap->to->n_gestures;
	size_t others = count_others(engine, swap->from) - count_replaced(engine, swap);

	if (own + others <= limit)
		return 0;
	snprintf(error, ENGINE_ERROR_SIZE,
	         "limits.definitions is %zu, and there would be %zu: %zu of the configuration and "
	         "%zu made by command",
	         limit, own + others, own, others);
	return -ENOSPC;
}

/* ---- event types ---- */

struct names {
	const char **items; /* NULL: only counted */
	size_t n;
};

static void add_name(struct names *names, const char *name)
{
	if (!name)
		return;
	if (names->items)
		names->items[names->n] = name;
	names->n++;
}

static void add_filters(struct names *names, const struct cue_filter *filters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_name(names, filters[i].type);
}

/** Add all types that the definitions, inputs and outputs intern, some of them several times. */
static void add_types(struct names *names, const struct config *config)
{
	for (size_t i = 0; i < config->n_playlists; i++) {
		const struct cue_playlist_config *def = &config->playlists[i].def;

		add_filters(names, def->triggers, def->n_triggers);
		add_filters(names, def->interrupts, def->n_interrupts);
		add_name(names, def->completion);
		for (size_t k = 0; k < def->n_steps; k++)
			add_name(names, def->steps[k].emit);
	}
	for (size_t i = 0; i < config->n_gestures; i++) {
		const struct cue_gesture_config *def = &config->gestures[i].def;

		add_name(names, def->emit);
		for (size_t k = 0; k < CUE_CLICKS; k++)
			add_name(names, def->clicks[k]);
		add_name(names, def->source.type);
		add_name(names, def->release.type);
		add_name(names, def->reset.type);
		for (size_t k = 0; k < def->n_sets; k++)
			add_name(names, def->sets[k].type);
		add_filters(names, def->steps, def->n_steps);
		for (size_t k = 0; k < def->n_gate; k++)
			add_name(names, def->gate[k]);
		for (size_t k = 0; k < def->n_mirror; k++)
			add_name(names, def->mirror[k]);
	}
	for (size_t i = 0; i < config->n_inputs; i++) {
		add_name(names, config->inputs[i].event);
		add_name(names, config->inputs[i].release_event);
	}
	for (size_t i = 0; i < config->n_outputs; i++)
		add_name(names, config->outputs[i].on_event);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** Types are never freed, so the types of removed definitions count until the next start. */
static int check_type_room(struct engine *engine, const struct config *to,
                           char error[ENGINE_ERROR_SIZE])
{
	uint32_t room = cue_bus_type_room(engine->bus);
	struct names names = { 0 };
	size_t n_new = 0;

	add_types(&names, to);
	names.items = calloc(names.n + 1, sizeof(*names.items));
	if (!names.items) {
		snprintf(error, ENGINE_ERROR_SIZE, "%s", strerrordesc_np(ENOMEM));
		return -ENOMEM;
	}
	names.n = 0;
	add_types(&names, to);
	qsort(names.items, names.n, sizeof(*names.items), by_text);
	for (size_t i = 0; i < names.n; i++) {
		if ((i == 0 || strcmp(names.items[i], names.items[i - 1]) != 0) &&
		    !cue_bus_has_type(engine->bus, names.items[i]))
			n_new++;
	}
	free(names.items);
	if (n_new <= room)
		return 0;
	snprintf(error, ENGINE_ERROR_SIZE,
	         "limits.event_types is %u, has room for %u more, and %zu would be new; those of "
	         "earlier configurations count until the gateway is started again",
	         (unsigned)cue_bus_limits(engine->bus)->event_types, (unsigned)room, n_new);
	return -ENOSPC;
}

/** Gestures first: one that starts a playlist must not outlive it. */
static void remove_gone(struct engine *engine, const struct swap *swap)
{
	for (size_t i = 0; i < swap->from->n_gestures; i++) {
		const char *name = swap->from->gestures[i].def.name;

		/* -ENOENT: a command removed it already. */
		if (!find(&swap->to_gestures, name))
			(void)cue_gesture_remove(engine->gestures, name);
	}
	for (size_t i = 0; i < swap->from->n_playlists; i++) {
		const char *name = swap->from->playlists[i].def.name;

		if (find(&swap->to_playlists, name))
			continue;
		(void)cue_playlist_remove(engine->playlists, name, "removed");
		engine_playlist_changed(engine, name);
	}
}

static int define_changed(struct engine *engine, const struct swap *swap,
                          char error[ENGINE_ERROR_SIZE])
{
	for (size_t i = 0; i < swap->to->n_playlists; i++) {
		const struct config_playlist *playlist = &swap->to->playlists[i];
		int r = playlist_unchanged(&swap->from_playlists, playlist)
		                ? 0
		                : define_playlist(engine, playlist, error);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < swap->to->n_gestures; i++) {
		const struct config_gesture *gesture = &swap->to->gestures[i];
		int r = gesture_unchanged(&swap->from_gestures, gesture)
		                ? 0
		                : define_gesture(engine, gesture, error);

		if (r < 0)
			return r;
	}
	return 0;
}

/** After memory ran out in the middle: restore as much as possible. */
static void roll_back(struct engine *engine, const struct swap *swap)
{
	struct swap back = {
		.from = swap->to,
		.to = swap->from,
		.from_playlists = swap->to_playlists,
		.from_gestures = swap->to_gestures,
		.to_playlists = swap->from_playlists,
		.to_gestures = swap->from_gestures,
	};
	char error[ENGINE_ERROR_SIZE];

	remove_gone(engine, &back);
	(void)define_changed(engine, &back, error);
}

static void swap_clear(struct swap *swap)
{
	index_clear(&swap->from_playlists);
	index_clear(&swap->from_gestures);
	index_clear(&swap->to_playlists);
	index_clear(&swap->to_gestures);
}

static int swap_init(struct swap *swap, const struct config *from, const struct config *to,
                     char error[ENGINE_ERROR_SIZE])
{
	int r;

	*swap = (struct swap){ .from = from, .to = to };
	r = index_playlists(from, &swap->from_playlists);
	if (r >= 0)
		r = index_gestures(from, &swap->from_gestures);
	if (r >= 0)
		r = index_playlists(to, &swap->to_playlists);
	if (r >= 0)
		r = index_gestures(to, &swap->to_gestures);
	if (r < 0) {
		snprintf(error, ENGINE_ERROR_SIZE, "%s", strerrordesc_np(-r));
		swap_clear(swap);
	}
	return r;
}

int engine_check_definitions(struct engine *engine, const struct config *from,
                             const struct config *to, char error[ENGINE_ERROR_SIZE])
{
	struct swap swap;
	int r;

	r = check_all(to, error);
	if (r >= 0)
		r = swap_init(&swap, from, to, error);
	if (r < 0)
		return r;
	r = check_room(engine, &swap, error);
	if (r >= 0)
		r = check_type_room(engine, to, error);
	swap_clear(&swap);
	return r;
}

int engine_swap_definitions(struct engine *engine, const struct config *from,
                            const struct config *to, char error[ENGINE_ERROR_SIZE])
{
	struct swap swap;
	int r;

	r = swap_init(&swap, from, to, error);
	if (r < 0)
		return r;
	/* Remove first to make room: the limit counts both kinds together. */
	remove_gone(engine, &swap);
	r = define_changed(engine, &swap, error);
	if (r < 0)
		roll_back(engine, &swap);
	swap_clear(&swap);
	return r;
}
