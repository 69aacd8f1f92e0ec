/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/cuebus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeline.h"

static int no_random(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 7, len);
	return 0;
}

struct fixture {
	struct cue_bus *bus;
	struct timeline *timeline;
	char *text;
};

static struct fixture set_up(void)
{
	struct cue_bus_config config = { .gateway_id = "t", .random = no_random };
	struct fixture f = { 0 };

	cr_assert_eq(cue_bus_new(&config, &f.bus), 0);
	cr_assert_eq(timeline_new(&f.timeline), 0);
	return f;
}

static void tear_down(struct fixture *f)
{
	timeline_free(f->timeline);
	cue_bus_free(f->bus);
	free(f->text);
}

static void add(struct fixture *f, const char *type, uint64_t time_ms, const char *data)
{
	struct cue_event event = { .payload = cue_payload_null() };

	if (data)
		cr_assert_eq(cue_payload_new(data, strlen(data), 0, &event.payload, NULL), 0);
	cr_assert_eq(cue_bus_intern(f->bus, type, &event.type), 0);
	cr_assert_eq(timeline_add(f->timeline, &event, time_ms * CUE_NS_PER_MS), 0);
	cue_payload_unref(event.payload);
}

static void draw(struct fixture *f, uint64_t end_ms, unsigned width)
{
	size_t len;
	FILE *stream = open_memstream(&f->text, &len);

	cr_assert_not_null(stream);
	timeline_draw(f->timeline, end_ms * CUE_NS_PER_MS, width, stream);
	fclose(stream);
}

#define ID "00112233445566778899aabbccddeeff"

Test(timeline, lanes_bars_and_axis)
{
	struct fixture f = set_up();

	add(&f, "go", 0, NULL);
	add(&f, "event.playlist.created", 0,
	    "{\"playlist_id\":\"" ID "\",\"playlist_name\":\"show\"}");
	add(&f, "tick", 0, NULL);
	add(&f, "event.playlist.emitted", 0, "{}");
	add(&f, "tick", 1000, NULL);
	add(&f, "tick", 1001, NULL);
	add(&f, "stop", 2000, NULL);
	add(&f, "event.playlist.stopped", 2000,
	    "{\"playlist_id\":\"" ID "\",\"reason\":\"interrupted\",\"detail\":null,"
	    "\"emitted_count\":3,\"interrupt_event\":{\"event_type\":\"stop\"}}");
	draw(&f, 4000, 55);
	cr_assert_str_eq(f.text,
	                 "seconds       0         1         2         3         4\n"
	                 "              +---------+---------+---------+---------+\n"
	                 "go            *  1\n"
	                 "tick          *         2  3\n"
	                 "stop                              *  1\n"
	                 "\n"
	                 "runs: [ start, ] completed, x interrupted or cancelled, > still running\n"
	                 "show 00112233 [===================x  interrupted: stop, 3 emitted\n");
	tear_down(&f);
}

Test(timeline, still_running_and_crowded_columns)
{
	struct fixture f = set_up();

	for (uint64_t i = 0; i < 12; i++)
		add(&f, "burst", i, NULL);
	add(&f, "event.playlist.created", 2000,
	    "{\"playlist_id\":\"" ID "\",\"playlist_name\":\"show\"}");
	draw(&f, 4000, 55);
	cr_assert_not_null(strstr(f.text, "burst         #  12\n"));
	cr_assert_not_null(strstr(
	        f.text, "show 00112233                     [===================>  running\n"));
	tear_down(&f);
}

Test(timeline, nothing_and_no_time)
{
	struct fixture f = set_up();

	draw(&f, 1000, 100);
	cr_assert_str_eq(f.text, "nothing happened\n");
	free(f.text);
	f.text = NULL;
	add(&f, "one", 0, NULL);
	draw(&f, 0, 40);
	cr_assert_not_null(strstr(f.text, "one     *  1\n"));
	tear_down(&f);
}

Test(timeline, many_runs_are_counted_not_drawn)
{
	struct fixture f = set_up();

	for (int i = 0; i < 130; i++)
		add(&f, "event.playlist.created", 1,
		    "{\"playlist_id\":\"" ID "\",\"playlist_name\":\"show\"}");
	draw(&f, 10, 60);
	cr_assert_not_null(strstr(f.text, "\nand 30 more runs\n"));
	tear_down(&f);
}

Test(timeline, one_run_too_many_is_one_run)
{
	struct fixture f = set_up();

	for (int i = 0; i < 101; i++)
		add(&f, "event.playlist.created", 1,
		    "{\"playlist_id\":\"" ID "\",\"playlist_name\":\"show\"}");
	draw(&f, 10, 60);
	cr_assert_not_null(strstr(f.text, "\nand 1 more run\n"));
	tear_down(&f);
}

Test(timeline, names_are_cut_and_padded_by_characters)
{
	struct fixture f = set_up();

	add(&f, "go", 0, NULL);
	add(&f, "event.playlist.created", 0,
	    "{\"playlist_id\":\"" ID "\",\"playlist_name\":\"überführung äöü\"}");
	add(&f, "event.playlist.created", 0,
	    "{\"playlist_id\":\"" ID "\",\"playlist_name\":\"灯\"}");
	draw(&f, 2000, 42);
	cr_assert_str_eq(f.text,
	                 "seconds              0         1         2\n"
	                 "                     +---------+---------+\n"
	                 "go                   *  1\n"
	                 "\n"
	                 "runs: [ start, ] completed, x interrupted or cancelled, > still running\n"
	                 "überführung 00112233 [===================>  running\n"
	                 "灯 00112233          [===================>  running\n");
	tear_down(&f);
}

Test(timeline, everything_at_time_0)
{
	struct fixture f = set_up();

	add(&f, "go", 0, NULL);
	draw(&f, 0, 40);
	cr_assert_str_eq(f.text, "seconds 0\n"
	                         "        +-------------------------------\n"
	                         "go      *  1\n");
	tear_down(&f);
}

Test(timeline, labels_of_the_axis_are_whole)
{
	struct fixture f = set_up();

	add(&f, "go", 0, NULL);
	draw(&f, 250, 40);
	cr_assert_str_eq(f.text, "seconds 0           0.1          0.2\n"
	                         "        +-----------+------------+------\n"
	                         "go      *  1\n");
	free(f.text);
	draw(&f, 300, 41);
	cr_assert_str_eq(f.text, "seconds 0          0.1       0.2      0.3\n"
	                         "        +----------+---------+----------+\n"
	                         "go      *  1\n");
	tear_down(&f);
}
