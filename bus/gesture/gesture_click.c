/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Click: per producer, exactly one of single to quintuple or hold for a sequence of presses, at the
 * earliest moment at which it is certain.
 *
 * A sequence goes on while each press comes within the window after the release before it. It ends
 * with the highest count that is named (without a named count, with the fifth press), with a hold,
 * or when the window has passed.
 *
 * | state | press                 | release               | deadline        | edges lost         |
 * |-------|-----------------------|-----------------------|-----------------|--------------------|
 * | IDLE  | first press: DOWN (1) | ignored               | none            | -                  |
 * | DOWN  | as IDLE (2)           | highest count: click, | hold (3): HELD, | IDLE               |
 * |       |                       | IDLE; else UP         | or IDLE (4)     |                    |
 * | UP    | next press: DOWN (1)  | ignored               | window: click,  | - (the presses are |
 * |       |                       |                       | IDLE            | complete)          |
 * | HELD  | release with `lost`,  | release, IDLE         | repeat          | `lost` release,    |
 * |       | then as IDLE          |                       |                 | IDLE               |
 *
 * (1) Without `release` the press is its own release. Without `hold` a press that reaches the
 *     highest count, if that is above 1, is the click, and its release is ignored: IDLE.
 * (2) The release of the press before was lost: whether it was a click can't be known.
 * (3) After `hold`, only where there is one.
 * (4) The cooldown or `when` suppresses it.
 *
 * A count that is reached but not named emits nothing. `when` and the cooldown are asked when a
 * click or hold is due, `when` also for each repeat. The release follows its hold in any case: what
 * was begun must end.
 *
 * Each deadline has a timer, so that the click comes when nothing else does. Before an event is
 * handled, the deadlines before its time are handled with their own time, so a late wake-up never
 * turns a short press into a long one. A release or a press at the very instant of a deadline
 * precedes it: its timer fires after all others of that instant, and after the longest delay of the
 * inputs, when every event up to that instant was dispatched.
 *
 * An event that is older than the last one of its producer is ignored.
 */
#include "gesture_internal.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum click_state {
	CLICK_IDLE,
	CLICK_DOWN,
	CLICK_UP,
	CLICK_HELD,
};

struct click {
	struct gesture_filter source, release;
	struct cue_when *when; /* NULL: always */
	uint64_t window_ns;
	uint64_t hold_ns;   /* 0: none */
	uint64_t repeat_ns; /* 0: none */
	size_t highest;     /* presses that end a sequence */
	bool at_press;      /* the highest count is certain at its press */
	struct producer_table producers;
};

struct presses {
	struct gesture_kept kept; /* the presses of the sequence */
	struct gesture_cooldown cooldown;
	enum click_state state;
	uint64_t edge_ns;       /* time of the last press or release */
	uint64_t due_ns;        /* deadline of the state; CUE_TIME_NONE: none */
	uint32_t repeats;       /* of this hold */
	struct cue_event cause; /* the last press or release, without its data */
	struct cue_timer *timer;
	struct cue_event events[CUE_CLICK_PRESSES_MAX];
};

static uint64_t later(uint64_t time_ns, uint64_t by_ns)
{
	return time_ns > CUE_TIME_NONE - by_ns ? CUE_TIME_NONE : time_ns + by_ns;
}

static void become(struct presses *presses, enum click_state state, uint64_t due_ns)
{
	presses->state = state;
	presses->due_ns = due_ns;
	if (state == CLICK_IDLE)
		cue_gesture_kept_clear(&presses->kept);
}

static void arm(const struct gesture *gesture, struct presses *presses)
{
	if (presses->due_ns == CUE_TIME_NONE)
		cue_timer_disarm(presses->timer);
	else
		cue_timer_arm(presses->timer, later(presses->due_ns, gesture->longest_delay_ns));
}

/* ---- firing ---- */

/** Emit, if that is named. @return 1 emitted, or not named; 0 the bus refused it, and has reported
 * that; -E2BIG; -ENOMEM. */
static int emit(struct gesture *gesture, const struct presses *presses,
                const struct gesture_click_data *data, uint64_t time_ns)
{
	__attribute__((cleanup(cue_payload_unrefp))) struct cue_payload *payload = NULL;
	const struct cue_type *type = gesture->outputs[data->click];
	int r;

	if (!type)
		return 1;
	r = cue_gesture_payload_click(gesture, data, presses->events, presses->kept.n, &payload);
	if (r < 0)
		return r;
	return cue_gesture_emit(gesture, cue_type_name(type), presses->kept.producer_id, payload,
	                        time_ns);
}

/** Whether a click or hold may come now; counts a cooldown. */
static bool is_open(struct gesture *gesture, const struct presses *presses, uint64_t time_ns)
{
	const struct click *click = gesture->impl;

	if (click->when && !cue_when_eval(click->when, gesture->bus))
		return false;
	return cue_gesture_may_fire(gesture, &presses->cooldown, time_ns);
}

/** @return as emit(); 0 also if it is suppressed. */
static int fire(struct gesture *gesture, struct presses *presses,
                const struct gesture_click_data *data, uint64_t time_ns)
{
	int r;

	if (!is_open(gesture, presses, time_ns))
		return 0;
	r = emit(gesture, presses, data, time_ns);
	if (r > 0)
		cue_gesture_fired(gesture, &presses->cooldown, time_ns);
	return r;
}

/** The sequence is complete: emit its click, if that count is named. */
static int fire_click(struct gesture *gesture, struct presses *presses, uint64_t time_ns)
{
	const struct gesture_click_data data = {
		.click = (enum cue_click)(presses->kept.n - 1),
	};
	int r = 0;

	if (gesture->outputs[data.click])
		r = fire(gesture, presses, &data, time_ns);
	become(presses, CLICK_IDLE, CUE_TIME_NONE);
	return r;
}

static uint64_t held_ns(const struct presses *presses, uint64_t time_ns)
{
	return time_ns - presses->events[presses->kept.n - 1].time_ns;
}

static int end_hold(struct gesture *gesture, struct presses *presses, uint64_t time_ns, bool lost)
{
	const struct gesture_click_data data = {
		.click = CUE_CLICK_RELEASE,
		.held_ns = held_ns(presses, time_ns),
		.lost = lost,
	};
	int r = emit(gesture, presses, &data, time_ns);

	become(presses, CLICK_IDLE, CUE_TIME_NONE);
	return r;
}

/* ---- deadlines ---- */

static uint64_t next_repeat_ns(const struct gesture *gesture, const struct presses *presses,
                               uint64_t time_ns)
{
	const struct click *click = gesture->impl;

	if (click->repeat_ns == 0 || !gesture->outputs[CUE_CLICK_REPEAT] ||
	    presses->repeats == CUE_GESTURE_REPEATS_MAX)
		return CUE_TIME_NONE;
	return later(time_ns, click->repeat_ns);
}

static int begin_hold(struct gesture *gesture, struct presses *presses, uint64_t time_ns)
{
	const struct gesture_click_data data = {
		.click = CUE_CLICK_HOLD,
		.held_ns = held_ns(presses, time_ns),
	};
	int r = fire(gesture, presses, &data, time_ns);

	if (r <= 0) {
		become(presses, CLICK_IDLE, CUE_TIME_NONE);
		return r;
	}
	presses->repeats = 0;
	become(presses, CLICK_HELD, next_repeat_ns(gesture, presses, time_ns));
	return 0;
}

static int repeat(struct gesture *gesture, struct presses *presses, uint64_t time_ns)
{
	const struct gesture_click_data data = {
		.click = CUE_CLICK_REPEAT,
		.held_ns = held_ns(presses, time_ns),
		.repeat_index = presses->repeats++,
	};
	const struct click *click = gesture->impl;

	presses->due_ns = next_repeat_ns(gesture, presses, time_ns);
	if (click->when && !cue_when_eval(click->when, gesture->bus))
		return 0;
	return emit(gesture, presses, &data, time_ns);
}

/** Handle the deadline, at its own time. What it emits was caused by the last press or release,
 * whichever event is being handled. */
static int pass_deadline(struct gesture *gesture, struct presses *presses)
{
	const struct cue_event *handled = gesture->handled;
	uint64_t time_ns = presses->due_ns;
	int r = 0;

	gesture->handled = &presses->cause;
	switch (presses->state) {
	case CLICK_DOWN:
		r = begin_hold(gesture, presses, time_ns);
		break;
	case CLICK_UP:
		r = fire_click(gesture, presses, time_ns);
		break;
	case CLICK_HELD:
		r = repeat(gesture, presses, time_ns);
		break;
	case CLICK_IDLE: /* has none */
		presses->due_ns = CUE_TIME_NONE;
		break;
	}
	gesture->handled = handled;
	return r;
}

static void report(const struct gesture *gesture, const struct presses *presses, int r)
{
	if (r < 0)
		cue_bus_handler_failed(gesture->bus, r, &presses->cause, gesture->name);
}

/** One deadline each time, so that other timers keep their place between overdue repeats. */
static void on_due(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct presses *presses = user;
	struct gesture *gesture = presses->kept.gesture;

	(void)deadline_ns;
	if (gesture->registry->delays_stale)
		cue_gesture_delays_update(gesture->registry);
	/* A reload may have made the delay longer. */
	if (later(presses->due_ns, gesture->longest_delay_ns) <= cue_bus_now(bus))
		report(gesture, presses, pass_deadline(gesture, presses));
	arm(gesture, presses);
}

/* ---- edges ---- */

static int let_go(struct gesture *gesture, struct presses *presses, uint64_t time_ns)
{
	const struct click *click = gesture->impl;

	switch (presses->state) {
	case CLICK_DOWN:
		if (presses->kept.n >= click->highest)
			return fire_click(gesture, presses, time_ns);
		become(presses, CLICK_UP, later(time_ns, click->window_ns));
		break;
	case CLICK_HELD:
		return end_hold(gesture, presses, time_ns, false);
	case CLICK_IDLE:
	case CLICK_UP:
		break;
	}
	return 0;
}

static int press(struct gesture *gesture, struct presses *presses, const struct cue_event *event)
{
	const struct click *click = gesture->impl;
	int lost = 0, r = 0;

	if (presses->state == CLICK_HELD)
		lost = end_hold(gesture, presses, event->time_ns, true);
	if (presses->state != CLICK_UP)
		become(presses, CLICK_IDLE, CUE_TIME_NONE);
	cue_gesture_kept_insert(&presses->kept, event);
	become(presses, CLICK_DOWN,
	       click->hold_ns > 0 ? later(event->time_ns, click->hold_ns) : CUE_TIME_NONE);
	if (!click->release.type)
		r = let_go(gesture, presses, event->time_ns);
	else if (click->at_press && presses->kept.n >= click->highest)
		r = fire_click(gesture, presses, event->time_ns);
	return lost < 0 ? lost : r;
}

/** Whether the event is about the input that was pressed last: its data has the name. */
static bool is_its_input(const struct presses *presses, const struct cue_event *event)
{
	const struct cue_event *last = &presses->events[presses->kept.n - 1];
	const char *pressed = cJSON_GetStringValue(
	        cJSON_GetObjectItemCaseSensitive(cue_payload_json(last->payload), "input"));
	const char *lost = cJSON_GetStringValue(
	        cJSON_GetObjectItemCaseSensitive(cue_payload_json(event->payload), "input"));

	return pressed && lost && strcmp(pressed, lost) == 0;
}

static int lose(struct gesture *gesture, struct presses *presses, const struct cue_event *event)
{
	if (presses->state != CLICK_DOWN && presses->state != CLICK_HELD)
		return 0;
	if (!is_its_input(presses, event))
		return 0;
	if (presses->state == CLICK_HELD)
		return end_hold(gesture, presses, event->time_ns, true);
	become(presses, CLICK_IDLE, CUE_TIME_NONE);
	return 0;
}

/** An event of this producer, in the order of times. */
static int take(struct gesture *gesture, struct presses *presses, enum gesture_role role,
                const struct cue_event *event)
{
	int r;

	if (event->time_ns < presses->edge_ns)
		return 0;
	while (presses->due_ns < event->time_ns)
		report(gesture, presses, pass_deadline(gesture, presses));
	if (role == GESTURE_ROLE_SOURCE)
		r = press(gesture, presses, event);
	else if (role == GESTURE_ROLE_RELEASE)
		r = let_go(gesture, presses, event->time_ns);
	else
		r = lose(gesture, presses, event);
	presses->edge_ns = event->time_ns;
	presses->cause = *event;
	presses->cause.payload = NULL;
	arm(gesture, presses);
	return r < 0 ? r : 0;
}

/** The state of a producer that has pressed for the first time. NULL: no memory. */
static struct presses *begin(struct gesture *gesture, struct click *click, uint32_t producer_id)
{
	struct presses *presses = cue_gesture_producer(gesture, &click->producers, producer_id);

	if (!presses || presses->timer)
		return presses;
	presses->kept.events = presses->events;
	presses->due_ns = CUE_TIME_NONE;
	/* As an end of a debounce, a hold must not wait behind overdue playlists. */
	if (cue_timer_new_urgent(gesture->bus, on_due, presses, &presses->timer) < 0)
		return NULL; /* the state stays, idle; try again with the next press */
	cue_timer_put_last(presses->timer);
	return presses;
}

static int handle(struct gesture *gesture, unsigned roles, const struct cue_event *event)
{
	struct click *click = gesture->impl;
	enum gesture_role role = GESTURE_ROLE_LOST;
	struct presses *presses;

	if ((roles & GESTURE_ROLE_SOURCE) && cue_gesture_filter_takes(&click->source, event))
		role = GESTURE_ROLE_SOURCE;
	else if ((roles & GESTURE_ROLE_RELEASE) && cue_gesture_filter_takes(&click->release, event))
		role = GESTURE_ROLE_RELEASE;
	else if (!(roles & GESTURE_ROLE_LOST))
		return 0;
	if (role == GESTURE_ROLE_SOURCE) {
		presses = begin(gesture, click, event->producer_id);
		return presses ? take(gesture, presses, role, event) : -ENOMEM;
	}
	presses = cue_producer_table_find(&click->producers, event->producer_id);
	return presses && presses->timer ? take(gesture, presses, role, event) : 0;
}

/* ---- life ---- */

/** What was begun must end, even when its producer is evicted or its definition ends. */
static void end_lost(void *item)
{
	struct presses *presses = item;
	struct gesture *gesture = presses->kept.gesture;
	const struct cue_event *handled = gesture->handled;

	if (presses->state != CLICK_HELD)
		return;
	gesture->handled = &presses->cause;
	report(gesture, presses, end_hold(gesture, presses, cue_bus_now(gesture->bus), true));
	gesture->handled = handled;
	arm(gesture, presses);
}

static void clear_presses(void *item)
{
	struct presses *presses = item;

	/* After end(), and when the whole bus ends, nothing more may be emitted. */
	if (presses->kept.gesture && !presses->kept.gesture->removed)
		end_lost(presses);
	presses->timer = cue_timer_free(presses->timer);
	cue_gesture_kept_end(&presses->kept);
}

static void end(struct gesture *gesture)
{
	const struct click *click = gesture->impl;

	cue_producer_table_foreach(&click->producers, end_lost);
}

/** The highest count that is named, or the most presses that a sequence has. */
static size_t highest_count(const struct cue_gesture_config *config)
{
	size_t n = CUE_CLICK_PRESSES_MAX;

	while (n > 0 && !config->clicks[n - 1])
		n--;
	return n > 0 ? n : CUE_CLICK_PRESSES_MAX;
}

static int init(struct gesture *gesture, const struct cue_gesture_config *config)
{
	struct click *click = calloc(1, sizeof(*click));
	int r;

	gesture->impl = click;
	gesture->ordered = true;
	if (!click)
		return -ENOMEM;
	click->window_ns = config->window_ns;
	click->hold_ns = config->hold_ns;
	click->repeat_ns = config->repeat_ns;
	click->highest = highest_count(config);
	click->at_press = config->hold_ns == 0 && click->highest > 1;
	r = cue_producer_table_init(&click->producers, gesture->bus->limits.gesture_producers,
	                            sizeof(struct presses), clear_presses);
	click->producers.beside_bytes = sizeof(struct cue_timer) + sizeof(struct cue_timer *);
	if (r >= 0 && config->when)
		r = cue_when_new(config->when, &click->when, NULL);
	if (r >= 0)
		r = cue_gesture_filter_init(gesture, &click->source, &config->source,
		                            GESTURE_ROLE_SOURCE);
	if (r >= 0)
		r = cue_gesture_filter_init(gesture, &click->release, &config->release,
		                            GESTURE_ROLE_RELEASE);
	if (r >= 0 && config->release.type)
		r = cue_gesture_add_input(gesture, "input.resync", GESTURE_ROLE_LOST);
	if (r >= 0 && config->release.type)
		r = cue_gesture_add_input(gesture, "input.failed", GESTURE_ROLE_LOST);
	return r;
}

static void clear(struct gesture *gesture)
{
	struct click *click = gesture->impl;

	if (!click)
		return;
	cue_producer_table_clear(&click->producers);
	cue_gesture_filter_clear(&click->source);
	cue_gesture_filter_clear(&click->release);
	cue_when_free(click->when);
	free(click);
}

const struct gesture_kind cue_gesture_kind_click = { init, handle, clear, end };
