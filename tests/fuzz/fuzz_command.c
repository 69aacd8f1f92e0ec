/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands on an engine, one after the other: each is a line with its name and then its payload, up
 * to a NUL byte. For any input, each command gets one reply that is valid JSON and says ok or names
 * an error. Time advances after each command, so that started runs proceed.
 */
#include "fuzz.h"

#include <cuebus/cuebus.h>

#include <errno.h>

#include <cjson/cJSON.h>

#include "commands.h"
#include "config.h"
#include "engine.h"

#define START_NS     (100 * CUE_NS_PER_S)
#define COMMANDS_MAX 32

static const char config_text[] =
        "{\"version\":1,\"gateway\":{\"id\":\"fuzz\"},\"mqtt\":{\"url\":\"mqtt://127.0.0.1:1883\","
        "\"remote\":{\"cmd\":\"admin\"}},"
        "\"limits\":{\"active_runs\":100,\"definitions\":50,\"state_entries\":50},"
        "\"inputs\":{\"b\":{\"driver\":\"sim\",\"kind\":\"button\",\"producer_id\":1,"
        "\"event\":\"button.press\",\"release_event\":\"button.release\",\"debounce\":\"1ms\"}},"
        "\"gestures\":{\"d\":{\"type\":\"double_tap\",\"source\":\"button.press\",\"window\":"
        "\"300ms\","
        "\"emit\":\"button.double_tap\"}},"
        "\"playlists\":{\"p\":{\"trigger\":\"button.double_tap\",\"interrupts\":[\"stop\"],"
        "\"completion\":\"p.done\",\"steps\":[{\"emit\":\"lamp.set\",\"data\":{\"on\":true},"
        "\"offset\":\"0s\",\"repeat\":5,\"interval\":\"100ms\"}]}}}";

static int refuse_reload(void *user, struct diag *diag)
{
	(void)user;
	diag_add(diag, DIAG_ERROR, diag_file("fuzz.json"), "fuzz", "there is nothing to reload");
	return -EINVAL;
}

static struct config *load(void)
{
	struct diag diag = { 0 };
	struct config *config = NULL;
	int r = config_load_text("fuzz.json", config_text, sizeof(config_text) - 1, &diag, &config);

	if (r < 0)
		diag_print(&diag, stderr);
	FUZZ_CHECK(r == 0);
	diag_clear(&diag);
	return config;
}

static void check_reply(const char *reply, size_t len)
{
	struct cue_json_error error = { 0 };
	const cJSON *ok;
	cJSON *json;

	FUZZ_CHECK(reply && reply[len] == '\0');
	FUZZ_CHECK(cue_json_validate(reply, len, CUE_JSON_DEPTH_MAX, &error) == 0);
	json = cJSON_Parse(reply);
	ok = cJSON_GetObjectItemCaseSensitive(json, "ok");
	FUZZ_CHECK(cJSON_IsBool(ok));
	if (cJSON_IsTrue(ok)) {
		FUZZ_CHECK(cJSON_GetObjectItemCaseSensitive(json, "result"));
	} else {
		const cJSON *fault = cJSON_GetObjectItemCaseSensitive(json, "error");

		FUZZ_CHECK(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(fault, "code")));
		FUZZ_CHECK(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(fault, "message")));
	}
	cJSON_Delete(json);
}

/* One command; @p text is its name, "\n" and its payload. */
static void run(struct commands *commands, const char *text, size_t len, uint64_t now_ns)
{
	const uint8_t *payload = (const uint8_t *)text;
	size_t payload_len = len;
	char *name = fuzz_cut(&payload, &payload_len, '\n');
	const struct command_request request = {
		.name = name,
		.payload = payload,
		.payload_len = payload_len,
		.now_ns = now_ns,
	};
	char *reply = NULL;
	size_t reply_len = 0;

	FUZZ_CHECK(commands_run(commands, &request, &reply, &reply_len) == 0);
	check_reply(reply, reply_len);
	free(reply);
	free(name);
}

static void run_all(struct engine *engine, struct commands *commands, const uint8_t *data,
                    size_t size)
{
	uint64_t now_ns = START_NS;

	for (int i = 0; i < COMMANDS_MAX && size; i++) {
		size_t before = size;
		char *text = fuzz_cut(&data, &size, '\0');

		run(commands, text, strlen(text), now_ns);
		free(text);
		/* not a round number, so that deadlines fall between commands */
		now_ns += 70 * CUE_NS_PER_MS + before % 7;
		engine_wake(engine, now_ns);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t random = 1;
	struct config *config = load();
	const struct engine_config engine_config = {
		.config = config,
		.start_ns = START_NS,
		.random = fuzz_random,
		.user = &random,
		.virtual_devices = true,
	};
	struct commands_config commands_config = {
		.boot_id = "00000000",
		.start_ns = START_NS,
		.reload = refuse_reload,
	};
	struct commands *commands = NULL;
	struct engine *engine = NULL;
	char error[512] = "";

	FUZZ_CHECK(engine_new(&engine_config, &engine) == 0);
	FUZZ_CHECK(engine_open_inputs(engine, error) == 0);
	commands_config.engine = engine;
	FUZZ_CHECK(commands_new(&commands_config, &commands) == 0);
	run_all(engine, commands, data, size);
	commands_free(commands);
	engine_free(engine);
	config_free(config);
	return 0;
}
