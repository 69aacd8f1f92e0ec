/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "payload_internal.h"

#define MIB (1024ULL * 1024)

/* ---- queue ---- */

/** @return 0; -ENOBUFS, -EDQUOT at the limit; -ENOMEM. */
static int queue_push(struct cue_bus *bus, const struct queued_event *queued)
{
	struct event_queue *queue = &bus->queue;
	size_t bytes = cue_payload_size(queued->event.payload);

	if (queue->n >= bus->limits.queue_events)
		return -ENOBUFS;
	/* An empty queue accepts any event: otherwise a large event could never be emitted. */
	if (queue->n > 0 && queue->bytes + bytes > bus->limits.queue_bytes)
		return -EDQUOT;
	if (queue->n == queue->cap) {
		size_t cap = queue->cap ? 2 * queue->cap : 64;
		struct queued_event *ring = calloc(cap, sizeof(*ring));

		if (!ring)
			return -ENOMEM;
		for (size_t i = 0; i < queue->n; i++)
			ring[i] = queue->ring[(queue->head + i) & (queue->cap - 1)];
		free(queue->ring);
		queue->ring = ring;
		queue->head = 0;
		queue->cap = cap;
	}
	queue->ring[(queue->head + queue->n++) & (queue->cap - 1)] = *queued;
	queue->bytes += bytes;
	if (queue->n > bus->stats.queue_peak)
		bus->stats.queue_peak = (uint32_t)queue->n;
	return 0;
}

/**
 * The depth bounds the length of a chain, not the number of its branches: three handlers that each
 * answer with the same type cause 3^32 events. So the number of events of a cascade is bounded too.
 */
static int append(struct cue_bus *bus, const struct cue_event *event)
{
	struct queued_event queued = { .event = *event };
	int r = event->depth > 0 ? cue_cascade_current(bus, &queued.cascade) : 0;

	if (r >= 0 && queued.cascade && queued.cascade->n_events >= bus->limits.queue_events)
		r = -ENOBUFS;
	if (r >= 0)
		r = queue_push(bus, &queued);
	if (r >= 0 && queued.cascade) {
		cue_cascade_ref(queued.cascade);
		queued.cascade->n_events++;
	}
	return r;
}

static struct queued_event queue_pop(struct event_queue *queue)
{
	struct queued_event queued = queue->ring[queue->head];

	queue->head = (queue->head + 1) & (queue->cap - 1);
	queue->n--;
	queue->bytes -= cue_payload_size(queued.event.payload);
	return queued;
}

/* ---- life ---- */

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

static struct cue_limits with_defaults(const struct cue_limits *limits)
{
	struct cue_limits l = *limits;

	l.event_types = or_default(l.event_types, 65536);
	l.queue_events = or_default(l.queue_events, 65536);
	l.state_entries = or_default(l.state_entries, 65536);
	l.cascade_depth = or_default(l.cascade_depth, 32);
	l.json_depth = or_default(l.json_depth, CUE_JSON_DEPTH_DEFAULT);
	l.definitions = or_default(l.definitions, 10000);
	l.active_runs = or_default(l.active_runs, 100000);
	l.quote_bytes = or_default(l.quote_bytes, 65536);
	l.gesture_producers = or_default(l.gesture_producers, 1024);
	l.queue_bytes = l.queue_bytes ? l.queue_bytes : 64U * MIB;
	l.gesture_bytes = l.gesture_bytes ? l.gesture_bytes : 16U * MIB;
	l.trigger_bytes = l.trigger_bytes ? l.trigger_bytes : 16U * MIB;
	l.state_bytes = l.state_bytes ? l.state_bytes : 16U * MIB;
	/* cue_event.depth is 16 bits wide */
	if (l.cascade_depth > UINT16_MAX - 1)
		l.cascade_depth = UINT16_MAX - 1;
	return l;
}

int cue_bus_new(const struct cue_bus_config *config, struct cue_bus **ret_bus)
{
	struct cue_bus *bus;
	uint64_t seed;
	int r;

	if (!config->gateway_id || !config->random)
		return -EINVAL;
	bus = calloc(1, sizeof(*bus));
	if (!bus)
		return -ENOMEM;
	bus->config = *config;
	bus->limits = with_defaults(&config->limits);
	bus->now_ns = bus->line_ns = config->start_ns;
	bus->wall_offset_ns = config->wall_offset_ns;
	bus->next_seq = 1;
	bus->gateway_id = strdup(config->gateway_id);
	r = bus->gateway_id ? config->random(config->user, &seed, sizeof(seed)) : -ENOMEM;
	if (r >= 0)
		r = cue_intern_init(&bus->types, seed);
	if (r >= 0)
		r = cue_state_init(&bus->states);
	if (r < 0) {
		cue_bus_free(bus);
		return r;
	}
	*ret_bus = bus;
	return 0;
}

struct cue_bus *cue_bus_free(struct cue_bus *bus)
{
	if (!bus)
		return NULL;
	cue_subscriptions_clear(bus);
	while (bus->queue.n > 0) {
		struct queued_event queued = queue_pop(&bus->queue);

		cue_payload_unref(queued.event.payload);
		cue_cascade_unref(queued.cascade);
	}
	free(bus->queue.ring);
	cue_state_clear(&bus->states);
	cue_intern_clear(&bus->types);
	free(bus->timers.heap);
	free(bus->urgent.heap);
	free(bus->gateway_id);
	free(bus);
	return NULL;
}

const struct cue_limits *cue_bus_limits(const struct cue_bus *bus)
{
	return &bus->limits;
}

const char *cue_bus_gateway_id(const struct cue_bus *bus)
{
	return bus->gateway_id;
}

void cue_bus_get_stats(const struct cue_bus *bus, struct cue_bus_stats *ret_stats)
{
	*ret_stats = bus->stats;
	ret_stats->types = (uint32_t)bus->types.n;
	ret_stats->state_entries = (uint32_t)bus->states.n;
	ret_stats->state_bytes = bus->states.bytes;
	ret_stats->queue_events = (uint32_t)bus->queue.n;
	ret_stats->queue_bytes = bus->queue.bytes;
	ret_stats->timers_armed = (uint32_t)(bus->timers.n + bus->urgent.n);
}

const struct cue_event *cue_bus_current(const struct cue_bus *bus)
{
	return bus->current;
}

int cue_bus_random(struct cue_bus *bus, void *buf, size_t len)
{
	return bus->config.random(bus->config.user, buf, len);
}

bool cue_bus_too_deep(struct cue_bus *bus, const struct cue_payload *payload)
{
	if (cue_payload_depth(payload) <= bus->limits.json_depth)
		return false;
	bus->stats.quotes_omitted++;
	return true;
}

/* ---- dispatch ---- */

static void call(struct cue_bus *bus, const struct cue_subscription *subscription,
                 const struct cue_event *event)
{
	int r = subscription->handler(subscription->user, bus, event);

	if (r < 0)
		cue_bus_handler_failed(bus, r, event, subscription->name);
}

static void dispatch(struct cue_bus *bus, const struct cue_event *event)
{
	struct subscription_list *list;

	bus->current = event;
	bus->stats.events++;
	cue_state_update(bus, event);
	list = cue_subscription_list_get(bus, bus->types.by_id[event->type->id]);
	if (!list)
		cue_bus_report(bus, &(struct cue_report){ .code = CUE_REPORT_NO_MEMORY,
		                                          .error = -ENOMEM,
		                                          .event_type = event->type->name,
		                                          .seq = event->seq });
	for (size_t i = 0; list && i < list->n; i++) {
		/* The list is in order of priority. */
		if (bus->cutting && list->items[i]->priority < CUE_PRIORITY_INTERRUPT)
			break;
		if (!list->items[i]->cancelled)
			call(bus, list->items[i], event);
	}
	cue_subscription_list_unref(list);
	bus->stats.events_cut += bus->cutting;
	bus->current = NULL;
}

void cue_bus_cut_backlog(struct cue_bus *bus)
{
	const struct event_queue *queue = &bus->queue;
	const struct cue_event *next;

	if (bus->cutting || bus->dispatching || queue->n == 0)
		return;
	bus->cutting = true;
	bus->stats.backlogs_cut++;
	next = &queue->ring[queue->head].event;
	cue_bus_report(bus, &(struct cue_report){ .code = CUE_REPORT_BACKLOG_CUT,
	                                          .event_type = next->type->name,
	                                          .seq = next->seq });
}

bool cue_bus_is_cutting(const struct cue_bus *bus)
{
	return bus->cutting;
}

int cue_queue_drain(struct cue_bus *bus, struct cue_budget *budget)
{
	int r = 0;

	if (bus->dispatching || bus->hold > 0)
		return 0;
	bus->dispatching = true;
	while (bus->queue.n > 0) {
		struct queued_event queued;

		if (budget && !cue_budget_take(budget)) {
			r = -EAGAIN;
			break;
		}
		queued = queue_pop(&bus->queue);
		bus->cascade = queued.cascade; /* NULL: the first event that follows begins one */
		dispatch(bus, &queued.event);
		cue_payload_drop_tree(queued.event.payload);
		cue_payload_unref(queued.event.payload);
		bus->cascade = cue_cascade_unref(bus->cascade);
	}
	if (bus->queue.n == 0)
		bus->cutting = false;
	bus->dispatching = false;
	return r;
}

/** Dispatch everything now, for calls that return with an empty queue. */
static void drain_now(struct cue_bus *bus)
{
	if (!bus->deferred)
		(void)cue_queue_drain(bus, NULL);
}

void cue_bus_begin(struct cue_bus *bus)
{
	bus->hold++;
}

void cue_bus_end(struct cue_bus *bus)
{
	bus->hold--;
	drain_now(bus);
}

static void count_refusal(struct cue_bus *bus, int error, const char *type, uint64_t cause_seq)
{
	enum cue_report_code code = CUE_REPORT_NO_MEMORY;

	if (error == -ELOOP) {
		code = CUE_REPORT_CASCADE_CUT;
		bus->stats.cascades_cut++;
	} else if (error == -ENOBUFS || error == -EDQUOT) {
		code = CUE_REPORT_QUEUE_FULL;
		bus->stats.queue_refused++;
	}
	cue_bus_report(
	        bus, &(struct cue_report){
	                     .code = code, .error = error, .event_type = type, .seq = cause_seq });
}

int cue_bus_emit_caused(struct cue_bus *bus, const struct cue_emit *emit, uint64_t cause_seq,
                        unsigned depth, uint64_t *ret_seq)
{
	uint64_t latest_ns = bus->on_line ? bus->line_ns : bus->now_ns;
	struct cue_event event;
	struct cue_type *type;
	int r;

	r = cue_intern_type(bus, emit->type, emit->outside, &type);
	if (r < 0)
		return r;
	event = (struct cue_event){
		.time_ns = emit->time_ns < latest_ns ? emit->time_ns : latest_ns,
		.seq = type->numbered ? bus->next_seq : 0,
		.cause_seq = cause_seq,
		.type = type,
		.payload = emit->payload ? emit->payload : cue_payload_null(),
		.producer_id = emit->producer_id,
		.origin = emit->origin,
		.depth = (uint16_t)depth,
		.outside = emit->outside,
	};
	r = depth > bus->limits.cascade_depth ? -ELOOP : append(bus, &event);
	if (r < 0) {
		count_refusal(bus, r, type->name, cause_seq);
		return r;
	}
	cue_payload_ref(event.payload);
	if (type->numbered)
		bus->next_seq++;
	if (ret_seq)
		*ret_seq = event.seq;
	drain_now(bus);
	return 0;
}

void cue_bus_current_cause(const struct cue_bus *bus, uint64_t *ret_seq, unsigned *ret_depth)
{
	const struct cue_event *event = bus->current;

	*ret_seq = 0;
	*ret_depth = 0;
	if (event) {
		/* An event without a number passes on its own cause. */
		*ret_seq = event->seq ? event->seq : event->cause_seq;
		*ret_depth = event->depth + 1U;
	}
}

int cue_bus_emit(struct cue_bus *bus, const struct cue_emit *emit, uint64_t *ret_seq)
{
	uint64_t cause_seq;
	unsigned depth;

	cue_bus_current_cause(bus, &cause_seq, &depth);
	return cue_bus_emit_caused(bus, emit, cause_seq, depth, ret_seq);
}
