/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge_fixture.h"

#include <errno.h>

/** Takes the next retained value. @return false when there is none. */
static bool take(struct fixture *f)
{
	struct retained_message m;

	f->topic[0] = f->text[0] = '\0';
	if (retained_take(f->retained, &m) < 0)
		return false;
	snprintf(f->topic, sizeof(f->topic), "%s", m.topic);
	cr_assert_lt(m.payload_len, sizeof(f->text));
	if (m.payload_len)
		memcpy(f->text, m.payload, m.payload_len);
	f->text[m.payload_len] = '\0';
	retained_message_clear(&m);
	return true;
}

Test(views, at_the_start_info_comes_first)
{
	struct fixture f;

	fixture_setup(&f, 100);
	views_mark_all(f.views);
	views_flush(f.views, f.now_ns);
	cr_assert(take(&f));
	cr_assert_str_eq(f.topic, "cuebus/1/t/info");
	cr_assert(fixture_has(
	        &f, "{\"version\":\"0\",\"boot_id\":\"cafe0001\",\"started_at\":\"1970-"));
	cr_assert(fixture_has(
	        &f,
	        "\"inputs\":[\"pad\"],\"outputs\":[],\"gestures\":[],\"playlists\":[\"blink\"]}"));
	cr_assert(take(&f));
	cr_assert_str_eq(f.topic, "cuebus/1/t/input/pad");
	cr_assert_str_eq(
	        f.text,
	        "{\"name\":\"pad\",\"kind\":\"button\",\"driver\":\"sim\",\"producer_id\":0,"
	        "\"value\":null,\"timestamp\":null}");
	cr_assert(take(&f));
	cr_assert_str_eq(f.topic, "cuebus/1/t/playlist/blink");
	cr_assert(fixture_has(&f, "{\"playlist_name\":\"blink\",\"definition_id\":\""));
	cr_assert(fixture_has(&f, "\"active\":[],\"active_runs\":0}"));
	cr_assert_not(take(&f));
	fixture_teardown(&f);
}

Test(views, changes_are_written_at_most_every_interval)
{
	struct cue_playlist_start start = { .name = "blink", .cause = CUE_CAUSE_COMMAND };
	struct fixture f;

	fixture_setup(&f, 1000);
	views_mark_all(f.views);
	views_flush(f.views, f.now_ns);
	while (take(&f))
		;
	cr_assert_eq(views_next_deadline(f.views), CUE_TIME_NONE);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(cue_playlist_start(engine_playlists(f.engine), &start, NULL), 0);
	views_flush(f.views, f.now_ns + 1);
	cr_assert_not(take(&f), "too soon after the first");
	cr_assert_eq(views_next_deadline(f.views), f.now_ns + VIEWS_INTERVAL_NS);
	views_flush(f.views, f.now_ns + VIEWS_INTERVAL_NS);
	cr_assert(take(&f));
	cr_assert_str_eq(f.topic, "cuebus/1/t/playlist/blink");
	/* three runs, one view */
	cr_assert_not_null(strstr(strstr(f.text, "\"active\":[\""), "\",\""));
	cr_assert_not(take(&f));
	fixture_teardown(&f);
}

Test(views, an_output_shows_its_level_and_why)
{
	struct cue_emit emit = { .type = "lamp.set" };
	struct fixture f;
	char error[512];

	fixture_setup_with(&f,
	                   "{\"version\":1,\"gateway\":{\"id\":\"t\"},\"outputs\":{\"lamp\":{"
	                   "\"driver\":\"sim\",\"on_event\":\"lamp.set\"}}}",
	                   100);
	cr_assert_eq(engine_open_outputs(f.engine, error), -EALREADY);
	views_mark_all(f.views);
	views_flush(f.views, f.now_ns);
	cr_assert(take(&f)); /* info */
	cr_assert(take(&f));
	cr_assert_str_eq(f.topic, "cuebus/1/t/output/lamp");
	cr_assert_str_eq(f.text,
	                 "{\"name\":\"lamp\",\"driver\":\"sim\",\"level\":0,\"why\":\"start\","
	                 "\"timestamp\":\"1970-01-01T00:00:01.000000Z\"}");
	cr_assert_not(take(&f));
	f.now_ns += SECOND;
	engine_wake(f.engine, f.now_ns);
	emit.time_ns = f.now_ns;
	cr_assert_eq(cue_payload_new("true", 4, 8, &emit.payload, NULL), 0);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(cue_bus_emit(engine_bus(f.engine), &emit, NULL), 0);
		views_flush(f.views, f.now_ns);
		cr_assert_eq(take(&f), i == 0, "the same level again is no change");
	}
	cue_payload_unref(emit.payload);
	fixture_teardown(&f);
}

Test(views, an_input_shows_its_last_event)
{
	struct fixture f;

	fixture_setup(&f, 100);
	views_mark_all(f.views);
	views_flush(f.views, f.now_ns);
	while (take(&f))
		;
	f.now_ns += SECOND;
	cr_assert_eq(engine_input_set(f.engine, "pad", 0, true, f.now_ns), 0);
	views_flush(f.views, f.now_ns);
	cr_assert(take(&f));
	cr_assert_str_eq(f.topic, "cuebus/1/t/input/pad");
	cr_assert(fixture_has(&f, "\"value\":{\"input\":\"pad\",\"pressed\":true},"
	                          "\"timestamp\":\"1970-01-01T00:00:02.000000Z\"}"));
	fixture_teardown(&f);
}

Test(views, what_is_gone_is_cleared)
{
	struct fixture f;

	fixture_setup(&f, 100);
	views_mark_all(f.views);
	views_flush(f.views, f.now_ns);
	while (take(&f))
		;
	cr_assert_eq(cue_playlist_remove(engine_playlists(f.engine), "blink", NULL), 0);
	views_mark_playlist(f.views, "blink");
	views_flush(f.views, f.now_ns + SECOND);
	cr_assert(take(&f));
	cr_assert_str_eq(f.topic, "cuebus/1/t/playlist/blink");
	cr_assert_str_eq(f.text, "");
	views_mark_all(f.views);
	views_flush(f.views, f.now_ns + 2 * SECOND);
	cr_assert(take(&f));
	cr_assert_str_eq(f.topic, "cuebus/1/t/info");
	cr_assert_not(take(&f));
	fixture_teardown(&f);
}

Test(views, a_name_that_makes_no_topic_has_no_view)
{
	struct fixture f;

	fixture_setup(&f, 100);
	views_mark_playlist(f.views, "a/#");
	views_mark_playlist(f.views, "nobody");
	views_flush(f.views, f.now_ns);
	cr_assert_not(take(&f));
	fixture_teardown(&f);
}
