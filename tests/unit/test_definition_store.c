/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_store_fixture.h"

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
	/* A new folder in its place is empty: everything is written again. */
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
