/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <malloc.h>

#include <cjson/cJSON.h>

#include "bus_fixture.h"
#include "cue_criterion.h"

/* Logs "type/seq<cause" and emits what `follows` says for the type. */
struct recorder {
	struct fixture *f;
	const char *on, *follows[2];
};

static int record(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct recorder *r = user;
	char text[200];

	snprintf(text, sizeof(text), "%s/%llu<%llu", cue_event_type_name(event),
	         (unsigned long long)event->seq, (unsigned long long)event->cause_seq);
	fixture_log(r->f, text);
	cr_assert_eq(cue_bus_current(bus), event);
	for (size_t i = 0; i < 2; i++) {
		if (r->on && r->follows[i] && strcmp(r->on, cue_event_type_name(event)) == 0)
			(void)fixture_emit(r->f, r->follows[i]);
	}
	return 0;
}

static void listen(struct fixture *f, struct recorder *r)
{
	struct cue_subscription *subscription;

	r->f = f;
	cr_assert_eq(cue_bus_subscribe(f->bus,
	                               &(struct cue_subscription_config){
	                                       .type = "*", .handler = record, .user = r },
	                               &subscription),
	             0);
}

Test(bus, emits_inside_a_handler_append)
{
	struct fixture f;
	struct recorder r = { .on = "a", .follows = { "b", "c" } };

	fixture_open(&f, NULL);
	listen(&f, &r);
	fixture_emit(&f, "a");
	cr_assert_str_eq(f.log, "a/1<0 b/2<1 c/3<1");
	cr_assert_null(cue_bus_current(f.bus));
	fixture_close(&f);
}

static bool not_quiet(void *user, const char *type)
{
	(void)user;
	return strncmp(type, "quiet", 5) != 0;
}

Test(bus, types_that_are_not_numbered_leave_no_gap_and_hand_their_cause_on)
{
	struct fixture f;
	struct recorder first = { .on = "a", .follows = { "quiet" } };
	struct recorder second = { .on = "quiet", .follows = { "b" } };
	struct cue_bus_config config = {
		.gateway_id = "t", .random = fixture_random, .is_numbered = not_quiet, .user = &f
	};

	memset(&f, 0, sizeof(f));
	cr_assert_eq(cue_bus_new(&config, &f.bus), 0);
	listen(&f, &first);
	second.f = &f;
	struct cue_subscription *subscription;
	cr_assert_eq(cue_bus_subscribe(f.bus,
	                               &(struct cue_subscription_config){ .type = "quiet",
	                                                                  .handler = record,
	                                                                  .user = &second },
	                               &subscription),
	             0);
	fixture_emit(&f, "a");
	cr_assert_str_eq(f.log, "a/1<0 quiet/0<1 quiet/0<1 b/2<1");
	fixture_close(&f);
}

Test(bus, a_loop_of_events_is_cut_at_the_cascade_depth_and_reported)
{
	struct fixture f;
	struct recorder r = { .on = "a", .follows = { "a" } };
	struct cue_bus_stats stats;

	fixture_open(&f, NULL);
	listen(&f, &r);
	fixture_emit(&f, "a");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.events, 33U); /* depth 0 to 32 */
	cr_assert_eq(stats.cascades_cut, 1U);
	cr_assert_eq(f.reports[CUE_REPORT_CASCADE_CUT], 1U);
	fixture_close(&f);
}

Test(bus, a_cascade_that_widens_is_bounded_by_the_queue)
{
	struct fixture f;
	struct cue_limits limits = { .queue_events = 8 };
	struct recorder r = { .on = "a", .follows = { "a", "a" } };
	struct cue_bus_stats stats;

	fixture_open(&f, &limits);
	listen(&f, &r);
	fixture_emit(&f, "a");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_gt(stats.queue_refused, 0U);
	cr_assert_leq(stats.queue_peak, 8U);
	cr_assert_eq(stats.queue_events, 0U);
	cr_assert_gt(f.reports[CUE_REPORT_QUEUE_FULL], 0U);
	fixture_close(&f);
}

/* Few events wait at any time here, and no chain is too deep: only the limit on all events that
 * follow from one event ends it. */
Test(bus, what_follows_from_one_event_is_bounded_as_a_whole)
{
	struct fixture f;
	struct cue_limits limits = { .queue_events = 100, .cascade_depth = 90 };
	struct recorder r = { .on = "a", .follows = { "a", "b" } };
	struct cue_bus_stats stats;

	fixture_open(&f, &limits);
	listen(&f, &r);
	fixture_emit(&f, "a");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.events, 101U);
	cr_assert_lt(stats.queue_peak, 100U);
	cr_assert_gt(stats.queue_refused, 0U);
	/* The limit applies to each outside event separately. */
	fixture_emit(&f, "b");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.events, 102U);
	fixture_close(&f);
}

static int emit_three_large(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct cue_payload *large = user;

	(void)event;
	for (int i = 0; i < 3; i++)
		(void)cue_bus_emit(bus,
		                   &(struct cue_emit){ .type = "large",
		                                       .payload = large,
		                                       .time_ns = CUE_TIME_NONE },
		                   NULL);
	return 0;
}

Test(bus, the_bytes_that_wait_are_bounded_and_none_stay_counted)
{
	struct fixture f;
	struct cue_limits limits = { .queue_bytes = 2500 };
	struct cue_subscription_config on_a = { .type = "a", .handler = emit_three_large };
	struct cue_subscription *subscription;
	struct cue_payload *large;
	struct cue_bus_stats stats;
	char json[1001];

	memset(json, '1', sizeof(json) - 1);
	json[0] = json[sizeof(json) - 2] = '"';
	fixture_open(&f, &limits);
	cr_assert_eq(cue_payload_new(json, sizeof(json) - 1, 0, &large, NULL), 0);
	on_a.user = large;
	cr_assert_eq(cue_bus_subscribe(f.bus, &on_a, &subscription), 0);
	fixture_emit(&f, "a");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.events, 3U); /* a and two of the three */
	cr_assert_eq(stats.queue_refused, 1U);
	cr_assert_eq(stats.queue_bytes, 0U);
	cr_assert_eq(f.reports[CUE_REPORT_QUEUE_FULL], 1U);
	cue_payload_unref(large);
	fixture_close(&f);
}

static int parse(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	const cJSON **first = user;

	(void)bus;
	*first = cue_payload_json(event->payload);
	return cue_payload_json(event->payload) == *first ? 0 : -EIO; /* once a dispatch */
}

/* Measured on the heap: the state store keeps the payload, but not its tree. */
Test(bus, no_parsed_tree_outlives_its_dispatch)
{
	struct fixture f;
	const cJSON *tree = NULL;
	struct cue_subscription_config on_a = { .type = "a", .handler = parse, .user = &tree };
	struct cue_subscription *subscription;
	struct cue_bus_stats stats;
	struct mallinfo2 before;
	char json[60000];

	memset(json, '1', sizeof(json) - 1);
	for (size_t i = 2; i < sizeof(json); i += 2)
		json[i] = ',';
	json[0] = '[';
	json[sizeof(json) - 2] = ']';
	json[sizeof(json) - 1] = '\0';
	fixture_open(&f, NULL);
	cr_assert_eq(cue_bus_subscribe(f.bus, &on_a, &subscription), 0);
	before = mallinfo2();
	for (uint32_t i = 0; i < 100; i++) {
		struct cue_emit emit = { .type = "a", .producer_id = i, .time_ns = CUE_TIME_NONE };

		cr_assert_eq(cue_payload_new(json, strlen(json), 0, &emit.payload, NULL), 0);
		cr_assert_eq(cue_bus_emit(f.bus, &emit, NULL), 0);
		cue_payload_unref(emit.payload);
	}
	cr_assert_not_null(tree);
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.handler_failures, 0U);
	cr_assert_eq(stats.state_entries, 100U);
	/* the bytes are 6 MB, their trees 200 MB */
	cr_assert_lt(mallinfo2().uordblks - before.uordblks, 20000000U);
	fixture_close(&f);
}

Test(bus, event_types_are_bounded)
{
	struct fixture f;
	struct cue_limits limits = { .event_types = 2 };
	struct cue_bus_stats stats;

	fixture_open(&f, &limits);
	cr_assert_eq(fixture_emit(&f, "a"), 0);
	cr_assert_eq(fixture_emit(&f, "b"), 0);
	cr_assert_eq(fixture_emit(&f, "c"), -ENOSPC);
	cr_assert_eq(fixture_emit(&f, "a"), 0);
	cr_assert_eq(fixture_emit(&f, "Not.valid"), -EINVAL);
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.types_refused, 1U);
	cr_assert_eq(stats.events, 3U);
	fixture_close(&f);
}

Test(bus, tells_how_many_types_it_has_room_for)
{
	struct fixture f;
	struct cue_limits limits = { .event_types = 3 };
	struct cue_emit foreign = { .type = "foreign", .time_ns = CUE_TIME_NONE, .outside = true };
	const struct cue_type *type;

	fixture_open(&f, &limits);
	cr_assert_eq(cue_bus_type_room(f.bus), 3U);
	cr_assert_eq(cue_bus_intern(f.bus, "own.a", &type), 0);
	cr_assert_eq(cue_bus_emit(f.bus, &foreign, NULL), 0);
	cr_assert_eq(cue_bus_intern(f.bus, "event.playlist.created", &type), 0);
	cr_assert_eq(cue_bus_type_room(f.bus), 2U,
	             "neither a foreign nor a reserved one takes any");
	cr_assert(cue_bus_has_type(f.bus, "own.a"));
	cr_assert(cue_bus_has_type(f.bus, "event.playlist.stopped"), "reserved, not interned yet");
	cr_assert_not(cue_bus_has_type(f.bus, "foreign"), "to own it takes room");
	cr_assert_not(cue_bus_has_type(f.bus, "own.b"));
	cr_assert_eq(cue_bus_intern(f.bus, "foreign", &type), 0);
	cr_assert_eq(cue_bus_intern(f.bus, "own.b", &type), 0);
	cr_assert_eq(cue_bus_type_room(f.bus), 0U);
	fixture_close(&f);
}

/* Types from outside can't exhaust the room for the gateway's own types. */
Test(bus, types_from_outside_have_a_budget_of_their_own)
{
	struct fixture f;
	struct cue_limits limits = { .event_types = 2 };
	struct cue_emit foreign = { .time_ns = CUE_TIME_NONE, .outside = true };
	const struct cue_type *type;
	char name[16];
	int refused = 0;

	fixture_open(&f, &limits);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "foreign.%d", i);
		foreign.type = name;
		refused += cue_bus_emit(f.bus, &foreign, NULL) == -ENOSPC;
	}
	cr_assert_eq(refused, 8);
	cr_assert_eq(cue_bus_intern(f.bus, "own.a", &type), 0);
	cr_assert_eq(fixture_emit(&f, "event.playlist.created"), 0);
	/* A known one that gets an owner makes room. */
	cr_assert_eq(cue_bus_intern(f.bus, "foreign.0", &type), 0);
	foreign.type = "foreign.new";
	cr_assert_eq(cue_bus_emit(f.bus, &foreign, NULL), 0);
	foreign.type = "own.a";
	cr_assert_eq(cue_bus_emit(f.bus, &foreign, NULL), 0);
	cr_assert_eq(cue_bus_intern(f.bus, "own.b", &type), -ENOSPC);
	cr_assert_eq(cue_bus_intern(f.bus, "foreign.1", &type), -ENOSPC);
	cr_assert_eq(fixture_emit(&f, "gateway.fault"), 0);
	fixture_close(&f);
}

static int keep_time(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)bus;
	*(uint64_t *)user = event->time_ns;
	return 0;
}

Test(bus, an_events_time_is_kept_but_never_in_the_future)
{
	struct fixture f;
	struct cue_subscription *subscription;
	uint64_t seen = 0;
	struct cue_emit emit = { .type = "a", .time_ns = 1500 };

	fixture_open(&f, NULL);
	cr_assert_eq(cue_bus_subscribe(f.bus,
	                               &(struct cue_subscription_config){
	                                       .type = "a", .handler = keep_time, .user = &seen },
	                               &subscription),
	             0);
	cue_bus_advance(f.bus, 2000);
	cue_bus_emit(f.bus, &emit, NULL);
	cr_assert_eq(seen, 1500U);
	emit.time_ns = 3000;
	cue_bus_emit(f.bus, &emit, NULL);
	cr_assert_eq(seen, 2000U);
	emit.time_ns = CUE_TIME_NONE;
	cue_bus_emit(f.bus, &emit, NULL);
	cr_assert_eq(seen, 2000U);
	fixture_close(&f);
}

static int try_to_advance(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	(void)event;
	*(int *)user = cue_bus_advance(bus, 1000000);
	return 0;
}

Test(bus, time_does_not_pass_inside_a_handler)
{
	struct fixture f;
	struct cue_subscription *subscription;
	int result = 0;

	fixture_open(&f, NULL);
	cr_assert_eq(cue_bus_subscribe(f.bus,
	                               &(struct cue_subscription_config){ .type = "a",
	                                                                  .handler = try_to_advance,
	                                                                  .user = &result },
	                               &subscription),
	             0);
	fixture_emit(&f, "a");
	cr_assert_eq(result, -EBUSY);
	cr_assert_eq(cue_bus_now(f.bus), 1000U);
	fixture_close(&f);
}

Test(bus, required_members_are_required)
{
	struct cue_bus *bus = NULL;

	cr_assert_eq(cue_bus_new(&(struct cue_bus_config){ .gateway_id = "x" }, &bus), -EINVAL);
	cr_assert_eq(cue_bus_new(&(struct cue_bus_config){ .random = fixture_random }, &bus),
	             -EINVAL);
	cr_assert_null(bus);
}
