/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "health.h"
#include "plural.h"
#include "service_internal.h"
#include "service_outbox.h"
#include "state_lock.h"
#include "version.h"

/*
 * Nothing blocks the loop. A wake-up does the following in turn, each within SLICE_NS and
 * SLICE_STEPS, and the loop wakes up again at once while work remains:
 *
 *   1. inputs, then what is due           engine_wake_within()
 *   2. a reload requested by SIGHUP       once engine_admit() allows it
 *   3. messages: commands before emits    each once engine_admit() allows it; commands
 *                                         also in the middle of a cascade that takes long
 *   4. gaps, journal, health, views, watchdog
 *
 * Signals, acknowledgements and other events that libuv polls have their turn between two wake-ups.
 */
#define SLICE_NS          (5 * CUE_NS_PER_MS)
#define SLICE_STEPS       4096U
#define MESSAGES_PER_WAKE 256U
#define COMMANDS_ANYWAY   64U
#define GROUP_NS          (100 * CUE_NS_PER_MS)
#define FLUSH_NS          (5 * CUE_NS_PER_S)
#define TELL_GAPS_STEP_NS (5 * (long)CUE_NS_PER_MS)
#define DISK_FLUSH_NS     (3 * CUE_NS_PER_S)
/* At the stop: the normal five seconds would use most of the time that service managers allow. */
#define DISK_STALL_NS CUE_NS_PER_S
/** At the stop: time to dispatch waiting events, and to emit each `stopped`. */
#define FINISH_NS      (300 * CUE_NS_PER_MS)
#define FINISH_RUNS_NS CUE_NS_PER_S

/* ---- health ---- */

static void tell_health(struct service *service, uint64_t now_ns)
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
	tell_health(service, now_ns);
	service_tell_given_up(service);
	service->next_health_ns = now_ns + service->config->gateway.health_interval_ns;
	return true;
}

/* ---- the loop's callbacks ---- */

/** Owned by the caller of slice_begin(), as long as the budget is used. */
struct slice {
	uint64_t end_ns;
	struct cue_budget budget;
};

static bool is_over(void *user)
{
	const struct slice *slice = user;

	return clock_monotonic_ns() >= slice->end_ns;
}

static void slice_begin(struct slice *slice, uint64_t now_ns, uint64_t for_ns, uint32_t steps)
{
	*slice = (struct slice){
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
	for (unsigned i = 0; i < COMMANDS_ANYWAY && now_ns < begin_ns + SLICE_NS; i++) {
		struct inbox_message *message = inbox_take_command(service->inbox);

		if (!message)
			return;
		bridge_receive(service->bridge, message, now_ns);
		inbox_message_free(message);
		now_ns = clock_monotonic_ns();
	}
}

static void drain_inbox(struct service *service, struct slice *slice)
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
static void group_begin(struct service *service, uint64_t now_ns)
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
	if (service->journal && !in_cascade)
		journal_mark(service->journal);
	outbox_group_end(service->outbox);
	service->in_group = false;
}

static void on_wake(void *user, uint64_t now_ns)
{
	struct service *service = user;
	struct slice slice;
	bool told;

	service_follow_wall_clock(service);
	group_begin(service, now_ns);
	slice_begin(&slice, now_ns, SLICE_NS, SLICE_STEPS);
	(void)engine_wake_within(service->engine, now_ns, &slice.budget);
	if (service->input_journal)
		input_journal_catch_up(service->input_journal);
	service_restore_requests(service);
	if (service->journal && !cue_bus_has_waiting(engine_bus(service->engine)))
		service_tell_journal(service, journal_catch_up(service->journal));
	slice_begin(&slice, clock_monotonic_ns(), SLICE_NS, SLICE_STEPS);
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

/* ---- signals outside of the loop ---- */

/**
 * Block signals outside of the loop. SIGHUP would end a process that does not handle it, so it is
 * blocked until the loop runs, and from the stop on. SIGTERM and SIGINT are blocked at the start
 * only for PID 1 (in a container): the kernel drops a signal of PID 1 that has no handler yet, so
 * an early stop request would be lost. Any other process ends at once.
 */
static void hold_signals(int how, bool only_hangup)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGHUP);
	if (!only_hangup && getpid() == 1) {
		sigaddset(&held, SIGTERM);
		sigaddset(&held, SIGINT);
	}
	(void)pthread_sigmask(how, &held, NULL);
}

/* ---- stop ---- */

/** Dispatch waiting events for at most @p for_ns. @return whether none waits any more. */
static bool finish(struct service *service, uint64_t for_ns)
{
	struct slice slice;

	slice_begin(&slice, clock_monotonic_ns(), for_ns, UINT32_MAX);
	return cue_bus_dispatch(engine_bus(service->engine), &slice.budget) >= 0;
}

/** Emit the end of each run, but not a backlog of timers or further events of a storm. */
static void finish_runs(struct service *service)
{
	struct cue_playlists *playlists = engine_playlists(service->engine);
	struct cue_bus_stats left;
	struct slice slice;

	group_begin(service, clock_monotonic_ns());
	slice_begin(&slice, clock_monotonic_ns(), SLICE_NS, SLICE_STEPS);
	(void)engine_wake_within(service->engine, clock_monotonic_ns(), &slice.budget);
	(void)finish(service, FINISH_NS);
	(void)cue_playlist_stop(playlists, NULL, "shutdown", NULL, NULL);
	bridge_tick(service->bridge);
	/* End runs that were started meanwhile too. */
	if (finish(service, FINISH_RUNS_NS) &&
	    cue_playlist_stop(playlists, NULL, "shutdown", NULL, NULL) > 0)
		(void)finish(service, FINISH_NS);
	cue_bus_get_stats(engine_bus(service->engine), &left);
	if (left.queue_events > 0)
		log_write(service->log, LOG_LEVEL_WARNING,
		          "stopped with %lu event%s that waited for dispatch: dropped",
		          (unsigned long)left.queue_events, plural(left.queue_events));
	if (service->input_journal)
		input_journal_mark(service->input_journal, clock_monotonic_ns(), true);
	outbox_group_end(service->outbox);
	service->in_group = false;
}

/** Exit without freeing: a thread that can't be ended still uses the memory. */
static _Noreturn void leave(struct service *service, const char *why, int code)
{
	log_write(service->log, LOG_LEVEL_WARNING, "%s: exiting without waiting for it", why);
	fflush(NULL);
	_exit(code);
}

/**
 * Announce ranges of dropped events that wait for room in the outbox, as soon as there is room
 * because a broker takes the messages before them. @return the rest of @p for_ns.
 */
static uint64_t tell_gaps(struct service *service, uint64_t for_ns)
{
	const struct timespec pause = { .tv_nsec = TELL_GAPS_STEP_NS };
	uint64_t now_ns = clock_monotonic_ns(), until_ns = now_ns + for_ns;
	struct outbox_stats outbox;
	struct egress_stats egress;

	for (;;) {
		bridge_tick(service->bridge);
		(void)finish(service, FINISH_NS);
		outbox_get_stats(service->outbox, &outbox);
		egress_get_stats(service->egress, &egress);
		now_ns = clock_monotonic_ns();
		if (outbox.untold == 0 || !egress.connected || now_ns >= until_ns)
			return now_ns < until_ns ? until_ns - now_ns : 0;
		(void)nanosleep(&pause, NULL);
	}
}

/** Send everything to the broker, as far as possible in time. */
static void flush(struct service *service)
{
	struct egress_stats egress;
	bool kept, disk_hangs, connected;
	uint64_t left_ns;
	int r;

	service_notify_stop(service);
	hold_signals(SIG_BLOCK, true);
	loop_release_signals(service->loop);
	signal(SIGHUP, SIG_IGN);
	outbox_hurry(service->outbox, DISK_STALL_NS);
	/* Set the lines to safe_value before anything that may take long. */
	engine_close_outputs(service->engine);
	finish_runs(service);
	tell_health(service, clock_monotonic_ns());
	views_flush(service->views, UINT64_MAX - 1);
	r = commands_flush(service->commands);
	/* also replies that waited for the definitions */
	left_ns = tell_gaps(service, FLUSH_NS);
	if (r < 0)
		log_write(service->log, LOG_LEVEL_ERROR,
		          "definitions made by command could not be written: %s",
		          r == -ETIMEDOUT ? "the disk does not answer" : strerrordesc_np(-r));
	egress_get_stats(service->egress, &egress);
	connected = egress.connected;
	r = egress_stop(service->egress, left_ns);
	disk_hangs = service->config->gateway.state_dir &&
	             outbox_flush(service->outbox, DISK_FLUSH_NS) == -ETIMEDOUT;
	kept = outbox_flush(service->outbox, 0) >= 0;
	service_tell_left(service, kept, connected);
	if (r == -EBUSY || disk_hangs) {
		leave(service,
		      disk_hangs ? "the disk does not answer" : "the connection's thread hangs",
		      EX_OK);
	}
}

static void clear(struct service *service, int code)
{
	if (service->egress)
		(void)egress_stop(service->egress, 0);
	service_unwatch_devices(service);
	bridge_free(service->bridge);
	views_free(service->views);
	service->views = NULL; /* the end of the engine may still report changes */
	commands_free(service->commands);
	input_journal_free(service->input_journal);
	service->input_journal = NULL; /* as the views */
	journal_free(service->journal);
	engine_free(service->engine);
	loop_free(service->loop);
	if (service->outbox && outbox_stop(service->outbox) < 0)
		leave(service, "the disk does not answer", code);
	outbox_free(service->outbox); /* its thread wakes the egress until its end */
	egress_free(service->egress);
	retained_free(service->retained);
	inbox_free(service->inbox);
	topics_free(service->topics);
	mqtt_settings_free(service->settings);
	mqtt_settings_free(service->reconnect);
	notify_free(service->notify);
	config_free(service->config);
	/* Must be last: no file of the folder is open any more. */
	state_lock_free(service->state_lock);
}

static int load_config(struct service *service)
{
	struct diag diag = { 0 };
	int r = config_load(service->options.config_file, &diag, &service->config);

	if (log_hide(service->log, diag.hide) < 0)
		r = -ENOMEM;
	log_findings(service->log, &diag);
	diag_clear(&diag);
	if (r < 0)
		return r == -ENOMEM ? EX_SOFTWARE : EX_CONFIG;
	return EX_OK;
}

int service_main(const struct service_options *options)
{
	struct service service = { .options = *options, .log = options->log };
	int code;

	hold_signals(SIG_BLOCK, false);
	signal(SIGPIPE, SIG_IGN);
	code = load_config(&service);
	if (code == EX_OK)
		code = service_start(&service);
	if (code == EX_OK) {
		log_write(service.log, LOG_LEVEL_NOTICE, "cuebus %s, gateway '%s', boot id %s",
		          version_text(), service.config->gateway.id, service.boot_id);
		engine_be_fair(service.engine);
		hold_signals(SIG_UNBLOCK, false);
		loop_run(service.loop);
		flush(&service);
	}
	clear(&service, code);
	return code;
}
