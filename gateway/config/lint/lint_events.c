/* SPDX-License-Identifier: Apache-2.0 */
/* Event types with listeners but without emitter, and playlists that do not exist. */
#include "lint.h"

#include <stdlib.h>
#include <string.h>

#include "did_you_mean.h"
#include "own_types.h"

/** With more names than this a suggestion costs too much. */
#define SUGGEST_MAX 2000U

/** With more comparisons than this, so does the search for typing errors. */
#define LOOKS_MAX 20000000U

struct names {
	const char **names;
	size_t n;
	size_t looks; /* comparisons so far */
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
	size_t n = OWN_TYPES_COUNT + config->n_inputs * 2 + config->mqtt.remote.emit.n;

	for (size_t i = 0; i < config->n_gestures; i++)
		n += 1 + CUE_CLICKS + config->gestures[i].def.n_mirror;
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

		/* A mirror without `emit` emits a type only if something else emits it. */
		add(set, def->emit);
		for (size_t k = 0; k < CUE_CLICKS; k++)
			add(set, def->clicks[k]);
	}
	for (size_t i = 0; i < config->n_playlists; i++) {
		const struct cue_playlist_config *def = &config->playlists[i].def;

		add(set, def->completion);
		for (size_t k = 0; k < def->n_steps; k++)
			add(set, def->steps[k].emit);
	}
	/* for suggestions; a prefix can't be suggested */
	for (size_t i = 0; i < config->mqtt.remote.emit.n; i++) {
		if (!strchr(config->mqtt.remote.emit.patterns[i], '*'))
			add(set, config->mqtt.remote.emit.patterns[i]);
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

/* ---- typing errors ---- */

static size_t longer(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t difference(size_t a, size_t b)
{
	return a > b ? a - b : b - a;
}

/** A segment up to its dot or the end. */
static size_t segment_len(const char *s)
{
	return strcspn(s, ".");
}

/** Whether two segments differ only in numbers: lamp1 and lamp2 are two lamps. */
static bool is_numbering(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a_len && a[i] >= '0' && a[i] <= '9')
			i++;
		while (k < b_len && b[k] >= '0' && b[k] <= '9')
			k++;
		if (i == a_len || k == b_len)
			return i == a_len && k == b_len;
		if (a[i++] != b[k++])
			return false;
	}
}

/** Whether words differ by at most two letters and a third of the word: `press` and `pressed`, not
 * `on` and `off`. */
static bool is_slip_of_word(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t distance;

	if (difference(a_len, b_len) > 2)
		return false;
	distance = edit_distance(a, a_len, b, b_len);
	return distance <= 2 && 3 * distance <= longer(a_len, b_len) &&
	       !is_numbering(a, a_len, b, b_len);
}

/**
 * Whether @p type is probably @p known mistyped: one segment is mistyped, or a dot is missing,
 * superfluous or another character. Types from outside are often similar to types emitted here, so
 * a small distance is not enough.
 */
static bool is_slip(const char *type, const char *known)
{
	const char *a = type, *b = known;
	size_t n = 0;

	if (!strchr(type, '.') != !strchr(known, '.'))
		return strlen(type) >= 6 &&
		       edit_distance(type, strlen(type), known, strlen(known)) == 1;
	for (;;) {
		size_t a_len = segment_len(a), b_len = segment_len(b);

		if (a_len != b_len || memcmp(a, b, a_len) != 0) {
			if (n++ > 0 || !is_slip_of_word(a, a_len, b, b_len))
				return false;
		}
		if (!a[a_len] || !b[b_len])
			return n == 1 && !a[a_len] && !b[b_len];
		a += a_len + 1;
		b += b_len + 1;
	}
}

static const char *find_slip(const struct lint *lint, struct names *set, const char *type)
{
	size_t best = SIZE_MAX, len = strlen(type);
	const char *found = NULL;

	if (set->n > SUGGEST_MAX || lint->reader->diag->n_dropped > 0)
		return NULL;
	for (size_t i = 0; i < set->n && set->looks < LOOKS_MAX; i++, set->looks++) {
		const char *known = set->names[i];
		size_t distance;

		if (difference(len, strlen(known)) > 2 || !is_slip(type, known))
			continue;
		distance = edit_distance(type, len, known, strlen(known));
		if (distance >= best)
			continue;
		best = distance;
		found = known;
	}
	return found;
}

/* ---- listeners ---- */

/**
 * If everything may be emitted from outside, any type may come: then only a typing error is worth a
 * finding.
 */
static void check_type(struct lint *lint, struct names *emitted, const char *what, const char *type,
                       const struct jsonc_node *place)
{
	const struct config_allow *remote = &lint->config->mqtt.remote.emit;
	bool reserved = cue_type_is_reserved(type);
	const char *meant;

	if (contains(emitted, type) ||
	    (!reserved && remote->limited && config_allows_event(remote, type)))
		return;
	meant = reserved || remote->limited ? suggest(lint, emitted, type)
	                                    : find_slip(lint, emitted, type);
	if (!reserved && !remote->limited && !meant)
		return;
	config_finding(lint->reader, DIAG_WARNING, place, "never-emitted", "%s \"%s\": %s%s%s%s",
	               what, type,
	               reserved          ? "the gateway emits no event of this type"
	               : remote->limited ? "nothing here emits it, and mqtt.remote.emit does not "
	                                   "allow it from outside"
	                                 : "nothing here emits it",
	               meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

/** Six parameters, as check_types(): a list, its length, and where it is written. */
static void check_filters(struct lint *lint, struct names *emitted, const char *what,
                          const struct cue_filter *filters, size_t n, const struct jsonc_node *list)
{
	const struct jsonc_node *node = list ? jsonc_element(list, 0) : NULL;

	for (size_t i = 0; i < n; i++, node = node->next)
		check_type(lint, emitted, what, filters[i].type,
		           node->type == JSONC_OBJECT ? jsonc_get(node, "event") : node);
}

static void check_types(struct lint *lint, struct names *emitted, const char *what,
                        const char *const *types, size_t n, const struct jsonc_node *list)
{
	const struct jsonc_node *node = list ? jsonc_element(list, 0) : NULL;

	for (size_t i = 0; i < n; i++, node = node->next)
		check_type(lint, emitted, what, types[i], node);
}

/** Check every "state" of a condition. */
static void check_condition(struct lint *lint, struct names *emitted, const struct jsonc_node *node)
{
	const struct jsonc_node *state =
	        node->type == JSONC_OBJECT ? jsonc_get(node, "state") : NULL;

	if (state) {
		check_type(lint, emitted, "state", state->text, state);
		return;
	}
	if (node->type != JSONC_OBJECT && node->type != JSONC_ARRAY)
		return;
	for (const struct jsonc_node *c = node->first; c; c = c->next)
		check_condition(lint, emitted, c);
}

/** Events that take a cycle to a value are the keys of `set`. */
static void check_sets(struct lint *lint, struct names *emitted,
                       const struct cue_gesture_config *def, const struct jsonc_node *list)
{
	const struct jsonc_node *node = list ? list->first : NULL;

	for (size_t i = 0; i < def->n_sets; i++, node = node->next)
		check_type(lint, emitted, "event of set", def->sets[i].type, node);
}

static void check_gesture(struct lint *lint, struct names *emitted, size_t i)
{
	const struct cue_gesture_config *def = &lint->config->gestures[i].def;
	const struct jsonc_node *node = lint->gestures[i];
	const struct jsonc_node *when = jsonc_get(node, "when");

	if (def->source.type)
		check_filters(lint, emitted, "source", &def->source, 1, jsonc_get(node, "source"));
	if (def->release.type)
		check_filters(lint, emitted, "release", &def->release, 1,
		              jsonc_get(node, "release"));
	if (def->reset.type)
		check_filters(lint, emitted, "reset", &def->reset, 1, jsonc_get(node, "reset"));
	check_sets(lint, emitted, def, jsonc_get(node, "set"));
	check_filters(lint, emitted, "step", def->steps, def->n_steps, jsonc_get(node, "steps"));
	check_types(lint, emitted, "gate", def->gate, def->n_gate, jsonc_get(node, "gate"));
	check_types(lint, emitted, "mirror", def->mirror, def->n_mirror, jsonc_get(node, "mirror"));
	if (when)
		check_condition(lint, emitted, when);
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
		config_finding(lint->reader, DIAG_WARNING, jsonc_get(lint->gestures[i], "playlist"),
		               "unknown-playlist",
		               "there is no playlist %s here; it must be one made by command%s%s%s",
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
		for (size_t k = 0; k < def->n_steerings; k++)
			check_type(lint, &emitted, "on", def->steerings[k].event,
			           jsonc_get(jsonc_get(node, "on"), def->steerings[k].event));
	}
	for (size_t i = 0; i < config->n_gestures; i++)
		check_gesture(lint, &emitted, i);
	for (size_t i = 0; i < config->n_outputs; i++) {
		const struct cue_filter filter = { .type = config->outputs[i].on_event };

		check_filters(lint, &emitted, "on_event", &filter, 1,
		              jsonc_get(lint->outputs[i], "on_event"));
	}
	check_playlists(lint);
}
