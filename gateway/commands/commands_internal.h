/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file commands_internal.h
 * @brief Private: shared by the files of the commands.
 */
#ifndef CUEBUS_COMMANDS_INTERNAL_H
#define CUEBUS_COMMANDS_INTERNAL_H

#include <cuebus/json_writer.h>

#include "command_memory.h"
#include "commands.h"
#include "definition_store.h"
#include "rate.h"
#include "request.h"

struct command_error {
	enum command_code code;
	char path[300]; /**< JSON Pointer into the payload; "" none */
	char message[600];
};

/** A definition made by command, in force. */
struct kept {
	enum definition_kind kind;
	char *name;
	struct cue_payload *definition; /* a reference */
};

struct kept_list {
	struct kept *items; /* by kind and name */
	size_t n, size;
};

struct commands {
	struct commands_config config;
	struct kept_list kept;
	struct command_memory *memory;
	struct definition_store *store;
	struct commands_stats stats;
	struct rate rate;            /* limits.commands_per_second */
	struct rate emit_rate;       /* limits.emits_per_second */
	struct rate emit_bytes_rate; /* limits.emit_bytes_per_second */
};

/**
 * The handler of a command. It writes the result (one JSON value) to @p result; on failure the
 * written text is discarded.
 * @return 0; -ENOMEM; any other negative errno with @p error filled.
 */
typedef int (*command_handler)(struct commands *commands, const struct command_request *request,
                               const struct request *fields, struct cue_writer *result,
                               struct command_error *error);

/* command_error.c */

int command_fail(struct command_error *error, enum command_code code, const char *path,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Fill @p error with `limit`, `busy` … for an error of the bus. @p what names the object, @p
 * if_full as for error_text(). Six parameters: all texts of one sentence. @return @p r. */
int command_fail_errno(struct command_error *error, int r, const char *path, const char *what,
                       const char *name, const char *if_full);

/** Fill @p error with the first error of @p diag, as an invalid_request below @p prefix. @return
 * -EINVAL. */
int command_fail_diag(struct command_error *error, const struct diag *diag, const char *prefix);

/* The handlers: see command_handler. */

int command_playlist_start(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error);
int command_playlist_stop(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error);
int command_playlist_pause(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error);
int command_playlist_resume(struct commands *commands, const struct command_request *request,
                            const struct request *fields, struct cue_writer *result,
                            struct command_error *error);
int command_playlist_seek(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error);
int command_playlist_tempo(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error);
int command_playlist_list(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error);
int command_playlist_runs(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error);
int command_playlist_define(struct commands *commands, const struct command_request *request,
                            const struct request *fields, struct cue_writer *result,
                            struct command_error *error);
int command_playlist_remove(struct commands *commands, const struct command_request *request,
                            const struct request *fields, struct cue_writer *result,
                            struct command_error *error);
int command_gesture_define(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error);
int command_gesture_remove(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error);
int command_gesture_list(struct commands *commands, const struct command_request *request,
                         const struct request *fields, struct cue_writer *result,
                         struct command_error *error);
int command_event_emit(struct commands *commands, const struct command_request *request,
                       const struct request *fields, struct cue_writer *result,
                       struct command_error *error);
int command_state_get(struct commands *commands, const struct command_request *request,
                      const struct request *fields, struct cue_writer *result,
                      struct command_error *error);
int command_input_set(struct commands *commands, const struct command_request *request,
                      const struct request *fields, struct cue_writer *result,
                      struct command_error *error);
int command_input_position(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error);
int command_config_check(struct commands *commands, const struct command_request *request,
                         const struct request *fields, struct cue_writer *result,
                         struct command_error *error);
int command_config_reload(struct commands *commands, const struct command_request *request,
                          const struct request *fields, struct cue_writer *result,
                          struct command_error *error);
int command_config_get(struct commands *commands, const struct command_request *request,
                       const struct request *fields, struct cue_writer *result,
                       struct command_error *error);
int command_ping(struct commands *commands, const struct command_request *request,
                 const struct request *fields, struct cue_writer *result,
                 struct command_error *error);

/* command_definition.c: one definition made by command. */

struct named_definition {
	enum definition_kind kind;
	const char *name;
	struct cue_payload *definition; /**< borrowed */
};

/** Whether the configuration has a definition of that name. */
bool commands_is_configured(const struct commands *commands, enum definition_kind kind,
                            const char *name);
/** Parse a definition, check it against mqtt.remote and define it. @return 0; negative errno, with
 * @p error filled except for -ENOMEM. */
int commands_apply_definition(struct commands *commands, const struct named_definition *named,
                              struct cue_id *ret_id, struct command_error *error);
/** As commands_apply_definition(), without defining it. */
int commands_check_definition(struct commands *commands, const struct named_definition *named,
                              struct command_error *error);

/* commands_kept.c: which kept definitions are in force. */

int commands_kept_set(struct commands *commands, enum definition_kind kind, const char *name,
                      struct cue_payload *definition);
/** @return false: it was not in force. */
bool commands_kept_unset(struct commands *commands, enum definition_kind kind, const char *name);
void commands_kept_clear(struct commands *commands);

/* definition_rights.c: the rights of a definition made by command. */

/** @return 0; -EPERM, @p error filled: path below /definition. */
int definition_rights_playlist(const struct config *config, const struct cue_playlist_config *def,
                               struct command_error *error);
int definition_rights_gesture(const struct config *config, const struct cue_gesture_config *def,
                              struct command_error *error);

#endif
