/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge_fixture.h"

static void emit(struct fixture *f, const char *type)
{
	struct cue_emit e = { .type = type, .time_ns = CUE_TIME_NONE };

	cr_assert_eq(cue_bus_emit(engine_bus(f->engine), &e, NULL), 0);
}

Test(bridge_out, qos_is_by_type_and_off_is_not_numbered)
{
	struct outbox_message m;
	struct fixture f;

	fixture_setup(&f, 100);
	emit(&f, "fast");
	emit(&f, "quiet.a");
	emit(&f, "slow");
	cr_assert_eq(outbox_take(f.outbox, &m), 0);
	cr_assert_eq(m.qos, 0);
	cr_assert_eq(m.seq, 1);
	cr_assert_not(m.retain);
	cr_assert_eq(outbox_take(f.outbox, &m), 0);
	cr_assert_str_eq(m.topic, "cuebus/1/t/bus/slow");
	cr_assert_eq(m.qos, 1);
	cr_assert_eq(m.seq, 2);
	cr_assert_lt(outbox_take(f.outbox, &m), 0);
	fixture_teardown(&f);
}

Test(bridge_out, many_types_keep_their_own_qos)
{
	struct outbox_message m;
	struct fixture f;
	char type[32];

	fixture_setup(&f, 5000);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 600; i++) {
			snprintf(type, sizeof(type), "t%u", i);
			emit(&f, type);
			emit(&f, "fast");
			cr_assert_eq(outbox_take(f.outbox, &m), 0);
			cr_assert_eq(m.qos, 1);
			cr_assert_eq(outbox_take(f.outbox, &m), 0);
			cr_assert_eq(m.qos, 0);
		}
		bridge_refresh(f.bridge);
	}
	fixture_teardown(&f);
}

Test(bridge_out, a_gap_is_told_when_there_is_room_again)
{
	struct fixture f;

	fixture_setup(&f, 20);
	for (int i = 0; i < 25; i++)
		emit(&f, "a");
	fixture_wake(&f, 1);
	for (uint64_t seq = 6; seq <= 25; seq++)
		cr_assert_eq(fixture_next(&f), seq);
	cr_assert_eq(fixture_next(&f), 0, "not told while it was full");
	fixture_wake(&f, 1);
	cr_assert_eq(fixture_next(&f), 26);
	cr_assert_str_eq(f.topic, "cuebus/1/t/bus/gateway/gap");
	cr_assert(fixture_has(
	        &f,
	        "\"data\":{\"from_seq\":1,\"to_seq\":5,\"count\":5,\"reason\":\"outbox_full\"}"));
	fixture_wake(&f, 1);
	cr_assert_eq(fixture_next(&f), 0, "told once");
	fixture_teardown(&f);
}

Test(bridge_out, the_news_of_a_gap_that_is_given_up_itself_is_told_again)
{
	struct fixture f;

	fixture_setup(&f, 20);
	for (int i = 0; i < 25; i++)
		emit(&f, "a");
	for (int i = 0; i < 20; i++)
		cr_assert_gt(fixture_next(&f), 0);
	fixture_wake(&f, 1); /* named by event 26 … */
	for (int i = 0; i < 25; i++)
		emit(&f, "a"); /* … and evicted with 27 to 31 */
	fixture_wake(&f, 1);
	for (uint64_t seq = 32; seq <= 51; seq++)
		cr_assert_eq(fixture_next(&f), seq);
	fixture_wake(&f, 1);
	cr_assert_eq(fixture_next(&f), 52);
	cr_assert(fixture_has(&f, "\"from_seq\":26,\"to_seq\":31,\"count\":6,"), "%s", f.text);
	cr_assert_eq(fixture_next(&f), 53);
	cr_assert(fixture_has(&f, "\"from_seq\":1,\"to_seq\":5,\"count\":5,"), "%s", f.text);
	fixture_wake(&f, 1);
	cr_assert_eq(fixture_next(&f), 0);
	fixture_teardown(&f);
}
