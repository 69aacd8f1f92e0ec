/* SPDX-License-Identifier: Apache-2.0 */
/* Triggers, interrupts and events of outputs that nothing emits, playlists that are not there. */
#include "lint.h"

#include <stdlib.h>
#include <string.h>

#include "did_you_mean.h"
#include "own_types.h"

/** Over this many names a suggestion costs more than it helps. */
#define SUGGEST_MAX 2000U

struct names {
	const char **names;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add(struct names *set, const char *name)
{
	if (name)
		set->names[set->n++] = name;
}

static bool contains(const struct names *set, const char *name)
{
	return bsearch(&name, set->names, set->n, sizeof(char *), by_name) != NULL;
}

static size_t count(const struct config *config)
{
	size_t n = OWN_TYPES_COUNT + config->n_inputs * 2;

	for (size_t i = 0; i < config->n_gestures; i++)
		n += 1 + config->gestures[i].def.n_mirror;
	for (size_t i = 0; i < config->n_playlists; i++)
		n += 1 + config->playlists[i].def.n_steps;
	return n;
}

static bool collect(struct lint *lint, struct names *set)
{
	const struct config *config = lint->config;

	set->names = config_alloc(lint->reader, count(config), sizeof(char *));
	if (!set->names)
		return false;
	for (size_t i = 0; i < OWN_TYPES_COUNT; i++)
		add(set, own_types[i]);
	for (size_t i = 0; i < config->n_inputs; i++) {
		add(set, config->inputs[i].event);
		add(set, config->inputs[i].release_event);
	}
	for (size_t i = 0; i < config->n_gestures; i++) {
		const struct cue_gesture_config *def = &config->gestures[i].def;

		/* A mirror that keeps the type emits it only if something else does. */
		add(set, def->emit);
	}
	for (size_t i = 0; i < config->n_playlists; i++) {
		const struct cue_playlist_config *def = &config->playlists[i].def;

		add(set, def->completion);
		for (size_t k = 0; k < def->n_steps; k++)
			add(set, def->steps[k].emit);
	}
	qsort(set->names, set->n, sizeof(char *), by_name);
	return true;
}

static const char *suggest(const struct lint *lint, const struct names *set, const char *name)
{
	if (set->n > SUGGEST_MAX || lint->reader->diag->n_dropped > 0)
		return NULL;
	return did_you_mean(name, set->names, set->n);
}

static void check_filters(struct lint *lint, const struct names *emitted, const char *what,
                          const struct cue_filter *filters, size_t n, const struct jsonc_node *list)
{
	const struct jsonc_node *node = list ? lint_element(list, 0) : NULL;

	for (size_t i = 0; i < n; i++, node = node->next) {
		const char *type = filters[i].type, *meant;
		const struct jsonc_node *place =
		        node->type == JSONC_OBJECT ? jsonc_get(node, "event") : node;

		if (contains(emitted, type))
			continue;
		meant = suggest(lint, emitted, type);
		config_finding(lint->reader, DIAG_WARNING, place, "never-emitted",
		               "%s \"%s\": %s%s%s%s", what, type,
		               cue_type_is_reserved(type)
		                       ? "the gateway emits no event of this type"
		                       : "nothing here emits it, only a remote publisher or a "
		                         "definition made by command could",
		               meant ? "; did you mean \"" : "", meant ? meant : "",
		               meant ? "\"?" : "");
	}
}

static void check_playlists(struct lint *lint)
{
	const struct config *config = lint->config;
	struct names names = { 0 };

	names.names = config_alloc(lint->reader, config->n_playlists, sizeof(char *));
	if (!names.names)
		return;
	for (size_t i = 0; i < config->n_playlists; i++)
		add(&names, config->playlists[i].def.name);
	qsort(names.names, names.n, sizeof(char *), by_name);
	for (size_t i = 0; i < config->n_gestures; i++) {
		const char *playlist = config->gestures[i].def.playlist, *meant;
		char quoted[JSONC_QUOTE_SIZE];

		if (!playlist || contains(&names, playlist))
			continue;
		meant = suggest(lint, &names, playlist);
		config_finding(
		        lint->reader, DIAG_WARNING, jsonc_get(lint->gestures[i], "playlist"),
		        "unknown-playlist",
		        "there is no playlist %s here; only one made by command could be meant"
		        "%s%s%s",
		        jsonc_quote(quoted, playlist), meant ? "; did you mean \"" : "",
		        meant ? meant : "", meant ? "\"?" : "");
	}
}

void lint_events(struct lint *lint)
{
	const struct config *config = lint->config;
	struct names emitted = { 0 };

	if (!collect(lint, &emitted))
		return;
	for (size_t i = 0; i < config->n_playlists; i++) {
		const struct cue_playlist_config *def = &config->playlists[i].def;
		const struct jsonc_node *node = lint->playlists[i];

		check_filters(lint, &emitted, "trigger", def->triggers, def->n_triggers,
		              jsonc_get(node, "trigger"));
		check_filters(lint, &emitted, "interrupt", def->interrupts, def->n_interrupts,
		              jsonc_get(node, "interrupts"));
	}
	for (size_t i = 0; i < config->n_outputs; i++) {
		const struct cue_filter filter = { .type = config->outputs[i].on_event };

		check_filters(lint, &emitted, "on_event", &filter, 1,
		              jsonc_get(lint->outputs[i], "on_event"));
	}
	check_playlists(lint);
}
