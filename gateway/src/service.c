/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "error_text.h"
#include "health.h"
#include "service_internal.h"
#include "version.h"

/* Messages handled in one wake before inputs and timers get their turn. */
#define MESSAGES_PER_WAKE 256U
#define FLUSH_NS (5 * CUE_NS_PER_S)

/* ---- what engine and commands ask and tell ---- */

static int random_bytes(void *user, void *buf, size_t len)
{
	ssize_t n = getrandom(buf, len, 0);

	(void)user;
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static uint64_t clock_ns(void *user)
{
	(void)user;
	return loop_monotonic_ns();
}

static void on_report(void *user, const struct cue_report *report)
{
	static const char *const names[] = {
		[CUE_REPORT_HANDLER_FAILED] = "a handler failed",
		[CUE_REPORT_CASCADE_CUT] = "a loop of events was cut",
		[CUE_REPORT_QUEUE_FULL] = "an event was refused: too many are waiting",
		[CUE_REPORT_STATE_FULL] = "a state was not kept: limits.state_entries is reached",
		[CUE_REPORT_TYPES_FULL] = "an event was refused: limits.event_types is reached",
		[CUE_REPORT_NO_MEMORY] = "something was given up: out of memory",
	};
	struct service *service = user;

	log_write(service->log, LOG_LEVEL_WARNING, "%s (event type %s%s%s%s%s)", names[report->code],
	          report->event_type ? report->event_type : "-", report->what ? ", " : "",
	          report->what ? report->what : "", report->error ? ": " : "",
	          report->error ? error_text(report->error) : "");
}

static void on_input_changed(void *user, const char *name)
{
	struct service *service = user;

	if (service->views)
		views_mark_input(service->views, name);
}

static void on_playlist_changed(void *user, const char *name)
{
	struct service *service = user;

	if (service->views)
		views_mark_playlist(service->views, name);
}

static void on_definition_changed(void *user, bool is_playlist, const char *name)
{
	struct service *service = user;

	if (!service->views)
		return;
	views_mark_info(service->views);
	if (is_playlist)
		views_mark_playlist(service->views, name);
}

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
	log_findings(service->log, &diag);
	diag_clear(&diag);
}

/* ---- start ---- */

static int make_outbox(struct service *service)
{
	const struct config *config = service->config;
	struct outbox_config outbox = {
		.max_events = config->limits.outbox_events,
		.max_bytes = config->limits.outbox_bytes,
		.full = config->outbox.full,
		.wake = egress_wake,
		.user = service->egress,
		.dir = config->gateway.state_dir,
		.boot_id = service->boot_id,
		.sync = config->outbox.sync,
		.log = service->log,
	};

	return outbox_new(&outbox, &service->outbox);
}

static int make_queues(struct service *service)
{
	const struct config_limits *limits = &service->config->limits;
	struct egress_config egress = { .topics = NULL, .log = service->log };
	int r = topics_new(service->config->mqtt.topic_prefix, service->config->gateway.id,
	                   &service->topics);

	if (r >= 0) {
		egress.topics = service->topics;
		r = egress_new(&egress, &service->egress);
	}
	if (r >= 0)
		r = make_outbox(service);
	if (r >= 0)
		r = retained_new(egress_wake, service->egress, &service->retained);
	if (r >= 0)
		r = inbox_new(limits->inbox_messages, 0, limits->payload_bytes, &service->inbox);
	if (r >= 0)
		service_set_inbox_limits(service);
	return r;
}

/** On the thread of the kept definitions: the loop has replies to release. */
static void on_store_written(void *user)
{
	struct service *service = user;

	inbox_wake(service->inbox);
}

static int make_engine(struct service *service)
{
	struct engine_config engine = {
		.config = service->config,
		.start_ns = service->start_ns,
		.wall_offset_ns = service_wall_offset_ns(),
		.random = random_bytes,
		.clock_ns = clock_ns,
		.report = on_report,
		.input_changed = on_input_changed,
		.playlist_changed = on_playlist_changed,
		.output_unsafe = service_on_output_unsafe,
		.user = service,
	};

	return engine_new(&engine, &service->engine);
}

static int make_commands(struct service *service, char *error)
{
	struct commands_config commands = {
		.engine = service->engine,
		.boot_id = service->boot_id,
		.start_ns = service->start_ns,
		.state_dir = service->config->gateway.state_dir,
		.reload = service_reload,
		.definition_changed = on_definition_changed,
		.store_written = on_store_written,
		.user = service,
	};

	return commands_new(&commands, &service->commands, error);
}

static int make_bridge(struct service *service)
{
	struct bridge_config bridge = {
		.engine = service->engine,
		.commands = service->commands,
		.topics = service->topics,
		.outbox = service->outbox,
		.log = service->log,
		.boot_id = service->boot_id,
		.outbox_events = service->config->limits.outbox_events,
		.outbox_bytes = service->config->limits.outbox_bytes,
	};
	struct views_config views = {
		.engine = service->engine,
		.topics = service->topics,
		.retained = service->retained,
		.log = service->log,
		.boot_id = service->boot_id,
		.version = version_text(),
		.start_ns = service->start_ns,
	};
	int r = bridge_new(&bridge, &service->bridge);

	return r < 0 ? r : views_new(&views, &service->views);
}

/** What a crash has left goes on, or is stopped, before anything else happens. */
static int restore_runs(struct service *service)
{
	struct journal_config config = {
		.engine = service->engine,
		.outbox = service->outbox,
		.log = service->log,
	};
	int r;

	if (!service->config->gateway.state_dir)
		return 0;
	r = journal_new(&config, &service->journal);
	if (r < 0)
		return r;
	outbox_group_begin(service->outbox);
	r = journal_restore(service->journal);
	outbox_group_end(service->outbox);
	return r;
}

static int make_loop(struct service *service)
{
	struct loop_config config = {
		.wake = on_wake,
		.next_deadline = next_deadline,
		.fds = get_fds,
		.signal = on_signal,
		.user = service,
		.slack_ns = service->config->gateway.scheduler_slack_ns,
	};
	int r = loop_new(&config, &service->loop);

	return r < 0 ? r : service_watch_devices(service);
}

static int start_egress(struct service *service)
{
	const struct config *config = service->config;
	struct egress_queues queues = { service->outbox, service->retained, service->inbox };
	struct mqtt_settings *settings = NULL;
	int r = mqtt_settings_new(&config->mqtt, NULL, config->limits.payload_bytes, &settings);

	if (r >= 0)
		r = mqtt_settings_new(&config->mqtt, NULL, config->limits.payload_bytes,
		                      &service->settings);
	if (r < 0) {
		mqtt_settings_free(settings);
		return r;
	}
	return egress_start(service->egress, &queues, settings);
}

static int make_boot_id(struct service *service)
{
	uint32_t bits;
	int r = random_bytes(NULL, &bits, sizeof(bits));

	if (r >= 0)
		snprintf(service->boot_id, sizeof(service->boot_id), "%08x", (unsigned)bits);
	return r;
}

/** Told before somebody relies on it; a definition made by command is refused then. */
static void check_state_dir(struct service *service)
{
	const char *dir = service->config->gateway.state_dir;

	if (dir && access(dir, W_OK | X_OK) < 0)
		log_write(service->log, LOG_LEVEL_WARNING,
		          "gateway.state_dir '%s': %s; definitions made by command can't be kept until it "
		          "is there and this user may write in it",
		          dir, strerrordesc_np(errno));
}

/** An input or an output can't be had. @return exit code. */
static int unavailable(struct service *service, int r, const char *error)
{
	log_write(service->log, LOG_LEVEL_ERROR, "%s", *error ? error : strerrordesc_np(-r));
	return EX_UNAVAILABLE;
}

/** @return exit code, EX_OK to go on. */
static int start(struct service *service)
{
	char error[SERVICE_ERROR_SIZE] = "";
	int r;

	service->start_ns = loop_monotonic_ns();
	r = service_notify_start(service, error);
	if (r >= 0)
		r = make_boot_id(service);
	if (r >= 0)
		r = make_engine(service);
	if (r >= 0) {
		/* As soon as it can be: a crash may have left a line at any level. */
		r = engine_open_outputs(service->engine, error);
		if (r < 0)
			return unavailable(service, r, error);
	}
	if (r >= 0)
		r = make_queues(service);
	if (r >= 0)
		r = make_commands(service, error);
	if (r >= 0)
		check_state_dir(service);
	if (r >= 0)
		r = make_bridge(service);
	if (r >= 0)
		r = make_loop(service);
	if (r >= 0)
		r = restore_runs(service);
	if (r >= 0) {
		r = engine_open_inputs(service->engine, error);
		if (r < 0)
			return unavailable(service, r, error);
		views_mark_all(service->views);
		views_flush(service->views, service->start_ns);
		r = start_egress(service);
	}
	if (r >= 0)
		return EX_OK;
	log_write(service->log, LOG_LEVEL_ERROR, "can't start: %s", *error ? error : strerrordesc_np(-r));
	/* What has a text of its own is in gateway.state_dir or in the environment, and somebody
	 * has to look at it: a restart would not help. */
	return *error ? EX_CONFIG : EX_SOFTWARE;
}

/* ---- stop ---- */

/** Everything is told to the broker, as far as that can be done in time. */
static void flush(struct service *service)
{
	struct outbox_stats left;
	bool kept;
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
		          "definitions made by command could not be written: %s", strerrordesc_np(-r));
	r = egress_stop(service->egress, FLUSH_NS);
	outbox_get_stats(service->outbox, &left);
	kept = outbox_flush(service->outbox, FLUSH_NS) >= 0;
	if (left.events > 0)
		log_write(service->log, kept ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
		          "stopped with %llu messages (%llu bytes) that did not reach the broker%s",
		          (unsigned long long)left.events, (unsigned long long)left.bytes,
		          kept ? ": those of QoS 1 are kept on disk and sent after the next start" : "");
	else
		log_write(service->log, LOG_LEVEL_NOTICE, "stopped, everything was published");
	if (r == -EBUSY) {
		log_write(service->log, LOG_LEVEL_WARNING, "the connection's thread hangs: leaving without it");
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
}

static int load_config(struct service *service)
{
	struct diag diag = { 0 };
	int r = config_load(service->options.config_file, &diag, &service->config);

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
		code = start(&service);
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
