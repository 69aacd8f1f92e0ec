/* SPDX-License-Identifier: Apache-2.0 */
/* What the loop calls. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "health.h"
#include "service_internal.h"
#include "service_outbox.h"

/*
 * Nothing blocks the loop. A wake-up does the following in turn, each within SERVICE_SLICE_NS and
 * SERVICE_SLICE_STEPS, and the loop wakes up again at once while work remains:
 *
 *   1. inputs, then what is due           engine_wake_within()
 *   2. a reload requested by SIGHUP       once engine_admit() allows it
 *   3. messages: commands before emits    each once engine_admit() allows it; commands
 *                                         also in the middle of a cascade that takes long
 *   4. gaps, journal, health, views, watchdog
 *
 * Signals, acknowledgements and other events that libuv polls have their turn between two wake-ups.
 */
#define MESSAGES_PER_WAKE 256U
#define COMMANDS_ANYWAY   64U
#define GROUP_NS          (100 * CUE_NS_PER_MS)

void service_tell_health(struct service *service, uint64_t now_ns)
{
	struct health health = {
		.engine = service->engine,
		.commands = service->commands,
		.bridge = service->bridge,
		.egress = service->egress,
		.outbox = service->outbox,
		.inbox = service->inbox,
		.retained = service->retained,
		.lateness = loop_lateness(service->loop),
		.log = service->log,
		.boot_id = service->boot_id,
		.start_ns = service->start_ns,
		.now_ns = now_ns,
	};
	struct cue_writer w = { 0 };
	char topic[TOPIC_SIZE];
	char *text;
	size_t len;

	health_write(&w, &health);
	if (topics_below(service->topics, "health", NULL, topic) >= 0 &&
	    cue_writer_finish(&w, &text, &len) >= 0) {
		(void)retained_set(service->retained, topic, text, len, 0);
		free(text);
	}
	cue_writer_clear(&w);
	lateness_reset(loop_lateness(service->loop));
}

/** @return whether the report was due. */
static bool tick_health(struct service *service, uint64_t now_ns)
{
	if (now_ns < service->next_health_ns)
		return false;
	service_tell_health(service, now_ns);
	service_tell_given_up(service);
	service->next_health_ns = now_ns + service->config->gateway.health_interval_ns;
	return true;
}

static bool is_over(void *user)
{
	const struct service_slice *slice = user;

	return clock_monotonic_ns() >= slice->end_ns;
}

void service_slice_begin(struct service_slice *slice, uint64_t now_ns, uint64_t for_ns,
                         uint32_t steps)
{
	*slice = (struct service_slice){
		.end_ns = now_ns + for_ns,
		.budget = { .steps = steps, .is_over = is_over, .user = slice },
	};
}

static void reload_when_asked(struct service *service, struct cue_budget *budget)
{
	struct diag diag = { 0 };

	if (!service->reload_asked ||
	    engine_admit(service->engine, clock_monotonic_ns(), budget) < 0)
		return;
	service->reload_asked = false;
	(void)service_reload(service, &diag);
	diag_clear(&diag);
}

/**
 * If one cascade takes longer than GROUP_NS, run commands in the middle of it. Their events are
 * appended after the waiting ones, and have the bus's time.
 */
static void run_commands_anyway(struct service *service)
{
	uint64_t begin_ns = clock_monotonic_ns(), now_ns = begin_ns;

	/* A backlog that is being cut ends soon, and events of commands would trigger nothing. */
	if (service->cascade_since_ns == 0 || begin_ns < service->cascade_since_ns + GROUP_NS ||
	    cue_bus_is_cutting(engine_bus(service->engine)))
		return;
	for (unsigned i = 0; i < COMMANDS_ANYWAY && now_ns < begin_ns + SERVICE_SLICE_NS; i++) {
		struct inbox_message *message = inbox_take_command(service->inbox);

		if (!message)
			return;
		bridge_receive(service->bridge, message, now_ns);
		inbox_message_free(message);
		now_ns = clock_monotonic_ns();
	}
}

static void drain_inbox(struct service *service, struct service_slice *slice)
{
	for (unsigned i = 0; i < MESSAGES_PER_WAKE && !inbox_is_empty(service->inbox); i++) {
		struct inbox_message *message;
		uint64_t now_ns;

		if (i > 0 && is_over(slice))
			return;
		/* The message may have come after the wake-up began, and the clock may have been
		 * set in between. */
		service_follow_wall_clock(service);
		now_ns = clock_monotonic_ns();
		if (engine_admit(service->engine, now_ns, &slice->budget) < 0) {
			run_commands_anyway(service);
			return;
		}
		message = inbox_take(service->inbox);
		if (message)
			bridge_receive(service->bridge, message, now_ns);
		inbox_message_free(message);
	}
}

/**
 * All events of one cascade are written together, or none: a wake-up that ends in the middle of a
 * cascade leaves the group open for the next. But nothing of an open group is written or sent, not
 * even replies, so a group that takes longer than GROUP_NS is cut, without the mark: after a crash
 * its steps are emitted again instead of lost.
 */
void service_group_begin(struct service *service, uint64_t now_ns)
{
	if (service->in_group)
		return;
	outbox_group_begin(service->outbox);
	service->in_group = true;
	service->group_since_ns = now_ns;
}

static void group_end(struct service *service)
{
	bool in_cascade = cue_bus_has_waiting(engine_bus(service->engine));
	uint64_t now_ns = clock_monotonic_ns();

	if (!in_cascade)
		service->cascade_since_ns = 0;
	else if (service->cascade_since_ns == 0)
		service->cascade_since_ns = now_ns;
	if (in_cascade && now_ns < service->group_since_ns + GROUP_NS)
		return;
	if (service->input_journal)
		input_journal_mark(service->input_journal, clock_monotonic_ns(), false);
	if (service->gesture_journal)
		gesture_journal_mark(service->gesture_journal, clock_monotonic_ns(), false);
	if (service->journal && !in_cascade)
		journal_mark(service->journal);
	outbox_group_end(service->outbox);
	service->in_group = false;
}

static void on_wake(void *user, uint64_t now_ns)
{
	struct service *service = user;
	struct service_slice slice;
	bool told;

	service_follow_wall_clock(service);
	service_group_begin(service, now_ns);
	service_slice_begin(&slice, now_ns, SERVICE_SLICE_NS, SERVICE_SLICE_STEPS);
	(void)engine_wake_within(service->engine, now_ns, &slice.budget);
	if (service->input_journal)
		input_journal_catch_up(service->input_journal);
	if (service->gesture_journal)
		gesture_journal_catch_up(service->gesture_journal);
	service_restore_requests(service);
	if (service->journal && !cue_bus_has_waiting(engine_bus(service->engine)))
		service_tell_journal(service, journal_catch_up(service->journal));
	service_slice_begin(&slice, clock_monotonic_ns(), SERVICE_SLICE_NS, SERVICE_SLICE_STEPS);
	reload_when_asked(service, &slice.budget);
	drain_inbox(service, &slice);
	bridge_tick(service->bridge);
	(void)cue_bus_dispatch(engine_bus(service->engine), &slice.budget);
	group_end(service);
	service_reconnect(service);
	told = tick_health(service, now_ns);
	views_flush(service->views, now_ns);
	/* Must be last: only a completed wake-up feeds the watchdog. */
	service_notify_tick(service, clock_monotonic_ns(), told);
}

static uint64_t next_deadline(void *user)
{
	struct service *service = user;
	uint64_t engine_ns = engine_next_deadline(service->engine);
	uint64_t views_ns = views_next_deadline(service->views);
	uint64_t notify_ns = service_notify_deadline(service);
	uint64_t next_ns = service->next_health_ns;

	if (service->input_journal && input_journal_deadline(service->input_journal) < next_ns)
		next_ns = input_journal_deadline(service->input_journal);
	if (service->gesture_journal &&
	    gesture_journal_deadline(service->gesture_journal) < next_ns)
		next_ns = gesture_journal_deadline(service->gesture_journal);
	if (notify_ns < next_ns)
		next_ns = notify_ns;
	if (engine_ns < next_ns)
		next_ns = engine_ns;
	return views_ns < next_ns ? views_ns : next_ns;
}

static size_t get_fds(void *user, int *fds, size_t max)
{
	struct service *service = user;

	if (max > 0)
		fds[0] = inbox_fd(service->inbox);
	return 1 + engine_fds(service->engine, max > 0 ? fds + 1 : NULL, max > 0 ? max - 1 : 0);
}

static void on_signal(void *user, int signum)
{
	struct service *service = user;

	if (signum != SIGHUP) {
		log_write(service->log, LOG_LEVEL_NOTICE, "SIG%s: stopping", sigabbrev_np(signum));
		loop_stop(service->loop);
		return;
	}
	log_write(service->log, LOG_LEVEL_NOTICE, "SIGHUP: reloading");
	service->reload_asked = true; /* not in the middle of a cascade */
}

struct loop_config service_loop_config(struct service *service)
{
	return (struct loop_config){
		.wake = on_wake,
		.next_deadline = next_deadline,
		.fds = get_fds,
		.signal = on_signal,
		.user = service,
		.slack_ns = service->config->gateway.scheduler_slack_ns,
	};
}

void service_tell_journal(struct service *service, int error)
{
	if (error < 0)
		log_write(service->log, LOG_LEVEL_ERROR,
		          "runs from before the restart stay in the journal until the next start: "
		          "%s",
		          strerrordesc_np(-error));
}
