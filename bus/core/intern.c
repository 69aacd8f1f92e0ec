/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_internal.h"

#include <cuebus/fnv.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The seed keeps remote publishers from choosing names that share a bucket. */
static uint64_t hash_name(uint64_t seed, const char *name, size_t len)
{
	uint64_t hash = cue_fnv(CUE_FNV_BEGIN ^ seed, name, len);

	return hash ^ (hash >> 32);
}

int cue_intern_init(struct intern_table *table, uint64_t seed)
{
	table->n_buckets = 64;
	table->seed = seed;
	table->buckets = calloc(table->n_buckets, sizeof(*table->buckets));
	return table->buckets ? 0 : -ENOMEM;
}

static void type_free(struct cue_type *type)
{
	cue_payload_unref(type->latest.payload);
	free(type->exact);
	free(type->name);
	free(type);
}

void cue_intern_clear(struct intern_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		type_free(table->by_id[i]);
	free(table->by_id);
	free(table->buckets);
}

static struct cue_type *find_hashed(const struct intern_table *table, const char *name, size_t len,
                                    uint64_t hash)
{
	for (struct cue_type *type = table->buckets[hash & (table->n_buckets - 1)]; type;
	     type = type->next) {
		if (type->hash == hash && type->len == len && memcmp(type->name, name, len) == 0)
			return type;
	}
	return NULL;
}

struct cue_type *cue_intern_find(const struct intern_table *table, const char *name, size_t len)
{
	return find_hashed(table, name, len, hash_name(table->seed, name, len));
}

/** Make room for one more type. @return 0; -ENOMEM. */
static int reserve(struct intern_table *table)
{
	if (table->n == table->cap) {
		size_t cap = table->cap ? 2 * table->cap : 64;
		struct cue_type **by_id = realloc(table->by_id, cap * sizeof(*by_id));

		if (!by_id)
			return -ENOMEM;
		table->by_id = by_id;
		table->cap = cap;
	}
	if (table->n >= table->n_buckets) {
		size_t n_buckets = 2 * table->n_buckets;
		struct cue_type **buckets = calloc(n_buckets, sizeof(*buckets));

		if (!buckets)
			return -ENOMEM;
		for (size_t i = 0; i < table->n; i++) {
			struct cue_type *type = table->by_id[i];
			struct cue_type **bucket = &buckets[type->hash & (n_buckets - 1)];

			type->next = *bucket;
			*bucket = type;
		}
		free(table->buckets);
		table->buckets = buckets;
		table->n_buckets = n_buckets;
	}
	return 0;
}

static int insert(struct cue_bus *bus, const char *name, size_t len, uint64_t hash,
                  struct cue_type **ret_type)
{
	struct intern_table *table = &bus->types;
	struct cue_type *type;
	struct cue_type **bucket;
	int r;

	r = reserve(table);
	if (r < 0)
		return r;
	type = calloc(1, sizeof(*type));
	if (!type)
		return -ENOMEM;
	type->name = strndup(name, len);
	if (!type->name) {
		free(type);
		return -ENOMEM;
	}
	type->len = len;
	type->hash = hash;
	type->id = (uint32_t)table->n;
	type->numbered =
	        !bus->config.is_numbered || bus->config.is_numbered(bus->config.user, type->name);
	bucket = &table->buckets[hash & (table->n_buckets - 1)];
	type->next = *bucket;
	*bucket = type;
	table->by_id[table->n++] = type;
	*ret_type = type;
	return 0;
}

/** Whether the limit leaves room for one more type of its kind; reports it if not. */
static bool has_room(struct cue_bus *bus, const char *name, bool outside)
{
	const struct intern_table *table = &bus->types;

	if ((outside ? table->n_outside : table->n_own) < bus->limits.event_types)
		return true;
	bus->stats.types_refused++;
	cue_bus_report(bus, &(struct cue_report){ .code = CUE_REPORT_TYPES_FULL,
	                                          .error = -ENOSPC,
	                                          .event_type = name });
	return false;
}

static void count_kind(struct intern_table *table, const struct cue_type *type)
{
	if (!type->free)
		++*(type->outside ? &table->n_outside : &table->n_own);
}

/** Count a type from outside as one of the program's own. @return 0; -ENOSPC. */
static int adopt(struct cue_bus *bus, struct cue_type *type)
{
	if (!has_room(bus, type->name, false))
		return -ENOSPC;
	bus->types.n_outside--;
	type->outside = false;
	count_kind(&bus->types, type);
	return 0;
}

int cue_intern_type(struct cue_bus *bus, const char *name, bool outside, struct cue_type **ret_type)
{
	size_t len = strnlen(name, CUE_TYPE_MAX_LEN + 1);
	uint64_t hash = hash_name(bus->types.seed, name, len);
	struct cue_type *type = find_hashed(&bus->types, name, len, hash);
	bool is_free;
	int r = 0;

	if (type) {
		if (type->outside && !outside)
			r = adopt(bus, type);
		if (r >= 0)
			*ret_type = type;
		return r;
	}
	if (!cue_type_is_valid(name, len, NULL))
		return -EINVAL;
	is_free = cue_type_is_reserved(name) && !outside;
	if (!is_free && !has_room(bus, name, outside))
		return -ENOSPC;
	r = insert(bus, name, len, hash, &type);
	if (r < 0) {
		cue_bus_report(bus, &(struct cue_report){ .code = CUE_REPORT_NO_MEMORY,
		                                          .error = r,
		                                          .event_type = name });
		return r;
	}
	type->free = is_free;
	type->outside = outside;
	count_kind(&bus->types, type);
	*ret_type = type;
	return 0;
}

int cue_bus_intern(struct cue_bus *bus, const char *name, const struct cue_type **ret_type)
{
	struct cue_type *type;
	int r = cue_intern_type(bus, name, false, &type);

	if (r < 0)
		return r;
	*ret_type = type;
	return 0;
}

void cue_bus_refresh_types(struct cue_bus *bus)
{
	if (!bus->config.is_numbered)
		return;
	for (size_t i = 0; i < bus->types.n; i++) {
		struct cue_type *type = bus->types.by_id[i];

		type->numbered = bus->config.is_numbered(bus->config.user, type->name);
	}
}

const char *cue_type_name(const struct cue_type *type)
{
	return type->name;
}

const char *cue_event_type_name(const struct cue_event *event)
{
	return event->type->name;
}

bool cue_bus_has_type(const struct cue_bus *bus, const char *name)
{
	const struct cue_type *type = cue_intern_find(&bus->types, name, strlen(name));

	return type ? !type->outside : cue_type_is_reserved(name);
}

uint32_t cue_bus_type_room(const struct cue_bus *bus)
{
	uint32_t limit = bus->limits.event_types;

	return bus->types.n_own < limit ? limit - (uint32_t)bus->types.n_own : 0;
}
