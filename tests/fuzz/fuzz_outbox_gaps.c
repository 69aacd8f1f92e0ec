/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The note of gaps in a damaged or foreign file. For any input, each range that is read from it can
 * be announced, and the ranges are the same after they were written and read again.
 */
#include "fuzz.h"

#include "outbox_internal.h"

static struct outbox *make(void)
{
	struct outbox_config config = { .max_events = 10, .max_bytes = 10000, .boot_id = "fuzz" };
	struct outbox *outbox = NULL;

	FUZZ_CHECK(outbox_new(&config, &outbox) == 0);
	return outbox;
}

static void take_all(struct outbox *outbox)
{
	struct outbox_gap gap;

	while (outbox_take_gap(outbox, &gap)) {
		FUZZ_CHECK(gap.boot_id[0] && strlen(gap.boot_id) < sizeof(gap.boot_id));
		FUZZ_CHECK(gap.from_seq > 0 && gap.from_seq <= gap.to_seq && gap.count > 0);
		FUZZ_CHECK(gap.count - 1 <= gap.to_seq - gap.from_seq);
		outbox_gap_told(outbox, 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outbox *outbox = make(), *next = make();
	char *text;
	size_t len;

	outbox_gaps_read(outbox, (const char *)data, size);
	FUZZ_CHECK(outbox->gaps.n <= OUTBOX_GAPS_MAX);
	FUZZ_CHECK(outbox_gaps_write(&outbox->gaps, &text, &len) == 0);
	outbox_gaps_read(next, text, len);
	/* Of ranges that overlap, which only a foreign note has, two may have become one. */
	FUZZ_CHECK(next->gaps.n <= outbox->gaps.n && (next->gaps.n > 0) == (outbox->gaps.n > 0));
	take_all(outbox);
	take_all(next);
	free(text);
	outbox_free(outbox);
	outbox_free(next);
	return 0;
}
