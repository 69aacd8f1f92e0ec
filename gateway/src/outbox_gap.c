/* SPDX-License-Identifier: Apache-2.0 */
/* What was given up, as disjoint ranges in the order in which it was. */
#include <stdio.h>
#include <string.h>

#include "outbox_internal.h"

#define AT(gaps, i) (&(gaps)->ranges[((gaps)->first + (i)) % OUTBOX_GAPS_MAX])

void outbox_gaps_add(struct outbox_gaps *gaps, const struct outbox_boot *boot, uint64_t from_seq,
                     uint64_t count, enum outbox_reason reason)
{
	uint64_t to_seq = from_seq + count - 1;
	size_t i = gaps->n;

	/* What is put and what is oldest may be given up in turns: the last two are looked at. */
	while (i > 0 && i + 2 > gaps->n) {
		i--;
		if (AT(gaps, i)->boot == boot && AT(gaps, i)->reason == reason &&
		    AT(gaps, i)->to_seq + 1 == from_seq) {
			AT(gaps, i)->to_seq = to_seq;
			AT(gaps, i)->count += count;
			return;
		}
	}
	if (gaps->n < OUTBOX_GAPS_MAX) {
		i = gaps->n++;
		AT(gaps, i)->boot = boot;
		AT(gaps, i)->from_seq = from_seq;
		AT(gaps, i)->to_seq = to_seq;
		AT(gaps, i)->count = count;
		AT(gaps, i)->reason = reason;
		return;
	}
	/* No more ranges: join one of this boot, the newest, and at worst the newest of all. */
	for (i = gaps->n - 1; i > 0 && AT(gaps, i)->boot != boot; i--)
		;
	if (AT(gaps, i)->boot != boot)
		return;
	if (from_seq < AT(gaps, i)->from_seq)
		AT(gaps, i)->from_seq = from_seq;
	if (to_seq > AT(gaps, i)->to_seq)
		AT(gaps, i)->to_seq = to_seq;
	AT(gaps, i)->count += count;
}

bool outbox_gaps_take(struct outbox_gaps *gaps, const struct outbox_boot *own,
                      struct outbox_gap *ret_gap)
{
	if (gaps->n == 0)
		return false;
	*ret_gap = (struct outbox_gap){
		.from_seq = AT(gaps, 0)->from_seq,
		.to_seq = AT(gaps, 0)->to_seq,
		.count = AT(gaps, 0)->count,
		.reason = AT(gaps, 0)->reason,
	};
	if (AT(gaps, 0)->boot != own)
		snprintf(ret_gap->boot_id, sizeof(ret_gap->boot_id), "%s", AT(gaps, 0)->boot->id);
	gaps->first = (gaps->first + 1) % OUTBOX_GAPS_MAX;
	gaps->n--;
	return true;
}
