/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Definitions that trigger each other without end.
 *
 * The graph's nodes are the definitions, and one node for each event type with several emitters and
 * listeners, so that n emitters and m listeners need only n + m edges. Two cases bypass the shared
 * node with a direct edge: a listener with a predicate (which a step's data may never satisfy), and
 * a gesture that emits a type to which it listens (it never sees its own output, but that of
 * others).
 */
#include "lint.h"

#include <cuebus/match.h>
#include <cuebus/payload.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lint_graph.h"
#include "utf8.h"

/** Pairs of emitter and listener that are checked individually; beyond, a cycle may be missed. */
#define PAIRS_MAX 1000000U
/** Number of names shown of a long cycle. */
#define NAMES_MAX        12U
#define NAME_SHOWN_BYTES 128

struct emission {
	const char *type;
	size_t definition;
	struct cue_payload *data; /* data of a step; NULL: unknown */
	const char *playlist;     /* playlist of a lifecycle event; else NULL */
};

struct listener {
	const char *type;
	size_t definition;
	const struct cJSON *match;
};

struct cycles {
	struct lint *lint;
	struct emission *emissions;
	struct listener *listeners;
	size_t n_emissions, n_listeners;
	size_t n_definitions, n_nodes;
	size_t pairs;
	struct lint_graph graph;
};

/* Definitions are numbered gestures first. */
static bool is_gesture(const struct cycles *c, size_t definition)
{
	return definition < c->lint->config->n_gestures;
}

static const struct jsonc_node *node_of(const struct cycles *c, size_t definition)
{
	size_t n = c->lint->config->n_gestures;

	return definition < n ? c->lint->gestures[definition] : c->lint->playlists[definition - n];
}

/* ---- emitted types and listeners ---- */

static void emits(struct cycles *c, const char *type, size_t definition, struct cue_payload *data,
                  const char *playlist)
{
	c->emissions[c->n_emissions++] = (struct emission){ type, definition, data, playlist };
}

static void listens(struct cycles *c, const struct cue_filter *filter, size_t definition)
{
	c->listeners[c->n_listeners++] =
	        (struct listener){ filter->type, definition, filter->match };
}

static void collect_gesture(struct cycles *c, size_t i)
{
	const struct cue_gesture_config *def = &c->lint->config->gestures[i].def;

	if (def->emit)
		emits(c, def->emit, i, NULL, NULL);
	for (size_t k = 0; k < CUE_CLICKS; k++) {
		if (def->clicks[k])
			emits(c, def->clicks[k], i, NULL, NULL);
	}
	if (def->source.type)
		listens(c, &def->source, i);
	if (def->release.type)
		listens(c, &def->release, i);
	/* The reset of a cycle triggers nothing, nor does what it follows. */
	for (size_t k = 0; k < def->n_sets; k++)
		listens(c, &(struct cue_filter){ .type = def->sets[k].type }, i);
	for (size_t k = 0; k < def->n_steps; k++)
		listens(c, &def->steps[k], i);
	for (size_t k = 0; k < def->n_mirror; k++) {
		listens(c, &(struct cue_filter){ .type = def->mirror[k] }, i);
		if (!def->emit)
			emits(c, def->mirror[k], i, NULL, NULL);
	}
	/* The gate of a mirror triggers nothing; that of a gated playlist does. */
	for (size_t k = 0; def->type == CUE_GESTURE_GATED_PLAYLIST && k < def->n_gate; k++)
		listens(c, &(struct cue_filter){ .type = def->gate[k] }, i);
}

static void collect_playlist(struct cycles *c, size_t i)
{
	static const char *const lifecycle[] = { "event.playlist.created", "event.playlist.emitted",
		                                 "event.playlist.stopped" };
	const struct cue_playlist_config *def = &c->lint->config->playlists[i].def;
	size_t definition = c->lint->config->n_gestures + i;

	for (size_t k = 0; k < sizeof(lifecycle) / sizeof(*lifecycle); k++)
		emits(c, lifecycle[k], definition, NULL, def->name);
	for (size_t k = 0; k < def->n_steps; k++)
		emits(c, def->steps[k].emit, definition,
		      def->steps[k].data ? def->steps[k].data : cue_payload_null(), NULL);
	if (def->completion)
		emits(c, def->completion, definition, NULL, def->name);
	for (size_t k = 0; k < def->n_triggers; k++)
		listens(c, &def->triggers[k], definition);
}

static bool collect(struct cycles *c)
{
	const struct config *config = c->lint->config;
	size_t emissions = 0, listeners = 0;

	for (size_t i = 0; i < config->n_gestures; i++) {
		const struct cue_gesture_config *def = &config->gestures[i].def;

		emissions += 1 + CUE_CLICKS + def->n_mirror;
		listeners += 2 + def->n_sets + def->n_steps + def->n_mirror + def->n_gate;
	}
	for (size_t i = 0; i < config->n_playlists; i++) {
		emissions += 4 + config->playlists[i].def.n_steps;
		listeners += config->playlists[i].def.n_triggers;
	}
	c->emissions = config_alloc(c->lint->reader, emissions, sizeof(*c->emissions));
	c->listeners = config_alloc(c->lint->reader, listeners, sizeof(*c->listeners));
	if (!c->emissions || !c->listeners)
		return false;
	for (size_t i = 0; i < config->n_gestures; i++) {
		if (lint_gesture_is_sound(c->lint, i))
			collect_gesture(c, i);
	}
	for (size_t i = 0; i < config->n_playlists; i++) {
		if (lint_playlist_is_sound(c->lint, i))
			collect_playlist(c, i);
	}
	return true;
}

/* ---- edges ---- */

/** Whether the listener's predicate can hold for this event. */
static bool may_match(struct cycles *c, const struct emission *emission,
                      const struct listener *listener)
{
	const struct cJSON *name;
	struct cue_match *match;
	bool result;

	if (!listener->match)
		return true;
	if (emission->data) {
		if (cue_match_new(listener->match, &match, NULL) < 0) {
			c->lint->reader->error = -ENOMEM;
			return false;
		}
		result = cue_match_eval(match, emission->data);
		cue_match_free(match);
		return result;
	}
	if (!emission->playlist)
		return true;
	/* Playlists chained by lifecycle events name the playlist for which they wait. */
	name = cJSON_GetObjectItemCaseSensitive(listener->match, "playlist_name");
	if (!name)
		name = cJSON_GetObjectItemCaseSensitive(listener->match, "/playlist_name");
	if (cJSON_IsObject(name))
		name = cJSON_GetObjectItemCaseSensitive(name, "eq");
	return !cJSON_IsString(name) || strcmp(name->valuestring, emission->playlist) == 0;
}

static bool hears_itself(const struct cycles *c, const struct emission *emission,
                         const struct listener *first, const struct listener *end)
{
	for (; is_gesture(c, emission->definition) && first < end; first++) {
		if (first->definition == emission->definition)
			return true;
	}
	return false;
}

/** Connect one emission to its listeners, all of one type. */
static void connect(struct cycles *c, const struct emission *emission, size_t shared,
                    const struct listener *first, const struct listener *end)
{
	bool direct = hears_itself(c, emission, first, end);

	if (!direct)
		lint_graph_add(&c->graph, emission->definition, shared);
	for (const struct listener *l = first; l < end; l++) {
		if (!direct && !l->match)
			continue;
		if (is_gesture(c, l->definition) && l->definition == emission->definition)
			continue;
		if (++c->pairs > PAIRS_MAX)
			return;
		if (may_match(c, emission, l))
			lint_graph_add(&c->graph, emission->definition, l->definition);
	}
}

static int emissions_by_type(const void *a, const void *b)
{
	const struct emission *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	if (order != 0)
		return order;
	return x->definition < y->definition ? -1 : x->definition > y->definition;
}

static int listeners_by_type(const void *a, const void *b)
{
	const struct listener *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	if (order != 0)
		return order;
	return x->definition < y->definition ? -1 : x->definition > y->definition;
}

/** Merge emissions and listeners, both in order of type. */
static void connect_all(struct cycles *c)
{
	size_t e = 0, l = 0;

	qsort(c->emissions, c->n_emissions, sizeof(*c->emissions), emissions_by_type);
	qsort(c->listeners, c->n_listeners, sizeof(*c->listeners), listeners_by_type);
	while (e < c->n_emissions && l < c->n_listeners) {
		const char *type = c->listeners[l].type;
		size_t end = l, shared;

		if (strcmp(c->emissions[e].type, type) < 0) {
			e++;
			continue;
		}
		shared = c->n_nodes++;
		for (; end < c->n_listeners && strcmp(c->listeners[end].type, type) == 0; end++) {
			if (!c->listeners[end].match)
				lint_graph_add(&c->graph, shared, c->listeners[end].definition);
		}
		for (; e < c->n_emissions && strcmp(c->emissions[e].type, type) == 0; e++)
			connect(c, &c->emissions[e], shared, c->listeners + l, c->listeners + end);
		l = end;
	}
}

struct named {
	const char *name;
	size_t definition;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/** Connect a gated playlist to the playlist that it starts without an event. */
static void connect_gated(struct cycles *c)
{
	const struct config *config = c->lint->config;
	struct named *names = config_alloc(c->lint->reader, config->n_playlists, sizeof(*names));

	for (size_t i = 0; names && i < config->n_playlists; i++)
		names[i] = (struct named){ config->playlists[i].def.name, config->n_gestures + i };
	if (names)
		qsort(names, config->n_playlists, sizeof(*names), by_name);
	for (size_t i = 0; names && i < config->n_gestures; i++) {
		struct named wanted = { .name = config->gestures[i].def.playlist };
		const struct named *found;

		if (!wanted.name || !lint_gesture_is_sound(c->lint, i))
			continue;
		found = bsearch(&wanted, names, config->n_playlists, sizeof(*names), by_name);
		if (found)
			lint_graph_add(&c->graph, i, found->definition);
	}
}

/* ---- findings ---- */

static void print_name(FILE *out, const struct jsonc_node *node)
{
	fprintf(out, "%.*s", utf8_fit(node->key, NAME_SHOWN_BYTES), node->key);
}

static void tell(void *user, const size_t *path, size_t n)
{
	struct cycles *c = user;
	const struct jsonc_node *first = NULL;
	char *text = NULL;
	size_t size, shown = 0, definitions = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		c->lint->reader->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (path[i] >= c->n_definitions)
			continue;
		first = first ? first : node_of(c, path[i]);
		definitions++;
		if (shown < NAMES_MAX) {
			print_name(out, node_of(c, path[i]));
			fputs(" -> ", out);
			shown++;
		}
	}
	if (shown < definitions)
		fprintf(out, "(%zu more) -> ", definitions - shown);
	if (first)
		print_name(out, first);
	if (fclose(out) != 0)
		c->lint->reader->error = -ENOMEM;
	else if (first)
		config_key_finding(c->lint->reader, DIAG_WARNING, first, "trigger-cycle",
		                   "a cycle that may run without end: %s", text);
	free(text);
}

void lint_cycles(struct lint *lint)
{
	struct cycles c = { .lint = lint };

	c.n_definitions = lint->config->n_gestures + lint->config->n_playlists;
	c.n_nodes = c.n_definitions;
	if (collect(&c)) {
		connect_all(&c);
		connect_gated(&c);
		if (lint_graph_cycles(&c.graph, c.n_nodes, tell, &c) < 0)
			lint->reader->error = -ENOMEM;
	}
	lint_graph_clear(&c.graph);
}
