/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_names.h"
#include "commands_internal.h"

/* 60 s at the default rate limit; the bytes bound large replies. */
#define MEMORY_ENTRIES 65536U
#define MEMORY_BYTES   (16U * 1024U * 1024U)
/* At the stop; `offline` must still be published in time. */
#define FLUSH_NS (1 * CUE_NS_PER_S)

struct command {
	command_handler run;
	/** config/check: the payload is the configuration, not a request. */
	bool takes_text;
	struct request_field fields[REQUEST_FIELDS_MAX + 1];
};

static const struct command command_table[COMMAND_NAMES] = {
	[COMMAND_NAME_PLAYLIST_START] = { command_playlist_start,
	                                  false,
	                                  { { "playlist", REQUEST_STRING, true },
	                                    { "trigger_data", REQUEST_ANY, false } } },
	[COMMAND_NAME_PLAYLIST_STOP] = { command_playlist_stop,
	                                 false,
	                                 { { "run", REQUEST_STRING, false },
	                                   { "playlist", REQUEST_STRING, false },
	                                   { "all", REQUEST_TRUE, false } } },
	[COMMAND_NAME_PLAYLIST_PAUSE] = { command_playlist_pause,
	                                  false,
	                                  { { "run", REQUEST_STRING, false },
	                                    { "playlist", REQUEST_STRING, false },
	                                    { "all", REQUEST_TRUE, false } } },
	[COMMAND_NAME_PLAYLIST_RESUME] = { command_playlist_resume,
	                                   false,
	                                   { { "run", REQUEST_STRING, false },
	                                     { "playlist", REQUEST_STRING, false },
	                                     { "all", REQUEST_TRUE, false } } },
	[COMMAND_NAME_PLAYLIST_SEEK] = { command_playlist_seek,
	                                 false,
	                                 { { "run", REQUEST_STRING, false },
	                                   { "playlist", REQUEST_STRING, false },
	                                   { "offset", REQUEST_ANY, true } } },
	[COMMAND_NAME_PLAYLIST_TEMPO] = { command_playlist_tempo,
	                                  false,
	                                  { { "run", REQUEST_STRING, false },
	                                    { "playlist", REQUEST_STRING, false },
	                                    { "factor", REQUEST_ANY, true } } },
	[COMMAND_NAME_PLAYLIST_LIST] = { command_playlist_list, false, { { 0 } } },
	[COMMAND_NAME_PLAYLIST_RUNS] = { command_playlist_runs,
	                                 false,
	                                 { { "playlist", REQUEST_STRING, false },
	                                   { "limit", REQUEST_UINT32, false },
	                                   { "after", REQUEST_STRING, false } } },
	[COMMAND_NAME_PLAYLIST_DEFINE] = { command_playlist_define,
	                                   false,
	                                   { { "name", REQUEST_STRING, true },
	                                     { "definition", REQUEST_OBJECT, true } } },
	[COMMAND_NAME_PLAYLIST_REMOVE] = { command_playlist_remove,
	                                   false,
	                                   { { "playlist", REQUEST_STRING, true } } },
	[COMMAND_NAME_GESTURE_DEFINE] = { command_gesture_define,
	                                  false,
	                                  { { "name", REQUEST_STRING, true },
	                                    { "definition", REQUEST_OBJECT, true } } },
	[COMMAND_NAME_GESTURE_REMOVE] = { command_gesture_remove,
	                                  false,
	                                  { { "gesture", REQUEST_STRING, true } } },
	[COMMAND_NAME_GESTURE_LIST] = { command_gesture_list, false, { { 0 } } },
	[COMMAND_NAME_EVENT_EMIT] = { command_event_emit,
	                              false,
	                              { { "event_type", REQUEST_STRING, true },
	                                { "producer_id", REQUEST_UINT32, false },
	                                { "data", REQUEST_ANY, false } } },
	[COMMAND_NAME_STATE_GET] = { command_state_get,
	                             false,
	                             { { "event_type", REQUEST_STRING, false },
	                               { "producer_id", REQUEST_UINT32, false } } },
	[COMMAND_NAME_INPUT_SET] = { command_input_set,
	                             false,
	                             { { "input", REQUEST_STRING, true },
	                               { "value", REQUEST_LEVEL, true },
	                               { "line", REQUEST_LEVEL, false } } },
	[COMMAND_NAME_INPUT_POSITION] = { command_input_position,
	                                  false,
	                                  { { "input", REQUEST_STRING, true },
	                                    { "position", REQUEST_INT64, true } } },
	[COMMAND_NAME_CONFIG_CHECK] = { command_config_check, true, { { 0 } } },
	[COMMAND_NAME_CONFIG_RELOAD] = { command_config_reload, false, { { 0 } } },
	[COMMAND_NAME_CONFIG_GET] = { command_config_get, false, { { 0 } } },
	[COMMAND_NAME_PING] = { command_ping, false, { { 0 } } },
};
/* clang-format on */

/** @return NULL: there is no such command. */
static const struct command *find(const char *name)
{
	for (unsigned i = 0; i < COMMAND_NAMES; i++) {
		if (strcmp(command_name_text((enum command_name)i), name) == 0)
			return &command_table[i];
	}
	return NULL;
}

/* ---- life ---- */

static int make_store(struct commands *commands)
{
	const struct commands_config *config = &commands->config;
	struct definition_store_config store = {
		.state_dir = config->state_dir,
		.max_bytes = engine_get_config(config->engine)->limits.kept_definition_bytes,
		.log = config->log,
		.written = config->store_written,
		.may_write = config->may_write,
		.user = config->user,
	};

	return definition_store_new(&store, &commands->store);
}

int commands_new(const struct commands_config *config, struct commands **ret_commands)
{
	struct commands *commands = calloc(1, sizeof(*commands));
	const struct config_limits *limits;
	int r;

	if (!commands)
		return -ENOMEM;
	commands->config = *config;
	limits = &engine_get_config(config->engine)->limits;
	rate_init(&commands->rate, limits->commands_per_second, config->start_ns);
	rate_init(&commands->emit_rate, limits->emits_per_second, config->start_ns);
	rate_init(&commands->emit_bytes_rate, limits->emit_bytes_per_second, config->start_ns);
	r = command_memory_new(MEMORY_ENTRIES, MEMORY_BYTES, &config->notes, &commands->memory);
	if (r >= 0)
		r = make_store(commands);
	if (r >= 0)
		r = commands_reapply(commands);
	if (r < 0) {
		commands_free(commands);
		return r;
	}
	*ret_commands = commands;
	return 0;
}

struct commands *commands_free(struct commands *commands)
{
	if (!commands)
		return NULL;
	commands_kept_clear(commands);
	definition_store_free(commands->store);
	command_memory_free(commands->memory);
	free(commands);
	return NULL;
}

void commands_restore_request(struct commands *commands, uint64_t now_ns, const char *key,
                              const char *text, size_t len)
{
	if (strncmp(key, COMMAND_NOTE_PREFIX, strlen(COMMAND_NOTE_PREFIX)) == 0)
		command_memory_restore(commands->memory, now_ns, key, text, len);
}

int commands_flush(struct commands *commands)
{
	return definition_store_flush(commands->store, FLUSH_NS);
}

uint64_t commands_newest_change(const struct commands *commands)
{
	return definition_store_newest(commands->store);
}

int commands_reply_state(struct commands *commands, uint64_t change)
{
	return definition_store_state(commands->store, change);
}

void commands_get_stats(const struct commands *commands, struct commands_stats *ret_stats)
{
	*ret_stats = commands->stats;
	ret_stats->store_error = definition_store_error(commands->store);
	definition_store_get_stats(commands->store, &ret_stats->kept);
}

/* ---- replies ---- */

static void reply_head(struct cue_writer *w, bool ok, const char *request_id)
{
	cue_writer_object_begin(w);
	cue_writer_key(w, "ok");
	cue_writer_bool(w, ok);
	cue_writer_key(w, "request_id");
	if (request_id)
		cue_writer_raw(w, request_id, strlen(request_id));
	else
		cue_writer_null(w);
}

static int reply_error(const struct command_error *error, const char *request_id, char **ret_reply,
                       size_t *ret_len)
{
	struct cue_writer w = { 0 };

	reply_head(&w, false, request_id);
	cue_writer_key(&w, "error");
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "code");
	cue_writer_string(&w, command_code_name(error->code));
	cue_writer_key(&w, "message");
	cue_writer_string(&w, error->message);
	if (*error->path) {
		cue_writer_key(&w, "path");
		cue_writer_string(&w, error->path);
	}
	cue_writer_object_end(&w);
	cue_writer_object_end(&w);
	return cue_writer_finish(&w, ret_reply, ret_len);
}

static int reply_result(struct cue_writer *result, const char *request_id, char **ret_reply,
                        size_t *ret_len)
{
	struct cue_writer w = { 0 };
	char *text;
	size_t len;
	int r = cue_writer_finish(result, &text, &len);

	if (r < 0)
		return r;
	reply_head(&w, true, request_id);
	cue_writer_key(&w, "result");
	cue_writer_raw(&w, text, len);
	cue_writer_object_end(&w);
	free(text);
	return cue_writer_finish(&w, ret_reply, ret_len);
}

/* ---- execution ---- */

static bool within_rate(struct commands *commands, uint64_t now_ns)
{
	const struct config *config = engine_get_config(commands->config.engine);

	return rate_take(&commands->rate, 1, config->limits.commands_per_second, now_ns);
}

static int read_request(struct commands *commands, const struct command_request *request,
                        const struct command *command, struct request *fields,
                        struct command_error *error)
{
	static const struct request_field none[] = { { 0 } };
	const struct config_limits *limits = &engine_get_config(commands->config.engine)->limits;
	const struct request_text text = { request->payload, request->payload_len,
		                           limits->bus.json_depth };
	struct request_error wrong;
	int r;

	if (request->payload_len > limits->payload_bytes)
		return command_fail(error, COMMAND_LIMIT, "",
		                    "the payload has %zu bytes, %llu at most are taken",
		                    request->payload_len,
		                    (unsigned long long)limits->payload_bytes);
	r = request_read(&text, command && !command->takes_text ? command->fields : none, fields,
	                 &wrong);
	/* If the payload is not a request, only its request_id is needed. */
	if (r == -EINVAL && (!command || command->takes_text))
		return 0;
	if (r == -EINVAL)
		command_fail(error,
		             wrong.too_deep       ? COMMAND_LIMIT
		             : wrong.invalid_json ? COMMAND_INVALID_JSON
		                                  : COMMAND_INVALID_REQUEST,
		             wrong.path, "%s%s%s",
		             strcmp(wrong.path, "/") == 0 ? "\"\""
		             : *wrong.path                ? wrong.path + 1
		                                          : "",
		             *wrong.path ? ": " : "", wrong.text);
	return r;
}

static bool make_key(const struct command_request *request, const struct request *fields,
                     struct command_key *ret_key)
{
	*ret_key = (struct command_key){
		.name = request->name,
		.payload = request->payload,
		.payload_len = request->payload_len,
	};
	if (request->correlation) {
		ret_key->id = request->correlation;
		ret_key->id_len = request->correlation_len;
	} else if (fields->request_id) {
		ret_key->id = fields->request_id;
		ret_key->id_len = strlen(fields->request_id);
	}
	return ret_key->id != NULL;
}

static int execute(struct commands *commands, const struct command_request *request,
                   const struct request *fields, struct cue_writer *result,
                   struct command_error *error)
{
	const struct config_mqtt *mqtt = &engine_get_config(commands->config.engine)->mqtt;
	const struct command *command = find(request->name);

	if (!command)
		return command_fail(error, COMMAND_UNKNOWN, "",
		                    "there is no command '%.200s'; see docs/topics.md",
		                    request->name);
	if (!config_allows_command(&mqtt->remote.cmd, request->name))
		return command_fail(
		        error, COMMAND_REFUSED, "",
		        "mqtt.remote.cmd does not allow the command '%s': list it there, as "
		        "in \"cmd\":[\"use\",\"%s\"], or set \"cmd\":\"admin\" for all",
		        request->name, request->name);
	return command->run(commands, request, fields, result, error);
}

/**
 * Whether the command must not be executed twice, even across a restart: the commands that put
 * events into the outbox together with their reply. Not queries and settings. A definition is
 * written later, and its reply may then differ.
 */
static bool is_noted(const char *name)
{
	static const enum command_name noted[] = {
		COMMAND_NAME_PLAYLIST_START, COMMAND_NAME_PLAYLIST_STOP,
		COMMAND_NAME_PLAYLIST_PAUSE, COMMAND_NAME_PLAYLIST_RESUME,
		COMMAND_NAME_PLAYLIST_SEEK,  COMMAND_NAME_PLAYLIST_TEMPO,
		COMMAND_NAME_EVENT_EMIT,     COMMAND_NAME_INPUT_POSITION,
	};

	for (size_t i = 0; i < sizeof(noted) / sizeof(*noted); i++) {
		if (strcmp(name, command_name_text(noted[i])) == 0)
			return true;
	}
	return false;
}

static int run_new(struct commands *commands, const struct command_request *request,
                   const struct request *fields, char **ret_reply, size_t *ret_len)
{
	struct cue_writer result = { 0 };
	struct command_error error = { 0 };
	struct command_answer answer;
	struct command_key key;
	int r = execute(commands, request, fields, &result, &error);

	bool ok = r >= 0;

	if (r == -ENOMEM)
		command_fail(&error, COMMAND_LIMIT, "", "out of memory");
	else if (!ok && !*error.message)
		command_fail(&error, COMMAND_REFUSED, "", "%s", strerrordesc_np(-r));
	if (!ok)
		r = reply_error(&error, fields->request_id, ret_reply, ret_len);
	else
		r = reply_result(&result, fields->request_id, ret_reply, ret_len);
	cue_writer_clear(&result);
	if (r < 0)
		return r;
	if (ok)
		commands->stats.ok++;
	else
		commands->stats.failed++;
	answer = (struct command_answer){ *ret_reply, *ret_len, ok && is_noted(request->name) };
	/* If there is no room, a second delivery is executed again: at-least-once delivery allows
	 * that. */
	if (make_key(request, fields, &key))
		(void)command_memory_put(commands->memory, &key, request->now_ns, &answer);
	return 0;
}

/** Add `repeated` to a reply, so that a client with the same id as another one recognises a foreign
 * reply. */
static int mark_repeated(const char *reply, size_t len, char **ret_reply, size_t *ret_len)
{
	static const char mark[] = ",\"repeated\":true}";
	size_t head = len - 1; /* a reply is an object: replace its last brace */
	char *copy = malloc(head + sizeof(mark));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, reply, head);
	memcpy(copy + head, mark, sizeof(mark));
	*ret_reply = copy;
	*ret_len = head + sizeof(mark) - 1;
	return 0;
}

/** @param reply the first reply; NULL: it was evicted. */
static int answer_again(const struct request *fields, const char *reply, size_t len,
                        char **ret_reply, size_t *ret_len)
{
	struct command_error error = { 0 };
	char *own = NULL;
	int r = 0;

	if (!reply) {
		command_fail(
		        &error, COMMAND_LIMIT, "",
		        "this request was carried out before, and its reply is not kept any more");
		r = reply_error(&error, fields->request_id, &own, &len);
	}
	if (r >= 0)
		r = mark_repeated(reply ? reply : own, len, ret_reply, ret_len);
	free(own);
	return r;
}

/** Answer a repeated request. The rate limit does not refuse it, because otherwise its sender would
 * not learn that it was executed. It counts for the rate. */
static bool came_before(struct commands *commands, const struct command_request *request,
                        const struct request *fields, const char **ret_reply, size_t *ret_len)
{
	struct command_key key;

	if (!make_key(request, fields, &key) ||
	    !command_memory_find(commands->memory, &key, request->now_ns, ret_reply, ret_len))
		return false;
	commands->stats.repeated++;
	(void)within_rate(commands, request->now_ns);
	return true;
}

int commands_run(struct commands *commands, const struct command_request *request, char **ret_reply,
                 size_t *ret_len)
{
	struct request fields = { 0 };
	struct command_error error = { 0 };
	const char *reply;
	size_t len;
	int r;

	r = read_request(commands, request, find(request->name), &fields, &error);
	if (r == -ENOMEM)
		goto finish;
	if (r >= 0 && came_before(commands, request, &fields, &reply, &len)) {
		r = answer_again(&fields, reply, len, ret_reply, ret_len);
		goto finish;
	}
	if (r >= 0 && !within_rate(commands, request->now_ns)) {
		commands->stats.rate_limited++;
		r = command_fail(&error, COMMAND_LIMIT, "",
		                 "more commands than limits.commands_per_second allows");
	}
	if (r < 0) {
		commands->stats.failed++;
		r = reply_error(&error, fields.request_id, ret_reply, ret_len);
	} else {
		r = run_new(commands, request, &fields, ret_reply, ret_len);
	}
finish:
	request_clear(&fields);
	return r;
}

void commands_count_failed(struct commands *commands)
{
	if (commands->stats.ok > 0)
		commands->stats.ok--;
	commands->stats.failed++;
}

int commands_error_reply(struct commands *commands, const struct command_request *request,
                         const struct command_refusal *refusal, char **ret_reply, size_t *ret_len)
{
	struct request fields = { 0 };
	struct command_error error = { 0 };
	int r;

	/* Only for the request_id; other errors do not matter here. */
	r = read_request(commands, request, NULL, &fields, &error);
	if (r != -ENOMEM) {
		command_fail(&error, refusal->code, "", "%s", refusal->text);
		r = reply_error(&error, fields.request_id, ret_reply, ret_len);
	}
	request_clear(&fields);
	return r;
}

int commands_refuse(struct commands *commands, const struct command_request *request,
                    const struct command_refusal *refusal, char **ret_reply, size_t *ret_len)
{
	commands->stats.failed++;
	return commands_error_reply(commands, request, refusal, ret_reply, ret_len);
}
