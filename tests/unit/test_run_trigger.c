/* SPDX-License-Identifier: Apache-2.0 */
#include "playlist_fixture.h"

static const struct cue_filter go = { .type = "go" };
static const struct cue_step late = { .emit = "x", .offset_ns = MS(10000) };

static uint64_t kept_bytes(const struct pf *f)
{
	struct cue_playlists_stats stats;

	cue_playlists_get_stats(f->playlists, &stats);
	return stats.trigger_bytes;
}

static uint64_t dropped(const struct pf *f)
{
	struct cue_playlists_stats stats;

	cue_playlists_get_stats(f->playlists, &stats);
	return stats.triggers_dropped;
}

static void define(struct pf *f, const char *name, enum cue_playlist_mode mode)
{
	const struct cue_playlist_config config = { .name = name,
		                                    .mode = mode,
		                                    .triggers = &go,
		                                    .n_triggers = 1,
		                                    .steps = &late,
		                                    .n_steps = 1 };

	pf_define(f, &config);
}

/** A string of @p n bytes. */
static const char *text_of(char *json, size_t n)
{
	memset(json, 'x', n);
	json[0] = json[n - 1] = '"';
	json[n] = '\0';
	return json;
}

Test(run_trigger, data_of_one_event_counts_once_however_many_runs_it_started)
{
	char json[1001];
	struct pf f;

	pf_open_config(&f, (struct cue_bus_config){ 0 });
	define(&f, "p", CUE_MODE_PARALLEL);
	define(&f, "q", CUE_MODE_PARALLEL);
	pf_emit_data(&f, "go", 0, text_of(json, 1000));
	cr_assert_geq(kept_bytes(&f), 1000U);
	cr_assert_lt(kept_bytes(&f), 1200U);
	pf_emit_data(&f, "go", 0, json);
	cr_assert_geq(kept_bytes(&f), 2000U);
	cue_playlist_stop(f.playlists, "p", "test", NULL, NULL);
	cr_assert_geq(kept_bytes(&f), 2000U);
	cue_playlist_stop(f.playlists, "q", "test", NULL, NULL);
	cr_assert_eq(kept_bytes(&f), 0U);
	cr_assert_eq(dropped(&f), 0U);
	pf_close(&f);
}

Test(run_trigger, what_does_not_fit_is_dropped_and_marked_where_it_is_quoted_later)
{
	struct pf f;
	char json[1001];

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .trigger_bytes = 1500 } });
	define(&f, "p", CUE_MODE_QUEUED);
	pf_emit_data(&f, "go", 0, text_of(json, 1000)); /* runs */
	pf_emit_data(&f, "go", 0, json);                /* waits, without */
	pf_emit_data(&f, "go", 0, "1");                 /* waits, with */
	cr_assert_eq(dropped(&f), 1U);
	cr_assert_leq(kept_bytes(&f), 1500U);
	cr_assert_not_null(strstr(f.last[PF_CREATED], json));
	pf_advance(&f, 10000);
	cr_assert_not_null(strstr(f.last[PF_CREATED], "\"trigger_event\":{\"event_type\":\"go\","
	                                              "\"producer_id\":0,\"data\":null,"
	                                              "\"data_omitted\":\"limit\"}"));
	pf_advance(&f, 20000);
	cr_assert_not_null(strstr(f.last[PF_CREATED], "\"data\":1}"));
	pf_advance(&f, 30000);
	cr_assert_eq(kept_bytes(&f), 0U);
	pf_close(&f);
}

/* A run that starts at once quotes its trigger even if it may not keep it. */
Test(run_trigger, a_run_that_begins_at_once_quotes_in_any_case)
{
	struct pf f;
	char json[1001];

	pf_open_config(&f, (struct cue_bus_config){ .limits = { .trigger_bytes = 500 } });
	define(&f, "p", CUE_MODE_PARALLEL);
	pf_emit_data(&f, "go", 0, text_of(json, 1000));
	cr_assert_not_null(strstr(f.last[PF_CREATED], json));
	cr_assert_eq(dropped(&f), 1U);
	cr_assert_eq(kept_bytes(&f), 0U);
	pf_close(&f);
}
