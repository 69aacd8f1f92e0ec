/* SPDX-License-Identifier: Apache-2.0 */
/* The set of playlists: define, redefine, remove, list. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cue_playlists_new(struct cue_bus *bus, struct cue_playlists **ret_playlists)
{
	struct cue_playlists *set = calloc(1, sizeof(*set));
	int r;

	if (!set)
		return -ENOMEM;
	set->bus = bus;
	set->on_run_timer = cue_run_on_timer;
	set->on_trigger = cue_playlist_on_trigger;
	set->on_interrupt = cue_playlist_on_interrupt;
	set->limits = cue_playlist_limits_complete(&(struct cue_playlist_limits){ 0 });
	r = cue_run_table_init(&set->table);
	if (r < 0) {
		free(set);
		return r;
	}
	*ret_playlists = set;
	return 0;
}

void cue_playlists_set_limits(struct cue_playlists *playlists,
                              const struct cue_playlist_limits *limits)
{
	playlists->limits = cue_playlist_limits_complete(limits);
}

/* ---- by name ---- */

/** First playlist whose name is at or after @p name. */
static size_t find_place(const struct cue_playlists *set, const char *name)
{
	size_t low = 0, high = set->n_playlists;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(set->by_name[middle]->def->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct playlist *cue_playlist_find(const struct cue_playlists *set, const char *name)
{
	size_t i = find_place(set, name);

	if (i == set->n_playlists || strcmp(set->by_name[i]->def->name, name) != 0)
		return NULL;
	return set->by_name[i];
}

static int reserve_place(struct cue_playlists *set)
{
	size_t cap = set->cap_playlists ? 2 * set->cap_playlists : 16;
	struct playlist **by_name;

	if (set->n_playlists < set->cap_playlists)
		return 0;
	by_name = realloc(set->by_name, cap * sizeof(*by_name));
	if (!by_name)
		return -ENOMEM;
	set->by_name = by_name;
	set->cap_playlists = cap;
	return 0;
}

static void insert(struct cue_playlists *set, struct playlist *playlist)
{
	size_t i = find_place(set, playlist->def->name);

	memmove(&set->by_name[i + 1], &set->by_name[i],
	        (set->n_playlists - i) * sizeof(struct playlist *));
	set->by_name[i] = playlist;
	set->n_playlists++;
	set->bus->definitions++;
}

static void take_out(struct cue_playlists *set, const struct playlist *playlist)
{
	size_t i = find_place(set, playlist->def->name);

	memmove(&set->by_name[i], &set->by_name[i + 1],
	        (set->n_playlists - i - 1) * sizeof(struct playlist *));
	set->n_playlists--;
	set->bus->definitions--;
}

/* ---- defining ---- */

/** Remove the playlist from the types that @p def listens to but @p kept (may be NULL) does not. */
static void drop_triggers(struct playlist *playlist, const struct playlist_def *def,
                          const struct playlist_def *kept)
{
	for (size_t i = 0; i < def->n_triggers; i++) {
		struct type_node *node = def->triggers[i].node;

		if (!kept || !cue_playlist_def_is_triggered_by(kept, node))
			cue_type_node_remove_trigger(node, playlist);
	}
}

/** Listen to the triggers of @p def. A failure restores the triggers of @p before (may be NULL). */
static int add_triggers(struct playlist *playlist, const struct playlist_def *def,
                        const struct playlist_def *before)
{
	for (size_t i = 0; i < def->n_triggers; i++) {
		int r = cue_type_node_add_trigger(def->triggers[i].node, playlist);

		if (r < 0) {
			drop_triggers(playlist, def, before);
			return r;
		}
	}
	return 0;
}

static int redefine(struct playlist *playlist, struct playlist_def *def)
{
	struct playlist_def *before = playlist->def;
	int r = add_triggers(playlist, def, before);

	if (r < 0)
		return r;
	drop_triggers(playlist, before, def);
	def->playlist = playlist;
	playlist->def = def;
	/* Runs on the old version keep it and its interrupts until they end. */
	cue_playlist_def_unref(before);
	return 0;
}

static int define_new(struct cue_playlists *set, struct playlist_def *def)
{
	struct playlist *playlist;
	int r;

	if (set->bus->definitions >= cue_bus_limits(set->bus)->definitions)
		return -ENOSPC;
	r = reserve_place(set);
	if (r < 0)
		return r;
	playlist = calloc(1, sizeof(*playlist));
	if (!playlist)
		return -ENOMEM;
	playlist->set = set;
	playlist->order = set->serial++;
	r = add_triggers(playlist, def, NULL);
	if (r < 0) {
		free(playlist);
		return r;
	}
	def->playlist = playlist;
	playlist->def = def;
	insert(set, playlist);
	return 0;
}

int cue_playlist_define(struct cue_playlists *playlists, const struct cue_playlist_config *config,
                        struct cue_id *ret_definition_id, struct cue_predicate_error *ret_error)
{
	struct playlist *playlist;
	struct playlist_def *def;
	int r;

	r = cue_playlist_check(config, ret_error);
	if (r >= 0)
		r = cue_playlist_check_rate(config, &playlists->limits, ret_error);
	if (r < 0)
		return r;
	playlist = cue_playlist_find(playlists, config->name);
	r = cue_playlist_def_new(playlists, config, &def);
	if (r < 0)
		return r;
	r = playlist ? redefine(playlist, def) : define_new(playlists, def);
	if (r < 0) {
		cue_playlist_def_unref(def);
		return r;
	}
	if (ret_definition_id)
		*ret_definition_id = def->id;
	return 0;
}

/* ---- removing ---- */

static void forget_restored(struct cue_playlists *set, const struct playlist *playlist)
{
	if (!set->restored || set->restored->playlist != playlist)
		return;
	cue_playlist_def_unref(set->restored);
	set->restored = NULL;
}

/** Versions that ended runs still hold must not point to the freed playlist. */
static void forget(struct playlist *playlist, struct ended_list *ended)
{
	for (struct run *run = ended->first; run; run = run->next_ended)
		run->def->playlist = NULL;
	for (struct run *run = playlist->set->untold.first; run; run = run->in[RUNS_OF_SET].next) {
		if (run->def->playlist == playlist)
			run->def->playlist = NULL;
	}
	forget_restored(playlist->set, playlist);
	take_out(playlist->set, playlist);
	drop_triggers(playlist, playlist->def, NULL);
	playlist->def->playlist = NULL;
	cue_playlist_def_unref(playlist->def);
	free(playlist->past_interrupts);
	free(playlist);
}

int cue_playlist_remove(struct cue_playlists *playlists, const char *name, const char *detail)
{
	struct playlist *playlist = cue_playlist_find(playlists, name);
	struct run_end end = {
		.reason = CUE_STOP_CANCELLED,
		.detail = detail ? detail : "removed",
	};
	struct ended_list ended = { 0 };
	struct cue_bus *bus = playlists->bus;

	if (!playlist)
		return -ENOENT;
	cue_bus_begin(bus);
	cue_bus_current_cause(bus, &end.cause_seq, &end.depth);
	while (playlist->runs.first)
		cue_run_detach(playlist->runs.first, &end, &ended);
	forget(playlist, &ended);
	cue_run_end_all(playlists, &ended);
	cue_bus_end(bus);
	return 0;
}

struct cue_playlists *cue_playlists_free(struct cue_playlists *playlists)
{
	struct ended_list ended = { 0 };
	struct run *next;

	if (!playlists)
		return NULL;
	while (playlists->runs.first)
		cue_run_detach(playlists->runs.first, &(struct run_end){ 0 }, &ended);
	for (struct run *run = ended.first; run; run = next) {
		next = run->next_ended;
		cue_run_free(run);
	}
	for (struct run *run = playlists->untold.first; run; run = next) {
		next = run->in[RUNS_OF_SET].next;
		cue_run_free(run);
	}
	playlists->untold = (struct run_list){ 0 };
	while (playlists->n_playlists > 0)
		forget(playlists->by_name[playlists->n_playlists - 1], &(struct ended_list){ 0 });
	forget_restored(playlists, NULL);
	cue_run_table_clear(&playlists->table);
	free(playlists->by_name);
	free(playlists->nodes);
	free(playlists);
	return NULL;
}

/* ---- listing ---- */

static struct cue_playlist_info info_of(const struct playlist *playlist)
{
	return (struct cue_playlist_info){
		.name = playlist->def->name,
		.definition_id = playlist->def->id,
		.active = playlist->n_runs,
		.expected_duration_ns = playlist->def->expected_duration_ns,
		.definition = playlist->def->json,
	};
}

int cue_playlist_foreach(struct cue_playlists *playlists,
                         int (*visit)(void *user, const struct cue_playlist_info *info), void *user)
{
	int r = 0;

	for (size_t i = 0; i < playlists->n_playlists && r == 0; i++) {
		struct cue_playlist_info info = info_of(playlists->by_name[i]);

		r = visit(user, &info);
	}
	return r;
}

int cue_playlist_get(struct cue_playlists *playlists, const char *name,
                     struct cue_playlist_info *ret_info)
{
	const struct playlist *playlist = cue_playlist_find(playlists, name);

	if (!playlist)
		return -ENOENT;
	*ret_info = info_of(playlist);
	return 0;
}

void cue_playlists_get_stats(const struct cue_playlists *playlists,
                             struct cue_playlists_stats *ret_stats)
{
	*ret_stats = playlists->stats;
	ret_stats->definitions = (uint32_t)playlists->n_playlists;
	ret_stats->active_runs = (uint32_t)playlists->table.n;
}
