/* SPDX-License-Identifier: Apache-2.0 */
/* Create and connect the service's parts, in the order of their dependencies. */
#include "service_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "error_text.h"
#include "state_file.h"
#include "state_lock.h"
#include "version.h"

/* ---- callbacks of engine and commands ---- */

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
	return clock_monotonic_ns();
}

static void on_report(void *user, const struct cue_report *report)
{
	static const char *const names[] = {
		[CUE_REPORT_HANDLER_FAILED] = "a handler failed",
		[CUE_REPORT_CASCADE_CUT] = "a loop of events was cut",
		[CUE_REPORT_QUEUE_FULL] = "an event was refused: too many are waiting",
		[CUE_REPORT_STATE_FULL] = "a state was not kept",
		[CUE_REPORT_BACKLOG_CUT] = "events that waited too long start nothing more",
		[CUE_REPORT_TYPES_FULL] = "an event of a new type was refused",
		[CUE_REPORT_NO_MEMORY] = "out of memory: an operation was abandoned",
	};
	struct service *service = user;

	log_write(service->log, LOG_LEVEL_WARNING, "%s (event type %s%s%s%s%s)",
	          names[report->code], report->event_type ? report->event_type : "-",
	          report->what ? ", " : "", report->what ? report->what : "",
	          report->error ? ": " : "",
	          report->error ? error_text_report(report->code, report->error) : "");
}

static void on_input_changed(void *user, const char *name)
{
	struct service *service = user;

	if (service->views)
		views_mark_input(service->views, name);
	if (service->input_journal)
		input_journal_changed(service->input_journal);
}

static void on_output_changed(void *user, const char *name)
{
	struct service *service = user;

	if (service->views)
		views_mark_output(service->views, name);
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

/** Report a kept definition that is not in force; during a reload among its findings, so that the
 * reply has it too. */
static void on_kept_notice(void *user, const char *text)
{
	struct service *service = user;

	if (service->reload_diag)
		diag_add(service->reload_diag, DIAG_WARNING,
		         diag_file(service->options.config_file), "kept-definition", "%s", text);
	else
		log_write(service->log, LOG_LEVEL_WARNING, "%s", text);
}

/* ---- creating the parts ---- */

/** The loop has runs to restore, or a gap to announce. Runs on the outbox's thread or the egress
 * thread. */
static void on_outbox(void *user)
{
	struct service *service = user;

	inbox_wake(service->inbox);
}

static int make_outbox(struct service *service)
{
	const struct config *config = service->config;
	struct outbox_config outbox = {
		.max_events = config->limits.outbox_events,
		.max_bytes = config->limits.outbox_bytes,
		.max_memory_bytes = config->limits.outbox_memory_bytes,
		.full = config->outbox.full,
		.wake = egress_wake,
		.user = service->egress,
		.dir = config->gateway.state_dir,
		.boot_id = service->boot_id,
		.sync = config->outbox.sync,
		.when = config->outbox.when,
		.log = service->log,
		.lock = service->state_lock,
		.room = on_outbox,
		.room_user = service,
		.known = on_outbox,
		.known_user = service,
	};

	return outbox_new(&outbox, &service->outbox);
}

/** Lock the state folder. @return 0, also if the folder can't be locked for another reason: writing
 * to it is refused until it can; -EBUSY. */
static int lock_state(struct service *service, char error[SERVICE_ERROR_SIZE])
{
	const char *dir = service->config->gateway.state_dir;
	struct stat st;
	bool was_there;
	int r;

	if (!dir)
		return 0;
	was_there = stat(dir, &st) == 0;
	r = state_lock_new(dir, service->config->gateway.id, service->log, &service->state_lock,
	                   error);
	if (r == 0 && !was_there && stat(dir, &st) == 0)
		log_write(service->log, LOG_LEVEL_NOTICE,
		          "gateway.state_dir '%s' did not exist: made it", dir);
	return r;
}

static int make_queues(struct service *service)
{
	const struct config_limits *limits = &service->config->limits;
	struct egress_config egress = { .topics = NULL,
		                        .log = service->log,
		                        .boot_id = service->boot_id };
	char emits[TOPIC_SIZE];
	int r = topics_new(service->config->mqtt.topic_prefix, service->config->gateway.id,
	                   &service->topics);

	if (r >= 0) {
		egress.topics = service->topics;
		r = egress_new(&egress, &service->egress);
	}
	if (r >= 0)
		r = retained_new(egress_wake, service->egress, &service->retained);
	if (r >= 0)
		r = topics_below(service->topics, "emit", "", emits);
	if (r >= 0)
		r = inbox_new(emits, limits->inbox_messages, 0, limits->payload_bytes,
		              &service->inbox);
	if (r >= 0)
		service_set_inbox_limits(service);
	/* Must be last: its thread wakes the others. */
	if (r >= 0)
		r = make_outbox(service);
	return r;
}

/** The loop has replies to release. Runs on the thread of the kept definitions. */
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
		.output_changed = on_output_changed,
		.playlist_changed = on_playlist_changed,
		.output_unsafe = service_on_output_unsafe,
		.user = service,
	};

	return engine_new(&engine, &service->engine);
}

/** Runs on the thread of the kept definitions. */
static int may_write_state(void *user)
{
	char error[STATE_LOCK_ERROR_SIZE];
	struct service *service = user;

	return service->state_lock ? state_lock_hold(service->state_lock, error) : 0;
}

static int make_commands(struct service *service)
{
	struct commands_config commands = {
		.engine = service->engine,
		.boot_id = service->boot_id,
		.start_ns = service->start_ns,
		.state_dir = service->config->gateway.state_dir,
		.log = service->log,
		.reload = service_reload,
		.definition_changed = on_definition_changed,
		.store_written = on_store_written,
		.may_write = may_write_state,
		.notice = on_kept_notice,
		.notes = service_request_notes(service),
		.user = service,
	};

	return commands_new(&commands, &service->commands);
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

/**
 * Restore or stop the runs that a crash has interrupted, before anything else happens. Whatever the
 * journal contains, the gateway starts.
 */
static void restore_runs(struct service *service)
{
	struct journal_config config = {
		.engine = service->engine,
		.outbox = service->outbox,
		.log = service->log,
	};
	int r;

	if (!service->config->gateway.state_dir)
		return;
	r = journal_new(&config, &service->journal);
	if (r >= 0) {
		outbox_group_begin(service->outbox);
		r = journal_restore(service->journal);
		outbox_group_end(service->outbox);
	}
	service_tell_journal(service, r);
}

/** Restore counts and positions. Without memory they start at 0. */
static void restore_inputs(struct service *service)
{
	struct input_journal_config config = {
		.engine = service->engine,
		.outbox = service->outbox,
		.log = service->log,
	};

	if (!service->config->gateway.state_dir ||
	    input_journal_new(&config, &service->input_journal) < 0)
		return;
	input_journal_catch_up(service->input_journal);
}

/** Restore the places of cycles. Without memory they start anew. */
static void restore_gestures(struct service *service)
{
	struct gesture_journal_config config = {
		.engine = service->engine,
		.outbox = service->outbox,
		.log = service->log,
	};

	if (!service->config->gateway.state_dir ||
	    gesture_journal_new(&config, &service->gesture_journal) < 0)
		return;
	gesture_journal_catch_up(service->gesture_journal);
}

static int make_loop(struct service *service)
{
	struct loop_config config = service_loop_config(service);
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

/** Report an unusable state folder at the start, before a definition made by command is refused
 * because of it. */
static void check_state_dir(struct service *service)
{
	const char *dir = service->config->gateway.state_dir;

	if (dir)
		state_file_check_dir(dir, service->log);
	if (dir && access(dir, W_OK | X_OK) < 0)
		log_write(service->log, LOG_LEVEL_WARNING,
		          "gateway.state_dir '%s': %s; definitions made by command can't be kept "
		          "until it is there and this user may write in it",
		          dir, strerrordesc_np(errno));
}

/** An input, an output or the state folder is unavailable. @return exit code. */
static int unavailable(struct service *service, int r, const char error[SERVICE_ERROR_SIZE])
{
	log_write(service->log, LOG_LEVEL_ERROR, "%s", *error ? error : strerrordesc_np(-r));
	return EX_UNAVAILABLE;
}

/** @return exit code, EX_OK to continue. */
int service_start(struct service *service)
{
	char error[SERVICE_ERROR_SIZE] = "";
	int r;

	service->start_ns = clock_monotonic_ns();
	r = service_notify_start(service, error);
	if (r >= 0)
		r = make_boot_id(service);
	if (r >= 0)
		r = make_engine(service);
	if (r >= 0) {
		/* As early as possible: a crash may have left a line at any level. */
		r = engine_open_outputs(service->engine, error);
		if (r < 0)
			return unavailable(service, r, error);
	}
	if (r >= 0) {
		r = lock_state(service, error);
		if (r < 0)
			return unavailable(service, r, error);
	}
	if (r >= 0)
		r = make_queues(service);
	if (r >= 0)
		r = make_commands(service);
	if (r >= 0)
		check_state_dir(service);
	if (r >= 0)
		r = make_bridge(service);
	if (r >= 0)
		r = make_loop(service);
	if (r >= 0) {
		restore_runs(service);
		restore_gestures(service);
		r = engine_open_inputs(service->engine, error);
		if (r < 0)
			return unavailable(service, r, error);
		restore_inputs(service);
		service_restore_requests(service);
		views_mark_all(service->views);
		views_flush(service->views, service->start_ns);
		r = start_egress(service);
	}
	if (r >= 0)
		return EX_OK;
	log_write(service->log, LOG_LEVEL_ERROR, "can't start: %s",
	          *error ? error : strerrordesc_np(-r));
	/* An error with a text is in the environment and must be corrected by a person: a restart
	 * would not help. */
	return *error ? EX_CONFIG : EX_SOFTWARE;
}
