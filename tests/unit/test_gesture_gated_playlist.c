/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"

#include <errno.h>

static const char *const press[] = { "button.press" };

static struct cue_gesture_config flash_on_press(void)
{
	return (struct cue_gesture_config){
		.name = "flash.on.press",
		.type = CUE_GESTURE_GATED_PLAYLIST,
		.gate = press,
		.n_gate = 1,
		.playlist = "flash",
	};
}

/** The data of the latest lifecycle event of a kind; "" for none. */
static const char *latest(struct gesture_fixture *f, const char *type)
{
	struct cue_state state;

	if (cue_bus_state_get(f->bus, type, NULL, &state) < 0)
		return "";
	return cue_payload_bytes(state.payload, NULL);
}

static void define_flash(struct gesture_fixture *f, enum cue_playlist_mode mode)
{
	const struct cue_step steps[] = { { .emit = "lamp.set" },
		                          { .emit = "lamp.set", .offset_ns = MS(200) } };
	const struct cue_playlist_config config = {
		.name = "flash", .mode = mode, .steps = steps, .n_steps = 2
	};

	cr_assert_eq(cue_playlist_define(f->playlists, &config, NULL, NULL), 0);
}

static struct cue_playlists_stats stats_of(const struct gesture_fixture *f)
{
	struct cue_playlists_stats stats;

	cue_playlists_get_stats(f->playlists, &stats);
	return stats;
}

Test(gesture_gated_playlist, starts_the_playlist_when_the_predicate_holds)
{
	struct cue_gesture_config config = flash_on_press();
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_flash(&f, CUE_MODE_PARALLEL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "button.press", 7, "{\"pressed\":false}");
	cr_assert_eq(stats_of(&f).started, 0);
	gesture_event(&f, 10, "button.press", 7, "{\"pressed\":true,\"n\":1.0}");
	cr_assert_eq(stats_of(&f).started, 1);
	cr_assert_not_null(strstr(latest(&f, "event.playlist.created"), "\"cause\":\"gesture\""));
	cr_assert_not_null(strstr(latest(&f, "event.playlist.created"),
	                          "\"trigger_event\":{\"event_type\":\"button.press\","
	                          "\"producer_id\":7,\"data\":{\"pressed\":true,\"n\":1.0}}"));
	cr_assert_eq(gesture_info(&f, "flash.on.press").fired, 1);
	gesture_close(&f);
}

Test(gesture_gated_playlist, when_is_asked_at_each_gate_event)
{
	struct cue_gesture_config config = flash_on_press();
	struct gesture_fixture f;
	cJSON *when = cJSON_Parse("{\"any\":[{\"state\":\"armed\"},{\"state\":\"forced\"}]}");

	config.when = when;
	gesture_open(&f, NULL);
	define_flash(&f, CUE_MODE_PARALLEL);
	gesture_define(&f, &config);
	cJSON_Delete(when);
	gesture_event(&f, 0, "button.press", 1, "true");
	cr_assert_eq(stats_of(&f).started, 0);
	gesture_event(&f, 1, "armed", 1, "true");
	cr_assert_eq(stats_of(&f).started, 0);
	gesture_event(&f, 2, "button.press", 1, "false"); /* its data does not matter */
	cr_assert_eq(stats_of(&f).started, 1);
	gesture_close(&f);
}

Test(gesture_gated_playlist, cancels_active_runs_first_if_asked_to)
{
	struct cue_gesture_config config = flash_on_press();
	struct gesture_fixture f;

	config.cancel_active_runs = true;
	gesture_open(&f, NULL);
	define_flash(&f, CUE_MODE_SINGLE); /* would refuse a second run */
	gesture_define(&f, &config);
	gesture_event(&f, 0, "button.press", 1, "true");
	gesture_event(&f, 100, "button.press", 1, "true");
	cr_assert_eq(stats_of(&f).started, 2);
	cr_assert_eq(stats_of(&f).cancelled, 1);
	cr_assert_eq(stats_of(&f).active_runs, 1);
	cr_assert_not_null(strstr(latest(&f, "event.playlist.stopped"),
	                          "\"reason\":\"cancelled\",\"detail\":\"gate\""));
	gesture_close(&f);
}

Test(gesture_gated_playlist, what_the_mode_refuses_is_no_failure)
{
	struct cue_gesture_config config = flash_on_press();
	struct gesture_fixture f;

	config.cooldown_ns = MS(150);
	gesture_open(&f, NULL);
	define_flash(&f, CUE_MODE_SINGLE);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "button.press", 1, "true");
	gesture_event(&f, 160, "button.press", 1, "true");
	cr_assert_eq(stats_of(&f).rejected, 1);
	cr_assert_eq(f.base.reports[CUE_REPORT_HANDLER_FAILED], 0);
	cr_assert_eq(gesture_info(&f, "flash.on.press").fired, 1);
	/* one that was refused begins no cooldown */
	cr_assert_eq(cue_bus_advance(f.bus, START_NS + MS(210)), 0);
	gesture_event(&f, 220, "button.press", 1, "true");
	cr_assert_eq(stats_of(&f).started, 2);
	gesture_close(&f);
}

Test(gesture_gated_playlist, a_missing_playlist_is_a_reported_failure)
{
	struct cue_gesture_config config = flash_on_press();
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "button.press", 1, "true");
	cr_assert_eq(f.last_error, -ENOENT);
	cr_assert_eq(f.base.reports[CUE_REPORT_HANDLER_FAILED], 1);
	config.cancel_active_runs = true;
	gesture_define(&f, &config);
	gesture_event(&f, 1, "button.press", 1, "true");
	cr_assert_eq(f.base.reports[CUE_REPORT_HANDLER_FAILED], 2);
	/* it may come later */
	define_flash(&f, CUE_MODE_PARALLEL);
	gesture_event(&f, 2, "button.press", 1, "true");
	cr_assert_eq(stats_of(&f).started, 1);
	gesture_close(&f);
}

Test(gesture_gated_playlist, cooldown_is_over_all_producers_and_spares_active_runs)
{
	struct cue_gesture_config config = flash_on_press();
	struct gesture_fixture f;

	config.cooldown_ns = MS(100);
	config.cancel_active_runs = true;
	gesture_open(&f, NULL);
	define_flash(&f, CUE_MODE_PARALLEL);
	gesture_define(&f, &config);
	gesture_event(&f, 0, "button.press", 1, "true");
	gesture_event(&f, 99, "button.press", 2, "true");
	cr_assert_eq(stats_of(&f).cancelled, 0);
	cr_assert_eq(gesture_info(&f, "flash.on.press").cooled_down, 1);
	gesture_event(&f, 100, "button.press", 2, "true");
	cr_assert_eq(stats_of(&f).started, 2);
	cr_assert_eq(stats_of(&f).cancelled, 1);
	gesture_close(&f);
}

static void remove_the_gesture(void *user, const struct cue_run_result *result)
{
	struct gesture_fixture *f = user;

	(void)result;
	cr_assert_eq(cue_gesture_remove(f->gestures, "flash.on.press"), 0);
}

/* The gesture's own handler stops a run whose callback removes the gesture. */
Test(gesture_gated_playlist, may_be_removed_from_inside_its_handler)
{
	struct cue_gesture_config config = flash_on_press();
	struct gesture_fixture f;

	config.cancel_active_runs = true;
	gesture_open(&f, NULL);
	define_flash(&f, CUE_MODE_PARALLEL);
	gesture_define(&f, &config);
	cr_assert_eq(cue_playlist_start(f.playlists,
	                                &(struct cue_playlist_start){
	                                        .name = "flash",
	                                        .cause = CUE_CAUSE_COMMAND,
	                                        .on_stopped = remove_the_gesture,
	                                        .user = &f,
	                                },
	                                NULL),
	             0);
	gesture_event(&f, 0, "button.press", 1, "true");
	cr_assert_eq(stats_of(&f).cancelled, 1);
	cr_assert_eq(stats_of(&f).started, 1); /* it was removed before it could start another */
	gesture_event(&f, 1, "button.press", 1, "true");
	cr_assert_eq(stats_of(&f).started, 1);
	cr_assert_eq(f.base.reports[CUE_REPORT_HANDLER_FAILED], 0);
	gesture_close(&f);
}
