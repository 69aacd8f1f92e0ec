/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"

#include <errno.h>

static struct cue_gesture_config tap(const char *name, const char *emit)
{
	return (struct cue_gesture_config){
		.name = name,
		.type = CUE_GESTURE_DOUBLE_TAP,
		.emit = emit,
		.priority = CUE_PRIORITY_GESTURE,
		.source = { .type = "in" },
		.window_ns = MS(100),
	};
}

static void twice(struct gesture_fixture *f, uint64_t ms)
{
	gesture_event(f, ms, "in", 1, "null");
	gesture_event(f, ms + 1, "in", 1, "null");
}

Test(gesture, type_names)
{
	static const char *const names[] = { "double_tap", "multi_tap",    "simultaneous",
		                             "sequence",   "gated_mirror", "gated_playlist" };
	enum cue_gesture_type type;

	for (int i = 0; i < 6; i++) {
		cr_assert_str_eq(cue_gesture_type_name((enum cue_gesture_type)i), names[i]);
		cr_assert_eq(cue_gesture_type_parse(names[i], &type), 0);
		cr_assert_eq((int)type, i);
	}
	cr_assert_eq(cue_gesture_type_parse("triple_tap", &type), -EINVAL);
	cr_assert_eq((int)type, 5);
}

static int collect(void *user, const struct cue_gesture_info *info)
{
	char *text = user;

	strcat(text, info->name);
	strcat(text, " ");
	return strcmp(info->name, "c") == 0 ? 42 : 0;
}

Test(gesture, are_listed_in_order_of_name)
{
	static const char *const names[] = { "c", "a", "d", "b" };
	struct cue_gestures_stats stats;
	struct gesture_fixture f;
	char text[32] = "";

	gesture_open(&f, NULL);
	for (size_t i = 0; i < 4; i++) {
		struct cue_gesture_config config = tap(names[i], "out");

		gesture_define(&f, &config);
	}
	cr_assert_eq(cue_gesture_foreach(f.gestures, collect, text), 42);
	cr_assert_str_eq(text, "a b c ");
	cr_assert_eq(cue_gesture_remove(f.gestures, "b"), 0);
	cr_assert_eq(cue_gesture_remove(f.gestures, "b"), -ENOENT);
	text[0] = '\0';
	cr_assert_eq(cue_gesture_foreach(f.gestures, collect, text), 42);
	cr_assert_str_eq(text, "a c ");
	cue_gestures_get_stats(f.gestures, &stats);
	cr_assert_eq(stats.definitions, 3);
	gesture_close(&f);
}

Test(gesture, ids_are_derived_from_gateway_and_name)
{
	struct cue_gesture_config config = tap("button.double", "out");
	char text[CUE_ID_TEXT_SIZE];
	struct gesture_fixture f;
	struct cue_id id, again, playlist;

	gesture_open(&f, NULL);
	cr_assert_eq(cue_gesture_define(f.gestures, &config, &id, NULL), 0);
	cue_id_format(&id, text);
	cr_assert_str_eq(text, "1baeeea816db1f624c5f6f67ce6f7a5a");
	config.window_ns = 1;
	cr_assert_eq(cue_gesture_define(f.gestures, &config, &again, NULL), 0);
	cr_assert(cue_id_equal(&id, &again));
	again = gesture_info(&f, "button.double").id;
	cr_assert(cue_id_equal(&id, &again));
	cue_id_derive("test", "button.double", &playlist);
	cr_assert_not(cue_id_equal(&id, &playlist));
	gesture_close(&f);
}

Test(gesture, redefining_begins_anew)
{
	struct cue_gesture_config config = tap("g", "out");
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	twice(&f, 0);
	gesture_event(&f, 10, "in", 1, "null");
	config.emit = "out.new";
	gesture_define(&f, &config);
	gesture_event(&f, 11, "in", 1, "null"); /* the tap before is forgotten */
	expect_log(&f, "1 out 1\n");
	gesture_event(&f, 12, "in", 1, "null");
	expect_log(&f, "12 out.new 1\n");
	cr_assert_eq(gesture_info(&f, "g").fired, 1);
	gesture_close(&f);
}

Test(gesture, a_definition_that_is_refused_leaves_the_earlier_one)
{
	struct cue_gesture_config config = tap("g", "out");
	struct cue_predicate_error error;
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "in", 1, "null");
	config.window_ns = 0;
	cr_assert_eq(cue_gesture_define(f.gestures, &config, NULL, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/window");
	gesture_event(&f, 1, "in", 1, "null");
	expect_log(&f, "1 out 1\n");
	gesture_close(&f);
}

Test(gesture, limit_on_definitions_counts_playlists_too)
{
	const struct cue_limits limits = { .definitions = 2 };
	const struct cue_step step = { .emit = "x" };
	const struct cue_playlist_config playlist = { .name = "p", .steps = &step, .n_steps = 1 };
	struct cue_gesture_config first = tap("first", "out"), second = tap("second", "out");
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	gesture_define(&f, &first);
	cr_assert_eq(cue_playlist_define(f.playlists, &playlist, NULL, NULL), 0);
	cr_assert_eq(cue_gesture_define(f.gestures, &second, NULL, NULL), -ENOSPC);
	gesture_define(&f, &first); /* no new one */
	cr_assert_eq(cue_playlist_remove(f.playlists, "p", NULL), 0);
	gesture_define(&f, &second);
	cr_assert_eq(cue_playlist_define(f.playlists, &playlist, NULL, NULL), -ENOSPC);
	cr_assert_eq(cue_gesture_remove(f.gestures, "first"), 0);
	cr_assert_eq(cue_playlist_define(f.playlists, &playlist, NULL, NULL), 0);
	gesture_close(&f);
}

Test(gesture, limit_on_event_types)
{
	const struct cue_limits limits = { .event_types = 2 };
	struct cue_gesture_config config = tap("g", "out"), more = tap("g", "another");
	struct cue_bus_stats before, after;
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	gesture_define(&f, &config);
	cue_bus_get_stats(f.bus, &before);
	cr_assert_eq(cue_gesture_define(f.gestures, &more, NULL, NULL), -ENOSPC);
	more = config;
	more.source.type = "other";
	cr_assert_eq(cue_gesture_define(f.gestures, &more, NULL, NULL), -ENOSPC);
	cue_bus_get_stats(f.bus, &after);
	cr_assert_eq(after.subscriptions, before.subscriptions);
	twice(&f, 0);
	expect_log(&f, "1 out 1\n");
	gesture_close(&f);
}

Test(gesture, gated_playlists_need_playlists)
{
	static const char *const gate[] = { "in" };
	const struct cue_gesture_config config = { .name = "g",
		                                   .type = CUE_GESTURE_GATED_PLAYLIST,
		                                   .gate = gate,
		                                   .n_gate = 1,
		                                   .playlist = "p" };
	struct cue_predicate_error error;
	struct cue_gestures *gestures;
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	cr_assert_eq(cue_gestures_new(f.bus, NULL, &gestures), 0);
	cr_assert_eq(cue_gesture_define(gestures, &config, NULL, &error), -EINVAL);
	cr_assert_str_eq(error.path, "/type");
	cr_assert_eq(cue_gesture_define(gestures, &config, NULL, NULL), -EINVAL);
	cr_assert_null(cue_gestures_free(gestures));
	cr_assert_null(cue_gestures_free(NULL));
	gesture_close(&f);
}

Test(gesture, priority_then_order_of_definition)
{
	struct cue_gesture_config a = tap("a", "out.a"), b = tap("b", "out.b"),
	                          c = tap("c", "out.c");
	struct gesture_fixture f;

	c.priority = CUE_PRIORITY_GESTURE + 1;
	gesture_open(&f, NULL);
	gesture_define(&f, &b);
	gesture_define(&f, &a);
	gesture_define(&f, &c);
	twice(&f, 0);
	expect_log(&f, "1 out.c 1\n1 out.b 1\n1 out.a 1\n");
	gesture_define(&f, &b); /* redefined, so behind a */
	twice(&f, 10);
	expect_log(&f, "11 out.c 1\n11 out.a 1\n11 out.b 1\n");
	gesture_close(&f);
}

Test(gesture, a_detector_never_sees_its_own_output)
{
	struct cue_gesture_config config = tap("g", "in"); /* emits what it listens to */
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	twice(&f, 0);
	gesture_event(&f, 2, "in", 1, "null");
	expect_log(&f, "1 in 1\n");
	gesture_event(&f, 3, "in", 1, "null");
	expect_log(&f, "3 in 1\n");
	gesture_close(&f);
}

/* Two registries on one bus: the events of one are not own output of the other. */
Test(gesture, registries_on_one_bus_hear_each_other)
{
	struct cue_gesture_config inner = tap("inner", "out"), outer = tap("outer", "out.twice");
	struct cue_gestures *other;
	struct gesture_fixture f;

	outer.source.type = "out";
	gesture_open(&f, NULL);
	cr_assert_eq(cue_gestures_new(f.bus, NULL, &other), 0);
	gesture_define(&f, &inner);
	cr_assert_eq(cue_gesture_define(other, &outer, NULL, NULL), 0);
	twice(&f, 0);
	twice(&f, 10);
	expect_log(&f, "1 out 1\n11 out 1\n11 out.twice 1\n");
	cue_gestures_free(other);
	gesture_close(&f);
}

/* ---- inside handlers ---- */

struct meddler {
	struct gesture_fixture *f;
	struct cue_gesture_config config;
	const char *remove; /* NULL: define */
	unsigned calls;
};

static int meddle(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct meddler *meddler = user;

	(void)bus;
	(void)event;
	if (meddler->calls++ > 0)
		return 0;
	if (meddler->remove)
		return cue_gesture_remove(meddler->f->gestures, meddler->remove);
	return cue_gesture_define(meddler->f->gestures, &meddler->config, NULL, NULL);
}

static void subscribe_meddler(struct meddler *meddler, int priority)
{
	struct cue_subscription *subscription;

	cr_assert_eq(cue_bus_subscribe(meddler->f->bus,
	                               &(struct cue_subscription_config){
	                                       .type = "in",
	                                       .priority = priority,
	                                       .handler = meddle,
	                                       .user = meddler,
	                               },
	                               &subscription),
	             0);
}

Test(gesture, defined_inside_a_handler_it_hears_the_next_event)
{
	struct gesture_fixture f;
	struct meddler meddler = { &f, tap("g", "out"), NULL, 0 };

	gesture_open(&f, NULL);
	subscribe_meddler(&meddler, CUE_PRIORITY_GESTURE + 1);
	twice(&f, 0);
	expect_log(&f, "");
	gesture_event(&f, 2, "in", 1, "null");
	expect_log(&f, "2 out 1\n");
	gesture_close(&f);
}

Test(gesture, removed_inside_a_handler_it_hears_nothing_more)
{
	struct cue_gesture_config config = tap("g", "out");
	struct gesture_fixture f;
	struct meddler meddler = { &f, config, "g", 0 };

	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "in", 1, "null");
	subscribe_meddler(&meddler, CUE_PRIORITY_GESTURE + 1);
	gesture_event(&f, 1, "in", 1, "null"); /* would have been the second tap */
	cr_assert_eq(meddler.calls, 1);
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture, redefined_inside_a_handler_the_old_one_hears_nothing_more)
{
	struct cue_gesture_config config = tap("g", "out");
	struct gesture_fixture f;
	struct meddler meddler = { &f, tap("g", "out.new"), NULL, 0 };

	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "in", 1, "null");
	subscribe_meddler(&meddler, CUE_PRIORITY_GESTURE + 1);
	gesture_event(&f, 1, "in", 1, "null");
	expect_log(&f, "");
	twice(&f, 2);
	expect_log(&f, "3 out.new 1\n");
	gesture_close(&f);
}

/* What the old definition emitted is still on its way when the new one comes:
 * it is the new one's own output. */
Test(gesture, redefined_it_does_not_see_what_it_emitted_before)
{
	struct cue_gesture_config config = tap("g", "in");
	struct gesture_fixture f;
	struct meddler meddler = { &f, config, NULL, 0 };

	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "in", 1, "null");
	subscribe_meddler(&meddler, CUE_PRIORITY_GESTURE - 1);
	gesture_event(&f, 1, "in", 1, "null");
	expect_log(&f, "1 in 1\n");
	gesture_event(&f, 2, "in", 1, "null");
	expect_log(&f, "");
	gesture_event(&f, 3, "in", 1, "null");
	expect_log(&f, "3 in 1\n");
	gesture_close(&f);
}
