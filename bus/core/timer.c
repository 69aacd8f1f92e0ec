/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap of pointers, each timer knowing its position, so that arming,
 * moving and disarming are O(log n) and allocate nothing (Sedgewick and Wayne,
 * "Algorithms", 4th ed., section 2.4: indexed priority queue). */
#include "bus_internal.h"

#include <errno.h>
#include <stdlib.h>

#define TIMER_IDLE SIZE_MAX
#define ORDER_LAST (UINT64_C(1) << 63)

static bool before(const struct cue_timer *a, const struct cue_timer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns;
	return a->order < b->order;
}

static void place(struct timer_queue *queue, size_t position, struct cue_timer *timer)
{
	queue->heap[position] = timer;
	timer->position = position;
}

static void sift_up(struct timer_queue *queue, struct cue_timer *timer)
{
	size_t i = timer->position;

	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (!before(timer, queue->heap[parent]))
			break;
		place(queue, i, queue->heap[parent]);
		i = parent;
	}
	place(queue, i, timer);
}

static void sift_down(struct timer_queue *queue, struct cue_timer *timer)
{
	size_t i = timer->position;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= queue->n)
			break;
		if (child + 1 < queue->n && before(queue->heap[child + 1], queue->heap[child]))
			child++;
		if (!before(queue->heap[child], timer))
			break;
		place(queue, i, queue->heap[child]);
		i = child;
	}
	place(queue, i, timer);
}

static void take_out(struct timer_queue *queue, struct cue_timer *timer)
{
	struct cue_timer *last = queue->heap[--queue->n];
	size_t hole = timer->position;

	timer->position = TIMER_IDLE;
	if (last == timer)
		return;
	place(queue, hole, last);
	sift_up(queue, last);
	sift_down(queue, last);
}

/** The earliest, or NULL. */
static struct cue_timer *first(const struct timer_queue *queue)
{
	return queue->n > 0 ? queue->heap[0] : NULL;
}

static struct cue_timer *earlier(struct cue_timer *a, struct cue_timer *b)
{
	if (!a || !b)
		return a ? a : b;
	return before(a, b) ? a : b;
}

static struct cue_timer *earliest(const struct cue_bus *bus, bool urgent)
{
	struct cue_timer *timer = first(&bus->urgent);

	return urgent ? timer : earlier(timer, first(&bus->timers));
}

bool cue_timer_is_due(const struct cue_bus *bus, uint64_t limit_ns, bool inclusive, bool urgent)
{
	const struct cue_timer *timer = earliest(bus, urgent);

	return timer &&
	       (timer->deadline_ns < limit_ns || (inclusive && timer->deadline_ns == limit_ns));
}

struct cue_timer *cue_timer_pop(struct cue_bus *bus, bool urgent)
{
	struct cue_timer *timer = earliest(bus, urgent);

	take_out(timer->queue, timer);
	return timer;
}

static int make(struct cue_bus *bus, struct timer_queue *queue, cue_timer_handler handler,
                void *user, struct cue_timer **ret_timer)
{
	struct cue_timer *timer;

	/* Reserve the slot here, so that arming can't fail. */
	if (queue->n_timers == queue->cap) {
		size_t cap = queue->cap ? 2 * queue->cap : 64;
		struct cue_timer **heap = realloc(queue->heap, cap * sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		queue->heap = heap;
		queue->cap = cap;
	}
	timer = calloc(1, sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	*timer = (struct cue_timer){
		.bus = bus,
		.queue = queue,
		.deadline_ns = CUE_TIME_NONE,
		.order = bus->next_timer++,
		.position = TIMER_IDLE,
		.handler = handler,
		.user = user,
	};
	queue->n_timers++;
	*ret_timer = timer;
	return 0;
}

int cue_timer_new(struct cue_bus *bus, cue_timer_handler handler, void *user,
                  struct cue_timer **ret_timer)
{
	return make(bus, &bus->timers, handler, user, ret_timer);
}

int cue_timer_new_urgent(struct cue_bus *bus, cue_timer_handler handler, void *user,
                         struct cue_timer **ret_timer)
{
	return make(bus, &bus->urgent, handler, user, ret_timer);
}

void cue_timer_put_last(struct cue_timer *timer)
{
	timer->order |= ORDER_LAST;
}

struct cue_timer *cue_timer_free(struct cue_timer *timer)
{
	if (!timer)
		return NULL;
	cue_timer_disarm(timer);
	timer->queue->n_timers--;
	free(timer);
	return NULL;
}

void cue_timer_arm(struct cue_timer *timer, uint64_t deadline_ns)
{
	struct timer_queue *queue = timer->queue;

	timer->deadline_ns = deadline_ns;
	if (timer->position == TIMER_IDLE) {
		timer->position = queue->n++;
		queue->heap[timer->position] = timer;
		sift_up(queue, timer);
		return;
	}
	sift_up(queue, timer);
	sift_down(queue, timer);
}

void cue_timer_disarm(struct cue_timer *timer)
{
	if (timer->position != TIMER_IDLE)
		take_out(timer->queue, timer);
}

bool cue_timer_is_armed(const struct cue_timer *timer)
{
	return timer->position != TIMER_IDLE;
}

/** Earliest deadline of all armed timers; CUE_TIME_NONE if none is armed. */
static uint64_t first_deadline(const struct cue_bus *bus)
{
	const struct cue_timer *timer = earliest(bus, false);

	return timer ? timer->deadline_ns : CUE_TIME_NONE;
}

uint64_t cue_bus_next_deadline(const struct cue_bus *bus)
{
	uint64_t deadline_ns = first_deadline(bus);

	if (bus->queue.n > 0)
		return bus->now_ns;
	return deadline_ns > bus->now_ns ? deadline_ns : bus->now_ns;
}

uint64_t cue_bus_overdue(const struct cue_bus *bus, uint64_t now_ns)
{
	const struct cue_timer *timer = first(&bus->timers);

	return timer && timer->deadline_ns < now_ns ? now_ns - timer->deadline_ns : 0;
}

bool cue_bus_get_passed(const struct cue_bus *bus, uint64_t *ret_passed_ns)
{
	uint64_t first_ns = first_deadline(bus);

	if (first_ns == 0)
		return false;
	*ret_passed_ns = first_ns > bus->now_ns ? bus->now_ns : first_ns - 1;
	return true;
}
