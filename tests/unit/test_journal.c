/* SPDX-License-Identifier: Apache-2.0 */
/* The run journal over several lives of a gateway, in virtual time, on a real database. */
#include "journal_fixture.h"

Test(journal, abort_stops_the_run_once)
{
	struct life life;

	first_life(&life, ABORT);
	crash(&life);
	begin(&life, ABORT, "boot-a", S(1003), WALL + (int64_t)S(3));
	cr_assert_eq(found(&life), 1U);
	wake(&life, S(1100));
	expect(&life, "1003000 stopped p cancelled 2 <restart>\n");
	last_life(&life, ABORT);
}

Test(journal, skip_drops_the_downtime)
{
	struct life life;

	first_life(&life, SKIP);
	crash(&life);
	begin(&life, SKIP, "boot-a", S(1003) + MS(500), WALL);
	wake(&life, S(1100));
	expect(&life, "1003500 created p at 3500\n1004000 tick\n1004000 stopped p completed 3 "
	              "skipped 3\n");
	last_life(&life, SKIP);
}

Test(journal, a_run_survives_any_number_of_crashes)
{
	struct life life;

	first_life(&life, SKIP);
	crash(&life);
	begin(&life, SKIP, "boot-a", S(1002) + MS(200), WALL + (int64_t)MS(2200));
	expect(&life, "1002200 created p at 2200\n");
	crash(&life); /* before its first wake */
	begin(&life, SKIP, "boot-a", S(1002) + MS(300), WALL + (int64_t)MS(2300));
	wake(&life, S(1002) + MS(600));
	expect(&life, "1002300 created p at 2300\n1002500 bell\n");
	crash(&life);
	begin(&life, SKIP, "boot-b", MS(10), WALL + (int64_t)MS(3100));
	wake(&life, S(10));
	expect(&life, "10 created p at 3100\n910 tick\n910 stopped p completed 4 skipped 2\n");
	last_life(&life, SKIP);
}

Test(journal, what_ended_before_the_crash_is_not_told_again)
{
	struct life life;

	first_life(&life, RESUME);
	wake(&life, S(1010));
	expect(&life, "1002000 tick\n1002500 bell\n1003000 tick\n1004000 tick\n"
	              "1004000 stopped p completed 6\n");
	last_life(&life, RESUME);
}

Test(journal, what_was_due_at_the_same_instant_is_neither_lost_nor_repeated)
{
	struct life life;

	disk_make_dir(dir);
	life = (struct life){ 0 };
	begin(&life, RESUME, "boot-a", S(1000), WALL);
	/* Started, and its first tick is due but not yet emitted when the loop stops. */
	emit(&life, "go", "null");
	expect(&life, "1000000 go\n1000000 created p\n");
	crash(&life);
	begin(&life, RESUME, "boot-a", S(1000), WALL);
	wake(&life, S(1000));
	expect(&life, "1000000 created p at 0\n1000000 tick\n");
	crash(&life);
	begin(&life, RESUME, "boot-a", S(1000), WALL);
	wake(&life, S(1001));
	expect(&life, "1000000 created p at 0\n1001000 tick\n");
	cue_playlist_stop(engine_playlists(life.engine), NULL, "test", NULL, NULL);
	expect(&life, "1001000 stopped p cancelled 2 <test>\n");
	last_life(&life, RESUME);
}

Test(journal, a_run_ends_on_the_definition_it_started_with)
{
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	begin(&life, CONFIG("\"p\":{\"steps\":[{\"emit\":\"other\"}]}"), "boot-a", S(1004), WALL);
	wake(&life, S(1004));
	expect(&life, "1004000 created p at 4000\n1004000 tick\n1004000 bell\n1004000 tick\n"
	              "1004000 tick\n1004000 stopped p completed 6\n");
	last_life(&life, RESUME);
}

Test(journal, a_run_whose_playlist_is_gone_is_cancelled)
{
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	begin(&life, CONFIG(""), "boot-a", S(1004), WALL);
	wake(&life, S(1004));
	expect(&life, "1004000 stopped p cancelled 2 <removed>\n");
	last_life(&life, RESUME);
}

Test(journal, runs_that_wait_wait_again_in_order)
{
	static const char queued[] =
	        CONFIG("\"p\":{\"on_restart\":\"resume\",\"mode\":\"queued\",\"trigger\":\"go\","
	               "\"steps\":[{\"emit\":\"tick\",\"repeat\":2,\"interval\":\"1s\"}]},"
	               "\"q\":{\"mode\":\"queued\",\"trigger\":\"go\",\"steps\":[{\"emit\":"
	               "\"tock\",\"offset\":\"1s\"}]}");
	struct life life;

	disk_make_dir(dir);
	life = (struct life){ 0 };
	begin(&life, queued, "boot-a", S(1), WALL);
	emit(&life, "go", "1");
	emit(&life, "go", "2");
	wake(&life, S(1));
	expect(&life, "1000 go\n1000 created p\n1000 created q\n1000 go\n1000 tick\n");
	crash(&life);
	begin(&life, queued, "boot-b", S(1), WALL + (int64_t)S(1));
	cr_assert_eq(found(&life), 4U);
	wake(&life, S(1));
	wake(&life, S(10));
	expect(&life,
	       "1000 created p at 1000\n1000 stopped q cancelled 0 <restart>\n"
	       "1000 stopped q cancelled 0 <restart>\n1000 tick\n1000 stopped p completed 2\n"
	       "1000 created p at 0\n1000 tick\n2000 tick\n2000 stopped p completed 2\n");
	last_life(&life, queued);
}

Test(journal, trigger_and_metadata_are_told_as_they_were)
{
	struct life life;

	first_life(&life, ABORT);
	crash(&life);
	begin(&life, CONFIG(""), "boot-a", S(1004), WALL);
	expect(&life, "1004000 stopped p cancelled 2 <restart>\n");
	cr_assert_not_null(strstr(life.stopped, "\"playlist_metadata\":{\"m\":1},"
	                                        "\"trigger_event\":{\"event_type\":\"go\","
	                                        "\"producer_id\":0}"));
	last_life(&life, ABORT);
}

struct count {
	const char *prefix;
	size_t n, bytes;
};

static int count_kind(void *user, const char *key, const void *value, size_t len)
{
	struct count *count = user;

	(void)value;
	if (strncmp(key, count->prefix, strlen(count->prefix)) == 0) {
		count->n++;
		count->bytes += len;
	}
	return 0;
}

/** The notes of one kind that the life which has crashed left on disk. */
static struct count notes(const char *prefix)
{
	struct outbox_config config = {
		.max_events = 1000, .max_bytes = 1000000, .dir = dir, .boot_id = "7f3a9c21"
	};
	struct count count = { .prefix = prefix };
	struct outbox *outbox;

	cr_assert_eq(outbox_new(&config, &outbox), 0);
	cr_assert_eq(outbox_journal_foreach(outbox, count_kind, &count), 0);
	outbox_free(outbox);
	return count;
}

#define SHARED(steps) CONFIG(ONE("p", steps) "," ONE("q", steps) "," ONE("r", steps))
#define ONE(name, steps)                                                                           \
	"\"" name "\":{\"trigger\":\"go\",\"on_restart\":\"resume\",\"steps\":[" steps "]}"
#define LATE "{\"emit\":\"x\",\"offset\":\"1h\"}"

Test(journal, data_that_started_several_runs_is_noted_once_and_told_after_the_restart)
{
	struct life life = { 0 };
	char data[4096];

	memset(data, 'd', sizeof(data));
	data[0] = data[sizeof(data) - 2] = '"';
	data[sizeof(data) - 1] = '\0';
	disk_make_dir(dir);
	begin(&life, SHARED(LATE), "boot-a", S(1000), WALL);
	emit(&life, "go", data);
	emit(&life, "go", "1");
	crash(&life);
	cr_assert_eq(notes("run/").n, 6U);
	cr_assert_eq(notes("data/").n, 1U);
	cr_assert_eq(notes("data/").bytes, strlen(data));
	begin(&life, SHARED(LATE), "boot-a", S(1001), WALL);
	cr_assert_eq(found(&life), 6U);
	cr_assert_not_null(strstr(life.created, "\"data\":1}"));
	crash(&life);
	cr_assert_eq(notes("data/").n, 1U);
	begin(&life, CONFIG(ONE("p", LATE)), "boot-a", S(1002), WALL);
	cue_playlist_stop(engine_playlists(life.engine), NULL, "test", NULL, NULL);
	wake(&life, S(1002));
	crash(&life);
	cr_assert_eq(notes("data/").n, 0U);
	cr_assert_eq(notes("").n, 1U); /* the mark */
	disk_remove_dir(dir);
}

Test(journal, a_trigger_that_is_told_after_the_restart_has_its_data)
{
	struct life life = { 0 };
	char data[4096], quote[4200];

	memset(data, 'd', sizeof(data));
	data[0] = data[sizeof(data) - 2] = '"';
	data[sizeof(data) - 1] = '\0';
	disk_make_dir(dir);
	begin(&life, CONFIG(ONE("p", LATE)), "boot-a", S(1000), WALL);
	emit(&life, "go", data);
	crash(&life);
	begin(&life, CONFIG(ONE("p", LATE)), "boot-a", S(1001), WALL);
	snprintf(quote, sizeof(quote), "\"data\":%s}", data);
	cr_assert_not_null(strstr(life.created, quote));
	cr_assert_not_null(strstr(life.created, "\"cause\":\"restore\""));
	crash(&life);
	disk_remove_dir(dir);
}

/* Otherwise each has a copy, and an interrupt handles them one by one. */
Test(journal, runs_on_an_old_definition_share_it_after_the_restart)
{
	static const char later[] = SHARED("{\"emit\":\"y\",\"offset\":\"2h\"}");
	struct cue_playlists_stats stats;
	struct life life = { 0 };

	disk_make_dir(dir);
	begin(&life, SHARED(LATE), "boot-a", S(1000), WALL);
	for (int i = 0; i < 5; i++)
		emit(&life, "go", "null");
	crash(&life);
	cr_assert_eq(notes("def/").n, 3U);
	begin(&life, later, "boot-a", S(1001), WALL);
	crash(&life);
	cr_assert_eq(notes("def/").n, 3U);
	begin(&life, later, "boot-a", S(1002), WALL);
	cue_playlists_get_stats(engine_playlists(life.engine), &stats);
	cr_assert_eq(stats.active_runs, 15U);
	crash(&life);
	disk_remove_dir(dir);
}

Test(journal, a_run_whose_types_no_longer_fit_is_cancelled)
{
	static const char small[] =
	        "{\"version\":1,\"gateway\":{\"id\":\"t\"},\"limits\":{\"event_types\":64}}";
	static char many[8192];
	struct life life = { 0 };
	size_t n;

	n = (size_t)snprintf(many, sizeof(many),
	                     CONFIG("\"p\":{\"trigger\":\"go\",\"on_restart\":"
	                            "\"resume\",\"steps\":["));
	n -= strlen("}}"); /* go on within the configuration */
	for (int i = 0; i < 80; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n,
		                      "%s{\"emit\":\"t%d\",\"offset\":\"1h\"}", i ? "," : "", i);
	snprintf(many + n, sizeof(many) - n, "]}}}");
	disk_make_dir(dir);
	begin(&life, many, "boot-a", S(1000), WALL);
	emit(&life, "go", "null");
	crash(&life);
	begin(&life, small, "boot-a", S(1001), WALL);
	expect(&life, "1001000 stopped p cancelled 1 <restart>\n");
	crash(&life);
	cr_assert_eq(notes("run/").n, 0U);
	disk_remove_dir(dir);
}

static const char *const damaged[] = {
	"",
	"{",
	"[]",
	"{\"number\":1}",
	"{\"number\":\"1\",\"playlist\":\"p\",\"definition\":\"0\",\"state\":\"flying\","
	"\"boot\":\"boot-a\",\"start_mono\":\"1\",\"start_wall\":\"1\"}",
	"{\"number\":\"1\",\"playlist\":\"p\",\"definition\":\"0\",\"state\":\"running\","
	"\"boot\":\"boot-a\",\"start_mono\":\"99999999999999999999\",\"start_wall\":\"1\"}",
	"{\"number\":\"1\",\"playlist\":\"p\",\"definition\":\"0\",\"state\":\"running\","
	"\"boot\":\"boot-a\",\"start_mono\":\"1\",\"start_wall\":\"1\",\"trigger_type\":\"go\","
	"\"trigger_producer\":\"1\",\"trigger_data\":\"{\"}",
#define STEERED(tempo, fraction, offset)                                                           \
	"{\"number\":\"1\",\"playlist\":\"p\",\"definition\":\"0\",\"state\":\"running\","         \
	"\"boot\":\"boot-a\",\"start_mono\":\"1\",\"start_wall\":\"1\",\"tempo\":\"" tempo         \
	"\",\"since_mono\":\"1\",\"since_wall\":\"1\",\"fraction\":\"" fraction                    \
	"\",\"offset\":\"" offset "\",\"pending\":\"1\",\"emitted\":\"1\",\"skipped\":\"1\"}"
	STEERED("0", "0", "1"),
	STEERED("100000001", "0", "1"),
	STEERED("2000000", "1000000", "1"),
	STEERED("2000000", "0", "18446744073709551615"),
	STEERED("2000000", "", "1"),
};

Test(journal, notes_that_make_no_sense_are_removed_and_the_rest_is_kept)
{
	struct life life;

	first_life(&life, RESUME);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		char key[OUTBOX_KEY_MAX + 1];

		snprintf(key, sizeof(key), "run/%032zx", i + 1);
		cr_assert_eq(outbox_journal_put(life.outbox, key, damaged[i], strlen(damaged[i])),
		             0);
	}
	outbox_journal_put(life.outbox, "run/short", "{}", 2);
	outbox_journal_put(life.outbox, "skip/x", "1", 1);
	outbox_journal_put(life.outbox, "def/x", "{}", 2);
	outbox_journal_put(life.outbox, "somebody/else", "1", 1);
	crash(&life);
	begin(&life, RESUME, "boot-a", S(1004), WALL);
	cr_assert_eq(found(&life), 1U);
	wake(&life, S(1004));
	expect(&life, "1004000 created p at 4000\n1004000 tick\n1004000 bell\n1004000 tick\n"
	              "1004000 tick\n1004000 stopped p completed 6\n");
	last_life(&life, RESUME);
}

Test(journal, a_run_whose_definition_is_lost_is_stopped_all_the_same)
{
	struct journal_stats stats;
	struct life life;

	first_life(&life, RESUME);
	cr_assert_eq(outbox_journal_put(life.outbox, "def/0", "{\"steps\":7}", 11), 0);
	crash(&life);
	begin(&life, RESUME, "boot-a", S(1004), WALL);
	expect(&life, "1004000 stopped p cancelled 1 <restart>\n");
	journal_get_stats(life.journal, &stats);
	cr_assert_eq(stats.unknown, 1U);
	last_life(&life, RESUME);
}

static int count_note(void *user, const char *key, const void *value, size_t len)
{
	(void)value, (void)len;
	*(unsigned *)user += strcmp(key, "mark") != 0;
	return 0;
}

Test(journal, nothing_is_left_behind_by_runs_that_end)
{
	struct outbox_config config = {
		.max_events = 10, .max_bytes = 10000, .dir = dir, .boot_id = "x"
	};
	struct outbox *outbox;
	struct life life;
	unsigned n = 0;

	first_life(&life, SKIP);
	for (unsigned i = 0; i < 40; i++) {
		emit(&life, "go", "null");
		wake(&life, S(1002 + i));
	}
	crash(&life);
	begin(&life, SKIP, "boot-a", S(1043), WALL);
	wake(&life, S(2000));
	crash(&life);
	cr_assert_eq(outbox_new(&config, &outbox), 0);
	cr_assert_eq(outbox_journal_foreach(outbox, count_note, &n), 0);
	cr_assert_eq(n, 0U);
	outbox_free(outbox);
	disk_remove_dir(dir);
}
