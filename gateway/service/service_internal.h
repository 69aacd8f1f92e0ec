/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file service_internal.h
 * @brief What service.c (life, wake) and the other files of the service share.
 */
#ifndef CUEBUS_SERVICE_INTERNAL_H
#define CUEBUS_SERVICE_INTERNAL_H

#include "bridge.h"
#include "commands.h"
#include "egress.h"
#include "input_journal.h"
#include "journal.h"
#include "loop.h"
#include "notify.h"
#include "service.h"
#include "views.h"

#define SERVICE_ERROR_SIZE    512U
#define SERVICE_BOOT_ID_SIZE  9U
#define SERVICE_DEVICE_EVENTS 4U

struct service {
	struct service_options options;
	struct log *log;
	struct config *config; /* in force */
	char boot_id[SERVICE_BOOT_ID_SIZE];
	uint64_t start_ns;
	uint64_t next_health_ns;
	struct topics *topics;
	struct egress *egress;
	struct outbox *outbox;
	struct retained *retained;
	struct inbox *inbox;
	struct engine *engine;
	struct commands *commands;
	struct state_lock *state_lock;       /* NULL without state_dir */
	struct journal *journal;             /* NULL without state_dir */
	struct input_journal *input_journal; /* the same */
	struct bridge *bridge;
	struct views *views;
	struct loop *loop;
	/* the egress's next, see service_reconnect(); NULL: none */
	struct mqtt_settings *reconnect;
	struct mqtt_settings *settings; /* a copy of those the egress has, to see a change */
	struct cue_subscription *device_events[SERVICE_DEVICE_EVENTS];
	struct notify *notify;
	uint64_t egress_changes; /* as of the last STATUS= */
	uint64_t given_up; /**< messages that a full outbox has, as of the last line in the log */
	uint64_t given_up_memory; /**< of these, for limits.outbox_memory_bytes */
	bool reload_failed;       /* the last one */
	bool reload_asked;        /* by SIGHUP */
	bool has_requests;        /* those of the earlier life */
	bool in_group;            /* the outbox's, see group_end() */
	uint64_t group_since_ns;
	/* wakes have ended in the middle of one since then; 0: the last did not */
	uint64_t cascade_since_ns;
	struct diag *reload_diag; /* of the one being done, or NULL */
};

/** For commands and SIGHUP: check all, then swap whole. @return 0 or negative
 *  errno, findings in @p diag. */
int service_reload(void *service, struct diag *diag);

/* service.c: what the loop calls. */
struct loop_config service_loop_config(struct service *service);

/* service_start.c */
/** Make all parts and join them; what was made is there also on failure.
 *  @return exit code, EX_OK to go on. */
int service_start(struct service *service);
/** Log what came of restoring the previous life's runs. */
void service_tell_journal(struct service *service, int error);

/* service_requests.c: requests of an earlier life that must not run again. */
/** Borrows @p service, whose outbox need not be there yet. */
struct command_notes service_request_notes(struct service *service);
/** As soon as what was noted is known; the commands are there. */
void service_restore_requests(struct service *service);

/* service_devices.c: what happens to the lines of inputs and outputs. */
int service_watch_devices(struct service *service);
void service_unwatch_devices(struct service *service);
/** The line is given back, at whatever level it is. */
void service_on_output_unsafe(void *user, const char *name, int error);

/* service_notify.c: the service manager; all but the first on the loop's thread. */
/** @param error of SERVICE_ERROR_SIZE. */
int service_notify_start(struct service *service, char *error);
/** At the end of a wake. @param refresh tell the status anew. */
void service_notify_tick(struct service *service, uint64_t now_ns, bool refresh);
uint64_t service_notify_deadline(const struct service *service);
void service_notify_reload(struct service *service, bool begins, bool failed);
void service_notify_stop(struct service *service);

/* service_clock.c */
int64_t service_wall_offset_ns(void);
/** Before anything else of a wake. */
void service_follow_wall_clock(struct service *service);

/** After a wake: hand over the settings that a reload brought, once its reply is in the outbox. */
void service_reconnect(struct service *service);

/** Bounds of the inbox that follow from the limits. */
void service_set_inbox_limits(struct service *service);

#endif
