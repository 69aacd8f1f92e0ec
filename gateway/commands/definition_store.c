/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "definition_store_internal.h"

static int encode(const struct definition_text *text, struct definition_blob **ret_blob)
{
	struct definition_blob *blob;
	struct definition_text own = *text;
	char *bytes;
	size_t len;
	int r = definition_file_encode(text, &bytes, &len);

	if (r < 0)
		return r;
	own.json = bytes + len - 1 - text->json_len;
	own.name = own.json - 1 - text->name_len;
	blob = definition_blob_new(bytes, len, &own);
	if (!blob) {
		free(bytes);
		return -ENOMEM;
	}
	*ret_blob = blob;
	return 0;
}

/** Request that the definition's file has the bytes of @p blob (NULL: is removed). Lock held. */
static void change_slot(struct definition_store *store, uint32_t index,
                        struct definition_blob *blob)
{
	struct definition_slot *slot = &store->slots[index];

	definition_blob_unref(slot->blob);
	slot->blob = blob;
	slot->used = blob != NULL;
	if (!store->dir)
		return;
	store->newest++;
	store->changes[store->newest % DEFINITION_STORE_CHANGES] = (struct definition_change){
		.number = store->newest, .slot = index, .error = -EAGAIN
	};
	definition_queue(store, index, store->newest);
	definition_writer_wake(store);
}

/* ---- changes ---- */

static struct definition_text text_of(enum definition_kind kind, const char *name, const char *json,
                                      size_t json_len)
{
	return (struct definition_text){ .kind = kind,
		                         .name = name,
		                         .name_len = strlen(name),
		                         .json = json,
		                         .json_len = json_len };
}

int definition_store_check(struct definition_store *store, enum definition_kind kind,
                           const char *name, size_t len)
{
	struct definition_text text = text_of(kind, name, NULL, len);
	const struct definition_list *list = &store->kinds[kind];
	uint64_t bytes = store->bytes, size = definition_file_size(&text);
	size_t at;

	if (definition_list_find(list, name, &at)) {
		/* A definition that does not grow is always accepted: a lowered limit must not
		 * prevent a correction. */
		if (size <= list->items[at].size)
			return 0;
		bytes -= list->items[at].size;
	}
	if (bytes + size <= store->config.max_bytes && text.name_len <= DEFINITION_NAME_BYTES_MAX)
		return 0;
	store->refused++;
	return -EDQUOT;
}

static int replace(struct definition_store *store, struct definition *definition,
                   struct definition_blob *blob)
{
	store->bytes += blob->len - definition->size;
	definition->size = blob->len;
	definition->in_force = true;
	pthread_mutex_lock(&store->lock);
	change_slot(store, definition->slot, blob);
	pthread_mutex_unlock(&store->lock);
	return 0;
}

static int put_new(struct definition_store *store, enum definition_kind kind, size_t at,
                   const char *name, struct definition_blob *blob)
{
	struct definition definition = { .name = strdup(name),
		                         .size = blob->len,
		                         .in_force = true };
	int r = definition.name ? 0 : -ENOMEM;

	pthread_mutex_lock(&store->lock);
	if (r >= 0) {
		definition.slot = definition_take_slot(store, 0);
		r = definition.slot == DEFINITION_NO_SLOT
		            ? -ENOMEM
		            : definition_list_insert(store, kind, at, &definition);
		if (r < 0 && definition.slot != DEFINITION_NO_SLOT)
			store->slots[definition.slot].used = false;
	}
	if (r >= 0)
		change_slot(store, definition.slot, blob);
	else
		free(definition.name);
	pthread_mutex_unlock(&store->lock);
	return r;
}

int definition_store_put(struct definition_store *store, enum definition_kind kind,
                         const char *name, const struct cue_payload *payload)
{
	struct definition_blob *blob = NULL;
	struct definition_text text;
	size_t len, at;
	const char *json = cue_payload_bytes(payload, &len);
	int r = definition_store_check(store, kind, name, len);

	if (r < 0)
		return r;
	text = text_of(kind, name, json, len);
	r = encode(&text, &blob);
	if (r < 0)
		return r;
	if (definition_list_find(&store->kinds[kind], name, &at))
		return replace(store, &store->kinds[kind].items[at], blob);
	r = put_new(store, kind, at, name, blob);
	if (r < 0)
		definition_blob_unref(blob);
	return r;
}

int definition_store_remove(struct definition_store *store, enum definition_kind kind,
                            const char *name)
{
	size_t at;

	if (!definition_list_find(&store->kinds[kind], name, &at))
		return -ENOENT;
	pthread_mutex_lock(&store->lock);
	change_slot(store, store->kinds[kind].items[at].slot, NULL);
	pthread_mutex_unlock(&store->lock);
	definition_list_take_out(store, kind, at);
	return 0;
}

void definition_store_set_max_bytes(struct definition_store *store, uint64_t max_bytes)
{
	store->config.max_bytes = max_bytes;
}

/* ---- queries ---- */

bool definition_store_has(const struct definition_store *store, enum definition_kind kind,
                          const char *name)
{
	size_t at;

	return definition_list_find(&store->kinds[kind], name, &at);
}

int definition_store_foreach(struct definition_store *store, enum definition_kind kind,
                             int (*visit)(void *user, const char *name,
                                          struct cue_payload *definition),
                             void *user)
{
	const struct definition_list *list = &store->kinds[kind];
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		struct definition_blob *blob;
		struct cue_payload *payload;

		/* Only the loop replaces a slot's blob; the thread never does. */
		pthread_mutex_lock(&store->lock);
		blob = store->slots[list->items[i].slot].blob;
		pthread_mutex_unlock(&store->lock);
		if (!blob)
			continue;
		r = cue_payload_new(blob->text.json, blob->text.json_len, CUE_JSON_DEPTH_MAX,
		                    &payload, NULL);
		if (r < 0)
			return r;
		r = visit(user, list->items[i].name, payload);
		cue_payload_unref(payload);
	}
	return r;
}

void definition_store_set_in_force(struct definition_store *store, enum definition_kind kind,
                                   const char *name, bool in_force)
{
	size_t at;

	if (definition_list_find(&store->kinds[kind], name, &at))
		store->kinds[kind].items[at].in_force = in_force;
}

bool definition_store_is_in_force(const struct definition_store *store, enum definition_kind kind,
                                  const char *name)
{
	size_t at;

	return definition_list_find(&store->kinds[kind], name, &at) &&
	       store->kinds[kind].items[at].in_force;
}

uint64_t definition_store_newest(const struct definition_store *store)
{
	return store->newest;
}

int definition_store_state(struct definition_store *store, uint64_t change)
{
	const struct definition_change *known = &store->changes[change % DEFINITION_STORE_CHANGES];
	int r;

	pthread_mutex_lock(&store->lock);
	/* Until definitions.json is renamed, the next start would read it again. */
	if (store->migrating && !store->migration_failed)
		r = -EAGAIN;
	else if (known->number == change)
		r = known->error;
	else
		r = store->first_queued != DEFINITION_NO_SLOT || store->writing ? -EAGAIN
		                                                                : store->error;
	pthread_mutex_unlock(&store->lock);
	return r;
}

int definition_store_error(struct definition_store *store)
{
	int r;

	pthread_mutex_lock(&store->lock);
	r = store->error;
	pthread_mutex_unlock(&store->lock);
	return r;
}

void definition_store_get_stats(struct definition_store *store,
                                struct definition_store_stats *ret_stats)
{
	*ret_stats = (struct definition_store_stats){
		.bytes = store->bytes,
		.refused = store->refused,
		.set_aside = store->set_aside,
	};
	for (size_t kind = 0; kind < 2; kind++) {
		ret_stats->definitions += store->kinds[kind].n;
		for (size_t i = 0; i < store->kinds[kind].n; i++)
			ret_stats->passed_over += !store->kinds[kind].items[i].in_force;
	}
}

/* ---- life ---- */

static int make(const struct definition_store_config *config, struct definition_store **ret_store)
{
	struct definition_store *store = calloc(1, sizeof(*store));
	pthread_condattr_t attr;

	if (!store)
		return -ENOMEM;
	store->config = *config;
	store->config.state_dir = NULL;
	store->first_queued = store->last_queued = DEFINITION_NO_SLOT;
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&store->work, &attr);
	pthread_cond_init(&store->done, &attr);
	pthread_condattr_destroy(&attr);
	*ret_store = store;
	return 0;
}

int definition_store_new(const struct definition_store_config *config,
                         struct definition_store **ret_store)
{
	struct definition_store *store;
	int r = make(config, &store);

	if (r < 0)
		return r;
	if (config->state_dir) {
		store->dir = strdup(config->state_dir);
		r = store->dir ? definition_load(store) : -ENOMEM;
		if (r >= 0)
			r = definition_writer_start(store);
	}
	if (r < 0) {
		definition_store_free(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

/** Lock held. */
static bool is_busy(const struct definition_store *store)
{
	return store->started && (store->first_queued != DEFINITION_NO_SLOT || store->writing ||
	                          (store->migrating && !store->migration_failed));
}

int definition_store_flush(struct definition_store *store, uint64_t timeout_ns)
{
	struct timespec until = clock_timespec(clock_monotonic_ns() + timeout_ns);
	int r = 0;

	pthread_mutex_lock(&store->lock);
	/* The disk may have room again: do not report an old error. */
	if (store->started && store->error != 0 && !is_busy(store))
		definition_writer_wake(store);
	while (r == 0 && is_busy(store))
		r = -pthread_cond_timedwait(&store->done, &store->lock, &until);
	if (r == 0)
		r = store->error;
	pthread_mutex_unlock(&store->lock);
	return r;
}

/** End the thread. @return whether it has ended. */
static bool end_thread(struct definition_store *store)
{
	struct timespec until = clock_timespec(clock_monotonic_ns() + DEFINITION_STORE_FREE_NS);
	bool ended;
	int r = 0;

	pthread_mutex_lock(&store->lock);
	store->quit = true;
	pthread_cond_signal(&store->work);
	while (r == 0 && !store->ended)
		r = -pthread_cond_timedwait(&store->done, &store->lock, &until);
	ended = store->ended;
	/* The callback may be invalid when the disk releases the thread. */
	store->config.written = NULL;
	store->config.may_write = NULL;
	store->config.log = NULL;
	pthread_mutex_unlock(&store->lock);
	if (ended)
		pthread_join(store->thread, NULL);
	else
		pthread_detach(store->thread);
	return ended;
}

struct definition_store *definition_store_free(struct definition_store *store)
{
	if (!store)
		return NULL;
	if (store->started && !end_thread(store))
		return NULL;
	for (size_t kind = 0; kind < 2; kind++) {
		for (size_t i = 0; i < store->kinds[kind].n; i++)
			free(store->kinds[kind].items[i].name);
		free(store->kinds[kind].items);
	}
	for (size_t i = 0; i < store->n_slots; i++)
		definition_blob_unref(store->slots[i].blob);
	free(store->slots);
	free(store->taken_files);
	pthread_cond_destroy(&store->work);
	pthread_cond_destroy(&store->done);
	pthread_mutex_destroy(&store->lock);
	free(store->dir);
	free(store);
	return NULL;
}
