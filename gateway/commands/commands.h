/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file commands.h
 * @brief The commands of `P/cmd/…`, without MQTT.
 *
 * A command is a name ("playlist/start", "ping") and a JSON object; the answer is the reply's JSON
 * text. `run` transports both over MQTT; `simulate` and the trace tests read commands from trace
 * entries. Thread: the loop's.
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

/** Size of the text of a refusal. */
#define COMMAND_REFUSAL_SIZE 256U

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
	const char *state_dir; /**< folder for definitions made by command; NULL: memory only */
	/** Reload the configuration (config/reload). NULL: refused (simulate). 0 or
	 *  negative errno, findings in diag. */
	int (*reload)(void *user, struct diag *diag);
	/** Called after a playlist (or else a gesture) was defined or removed by command.
	 * Optional. */
	void (*definition_changed)(void *user, bool is_playlist, const char *name);
	struct log *log; /**< for errors in kept definitions; NULL: no log */
	/** Called when a write of a definition is done or has failed: see commands_reply_state().
	 * Runs on the store's own thread. Optional. */
	void (*store_written)(void *user);
	/** As definition_store_config.may_write. Optional. */
	int (*may_write)(void *user);
	/** store of requests that survive a restart; see commands_restore_request() */
	struct command_notes notes;
	/** Called with the reason why a kept definition is not in force, for the log. Optional. */
	void (*notice)(void *user, const char *text);
	void *user;
};

/**
 * Read and apply the definitions kept in state_dir. The log names those that can't be used; they
 * are skipped (definition_store.h).
 * @return 0; -ENOMEM; -EAGAIN no thread can be made.
 */
int commands_new(const struct commands_config *config, struct commands **ret_commands);
struct commands *commands_free(struct commands *commands);

/**
 * Decide again which kept definitions are in force beside those of the configuration. Call it after
 * engine_apply(), successful or not. `notice` is called for those that are not in force.
 * @return 0; -ENOMEM.
 */
int commands_reapply(struct commands *commands);

/** Restore a note of notes.note() of an earlier boot; call it for each key. See
 * command_memory_restore(). Other keys are ignored. */
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
 * Execute one command. An error in the command is in the reply, not in the return value.
 * @param ret_reply malloc()ed JSON text; the caller frees it.
 * @return 0; -ENOMEM.
 */
int commands_run(struct commands *commands, const struct command_request *request, char **ret_reply,
                 size_t *ret_len);

/**
 * Number of the newest change of the kept definitions. Read it after commands_run() and hold the
 * successful reply to a define or remove until commands_reply_state() of this number returns the
 * result of the write, so that an answered definition is on disk.
 */
uint64_t commands_newest_change(const struct commands *commands);
/** @return 0 on disk: send the reply; -EAGAIN not yet written; otherwise the negative errno of the
 *         write: send commands_error_reply() instead. */
int commands_reply_state(struct commands *commands, uint64_t change);

/**
 * Count an event from outside, by P/emit or by event/emit.
 * @param bytes size of the message's payload.
 * @return NULL; or which of limits.emits_per_second and limits.emit_bytes_per_second is exceeded:
 *         refuse the event with the code `limit`. A refused event does not count for either.
 */
const char *commands_take_emit(struct commands *commands, size_t bytes, uint64_t now_ns);
/** As commands_take_emit(), for a command that steers so many runs: each emits an event. More than
 * a second's worth may be taken at once, and is then made up for. */
const char *commands_take_steering(struct commands *commands, size_t runs, uint64_t now_ns);
/** As commands_take_emit(), for other data that becomes part of an event: only its bytes count. */
const char *commands_take_bytes(struct commands *commands, size_t bytes, uint64_t now_ns);

/** Why a message from outside is refused. */
struct command_refusal {
	enum command_code code;
	char text[COMMAND_REFUSAL_SIZE];
};

/** The reply to a request that must not be executed (retained, expired, reply topic not
 * allowed). */
int commands_refuse(struct commands *commands, const struct command_request *request,
                    const struct command_refusal *refusal, char **ret_reply, size_t *ret_len);

/** Block until definitions made by command are on disk, for a second at most. @return 0; the
 *  negative errno of a write that failed; -ETIMEDOUT. */
int commands_flush(struct commands *commands);

/** Count a held successful reply that is replaced by an error as failed. */
void commands_count_failed(struct commands *commands);

/** As commands_refuse(), but only writes the text: nothing is counted. */
int commands_error_reply(struct commands *commands, const struct command_request *request,
                         const struct command_refusal *refusal, char **ret_reply, size_t *ret_len);

struct commands_stats {
	uint64_t ok, failed;
	uint64_t repeated; /**< answered from memory */
	uint64_t rate_limited;
	uint64_t emits_limited; /**< events from outside refused for limits.emits_per_second */
	/** events from outside refused for limits.emit_bytes_per_second */
	uint64_t emit_bytes_limited;
	/** why a kept definition is not on disk; 0: all are on disk */
	int store_error;
	struct definition_store_stats kept;
};
void commands_get_stats(const struct commands *commands, struct commands_stats *ret_stats);

#endif
