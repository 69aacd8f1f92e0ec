/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands_internal.h"

/* A reply is one MQTT packet, which every broker on the way must accept. */
#define STATE_REPLY_MAX (1024U * 1024U)

static int check_type(const char *type, struct command_error *error)
{
	const char *reason;

	if (cue_type_is_valid(type, strlen(type), &reason))
		return 0;
	return command_fail(error, COMMAND_INVALID_REQUEST, "/event_type", "event_type: %s",
	                    reason);
}

/** Check that a remote publisher may emit the type. */
static int check_emittable(const struct commands *commands, const char *type,
                           struct command_error *error)
{
	const char *reason;
	int r = check_type(type, error);

	if (r < 0)
		return r;
	reason = config_remote_type_fault(engine_get_config(commands->config.engine), type);
	if (reason)
		return command_fail(error, COMMAND_REFUSED, "/event_type", "event_type: '%s' %s",
		                    type, reason);
	return 0;
}

int command_event_emit(struct commands *commands, const struct command_request *request,
                       const struct request *fields, struct cue_writer *result,
                       struct command_error *error)
{
	const struct request_value *type = &fields->values[0], *data = &fields->values[2];
	struct cue_emit emit = {
		.type = type->string,
		.producer_id = fields->values[1].number,
		.time_ns = CUE_TIME_NONE,
		.outside = true,
	};
	const char *over;
	uint64_t seq;
	int r = check_emittable(commands, type->string, error);

	if (r < 0)
		return r;
	over = commands_take_emit(commands, request->payload_len, request->now_ns);
	if (over)
		return command_fail(error, COMMAND_LIMIT, "", "%s", over);
	if (data->present)
		r = cue_payload_new(data->raw, data->raw_len, CUE_JSON_DEPTH_MAX, &emit.payload,
		                    NULL);
	if (r >= 0)
		r = cue_bus_emit(engine_bus(commands->config.engine), &emit, &seq);
	cue_payload_unref(emit.payload);
	if (r < 0)
		return command_fail_errno(error, r, "/event_type", "event", type->string,
		                          "limits.event_types is reached");
	cue_writer_object_begin(result);
	cue_writer_key(result, "seq");
	if (seq)
		cue_writer_u64(result, seq);
	else
		cue_writer_null(result); /* a type that is not bridged has no seq */
	cue_writer_object_end(result);
	return 0;
}

struct state_context {
	struct cue_writer *w;
	int64_t wall_offset_ns;
};

static int write_entry(void *user, const struct cue_state *state)
{
	const struct state_context *context = user;
	struct cue_writer *w = context->w;
	char timestamp[CUE_TIMESTAMP_SIZE];

	cue_format_timestamp((int64_t)state->time_ns + context->wall_offset_ns, timestamp);
	cue_writer_object_begin(w);
	cue_writer_key(w, "event_type");
	cue_writer_string(w, cue_type_name(state->type));
	cue_writer_key(w, "producer_id");
	cue_writer_u64(w, state->producer_id);
	cue_writer_key(w, "data");
	cue_writer_payload(w, state->payload);
	cue_writer_key(w, "timestamp");
	cue_writer_string(w, timestamp);
	cue_writer_object_end(w);
	return cue_writer_len(w) > STATE_REPLY_MAX ? -EMSGSIZE : 0;
}

int command_state_get(struct commands *commands, const struct command_request *request,
                      const struct request *fields, struct cue_writer *result,
                      struct command_error *error)
{
	const struct cue_bus *bus = engine_bus(commands->config.engine);
	const struct request_value *type = &fields->values[0], *producer = &fields->values[1];
	struct state_context context = { result, cue_bus_wall_offset(bus) };
	int r;

	(void)request;
	if (type->present && check_type(type->string, error) < 0)
		return -EINVAL;
	cue_writer_object_begin(result);
	cue_writer_key(result, "entries");
	cue_writer_array_begin(result);
	r = cue_bus_state_foreach(bus, type->present ? type->string : NULL,
	                          producer->present ? &producer->number : NULL, write_entry,
	                          &context);
	cue_writer_array_end(result);
	cue_writer_object_end(result);
	if (r == -EMSGSIZE)
		return command_fail(
		        error, COMMAND_LIMIT, "",
		        "the reply would be over 1 MiB; name an event_type or producer_id");
	return r;
}

int command_input_set(struct commands *commands, const struct command_request *request,
                      const struct request *fields, struct cue_writer *result,
                      struct command_error *error)
{
	const char *input = fields->values[0].string;
	int r = engine_input_set(commands->config.engine, input, fields->values[2].number,
	                         fields->values[1].number != 0, request->now_ns);

	if (r == -EPERM)
		return command_fail(
		        error, COMMAND_REFUSED, "/input",
		        "input '%s' has a driver other than sim: its edges come from there", input);
	if (r == -EINVAL)
		return command_fail(error, COMMAND_INVALID_REQUEST, "/line",
		                    "input '%s' has no line %u", input, fields->values[2].number);
	if (r < 0)
		return command_fail_errno(error, r, "/input", "input", input,
		                          "limits.event_types is reached");
	cue_writer_object_begin(result);
	cue_writer_object_end(result);
	return 0;
}

int command_input_position(struct commands *commands, const struct command_request *request,
                           const struct request *fields, struct cue_writer *result,
                           struct command_error *error)
{
	struct engine *engine = commands->config.engine;
	const char *input = fields->values[0].string;
	int64_t position = fields->values[1].integer, change;
	struct decoder_range range;
	int r = engine_input_position(engine, input, position, request->now_ns, &change);

	if (r == -ENOTSUP)
		return command_fail(error, COMMAND_REFUSED, "/input",
		                    "input '%s' has no position that can be set: it is no rotary "
		                    "with a range",
		                    input);
	if (r == -ERANGE) {
		range = engine_input_range(engine, input);
		return command_fail(error, COMMAND_INVALID_REQUEST, "/position",
		                    "position: the range of input '%s' is from %" PRId64
		                    " to %" PRId64,
		                    input, range.min, range.max);
	}
	if (r < 0)
		return command_fail_errno(error, r, "/input", "input", input,
		                          "limits.event_types is reached");
	cue_writer_object_begin(result);
	cue_writer_key(result, "position");
	cue_writer_i64(result, position);
	cue_writer_key(result, "change");
	cue_writer_i64(result, change);
	cue_writer_object_end(result);
	return 0;
}
