/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file service_internal.h
 * @brief Private: shared by the files of the service.
 */
#ifndef CUEBUS_SERVICE_INTERNAL_H
#define CUEBUS_SERVICE_INTERNAL_H

#include "bridge.h"
#include "commands.h"
#include "egress.h"
#include "gesture_journal.h"
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
	struct state_lock *state_lock;           /* NULL without state_dir */
	struct journal *journal;                 /* NULL without state_dir */
	struct input_journal *input_journal;     /* the same */
	struct gesture_journal *gesture_journal; /* the same */
	struct bridge *bridge;
	struct views *views;
	struct loop *loop;
	/* next settings of the egress, see service_reconnect(); NULL: none */
	struct mqtt_settings *reconnect;
	struct mqtt_settings *settings; /* a copy of the egress's settings, to detect a change */
	struct cue_subscription *device_events[SERVICE_DEVICE_EVENTS];
	struct notify *notify;
	uint64_t egress_changes; /* as of the last STATUS= */
	uint64_t given_up; /**< messages that a full outbox dropped, as of the last log line */
	/** messages among them dropped because of limits.outbox_memory_bytes */
	uint64_t given_up_memory;
	bool reload_failed; /* the last one */
	bool reload_asked;  /* by SIGHUP */
	bool has_requests;  /* requests of the earlier boot were restored */
	bool in_group;      /* the outbox's, see group_end() */
	uint64_t group_since_ns;
	/* start of the cascade in which wake-ups have ended; 0: the last did not */
	uint64_t cascade_since_ns;
	struct diag *reload_diag; /* findings of the running reload, or NULL */
};

/** Reload, for commands and SIGHUP: check everything, then switch as a whole. @return 0 or negative
 * errno, findings in @p diag. */
int service_reload(void *service, struct diag *diag);

/* service_wake.c: what the loop calls. */

/** Bounds of a slice in a wake. */
#define SERVICE_SLICE_NS    (5 * CUE_NS_PER_MS)
#define SERVICE_SLICE_STEPS 4096U

/** A part of a wake-up, or of the stop. The caller owns it for as long as the budget is used. */
struct service_slice {
	uint64_t end_ns;
	struct cue_budget budget;
};

struct loop_config service_loop_config(struct service *service);
void service_slice_begin(struct service_slice *slice, uint64_t now_ns, uint64_t for_ns,
                         uint32_t steps);
/** Open the outbox's group, if it is not: what one cascade leads to is on disk together. */
void service_group_begin(struct service *service, uint64_t now_ns);
void service_tell_health(struct service *service, uint64_t now_ns);
/** Log the result of restoring the runs of the previous boot. */
void service_tell_journal(struct service *service, int error);

/* service_start.c */
/** Create and connect all parts; after a failure the created parts exist. @return exit code, EX_OK
 * to continue. */
int service_start(struct service *service);

/* service_requests.c: requests of an earlier boot that must not be executed again. */
/** Borrows @p service, whose outbox need not exist yet. */
struct command_notes service_request_notes(struct service *service);
/** Restore the requests as soon as the notes are known; the commands must exist. */
void service_restore_requests(struct service *service);

/* service_devices.c: events of the lines of inputs and outputs. */
int service_watch_devices(struct service *service);
void service_unwatch_devices(struct service *service);
/** The line was released at an unsafe level. */
void service_on_output_unsafe(void *user, const char *name, int error);

/* service_notify.c: the service manager; all except the first on the loop's thread. */
/** @param error on failure one sentence. */
int service_notify_start(struct service *service, char error[SERVICE_ERROR_SIZE]);
/** Call at the end of a wake-up. @param refresh send the status again. */
void service_notify_tick(struct service *service, uint64_t now_ns, bool refresh);
uint64_t service_notify_deadline(const struct service *service);
void service_notify_reload(struct service *service, bool begins, bool failed);
void service_notify_stop(struct service *service);

/* service_clock.c */
int64_t service_wall_offset_ns(void);
/** Call at the beginning of a wake-up. */
void service_follow_wall_clock(struct service *service);

/** Call after a wake-up: pass the settings of a reload to the egress, once the reply is in the
 * outbox. */
void service_reconnect(struct service *service);

/** Set the bounds of the inbox from the limits. */
void service_set_inbox_limits(struct service *service);

#endif
