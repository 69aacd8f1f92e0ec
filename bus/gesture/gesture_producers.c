/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table whose entries are also in a list in the order of their last event. Producer ids
 * come from outside, so their number is bounded. */
#include "gesture_internal.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 16U

struct producer {
	struct producer *next; /* in its bucket */
	struct producer *older, *newer;
	uint32_t id;
	alignas(max_align_t) unsigned char item[];
};

static struct producer **bucket_of(const struct producer_table *table, uint32_t producer_id)
{
	/* Knuth's multiplicative hash; the high bits are the best mixed. */
	uint32_t hash = producer_id * 2654435761U;

	return &table->buckets[(hash ^ (hash >> 16)) & (table->n_buckets - 1)];
}

static void list_remove(struct producer_table *table, struct producer *producer)
{
	*(producer->older ? &producer->older->newer : &table->oldest) = producer->newer;
	*(producer->newer ? &producer->newer->older : &table->newest) = producer->older;
}

static void list_append(struct producer_table *table, struct producer *producer)
{
	producer->newer = NULL;
	producer->older = table->newest;
	*(table->newest ? &table->newest->newer : &table->oldest) = producer;
	table->newest = producer;
}

static void forget(struct producer_table *table, struct producer *producer)
{
	struct producer **link = bucket_of(table, producer->id);

	while (*link != producer)
		link = &(*link)->next;
	*link = producer->next;
	list_remove(table, producer);
	table->n--;
	if (table->item_clear)
		table->item_clear(producer->item);
	free(producer);
}

static struct producer *look_up(const struct producer_table *table, uint32_t producer_id)
{
	struct producer *producer = *bucket_of(table, producer_id);

	while (producer && producer->id != producer_id)
		producer = producer->next;
	return producer;
}

void cue_producer_table_foreach(const struct producer_table *table, void (*visit)(void *item))
{
	for (struct producer *p = table->oldest; p; p = p->newer)
		visit(p->item);
}

void cue_producer_table_remove(struct producer_table *table, uint32_t producer_id)
{
	forget(table, look_up(table, producer_id));
}

size_t cue_producer_table_item_bytes(const struct producer_table *table)
{
	return sizeof(struct producer) + table->item_size + table->beside_bytes;
}

int cue_producer_table_init(struct producer_table *table, size_t max, size_t item_size,
                            void (*item_clear)(void *item))
{
	*table = (struct producer_table){
		.buckets = calloc(BUCKETS_FIRST, sizeof(struct producer *)),
		.n_buckets = BUCKETS_FIRST,
		.max = max ? max : 1,
		.item_size = item_size,
		.item_clear = item_clear,
	};
	return table->buckets ? 0 : -ENOMEM;
}

void cue_producer_table_clear(struct producer_table *table)
{
	while (table->oldest)
		forget(table, table->oldest);
	free(table->buckets);
	table->buckets = NULL;
}

void *cue_producer_table_find(struct producer_table *table, uint32_t producer_id)
{
	struct producer *producer = look_up(table, producer_id);

	if (!producer)
		return NULL;
	list_remove(table, producer);
	list_append(table, producer);
	return producer->item;
}

/** Without memory the table keeps its size: longer chains are slower, but correct. */
static void grow(struct producer_table *table)
{
	struct producer **buckets = calloc(2 * table->n_buckets, sizeof(struct producer *));

	if (!buckets)
		return;
	free(table->buckets);
	table->buckets = buckets;
	table->n_buckets *= 2;
	for (struct producer *p = table->oldest; p; p = p->newer) {
		struct producer **bucket = bucket_of(table, p->id);

		p->next = *bucket;
		*bucket = p;
	}
}

void *cue_producer_table_get(struct producer_table *table, uint32_t producer_id, bool *ret_forgot)
{
	void *item = cue_producer_table_find(table, producer_id);
	struct producer **bucket;
	struct producer *producer;

	*ret_forgot = false;
	if (item)
		return item;
	producer = calloc(1, sizeof(*producer) + table->item_size);
	if (!producer)
		return NULL;
	if (table->n >= table->max) {
		forget(table, table->oldest);
		*ret_forgot = true;
	} else if (table->n >= table->n_buckets) {
		grow(table);
	}
	producer->id = producer_id;
	bucket = bucket_of(table, producer_id);
	producer->next = *bucket;
	*bucket = producer;
	list_append(table, producer);
	table->n++;
	return producer->item;
}
