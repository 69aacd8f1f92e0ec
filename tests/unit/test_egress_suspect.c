/* SPDX-License-Identifier: Apache-2.0 */
#include "egress_suspect.h"

#include "cue_criterion.h"

static const struct suspect_item a = { 1, 101, 500 }, b = { 2, 102, 600 }, c = { 3, 101, 450 };
static const struct suspect_item view = { 201, 201, 3000 };

/** A session that @p item alone ended; the next attempt connects. */
static void end_alone(struct suspects *s, const struct suspect_item *item)
{
	cr_assert_not_null(suspects_session_ended(s, SUSPECT_END_CLOSED, item, 1));
	suspects_attempted(s, true);
}

static void reject(struct suspects *s, const struct suspect_item *item)
{
	for (unsigned i = 0; i < SUSPECT_STRIKES; i++)
		end_alone(s, item);
	cr_assert_eq(suspects_judge(s, item, 0), SUSPECT_REJECT);
	cr_assert(suspects_reject(s, item, 0));
}

Test(egress_suspect, nothing_is_suspected_at_first)
{
	struct suspects s = { 0 };

	cr_assert(!suspects_any(&s));
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_SEND);
}

Test(egress_suspect, three_in_a_row_are_rejected)
{
	struct suspects s = { 0 };

	end_alone(&s, &a);
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_HOLD);
	cr_assert_eq(suspects_judge(&s, &b, 0), SUSPECT_SEND);
	end_alone(&s, &a);
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_HOLD);
	end_alone(&s, &a);
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_REJECT);
	cr_assert(suspects_reject(&s, &a, 0));
	cr_assert_eq(s.strikes, 0);
}

Test(egress_suspect, several_are_sent_one_by_one)
{
	const struct suspect_item both[] = { a, b, { 0 } };
	struct suspects s = { 0 };

	cr_assert_null(suspects_session_ended(&s, SUSPECT_END_CLOSED, both, 3));
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_ALONE);
	cr_assert_eq(suspects_judge(&s, &b, 0), SUSPECT_ALONE);
	cr_assert_eq(suspects_judge(&s, &c, 0), SUSPECT_SEND);
	suspects_acknowledged(&s, &a);
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_SEND);
	cr_assert_eq(suspects_judge(&s, &b, 0), SUSPECT_ALONE);
}

Test(egress_suspect, a_broken_row_begins_anew)
{
	const struct suspect_item both[] = { a, b };
	const struct suspect_item nobody = { 0 };

	for (unsigned i = 0; i < 6; i++) {
		struct suspects s = { 0 };

		end_alone(&s, &a);
		end_alone(&s, &a);
		switch (i) {
		case 0:
			(void)suspects_session_ended(&s, SUSPECT_END_OTHER, &a, 1);
			break;
		case 1:
			(void)suspects_session_ended(&s, SUSPECT_END_CLOSED, &nobody, 1);
			break;
		case 2:
			(void)suspects_session_ended(&s, SUSPECT_END_CLOSED, both, 2);
			break;
		case 3:
			(void)suspects_session_ended(&s, SUSPECT_END_CLOSED, &b, 1);
			break;
		case 4:
			suspects_acknowledged(&s, &a);
			break;
		default: /* the broker was down: this third one does not count */
			(void)suspects_session_ended(&s, SUSPECT_END_CLOSED, &a, 1);
			suspects_attempted(&s, false);
			break;
		}
		suspects_attempted(&s, true);
		end_alone(&s, &a);
		cr_assert_neq(suspects_judge(&s, &a, 0), SUSPECT_REJECT, "case %u", i);
	}
}

Test(egress_suspect, a_strike_counts_only_when_the_broker_is_there)
{
	struct suspects s = { 0 };

	for (unsigned i = 0; i < 10; i++) {
		(void)suspects_session_ended(&s, SUSPECT_END_CLOSED, &a, 1);
		suspects_attempted(&s, false);
		suspects_attempted(&s, true);
		cr_assert_neq(suspects_judge(&s, &a, 0), SUSPECT_REJECT);
	}
}

Test(egress_suspect, a_connection_that_breaks_at_random_needs_more_evidence)
{
	const struct suspect_item both[] = { a, b };
	struct suspects s = { 0 };

	(void)suspects_session_ended(&s, SUSPECT_END_CLOSED, both, 2);
	cr_assert_eq(suspects_needed(&s, &a), SUSPECT_STRIKES);
	suspects_acknowledged(&s, &a);
	suspects_acknowledged(&s, &b);
	cr_assert_eq(suspects_needed(&s, &a), SUSPECT_STRIKES + 1, "it was neither");
	end_alone(&s, &a);
	end_alone(&s, &a);
	suspects_acknowledged(&s, &a);
	cr_assert_eq(suspects_needed(&s, &a), SUSPECT_STRIKES + 3, "it was not this one");
	cr_assert_null(suspects_session_ended(&s, SUSPECT_END_CLOSED, NULL, 0));
	cr_assert_eq(suspects_needed(&s, &a), SUSPECT_STRIKES + 4, "nothing was sent");
	for (unsigned i = 0; i < SUSPECT_STRIKES + 3; i++)
		end_alone(&s, &a);
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_ALONE);
	end_alone(&s, &a);
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_REJECT);
	(void)suspects_reject(&s, &a, 0);
	cr_assert_eq(suspects_needed(&s, &b), SUSPECT_STRIKES, "explained");
	for (unsigned i = 0; i < 100; i++)
		(void)suspects_session_ended(&s, SUSPECT_END_CLOSED, NULL, 0);
	cr_assert_eq(suspects_needed(&s, &b), SUSPECT_STRIKES_MAX);
	suspects_stable(&s);
	cr_assert_eq(suspects_needed(&s, &b), SUSPECT_STRIKES);
}

Test(egress_suspect, a_swallowed_message_needs_no_other_evidence)
{
	struct suspects s = { 0 };

	for (unsigned i = 0; i < SUSPECT_STRIKES; i++) {
		cr_assert_not_null(suspects_session_ended(&s, SUSPECT_END_SWALLOWED, &a, 1));
		suspects_attempted(&s, false);
	}
	cr_assert_eq(suspects_judge(&s, &a, 0), SUSPECT_REJECT);
}

Test(egress_suspect, the_like_of_a_rejected_one_needs_one_strike)
{
	struct suspects s = { 0 };

	suspects_acknowledged(&s, &b); /* so the size of `a` is not the cause */
	reject(&s, &a);
	cr_assert_eq(suspects_judge(&s, &b, 0), SUSPECT_SEND);
	cr_assert_eq(suspects_judge(&s, &c, 0), SUSPECT_ALONE);
	end_alone(&s, &c);
	cr_assert_eq(suspects_judge(&s, &c, 0), SUSPECT_REJECT);
}

Test(egress_suspect, what_is_as_large_is_alike_until_something_larger_was_taken)
{
	struct suspects s = { 0 };

	reject(&s, &a);
	cr_assert_eq(suspects_judge(&s, &b, 0), SUSPECT_ALONE);
	suspects_acknowledged(&s, &b);
	cr_assert_eq(suspects_judge(&s, &b, 0), SUSPECT_SEND);
}

Test(egress_suspect, after_three_of_a_kind_the_like_is_not_sent)
{
	struct suspects s = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		struct suspect_item large = { 10 + i, 300 + i, 5000 + i };

		cr_assert_neq(suspects_judge(&s, &large, 0), SUSPECT_REJECT);
		reject(&s, &large);
	}
	cr_assert_eq(suspects_judge(&s, &(struct suspect_item){ 20, 400, 5000 }, 0),
	             SUSPECT_REJECT);
	cr_assert(!suspects_reject(&s, &(struct suspect_item){ 20, 400, 5000 }, 0));
	cr_assert_eq(suspects_judge(&s, &(struct suspect_item){ 20, 400, 4999 }, 0), SUSPECT_SEND);
}

Test(egress_suspect, a_view_is_rejected_until_it_shrinks_or_the_hour_is_over)
{
	struct suspects s = { 0 };
	struct suspect_item other = view;

	reject(&s, &view);
	other.size = view.size / 2 + 1;
	cr_assert_eq(suspects_judge(&s, &other, 0), SUSPECT_REJECT);
	cr_assert(!suspects_reject(&s, &other, 0));
	other.size = view.size / 2;
	cr_assert_eq(suspects_judge(&s, &other, 0), SUSPECT_SEND);
	cr_assert_eq(suspects_judge(&s, &view, SUSPECT_MEMORY_NS), SUSPECT_SEND);
}

Test(egress_suspect, everything_is_bounded)
{
	struct suspects s = { 0 };
	struct suspect_item items[SUSPECT_MAX];

	for (uint64_t round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < SUSPECT_MAX; i++)
			items[i] = (struct suspect_item){ 1 + i + round * 1000, 1, 1 };
		(void)suspects_session_ended(&s, SUSPECT_END_CLOSED, items, SUSPECT_MAX);
		cr_assert_eq(s.n, SUSPECT_MAX);
		cr_assert_eq(suspects_judge(&s, &items[SUSPECT_MAX - 1], 0), SUSPECT_ALONE);
	}
	for (uint64_t i = 0; i < 2 * SUSPECT_REJECTED_MAX; i++)
		(void)suspects_reject(&s, &(struct suspect_item){ 5000 + i, 6000 + i, 10 }, 0);
	cr_assert_leq(s.n_rejected, SUSPECT_REJECTED_MAX);
}

Test(egress_suspect, a_topic_is_no_number_of_the_outbox)
{
	cr_assert_neq(suspect_topic(""), 0);
	cr_assert_geq(suspect_topic("a"), 1ULL << 63);
	cr_assert_neq(suspect_topic("a"), suspect_topic("b"));
}
