/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"

static struct outbox *make(void)
{
	struct outbox *outbox = NULL;

	cr_assert_eq(outbox_new(&(struct outbox_config){ .max_events = 100,
	                                                 .max_bytes = 1 << 20,
	                                                 .full = OUTBOX_REJECT_NEW },
	                        &outbox),
	             0);
	return outbox;
}

static int put(struct outbox *outbox, uint64_t seq, const char *text, size_t len)
{
	return outbox_put(
	        outbox,
	        &(struct outbox_message){
	                .seq = seq, .topic = "t", .payload = text, .payload_len = len, .qos = 1 });
}

static int reply(struct outbox *outbox, const char *text)
{
	return put(outbox, 0, text, strlen(text));
}

/** Make all replies older by @p ns. */
static void age(struct outbox *outbox, uint64_t ns)
{
	for (struct outbox_node *node = outbox->replies.head; node; node = node->after)
		outbox_as_entry(node)->put_ns -= ns;
}

Test(outbox_reply, comes_after_the_events_before_it)
{
	struct outbox *outbox = make();
	struct outbox_message m;

	cr_assert_eq(put(outbox, 1, "e", 1), 0);
	cr_assert_eq(reply(outbox, "one"), 0);
	cr_assert_eq(put(outbox, 2, "e", 1), 0);
	cr_assert_eq(outbox_take(outbox, &m), 0);
	cr_assert_eq(m.seq, 1);
	cr_assert_eq(outbox_take_reply(outbox, &m), 0);
	cr_assert_eq(m.seq, 0);
	cr_assert_eq(outbox_take(outbox, &m), 0);
	cr_assert_eq(m.seq, 2);
	outbox_free(outbox);
}

Test(outbox_reply, overtakes_events)
{
	struct outbox *outbox = make();
	struct outbox_message m;
	struct outbox_stats stats;

	for (uint64_t seq = 1; seq <= 50; seq++)
		cr_assert_eq(put(outbox, seq, "e", 1), 0);
	cr_assert_eq(reply(outbox, "one"), 0);
	cr_assert_eq(reply(outbox, "two"), 0);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.events, 50);
	cr_assert_eq(stats.replies, 2);
	age(outbox, OUTBOX_REPLY_PATIENCE_NS);
	cr_assert_eq(outbox_take_reply(outbox, &m), 0);
	cr_assert_eq(memcmp(m.payload, "one", 3), 0);
	cr_assert_eq(outbox_release(outbox, m.id), 0);
	cr_assert_eq(outbox_release(outbox, m.id), -ENOENT);
	cr_assert_eq(outbox_take_reply(outbox, &m), 0);
	cr_assert_eq(memcmp(m.payload, "two", 3), 0);
	cr_assert_eq(outbox_take_reply(outbox, &m), -EAGAIN);
	cr_assert_eq(outbox_take(outbox, &m), 0);
	cr_assert_eq(m.seq, 1);
	outbox_free(outbox);
}

Test(outbox_reply, a_rewind_gives_it_out_again)
{
	struct outbox *outbox = make();
	struct outbox_message m, again;
	struct outbox_stats stats;

	cr_assert_eq(reply(outbox, "one"), 0);
	cr_assert_eq(outbox_take_reply(outbox, &m), 0);
	outbox_rewind(outbox);
	cr_assert_eq(outbox_release(outbox, m.id), -ENOENT);
	cr_assert_eq(outbox_take_reply(outbox, &again), 0);
	cr_assert_eq(again.id, m.id);
	cr_assert_eq(outbox_give_up(outbox, m.id, OUTBOX_REASON_REJECTED), 0);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.dropped_replies, 1);
	cr_assert_eq(stats.replies, 0);
	cr_assert_not(outbox_take_gap(outbox, &(struct outbox_gap){ 0 }));
	outbox_free(outbox);
}

Test(outbox_reply, the_oldest_goes_when_there_are_too_many)
{
	struct outbox *outbox = make();
	struct outbox_message m;
	struct outbox_stats stats;

	cr_assert_eq(reply(outbox, "in flight"), 0);
	cr_assert_eq(outbox_take_reply(outbox, &m), 0);
	cr_assert_eq(reply(outbox, "oldest"), 0);
	for (unsigned i = 0; i < OUTBOX_REPLIES_MAX - 1; i++)
		cr_assert_eq(reply(outbox, "x"), 0);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.replies, OUTBOX_REPLIES_MAX);
	cr_assert_eq(stats.dropped_replies, 1);
	cr_assert_eq(outbox_release(outbox, m.id), 0);
	cr_assert_eq(outbox_take_reply(outbox, &m), 0);
	cr_assert_eq(memcmp(m.payload, "x", 1), 0);
	outbox_free(outbox);
}

Test(outbox_reply, the_oldest_goes_when_they_are_too_large)
{
	struct outbox *outbox = make();
	size_t len = OUTBOX_REPLIES_BYTES / 4;
	char *text = calloc(1, len);
	struct outbox_stats stats;

	for (unsigned i = 0; i < 10; i++)
		cr_assert_eq(put(outbox, 0, text, len), 0);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.replies, 3);
	cr_assert_eq(stats.dropped_replies, 7);
	free(text);
	outbox_free(outbox);
}

Test(outbox_reply, an_old_one_is_dropped)
{
	struct outbox *outbox = make();
	struct outbox_message m;
	struct outbox_stats stats;

	cr_assert_eq(reply(outbox, "old"), 0);
	cr_assert_eq(reply(outbox, "new"), 0);
	outbox_as_entry(outbox->replies.head)->put_ns -= OUTBOX_REPLY_AGE_NS;
	cr_assert_eq(outbox_take_reply(outbox, &m), 0);
	cr_assert_eq(memcmp(m.payload, "new", 3), 0);
	outbox_get_stats(outbox, &stats);
	cr_assert_eq(stats.dropped_replies, 1);
	outbox_free(outbox);
}
