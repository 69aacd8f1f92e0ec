/* SPDX-License-Identifier: Apache-2.0 */
#include "playlist_fixture.h"

static void expect_json(const struct cue_playlist_config *config, const char *expected)
{
	struct cue_playlist_info info;
	struct pf f;

	pf_open(&f);
	pf_define(&f, config);
	cr_assert_eq(cue_playlist_get(f.playlists, config->name, &info), 0);
	cr_assert_str_eq(cue_payload_bytes(info.definition, NULL), expected);
	pf_close(&f);
}

Test(playlist_json, defaults_are_written_out)
{
	const struct cue_step step = { .emit = "x" };

	expect_json(&(struct cue_playlist_config){ .name = "p", .steps = &step, .n_steps = 1 },
	            "{\"mode\":\"parallel\",\"max_runs\":16,\"late\":\"burst\",\"on_restart\":"
	            "\"abort\","
	            "\"interrupt_debounce\":\"0s\",\"steps\":[{\"emit\":\"x\",\"offset\":\"0s\","
	            "\"repeat\":1,"
	            "\"producer_id\":0}]}");
}

Test(playlist_json, everything_is_written_in_the_form_of_the_configuration)
{
	cJSON *match = cJSON_Parse("{\"bpm\":{\"gt\":180},\"id\":9007199254740991}");
	const struct cue_filter go = { .type = "go" };
	const struct cue_filter stops[] = { { .type = "stop" },
		                            { .type = "heart.rate", .match = match },
		                            { .type = "estop", .has_debounce = true },
		                            { .type = "heart.rate",
		                              .match = match,
		                              .has_debounce = true,
		                              .debounce_ns = MS(20) } };
	struct cue_payload *data = NULL;
	struct cue_step steps[2] = {
		{ .emit = "x", .repeat = 60, .interval_ns = MS(1500), .producer_id = 5 },
		{ .emit = "y", .offset_ns = 1000000001 },
	};

	cr_assert_eq(cue_payload_new("{\"v\":1.50}", 10, 0, &data, NULL), 0);
	steps[0].data = data;
	expect_json(
	        &(struct cue_playlist_config){ .name = "p",
	                                       .triggers = &go,
	                                       .n_triggers = 1,
	                                       .interrupts = stops,
	                                       .n_interrupts = 4,
	                                       .completion = "done",
	                                       .metadata = data,
	                                       .mode = CUE_MODE_QUEUED,
	                                       .max_runs = 3,
	                                       .late = CUE_LATE_SKIP,
	                                       .on_restart = CUE_ON_RESTART_RESUME,
	                                       .interrupt_debounce_ns = 250000,
	                                       .steps = steps,
	                                       .n_steps = 2 },
	        "{\"trigger\":\"go\",\"interrupts\":[\"stop\",{\"event\":\"heart.rate\","
	        "\"match\":{\"bpm\":{\"gt\":180},\"id\":9007199254740991}},"
	        "{\"event\":\"estop\",\"debounce\":\"0s\"},{\"event\":\"heart.rate\","
	        "\"match\":{\"bpm\":{\"gt\":180},\"id\":9007199254740991},\"debounce\":\"20ms\"}],"
	        "\"completion\":\"done\",\"metadata\":{\"v\":1."
	        "50},"
	        "\"mode\":\"queued\",\"max_runs\":3,\"late\":\"skip\",\"on_restart\":\"resume\","
	        "\"interrupt_debounce\":\"250us\",\"steps\":[{\"emit\":\"x\",\"data\":{\"v\":1.50},"
	        "\"offset\":\"0s\",\"repeat\":60,\"interval\":\"1500ms\",\"producer_id\":5},"
	        "{\"emit\":\"y\",\"offset\":\"1.000000001s\",\"repeat\":1,\"producer_id\":0}]}");
	cue_payload_unref(data);
	cJSON_Delete(match);
}

Test(playlist_json, several_triggers_are_an_array)
{
	const struct cue_filter triggers[] = { { .type = "a" }, { .type = "b" } };
	const struct cue_step step = { .emit = "x" };

	expect_json(
	        &(struct cue_playlist_config){ .name = "p",
	                                       .triggers = triggers,
	                                       .n_triggers = 2,
	                                       .mode = CUE_MODE_RESTART,
	                                       .on_restart = CUE_ON_RESTART_SKIP,
	                                       .steps = &step,
	                                       .n_steps = 1 },
	        "{\"trigger\":[\"a\",\"b\"],\"mode\":\"restart\",\"max_runs\":16,\"late\":"
	        "\"burst\","
	        "\"on_restart\":\"skip\",\"interrupt_debounce\":\"0s\",\"steps\":[{\"emit\":\"x\","
	        "\"offset\":\"0s\",\"repeat\":1,\"producer_id\":0}]}");
}
