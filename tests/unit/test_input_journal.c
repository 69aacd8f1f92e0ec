/* SPDX-License-Identifier: Apache-2.0 */
/* Lives of a gateway with a counter and a dial, on a real database. */
#include "input_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "cue_criterion.h"
#include "disk_fixture.h"
#include "time_limits.h"

#define FLUSH_NS limit_ns(60 * CUE_NS_PER_S)
#define CONFIG(inputs, more)                                                                       \
	"{\"version\":1,\"gateway\":{\"id\":\"porch\"},\"inputs\":{" inputs "}" more "}"
#define RAIN                                                                                       \
	"\"rain\":{\"driver\":\"sim\",\"kind\":\"counter\",\"event\":\"rain.pulse\","              \
	"\"restore\":true}"
#define DIAL                                                                                       \
	"\"dial\":{\"driver\":\"sim\",\"kind\":\"rotary\",\"event\":\"dial.turned\","              \
	"\"steps_per_detent\":1,\"restore\":true}"
#define GAS    "\"gas\":{\"driver\":\"sim\",\"kind\":\"counter\",\"event\":\"gas.pulse\"}"
#define NORMAL CONFIG(RAIN "," DIAL "," GAS, "")
#define QUIET  CONFIG(RAIN, ",\"mqtt\":{\"qos\":{\"rain.*\":\"off\"}}")

static char dir[64];

struct life {
	struct config *config;
	struct engine *engine;
	struct outbox *outbox;
	struct log *log;
	struct input_journal *journal;
	uint64_t now_ns;
};

static int zeros(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 7, len);
	return 0;
}

static void begin(struct life *life, const char *text)
{
	struct outbox_config oc = { .max_events = 1000,
		                    .max_bytes = 1000000,
		                    .dir = dir,
		                    .boot_id = "7f3a9c21",
		                    .retry_min_ns = 1000000,
		                    .retry_max_ns = 1000000 };
	struct log_config lc = { .fd = 2 };
	struct engine_config ec = { .start_ns = 1000, .random = zeros, .virtual_devices = true };
	struct input_journal_config jc = { 0 };
	struct diag diag = { 0 };
	char error[512];

	*life = (struct life){ .now_ns = 1000 };
	cr_assert_eq(config_load_text("t", text, strlen(text), &diag, &life->config), 0);
	diag_clear(&diag);
	cr_assert_eq(log_new(&lc, &life->log), 0);
	cr_assert_eq(outbox_new(&oc, &life->outbox), 0);
	ec.config = life->config;
	cr_assert_eq(engine_new(&ec, &life->engine), 0);
	cr_assert_eq(engine_open_inputs(life->engine, error), 0);
	jc = (struct input_journal_config){ life->engine, life->outbox, life->log };
	cr_assert_eq(input_journal_new(&jc, &life->journal), 0);
	input_journal_catch_up(life->journal);
}

static void mark(struct life *life, bool all)
{
	outbox_group_begin(life->outbox);
	input_journal_changed(life->journal);
	input_journal_mark(life->journal, life->now_ns, all);
	outbox_group_end(life->outbox);
}

static void pulse(struct life *life, const char *input, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		life->now_ns += 1000000;
		cr_assert_eq(engine_input_set(life->engine, input, 0, true, life->now_ns), 0);
		life->now_ns += 1000000;
		cr_assert_eq(engine_input_set(life->engine, input, 0, false, life->now_ns), 0);
		engine_wake(life->engine, life->now_ns);
		mark(life, false);
	}
}

static void crash(struct life *life)
{
	cr_assert_eq(outbox_flush(life->outbox, FLUSH_NS), 0);
	input_journal_free(life->journal);
	engine_free(life->engine);
	outbox_free(life->outbox);
	log_free(life->log);
	config_free(life->config);
}

struct query {
	const char *name;
	int64_t value;
};

static int see(void *user, const struct engine_input_info *info)
{
	struct query *query = user;

	if (strcmp(info->name, query->name) == 0)
		query->value = info->counted;
	return 0;
}

static int64_t counted(struct life *life, const char *name)
{
	struct query query = { name, -1000 };

	(void)engine_input_foreach(life->engine, see, &query);
	return query.value;
}

static int count_notes(void *user, const char *key, const void *value, size_t len)
{
	(void)value, (void)len;
	*(unsigned *)user += strncmp(key, "input/", 6) == 0;
	return 0;
}

static unsigned notes(struct life *life)
{
	unsigned n = 0;

	cr_assert_eq(outbox_journal_foreach(life->outbox, count_notes, &n), 0);
	return n;
}

Test(input_journal, goes_on_where_it_was_after_a_crash)
{
	struct life life;

	disk_make_dir(dir);
	begin(&life, NORMAL);
	pulse(&life, "rain", 3);
	pulse(&life, "gas", 5);
	cr_assert_eq(engine_input_set(life.engine, "dial", 1, true, life.now_ns + 1), 0);
	engine_wake(life.engine, life.now_ns + 1);
	mark(&life, false);
	crash(&life);
	for (int64_t n = 3; n < 6; n++) {
		begin(&life, NORMAL);
		cr_assert_eq(counted(&life, "rain"), n);
		cr_assert_eq(counted(&life, "dial"), -1);
		cr_assert_eq(counted(&life, "gas"), 0);
		cr_assert_eq(notes(&life), 2U, "one for each input");
		pulse(&life, "rain", 1);
		crash(&life);
	}
	disk_remove_dir(dir);
}

/** If the event is not written, a note for each pulse would be the only write. */
Test(input_journal, without_its_event_on_disk_it_is_written_now_and_then)
{
	struct life life;

	disk_make_dir(dir);
	begin(&life, QUIET);
	pulse(&life, "rain", 10);
	cr_assert_eq(input_journal_deadline(life.journal), 1000 + 2000000 + INPUT_JOURNAL_REST_NS);
	crash(&life);
	begin(&life, QUIET);
	cr_assert_eq(counted(&life, "rain"), 1, "the first at once, then a rest");
	pulse(&life, "rain", 4);
	life.now_ns += INPUT_JOURNAL_REST_NS;
	outbox_group_begin(life.outbox);
	input_journal_mark(life.journal, life.now_ns, false);
	outbox_group_end(life.outbox);
	cr_assert_eq(input_journal_deadline(life.journal), UINT64_MAX);
	crash(&life);
	begin(&life, QUIET);
	cr_assert_eq(counted(&life, "rain"), 5);
	pulse(&life, "rain", 2);
	mark(&life, true); /* the stop */
	crash(&life);
	begin(&life, QUIET);
	cr_assert_eq(counted(&life, "rain"), 7);
	crash(&life);
	disk_remove_dir(dir);
}

Test(input_journal, of_an_input_that_is_gone_the_note_goes)
{
	struct life life;

	disk_make_dir(dir);
	begin(&life, NORMAL);
	pulse(&life, "rain", 3);
	crash(&life);
	begin(&life, CONFIG(GAS, ""));
	crash(&life);
	begin(&life, NORMAL);
	cr_assert_eq(counted(&life, "rain"), 0);
	cr_assert_eq(notes(&life), 0U);
	crash(&life);
	disk_remove_dir(dir);
}

Test(input_journal, what_makes_no_sense_is_removed)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"input\":\"rain\",\"kind\":\"counter\",\"value\":3}",
		"{\"input\":\"rain\",\"kind\":\"counter\",\"value\":\"-3\"}",
		"{\"input\":\"rain\",\"kind\":\"button\",\"value\":\"3\"}",
		"{\"input\":\"rain\",\"kind\":\"rotary\",\"value\":\"3\"}",
		"{\"input\":\"rain\",\"kind\":\"counter\",\"value\":\"99999999999999999999\"}",
		"{\"input\":\"rain\",\"kind\":\"counter\",\"value\":\"3x\"}",
		"{\"input\":\"other\",\"kind\":\"counter\",\"value\":\"3\"}",
	};
	struct life life;

	disk_make_dir(dir);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		begin(&life, NORMAL);
		cr_assert_eq(outbox_journal_put(life.outbox, "input/x", texts[i], strlen(texts[i])),
		             0);
		cr_assert_eq(outbox_journal_put(life.outbox, "run/x", "{}", 2), 0);
		crash(&life);
		begin(&life, NORMAL);
		cr_assert_eq(counted(&life, "rain"), 0, "%s", texts[i]);
		crash(&life);
		begin(&life, NORMAL);
		cr_assert_eq(notes(&life), 0U);
		crash(&life);
	}
	disk_remove_dir(dir);
}

/** The database opens late: neither the earlier count nor the new one is lost. */
Test(input_journal, a_value_that_comes_late_is_added)
{
	sqlite3 *other = NULL;
	struct life life;
	char path[128];

	disk_make_dir(dir);
	begin(&life, NORMAL);
	pulse(&life, "rain", 3);
	crash(&life);
	snprintf(path, sizeof(path), "%s/outbox.db", dir);
	cr_assert_eq(sqlite3_open(path, &other), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(other, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", NULL,
	                          NULL, NULL),
	             SQLITE_OK);
	begin(&life, NORMAL);
	pulse(&life, "rain", 2);
	cr_assert_eq(counted(&life, "rain"), 2);
	cr_assert_eq(sqlite3_close(other), SQLITE_OK);
	while (!outbox_journal_is_known(life.outbox))
		usleep(1000);
	input_journal_catch_up(life.journal);
	cr_assert_eq(counted(&life, "rain"), 5);
	pulse(&life, "rain", 1);
	crash(&life);
	begin(&life, NORMAL);
	cr_assert_eq(counted(&life, "rain"), 6);
	crash(&life);
	disk_remove_dir(dir);
}
