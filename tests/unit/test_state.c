/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "bus_fixture.h"
#include "cue_criterion.h"

static void emit(struct fixture *f, const char *type, uint32_t producer_id, const char *json)
{
	struct cue_payload *payload;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	cr_assert_eq(cue_bus_emit(f->bus,
	                          &(struct cue_emit){ .type = type,
	                                              .producer_id = producer_id,
	                                              .payload = payload,
	                                              .time_ns = CUE_TIME_NONE },
	                          NULL),
	             0);
	cue_payload_unref(payload);
}

static void emit_at(struct fixture *f, uint32_t producer_id, uint64_t time_ns, const char *json)
{
	struct cue_payload *payload;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	cr_assert_eq(cue_bus_emit(f->bus,
	                          &(struct cue_emit){ .type = "a.b",
	                                              .producer_id = producer_id,
	                                              .payload = payload,
	                                              .time_ns = time_ns },
	                          NULL),
	             0);
	cue_payload_unref(payload);
}

static void expect(struct fixture *f, const char *type, const uint32_t *producer_id,
                   const char *json)
{
	struct cue_state state;

	cr_assert_eq(cue_bus_state_get(f->bus, type, producer_id, &state), 0);
	cr_assert_str_eq(cue_payload_bytes(state.payload, NULL), json);
}

Test(state, keeps_the_last_of_each_producer_and_of_any)
{
	struct fixture f;
	struct cue_state state;
	uint32_t one = 1, two = 2, three = 3;

	fixture_open(&f, NULL);
	emit(&f, "a.b", 1, "1");
	emit(&f, "a.b", 2, "2");
	emit(&f, "a.b", 1, "3");
	expect(&f, "a.b", &one, "3");
	expect(&f, "a.b", &two, "2");
	expect(&f, "a.b", NULL, "3");
	cr_assert_eq(cue_bus_state_get(f.bus, "a.b", &three, &state), -ENOENT);
	cr_assert_eq(cue_bus_state_get(f.bus, "a.c", NULL, &state), -ENOENT);
	fixture_close(&f);
}

Test(state, the_latest_is_by_event_time)
{
	struct fixture f;
	uint32_t one = 1, two = 2;
	uint64_t t;

	fixture_open(&f, NULL);
	t = cue_bus_now(f.bus);
	cr_assert_eq(cue_bus_advance(f.bus, t + 100), 0);
	emit_at(&f, 1, t + 20, "1");
	emit_at(&f, 2, t + 10, "2");
	expect(&f, "a.b", NULL, "1");
	expect(&f, "a.b", &two, "2");
	emit_at(&f, 1, t + 19, "3");
	expect(&f, "a.b", &one, "1");
	emit_at(&f, 2, t + 20, "4"); /* of equal times the one dispatched last */
	expect(&f, "a.b", NULL, "4");
	emit_at(&f, 1, t + 20, "5");
	expect(&f, "a.b", &one, "5");
	expect(&f, "a.b", NULL, "5");
	fixture_close(&f);
}

Test(state, when_full_new_entries_are_counted_and_the_latest_stays_true)
{
	struct fixture f;
	struct cue_limits limits = { .state_entries = 2 };
	struct cue_bus_stats stats;
	struct cue_state state;
	uint32_t three = 3;

	fixture_open(&f, &limits);
	emit(&f, "a", 1, "1");
	emit(&f, "a", 2, "2");
	emit(&f, "a", 3, "3");
	emit(&f, "a", 1, "4");
	expect(&f, "a", NULL, "4");
	cr_assert_eq(cue_bus_state_get(f.bus, "a", &three, &state), -ENODATA);
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.state_refused, 1U);
	cr_assert_eq(stats.state_entries, 2U);
	cr_assert_eq(f.reports[CUE_REPORT_STATE_FULL], 1U);
	fixture_close(&f);
}

static int visit(void *user, const struct cue_state *state)
{
	char text[64];

	snprintf(text, sizeof(text), "%s/%u", cue_type_name(state->type), state->producer_id);
	fixture_log(user, text);
	return strcmp(text, "stop/9") == 0 ? 7 : 0;
}

Test(state, foreach_goes_by_name_and_producer_and_filters)
{
	struct fixture f;
	uint32_t two = 2;

	fixture_open(&f, NULL);
	emit(&f, "b", 2, "0");
	emit(&f, "b", 1, "0");
	emit(&f, "a", 2, "0");
	cr_assert_eq(cue_bus_state_foreach(f.bus, NULL, NULL, visit, &f), 0);
	cr_assert_str_eq(f.log, "a/2 b/1 b/2");
	f.log[0] = '\0';
	cue_bus_state_foreach(f.bus, NULL, &two, visit, &f);
	cr_assert_str_eq(f.log, "a/2 b/2");
	f.log[0] = '\0';
	cue_bus_state_foreach(f.bus, "b", NULL, visit, &f);
	cr_assert_str_eq(f.log, "b/1 b/2");
	emit(&f, "stop", 9, "0");
	emit(&f, "zzz", 1, "0");
	cr_assert_eq(cue_bus_state_foreach(f.bus, NULL, NULL, visit, &f), 7);
	fixture_close(&f);
}

Test(state, many_entries_survive_growth)
{
	struct cue_bus_stats stats;
	struct fixture f;

	fixture_open(&f, NULL);
	for (uint32_t i = 0; i < 2000; i++) {
		char json[16];

		snprintf(json, sizeof(json), "%u", i);
		emit(&f, "a", i, json);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		char json[16];

		snprintf(json, sizeof(json), "%u", i);
		expect(&f, "a", &i, json);
	}
	/* Only the growth is counted: an entry that shrinks gives back no more. */
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_gt(stats.state_bytes, 2000U * 64U);
	cr_assert_lt(stats.state_bytes, 2000U * 1024U);
	for (uint32_t i = 0; i < 2000; i++)
		emit(&f, "a", i, "0");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_gt(stats.state_bytes, 2000U * 64U);
	cr_assert_lt(stats.state_bytes, 2000U * 1024U);
	fixture_close(&f);
}

/** A string of @p n bytes, as JSON. */
static char *text_of(size_t n)
{
	char *json = malloc(n + 1);

	cr_assert_not_null(json);
	memset(json, 'x', n);
	json[0] = json[n - 1] = '"';
	json[n] = '\0';
	return json;
}

Test(state, bytes_are_bounded_and_what_does_not_fit_takes_the_place_of_the_old_value)
{
	struct fixture f;
	struct cue_limits limits = { .state_bytes = 8192 };
	struct cue_bus_stats stats;
	struct cue_state state;
	uint32_t one = 1, two = 2;
	char *large = text_of(6000);

	fixture_open(&f, &limits);
	emit(&f, "a", 1, "true");
	expect(&f, "a", &one, "true");
	emit(&f, "a", 2, large); /* fits once, not twice */
	expect(&f, "a", &two, large);
	cr_assert_eq(cue_bus_state_get(f.bus, "a", NULL, &state), -ENODATA);
	emit(&f, "a", 1, large);
	cr_assert_eq(cue_bus_state_get(f.bus, "a", &one, &state), -ENODATA);
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.state_refused, 2U);
	cr_assert_leq(stats.state_bytes, 8192U);
	cr_assert_eq(f.reports[CUE_REPORT_STATE_FULL], 2U);
	/* What fits again is known again. */
	emit(&f, "a", 1, "false");
	expect(&f, "a", &one, "false");
	expect(&f, "a", NULL, "false");
	emit(&f, "a", 2, "1");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_lt(stats.state_bytes, 1000U);
	free(large);
	fixture_close(&f);
}

Test(state, a_producer_without_an_entry_is_unknown_once_one_was_refused)
{
	struct fixture f;
	struct cue_limits limits = { .state_entries = 1 };
	struct cue_state state;
	uint32_t two = 2, three = 3;

	fixture_open(&f, &limits);
	emit(&f, "a", 1, "1");
	cr_assert_eq(cue_bus_state_get(f.bus, "a", &two, &state), -ENOENT);
	emit(&f, "a", 2, "1");
	cr_assert_eq(cue_bus_state_get(f.bus, "a", &two, &state), -ENODATA);
	cr_assert_eq(cue_bus_state_get(f.bus, "a", &three, &state), -ENODATA);
	fixture_close(&f);
}

Test(state, a_quarter_is_kept_free_of_what_comes_from_outside)
{
	struct fixture f;
	struct cue_limits limits = { .state_bytes = 1 << 20, .state_entries = 100 };
	struct cue_emit emit_outside = { .type = "out", .time_ns = CUE_TIME_NONE, .outside = true };
	char *large = text_of(60000);
	uint32_t own = 7;

	fixture_open(&f, &limits);
	cr_assert_eq(cue_payload_new(large, strlen(large), 0, &emit_outside.payload, NULL), 0);
	for (emit_outside.producer_id = 0; emit_outside.producer_id < 200;
	     emit_outside.producer_id++)
		cr_assert_eq(cue_bus_emit(f.bus, &emit_outside, NULL), 0);
	cr_assert_gt(f.reports[CUE_REPORT_STATE_FULL], 100U);
	emit(&f, "estop.changed", 7, large);
	expect(&f, "estop.changed", &own, large);
	expect(&f, "estop.changed", NULL, large);
	cue_payload_unref(emit_outside.payload);
	free(large);
	fixture_close(&f);
}
