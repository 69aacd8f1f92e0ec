/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cue_state_init(struct state_table *table)
{
	table->n_buckets = 256;
	table->buckets = calloc(table->n_buckets, sizeof(*table->buckets));
	return table->buckets ? 0 : -ENOMEM;
}

void cue_state_clear(struct state_table *table)
{
	for (size_t i = 0; i < table->n_buckets && table->buckets; i++) {
		struct state_entry *entry = table->buckets[i];

		while (entry) {
			struct state_entry *next = entry->next;

			cue_payload_unref(entry->state.payload);
			free(entry);
			entry = next;
		}
	}
	free(table->buckets);
}

static size_t bucket_of(const struct state_table *table, const struct cue_type *type,
                        uint32_t producer_id)
{
	/* type->hash is seeded, so types can't be chosen to collide; mixing (the finaliser of
	 * MurmurHash3, public domain) protects against chosen producers. */
	uint64_t h = type->hash ^ ((uint64_t)producer_id * 0x9e3779b97f4a7c15ULL);

	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	return (size_t)h & (table->n_buckets - 1);
}

static struct state_entry *find(const struct state_table *table, const struct cue_type *type,
                                uint32_t producer_id)
{
	struct state_entry *entry = table->buckets[bucket_of(table, type, producer_id)];

	while (entry && (entry->state.type != type || entry->state.producer_id != producer_id))
		entry = entry->next;
	return entry;
}

/** A larger table is only faster: without memory the old one stays. */
static void grow(struct state_table *table)
{
	struct state_table larger = { .n_buckets = 2 * table->n_buckets,
		                      .n = table->n,
		                      .bytes = table->bytes };

	larger.buckets = calloc(larger.n_buckets, sizeof(*larger.buckets));
	if (!larger.buckets)
		return;
	for (size_t i = 0; i < table->n_buckets; i++) {
		struct state_entry *entry = table->buckets[i];

		while (entry) {
			struct state_entry *next = entry->next;
			size_t b = bucket_of(&larger, entry->state.type, entry->state.producer_id);

			entry->next = larger.buckets[b];
			larger.buckets[b] = entry;
			entry = next;
		}
	}
	free(table->buckets);
	*table = larger;
}

/** The part of @p limit that @p event may use: events from outside may not use the last quarter. */
static uint64_t share(const struct cue_event *event, uint64_t limit)
{
	return event->outside ? limit - limit / 4 : limit;
}

/** Drop the old value first: it is outdated.
 * @return false if the new value does not fit either; then no value is stored. */
static bool store(struct cue_bus *bus, struct cue_state *state, const struct cue_event *event)
{
	struct state_table *table = &bus->states;
	size_t bytes = cue_payload_size(event->payload);

	if (state->payload) {
		table->bytes -= cue_payload_size(state->payload);
		state->payload = cue_payload_unref(state->payload);
	}
	*state = (struct cue_state){
		.type = event->type,
		.producer_id = event->producer_id,
		.time_ns = event->time_ns,
		.seq = event->seq,
	};
	if (table->bytes + bytes > share(event, bus->limits.state_bytes))
		return false;
	table->bytes += bytes;
	state->payload = cue_payload_ref(event->payload);
	return true;
}

static void refuse(struct cue_bus *bus, const struct cue_event *event, enum cue_report_code code,
                   int error)
{
	bus->stats.state_refused++;
	cue_bus_report(bus, &(struct cue_report){ .code = code,
	                                          .error = error,
	                                          .event_type = event->type->name,
	                                          .seq = event->seq });
}

/** Whether the event is older than the stored value. Inputs with different debounce are not
 * dispatched in order of time; an older event must not replace a newer one. */
static bool is_past(const struct cue_state *state, const struct cue_event *event)
{
	return event->time_ns < state->time_ns;
}

/** Create the entry of the event's type and producer. @return NULL: refused and reported. */
static struct state_entry *add(struct cue_bus *bus, const struct cue_event *event)
{
	struct state_table *table = &bus->states;
	struct state_entry *entry;
	size_t b;

	if (table->n >= share(event, bus->limits.state_entries)) {
		refuse(bus, event, CUE_REPORT_STATE_FULL, -ENOSPC);
		return NULL;
	}
	if (table->bytes + sizeof(*entry) > share(event, bus->limits.state_bytes)) {
		refuse(bus, event, CUE_REPORT_STATE_FULL, -EDQUOT);
		return NULL;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry) {
		refuse(bus, event, CUE_REPORT_NO_MEMORY, -ENOMEM);
		return NULL;
	}
	if (table->n >= table->n_buckets)
		grow(table);
	/* The key of the entry. */
	entry->state.type = event->type;
	entry->state.producer_id = event->producer_id;
	b = bucket_of(table, event->type, event->producer_id);
	entry->next = table->buckets[b];
	table->buckets[b] = entry;
	table->n++;
	table->bytes += sizeof(*entry);
	return entry;
}

void cue_state_update(struct cue_bus *bus, const struct cue_event *event)
{
	struct state_entry *entry = find(&bus->states, event->type, event->producer_id);
	/* The bus owns its types; handlers only see them as const. */
	struct cue_type *type = bus->types.by_id[event->type->id];
	bool kept = true;

	if (!entry) {
		entry = add(bus, event);
		if (!entry)
			type->entries_lost = true;
	}
	if (entry && !is_past(&entry->state, event))
		kept = store(bus, &entry->state, event);
	if (!is_past(&type->latest, event)) {
		type->latest_lost = !store(bus, &type->latest, event);
		kept = kept && !type->latest_lost;
	}
	if (!kept)
		refuse(bus, event, CUE_REPORT_STATE_FULL, -EDQUOT);
}

int cue_bus_state_get(const struct cue_bus *bus, const char *type_name, const uint32_t *producer_id,
                      struct cue_state *ret_state)
{
	const struct cue_type *type = cue_intern_find(&bus->types, type_name, strlen(type_name));
	const struct state_entry *entry = NULL;
	const struct cue_state *state;

	if (!type)
		return -ENOENT;
	state = &type->latest;
	if (producer_id) {
		entry = find(&bus->states, type, *producer_id);
		if (!entry)
			return type->entries_lost ? -ENODATA : -ENOENT;
		state = &entry->state;
	}
	if (!state->payload)
		return entry || type->latest_lost ? -ENODATA : -ENOENT;
	*ret_state = *state;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct cue_state *x = a, *y = b;
	int r = x->type == y->type ? 0 : strcmp(x->type->name, y->type->name);

	if (r != 0)
		return r;
	return (x->producer_id > y->producer_id) - (x->producer_id < y->producer_id);
}

int cue_bus_state_foreach(const struct cue_bus *bus, const char *type, const uint32_t *producer_id,
                          int (*visit)(void *user, const struct cue_state *state), void *user)
{
	const struct state_table *table = &bus->states;
	struct cue_state *states;
	size_t n = 0;
	int r = 0;

	if (table->n == 0)
		return 0;
	states = calloc(table->n, sizeof(*states));
	if (!states)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_buckets; i++) {
		for (const struct state_entry *e = table->buckets[i]; e; e = e->next) {
			if (type && strcmp(e->state.type->name, type) != 0)
				continue;
			if (producer_id && e->state.producer_id != *producer_id)
				continue;
			if (!e->state.payload)
				continue;
			states[n++] = e->state;
		}
	}
	qsort(states, n, sizeof(*states), compare);
	for (size_t i = 0; i < n && r == 0; i++)
		r = visit(user, &states[i]);
	free(states);
	return r;
}
