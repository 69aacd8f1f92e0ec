/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks over a restart: of the process, and of the machine. */
#include <fcntl.h>
#include <unistd.h>

#include "journal_fixture.h"

Test(journal_restore, resume_in_the_same_boot_goes_by_the_monotonic_clock)
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

Test(journal_restore, resume_after_a_boot_of_the_machine_goes_by_the_wall_clock)
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

Test(journal_restore, a_wall_clock_that_went_back_repeats_nothing)
{
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	/* No battery: the clock shows 1970. The run continues where it was. */
	begin(&life, RESUME, "boot-b", S(10), 0);
	wake(&life, S(10));
	expect(&life, "10000 created p at 1000\n");
	wake(&life, S(100));
	expect(&life,
	       "11000 tick\n11500 bell\n12000 tick\n13000 tick\n13000 stopped p completed 6\n");
	last_life(&life, RESUME);
}

/** The wall clock is set between two wakes; the loop follows before the next. */
static void set_wall_clock(struct life *life, int64_t by_ns)
{
	struct cue_bus *bus = engine_bus(life->engine);

	cue_bus_set_wall_offset(bus, cue_bus_wall_offset(bus) + by_ns);
}

Test(journal_restore, a_wall_clock_set_while_the_run_was_active_does_not_count)
{
	static const int64_t hours[] = { 1, -1, 24 * 365 * 56 };

	for (size_t i = 0; i < sizeof(hours) / sizeof(*hours); i++) {
		int64_t by_ns = hours[i] * 3600 * (int64_t)S(1);
		struct life life;

		first_life(&life, RESUME);
		set_wall_clock(&life, by_ns);
		wake(&life, S(1001) + MS(600)); /* no step is due */
		crash(&life);
		/* 3.6 s after the start, by a clock that was right from then on. */
		begin(&life, RESUME, "boot-b", MS(1200), WALL + by_ns + (int64_t)MS(3600));
		wake(&life, MS(1200));
		wake(&life, S(100));
		expect(&life, "1200 created p at 3600\n1200 tick\n1200 bell\n1200 tick\n"
		              "1600 tick\n1600 stopped p completed 6\n");
		last_life(&life, RESUME);
	}
}

Test(journal_restore, a_wall_clock_set_while_the_machine_was_off_repeats_nothing)
{
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	/* An hour ahead: that counts as the downtime. */
	begin(&life, RESUME, "boot-b", S(10), WALL + (int64_t)S(3602));
	wake(&life, S(10));
	expect(&life, "10000 created p at 3602000\n10000 overdue p\n10000 tick\n10000 bell\n"
	              "10000 tick\n10000 tick\n10000 stopped p completed 6\n");
	last_life(&life, RESUME);
}

/** Restart, and check the log. */
static void restart_with_log(struct life *life, const char *boot, int64_t wall_ns, char text[1024])
{
	int fds[2], old = dup(2);
	ssize_t n;

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	dup2(fds[1], 2);
	begin(life, RESUME, boot, S(1010), wall_ns);
	dup2(old, 2);
	n = read(fds[0], text, 1023);
	text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	close(fds[1]);
	close(old);
}

Test(journal_restore, a_wall_clock_that_went_back_is_told)
{
	char text[1024];
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	restart_with_log(&life, "boot-b", WALL - (int64_t)S(3600), text);
	cr_assert_not_null(strstr(text, "the system's clock is 3601.000 s behind"), "%s", text);
	wake(&life, S(2000));
	life.text[0] = '\0';
	last_life(&life, RESUME);
}

Test(journal_restore, within_one_boot_the_wall_clock_is_not_asked)
{
	char text[1024];
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	restart_with_log(&life, "boot-a", WALL - (int64_t)S(3600), text);
	cr_assert_null(strstr(text, "the system's clock"), "%s", text);
	wake(&life, S(2000));
	life.text[0] = '\0';
	last_life(&life, RESUME);
}

/** limits.event_types was lowered, or other definitions have taken the room. */
/** `p` was made by command, started, and redefined; the configuration is stricter now. */
Test(journal_restore, a_run_that_emits_what_is_not_allowed_any_more_is_cancelled)
{
#define STRICT(remote)                                                                             \
	"{\"version\":1,\"gateway\":{\"id\":\"porch\"},\"mqtt\":{\"remote\":" remote "}}"
	static const struct {
		const char *config;
		bool goes_on;
	} cases[] = {
		{ STRICT("{\"emit\":[\"tick\"]}"), false },
		{ "{\"version\":1,\"gateway\":{\"id\":\"porch\"},\"inputs\":{\"b\":{\"driver\":"
		  "\"sim\",\"kind\":\"button\",\"event\":\"bell\"}}}",
		  false },
		{ STRICT("{\"emit\":[\"tick\",\"bell\"]}"), true }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct life life;

		by_command = NULL;
		first_life(&life, RESUME);
		crash(&life);
		by_command = "{\"steps\":[{\"emit\":\"tick\"}]}";
		begin(&life, cases[i].config, "boot-a", S(1003), WALL);
		wake(&life, S(1003));
		wake(&life, S(1100));
		if (cases[i].goes_on)
			expect(&life,
			       "1003000 created p at 3000\n1003000 tick\n1003000 bell\n"
			       "1003000 tick\n1004000 tick\n1004000 stopped p completed 6\n");
		else
			expect(&life, "1003000 stopped p cancelled 1 <restart>\n");
		by_command = NULL;
		last_life(&life, RESUME);
	}
}

Test(journal_restore, a_run_whose_event_types_do_not_fit_is_cancelled)
{
	static const char other[] =
	        "{\"version\":1,\"gateway\":{\"id\":\"porch\"},\"limits\":{\"event_types\":64}}";
	struct life life;

	first_life(&life, RESUME);
	crash(&life);
	begin_full(&life, other, "boot-a", S(1003), WALL);
	wake(&life, S(1003));
	expect(&life, "1003000 stopped p cancelled 1 <restart>\n1003000 gateway.fault\n");
	last_life(&life, RESUME);
}

/** The database is locked by a backup at the start: the run continues as soon as it opens. */
Test(journal_restore, a_database_that_opens_late_is_acted_on_in_this_life)
{
	struct life life;
	sqlite3 *other = NULL;
	char path[128];

	first_life(&life, RESUME);
	crash(&life);
	snprintf(path, sizeof(path), "%s/outbox.db", dir);
	cr_assert_eq(sqlite3_open(path, &other), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(other, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", NULL,
	                          NULL, NULL),
	             SQLITE_OK);
	begin(&life, RESUME, "boot-a", S(1002), WALL);
	cr_assert(!outbox_journal_is_known(life.outbox));
	/* A run of this life, whose definition and run have the first numbers. */
	emit(&life, "go", "{}");
	wake(&life, S(1002));
	expect(&life, "1002000 go\n1002000 created p\n1002000 tick\n");
	cr_assert_eq(sqlite3_close(other), SQLITE_OK);
	while (!outbox_journal_is_known(life.outbox))
		usleep(1000);
	outbox_group_begin(life.outbox);
	cr_assert_eq(journal_catch_up(life.journal), 0);
	cr_assert_eq(journal_catch_up(life.journal), 0);
	outbox_group_end(life.outbox);
	cr_assert_eq(found(&life), 1U);
	wake(&life, S(1002));
	expect(&life, "1002000 created p at 2000\n1002000 tick\n");
	wake(&life, S(1100));
	expect(&life, "1002500 bell\n1003000 tick\n1003000 tick\n1004000 tick\n1004000 tick\n"
	              "1004000 stopped p completed 6\n1004500 bell\n1005000 tick\n1006000 tick\n"
	              "1006000 stopped p completed 6\n");
	last_life(&life, RESUME);
}
