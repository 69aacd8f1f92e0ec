/* SPDX-License-Identifier: Apache-2.0 */
/* What the store finds at the start: good, spoilt or too many files, and files of earlier
 * versions. */
#include "definition_store_fixture.h"

/** A limit that was lowered, or a folder from another gateway. */
Test(definition_load, over_the_limit_at_the_start_is_passed_over_and_stays)
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

Test(definition_load, one_that_is_spoilt_is_set_aside_and_the_rest_starts)
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

Test(definition_load, of_very_many_spoilt_files_the_rest_stays_where_it_is)
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

Test(definition_load, no_link_fifo_or_folder_is_followed_or_waited_for)
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

Test(definition_load, a_folder_that_is_none_is_set_aside)
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

Test(definition_load, the_old_file_is_taken_over_once)
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
Test(definition_load, the_old_file_does_not_undo_what_came_after)
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

Test(definition_load, of_a_spoilt_old_file_the_good_is_taken)
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
Test(definition_load, an_old_file_of_any_size_is_read)
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
