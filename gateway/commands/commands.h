/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file commands.h
 * @brief The commands of `P/cmd/…` (design section 3), without MQTT.
 *
 * A command is a name ("playlist/start", "ping") and a JSON object; the answer
 * is the reply's JSON text. `run` carries both over MQTT, `simulate` and the
 * trace tests take them from trace entries. Thread: the loop's.
 */
#ifndef CUEBUS_COMMANDS_H
#define CUEBUS_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command_memory.h"
#include "definition_store.h"
#include "diag.h"
#include "engine.h"

struct commands;

enum command_code {
	COMMAND_INVALID_JSON,
	COMMAND_INVALID_REQUEST,
	COMMAND_UNKNOWN,
	COMMAND_NOT_FOUND,
	COMMAND_BUSY,
	COMMAND_LIMIT,
	COMMAND_REFUSED,
	COMMAND_STALE,
};

/** "invalid_json" … as on the wire. */
const char *command_code_name(enum command_code code);

struct commands_config {
	struct engine *engine; /**< borrowed, outlives the commands */
	const char *boot_id;   /**< borrowed */
	uint64_t start_ns;     /**< monotonic; for uptime_s */
	const char *state_dir; /**< where definitions made by command are kept; NULL: memory only */
	/** Reload the configuration (config/reload). NULL: refused (simulate). 0 or
	 *  negative errno, findings in diag. */
	int (*reload)(void *user, struct diag *diag);
	/** Told after a playlist (or else a gesture) was defined or
	 *  removed by command. Optional. */
	void (*definition_changed)(void *user, bool is_playlist, const char *name);
	struct log *log; /**< for what is wrong with kept definitions; NULL: say nothing */
	/** A write of a definition is done or has failed: see commands_reply_state(). Called by a
	 *  thread of the store's own. Optional. */
	void (*store_written)(void *user);
	/** As definition_store_config.may_write. Optional. */
	int (*may_write)(void *user);
	/** so that a request outlasts a restart; see commands_restore_request() */
	struct command_notes notes;
	/** Told why a kept definition is not in force, for the log. Optional. */
	void (*notice)(void *user, const char *text);
	void *user;
};

/**
 * Definitions kept in state_dir are read and applied; those that can't be are
 * named in the log and passed over (definition_store.h).
 * @return 0; -ENOMEM; -EAGAIN no thread can be made.
 */
int commands_new(const struct commands_config *config, struct commands **ret_commands);
struct commands *commands_free(struct commands *commands);

/**
 * Decide anew which kept definitions are in force beside those of the configuration; after
 * engine_apply(), done or failed. What is not in force is told by `notice`.
 * @return 0; -ENOMEM.
 */
int commands_reapply(struct commands *commands);

/** What notes.note() was given in an earlier life, for each key; see command_memory_restore().
 *  Other keys are passed over. */
void commands_restore_request(struct commands *commands, uint64_t now_ns, const char *key,
                              const char *text, size_t len);

struct command_request {
	const char *name;    /**< the topic below P/cmd/, e.g. "playlist/start" */
	const void *payload; /**< untrusted */
	size_t payload_len;
	const void *correlation; /**< MQTT 5 correlation data, or NULL */
	size_t correlation_len;
	uint64_t now_ns; /**< monotonic; rate limit and the 60 s memory of requests */
};

/**
 * Run one command. Whatever is wrong with it ends in the reply, not in the
 * return value.
 * @param ret_reply malloc()ed JSON text; the caller frees it.
 * @return 0; -ENOMEM.
 */
int commands_run(struct commands *commands, const struct command_request *request, char **ret_reply,
                 size_t *ret_len);

/**
 * Number of the newest change of the kept definitions. The good reply to a
 * define or remove is to be held back until commands_reply_state() of this
 * number, as it is after commands_run(), says how the write ended: an answered
 * definition is on disk.
 */
uint64_t commands_newest_change(const struct commands *commands);
/** @return 0 on disk: send the reply; -EAGAIN not yet written; else the negative errno of the
 *  write: send commands_error_reply() in its place. */
int commands_reply_state(struct commands *commands, uint64_t change);

/**
 * Count an event that comes from outside, by P/emit or by event/emit.
 * @param bytes of the payload of the message.
 * @return NULL; why it is over limits.emits_per_second or limits.emit_bytes_per_second: refuse it
 *         with the code `limit`. Then it takes nothing of either.
 */
const char *commands_take_emit(struct commands *commands, size_t bytes, uint64_t now_ns);
/** The same for data that becomes part of an event otherwise: only its bytes count. */
const char *commands_take_bytes(struct commands *commands, size_t bytes, uint64_t now_ns);

/** The reply to a request that must not be run (retained, expired, reply topic not allowed). */
int commands_refuse(struct commands *commands, const struct command_request *request,
                    enum command_code code, const char *message, char **ret_reply, size_t *ret_len);

/** Block until definitions made by command are on disk, for a second at most. @return 0; the
 *  negative errno of a write that failed; -ETIMEDOUT. */
int commands_flush(struct commands *commands);

/** A good reply that was held back is not sent after all: it counts as a failed one. */
void commands_count_failed(struct commands *commands);

/** As commands_refuse(), but only the text: nothing is counted. */
int commands_error_reply(struct commands *commands, const struct command_request *request,
                         enum command_code code, const char *message, char **ret_reply,
                         size_t *ret_len);

struct commands_stats {
	uint64_t ok, failed;
	uint64_t repeated; /**< answered from memory */
	uint64_t rate_limited;
	uint64_t emits_limited;      /**< events from outside refused for limits.emits_per_second */
	uint64_t emit_bytes_limited; /**< the same for limits.emit_bytes_per_second */
	int store_error;             /**< why a kept definition is not on disk; 0: all are */
	struct definition_store_stats kept;
};
void commands_get_stats(const struct commands *commands, struct commands_stats *ret_stats);

#endif
