/* SPDX-License-Identifier: Apache-2.0 */
#include "config_table.h"

#include <string.h>

#include "config_check.h"
#include "config_model.h"
#include "mqtt_limits.h"
#include "topics.h"

#define NS_PER_S   ((int64_t)CUE_NS_PER_S)
#define LEN(array) (sizeof(array) / sizeof(*(array)))

/* Paths are not changed when they are read: the system resolves them. */
#define RELATIVE_PATH                                                                              \
	"A relative path starts at the folder in which the process was started; prefer an "        \
	"absolute path."

/* Laid out by hand: with one member a line the tables would be three times as long. */
/* clang-format off */

static const struct config_field gateway_fields[] = {
	{ .key = "id", .type = CONFIG_NAME, .required = true, .max = 64,
	  CONFIG_MEMBER(struct config_gateway, id),
	  .doc = "Name of this gateway. It is part of every topic and of every `definition_id`." },
	{ .key = "state_dir", .type = CONFIG_PATH, CONFIG_MEMBER(struct config_gateway, state_dir),
	  .doc = "Folder for everything that must survive a restart, such as events that wait for "
	         "the broker and definitions made by command. Without it they are lost at a "
	         "restart. " RELATIVE_PATH },
	{ .key = "health_interval", .type = CONFIG_DURATION, .initial = "10s", .min = NS_PER_S / 10,
	  .max = 86400 * NS_PER_S, CONFIG_MEMBER(struct config_gateway, health_interval_ns),
	  .doc = "How often the counters are published on `P/health`." },
	{ .key = "scheduler_slack", .type = CONFIG_DURATION, .initial = "0us", .max = NS_PER_S,
	  CONFIG_MEMBER(struct config_gateway, scheduler_slack_ns),
	  .doc = "Due timers may wait up to this long to share one wake-up. This saves CPU; order "
	         "and `offset` stay the same." },
};

static const struct config_table gateway_table = {
	.name = "gateway", .title = "gateway", .fields = gateway_fields,
	.n_fields = LEN(gateway_fields), .size = sizeof(struct config_gateway),
};

static const struct config_field remote_fields[] = {
	{ .key = "emit", .type = CONFIG_ALLOW_EVENTS, .initial = "true", .max = 1024,
	  CONFIG_MEMBER(struct config_remote, emit),
	  .doc = "Event types that may be emitted from outside, on `P/emit` or by `event/emit`: "
	         "`true` (all that are not reserved), `false` (none), or a list of types and of "
	         "prefixes ending in `.*`. All others are refused. The rule also applies to "
	         "definitions made by command." },
	{ .key = "inputs", .type = CONFIG_BOOL, .initial = "false",
	  CONFIG_MEMBER(struct config_remote, inputs),
	  .doc = "Whether the event types of this gateway's own inputs may be emitted from "
	         "outside, if `emit` allows them. With `false` nobody can forge a pressed button "
	         "or the release of an emergency stop." },
	{ .key = "cmd", .type = CONFIG_ALLOW_COMMANDS, .initial = "use", .max = 1024,
	  CONFIG_MEMBER(struct config_remote, cmd),
	  .doc = "Commands that are executed: `\"use\"` (start, stop and steer playlists, list, "
	         "emit, `state/get`, `input/position`, `ping`), `\"admin\"` or `true` (all), "
	         "`false` (none), or a list of nouns (`\"playlist\"`), of noun and verb "
	         "(`\"playlist/define\"`) and of the words `\"use\"` and `\"admin\"`. All others "
	         "get the reply `refused`." },
};

static const struct config_table remote_table = {
	.name = "remote", .title = "mqtt.remote", .fields = remote_fields,
	.n_fields = LEN(remote_fields), .size = sizeof(struct config_remote),
};

static const struct config_field mqtt_fields[] = {
	{ .key = "url", .type = CONFIG_URL, .initial = "mqtt://localhost:1883",
	  CONFIG_MEMBER(struct config_mqtt, url),
	  .doc = "The broker: `mqtt://host[:1883]`, or `mqtts://host[:8883]` for TLS; an IPv6 "
	         "address in brackets. If the name has several addresses, each is tried in turn, "
	         "eight at most." },
	{ .key = "username", .type = CONFIG_STRING, .min = 1, .max = 65535,
	  CONFIG_MEMBER(struct config_mqtt, username), .doc = "User name at the broker." },
	{ .key = "password_file", .type = CONFIG_PATH,
	  CONFIG_MEMBER(struct config_mqtt, password_file),
	  .doc = "File whose first line is the password, in UTF-8, with or without a byte-order "
	         "mark. Only the gateway's user should be able to read it. A systemd credential is "
	         "`${CREDENTIALS_DIRECTORY}/NAME`. The configuration never contains the password "
	         "itself. " RELATIVE_PATH },
	{ .key = "password_env", .type = CONFIG_STRING, .min = 1, .max = 256,
	  CONFIG_MEMBER(struct config_mqtt, password_env),
	  .doc = "Name of the environment variable whose first line is the password, instead of "
	         "`password_file`." },
	{ .key = "ca_file", .type = CONFIG_PATH, CONFIG_MEMBER(struct config_mqtt, ca_file),
	  .doc = "PEM file with the certificate authorities that the broker's certificate is "
	         "verified against. Default: the system's. " RELATIVE_PATH },
	{ .key = "cert_file", .type = CONFIG_PATH, CONFIG_MEMBER(struct config_mqtt, cert_file),
	  .doc = "PEM file with the client's certificate; needs `key_file`. " RELATIVE_PATH },
	{ .key = "key_file", .type = CONFIG_PATH, CONFIG_MEMBER(struct config_mqtt, key_file),
	  .doc = "PEM file with the client's private key; needs `cert_file`. " RELATIVE_PATH },
	{ .key = "client_id", .type = CONFIG_STRING, .min = 1, .max = 256,
	  CONFIG_MEMBER(struct config_mqtt, client_id),
	  .doc = "Client identifier at the broker. Default: `cuebus-` and the gateway's id." },
	{ .key = "topic_prefix", .type = CONFIG_TOPIC, .initial = "cuebus",
	  .max = TOPIC_PREFIX_BYTES,
	  CONFIG_MEMBER(struct config_mqtt, topic_prefix),
	  .doc = "Begins every topic: `P` is `<topic_prefix>/1/<gateway.id>`." },
	{ .key = "protocol", .type = CONFIG_PROTOCOL, .initial = "5",
	  CONFIG_MEMBER(struct config_mqtt, protocol),
	  .doc = "MQTT version: `5`, or `\"3.1.1\"` (also written `4`)." },
	{ .key = "keepalive", .type = CONFIG_DURATION, .initial = "30s", .min = NS_PER_S,
	  .max = 65535 * NS_PER_S, CONFIG_MEMBER(struct config_mqtt, keepalive_ns),
	  .doc = "Longest silence before the gateway probes the connection." },
	{ .key = "window", .type = CONFIG_UINT, .initial = "20", .min = 1, .max = MQTT_WINDOW_MAX,
	  CONFIG_MEMBER(struct config_mqtt, window),
	  .doc = "QoS 1 messages that may be unacknowledged, if the broker accepts as many (its "
	         "Receive Maximum). Larger windows were measured to be slower." },
	{ .key = "homeassistant", .type = CONFIG_BOOL, .initial = "false", .not_implemented = true,
	  CONFIG_MEMBER(struct config_mqtt, homeassistant),
	  .doc = "Announce inputs and playlists to Home Assistant by MQTT discovery." },
	{ .key = "reply_prefixes", .type = CONFIG_TOPICS, .max = 64,
	  CONFIG_MEMBER(struct config_mqtt, reply_prefixes),
	  CONFIG_COUNT(struct config_mqtt, n_reply_prefixes),
	  .doc = "Topics below which a command's Response Topic may be, besides `P/reply`. Each "
	         "has at most 256 bytes." },
	{ .key = "qos", .type = CONFIG_QOS, .max = 1024, CONFIG_MEMBER(struct config_mqtt, qos),
	  CONFIG_COUNT(struct config_mqtt, n_qos),
	  .doc = "QoS of events on `P/bus`, by event type or by prefix ending in `.*`: `0`, `1` or "
	         "`\"off\"` (not bridged). The longest match wins; without a match it is 1." },
	{ .key = "remote", .type = CONFIG_STRUCT, .table = &remote_table,
	  CONFIG_MEMBER(struct config_mqtt, remote),
	  .doc = "What clients may do from outside." },
};

static const struct config_table mqtt_table = {
	.name = "mqtt", .title = "mqtt", .fields = mqtt_fields, .n_fields = LEN(mqtt_fields),
	.size = sizeof(struct config_mqtt), .check = config_check_mqtt,
	.schema_rules = "{\"dependentRequired\":{\"cert_file\":[\"key_file\"],"
	                "\"key_file\":[\"cert_file\"]}},"
	                "{\"not\":{\"required\":[\"password_file\",\"password_env\"]}},"
	                "{\"if\":{\"properties\":{\"protocol\":{\"enum\":[3,4,\"3.1.1\"]}},"
	                "\"required\":[\"protocol\"],\"anyOf\":[{\"required\":[\"password_file\"]},"
	                "{\"required\":[\"password_env\"]}]},"
	                "\"then\":{\"required\":[\"username\"]}}",
};

static const char *const syncs[] = { "always", "batch", "never", NULL };
static const char *const whens[] = { "always", "when_away", NULL };
static const char *const fulls[] = { "drop_oldest", "reject_new", NULL };

static const struct config_field outbox_fields[] = {
	{ .key = "sync", .type = CONFIG_ENUM, .initial = "batch", .values = syncs,
	  CONFIG_MEMBER(struct config_outbox, sync),
	  .doc = "When written events are flushed and so survive a power cut: `always` (before an "
	         "event is sent), `batch` (every 50 ms), `never` (when the system decides). With "
	         "every value a killed process loses nothing that was sent." },
	{ .key = "disk", .type = CONFIG_ENUM, .initial = "always", .values = whens,
	  CONFIG_MEMBER(struct config_outbox, when),
	  .doc = "Which events are written to `gateway.state_dir`: every event of QoS 1 "
	         "(`always`), or, to spare an SD card, events only while the broker is away or "
	         "takes more than 5 s to acknowledge (`when_away`). With `when_away` a killed "
	         "process loses what was not acknowledged; `gateway.gap` with the reason `killed` "
	         "names it." },
	{ .key = "full", .type = CONFIG_ENUM, .initial = "drop_oldest", .values = fulls,
	  CONFIG_MEMBER(struct config_outbox, full),
	  .doc = "What to drop when `limits.outbox_events`, `limits.outbox_bytes` or "
	         "`limits.outbox_memory_bytes` is reached: the oldest message, or for the last of "
	         "these limits the oldest that is not on disk (`drop_oldest`), or the new message "
	         "(`reject_new`). `gateway.gap` names the dropped events." },
};

static const struct config_table outbox_table = {
	.name = "outbox", .title = "outbox", .fields = outbox_fields,
	.n_fields = LEN(outbox_fields), .size = sizeof(struct config_outbox),
};

#define LIMIT(key_, member_, min_, max_, initial_, doc_)                                          \
	{                                                                                         \
		.key = key_, .type = CONFIG_UINT, .min = min_, .max = max_, .initial = initial_,  \
		CONFIG_MEMBER(struct config_limits, member_), .doc = doc_                         \
	}

static const struct config_field limits_fields[] = {
	LIMIT("config_bytes", config_bytes, 1024, 16777216, "4194304",
	      "Size of the configuration, all files together."),
	LIMIT("payload_bytes", payload_bytes, 64, 16777216, "65536",
	      "Size of an incoming payload, and in the configuration of one `data`, `metadata`, "
	      "playlist or gesture, written compactly."),
	LIMIT("json_depth", bus.json_depth, 4, 256, "32",
	      "Nesting of arrays and objects in a payload and in the configuration. The enclosing "
	      "levels count: `data` of a step begins five levels deep in the file."),
	LIMIT("definitions", bus.definitions, 1, 1000000, "10000",
	      "Playlists and gestures together, including those made by command."),
	LIMIT("kept_definition_bytes", kept_definition_bytes, 4096, 1073741824, "16777216",
	      "Bytes of the definitions made by command, as stored in `gateway.state_dir`. A "
	      "`define` that would exceed the limit is refused."),
	LIMIT("active_runs", bus.active_runs, 1, 10000000, "100000",
	      "Runs of all playlists, including waiting ones."),
	LIMIT("quote_bytes", bus.quote_bytes, 64, 16777216, "65536",
	      "Data of one event that another event quotes (`trigger_event`, `interrupt_event`). "
	      "Larger data is omitted and marked by `data_omitted`."),
	LIMIT("state_entries", bus.state_entries, 16, 10000000, "65536",
	      "Latest events kept, one for each event type and producer."),
	LIMIT("state_bytes", bus.state_bytes, 65536, 1099511627776, "16777216",
	      "Bytes of the latest events kept. If a value does not fit, neither it nor the one "
	      "before is kept: no condition on it holds, negated or not."),
	LIMIT("trigger_bytes", bus.trigger_bytes, 65536, 1099511627776, "16777216",
	      "Data that triggered active runs, kept for waiting runs and across a restart. Shared "
	      "data counts once. A run whose data does not fit continues without it."),
	LIMIT("cascade_depth", bus.cascade_depth, 1, 1000, "32",
	      "Length of a chain of events that lead to one another. A loop is cut there and "
	      "reported."),
	LIMIT("commands_per_second", commands_per_second, 1, 1000000, "1000",
	      "Commands accepted a second. Commands beyond the limit get the reply `limit`."),
	LIMIT("emits_per_second", emits_per_second, 1, 1000000, "5000",
	      "Events accepted a second from outside, by `P/emit` and `event/emit` together. "
	      "Events beyond the limit are refused, by `gateway.refused` or the reply `limit`."),
	LIMIT("emit_bytes_per_second", emit_bytes_per_second, 65536, 17179869184, "8388608",
	      "Bytes accepted a second of the payloads of `P/emit` and `event/emit` together. "
	      "Events beyond the limit are refused in the same way. A payload larger than the "
	      "limit is accepted if none was accepted for a second; the next has to wait until the "
	      "rate is within the limit again."),
	LIMIT("events_per_second", playlist.events_per_second, 1, 10000000, "10000",
	      "Events of the steps of one run in any one second. A playlist with more is refused "
	      "when it is defined."),
	{ .key = "shortest_interval", .type = CONFIG_DURATION, .initial = "100us", .min = 1000,
	  .max = NS_PER_S, CONFIG_MEMBER(struct config_limits, playlist.shortest_interval_ns),
	  .doc = "Shortest `interval` of a step that repeats." },
	LIMIT("outbox_events", outbox_events, 16, 100000000, "1000000",
	      "Messages waiting for the broker, in memory and on disk together. At the limit "
	      "`outbox.full` decides which is dropped; `gateway.gap` names it."),
	LIMIT("outbox_bytes", outbox_bytes, 65536, 1099511627776, "268435456",
	      "Bytes waiting for the broker."),
	LIMIT("outbox_memory_bytes", outbox_memory_bytes, 65536, 1099511627776, "67108864",
	      "With `gateway.state_dir`, how many of these bytes may be in memory and not on disk: "
	      "while the disk is slow, hangs or fails, and for messages of QoS 0. At the limit "
	      "`outbox.full` decides which is dropped."),
	LIMIT("inbox_messages", inbox_messages, 16, 1000000, "10000",
	      "Messages received and not yet handled. The limit applies separately to emits and to "
	      "commands."),
	LIMIT("inbox_bytes", inbox_bytes, 65536, 1099511627776, "33554432",
	      "Bytes received and not yet handled. The limit applies separately to emits and to "
	      "commands. One message of `payload_bytes` always fits."),
	LIMIT("event_types", bus.event_types, 64, 10000000, "65536",
	      "Distinct event types seen since the start. The limit applies separately to types "
	      "from outside and to types in definitions and inputs. The gateway's own types do not "
	      "count."),
	LIMIT("queue_events", bus.queue_events, 64, 10000000, "65536",
	      "Events waiting for dispatch, and events that follow from one event at the same "
	      "point in time, including through steps at `offset` 0."),
	LIMIT("queue_bytes", bus.queue_bytes, 65536, 1099511627776, "67108864",
	      "Bytes of the data of events waiting for dispatch. Shared data counts for each "
	      "event."),
	LIMIT("gesture_bytes", bus.gesture_bytes, 65536, 1099511627776, "16777216",
	      "Bytes that all gestures together keep until they fire. Beyond the limit the least "
	      "recently seen producer is evicted."),
	LIMIT("gesture_producers", bus.gesture_producers, 1, 1000000, "1024",
	      "Producers that one gesture distinguishes. Beyond the limit the least recently seen "
	      "producer is evicted."),
};

static const struct config_table limits_table = {
	.name = "limits", .title = "limits", .fields = limits_fields,
	.n_fields = LEN(limits_fields),
	.size = sizeof(struct config_limits),
};

/* `limits` must come first: fields are read in this order, and limits bound the others. */
static const struct config_field root_fields[] = {
	{ .key = "version", .type = CONFIG_UINT, .min = 1, .max = 1, .initial = "1",
	  .doc = "Version of this format." },
	{ .key = "gateway", .type = CONFIG_STRUCT, .required = true, .table = &gateway_table,
	  CONFIG_MEMBER(struct config, gateway), .doc = "The gateway itself." },
	{ .key = "limits", .type = CONFIG_STRUCT, .table = &limits_table,
	  CONFIG_MEMBER(struct config, limits),
	  .doc = "Bounds on everything that outside input controls. What exceeds them is counted "
	         "in `P/health`." },
	{ .key = "mqtt", .type = CONFIG_STRUCT, .table = &mqtt_table,
	  CONFIG_MEMBER(struct config, mqtt),
	  .doc = "The broker and how events are published." },
	{ .key = "outbox", .type = CONFIG_STRUCT, .table = &outbox_table,
	  CONFIG_MEMBER(struct config, outbox),
	  .doc = "How messages that wait for the broker are stored in `gateway.state_dir`." },
	{ .key = "inputs", .type = CONFIG_MAP, .table = &config_table_input,
	  CONFIG_MEMBER(struct config, inputs), CONFIG_COUNT(struct config, n_inputs),
	  .doc = "Buttons, switches and dials, by name." },
	{ .key = "outputs", .type = CONFIG_MAP, .table = &config_table_output,
	  CONFIG_MEMBER(struct config, outputs), CONFIG_COUNT(struct config, n_outputs),
	  .doc = "Lines driven by events, by name." },
	{ .key = "gestures", .type = CONFIG_MAP, .table = &config_table_gesture,
	  CONFIG_MEMBER(struct config, gestures), CONFIG_COUNT(struct config, n_gestures),
	  .doc = "Detectors that turn events into other events, by name." },
	{ .key = "playlists", .type = CONFIG_MAP, .table = &config_table_playlist,
	  CONFIG_MEMBER(struct config, playlists), CONFIG_COUNT(struct config, n_playlists),
	  .doc = "Timed sequences of events, by name." },
};

const struct config_table config_table_root = {
	.name = "config", .title = "The file", .fields = root_fields, .n_fields = LEN(root_fields),
	.size = sizeof(struct config),
};

/* clang-format on */

const struct config_field *config_table_find(const struct config_table *table, const char *key)
{
	for (size_t i = 0; i < table->n_fields; i++) {
		if (strcmp(table->fields[i].key, key) == 0)
			return &table->fields[i];
	}
	return NULL;
}
