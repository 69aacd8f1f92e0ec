/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "health.h"
#include "plural.h"
#include "service_internal.h"
#include "state_lock.h"
#include "version.h"

/* Messages handled in one wake before inputs and timers get their turn. */
#define MESSAGES_PER_WAKE 256U
#define FLUSH_NS (5 * CUE_NS_PER_S)
#define DISK_FLUSH_NS (3 * CUE_NS_PER_S)

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

/** @return whether it was due. */
static bool tick_health(struct service *service, uint64_t now_ns)
{
	if (now_ns < service->next_health_ns)
		return false;
	tell_health(service, now_ns);
	service->next_health_ns = now_ns + service->config->gateway.health_interval_ns;
	return true;
}

/* ---- the loop's callbacks ---- */

static void drain_inbox(struct service *service)
{
	for (unsigned i = 0; i < MESSAGES_PER_WAKE; i++) {
		struct inbox_message *message = inbox_take(service->inbox);
		uint64_t now_ns;

		if (!message)
			return;
		/* It may have come after the wake began, and the clock been set in between. */
		service_follow_wall_clock(service);
		now_ns = loop_monotonic_ns();
		engine_wake(service->engine, now_ns);
		bridge_receive(service->bridge, message, now_ns);
		inbox_message_free(message);
	}
}

static void on_wake(void *user, uint64_t now_ns)
{
	struct service *service = user;
	bool told;

	service_follow_wall_clock(service);
	/* All that one wake leads to is on disk together, or not at all. */
	outbox_group_begin(service->outbox);
	engine_wake(service->engine, now_ns);
	if (service->journal)
		service_tell_journal(service, journal_catch_up(service->journal));
	drain_inbox(service);
	bridge_tick(service->bridge);
	if (service->journal)
		journal_mark(service->journal);
	outbox_group_end(service->outbox);
	told = tick_health(service, now_ns);
	views_flush(service->views, now_ns);
	/* Last: only a wake that came to its end feeds the watchdog. */
	service_notify_tick(service, loop_monotonic_ns(), told);
}

static uint64_t next_deadline(void *user)
{
	struct service *service = user;
	uint64_t engine_ns = engine_next_deadline(service->engine);
	uint64_t views_ns = views_next_deadline(service->views);
	uint64_t notify_ns = service_notify_deadline(service);
	uint64_t next_ns = service->next_health_ns;

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
	struct diag diag = { 0 };

	if (signum != SIGHUP) {
		log_write(service->log, LOG_LEVEL_NOTICE, "SIG%s: stopping", sigabbrev_np(signum));
		loop_stop(service->loop);
		return;
	}
	log_write(service->log, LOG_LEVEL_NOTICE, "SIGHUP: reloading");
	(void)service_reload(service, &diag);
	diag_clear(&diag);
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

/* ---- stop ---- */

/** Everything is told to the broker, as far as that can be done in time. */
static void flush(struct service *service)
{
	struct outbox_stats left;
	bool kept, disk_hangs;
	int r;

	service_notify_stop(service);
	loop_release_signals(service->loop);
	/* The lines are safe before anything that may take its time. */
	engine_close_outputs(service->engine);
	outbox_group_begin(service->outbox);
	engine_wake(service->engine, loop_monotonic_ns());
	(void)cue_playlist_stop(engine_playlists(service->engine), NULL, "shutdown", NULL, NULL);
	bridge_tick(service->bridge);
	outbox_group_end(service->outbox);
	tell_health(service, loop_monotonic_ns());
	views_flush(service->views, UINT64_MAX - 1);
	r = commands_flush(service->commands);
	bridge_tick(service->bridge); /* the replies that waited for it */
	if (r < 0)
		log_write(service->log, LOG_LEVEL_ERROR,
		          "definitions made by command could not be written: %s",
		          r == -ETIMEDOUT ? "the disk does not answer" : strerrordesc_np(-r));
	r = egress_stop(service->egress, FLUSH_NS);
	outbox_get_stats(service->outbox, &left);
	disk_hangs = service->config->gateway.state_dir &&
	             outbox_flush(service->outbox, DISK_FLUSH_NS) == -ETIMEDOUT;
	kept = outbox_flush(service->outbox, 0) >= 0;
	if (left.events > 0)
		log_write(
		        service->log, kept ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
		        "stopped with %llu message%s (%llu bytes) that did not reach the broker%s",
		        (unsigned long long)left.events, plural(left.events),
		        (unsigned long long)left.bytes,
		        kept ? ": those of QoS 1 are kept on disk and sent after the next start"
		             : "");
	else
		log_write(service->log, LOG_LEVEL_NOTICE, "stopped, everything was published");
	if (r == -EBUSY || disk_hangs) {
		log_write(service->log, LOG_LEVEL_WARNING, "%s: leaving without it",
		          disk_hangs ? "the disk does not answer" : "the connection's thread hangs");
		fflush(NULL);
		_exit(EX_OK);
	}
}

static void clear(struct service *service)
{
	if (service->egress)
		(void)egress_stop(service->egress, 0);
	service_unwatch_devices(service);
	bridge_free(service->bridge);
	views_free(service->views);
	service->views = NULL; /* the engine's end may still tell of changes */
	commands_free(service->commands);
	journal_free(service->journal);
	engine_free(service->engine);
	loop_free(service->loop);
	outbox_free(service->outbox); /* its thread wakes the egress up to the end */
	egress_free(service->egress);
	retained_free(service->retained);
	inbox_free(service->inbox);
	topics_free(service->topics);
	mqtt_settings_free(service->settings);
	notify_free(service->notify);
	config_free(service->config);
	/* Last: nothing of the folder is open any more. */
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

/**
 * For PID 1 (in a container) the kernel drops a signal that has no handler yet: one
 * told to stop that early would run on until it is killed. So the signals are held
 * back until the loop takes them. Any other process ends by them at once.
 */
static void hold_signals(int how)
{
	sigset_t held;

	if (getpid() != 1)
		return;
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	(void)pthread_sigmask(how, &held, NULL);
}

int service_main(const struct service_options *options)
{
	struct service service = { .options = *options, .log = options->log };
	int code;

	signal(SIGPIPE, SIG_IGN);
	hold_signals(SIG_BLOCK);
	code = load_config(&service);
	if (code == EX_OK)
		code = service_start(&service);
	if (code == EX_OK) {
		log_write(service.log, LOG_LEVEL_NOTICE, "cuebus %s, gateway '%s', boot id %s",
		          version_text(), service.config->gateway.id, service.boot_id);
		hold_signals(SIG_UNBLOCK);
		loop_run(service.loop);
		flush(&service);
	}
	clear(&service);
	return code;
}
