/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>

#include "disk_fixture.h"
#include "outbox_internal.h"
#include "time_limits.h"

#define MS       1000000ULL
#define FLUSH_NS limit_ns(60000 * MS)

static char dir[64];

static struct outbox *make(const char *boot_id)
{
	struct outbox_config config = { .max_events = 1000,
		                        .max_bytes = 1000000,
		                        .dir = dir,
		                        .boot_id = boot_id,
		                        .retry_min_ns = 5 * MS,
		                        .retry_max_ns = 20 * MS };
	struct outbox *outbox = NULL;

	disk_install();
	cr_assert_eq(outbox_new(&config, &outbox), 0);
	return outbox;
}

static int append_note(void *user, const char *key, const void *value, size_t len)
{
	char *text = user;

	sprintf(text + strlen(text), "%s=%.*s;", key, (int)len, (const char *)value);
	return 0;
}

/** @p expected: "key=value;" for each note of earlier boots. */
static void expect_notes(struct outbox *outbox, const char *expected)
{
	char text[1024] = "";

	cr_assert_eq(outbox_journal_foreach(outbox, append_note, text), 0);
	cr_assert_str_eq(text, expected);
}

static void put(struct outbox *outbox, const char *key, const char *value)
{
	cr_assert_eq(outbox_journal_put(outbox, key, value, strlen(value)), 0);
}

Test(outbox_journal, what_was_noted_and_not_removed_comes_back_by_key)
{
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	expect_notes(outbox, "");
	put(outbox, "run/2", "second");
	put(outbox, "run/1", "first");
	put(outbox, "run/3", "third");
	put(outbox, "empty", "");
	put(outbox, "run/2", "again");
	cr_assert_eq(outbox_journal_remove(outbox, "run/3"), 0);
	cr_assert_eq(outbox_journal_remove(outbox, "never there"), 0);
	expect_notes(outbox, "");
	outbox_free(outbox);
	outbox = make("b2");
	expect_notes(outbox, "empty=;run/1=first;run/2=again;");
	cr_assert_eq(outbox_journal_remove(outbox, "run/1"), 0);
	put(outbox, "new", "of b2");
	outbox_free(outbox);
	outbox = make("b3");
	expect_notes(outbox, "empty=;new=of b2;run/2=again;");
	outbox_free(outbox);
	disk_remove_dir(dir);
}

static int remove_it(void *user, const char *key, const void *value, size_t len)
{
	(void)value, (void)len;
	cr_assert_eq(outbox_journal_remove(user, key), 0);
	return 0;
}

static int stop_at_once(void *user, const char *key, const void *value, size_t len)
{
	(void)key, (void)value, (void)len;
	++*(unsigned *)user;
	return 7;
}

Test(outbox_journal, may_be_changed_while_it_is_read)
{
	struct outbox *outbox;
	unsigned n = 0;

	disk_make_dir(dir);
	outbox = make("b1");
	put(outbox, "a", "1");
	put(outbox, "b", "2");
	outbox_free(outbox);
	outbox = make("b2");
	cr_assert_eq(outbox_journal_foreach(outbox, stop_at_once, &n), 7);
	cr_assert_eq(n, 1);
	cr_assert_eq(outbox_journal_foreach(outbox, remove_it, outbox), 0);
	outbox_free(outbox);
	outbox = make("b3");
	expect_notes(outbox, "");
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_journal, a_disk_that_failed_gets_what_was_noted_meanwhile)
{
	struct outbox_stats stats;
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	put(outbox, "before", "1");
	put(outbox, "ends", "2");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_write_code = SQLITE_FULL;
	put(outbox, "meanwhile", "3");
	do {
		usleep(1000);
		outbox_get_stats(outbox, &stats);
	} while (stats.on_disk);
	put(outbox, "later", "4");
	put(outbox, "short", "5");
	cr_assert_eq(outbox_journal_remove(outbox, "ends"), 0);
	cr_assert_eq(outbox_journal_remove(outbox, "short"), 0);
	disk_write_code = SQLITE_OK;
	do {
		usleep(1000);
		outbox_get_stats(outbox, &stats);
	} while (!stats.on_disk);
	put(outbox, "after", "6");
	outbox_free(outbox);
	outbox = make("b2");
	expect_notes(outbox, "after=6;before=1;later=4;meanwhile=3;");
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_journal, keys_have_a_bound)
{
	char key[OUTBOX_KEY_MAX + 2];
	struct outbox *outbox;

	disk_make_dir(dir);
	outbox = make("b1");
	memset(key, 'k', sizeof(key));
	key[OUTBOX_KEY_MAX + 1] = '\0';
	cr_assert_eq(outbox_journal_put(outbox, key, "", 0), -EINVAL);
	cr_assert_eq(outbox_journal_remove(outbox, key), -EINVAL);
	cr_assert_eq(outbox_journal_put(outbox, "", "", 0), -EINVAL);
	key[OUTBOX_KEY_MAX] = '\0';
	cr_assert_eq(outbox_journal_put(outbox, key, "", 0), 0);
	outbox_free(outbox);
	disk_remove_dir(dir);
}

Test(outbox_journal, without_a_disk_nothing_is_kept_and_nothing_fails)
{
	struct outbox *outbox = NULL;

	cr_assert_eq(
	        outbox_new(&(struct outbox_config){ .max_events = 10, .max_bytes = 1000 }, &outbox),
	        0);
	put(outbox, "a", "1");
	cr_assert_eq(outbox_journal_remove(outbox, "a"), 0);
	expect_notes(outbox, "");
	outbox_free(outbox);
}

/** As many as limits.active_runs allows must not make each slower than the one before. */
Test(outbox_journal, many_notes_are_found_changed_and_removed)
{
	struct outbox_journal journal = { 0 };
	char key[32], value[32];
	const char *found;
	size_t len = 0;

	outbox_journal_init(&journal);
	for (int i = 0; i < 50000; i++) {
		sprintf(key, "run/%d", i);
		sprintf(value, "v%d", i);
		cr_assert_eq(outbox_journal_set(&journal, key, value, strlen(value), false), 0);
	}
	cr_assert_gt(journal.n_larger, 20000U);
	for (int i = 0; i < 50000; i += 2) {
		sprintf(key, "run/%d", i);
		cr_assert_eq(outbox_journal_set(&journal, key, NULL, 0, false), 0);
	}
	cr_assert_eq(journal.n_notes, 25000U);
	for (int i = 0; i < 50000; i++) {
		sprintf(key, "run/%d", i);
		sprintf(value, "v%d", i);
		found = outbox_journal_get(&journal, key, &len);
		cr_assert_eq(found != NULL, i % 2 == 1, "%s", key);
		cr_assert(!found || (len == strlen(value) && memcmp(found, value, len) == 0));
	}
	outbox_journal_clear(&journal);
	cr_assert_null(outbox_journal_get(&journal, "run/1", &len));
	cr_assert_eq(journal.n_notes, 0U);
}

Test(outbox_journal, behind_a_disk_that_hangs_changes_do_not_pile_up)
{
	struct outbox *outbox;
	char key[32], data[1001] = "";

	memset(data, 'd', sizeof(data) - 1);
	disk_make_dir(dir);
	outbox = make("b1");
	put(outbox, "kept", "x");
	put(outbox, "gone", "x");
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	disk_hangs = true;
	for (unsigned n = 0; n < 20000; n++) {
		snprintf(key, sizeof(key), "run/%u", n);
		put(outbox, key, n == 12345 ? "begun" : data);
		if (n != 12345)
			cr_assert_eq(outbox_journal_remove(outbox, key), 0);
	}
	cr_assert_eq(outbox_journal_remove(outbox, "gone"), 0);
	cr_assert_leq(outbox->journal.op_bytes, outbox->journal.note_bytes + OUTBOX_OPS_BYTES);
	disk_hangs = false;
	cr_assert_eq(outbox_flush(outbox, FLUSH_NS), 0);
	outbox_free(outbox);
	outbox = make("b2");
	expect_notes(outbox, "kept=x;run/12345=begun;");
	outbox_free(outbox);
	disk_remove_dir(dir);
}
