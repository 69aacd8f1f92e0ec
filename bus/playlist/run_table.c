/* SPDX-License-Identifier: Apache-2.0 */
/* Active runs by id. The ids are random, so their first bytes are the hash. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct run **bucket_of(const struct run_table *table, const struct cue_id *id)
{
	uint64_t hash;

	memcpy(&hash, id->bytes, sizeof(hash));
	return &table->buckets[hash & (table->n_buckets - 1)];
}

int cue_run_table_init(struct run_table *table)
{
	table->n_buckets = 64;
	table->buckets = calloc(table->n_buckets, sizeof(struct run *));
	return table->buckets ? 0 : -ENOMEM;
}

void cue_run_table_clear(struct run_table *table)
{
	free(table->buckets);
	*table = (struct run_table){ 0 };
}

struct run *cue_run_table_find(const struct run_table *table, const struct cue_id *id)
{
	for (struct run *run = *bucket_of(table, id); run; run = run->hash_next) {
		if (cue_id_equal(&run->id, id))
			return run;
	}
	return NULL;
}

int cue_run_table_reserve(struct run_table *table)
{
	struct run_table larger = { .n_buckets = 2 * table->n_buckets, .n = table->n };

	if (table->n < table->n_buckets)
		return 0;
	larger.buckets = calloc(larger.n_buckets, sizeof(struct run *));
	if (!larger.buckets)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_buckets; i++) {
		for (struct run *run = table->buckets[i], *next; run; run = next) {
			struct run **bucket = bucket_of(&larger, &run->id);

			next = run->hash_next;
			run->hash_next = *bucket;
			*bucket = run;
		}
	}
	free(table->buckets);
	*table = larger;
	return 0;
}

void cue_run_table_insert(struct run_table *table, struct run *run)
{
	struct run **bucket = bucket_of(table, &run->id);

	run->hash_next = *bucket;
	*bucket = run;
	table->n++;
}

void cue_run_table_remove(struct run_table *table, struct run *run)
{
	struct run **link = bucket_of(table, &run->id);

	while (*link != run)
		link = &(*link)->hash_next;
	*link = run->hash_next;
	table->n--;
}
