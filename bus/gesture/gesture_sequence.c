/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequence: per producer, events that match the steps in order.
 *
 * After a mismatch the longest suffix of the events that is still a prefix of the steps is kept.
 * Steps are predicates, so these suffixes can't be computed from the steps alone (as Knuth, Morris
 * and Pratt do for letters). Instead all of them are tracked at once, one bit each (the Shift-And
 * method of Baeza-Yates and Gonnet): bit i says that the last i+1 events match steps 0 to i. For an
 * event that matches the steps in `mask`
 *
 *     prefixes = (prefixes << 1 | 1) & mask
 *
 * and the highest bit is the longest prefix: that many events are kept. A gap over the timeout ends
 * every prefix, because every suffix contains this gap. An event that is older than the last one is
 * ignored: it must not end a prefix that later events began.
 *
 * | longest prefix | then                              |
 * |----------------|-----------------------------------|
 * | none           | keep nothing                      |
 * | i < n          | keep the last i events            |
 * | n              | fire with all n, then keep nothing |
 */
#include "gesture_internal.h"

#include <errno.h>
#include <stdlib.h>

struct step {
	const struct cue_type *type;
	struct cue_match *match; /* NULL: any data */
};

struct sequence {
	uint64_t timeout_ns; /* 0: none */
	struct producer_table producers;
	size_t n;
	struct step steps[];
};

struct progress {
	struct gesture_kept kept; /* n: the highest bit of `prefixes` */
	struct gesture_cooldown cooldown;
	uint64_t last_ns; /* time of the last event */
	uint64_t prefixes;
	struct cue_event events[]; /* room for sequence.n */
};

_Static_assert(CUE_GESTURE_STEPS_MAX <= 64, "a bit for each step");

static void begin_anew(struct progress *progress)
{
	cue_gesture_kept_clear(&progress->kept);
	progress->prefixes = 0;
}

static void clear_progress(void *item)
{
	cue_gesture_kept_end(&((struct progress *)item)->kept);
}

static int init_step(struct gesture *gesture, struct step *step, const struct cue_filter *filter)
{
	int r;

	r = cue_bus_intern(gesture->bus, filter->type, &step->type);
	if (r >= 0 && filter->match)
		r = cue_match_new(filter->match, &step->match, NULL);
	if (r >= 0)
		r = cue_gesture_add_input(gesture, filter->type, GESTURE_ROLE_SOURCE);
	return r;
}

static int init(struct gesture *gesture, const struct cue_gesture_config *config)
{
	struct sequence *sequence =
	        calloc(1, sizeof(*sequence) + config->n_steps * sizeof(sequence->steps[0]));
	int r;

	gesture->impl = sequence;
	gesture->ordered = true;
	if (!sequence)
		return -ENOMEM;
	sequence->timeout_ns = config->timeout_ns;
	sequence->n = config->n_steps;
	r = cue_producer_table_init(&sequence->producers, gesture->bus->limits.gesture_producers,
	                            sizeof(struct progress) +
	                                    config->n_steps * sizeof(struct cue_event),
	                            clear_progress);
	for (size_t i = 0; r >= 0 && i < config->n_steps; i++)
		r = init_step(gesture, &sequence->steps[i], &config->steps[i]);
	return r;
}

/** Which steps an event matches. */
static uint64_t step_mask(const struct sequence *sequence, const struct cue_event *event)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < sequence->n; i++) {
		const struct step *step = &sequence->steps[i];

		if (step->type == event->type && cue_match_eval(step->match, event->payload))
			mask |= UINT64_C(1) << i;
	}
	return mask;
}

static size_t highest_bit(uint64_t bits)
{
	return bits ? 64U - (size_t)__builtin_clzll(bits) : 0;
}

/** Whether the event nearly was the next step, and what was wrong. */
static bool is_near(const struct gesture *gesture, const struct progress *progress, uint64_t mask,
                    struct near_miss *ret_miss)
{
	const struct sequence *sequence = gesture->impl;
	const struct cue_event *event = gesture->handled;
	size_t done = progress->kept.n;
	bool fits;
	uint64_t gap_ns;

	if (!gesture->tells_near_misses || done == 0 || 2 * done < sequence->n)
		return false;
	fits = mask >> done & 1U;
	gap_ns = event->time_ns - progress->events[done - 1].time_ns;
	*ret_miss = (struct near_miss){ .reason = fits ? "timeout" : "wrong_step",
		                        .count = done,
		                        .required = sequence->n };
	if (sequence->timeout_ns == 0 || gap_ns <= sequence->timeout_ns)
		return !fits;
	if (!fits || !cue_gesture_is_near(gesture, gap_ns, sequence->timeout_ns))
		return false;
	ret_miss->exceeded_ns = gap_ns - sequence->timeout_ns;
	return true;
}

static void follow(const struct sequence *sequence, struct progress *progress, uint64_t mask,
                   const struct cue_event *event)
{
	size_t longest;

	if (progress->kept.n > 0 && sequence->timeout_ns > 0 &&
	    event->time_ns - progress->events[progress->kept.n - 1].time_ns > sequence->timeout_ns)
		begin_anew(progress);
	progress->prefixes = (progress->prefixes << 1 | 1U) & mask;
	longest = highest_bit(progress->prefixes);
	if (longest == 0) {
		begin_anew(progress);
		return;
	}
	/* with this event there is at least one event more than the prefix has */
	cue_gesture_kept_drop(&progress->kept, 0, progress->kept.n + 1 - longest);
	cue_gesture_kept_insert(&progress->kept, event);
}

static int handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct sequence *sequence = gesture->impl;
	uint64_t mask = step_mask(sequence, event);
	struct progress *progress;
	struct near_miss miss;
	bool nearly;
	int r;

	(void)roles;
	/* Keep state for a producer only from its first step on. */
	progress = cue_producer_table_find(&sequence->producers, event->producer_id);
	if (!progress && !(mask & 1U))
		return 0;
	if (!progress)
		progress = cue_gesture_producer(gesture, &sequence->producers, event->producer_id);
	if (!progress)
		return -ENOMEM;
	if (event->time_ns < progress->last_ns)
		return 0;
	progress->last_ns = event->time_ns;
	progress->kept.events = progress->events;
	nearly = is_near(gesture, progress, mask, &miss);
	follow(sequence, progress, mask, event);
	if (progress->kept.n < sequence->n)
		return nearly ? cue_gesture_near_miss(gesture, &miss) : 0;
	r = cue_gesture_fire_events(gesture, &progress->cooldown, "sequence", &progress->kept,
	                            event->producer_id);
	begin_anew(progress);
	return r;
}

static void clear(struct gesture *gesture)
{
	struct sequence *sequence = gesture->impl;

	if (!sequence)
		return;
	cue_producer_table_clear(&sequence->producers);
	for (size_t i = 0; i < sequence->n; i++)
		cue_match_free(sequence->steps[i].match);
	free(sequence);
}

const struct gesture_kind cue_gesture_kind_sequence = { init, handle, clear, NULL };
