/* SPDX-License-Identifier: Apache-2.0 */
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

static struct definition_store *open_with(uint64_t max_bytes, int (*may_write)(void *user))
{
	struct definition_store_config config = { .state_dir = *dir ? dir : NULL,
		                                  .max_bytes = max_bytes,
		                                  .may_write = may_write };
	struct definition_store *store = NULL;

	cr_assert_eq(definition_store_new(&config, &store), 0);
	return store;
}

static struct definition_store *open_store(void)
{
	return open_with(MAX, NULL);
}

static int put(struct definition_store *store, enum definition_kind kind, const char *name,
               const char *json)
{
	struct cue_payload *payload;
	int r;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	r = definition_store_put(store, kind, name, payload);
	cue_payload_unref(payload);
	return r;
}

static void close_store(struct definition_store *store)
{
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	definition_store_free(store);
}

static int join(void *user, const char *name, struct cue_payload *definition)
{
	char *text = user;
	size_t used = strlen(text);

	snprintf(text + used, ALL_SIZE - used, "%s=%s;", name, cue_payload_bytes(definition, NULL));
	return 0;
}

static const char *all(struct definition_store *store)
{
	static char text[ALL_SIZE];

	text[0] = '\0';
	definition_store_foreach(store, DEFINITION_PLAYLIST, join, text);
	definition_store_foreach(store, DEFINITION_GESTURE, join, text);
	return text;
}

static struct definition_store_stats stats_of(struct definition_store *store)
{
	struct definition_store_stats stats;

	definition_store_get_stats(store, &stats);
	return stats;
}

static const char *path(const char *name)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s/%s", dir, name);
	return text;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(path(name), &st) == 0;
}

/** @return how many names in @p folder have @p part in them. */
static unsigned count(const char *folder, const char *part)
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

static void flip_byte(const char *name, long at)
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

Test(definition_store, comes_back_with_its_spelling)
{
	struct definition_store *store;

	disk_make_dir(dir);
	store = open_store();
	put(store, DEFINITION_PLAYLIST, "b", "{\"x\":1.50}");
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	put(store, DEFINITION_PLAYLIST, "b", "{\"x\":12345678901234567890}");
	put(store, DEFINITION_GESTURE, "g\"", "{\"s\":\"\\n\"}");
	put(store, DEFINITION_GESTURE, "gone", "{}");
	cr_assert_eq(definition_store_remove(store, DEFINITION_GESTURE, "gone"), 0);
	cr_assert_eq(definition_store_remove(store, DEFINITION_GESTURE, "gone"), -ENOENT);
	close_store(store);

	store = open_store();
	cr_assert_str_eq(all(store), "a={};b={\"x\":12345678901234567890};g\"={\"s\":\"\\n\"};");
	cr_assert(definition_store_has(store, DEFINITION_PLAYLIST, "a"));
	cr_assert(!definition_store_has(store, DEFINITION_GESTURE, "a"));
	cr_assert_eq(stats_of(store).definitions, 3U);
	close_store(store);
	disk_remove_dir(dir);
}

/** The files that did not change are the same files as before. */
Test(definition_store, writes_what_changed_and_no_more)
{
	struct definition_store *store;
	struct stat before, after;

	disk_make_dir(dir);
	store = open_store();
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	put(store, DEFINITION_PLAYLIST, "b", "{}");
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	cr_assert_eq(stat(path("definitions/1.def"), &before), 0);
	put(store, DEFINITION_PLAYLIST, "b", "{\"n\":1}");
	put(store, DEFINITION_PLAYLIST, "c", "{}");
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	cr_assert_eq(stat(path("definitions/1.def"), &after), 0);
	cr_assert_eq(before.st_ino, after.st_ino);
	cr_assert_eq(count("definitions", ".def"), 3U);
	definition_store_remove(store, DEFINITION_PLAYLIST, "b");
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	cr_assert(!exists("definitions/2.def"));
	close_store(store);
	disk_remove_dir(dir);
}

Test(definition_store, over_the_limit_is_refused_and_counted)
{
	struct definition_store *store;
	char json[3000];
	uint64_t bytes;

	disk_make_dir(dir);
	store = open_with(4096, NULL);
	memset(json, ' ', sizeof(json));
	snprintf(json, sizeof(json), "{\"t\":\"%0*d\"}", 2500, 1);
	cr_assert_eq(put(store, DEFINITION_PLAYLIST, "a", json), 0);
	cr_assert_eq(put(store, DEFINITION_GESTURE, "b", json), -EDQUOT);
	cr_assert_eq(stats_of(store).refused, 1U);
	cr_assert(!definition_store_has(store, DEFINITION_GESTURE, "b"));
	bytes = stats_of(store).bytes;
	cr_assert(bytes > 2500 && bytes <= 4096);
	/* A replacement has room; after the limit was lowered, only if it does not grow. */
	cr_assert_eq(put(store, DEFINITION_PLAYLIST, "a", json), 0);
	cr_assert_eq(stats_of(store).bytes, bytes);
	definition_store_set_max_bytes(store, 100);
	cr_assert_eq(put(store, DEFINITION_PLAYLIST, "a", "{}"), 0);
	definition_store_remove(store, DEFINITION_PLAYLIST, "a");
	cr_assert_eq(stats_of(store).bytes, 0U);
	close_store(store);
	disk_remove_dir(dir);
}

/** A limit that was lowered, or a folder from another gateway. */
Test(definition_store, over_the_limit_at_the_start_is_passed_over_and_stays)
{
	struct definition_store *store;
	char json[3000];

	disk_make_dir(dir);
	store = open_store();
	snprintf(json, sizeof(json), "{\"t\":\"%0*d\"}", 2500, 1);
	put(store, DEFINITION_PLAYLIST, "a", json);
	put(store, DEFINITION_PLAYLIST, "b", json);
	close_store(store);
	store = open_with(4096, NULL);
	cr_assert_eq(strncmp(all(store), "a=", 2), 0);
	cr_assert_null(strstr(all(store), "b="));
	cr_assert(definition_store_is_in_force(store, DEFINITION_PLAYLIST, "a"));
	cr_assert(!definition_store_is_in_force(store, DEFINITION_PLAYLIST, "b"));
	cr_assert_eq(stats_of(store).passed_over, 1U);
	cr_assert(exists("definitions/2.def"));
	/* Its name can be used all the same. */
	cr_assert(definition_store_has(store, DEFINITION_PLAYLIST, "b"));
	cr_assert_eq(put(store, DEFINITION_PLAYLIST, "b", "{\"n\":2}"), 0);
	close_store(store);
	store = open_with(4096, NULL);
	cr_assert_not_null(strstr(all(store), "b={\"n\":2}"));
	cr_assert_eq(definition_store_remove(store, DEFINITION_PLAYLIST, "b"), 0);
	close_store(store);
	cr_assert(!exists("definitions/2.def"));
	disk_remove_dir(dir);
}

Test(definition_store, one_that_is_spoilt_is_set_aside_and_the_rest_starts)
{
	struct definition_store *store;

	disk_make_dir(dir);
	store = open_store();
	put(store, DEFINITION_PLAYLIST, "a", "{\"n\":1}");
	put(store, DEFINITION_PLAYLIST, "b", "{\"n\":2}");
	put(store, DEFINITION_PLAYLIST, "c", "{\"n\":3}");
	put(store, DEFINITION_PLAYLIST, "d", "{\"n\":4}");
	close_store(store);
	flip_byte("definitions/2.def", -4);
	write_file("definitions/3.def", "");
	write_file("definitions/4.def", "cuebus-definition 2 whatever this is\n");
	write_file("definitions/notes.txt", "mine");
	write_file("definitions/7.def.tmp", "half of it");
	store = open_store();
	cr_assert_str_eq(all(store), "a={\"n\":1};");
	cr_assert_eq(stats_of(store).set_aside, 3U);
	cr_assert_eq(count("definitions", ".def.corrupt-"), 2U);
	/* A newer version can read it. */
	cr_assert(exists("definitions/4.def"));
	cr_assert(exists("definitions/notes.txt"));
	cr_assert(!exists("definitions/7.def.tmp"));
	/* A new one does not replace the remaining file. */
	put(store, DEFINITION_PLAYLIST, "b", "{\"n\":5}");
	put(store, DEFINITION_PLAYLIST, "c", "{\"n\":6}");
	put(store, DEFINITION_PLAYLIST, "d", "{\"n\":7}");
	close_store(store);
	store = open_store();
	cr_assert_str_eq(all(store), "a={\"n\":1};b={\"n\":5};c={\"n\":6};d={\"n\":7};");
	cr_assert_eq(stats_of(store).set_aside, 1U);
	close_store(store);
	disk_remove_dir(dir);
}

/** Files in definitions/ whose name contains @p part. */
static unsigned count_names(const char *part)
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

Test(definition_store, of_very_many_spoilt_files_the_rest_stays_where_it_is)
{
	struct definition_store *store;
	unsigned aside;

	disk_make_dir(dir);
	store = open_store();
	cr_assert_eq(put(store, DEFINITION_PLAYLIST, "good", "{}"), 0);
	close_store(store);
	for (unsigned i = 1000; i < 1500; i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "%s/definitions/%u.def", dir, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		cr_assert_geq(fd, 0);
		cr_assert_eq(write(fd, "x", 1), 1);
		close(fd);
	}
	store = open_store();
	cr_assert_str_eq(all(store), "good={};");
	cr_assert_eq(stats_of(store).set_aside, 500, "each is counted");
	aside = count_names(".corrupt-");
	cr_assert_leq(aside, 64);
	cr_assert_geq(aside, 1);
	cr_assert_eq(count_names(".def"), 501, "none is lost");
	close_store(store);
	disk_remove_dir(dir);
}

Test(definition_store, no_link_fifo_or_folder_is_followed_or_waited_for)
{
	struct definition_store *store;
	struct stat st;

	disk_make_dir(dir);
	cr_assert_eq(mkdir(path("definitions"), 0700), 0);
	write_file("secret", "untouched");
	cr_assert_eq(symlink("../secret", path("definitions/1.def")), 0);
	cr_assert_eq(symlink("../secret", path("definitions/6.def.tmp")), 0);
	cr_assert_eq(mkfifo(path("definitions/2.def"), 0600), 0);
	cr_assert_eq(mkdir(path("definitions/3.def"), 0700), 0);
	cr_assert_eq(mkfifo(path("definitions.json"), 0600), 0);
	store = open_store();
	cr_assert_str_eq(all(store), "");
	cr_assert_eq(stats_of(store).set_aside, 4U);
	cr_assert_eq(count("definitions", ".corrupt-"), 3U);
	cr_assert_eq(count("", "definitions.json.corrupt-"), 1U);
	/* Put there while it runs. */
	for (unsigned i = 1; i < 8; i++) {
		char name[64];

		snprintf(name, sizeof(name), "definitions/%u.def.tmp", i);
		unlink(path(name));
		cr_assert_eq(symlink("../secret", path(name)), 0);
	}
	cr_assert_eq(mkdir(path("definitions/8.def.tmp"), 0700), 0);
	for (unsigned i = 0; i < 8; i++) {
		char name[2] = { (char)('a' + i), '\0' };

		put(store, DEFINITION_PLAYLIST, name, "{}");
	}
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	cr_assert_eq(stat(path("secret"), &st), 0);
	cr_assert_eq(st.st_size, 9);
	close_store(store);
	store = open_store();
	cr_assert_eq(stats_of(store).definitions, 8U);
	close_store(store);
	disk_remove_dir(dir);
}

Test(definition_store, a_folder_that_is_none_is_set_aside)
{
	struct definition_store *store;

	disk_make_dir(dir);
	write_file("definitions", "mine");
	store = open_store();
	cr_assert_eq(count("", "definitions.corrupt-"), 1U);
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	close_store(store);
	cr_assert(exists("definitions/1.def"));
	disk_remove_dir(dir);
	/* A link to another folder is not followed either. */
	disk_make_dir(dir);
	cr_assert_eq(mkdir(path("elsewhere"), 0700), 0);
	cr_assert_eq(symlink("elsewhere", path("definitions")), 0);
	store = open_store();
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	close_store(store);
	cr_assert(!exists("elsewhere/1.def"));
	cr_assert(exists("definitions/1.def"));
	disk_remove_dir(dir);
}

/* ---- definitions.json, as 0.1 wrote it ---- */

Test(definition_store, the_old_file_is_taken_over_once)
{
	struct definition_store *store;

	disk_make_dir(dir);
	cr_assert_eq(mkdir(path("definitions.json.migrated"), 0700), 0);
	write_file("definitions.json",
	           "{\"version\":1,\"playlists\":{\"a\":\"{\\\"n\\\":1.50}\",\"b\\u00e9\":\"{}\"},"
	           "\"gestures\":{\"g\":\"{}\"}}");
	store = open_store();
	cr_assert_str_eq(all(store), "a={\"n\":1.50};b\xc3\xa9={};g={};");
	cr_assert_eq(stats_of(store).set_aside, 0U);
	close_store(store);
	cr_assert(!exists("definitions.json"));
	cr_assert(exists("definitions.json.migrated"));
	cr_assert_eq(count("", "definitions.json.migrated.corrupt-"), 1U);
	cr_assert_eq(count("definitions", ".def"), 3U);
	store = open_store();
	definition_store_remove(store, DEFINITION_PLAYLIST, "a");
	close_store(store);
	store = open_store();
	cr_assert_str_eq(all(store), "b\xc3\xa9={};g={};");
	close_store(store);
	disk_remove_dir(dir);
}

/** A kill between the two: a definition with its own file is newer. */
Test(definition_store, the_old_file_does_not_undo_what_came_after)
{
	struct definition_store *store;

	disk_make_dir(dir);
	store = open_store();
	put(store, DEFINITION_PLAYLIST, "a", "{\"n\":2}");
	close_store(store);
	write_file("definitions.json", "{\"version\":1,\"playlists\":{\"a\":\"{\\\"n\\\":1}\"},"
	                               "\"gestures\":{}}");
	store = open_store();
	cr_assert_str_eq(all(store), "a={\"n\":2};");
	close_store(store);
	cr_assert(!exists("definitions.json"));
	disk_remove_dir(dir);
}

Test(definition_store, of_a_spoilt_old_file_the_good_is_taken)
{
	struct definition_store *store;

	disk_make_dir(dir);
	write_file(
	        "definitions.json",
	        "{\"version\":1,\"playlists\":{\"a\":\"{}\",\"bad\":\"{\",\"c\":\"{}\",\"d\":\"{");
	store = open_store();
	cr_assert_str_eq(all(store), "a={};c={};");
	cr_assert_eq(stats_of(store).set_aside, 2U);
	close_store(store);
	cr_assert(!exists("definitions.json"));
	cr_assert_eq(count("", "definitions.json.corrupt-"), 1U);
	store = open_store();
	cr_assert_str_eq(all(store), "a={};c={};");
	close_store(store);
	disk_remove_dir(dir);
}

/** A file of the version before that is larger than 64 MiB. */
Test(definition_store, an_old_file_of_any_size_is_read)
{
	const size_t size = 64U * 1024U;
	struct definition_store *store;
	char *text = malloc(size + 1);
	FILE *f;

	cr_assert_not_null(text);
	disk_make_dir(dir);
	for (size_t i = 0; i < size; i += 2)
		memcpy(text + i, "\\\\", 2);
	text[size] = '\0';
	f = fopen(path("definitions.json"), "w");
	cr_assert_not_null(f);
	fputs("{\"version\":1,\"playlists\":{", f);
	for (unsigned i = 0; i < 1100; i++)
		fprintf(f, "%s\"p%04u\":\"\\\"%s\\\"\"", i ? "," : "", i, text);
	fputs("},\"gestures\":{}}", f);
	cr_assert(ftell(f) > 64L * 1024L * 1024L);
	fclose(f);
	store = open_store();
	cr_assert(stats_of(store).definitions > 400U);
	cr_assert(stats_of(store).bytes <= MAX);
	cr_assert(stats_of(store).set_aside > 0U);
	close_store(store);
	cr_assert(exists("definitions.json.migrated"));
	free(text);
	disk_remove_dir(dir);
}

/* ---- writes that fail ---- */

Test(definition_store, a_write_that_fails_is_said_and_made_good)
{
	struct definition_store *store;
	uint64_t change;

	disk_make_dir(dir);
	store = open_store();
	put(store, DEFINITION_PLAYLIST, "first", "{}");
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	disk_remove_dir(dir);
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	change = definition_store_newest(store);
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), -ENOENT);
	cr_assert_eq(definition_store_state(store, change), -ENOENT);
	cr_assert_eq(definition_store_state(store, 1), 0);
	cr_assert_eq(definition_store_error(store), -ENOENT);
	/* Another folder in its place lacks all that was written. */
	cr_assert_eq(mkdir(dir, 0700), 0);
	put(store, DEFINITION_PLAYLIST, "b", "{}");
	close_store(store);
	store = open_store();
	cr_assert_str_eq(all(store), "a={};b={};first={};");
	close_store(store);
	disk_remove_dir(dir);
}

static _Atomic int refusal;

static int ask(void *user)
{
	(void)user;
	return refusal;
}

/** Each change has its own result, independent of the others. */
Test(definition_store, each_change_has_its_own_result)
{
	struct definition_store *store;

	disk_make_dir(dir);
	store = open_with(MAX, ask);
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	refusal = -EBUSY;
	put(store, DEFINITION_PLAYLIST, "b", "{}");
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), -EBUSY);
	refusal = 0;
	put(store, DEFINITION_PLAYLIST, "c", "{}");
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	cr_assert_eq(definition_store_state(store, 1), 0);
	cr_assert_eq(definition_store_state(store, 2), -EBUSY);
	cr_assert_eq(definition_store_state(store, 3), 0);
	close_store(store);
	store = open_store();
	cr_assert_str_eq(all(store), "a={};b={};c={};");
	close_store(store);
	disk_remove_dir(dir);
}

/** A flush at the stop tries again: the disk may have room now. */
Test(definition_store, a_flush_tries_again_what_failed)
{
	struct definition_store *store;

	disk_make_dir(dir);
	store = open_with(MAX, ask);
	refusal = -ENOSPC;
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), -ENOSPC);
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), -ENOSPC);
	refusal = 0;
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	close_store(store);
	store = open_store();
	cr_assert_str_eq(all(store), "a={};");
	close_store(store);
	disk_remove_dir(dir);
}

static _Atomic bool held;

static int hold(void *user)
{
	(void)user;
	while (held)
		usleep(1000);
	return 0;
}

/** A disk that does not answer blocks neither the exit nor the loop. */
Test(definition_store, a_disk_that_hangs_is_not_waited_for)
{
	struct definition_store *store;

	disk_make_dir(dir);
	store = open_with(MAX, hold);
	held = true;
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	put(store, DEFINITION_PLAYLIST, "a", "{\"n\":2}");
	cr_assert_eq(definition_store_state(store, 1), -EAGAIN);
	cr_assert_eq(definition_store_flush(store, 1000000), -ETIMEDOUT);
	held = false;
	cr_assert_eq(definition_store_flush(store, FLUSH_NS), 0);
	cr_assert_eq(definition_store_state(store, 1), 0);
	cr_assert_eq(definition_store_state(store, 2), 0);
	close_store(store);
	disk_remove_dir(dir);
}

Test(definition_store, without_a_directory_it_is_in_memory)
{
	struct definition_store *store;

	dir[0] = '\0';
	store = open_store();
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	cr_assert_eq(definition_store_newest(store), 0U);
	cr_assert(definition_store_has(store, DEFINITION_PLAYLIST, "a"));
	cr_assert_str_eq(all(store), "a={};");
	close_store(store);
}
