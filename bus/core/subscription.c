/* SPDX-License-Identifier: Apache-2.0 */
/* Each type caches the ordered list of its subscriptions. A list is immutable: a change of
 * subscriptions drops the affected lists, and the next event of the type builds a new one. A
 * dispatch holds a reference on the list it walks, so handlers may subscribe and cancel at any
 * time. A cancelled subscription is marked at once and freed with its last list. */
#include "bus_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void subscription_unref(struct cue_subscription *subscription)
{
	if (--subscription->refs > 0)
		return;
	if (subscription->destroy)
		subscription->destroy(subscription->user);
	free(subscription->prefix);
	free(subscription->name);
	free(subscription);
}

void cue_subscription_list_unref(struct subscription_list *list)
{
	if (!list || --list->refs > 0)
		return;
	for (size_t i = 0; i < list->n; i++)
		subscription_unref(list->items[i]);
	free(list);
}

static void drop_list(struct cue_type *type)
{
	struct subscription_list *list = type->list;

	type->list = NULL;
	cue_subscription_list_unref(list);
}

static void drop_lists(struct cue_bus *bus, struct cue_type *type)
{
	if (type) {
		drop_list(type);
		return;
	}
	for (size_t i = 0; i < bus->types.n; i++)
		drop_list(bus->types.by_id[i]);
}

static int append(struct cue_subscription ***items, size_t *n, size_t *cap,
                  struct cue_subscription *item)
{
	if (*n == *cap) {
		size_t larger = *cap ? 2 * *cap : 4;
		struct cue_subscription **p = realloc(*items, larger * sizeof(**items));

		if (!p)
			return -ENOMEM;
		*items = p;
		*cap = larger;
	}
	(*items)[(*n)++] = item;
	return 0;
}

static void remove_item(struct cue_subscription **items, size_t *n,
                        const struct cue_subscription *item)
{
	for (size_t i = 0; i < *n; i++) {
		if (items[i] != item)
			continue;
		memmove(&items[i], &items[i + 1], (*n - i - 1) * sizeof(*items));
		(*n)--;
		return;
	}
}

static bool wildcard_sees(const struct cue_subscription *subscription, const struct cue_type *type)
{
	return strncmp(subscription->prefix, type->name, strlen(subscription->prefix)) == 0;
}

static int compare(const void *a, const void *b)
{
	const struct cue_subscription *x = *(struct cue_subscription *const *)a;
	const struct cue_subscription *y = *(struct cue_subscription *const *)b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

struct subscription_list *cue_subscription_list_get(struct cue_bus *bus, struct cue_type *type)
{
	struct subscription_list *list = type->list;
	size_t n = type->n_exact;

	if (list) {
		list->refs++;
		return list;
	}
	for (size_t i = 0; i < bus->n_wildcards; i++)
		n += wildcard_sees(bus->wildcards[i], type);
	list = malloc(sizeof(*list) + n * sizeof(*list->items));
	if (!list)
		return NULL;
	list->refs = 2; /* the type's and the caller's */
	list->n = 0;
	for (size_t i = 0; i < type->n_exact; i++)
		list->items[list->n++] = type->exact[i];
	for (size_t i = 0; i < bus->n_wildcards; i++) {
		if (wildcard_sees(bus->wildcards[i], type))
			list->items[list->n++] = bus->wildcards[i];
	}
	qsort(list->items, list->n, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->n; i++)
		list->items[i]->refs++;
	type->list = list;
	return list;
}

/** Resolve a pattern to an exact type or a wildcard prefix. */
static int resolve(struct cue_bus *bus, const char *pattern, struct cue_subscription *subscription)
{
	size_t len = strlen(pattern);

	if (strcmp(pattern, "*") == 0) {
		subscription->prefix = strdup("");
		return subscription->prefix ? 0 : -ENOMEM;
	}
	if (len > 2 && strcmp(pattern + len - 2, ".*") == 0) {
		if (!cue_type_is_valid(pattern, len - 2, NULL))
			return -EINVAL;
		subscription->prefix = strndup(pattern, len - 1);
		return subscription->prefix ? 0 : -ENOMEM;
	}
	return cue_intern_type(bus, pattern, false, &subscription->type);
}

static int enlist(struct cue_bus *bus, struct cue_subscription *subscription)
{
	struct cue_type *type = subscription->type;

	if (type)
		return append(&type->exact, &type->n_exact, &type->cap_exact, subscription);
	return append(&bus->wildcards, &bus->n_wildcards, &bus->cap_wildcards, subscription);
}

int cue_bus_subscribe(struct cue_bus *bus, const struct cue_subscription_config *config,
                      struct cue_subscription **ret_subscription)
{
	struct cue_subscription *subscription;
	int r;

	if (!config->type || !config->handler)
		return -EINVAL;
	subscription = calloc(1, sizeof(*subscription));
	if (!subscription)
		return -ENOMEM;
	subscription->bus = bus;
	subscription->refs = 1;
	subscription->priority = config->priority;
	subscription->handler = config->handler;
	subscription->user = config->user;
	r = resolve(bus, config->type, subscription);
	if (r >= 0 && config->name) {
		subscription->name = strdup(config->name);
		r = subscription->name ? 0 : -ENOMEM;
	}
	if (r >= 0)
		r = enlist(bus, subscription);
	if (r < 0) {
		subscription_unref(subscription);
		return r;
	}
	/* Set last: a refused subscription must not destroy `user`. */
	subscription->destroy = config->destroy;
	subscription->order = bus->next_subscription++;
	subscription->next = bus->subscriptions;
	subscription->link = &bus->subscriptions;
	if (subscription->next)
		subscription->next->link = &subscription->next;
	bus->subscriptions = subscription;
	bus->stats.subscriptions++;
	drop_lists(bus, subscription->type);
	*ret_subscription = subscription;
	return 0;
}

struct cue_subscription *cue_subscription_cancel(struct cue_subscription *subscription)
{
	struct cue_bus *bus;
	struct cue_type *type;

	if (!subscription)
		return NULL;
	bus = subscription->bus;
	type = subscription->type;
	subscription->cancelled = true;
	if (type)
		remove_item(type->exact, &type->n_exact, subscription);
	else
		remove_item(bus->wildcards, &bus->n_wildcards, subscription);
	*subscription->link = subscription->next;
	if (subscription->next)
		subscription->next->link = subscription->link;
	bus->stats.subscriptions--;
	drop_lists(bus, type);
	subscription_unref(subscription);
	return NULL;
}

void cue_subscriptions_clear(struct cue_bus *bus)
{
	while (bus->subscriptions)
		cue_subscription_cancel(bus->subscriptions);
	drop_lists(bus, NULL);
	free(bus->wildcards);
}
