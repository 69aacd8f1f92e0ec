/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_model.h
 * @brief The configuration as the service uses it: the structs, and what can be asked of them.
 *
 * config_load() (config.h) fills this. The whole belongs to one config and is freed with it; it is
 * never changed afterwards (a reload makes a new one). So any thread may read it.
 */
#ifndef CUEBUS_CONFIG_MODEL_H
#define CUEBUS_CONFIG_MODEL_H

#include <cuebus/bus.h>
#include <cuebus/gesture.h>
#include <cuebus/playlist.h>
#include <drivers/decoder.h>
#include <drivers/driver.h>

#include "outbox_types.h"

#define CONFIG_QOS_OFF (-1)

struct config_gateway {
	char *id;
	char *state_dir;             /**< NULL: keep nothing on disk. */
	uint64_t health_interval_ns; /**< default 10 s */
	uint64_t scheduler_slack_ns; /**< default 0 */
};

struct config_qos_rule {
	char *pattern; /**< a type, or a prefix ending in ".*" */
	int qos;       /**< 0, 1 or CONFIG_QOS_OFF */
};

/** Groups of commands in mqtt.remote.cmd: those of config_use_commands(), and all. */
#define CONFIG_ALLOW_USE   "use"
#define CONFIG_ALLOW_ADMIN "admin"

/** What is allowed from outside. All zero: everything. */
struct config_allow {
	bool limited; /**< allow only `patterns`; without patterns nothing */
	const char **patterns;
	size_t n;
};

struct config_remote {
	struct config_allow emit; /**< event types and prefixes ending in ".*" */
	/** nouns, noun/verb, CONFIG_ALLOW_USE, CONFIG_ALLOW_ADMIN; default use */
	struct config_allow cmd;
	bool inputs; /**< the event types of local inputs may come from outside; default false */
};

struct config_mqtt {
	char *url; /**< mqtt://host[:1883] or mqtts://host[:8883]; default mqtt://localhost:1883 */
	char *username;
	char *password_file;
	char *password_env; /**< name of the environment variable that holds the password */
	char *ca_file;
	char *cert_file;
	char *key_file;
	char *client_id;    /**< default "cuebus-" and the gateway's id */
	char *topic_prefix; /**< default "cuebus" */
	int protocol;       /**< 5 or 4 (written 5 or 3 / "3.1.1" in the file) */
	uint64_t keepalive_ns;
	uint32_t window; /**< QoS 1 messages unacknowledged at most; default 20 */
	bool homeassistant;
	char **reply_prefixes;
	size_t n_reply_prefixes;
	struct config_qos_rule *qos;
	size_t n_qos;
	struct config_remote remote;
};

struct config_outbox {
	enum outbox_sync sync; /**< default batch */
	enum outbox_when when; /**< `disk`; default always */
	enum outbox_full full; /**< default drop_oldest */
};

/** As it is written. config_check_input() completes `bounds` and copies them to the decoder. */
struct config_range {
	struct decoder_range bounds;
	bool restore;
};

struct config_input {
	char *name;
	char *driver; /**< gpio, sim, replay */
	char *chip;
	char *lines[DRIVER_LINES_MAX];
	size_t n_lines;
	enum driver_bias bias;
	bool active_low;
	char *file; /**< replay */
	struct decoder_config decoder;
	struct config_range range;
	uint32_t producer_id;
	char *event;
	char *release_event;      /**< NULL: none */
	struct cue_payload *data; /**< an object merged into every event's data, or NULL */
	/** counter, rotary: the value survives a restart; also set by `range.restore` */
	bool restore;
};

/** One entry of an output's `map`. */
struct config_output_text {
	const char *text;
	bool level;
};

struct config_output {
	char *name;
	char *driver; /**< gpio, sim */
	char *chip;
	char *line; /**< NULL: none (sim) */
	bool active_low;
	uint32_t safe_value; /**< 0 or 1 */
	char *on_event;
	char *value; /**< JSON Pointer into the event's data, "" the data itself */
	/** texts that stand for a level, in the order of the file */
	struct config_output_text *map;
	size_t n_map;
};

struct config_limits {
	struct cue_limits bus;
	uint64_t config_bytes;          /**< 4 MiB */
	uint64_t payload_bytes;         /**< 64 KiB */
	uint64_t outbox_events;         /**< 1,000,000 */
	uint64_t outbox_bytes;          /**< 256 MiB */
	uint64_t outbox_memory_bytes;   /**< 64 MiB */
	uint64_t kept_definition_bytes; /**< 16 MiB */
	struct cue_playlist_limits playlist;
	uint64_t emit_bytes_per_second; /**< 8 MiB: payloads of emits from outside */
	uint64_t inbox_bytes;           /**< 32 MiB: for emits, and the same for commands */
	uint32_t commands_per_second;   /**< 1,000 */
	uint32_t emits_per_second;      /**< 5,000: from outside, all together */
	uint32_t inbox_messages;        /**< 10,000 */
};

/** A playlist or gesture with everything that its config struct points to, and its JSON text. */
struct config_playlist {
	struct cue_playlist_config def;
	struct cue_payload *json; /**< the definition, compact, as written (without name) */
};
/** What a gesture emits: one event type, or those of a click. */
struct config_gesture_emit {
	bool is_object;
	const char *type;               /**< NULL: none */
	const char *clicks[CUE_CLICKS]; /**< by enum cue_click */
};
struct config_gesture {
	struct cue_gesture_config def;
	struct config_gesture_emit emit; /**< as read; `def` has it too */
	struct cue_payload *json;
};

struct jsonc_node;

struct config_names {
	const char **items; /**< sorted */
	size_t n;
};

struct config {
	struct config_gateway gateway;
	struct config_mqtt mqtt;
	struct config_outbox outbox;
	struct config_limits limits;
	struct config_input *inputs;
	size_t n_inputs;
	struct config_output *outputs;
	size_t n_outputs;
	struct config_gesture *gestures;
	size_t n_gestures;
	struct config_playlist *playlists;
	size_t n_playlists;
	/** the merged configuration as JSON with secrets masked (config/get) */
	struct cue_payload *masked;
	char hash[17]; /**< 16 hex digits over `masked` (P/info) */
	/** the values taken from the environment, which no text may show */
	struct hide *hide;
	/** private: see config_has_playlist() */
	struct config_names playlist_names, gesture_names;
	void *arena;                   /**< private: owns the strings */
	const struct jsonc_node *root; /**< private: the merged tree, owned by the arena */
};

/** A place in the configuration. */
struct config_place {
	const char *file; /**< the configuration's */
	unsigned line, column;
};

/**
 * @param path JSON Pointer without escapes, e.g. "/gateway/id".
 * @return the place of the value, or of the innermost enclosing object that exists. `file` is
 *         borrowed from @p config.
 */
struct config_place config_place_of(const struct config *config, const char *path);

/** Whether the configuration itself defines the name: no command may then use it. */
bool config_has_playlist(const struct config *config, const char *name);
bool config_has_gesture(const struct config *config, const char *name);
/** Origin of a definition in replies and views: "config" or "command"; static. */
const char *config_origin(bool configured);

/** QoS of an event type by longest match: 0, 1 (default) or CONFIG_QOS_OFF. */
int config_qos(const struct config_mqtt *mqtt, const char *event_type);

/** Whether mqtt.remote.emit allows a remote publisher to emit events of this type. */
bool config_allows_event(const struct config_allow *allow, const char *event_type);
/**
 * Why an event of this type may not be emitted from outside, directly or by a definition: it is
 * reserved, not in mqtt.remote.emit, or a local input's while mqtt.remote.inputs is false.
 * @param type an event type, or a prefix ending in ".*": then every type below it must be allowed.
 * @return a static text that completes "event type 'x' …"; NULL if it may be emitted.
 */
const char *config_remote_type_fault(const struct config *config, const char *type);
/** Whether the command @p name ("playlist/start", "ping") may be executed. */
bool config_allows_command(const struct config_allow *allow, const char *name);
/** The commands of the group `use`, including those of later versions; static, NULL-terminated. */
const char *const *config_use_commands(void);

#endif
