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
#include "plural.h"
#include "service_internal.h"
#include "service_outbox.h"
#include "state_lock.h"
#include "version.h"

#define FLUSH_NS          (5 * CUE_NS_PER_S)
#define TELL_GAPS_STEP_NS (5 * (long)CUE_NS_PER_MS)
#define DISK_FLUSH_NS     (3 * CUE_NS_PER_S)
/* At the stop: the normal five seconds would use most of the time that service managers allow. */
#define DISK_STALL_NS CUE_NS_PER_S
/** At the stop: time to dispatch waiting events, and to emit each `stopped`. */
#define FINISH_NS      (300 * CUE_NS_PER_MS)
#define FINISH_RUNS_NS CUE_NS_PER_S

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
	struct service_slice slice;

	service_slice_begin(&slice, clock_monotonic_ns(), for_ns, UINT32_MAX);
	return cue_bus_dispatch(engine_bus(service->engine), &slice.budget) >= 0;
}

/** Emit the end of each run, but not a backlog of timers or further events of a storm. */
static void finish_runs(struct service *service)
{
	struct cue_playlists *playlists = engine_playlists(service->engine);
	struct cue_bus_stats left;
	struct service_slice slice;

	service_group_begin(service, clock_monotonic_ns());
	service_slice_begin(&slice, clock_monotonic_ns(), SERVICE_SLICE_NS, SERVICE_SLICE_STEPS);
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
	if (service->gesture_journal)
		gesture_journal_mark(service->gesture_journal, clock_monotonic_ns(), true);
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
	service_tell_health(service, clock_monotonic_ns());
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
	service->gesture_journal = gesture_journal_free(service->gesture_journal);
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
