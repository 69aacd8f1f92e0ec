/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file definition_store_fixture.h
 * @brief A definition store in a folder of its own, and looks into that folder. Not
 * thread-safe.
 */
#ifndef CUEBUS_DEFINITION_STORE_FIXTURE_H
#define CUEBUS_DEFINITION_STORE_FIXTURE_H

#include "definition_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cue_criterion.h"
#include "disk_fixture.h"
#include "time_limits.h"

#define FLUSH_NS limit_ns(60000000000ULL)
#define MAX      (16U * 1024U * 1024U)
#define ALL_SIZE 8192U

static char dir[64];

static inline struct definition_store *open_with(uint64_t max_bytes, int (*may_write)(void *user))
{
	struct definition_store_config config = { .state_dir = *dir ? dir : NULL,
		                                  .max_bytes = max_bytes,
		                                  .may_write = may_write };
	struct definition_store *store = NULL;

	cr_assert_eq(definition_store_new(&config, &store), 0);
	return store;
}

static inline struct definition_store *open_store(void)
{
	return open_with(MAX, NULL);
}

static inline int put(struct definition_store *store, enum definition_kind kind, const char *name,
                      const char *json)
{
	struct cue_payload *payload;
	int r;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	r = definition_store_put(store, kind, name, payload);
	cue_payload_unref(payload);
	return r;
}

static inline void close_store(struct definition_store *store)
{
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	definition_store_free(store);
}

static inline int join(void *user, const char *name, struct cue_payload *definition)
{
	char *text = user;
	size_t used = strlen(text);

	snprintf(text + used, ALL_SIZE - used, "%s=%s;", name, cue_payload_bytes(definition, NULL));
	return 0;
}

static inline const char *all(struct definition_store *store)
{
	static char text[ALL_SIZE];

	text[0] = '\0';
	definition_store_foreach(store, DEFINITION_PLAYLIST, join, text);
	definition_store_foreach(store, DEFINITION_GESTURE, join, text);
	return text;
}

static inline struct definition_store_stats stats_of(struct definition_store *store)
{
	struct definition_store_stats stats;

	definition_store_get_stats(store, &stats);
	return stats;
}

static inline const char *path(const char *name)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s/%s", dir, name);
	return text;
}

static inline void write_file(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static inline bool exists(const char *name)
{
	struct stat st;

	return lstat(path(name), &st) == 0;
}

/** @return how many names in @p folder have @p part in them. */
static inline unsigned count(const char *folder, const char *part)
{
	char command[512];
	unsigned n = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls -a '%s' | grep -c -F -e '%s'", path(folder), part);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	cr_assert_eq(fscanf(pipe, "%u", &n), 1);
	pclose(pipe);
	return n;
}

static inline void flip_byte(const char *name, long at)
{
	FILE *f = fopen(path(name), "r+");
	int c;

	cr_assert_not_null(f);
	fseek(f, at, SEEK_END);
	c = fgetc(f);
	fseek(f, at, SEEK_END);
	fputc(c ^ 1, f);
	fclose(f);
}

/** Files in definitions/ whose name contains @p part. */
static inline unsigned count_names(const char *part)
{
	char folder[128];
	struct dirent *entry;
	unsigned n = 0;
	DIR *d;

	snprintf(folder, sizeof(folder), "%s/definitions", dir);
	d = opendir(folder);
	cr_assert_not_null(d);
	while ((entry = readdir(d)))
		n += strstr(entry->d_name, part) != NULL;
	closedir(d);
	return n;
}

#endif
