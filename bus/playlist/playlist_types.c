/* SPDX-License-Identifier: Apache-2.0 */
/* The event types that playlists listen to. There is one subscription for all triggers of a type
 * and one for all its interrupts, however many playlists use it, so an interrupt without active
 * run only checks an empty list. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** First node whose type is at or above @p type. Pointer order is never visible to callers. */
static size_t find_node(const struct cue_playlists *set, const struct cue_type *type)
{
	size_t low = 0, high = set->n_nodes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((uintptr_t)set->nodes[middle]->type < (uintptr_t)type)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert_node(struct cue_playlists *set, size_t i, const struct cue_type *type)
{
	struct type_node *node;

	if (set->n_nodes == set->cap_nodes) {
		size_t cap = set->cap_nodes ? 2 * set->cap_nodes : 16;
		struct type_node **nodes = realloc(set->nodes, cap * sizeof(*nodes));

		if (!nodes)
			return -ENOMEM;
		set->nodes = nodes;
		set->cap_nodes = cap;
	}
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->set = set;
	node->type = type;
	memmove(&set->nodes[i + 1], &set->nodes[i],
	        (set->n_nodes - i) * sizeof(struct type_node *));
	set->nodes[i] = node;
	set->n_nodes++;
	return 0;
}

int cue_type_node_get(struct cue_playlists *set, const char *name, struct type_node **ret_node)
{
	const struct cue_type *type;
	size_t i;
	int r;

	r = cue_bus_intern(set->bus, name, &type);
	if (r < 0)
		return r;
	i = find_node(set, type);
	if (i == set->n_nodes || set->nodes[i]->type != type) {
		r = insert_node(set, i, type);
		if (r < 0)
			return r;
	}
	*ret_node = cue_type_node_ref(set->nodes[i]);
	return 0;
}

struct type_node *cue_type_node_ref(struct type_node *node)
{
	node->refs++;
	return node;
}

void cue_type_node_unref(struct type_node *node)
{
	struct cue_playlists *set;
	size_t i;

	if (!node || --node->refs > 0)
		return;
	set = node->set;
	i = find_node(set, node->type);
	memmove(&set->nodes[i], &set->nodes[i + 1],
	        (set->n_nodes - i - 1) * sizeof(struct type_node *));
	set->n_nodes--;
	free(node->triggers);
	free(node);
}

static int subscribe(struct type_node *node, int priority, cue_handler handler, const char *name,
                     struct cue_subscription **ret_subscription)
{
	return cue_bus_subscribe(node->set->bus,
	                         &(struct cue_subscription_config){
	                                 .type = cue_type_name(node->type),
	                                 .priority = priority,
	                                 .handler = handler,
	                                 .user = node,
	                                 .name = name,
	                         },
	                         ret_subscription);
}

int cue_type_node_add_link(struct type_node *node)
{
	int r = 0;

	if (node->n_links == 0)
		r = subscribe(node, CUE_PRIORITY_INTERRUPT, node->set->on_interrupt,
		              "playlist interrupts", &node->interrupt_subscription);
	if (r < 0)
		return r;
	node->n_links++;
	return 0;
}

void cue_type_node_remove_link(struct type_node *node)
{
	if (--node->n_links == 0)
		node->interrupt_subscription =
		        cue_subscription_cancel(node->interrupt_subscription);
}

size_t cue_type_node_find_trigger(const struct type_node *node, uint64_t order)
{
	size_t low = 0, high = node->n_triggers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (node->triggers[middle].order < order)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int cue_type_node_add_trigger(struct type_node *node, struct playlist *playlist)
{
	size_t i = cue_type_node_find_trigger(node, playlist->order);

	if (i < node->n_triggers && node->triggers[i].playlist == playlist)
		return 0;
	if (node->n_triggers == node->cap_triggers) {
		size_t cap = node->cap_triggers ? 2 * node->cap_triggers : 4;
		struct trigger_entry *entries = realloc(node->triggers, cap * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		node->triggers = entries;
		node->cap_triggers = cap;
	}
	if (node->n_triggers == 0) {
		int r = subscribe(node, CUE_PRIORITY_TRIGGER, node->set->on_trigger,
		                  "playlist triggers", &node->trigger_subscription);
		if (r < 0)
			return r;
	}
	memmove(&node->triggers[i + 1], &node->triggers[i],
	        (node->n_triggers - i) * sizeof(*node->triggers));
	node->triggers[i] = (struct trigger_entry){
		.playlist = playlist,
		.order = playlist->order,
		.since = node->set->bus->stats.events,
	};
	node->n_triggers++;
	cue_type_node_ref(node);
	return 0;
}

void cue_type_node_remove_trigger(struct type_node *node, const struct playlist *playlist)
{
	size_t i = cue_type_node_find_trigger(node, playlist->order);

	if (i == node->n_triggers || node->triggers[i].playlist != playlist)
		return;
	memmove(&node->triggers[i], &node->triggers[i + 1],
	        (node->n_triggers - i - 1) * sizeof(*node->triggers));
	node->n_triggers--;
	if (node->n_triggers == 0)
		node->trigger_subscription = cue_subscription_cancel(node->trigger_subscription);
	cue_type_node_unref(node);
}
