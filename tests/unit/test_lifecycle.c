/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes, causes and depths of the lifecycle events. */
#include <errno.h>

#include "playlist_fixture.h"

#define RUN "\"playlist_id\":\"00000000000000000000000000000000\","
#define DEF "\"definition_id\":\"00000000000000000000000000000000\","

/** Ids are random or hashed: zero their digits to compare the rest byte by byte. */
static const char *masked(const char *json)
{
	static const char *const keys[] = { "\"playlist_id\":\"", "\"definition_id\":\"" };
	static char text[4096];

	snprintf(text, sizeof(text), "%s", json ? json : "(none)");
	for (size_t i = 0; i < 2; i++) {
		for (char *p = strstr(text, keys[i]); p; p = strstr(p, keys[i])) {
			p += strlen(keys[i]);
			cr_assert_eq(strspn(p, "0123456789abcdef"), 32U);
			memset(p, '0', 32);
		}
	}
	return text;
}

static struct cue_payload *payload(const char *json)
{
	struct cue_payload *p = NULL;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &p, NULL), 0);
	return p;
}

Test(lifecycle, payloads_of_a_command_run_are_exact)
{
	struct cue_payload *data = payload("{\"value\":7}"),
	                   *metadata = payload("{\"feature\":\"color\"}");
	const struct cue_step steps[] = {
		{ .emit = "color.update",
		  .data = data,
		  .repeat = 2,
		  .interval_ns = MS(1500),
		  .producer_id = 5 },
		{ .emit = "horn.beep", .offset_ns = MS(1600) + 1 },
	};
	const struct cue_filter stop = { .type = "stop.sequence" };
	struct cue_playlist_start start = { .name = "color.cycle",
		                            .cause = CUE_CAUSE_COMMAND,
		                            .request_id = "\"r-1\"" };
	struct pf f;

	pf_open(&f);
	pf_define(&f, &(struct cue_playlist_config){ .name = "color.cycle",
	                                             .interrupts = &stop,
	                                             .n_interrupts = 1,
	                                             .metadata = metadata,
	                                             .steps = steps,
	                                             .n_steps = 2 });
	cue_payload_unref(data);
	cue_payload_unref(metadata);
	cr_assert_eq(cue_playlist_start(f.playlists, &start, NULL), 0);
	pf_advance(&f, 1500);
	pf_emit_data(&f, "stop.sequence", 3, "{\"why\":1}");
	cr_assert_str_eq(
	        masked(f.last[PF_CREATED]),
	        "{" RUN DEF
	        "\"playlist_name\":\"color.cycle\",\"playlist_metadata\":{\"feature\":\"color\"},"
	        "\"steps\":[{\"event_type\":\"color.update\",\"offset\":0,\"repeat\":2,"
	        "\"interval\":1.5,"
	        "\"producer_id\":5,\"data\":{\"value\":7}},{\"event_type\":\"horn.beep\","
	        "\"offset\":1.600000001,\"repeat\":1,\"interval\":0,\"producer_id\":0,\"data\":"
	        "null}],"
	        "\"expected_duration\":1.600000001,\"cause\":\"command\",\"request_id\":\"r-1\"}");
	cr_assert_str_eq(
	        masked(f.last[PF_EMITTED]),
	        "{" RUN DEF
	        "\"playlist_name\":\"color.cycle\",\"playlist_metadata\":{\"feature\":\"color\"},"
	        "\"step_index\":0,\"repeat_index\":1,\"event_type\":\"color.update\",\"producer_"
	        "id\":5,"
	        "\"offset\":1.5,\"late_us\":0,\"data\":{\"value\":7}}");
	cr_assert_str_eq(
	        masked(f.last[PF_STOPPED]),
	        "{" RUN DEF
	        "\"playlist_name\":\"color.cycle\",\"playlist_metadata\":{\"feature\":\"color\"},"
	        "\"reason\":\"interrupted\",\"detail\":null,\"emitted_count\":2,\"interrupt_"
	        "event\":"
	        "{\"event_type\":\"stop.sequence\",\"producer_id\":3,\"data\":{\"why\":1}}}");
	pf_close(&f);
}

Test(lifecycle, the_trigger_is_quoted_throughout_and_in_the_completion)
{
	const struct cue_step step = { .emit = "x" };
	const struct cue_filter go = { .type = "go" };
	struct pf f;

	pf_open(&f);
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .triggers = &go,
	                                             .n_triggers = 1,
	                                             .completion = "done",
	                                             .mode = CUE_MODE_SINGLE,
	                                             .steps = &step,
	                                             .n_steps = 1 });
	pf_emit_data(&f, "go", 9, "[1,\"a\"]");
	pf_emit_data(&f, "go", 8, "true");
	cr_assert_str_eq(
	        masked(f.last[PF_REJECTED]),
	        "{" RUN DEF "\"playlist_name\":\"p\",\"trigger_event\":{\"event_type\":\"go\","
	        "\"producer_id\":8},\"reason\":\"busy\","
	        "\"detail\":\"a run is active and the mode is single\",\"cause\":\"trigger\"}");
	pf_advance(&f, 0);
	cr_assert_str_eq(masked(f.last[PF_PLAIN]),
	                 "{" RUN DEF
	                 "\"playlist_name\":\"p\",\"trigger_event\":{\"event_type\":\"go\","
	                 "\"producer_id\":9}}");
	cr_assert_not_null(strstr(f.last[PF_EMITTED],
	                          "\"trigger_event\":{\"event_type\":\"go\",\"producer_id\":9}"));
	cr_assert_not_null(strstr(f.last[PF_STOPPED],
	                          "\"trigger_event\":{\"event_type\":\"go\",\"producer_id\":9}"));
	pf_close(&f);
}

struct seen {
	char text[1024];
};

static int note_cause(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct seen *seen = user;
	size_t len = strlen(seen->text);
	const char *type = cue_event_type_name(event);

	(void)bus;
	snprintf(seen->text + len, sizeof(seen->text) - len, "%s %llu<%llu depth %u\n",
	         strncmp(type, "event.playlist.", 15) == 0 ? type + 15 : type,
	         (unsigned long long)event->seq, (unsigned long long)event->cause_seq,
	         event->depth);
	return 0;
}

Test(lifecycle, causes_lead_back_to_the_trigger_and_time_ends_a_cascade)
{
	const struct cue_step steps[] = { { .emit = "x" }, { .emit = "y", .offset_ns = 1 } };
	const struct cue_filter go = { .type = "go" };
	struct seen seen = { "" };
	struct pf f;

	pf_open(&f);
	pf_subscribe(&f, "*", CUE_PRIORITY_BRIDGE, note_cause, &seen);
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .triggers = &go,
	                                             .n_triggers = 1,
	                                             .completion = "done",
	                                             .steps = steps,
	                                             .n_steps = 2 });
	pf_emit(&f, "go");
	pf_advance(&f, 1);
	cr_assert_str_eq(
	        seen.text,
	        "go 1<0 depth 0\ncreated 2<1 depth 1\nx 3<2 depth 1\nemitted 4<3 depth 2\n"
	        "y 5<2 depth 0\nemitted 6<5 depth 1\nstopped 7<5 depth 1\ndone 8<7 depth 2\n");
	pf_close(&f);
}

static bool only_plain(void *user, const char *type)
{
	(void)user;
	return strncmp(type, "event.", 6) != 0;
}

Test(lifecycle, types_that_are_not_numbered_hand_their_cause_on)
{
	const struct cue_step step = { .emit = "x" };
	const struct cue_filter go = { .type = "go" };
	struct seen seen = { "" };
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .is_numbered = only_plain });
	pf_subscribe(&f, "*", CUE_PRIORITY_BRIDGE, note_cause, &seen);
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .triggers = &go,
	                                             .n_triggers = 1,
	                                             .completion = "done",
	                                             .steps = &step,
	                                             .n_steps = 1 });
	pf_emit(&f, "go");
	pf_advance(&f, 1);
	cr_assert_str_eq(seen.text,
	                 "go 1<0 depth 0\ncreated 0<1 depth 1\nx 2<1 depth 1\nemitted 0<2 depth 2\n"
	                 "stopped 0<2 depth 2\ndone 3<2 depth 3\n");
	pf_close(&f);
}

Test(lifecycle, a_loop_without_time_is_cut_and_every_run_still_ends)
{
	const struct cue_step step = { .emit = "x" };
	const struct cue_filter go = { .type = "x" };
	struct cue_playlists_stats stats;
	struct cue_bus_stats bus_stats;
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .cascade_depth = 4 } });
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .triggers = &go,
	                                             .n_triggers = 1,
	                                             .steps = &step,
	                                             .n_steps = 1 });
	pf_emit(&f, "x");
	pf_advance(&f, 10);
	cue_playlists_get_stats(f.playlists, &stats);
	cue_bus_get_stats(f.bus, &bus_stats);
	cr_assert_eq(stats.started, 4);
	cr_assert_eq(stats.completed, 4);
	cr_assert_eq(stats.active_runs, 0);
	cr_assert_eq(bus_stats.cascades_cut, 1);
	cr_assert_eq(f.reports[CUE_REPORT_CASCADE_CUT], 1);
	pf_close(&f);
}

Test(lifecycle, a_loop_in_which_time_passes_goes_on)
{
	const struct cue_step step = { .emit = "x", .offset_ns = MS(1) };
	const struct cue_filter go = { .type = "done" };
	struct cue_playlists_stats stats;
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .cascade_depth = 4 } });
	f.no_emitted = true;
	pf_define(&f, &(struct cue_playlist_config){ .name = "p",
	                                             .triggers = &go,
	                                             .n_triggers = 1,
	                                             .completion = "done",
	                                             .steps = &step,
	                                             .n_steps = 1 });
	pf_emit(&f, "done");
	for (int i = 0; i < 200; i++) {
		pf_advance(&f, (uint64_t)i);
		f.log[0] = '\0';
		f.n_runs = 0;
	}
	cue_playlists_get_stats(f.playlists, &stats);
	cr_assert_eq(stats.completed, 199);
	/* Each quotes what triggered it, but not what triggered that. */
	cr_assert_lt(strlen(f.last[PF_STOPPED]), 600U);
	pf_close(&f);
}

Test(lifecycle, late_us_is_emitted_minus_scheduled)
{
	const struct cue_step step = { .emit = "x", .repeat = 2, .interval_ns = MS(10) };
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ .start_ns = MS(500), .clock_ns = pf_clock });
	pf_define(&f, &(struct cue_playlist_config){ .name = "p", .steps = &step, .n_steps = 1 });
	pf_start(&f, "p");
	f.clock_ns = MS(500) + 1999;
	pf_advance(&f, 500);
	cr_assert_not_null(strstr(f.last[PF_EMITTED], "\"offset\":0,\"late_us\":1,"));
	f.clock_ns = MS(512);
	pf_advance(&f, 512);
	cr_assert_not_null(strstr(f.last[PF_EMITTED], "\"offset\":0.01,\"late_us\":2000,"));
	pf_close(&f);
}

Test(lifecycle, steps_carry_their_own_payload_whatever_a_subscriber_does)
{
	struct cue_payload *data = payload("{\"on\":true}");
	const struct cue_step step = {
		.emit = "x", .data = data, .repeat = 3, .interval_ns = MS(1)
	};
	const cJSON *tree;
	struct pf f;

	pf_open(&f);
	pf_define(&f, &(struct cue_playlist_config){ .name = "p", .steps = &step, .n_steps = 1 });
	pf_start(&f, "p");
	tree = cue_payload_json(data);
	cJSON *copy = cJSON_Duplicate(tree, 1);
	cJSON_ReplaceItemInObjectCaseSensitive(copy, "on", cJSON_CreateFalse());
	cJSON_Delete(copy);
	cue_payload_unref(data);
	for (uint64_t ms = 0; ms < 3; ms++) {
		pf_advance(&f, ms);
		cr_assert_str_eq(f.last[PF_PLAIN], "{\"on\":true}");
	}
	pf_close(&f);
}
