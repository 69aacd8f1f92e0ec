/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_store.h"

#include <cJSON.h>
#include <cuebus/json_writer.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "definitions.json"
#define FILE_MAX_BYTES (64U * 1024U * 1024U)

struct definition {
	struct definition *next;
	char *name;
	struct cue_payload *payload;
};

struct definition_store {
	struct definition *kinds[2]; /* by enum definition_kind; sorted by name */
	char *dir;                   /* NULL: memory only */
	uint64_t newest;             /* number of the newest change */
	void (*told)(void *user);
	void *user;
	/* Shared with the writer, under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	char *pending; /* text to be written next; a newer one takes its place */
	size_t pending_len;
	uint64_t pending_number, written;
	bool writing, quit, started;
	int error;
};

static const char *const kind_keys[] = { "playlists", "gestures" };

/* ---- the file ---- */

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int write_file(const char *dir, const char *text, size_t len)
{
	char tmp[4096], path[4096];
	int fd, r;

	if (snprintf(path, sizeof(path), "%s/%s", dir, FILE_NAME) >= (int)sizeof(path) ||
	    snprintf(tmp, sizeof(tmp), "%s/%s.tmp", dir, FILE_NAME) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, len);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r >= 0)
		r = -errno;
	if (r >= 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(tmp);
		return r;
	}
	return sync_dir(dir);
}

static void *writer(void *arg)
{
	struct definition_store *store = arg;

	pthread_mutex_lock(&store->lock);
	for (;;) {
		char *text = store->pending;
		size_t len = store->pending_len;
		uint64_t number = store->pending_number;
		int r;

		if (!text && store->quit)
			break;
		if (!text) {
			pthread_cond_wait(&store->changed, &store->lock);
			continue;
		}
		store->pending = NULL;
		store->writing = true;
		pthread_mutex_unlock(&store->lock);
		r = write_file(store->dir, text, len);
		free(text);
		pthread_mutex_lock(&store->lock);
		store->writing = false;
		store->error = r;
		store->written = number;
		pthread_cond_broadcast(&store->changed);
		if (store->told)
			store->told(store->user);
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

static int read_file(const char *path, char **ret_text, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	char *text;
	int r = 0;

	if (!file)
		return -errno;
	if (fstat(fileno(file), &st) < 0)
		r = -errno;
	else if (st.st_size > (off_t)FILE_MAX_BYTES)
		r = -EFBIG;
	if (r < 0) {
		fclose(file);
		return r;
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text) {
		fclose(file);
		return -ENOMEM;
	}
	*ret_len = fread(text, 1, (size_t)st.st_size, file);
	text[*ret_len] = '\0';
	fclose(file);
	*ret_text = text;
	return 0;
}

/* ---- the lists ---- */

static struct definition **find(struct definition_store *store, enum definition_kind kind,
                                const char *name)
{
	struct definition **link = &store->kinds[kind];

	while (*link && strcmp((*link)->name, name) < 0)
		link = &(*link)->next;
	return link;
}

static void definition_free(struct definition *definition)
{
	cue_payload_unref(definition->payload);
	free(definition->name);
	free(definition);
}

static int insert(struct definition_store *store, enum definition_kind kind, const char *name,
                  struct cue_payload *payload)
{
	struct definition **link = find(store, kind, name);
	struct definition *definition = *link;

	if (definition && strcmp(definition->name, name) == 0) {
		cue_payload_ref(payload);
		cue_payload_unref(definition->payload);
		definition->payload = payload;
		return 0;
	}
	definition = calloc(1, sizeof(*definition));
	if (!definition)
		return -ENOMEM;
	definition->name = strdup(name);
	if (!definition->name) {
		free(definition);
		return -ENOMEM;
	}
	definition->payload = cue_payload_ref(payload);
	definition->next = *link;
	*link = definition;
	return 0;
}

static int load_kind(struct definition_store *store, enum definition_kind kind, const cJSON *root)
{
	const cJSON *map = cJSON_GetObjectItemCaseSensitive(root, kind_keys[kind]);

	if (!cJSON_IsObject(map))
		return -EBADMSG;
	for (const cJSON *item = map->child; item; item = item->next) {
		struct cue_payload *payload = NULL;
		char *text;
		int r;

		/* The definition stands in a string: its exact spelling is kept. */
		if (!cJSON_IsString(item))
			return -EBADMSG;
		text = item->valuestring;
		r = cue_payload_new(text, strlen(text), CUE_JSON_DEPTH_MAX, &payload, NULL);
		if (r < 0)
			return r == -ENOMEM ? r : -EBADMSG;
		r = insert(store, kind, item->string, payload);
		cue_payload_unref(payload);
		if (r < 0)
			return r;
	}
	return 0;
}

static int load(struct definition_store *store, char *error)
{
	char path[4096];
	char *text = NULL;
	size_t len = 0;
	cJSON *root;
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", store->dir, FILE_NAME) >= (int)sizeof(path)) {
		snprintf(error, 512, "gateway.state_dir: the path is too long");
		return -ENAMETOOLONG;
	}
	r = read_file(path, &text, &len);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		snprintf(error, 512, "%.300s: can't be read: %s", path, strerror(-r));
		return r;
	}
	root = cJSON_ParseWithLength(text, len);
	free(text);
	r = cJSON_IsObject(root) ? load_kind(store, DEFINITION_PLAYLIST, root) : -EBADMSG;
	if (r >= 0)
		r = load_kind(store, DEFINITION_GESTURE, root);
	cJSON_Delete(root);
	if (r == -EBADMSG)
		snprintf(error, 512,
		         "%.300s: is not a file of definitions that cuebus wrote; move it away to "
		         "start without it",
		         path);
	return r;
}

/* ---- snapshots ---- */

static int snapshot(struct definition_store *store, char **ret_text, size_t *ret_len)
{
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	cue_writer_key(&w, "version");
	cue_writer_u64(&w, 1);
	for (size_t kind = 0; kind < 2; kind++) {
		cue_writer_key(&w, kind_keys[kind]);
		cue_writer_object_begin(&w);
		for (const struct definition *d = store->kinds[kind]; d; d = d->next) {
			size_t len;
			const char *bytes = cue_payload_bytes(d->payload, &len);

			cue_writer_key(&w, d->name);
			cue_writer_string_n(&w, bytes, len);
		}
		cue_writer_object_end(&w);
	}
	cue_writer_object_end(&w);
	return cue_writer_finish(&w, ret_text, ret_len);
}

static int schedule_write(struct definition_store *store)
{
	char *text;
	size_t len;
	int r;

	if (!store->dir)
		return 0;
	r = snapshot(store, &text, &len);
	if (r < 0)
		return r;
	pthread_mutex_lock(&store->lock);
	free(store->pending);
	store->pending = text;
	store->pending_len = len;
	store->pending_number = ++store->newest;
	pthread_cond_broadcast(&store->changed);
	pthread_mutex_unlock(&store->lock);
	return 0;
}

int definition_store_put(struct definition_store *store, enum definition_kind kind,
                         const char *name, struct cue_payload *definition)
{
	int r = insert(store, kind, name, definition);

	return r < 0 ? r : schedule_write(store);
}

int definition_store_remove(struct definition_store *store, enum definition_kind kind,
                            const char *name)
{
	struct definition **link = find(store, kind, name);
	struct definition *definition = *link;

	if (!definition || strcmp(definition->name, name) != 0)
		return -ENOENT;
	*link = definition->next;
	definition_free(definition);
	return schedule_write(store);
}

bool definition_store_has(const struct definition_store *store, enum definition_kind kind,
                          const char *name)
{
	for (const struct definition *d = store->kinds[kind]; d; d = d->next) {
		if (strcmp(d->name, name) == 0)
			return true;
	}
	return false;
}

int definition_store_foreach(struct definition_store *store, enum definition_kind kind,
                             int (*visit)(void *user, const char *name,
                                          struct cue_payload *definition),
                             void *user)
{
	int r = 0;

	for (const struct definition *d = store->kinds[kind]; d && r == 0; d = d->next)
		r = visit(user, d->name, d->payload);
	return r;
}

/* ---- life ---- */

int definition_store_new(const char *state_dir, void (*written)(void *user), void *user,
                         struct definition_store **ret_store, char *error)
{
	struct definition_store *store = calloc(1, sizeof(*store));
	int r = 0;

	if (!store)
		return -ENOMEM;
	store->told = written;
	store->user = user;
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->changed, NULL);
	if (state_dir) {
		store->dir = strdup(state_dir);
		r = store->dir ? load(store, error) : -ENOMEM;
		if (r >= 0) {
			r = -pthread_create(&store->thread, NULL, writer, store);
			store->started = r == 0;
			if (r < 0)
				snprintf(error, 512, "can't start a thread: %s", strerror(-r));
		}
	}
	if (r < 0) {
		definition_store_free(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

uint64_t definition_store_newest(const struct definition_store *store)
{
	return store->newest;
}

uint64_t definition_store_written(struct definition_store *store, int *ret_error)
{
	uint64_t written;

	pthread_mutex_lock(&store->lock);
	written = store->written;
	*ret_error = store->error;
	pthread_mutex_unlock(&store->lock);
	return written;
}

int definition_store_flush(struct definition_store *store)
{
	int r;

	pthread_mutex_lock(&store->lock);
	while (store->started && (store->pending || store->writing))
		pthread_cond_wait(&store->changed, &store->lock);
	r = store->error;
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

struct definition_store *definition_store_free(struct definition_store *store)
{
	if (!store)
		return NULL;
	if (store->started) {
		pthread_mutex_lock(&store->lock);
		store->quit = true;
		pthread_cond_broadcast(&store->changed);
		pthread_mutex_unlock(&store->lock);
		pthread_join(store->thread, NULL);
	}
	free(store->pending);
	for (size_t kind = 0; kind < 2; kind++) {
		while (store->kinds[kind]) {
			struct definition *definition = store->kinds[kind];

			store->kinds[kind] = definition->next;
			definition_free(definition);
		}
	}
	pthread_cond_destroy(&store->changed);
	pthread_mutex_destroy(&store->lock);
	free(store->dir);
	free(store);
	return NULL;
}
