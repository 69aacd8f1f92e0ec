/* SPDX-License-Identifier: Apache-2.0 */
#include "lateness.h"

/** One bucket each for 0 to 7; from 8 on eight buckets an octave. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned octave;

	if (ns < 8)
		return (unsigned)ns;
	octave = 63U - (unsigned)__builtin_clzll(ns);
	return (octave - 2) * 8 + (unsigned)((ns >> (octave - 3)) & 7U);
}

static uint64_t upper_end(unsigned bucket)
{
	unsigned octave = bucket / 8 + 2;

	if (bucket < 8)
		return bucket;
	return (((uint64_t)8 + bucket % 8 + 1) << (octave - 3)) - 1;
}

void lateness_add(struct lateness *lateness, uint64_t ns)
{
	lateness->count++;
	if (ns > lateness->max_ns)
		lateness->max_ns = ns;
	lateness->buckets[bucket_of(ns)]++;
}

uint64_t lateness_percentile_ns(const struct lateness *lateness, unsigned per_mille)
{
	/* The rank, rounded up: the 50 % of three values is the second. */
	uint64_t rank = (lateness->count * per_mille + 999) / 1000;
	uint64_t seen = 0;

	for (unsigned i = 0; i < LATENESS_BUCKETS && rank > 0; i++) {
		seen += lateness->buckets[i];
		if (seen >= rank)
			return upper_end(i) < lateness->max_ns ? upper_end(i) : lateness->max_ns;
	}
	return 0;
}

void lateness_reset(struct lateness *lateness)
{
	*lateness = (struct lateness){ 0 };
}
