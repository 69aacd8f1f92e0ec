/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages from the broker, with their MQTT properties, one after the other: a line each of topic,
 * flags, response topic and correlation data, then the payload up to a NUL byte. For any input,
 * each outgoing message is valid JSON on a topic of the gateway, or a reply on a topic that is
 * allowed for replies.
 *
 * Flags: digits of a QoS and letters: r retained, n no response topic, c no correlation data, e an
 * expiry of the length of the flags in seconds.
 */
#include "fuzz.h"

#include <cuebus/cuebus.h>

#include "bridge.h"
#include "config.h"

#define START_NS     (100 * CUE_NS_PER_S)
#define MESSAGES_MAX 32

static const char config_text[] =
        "{\"version\":1,\"gateway\":{\"id\":\"fuzz\"},\"mqtt\":{\"reply_prefixes\":[\"apps\"],"
        "\"remote\":{\"cmd\":\"admin\"}},"
        "\"limits\":{\"active_runs\":100,\"definitions\":50,\"state_entries\":50,"
        "\"payload_bytes\":1000},"
        "\"inputs\":{\"b\":{\"driver\":\"sim\",\"kind\":\"button\",\"event\":\"button.press\"}},"
        "\"playlists\":{\"p\":{\"trigger\":\"go\",\"steps\":[{\"emit\":\"lamp.set\"}]}}}";

struct gateway {
	struct config *config;
	struct topics *topics;
	struct outbox *outbox;
	struct inbox *inbox;
	struct log *log;
	struct engine *engine;
	struct commands *commands;
	struct bridge *bridge;
	uint64_t random;
};

static void make(struct gateway *g)
{
	struct diag diag = { 0 };
	struct log_config log = { .fd = 2 }; /* level 0: quiet */
	struct outbox_config outbox = { .max_events = 1000, .max_bytes = 1U << 24 };
	struct engine_config engine = { .start_ns = START_NS,
		                        .random = fuzz_random,
		                        .user = &g->random,
		                        .virtual_devices = true };
	struct commands_config commands = { .boot_id = "00000000", .start_ns = START_NS };
	struct bridge_config bridge = { .boot_id = "00000000" };
	char error[512] = "";

	FUZZ_CHECK(config_load_text("fuzz.json", config_text, sizeof(config_text) - 1, &diag,
	                            &g->config) == 0);
	diag_clear(&diag);
	FUZZ_CHECK(topics_new("cuebus", "fuzz", &g->topics) == 0);
	FUZZ_CHECK(log_new(&log, &g->log) == 0);
	FUZZ_CHECK(outbox_new(&outbox, &g->outbox) == 0);
	FUZZ_CHECK(inbox_new(NULL, 100, 1U << 20, 1000, &g->inbox) == 0);
	engine.config = g->config;
	FUZZ_CHECK(engine_new(&engine, &g->engine) == 0);
	commands.engine = g->engine;
	FUZZ_CHECK(commands_new(&commands, &g->commands) == 0);
	FUZZ_CHECK(engine_open_inputs(g->engine, error) == 0);
	bridge.engine = g->engine;
	bridge.commands = g->commands;
	bridge.topics = g->topics;
	bridge.outbox = g->outbox;
	bridge.log = g->log;
	FUZZ_CHECK(bridge_new(&bridge, &g->bridge) == 0);
}

static void clear(struct gateway *g)
{
	bridge_free(g->bridge);
	commands_free(g->commands);
	engine_free(g->engine);
	inbox_free(g->inbox);
	outbox_free(g->outbox);
	log_free(g->log);
	topics_free(g->topics);
	config_free(g->config);
}

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void check_sent(struct gateway *g)
{
	struct outbox_message m;

	while (outbox_take(g->outbox, &m) == 0 || outbox_take_reply(g->outbox, &m) == 0) {
		struct cue_json_error error = { 0 };

		FUZZ_CHECK(!strpbrk(m.topic, "+#") && !m.retain);
		FUZZ_CHECK(begins(m.topic, "cuebus/1/fuzz/bus/") ||
		           begins(m.topic, "cuebus/1/fuzz/reply/") || begins(m.topic, "apps/"));
		FUZZ_CHECK((m.seq != 0) == begins(m.topic, "cuebus/1/fuzz/bus/"));
		FUZZ_CHECK(cue_json_validate(m.payload, m.payload_len, CUE_JSON_DEPTH_MAX,
		                             &error) == 0);
		FUZZ_CHECK(outbox_release(g->outbox, m.id) == 0);
	}
}

static void receive(struct gateway *g, const uint8_t *data, size_t size, uint64_t now_ns)
{
	char *topic = fuzz_cut(&data, &size, '\n');
	char *flags = fuzz_cut(&data, &size, '\n');
	char *response = fuzz_cut(&data, &size, '\n');
	char *correlation = fuzz_cut(&data, &size, '\n');
	struct inbox_message m = {
		.topic = topic,
		.payload = data,
		.payload_len = size,
		.qos = strchr(flags, '2')   ? 2
		       : strchr(flags, '1') ? 1
		                            : 0,
		.retain = strchr(flags, 'r'),
		.response_topic = strchr(flags, 'n') ? NULL : response,
		.correlation = strchr(flags, 'c') ? NULL : correlation,
		.has_expiry = strchr(flags, 'e'),
		.expiry_s = (uint32_t)strlen(flags),
		.arrival_ns = now_ns - CUE_NS_PER_S,
	};
	struct inbox_message *taken;

	m.correlation_len = m.correlation ? strlen(correlation) : 0;
	FUZZ_CHECK(inbox_put(g->inbox, &m) == 0);
	taken = inbox_take(g->inbox);
	FUZZ_CHECK(taken && taken->oversized == (size > 1000));
	bridge_receive(g->bridge, taken, now_ns);
	bridge_tick(g->bridge);
	inbox_message_free(taken);
	free(topic);
	free(flags);
	free(response);
	free(correlation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gateway g = { .random = 1 };
	uint64_t now_ns = START_NS;

	make(&g);
	for (int i = 0; i < MESSAGES_MAX && size; i++) {
		char *text = fuzz_cut(&data, &size, '\0');

		receive(&g, (const uint8_t *)text, strlen(text), now_ns);
		free(text);
		now_ns += 70 * CUE_NS_PER_MS;
		engine_wake(g.engine, now_ns);
		check_sent(&g);
	}
	clear(&g);
	return 0;
}
