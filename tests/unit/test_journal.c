/* SPDX-License-Identifier: Apache-2.0 */
/* The run journal over several lives of a gateway, in virtual time, on a real database. */
#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cue_criterion.h"
#include "disk_fixture.h"
#include "journal.h"

#define MS(n)    ((uint64_t)(n) * (uint64_t)CUE_NS_PER_MS)
#define S(n)     ((uint64_t)(n) * (uint64_t)CUE_NS_PER_S)
#define FLUSH_NS S(60)
/* Some time in 2026, ns since 1970. */
#define WALL 1795000000000000000LL

#define STEPS                                                                                      \
	"\"steps\":[{\"emit\":\"tick\",\"repeat\":5,\"interval\":\"1s\"},"                         \
	"{\"emit\":\"bell\",\"offset\":\"2500ms\",\"data\":{\"n\":12345678901234567890}}]"
#define CONFIG(playlists)                                                                          \
	"{\"version\":1,\"gateway\":{\"id\":\"porch\"},\"playlists\":{" playlists "}}"
#define ABORT  CONFIG("\"p\":{\"metadata\":{\"m\":1},\"trigger\":\"go\"," STEPS "}")
#define RESUME CONFIG("\"p\":{\"on_restart\":\"resume\",\"trigger\":\"go\"," STEPS "}")
#define SKIP   CONFIG("\"p\":{\"on_restart\":\"skip\",\"trigger\":\"go\"," STEPS "}")

static char dir[64];

struct life {
	struct config *config;
	struct engine *engine;
	struct outbox *outbox;
	struct journal *journal;
	struct log *log;
	struct cue_subscription *watch;
	uint64_t random;
	char text[8192];
	char stopped[1024]; /* data of the last one */
};

static int life_random(void *user, void *buf, size_t len)
{
	struct life *life = user;

	life->random = life->random * 6364136223846793005ULL + 1442695040888963407ULL;
	for (size_t i = 0; i < len; i++)
		((unsigned char *)buf)[i] = (unsigned char)(life->random >> (8 * (i % 8)));
	return 0;
}

static const char *field(const cJSON *json, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

/** "<ms> created p at 1500", "<ms> stopped p completed 6 …", "<ms> tick"; `emitted` is left out. */
static int life_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct life *life = user;
	size_t len = strlen(life->text);
	char *out = life->text + len;
	const char *type = cue_event_type_name(event);
	const cJSON *json = cue_payload_json(event->payload);
	const cJSON *number;
	int n;

	(void)bus;
	if (strcmp(type, "event.playlist.emitted") == 0)
		return 0;
	if (strcmp(type, "event.playlist.stopped") == 0)
		snprintf(life->stopped, sizeof(life->stopped), "%s",
		         cue_payload_bytes(event->payload, NULL));
	n = snprintf(out, sizeof(life->text) - len, "%llu %s",
	             (unsigned long long)(event->time_ns / (uint64_t)CUE_NS_PER_MS),
	             strncmp(type, "event.playlist.", 15) == 0 ? type + 15 : type);
	if (field(json, "playlist_name"))
		n += sprintf(out + n, " %s", field(json, "playlist_name"));
	number = cJSON_GetObjectItemCaseSensitive(json, "offset");
	if (number)
		n += sprintf(out + n, " at %d", (int)(number->valuedouble * 1000 + 0.5));
	if (field(json, "reason"))
		n += sprintf(out + n, " %s %d", field(json, "reason"),
		             cJSON_GetObjectItemCaseSensitive(json, "emitted_count")->valueint);
	if (field(json, "detail"))
		n += sprintf(out + n, " <%s>", field(json, "detail"));
	number = cJSON_GetObjectItemCaseSensitive(json, "skipped_count");
	if (number)
		n += sprintf(out + n, " skipped %d", number->valueint);
	sprintf(out + n, "\n");
	return 0;
}

static struct config *config_of(const char *text)
{
	struct config *config = NULL;
	struct diag diag = { 0 };
	int r = config_load_text("test", text, strlen(text), &diag, &config);

	if (r < 0)
		diag_print(&diag, stderr);
	diag_clear(&diag);
	cr_assert_eq(r, 0);
	return config;
}

static void make_engine(struct life *life, uint64_t start_ns, int64_t wall_ns)
{
	struct engine_config config = {
		.config = life->config,
		.start_ns = start_ns,
		.wall_offset_ns = wall_ns - (int64_t)start_ns,
		.random = life_random,
		.user = life,
		.virtual_devices = true,
	};
	struct cue_subscription_config events = {
		.type = "*", .priority = CUE_PRIORITY_BRIDGE, .handler = life_event, .user = life
	};

	cr_assert_eq(engine_new(&config, &life->engine), 0);
	cr_assert_eq(cue_bus_subscribe(engine_bus(life->engine), &events, &life->watch), 0);
}

/** The first deadlines run, as in the loop's first wake, before the mark. */
static void begin(struct life *life, const char *config, const char *kernel_boot, uint64_t start_ns,
                  int64_t wall_ns)
{
	struct outbox_config oc = {
		.max_events = 1000, .max_bytes = 1000000, .dir = dir, .boot_id = "7f3a9c21"
	};
	struct log_config lc = { .fd = 2, .level = LOG_LEVEL_ERROR };
	struct journal_config jc = { .kernel_boot_id = kernel_boot };
	uint64_t random = life->random + 1;

	*life = (struct life){ .random = random, .config = config_of(config) };
	cr_assert_eq(log_new(&lc, &life->log), 0);
	cr_assert_eq(outbox_new(&oc, &life->outbox), 0);
	make_engine(life, start_ns, wall_ns);
	jc.engine = life->engine;
	jc.outbox = life->outbox;
	jc.log = life->log;
	cr_assert_eq(journal_new(&jc, &life->journal), 0);
	outbox_group_begin(life->outbox);
	cr_assert_eq(journal_restore(life->journal), 0);
	outbox_group_end(life->outbox);
}

/** A wake of the loop at @p now_ns. */
static void wake(struct life *life, uint64_t now_ns)
{
	outbox_group_begin(life->outbox);
	engine_wake(life->engine, now_ns);
	journal_mark(life->journal);
	outbox_group_end(life->outbox);
}

static void emit(struct life *life, const char *type, const char *json)
{
	struct cue_payload *payload;
	struct cue_emit event = { .type = type, .time_ns = CUE_TIME_NONE };

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	event.payload = payload;
	outbox_group_begin(life->outbox);
	cr_assert_eq(cue_bus_emit(engine_bus(life->engine), &event, NULL), 0);
	journal_mark(life->journal);
	outbox_group_end(life->outbox);
	cue_payload_unref(payload);
}

/** The process is gone; what was committed stays. */
static void crash(struct life *life)
{
	cr_assert_eq(outbox_flush(life->outbox, FLUSH_NS), 0);
	journal_free(life->journal);
	cue_subscription_cancel(life->watch);
	engine_free(life->engine);
	outbox_free(life->outbox);
	log_free(life->log);
	config_free(life->config);
}

#define expect(life, expected)                                                                     \
	do {                                                                                       \
		cr_assert_str_eq((life)->text, expected);                                          \
		(life)->text[0] = '\0';                                                            \
	} while (0)

static uint64_t found(const struct life *life)
{
	struct journal_stats stats;

	journal_get_stats(life->journal, &stats);
	cr_assert_eq(stats.failures, 0U);
	return stats.found;
}

/** A life in which "p" is started at 1000 s, with the ticks of 0 and 1 s out at 1001.5 s. */
static void first_life(struct life *life, const char *config)
{
	disk_make_dir(dir);
	*life = (struct life){ 0 };
	begin(life, config, "boot-a", S(1000), WALL);
	cr_assert_eq(found(life), 0U);
	emit(life, "go", "{\"a\":1.50}");
	wake(life, S(1000));
	wake(life, S(1001));
	wake(life, S(1001) + MS(500));
	expect(life, "1000000 go\n1000000 created p\n1000000 tick\n1001000 tick\n");
}

static void last_life(struct life *life, const char *config)
{
	crash(life);
	begin(life, config, "boot-a", S(900000), WALL);
	cr_assert_eq(found(life), 0U, "a run was told as stopped and is still noted");
	wake(life, S(900100));
	expect(life, "");
	crash(life);
	disk_remove_dir(dir);
}

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

Test(journal, resume_in_the_same_boot_goes_by_the_monotonic_clock)
{
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	/* The wall clock was set by an hour meanwhile. */
	begin(&life, RESUME, "boot-a", S(1003), WALL + (int64_t)S(3603));
	wake(&life, S(1003));
	wake(&life, S(1100));
	expect(&life, "1003000 created p at 3000\n1003000 tick\n1003000 bell\n1003000 tick\n"
	              "1004000 tick\n1004000 stopped p completed 6\n");
	last_life(&life, RESUME);
}

Test(journal, resume_after_a_boot_of_the_machine_goes_by_the_wall_clock)
{
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	begin(&life, RESUME, "boot-b", MS(1200), WALL + (int64_t)MS(3600));
	wake(&life, MS(1200));
	wake(&life, S(100));
	expect(&life, "1200 created p at 3600\n1200 tick\n1200 bell\n1200 tick\n"
	              "1600 tick\n1600 stopped p completed 6\n");
	last_life(&life, RESUME);
}

Test(journal, a_wall_clock_that_went_back_repeats_nothing)
{
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	/* No battery: the machine believes it is 1970. It goes on where it was. */
	begin(&life, RESUME, "boot-b", S(10), 0);
	wake(&life, S(10));
	expect(&life, "10000 created p at 1000\n");
	wake(&life, S(100));
	expect(&life,
	       "11000 tick\n11500 bell\n12000 tick\n13000 tick\n13000 stopped p completed 6\n");
	last_life(&life, RESUME);
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
	/* Started, and its first tick due, but not yet out: the loop gets no further. */
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
	                                        "\"producer_id\":0,\"data\":{\"a\":1.50}}"));
	last_life(&life, ABORT);
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
