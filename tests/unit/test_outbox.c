/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "outbox.h"

static void count_wake(void *user)
{
	++*(unsigned *)user;
}

static struct outbox *make(uint64_t max_events, uint64_t max_bytes)
{
	struct outbox *outbox = NULL;

	cr_assert_eq(outbox_new(&(struct outbox_config){ .max_events = max_events,
	                                                 .max_bytes = max_bytes },
	                        &outbox),
	             0);
	return outbox;
}

static int put(struct outbox *outbox, uint64_t seq)
{
	char payload[32];
	int len = snprintf(payload, sizeof(payload), "event %llu", (unsigned long long)seq);
	struct outbox_message message = {
		.seq = seq, .topic = "t", .payload = payload, .payload_len = (size_t)len, .qos = 1
	};

	return outbox_put(outbox, &message);
}

/** seq of the next message; 0 when there is none. */
static uint64_t take(struct outbox *outbox, uint64_t *ret_id)
{
	struct outbox_message message;

	if (outbox_take(outbox, &message) < 0)
		return 0;
	*ret_id = message.id;
	return message.seq;
}

Test(outbox, gives_out_in_order_and_copies)
{
	struct outbox *outbox = make(100, 100000);
	char topic[] = "a/b", payload[] = "{}", correlation[] = { 1, 0, 2 };
	struct outbox_message message = { .seq = 7,
		                          .topic = topic,
		                          .payload = payload,
		                          .payload_len = 2,
		                          .qos = 1,
		                          .correlation = correlation,
		                          .correlation_len = 3 };
	struct outbox_message got;

	cr_assert_eq(outbox_put(outbox, &message), 0);
	memset(topic, 'x', 3);
	memset(payload, 'x', 2);
	memset(correlation, 9, 3);
	cr_assert_eq(outbox_take(outbox, &got), 0);
	cr_assert_str_eq(got.topic, "a/b");
	cr_assert_eq(got.payload_len, 2);
	cr_assert_eq(memcmp(got.payload, "{}", 2), 0);
	cr_assert_eq(got.correlation_len, 3);
	cr_assert_eq(memcmp(got.correlation, "\1\0\2", 3), 0);
	cr_assert_eq(got.seq, 7);
	cr_assert_eq(got.id, 1);
	cr_assert_eq(outbox_take(outbox, &got), -EAGAIN);
	outbox_free(outbox);
}

Test(outbox, a_rewind_gives_out_again_what_was_not_released)
{
	struct outbox *outbox = make(100, 100000);
	struct outbox_stats stats;
	uint64_t ids[4];

	for (uint64_t seq = 1; seq <= 4; seq++)
		cr_assert_eq(put(outbox, seq), 0);
	for (uint64_t seq = 1; seq <= 3; seq++)
		cr_assert_eq(take(outbox, &ids[seq - 1]), seq);
	/* Acknowledgements come in any order. */
	cr_assert_eq(outbox_release(outbox, ids[1]), 0);
	cr_assert_eq(outbox_release(outbox, ids[1]), -ENOENT);
	outbox_rewind(outbox);
	cr_assert_eq(outbox_release(outbox, ids[0]), -ENOENT, "not in flight any more");
	cr_assert_eq(take(outbox, &ids[0]), 1);
	cr_assert_eq(take(outbox, &ids[2]), 3);
	cr_assert_eq(take(outbox, &ids[3]), 4);
	cr_assert_eq(outbox_release(outbox, ids[3]), 0);
	cr_assert_eq(outbox_release(outbox, ids[0]), 0);
	cr_assert_eq(outbox_release(outbox, ids[2]), 0);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.events, 0);
	cr_assert_eq(stats.bytes, 0);
	cr_assert_eq(stats.put, 4);
	cr_assert_eq(stats.released, 4);
	cr_assert_eq(stats.resent, 2);
	cr_assert_eq(stats.dropped, 0);
	outbox_free(outbox);
}

Test(outbox, when_full_the_oldest_not_in_flight_goes)
{
	struct outbox *outbox = make(3, 100000);
	struct outbox_gap gap;
	struct outbox_stats stats;
	uint64_t id;

	for (uint64_t seq = 1; seq <= 3; seq++)
		cr_assert_eq(put(outbox, seq), 0);
	cr_assert_eq(take(outbox, &id), 1);
	cr_assert_eq(put(outbox, 4), 0);
	cr_assert_eq(put(outbox, 5), 0);
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_eq(gap.from_seq, 2);
	cr_assert_eq(gap.to_seq, 3);
	cr_assert_eq(gap.count, 2);
	cr_assert_eq(gap.reason, OUTBOX_REASON_FULL);
	cr_assert_str_eq(gap.boot_id, "");
	cr_assert_not(outbox_take_gap(outbox, &gap));
	cr_assert_eq(take(outbox, &id), 4);
	cr_assert_eq(take(outbox, &id), 5);
	cr_assert_eq(put(outbox, 6), -ENOBUFS, "all are in flight");
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_eq(gap.from_seq, 6);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.dropped, 3);
	cr_assert_eq(stats.events, 3);
	cr_assert_eq(stats.peak_events, 3);
	outbox_free(outbox);
}

/* A message sent before the connection broke may have arrived: a gap that names it would report a
 * loss that did not happen. */
Test(outbox, what_was_sent_before_a_rewind_goes_last)
{
	struct outbox *outbox = make(4, 100000);
	const uint64_t left[] = { 1, 2, 5, 6 };
	struct outbox_gap gap;
	uint64_t id;

	for (uint64_t seq = 1; seq <= 4; seq++)
		cr_assert_eq(put(outbox, seq), 0);
	cr_assert_eq(take(outbox, &id), 1);
	cr_assert_eq(take(outbox, &id), 2);
	outbox_rewind(outbox);
	cr_assert_eq(put(outbox, 5), 0);
	cr_assert_eq(put(outbox, 6), 0);
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_eq(gap.from_seq, 3);
	cr_assert_eq(gap.to_seq, 4);
	cr_assert_eq(gap.count, 2);
	for (uint64_t i = 0; i < 4; i++)
		cr_assert_eq(take(outbox, &id), left[i]);
	outbox_rewind(outbox);
	cr_assert_eq(put(outbox, 7), 0);
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_eq(gap.from_seq, 1); /* there was nothing else */
	outbox_free(outbox);
}

Test(outbox, a_reply_pushes_out_no_event)
{
	struct outbox *outbox = make(1, 100000);
	struct outbox_gap gap;
	struct outbox_stats stats;

	cr_assert_eq(put(outbox, 1), 0);
	cr_assert_eq(put(outbox, 0), 0);
	cr_assert_not(outbox_take_gap(outbox, &gap));
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.dropped, 0);
	outbox_free(outbox);
}

Test(outbox, bytes_are_a_bound_too)
{
	static char large[2000];
	struct outbox *outbox = make(100, 1500);
	struct outbox_message message = {
		.seq = 9, .topic = "t", .payload = large, .payload_len = sizeof(large)
	};
	struct outbox_gap gap;
	struct outbox_stats stats;

	cr_assert_eq(put(outbox, 1), 0);
	cr_assert_eq(outbox_put(outbox, &message), -EMSGSIZE);
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_eq(gap.from_seq, 9);
	cr_assert_eq(gap.to_seq, 9);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.events, 1, "it did not push out what fits");
	message.payload_len = 1000;
	message.seq = 10;
	cr_assert_eq(outbox_put(outbox, &message), 0);
	message.seq = 11;
	cr_assert_eq(outbox_put(outbox, &message), 0);
	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_eq(gap.from_seq, 1);
	cr_assert_eq(gap.to_seq, 1);
	cr_assert(outbox_take_gap(outbox, &gap), "ranges that do not touch are not joined");
	cr_assert_eq(gap.from_seq, 10);
	cr_assert_eq(gap.to_seq, 10);
	outbox_get_stats(outbox, &stats);
	cr_assert_leq(stats.bytes, 1500);
	outbox_free(outbox);
}

Test(outbox, wakes_when_there_was_nothing_to_take)
{
	struct outbox *outbox = NULL;
	unsigned wakes = 0;
	uint64_t id;

	cr_assert_eq(outbox_new(&(struct outbox_config){ .max_events = 10,
	                                                 .max_bytes = 100000,
	                                                 .wake = count_wake,
	                                                 .user = &wakes },
	                        &outbox),
	             0);
	cr_assert_eq(put(outbox, 1), 0);
	cr_assert_eq(put(outbox, 2), 0);
	cr_assert_eq(wakes, 1);
	cr_assert_eq(take(outbox, &id), 1);
	cr_assert_eq(put(outbox, 3), 0);
	cr_assert_eq(wakes, 1);
	cr_assert_eq(take(outbox, &id), 2);
	cr_assert_eq(take(outbox, &id), 3);
	cr_assert_eq(put(outbox, 4), 0);
	cr_assert_eq(wakes, 2);
	outbox_free(outbox);
}

Test(outbox, several_at_once)
{
	struct outbox *outbox = make(100, 100000);
	struct outbox_message m[4];
	struct outbox_stats stats;

	for (uint64_t seq = 1; seq <= 5; seq++)
		cr_assert_eq(put(outbox, seq), 0);
	cr_assert_eq(outbox_take_some(outbox, m, 0), 0);
	cr_assert_eq(outbox_take_some(outbox, m, 4), 4);
	for (uint64_t i = 0; i < 4; i++)
		cr_assert_eq(m[i].seq, i + 1);
	/* Not in their order, one twice, one that never was. */
	outbox_release_some(outbox, (uint64_t[]){ m[2].id, 99, m[0].id, m[2].id }, 4);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.released, 2);
	cr_assert_eq(stats.events, 3);
	outbox_rewind(outbox);
	cr_assert_eq(outbox_take_some(outbox, m, 4), 3);
	cr_assert_eq(m[0].seq, 2);
	cr_assert_eq(m[1].seq, 4);
	cr_assert_eq(m[2].seq, 5);
	cr_assert_eq(outbox_take_some(outbox, m, 4), 0);
	outbox_free(outbox);
}

#define THREAD_EVENTS 5000U

static void *take_all(void *user)
{
	struct outbox *outbox = user;
	struct outbox_message m[3];
	uint64_t expected = 1, ids[3];
	unsigned turns = 0;

	while (expected <= THREAD_EVENTS) {
		size_t n = outbox_take_some(outbox, m, 1 + turns % 3);

		if (n > 0 && ++turns % 7 == 0) {
			outbox_rewind(outbox);
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			ids[i] = m[i].id;
			if (m[i].seq != expected++)
				return user;
		}
		outbox_release_some(outbox, ids, n);
	}
	return NULL;
}

Test(outbox, two_threads_with_rewinds_lose_nothing)
{
	struct outbox *outbox = make(THREAD_EVENTS, 100000000);
	void *failed = NULL;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, take_all, outbox), 0);
	for (uint64_t seq = 1; seq <= THREAD_EVENTS; seq++)
		cr_assert_eq(put(outbox, seq), 0);
	pthread_join(thread, &failed);
	cr_assert_null(failed);
	outbox_free(outbox);
}
