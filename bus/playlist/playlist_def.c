/* SPDX-License-Identifier: Apache-2.0 */
/* One version of a definition, built from a checked config and shared by the playlist and the runs
 * on it. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct playlist_def *cue_playlist_def_ref(struct playlist_def *def)
{
	def->refs++;
	return def;
}

static void filters_free(struct playlist_filter *filters, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cue_type_node_unref(filters[i].node);
		cue_match_free(filters[i].match);
	}
	free(filters);
}

static void steerings_free(struct playlist_steering *steerings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cue_type_node_unref(steerings[i].node);
		cue_pointer_free(steerings[i].pointer);
	}
	free(steerings);
}

void cue_playlist_def_unref(struct playlist_def *def)
{
	if (!def || --def->refs > 0)
		return;
	for (size_t i = 0; i < def->n_links; i++) {
		cue_type_node_remove_link(def->links[i].node);
		cue_type_node_unref(def->links[i].node);
	}
	free(def->links);
	filters_free(def->triggers, def->n_triggers);
	filters_free(def->interrupts, def->n_interrupts);
	steerings_free(def->steerings, def->n_steerings);
	for (uint32_t i = 0; i < def->n_steps; i++)
		cue_payload_unref(def->steps[i].data);
	free(def->steps);
	free(def->order);
	cue_payload_unref(def->metadata);
	cue_payload_unref(def->steps_json);
	cue_payload_unref(def->json);
	free(def->name);
	free(def);
}

bool cue_playlist_def_is_triggered_by(const struct playlist_def *def, const struct type_node *node)
{
	for (size_t i = 0; i < def->n_triggers; i++) {
		if (def->triggers[i].node == node)
			return true;
	}
	return false;
}

/** @param ret_n incremented for each copied filter, so that an incomplete array can be freed. */
static int copy_filters(struct cue_playlists *set, const struct cue_filter *from, size_t n,
                        struct playlist_filter **ret_filters, size_t *ret_n)
{
	struct playlist_filter *filters;

	if (n == 0)
		return 0;
	filters = calloc(n, sizeof(*filters));
	if (!filters)
		return -ENOMEM;
	*ret_filters = filters;
	for (size_t i = 0; i < n; i++) {
		int r = cue_type_node_get(set, from[i].type, &filters[i].node);

		if (r < 0)
			return r;
		*ret_n = i + 1;
		if (from[i].match)
			r = cue_match_new(from[i].match, &filters[i].match, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_steerings(struct cue_playlists *set, const struct cue_playlist_config *config,
                          struct playlist_def *def)
{
	if (config->n_steerings == 0)
		return 0;
	def->steerings = calloc(config->n_steerings, sizeof(*def->steerings));
	if (!def->steerings)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_steerings; i++) {
		const struct cue_steering *from = &config->steerings[i];
		struct playlist_steering *to = &def->steerings[i];
		int r = cue_type_node_get(set, from->event, &to->node);

		if (r < 0)
			return r;
		def->n_steerings = i + 1;
		to->steer = from->steer;
		if (from->pointer)
			r = cue_pointer_new(from->pointer, &to->pointer);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_linked(const struct playlist_def *def, const struct type_node *node)
{
	for (size_t i = 0; i < def->n_links; i++) {
		if (def->links[i].node == node)
			return true;
	}
	return false;
}

static int add_link(struct playlist_def *def, struct type_node *node)
{
	int r;

	if (is_linked(def, node))
		return 0;
	r = cue_type_node_add_link(node);
	if (r < 0)
		return r;
	def->links[def->n_links++] = (struct interrupt_link){
		.node = cue_type_node_ref(node),
		.def = def,
	};
	return 0;
}

static int make_links(struct playlist_def *def)
{
	int r = 0;

	if (def->n_interrupts + def->n_steerings == 0)
		return 0;
	def->links = calloc(def->n_interrupts + def->n_steerings, sizeof(*def->links));
	if (!def->links)
		return -ENOMEM;
	for (size_t i = 0; i < def->n_interrupts && r >= 0; i++)
		r = add_link(def, def->interrupts[i].node);
	for (size_t i = 0; i < def->n_steerings && r >= 0; i++)
		r = add_link(def, def->steerings[i].node);
	return r;
}

static int compare_first(const void *a, const void *b)
{
	const struct occurrence *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

static int sort_steps(struct playlist_def *def)
{
	struct occurrence *first = calloc(def->n_steps, sizeof(*first));

	def->order = calloc(def->n_steps, sizeof(*def->order));
	if (!first || !def->order) {
		free(first);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < def->n_steps; i++)
		first[i] = (struct occurrence){ .at_ns = def->steps[i].offset_ns, .step = i };
	qsort(first, def->n_steps, sizeof(*first), compare_first);
	for (uint32_t i = 0; i < def->n_steps; i++)
		def->order[i] = first[i].step;
	free(first);
	return 0;
}

static int copy_steps(struct cue_playlists *set, const struct cue_playlist_config *config,
                      struct playlist_def *def)
{
	def->steps = calloc(config->n_steps, sizeof(*def->steps));
	if (!def->steps)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_steps; i++) {
		const struct cue_step *from = &config->steps[i];
		struct playlist_step *step = &def->steps[i];
		uint64_t end_ns;
		int r = cue_bus_intern(set->bus, from->emit, &step->type);

		if (r < 0)
			return r;
		step->data = cue_payload_ref(from->data);
		step->offset_ns = from->offset_ns;
		step->interval_ns = from->interval_ns;
		step->repeat = from->repeat ? from->repeat : 1;
		step->producer_id = from->producer_id;
		end_ns = step->offset_ns + (step->repeat - 1) * step->interval_ns;
		if (end_ns > def->expected_duration_ns)
			def->expected_duration_ns = end_ns;
		def->n_repeating += step->repeat > 1;
		if (step->repeat > 1 && (def->shortest_interval_ns == 0 ||
		                         step->interval_ns < def->shortest_interval_ns))
			def->shortest_interval_ns = step->interval_ns;
		def->n_steps++;
	}
	return sort_steps(def);
}

static void derive_id(const struct cue_playlists *set, const char *name, struct cue_id *ret_id)
{
	char path[sizeof("playlist/") + PLAYLIST_NAME_MAX_LEN];

	snprintf(path, sizeof(path), "playlist/%s", name);
	cue_id_derive(cue_bus_gateway_id(set->bus), path, ret_id);
}

static void set_debounces(struct playlist_def *def, const struct cue_playlist_config *config)
{
	for (size_t i = 0; i < def->n_interrupts; i++) {
		const struct cue_filter *from = &config->interrupts[i];
		uint64_t ns =
		        from->has_debounce ? from->debounce_ns : config->interrupt_debounce_ns;

		def->interrupts[i].debounce_ns = ns;
		def->debounces = def->debounces || ns > 0;
	}
}

static int fill(struct cue_playlists *set, const struct cue_playlist_config *config,
                struct playlist_def *def)
{
	int r;

	def->name = strdup(config->name);
	if (!def->name)
		return -ENOMEM;
	def->metadata = cue_payload_ref(config->metadata);
	def->mode = config->mode;
	def->late = config->late;
	def->on_restart = config->on_restart;
	def->max_runs = config->max_runs ? config->max_runs : CUE_MAX_RUNS_DEFAULT;
	derive_id(set, config->name, &def->id);
	r = copy_filters(set, config->triggers, config->n_triggers, &def->triggers,
	                 &def->n_triggers);
	if (r >= 0)
		r = copy_filters(set, config->interrupts, config->n_interrupts, &def->interrupts,
		                 &def->n_interrupts);
	if (r >= 0)
		r = copy_steerings(set, config, def);
	if (r >= 0) {
		set_debounces(def, config);
		r = make_links(def);
	}
	if (r >= 0 && config->completion)
		r = cue_bus_intern(set->bus, config->completion, &def->completion);
	if (r >= 0)
		r = copy_steps(set, config, def);
	if (r >= 0)
		r = cue_playlist_steps_json(def, &def->steps_json);
	if (r >= 0)
		r = cue_playlist_json(config, &def->json);
	return r;
}

int cue_playlist_def_new(struct cue_playlists *set, const struct cue_playlist_config *config,
                         struct playlist_def **ret_def)
{
	struct playlist_def *def = calloc(1, sizeof(*def));
	int r;

	if (!def)
		return -ENOMEM;
	def->refs = 1;
	r = fill(set, config, def);
	if (r < 0) {
		cue_playlist_def_unref(def);
		return r;
	}
	*ret_def = def;
	return 0;
}
