/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "retained.h"

static void count_wake(void *user)
{
	++*(unsigned *)user;
}

static struct retained *make(void)
{
	struct retained *retained = NULL;

	cr_assert_eq(retained_new(NULL, NULL, &retained), 0);
	return retained;
}

static void set(struct retained *retained, const char *topic, const char *value)
{
	cr_assert_eq(retained_set(retained, topic, value, strlen(value), 1), 0);
}

/** Takes the next and checks it; @p value NULL: nothing must be there. @return its version. */
static uint64_t expect(struct retained *retained, const char *topic, const char *value)
{
	struct retained_message message = { 0 };
	uint64_t version;

	if (!topic) {
		cr_assert_eq(retained_take(retained, &message), -EAGAIN);
		return 0;
	}
	cr_assert_eq(retained_take(retained, &message), 0);
	cr_assert_str_eq(message.topic, topic);
	cr_assert_eq(message.payload_len, strlen(value));
	if (*value)
		cr_assert_eq(memcmp(message.payload, value, strlen(value)), 0);
	version = message.version;
	retained_message_clear(&message);
	return version;
}

Test(retained, only_the_latest_value_is_taken)
{
	struct retained *retained = make();
	struct retained_stats stats;

	set(retained, "a", "1");
	set(retained, "b", "1");
	set(retained, "a", "2");
	set(retained, "a", "3");
	retained_get_stats(retained, &stats);
	cr_assert_eq(stats.coalesced, 2);
	cr_assert_eq(stats.pending, 2);
	expect(retained, "a", "3");
	expect(retained, "b", "1");
	expect(retained, NULL, NULL);
	set(retained, "b", "1"); /* the same again */
	expect(retained, NULL, NULL);
	retained_free(retained);
}

Test(retained, a_new_connection_gets_all_in_the_first_order)
{
	struct retained *retained = make();

	set(retained, "info", "i");
	set(retained, "z", "1");
	set(retained, "b", "1");
	expect(retained, "info", "i");
	expect(retained, "z", "1");
	expect(retained, "b", "1");
	set(retained, "b", "2");
	set(retained, "info", "j");
	retained_mark_all(retained);
	expect(retained, "info", "j");
	expect(retained, "z", "1");
	expect(retained, "b", "2");
	expect(retained, NULL, NULL);
	retained_free(retained);
}

Test(retained, a_cleared_topic_is_kept_until_the_broker_has_it)
{
	struct retained *retained = make();
	struct retained_stats stats;
	uint64_t version;

	set(retained, "a", "1");
	expect(retained, "a", "1");
	retained_clear(retained, "unknown");
	retained_clear(retained, "a");
	expect(retained, "a", "");
	retained_mark_all(retained); /* the connection broke before the acknowledgement */
	version = expect(retained, "a", "");
	retained_done(retained, "a", version);
	retained_get_stats(retained, &stats);
	cr_assert_eq(stats.topics, 0);
	retained_mark_all(retained);
	expect(retained, NULL, NULL);
	retained_free(retained);
}

Test(retained, a_late_acknowledgement_does_not_forget_a_new_value)
{
	struct retained *retained = make();
	uint64_t version;

	set(retained, "a", "1");
	retained_clear(retained, "a");
	version = expect(retained, "a", "");
	set(retained, "a", "2");
	retained_done(retained, "a", version);
	expect(retained, "a", "2");
	retained_clear(retained, "a");
	version = expect(retained, "a", "");
	retained_mark_all(retained);
	retained_done(retained, "a", version); /* of the session before: it is pending again */
	expect(retained, "a", "");
	retained_free(retained);
}

Test(retained, what_is_foreign_is_cleared)
{
	struct retained *retained = make();
	struct retained_stats stats;
	uint64_t version;

	set(retained, "ours", "1");
	expect(retained, "ours", "1");
	cr_assert_eq(retained_clear_foreign(retained, "ours"), 0);
	cr_assert_eq(retained_clear_foreign(retained, "theirs"), 1);
	cr_assert_eq(retained_clear_foreign(retained, "theirs"), 0); /* under way */
	retained_mark_all(retained); /* a break: it is cleared all the same */
	expect(retained, "ours", "1");
	version = expect(retained, "theirs", "");
	retained_done(retained, "theirs", version);
	retained_get_stats(retained, &stats);
	cr_assert_eq(stats.topics, 1);
	/* It becomes ours while it is being cleared: the value comes last. */
	cr_assert_eq(retained_clear_foreign(retained, "new"), 1);
	set(retained, "new", "2");
	expect(retained, "new", "2");
	retained_free(retained);
}

Test(retained, wakes_on_changes_only)
{
	struct retained *retained = NULL;
	unsigned wakes = 0;

	cr_assert_eq(retained_new(count_wake, &wakes, &retained), 0);
	set(retained, "a", "1");
	set(retained, "a", "1");
	cr_assert_eq(wakes, 1);
	retained_clear(retained, "a");
	retained_clear(retained, "a");
	cr_assert_eq(wakes, 2);
	retained_free(retained);
}

Test(retained, many_topics_keep_their_order)
{
	struct retained *retained = make();
	struct retained_message message;
	char topic[32];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(topic, sizeof(topic), "t/%u", i * 7919U % 3000U);
		set(retained, topic, "v");
	}
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(topic, sizeof(topic), "t/%u", i * 7919U % 3000U);
		cr_assert_eq(retained_take(retained, &message), 0);
		cr_assert_str_eq(message.topic, topic);
		retained_message_clear(&message);
	}
	retained_free(retained);
}
