/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "inbox.h"

static struct inbox *make(uint64_t max_messages, uint64_t max_bytes, uint64_t max_payload)
{
	struct inbox *inbox = NULL;

	cr_assert_eq(inbox_new("P/emit/", max_messages, max_bytes, max_payload, &inbox), 0);
	return inbox;
}

static bool readable(const struct inbox *inbox)
{
	struct pollfd fd = { .fd = inbox_fd(inbox), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

Test(inbox, keeps_everything_about_a_message)
{
	struct inbox *inbox = make(10, 100000, 100);
	char topic[] = "t/u", payload[] = "\0x", response[] = "r", correlation[] = "\0c";
	struct inbox_message message = {
		.topic = topic,
		.payload = payload,
		.payload_len = 2,
		.qos = 2,
		.retain = true,
		.response_topic = response,
		.correlation = correlation,
		.correlation_len = 2,
		.has_expiry = true,
		.expiry_s = 30,
		.arrival_ns = 12345,
	};
	struct inbox_message *got;

	cr_assert_eq(inbox_put(inbox, &message), 0);
	topic[0] = payload[1] = response[0] = correlation[1] = '!';
	got = inbox_take(inbox);
	cr_assert_not_null(got);
	cr_assert_str_eq(got->topic, "t/u");
	cr_assert_eq(got->payload_len, 2);
	cr_assert_eq(memcmp(got->payload, "\0x", 2), 0);
	cr_assert_str_eq(got->response_topic, "r");
	cr_assert_eq(got->correlation_len, 2);
	cr_assert_eq(memcmp(got->correlation, "\0c", 2), 0);
	cr_assert(got->retain && got->has_expiry && !got->oversized);
	cr_assert_eq(got->qos, 2);
	cr_assert_eq(got->expiry_s, 30);
	cr_assert_eq(got->arrival_ns, 12345);
	inbox_message_free(got);
	cr_assert_null(inbox_take(inbox));
	inbox_free(inbox);
}

Test(inbox, is_readable_while_something_waits)
{
	struct inbox *inbox = make(10, 100000, 100);
	struct inbox_message message = { .topic = "t" };

	cr_assert_not(readable(inbox));
	cr_assert_eq(inbox_put(inbox, &message), 0);
	cr_assert_eq(inbox_put(inbox, &message), 0);
	cr_assert(readable(inbox));
	inbox_message_free(inbox_take(inbox));
	cr_assert(readable(inbox));
	inbox_message_free(inbox_take(inbox));
	cr_assert_not(readable(inbox));
	cr_assert_null(inbox_take(inbox));
	inbox_free(inbox);
}

Test(inbox, when_full_the_newest_is_refused)
{
	struct inbox *inbox = make(2, 100000, 100);
	struct inbox_message message = { .topic = "first" };
	struct inbox_message *got;
	struct inbox_stats stats;

	cr_assert_eq(inbox_put(inbox, &message), 0);
	message.topic = "second";
	cr_assert_eq(inbox_put(inbox, &message), 0);
	message.topic = "third";
	cr_assert_eq(inbox_put(inbox, &message), -ENOBUFS);
	inbox_get_stats(inbox, &stats);
	cr_assert_eq(stats.dropped, 1);
	cr_assert_eq(stats.received, 2);
	cr_assert_eq(stats.messages, 2);
	cr_assert_eq(stats.peak_messages, 2);
	got = inbox_take(inbox);
	cr_assert_str_eq(got->topic, "first");
	inbox_message_free(got);
	cr_assert_eq(inbox_put(inbox, &message), 0);
	inbox_free(inbox);
}

Test(inbox, bytes_are_a_bound_and_large_payloads_are_not_copied)
{
	static char large[1000];
	struct inbox *inbox = make(100, 1800, 900);
	struct inbox_message message = { .topic = "t",
		                         .payload = large,
		                         .payload_len = sizeof(large) };
	struct inbox_message *got;
	struct inbox_stats stats;

	cr_assert_eq(inbox_put(inbox, &message), 0);
	got = inbox_take(inbox);
	cr_assert(got->oversized);
	cr_assert_null(got->payload);
	cr_assert_eq(got->payload_len, sizeof(large));
	inbox_message_free(got);
	message.payload_len = 900;
	cr_assert_eq(inbox_put(inbox, &message), 0);
	cr_assert_eq(inbox_put(inbox, &message), -ENOBUFS);
	got = inbox_take(inbox);
	cr_assert_not(got->oversized);
	inbox_message_free(got);
	inbox_get_stats(inbox, &stats);
	cr_assert_eq(stats.bytes, 0);
	inbox_set_limits(inbox, 100, 100000, 1000);
	message.payload_len = sizeof(large);
	cr_assert_eq(inbox_put(inbox, &message), 0);
	got = inbox_take(inbox);
	cr_assert_not(got->oversized);
	inbox_message_free(got);
	inbox_free(inbox);
}

static void put(struct inbox *inbox, const char *topic)
{
	cr_assert_eq(inbox_put(inbox, &(struct inbox_message){ .topic = topic }), 0);
}

static void expect(struct inbox *inbox, const char *topic)
{
	struct inbox_message *got = inbox_take(inbox);

	cr_assert_not_null(got);
	cr_assert_str_eq(got->topic, topic);
	inbox_message_free(got);
}

Test(inbox, few_emits_and_commands_keep_the_order_in_which_they_came)
{
	struct inbox *inbox = make(100, 100000, 100);

	cr_assert(inbox_is_empty(inbox));
	put(inbox, "P/emit/a");
	put(inbox, "P/cmd/ping");
	put(inbox, "P/emit/b");
	cr_assert_not(inbox_is_empty(inbox));
	expect(inbox, "P/emit/a");
	expect(inbox, "P/cmd/ping");
	expect(inbox, "P/emit/b");
	cr_assert_null(inbox_take(inbox));
	inbox_free(inbox);
}

Test(inbox, commands_overtake_a_flood_of_emits)
{
	struct inbox *inbox = make(100, 100000, 100);

	for (int i = 0; i < 40; i++)
		put(inbox, "P/emit/a");
	put(inbox, "P/cmd/one");
	put(inbox, "P/cmd/two");
	expect(inbox, "P/cmd/one");
	expect(inbox, "P/cmd/two");
	for (int i = 0; i < 40; i++)
		expect(inbox, "P/emit/a");
	cr_assert_null(inbox_take(inbox));
	cr_assert_not(readable(inbox));
	inbox_free(inbox);
}

Test(inbox, a_full_lane_leaves_the_other_its_room)
{
	struct inbox *inbox = make(50, 100000, 100);
	struct inbox_stats stats;

	for (int i = 0; i < 50; i++)
		put(inbox, "P/emit/a");
	cr_assert_eq(inbox_put(inbox, &(struct inbox_message){ .topic = "P/emit/a" }), -ENOBUFS);
	for (int i = 0; i < 50; i++)
		put(inbox, "P/cmd/ping");
	cr_assert_eq(inbox_put(inbox, &(struct inbox_message){ .topic = "P/cmd/ping" }), -ENOBUFS);
	inbox_get_stats(inbox, &stats);
	cr_assert_eq(stats.messages, 100U);
	cr_assert_eq(stats.dropped, 2U);
	cr_assert_eq(stats.dropped_emits, 1U);
	inbox_free(inbox);
}

Test(inbox, bytes_are_a_bound_of_each_lane)
{
	static char large[1000];
	struct inbox *inbox = make(100, 1800, 1000);
	struct inbox_message message = { .topic = "P/emit/a",
		                         .payload = large,
		                         .payload_len = 1000 };

	cr_assert_eq(inbox_put(inbox, &message), 0);
	cr_assert_eq(inbox_put(inbox, &message), -ENOBUFS);
	message.topic = "P/cmd/ping";
	cr_assert_eq(inbox_put(inbox, &message), 0);
	cr_assert_eq(inbox_put(inbox, &message), -ENOBUFS);
	inbox_free(inbox);
}

#define THREAD_MESSAGES 3000U

static void *put_all(void *user)
{
	struct inbox_message message = { .topic = "t", .payload = "{}", .payload_len = 2 };

	for (uint32_t i = 0; i < THREAD_MESSAGES; i++) {
		message.expiry_s = i;
		if (inbox_put(user, &message) < 0)
			return user;
	}
	return NULL;
}

Test(inbox, another_thread_puts_in_order)
{
	struct inbox *inbox = make(THREAD_MESSAGES, 100000000, 100);
	void *failed = NULL;
	uint32_t expected = 0;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, put_all, inbox), 0);
	while (expected < THREAD_MESSAGES) {
		struct pollfd fd = { .fd = inbox_fd(inbox), .events = POLLIN };
		struct inbox_message *got;

		cr_assert_eq(poll(&fd, 1, 10000), 1);
		while ((got = inbox_take(inbox))) {
			cr_assert_eq(got->expiry_s, expected);
			expected++;
			inbox_message_free(got);
		}
	}
	pthread_join(thread, &failed);
	cr_assert_null(failed);
	cr_assert_not(readable(inbox));
	inbox_free(inbox);
}
