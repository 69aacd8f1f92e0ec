/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file engine_internal.h
 * @brief Private: shared by the files of the engine.
 */
#ifndef CUEBUS_ENGINE_INTERNAL_H
#define CUEBUS_ENGINE_INTERNAL_H

#include "device_set.h"
#include "engine.h"

struct input;
struct output;
struct faults;
struct wake_buffers;

struct engine {
	struct engine_config config; /**< callbacks and user; `config.config` is the one in force */
	struct cue_bus *bus;
	struct cue_playlists *playlists;
	struct cue_gestures *gestures;
	struct faults *faults;
	struct cue_subscription *lifecycle[4];
	struct device_list inputs; /**< empty until opened, as `outputs` */
	bool opened;               /**< inputs and outputs */
	struct device_list outputs;
	bool outputs_opened;
	struct engine_output_totals output_totals;
	struct wake_buffers *buffers;
	struct engine_wake_totals wake_totals;
	bool fair;   /**< the bus dispatches only within a budget */
	bool behind; /**< the last wake-up left work */
	/** time since which events wait from wake-up to wake-up; 0: none wait */
	uint64_t backlog_since_ns;
};

/* engine_emit.c */

/** A report of the bus, or of the engine's own: it becomes an event, and is passed on. */
void engine_report(struct engine *engine, const struct cue_report *report);

/** Emit a reserved event of the gateway. Takes the reference of @p payload (NULL: memory ran
 * out). */
void engine_emit(struct engine *engine, const char *type, uint32_t producer_id,
                 struct cue_payload *payload, uint64_t time_ns);

/** As engine_emit(), with a given cause, producer 0, depth 0 and the current time. */
void engine_emit_caused(struct engine *engine, const char *type, struct cue_payload *payload,
                        uint64_t cause_seq);

/** Current monotonic time: of the clock in real time, of the bus in virtual time. */
uint64_t engine_now(const struct engine *engine);

/* engine_faults.c: reports of the bus become events. */
int faults_new(struct engine *engine, struct faults **ret_faults);
struct faults *faults_free(struct faults *faults);
void faults_report(struct faults *faults, const struct cue_report *report);

/* engine_apply.c: definitions of a configuration. */

/** Define all playlists and gestures, in order. @return 0 or negative errno, @p error filled. */
int engine_define_all(struct engine *engine, const struct config *config,
                      char error[ENGINE_ERROR_SIZE]);
/** Set the delays of the inputs' events in the gestures. */
void engine_tell_delays(struct engine *engine, const struct config *config);
/** Check before any change that each definition of @p to is valid and that all have room beside
 * those made by command. @return 0; -EINVAL, -ENOSPC, -ENOMEM, with the reason in @p error. */
int engine_check_definitions(struct engine *engine, const struct config *from,
                             const struct config *to, char error[ENGINE_ERROR_SIZE]);
/** Switch from the definitions of @p from, which are in force, to those of @p to. After a failure
 * @p from is in force. */
int engine_swap_definitions(struct engine *engine, const struct config *from,
                            const struct config *to, char error[ENGINE_ERROR_SIZE]);

/* inputs.c */

/** Create a closed input with its decoder. Everything of @p config is borrowed. @return 0; -ENODEV
 * unknown driver; -ENOSPC too many event types; -ENOMEM. */
int input_new(struct engine *engine, const struct config_input *config, struct input **ret_input,
              char error[ENGINE_ERROR_SIZE]);
struct input *input_free(struct input *input);
/** Open the driver and read the levels; no event yet. */
int input_open(struct input *input, char error[ENGINE_ERROR_SIZE]);
/** Close the driver and stop the input's timers; it may be opened again. */
void input_close(struct input *input);
/** Pass the levels found at opening to the decoder; a switch emits its initial state. */
void input_start(struct input *input);
/** As input_start() for an input that ran before: restored after a failed reload. */
void input_resume(struct input *input);
/** The driver failed: emit `input.failed`, close the driver, and keep trying to open it. */
void input_fail(struct input *input, const char *reason);
/** Feed one edge; the bus is already advanced to before @p time_ns. */
void input_feed(struct input *input, const struct driver_edge *edge, uint64_t time_ns);
/** Borrow @p config, which has the same settings, from now on. */
void input_rebind(struct input *input, const struct config_input *config);
const struct config_input *input_config(const struct input *input);
/** NULL while it is virtual, closed or failed. */
struct driver *input_driver(const struct input *input);
bool input_is_sim(const struct input *input);
unsigned input_lines(const struct input *input);
void input_get_info(const struct input *input, struct engine_input_info *ret_info);
/** See engine_input_restore(). */
int input_restore(struct input *input, enum decoder_kind kind, int64_t value);
/** See engine_input_position(). */
int input_set_position(struct input *input, int64_t position, uint64_t time_ns,
                       int64_t *ret_change);
/** Take over the count or position of @p old, which has the same name, if both keep it (`restore`)
 * or both have a range. Call it before input_start(). */
void input_inherit(struct input *input, const struct input *old);

/* outputs.c */

/** Create a closed output. Everything of @p config is borrowed. @return 0; -ENODEV unknown driver;
 * -ENOSPC too many event types; -ENOMEM. */
int output_new(struct engine *engine, const struct config_output *config,
               struct output **ret_output, char error[ENGINE_ERROR_SIZE]);
/** Close and free the output. */
struct output *output_free(struct output *output);
/** Open the driver, at safe_value. */
int output_open(struct output *output, char error[ENGINE_ERROR_SIZE]);
/** Set safe_value and close the driver; it may be opened again. */
void output_close(struct output *output);
/** Open the output again at its former level, after output_close() (a reload was refused). */
void output_resume(struct output *output);
/** Borrow @p config, which has the same settings, from now on. */
void output_rebind(struct output *output, const struct config_output *config);
const struct config_output *output_config(const struct output *output);
void output_get_info(const struct output *output, struct engine_output_info *ret_info);

/* engine_inputs.c, engine_outputs.c */

extern const struct device_kind engine_input_kind, engine_output_kind;
/** @param index below `inputs.n`. */
struct input *engine_input(const struct engine *engine, size_t index);
/** @return NULL: there is no such input. */
struct input *engine_find_input(const struct engine *engine, const char *name);

#endif
