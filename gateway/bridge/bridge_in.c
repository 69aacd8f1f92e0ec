/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages from MQTT to the bus and to the commands.
 *
 * A message on P/emit has no reply, so a refusal is reported by a `gateway.refused` event, at most
 * one a second:
 *
 *   state | a refusal             | the timer fires
 *   IDLE  | emit, arm 1 s -> BUSY | impossible
 *   BUSY  | count, keep the last  | none: -> IDLE; else emit the last with how many there were
 *         |                       | besides, arm 1 s
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_internal.h"
#include "error_text.h"

#define REFUSAL_INTERVAL_NS CUE_NS_PER_S
/** Steps to dispatch before a reply is sent; if more remain, the reply is delayed. */
#define STEPS_BEFORE_REPLY 4096U

/* ---- refusals on P/emit ---- */

static void tell_refusal(struct bridge *bridge)
{
	struct bridge_refusal *refusal = &bridge->refusal;
	struct cue_bus *bus = engine_bus(bridge->config.engine);
	struct cue_writer w = { 0 };
	uint64_t seq;

	cue_writer_object_begin(&w);
	cue_writer_key(&w, "topic");
	cue_writer_string(&w, refusal->topic);
	cue_writer_key(&w, "code");
	cue_writer_string(&w, command_code_name(refusal->code));
	cue_writer_key(&w, "message");
	cue_writer_string(&w, refusal->message);
	cue_writer_key(&w, "suppressed");
	cue_writer_u64(&w, refusal->suppressed);
	cue_writer_object_end(&w);
	refusal->suppressed = 0;
	cue_timer_arm(refusal->timer, cue_bus_now(bus) + REFUSAL_INTERVAL_NS);
	(void)bridge_emit(bridge, "gateway.refused", &w, &seq);
}

void bridge_refusal_timer(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct bridge *bridge = user;

	(void)bus, (void)deadline_ns;
	if (bridge->refusal.suppressed == 0)
		return;
	bridge->refusal.suppressed--; /* the refusal that is reported now */
	tell_refusal(bridge);
}

static void refuse_emit(struct bridge *bridge, const char *topic, enum command_code code,
                        const char *text)
{
	struct bridge_refusal *refusal = &bridge->refusal;

	bridge->stats.refused++;
	/* untrusted, may be cut */
	snprintf(refusal->topic, sizeof(refusal->topic), "%s", topic);
	refusal->code = code;
	snprintf(refusal->message, sizeof(refusal->message), "%s", text);
	if (cue_timer_is_armed(refusal->timer))
		refusal->suppressed++;
	else
		tell_refusal(bridge);
}

/* ---- common to both ---- */

static bool is_stale(const struct inbox_message *message, uint64_t now_ns)
{
	return message->has_expiry &&
	       now_ns >= message->arrival_ns + (uint64_t)message->expiry_s * CUE_NS_PER_S;
}

/** Check whether to refuse a message before anything else. @return false if it is accepted. */
static bool is_refused(const struct bridge *bridge, const struct inbox_message *message,
                       uint64_t now_ns, struct command_refusal *ret_refusal)
{
	const struct config_limits *limits = &engine_get_config(bridge->config.engine)->limits;
	char *text = ret_refusal->text;

	if (message->retain) {
		ret_refusal->code = COMMAND_REFUSED;
		snprintf(text, COMMAND_REFUSAL_SIZE,
		         "retained messages are refused: publish without the retain flag");
	} else if (message->oversized) {
		ret_refusal->code = COMMAND_LIMIT;
		snprintf(text, COMMAND_REFUSAL_SIZE,
		         "the payload has %zu bytes, limits.payload_bytes allows %llu",
		         message->payload_len, (unsigned long long)limits->payload_bytes);
	} else if (is_stale(message, now_ns)) {
		ret_refusal->code = COMMAND_STALE;
		snprintf(text, COMMAND_REFUSAL_SIZE,
		         "the message expired (after %lu s) before it could be handled",
		         (unsigned long)message->expiry_s);
	} else {
		return false;
	}
	return true;
}

/* ---- P/emit ---- */

static enum command_code code_of(int error)
{
	return error == -EINVAL ? COMMAND_INVALID_REQUEST : COMMAND_LIMIT;
}

static int read_payload(const struct bridge *bridge, const struct inbox_message *message,
                        struct cue_payload **ret_payload, char text[COMMAND_REFUSAL_SIZE])
{
	const struct config_limits *limits = &engine_get_config(bridge->config.engine)->limits;
	struct cue_json_error error = { 0 };
	int r = cue_payload_new(message->payload, message->payload_len, limits->bus.json_depth,
	                        ret_payload, &error);

	if (r == -EBADMSG || r == -E2BIG)
		error_text_json(r, &error, text, COMMAND_REFUSAL_SIZE);
	else if (r < 0)
		snprintf(text, COMMAND_REFUSAL_SIZE, "out of memory");
	return r;
}

static void receive_emit(struct bridge *bridge, const struct inbox_message *message,
                         const char *rest, uint64_t now_ns)
{
	struct cue_emit emit = { .time_ns = now_ns, .outside = true };
	char type[CUE_TYPE_MAX_LEN + 1], text[COMMAND_REFUSAL_SIZE];
	struct command_refusal refusal;
	const char *reason;
	int r;

	/* Check the rate first: messages beyond it must cost almost nothing. An oversized payload
	 * was dropped already, so it counts 0 bytes. */
	reason = commands_take_emit(bridge->config.commands,
	                            message->oversized ? 0 : message->payload_len, now_ns);
	if (reason) {
		refuse_emit(bridge, message->topic, COMMAND_LIMIT, reason);
		return;
	}
	if (is_refused(bridge, message, now_ns, &refusal)) {
		refuse_emit(bridge, message->topic, refusal.code, refusal.text);
		return;
	}
	if (topics_emit_type(rest, type, &reason) < 0) {
		refuse_emit(bridge, message->topic, COMMAND_INVALID_REQUEST, reason);
		return;
	}
	reason = config_remote_type_fault(engine_get_config(bridge->config.engine), type);
	if (reason) {
		snprintf(text, sizeof(text), "event type '%s' %s", type, reason);
		refuse_emit(bridge, message->topic, COMMAND_REFUSED, text);
		return;
	}
	r = read_payload(bridge, message, &emit.payload, text);
	if (r < 0) {
		refuse_emit(bridge, message->topic,
		            r == -EBADMSG ? COMMAND_INVALID_JSON : COMMAND_LIMIT, text);
		return;
	}
	emit.type = type;
	r = cue_bus_emit(engine_bus(bridge->config.engine), &emit, NULL);
	cue_payload_unref(emit.payload);
	if (r < 0) {
		snprintf(text, sizeof(text), "%s", error_text(r, "limits.event_types is reached"));
		refuse_emit(bridge, message->topic, code_of(r), text);
	}
}

/* ---- P/cmd ---- */

/** Choose the reply's topic. @return why the request's response topic is not allowed, or NULL. */
static const char *choose_topic(const struct bridge *bridge, const struct inbox_message *message,
                                const char *name, char fallback[TOPIC_SIZE], const char **ret_topic)
{
	const struct config_mqtt *mqtt = &engine_get_config(bridge->config.engine)->mqtt;
	const char *fault;

	/* No command has such a name, and no correct broker delivers one. But for a reply to a
	 * topic with a wildcard the broker would close the connection, again and again. */
	*ret_topic = NULL;
	if (!topics_name_fault(name) &&
	    topics_below(bridge->config.topics, "reply", name, fallback) >= 0)
		*ret_topic = fallback;
	if (!message->response_topic)
		return NULL;
	fault = topics_reply_fault(bridge->config.topics, message->response_topic,
	                           (const char *const *)mqtt->reply_prefixes,
	                           mqtt->n_reply_prefixes);
	if (!fault)
		*ret_topic = message->response_topic;
	return fault;
}

/** Whether a command changes the kept definitions, so that its reply may have to be held. */
static bool is_kept(const char *name)
{
	const char *verb = strrchr(name, '/');

	return verb && (strcmp(verb, "/define") == 0 || strcmp(verb, "/remove") == 0);
}

/** Check whether to refuse a command. @return false if it is executed. */
static bool is_command_refused(const struct bridge *bridge, const struct inbox_message *message,
                               const struct command_request *request, const char *reply_fault,
                               struct command_refusal *ret_refusal)
{
	if (is_refused(bridge, message, request->now_ns, ret_refusal))
		return true;
	if (reply_fault) {
		ret_refusal->code = COMMAND_REFUSED;
		snprintf(ret_refusal->text, COMMAND_REFUSAL_SIZE, "%s", reply_fault);
		return true;
	}
	if (is_kept(request->name) && !bridge_can_hold(bridge)) {
		*ret_refusal = (struct command_refusal){
			COMMAND_BUSY, "earlier definitions are not yet written to gateway.state_dir"
		};
		return true;
	}
	return false;
}

/** The reply to send instead if the definition can't be written. */
static int make_failure(struct bridge *bridge, const struct command_request *request,
                        char **ret_text, size_t *ret_len)
{
	static const struct command_refusal refusal = {
		COMMAND_REFUSED,
		"it is in force now, but could not be written to gateway.state_dir (the log says "
		"why): the next start does not restore it"
	};

	return commands_error_reply(bridge->config.commands, request, &refusal, ret_text, ret_len);
}

static bool is_ok(const struct bridge_reply *reply)
{
	static const char ok[] = "{\"ok\":true";

	return reply->len >= sizeof(ok) - 1 && memcmp(reply->text, ok, sizeof(ok) - 1) == 0;
}

/** Send a reply, or hold it until its definition is on disk; this applies to repeated replies
 * too. */
static void reply_or_hold(struct bridge *bridge, const struct command_request *request,
                          const struct bridge_reply *reply)
{
	char *failure;
	size_t len;
	int r = -ENOMEM;

	if (is_kept(request->name) && is_ok(reply) &&
	    make_failure(bridge, request, &failure, &len) >= 0) {
		r = bridge_hold(bridge, reply, commands_newest_change(bridge->config.commands),
		                failure, len);
		free(failure);
	}
	if (r < 0)
		bridge_send_reply(bridge, reply);
	else
		bridge_release_held(bridge);
}

/** Dispatch the events of a command before its reply. @return whether all were dispatched. */
static bool is_dispatched(struct bridge *bridge)
{
	struct cue_budget budget = { .steps = STEPS_BEFORE_REPLY };

	return cue_bus_dispatch(engine_bus(bridge->config.engine), &budget) != -EAGAIN;
}

static void receive_command(struct bridge *bridge, const struct inbox_message *message,
                            const char *name, uint64_t now_ns)
{
	struct commands *commands = bridge->config.commands;
	struct command_request request = {
		.name = name,
		.payload = message->payload,
		.payload_len = message->oversized ? 0 : message->payload_len,
		.correlation = message->correlation,
		.correlation_len = message->correlation_len,
		.now_ns = now_ns,
	};
	struct bridge_reply reply = {
		.correlation = message->correlation,
		.correlation_len = message->correlation_len,
	};
	struct command_refusal refusal;
	char fallback[TOPIC_SIZE];
	char *answer = NULL;
	const char *fault = choose_topic(bridge, message, name, fallback, &reply.topic);
	/* Events that wait already do not belong to this command, and may take long. */
	bool in_cascade = cue_bus_has_waiting(engine_bus(bridge->config.engine));
	int r;

	if (is_command_refused(bridge, message, &request, fault, &refusal)) {
		bridge->stats.refused++;
		r = commands_refuse(commands, &request, &refusal, &answer, &reply.len);
	} else {
		r = commands_run(commands, &request, &answer, &reply.len);
	}
	reply.text = answer;
	if (r < 0)
		log_write(bridge->config.log, LOG_LEVEL_ERROR, "command '%.200s' has no reply: %s",
		          name, strerrordesc_np(-r));
	else if (reply.topic &&
	         (in_cascade || is_dispatched(bridge) || bridge_delay(bridge, &reply) < 0))
		reply_or_hold(bridge, &request, &reply);
	free(answer);
}

void bridge_receive(struct bridge *bridge, const struct inbox_message *message, uint64_t now_ns)
{
	const char *rest = NULL;

	bridge_release_delayed(bridge);
	switch (topics_parse(bridge->config.topics, message->topic, &rest)) {
	case TOPIC_EMIT:
		receive_emit(bridge, message, rest, now_ns);
		break;
	case TOPIC_COMMAND:
		receive_command(bridge, message, rest, now_ns);
		break;
	case TOPIC_OTHER:
		/* "P/cmd/#" matches "P/cmd" too: there is no command to answer. */
		bridge->stats.refused++;
		break;
	}
}
