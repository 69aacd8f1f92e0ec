/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_table.h
 * @brief The one table from which the configuration is read and its JSON Schema and reference are
 *        generated.
 *
 * A table describes one object; a field one key of it: type, range, default, whether it is
 * required, and where its value is stored. The tables are constant and shared by all threads.
 */
#ifndef CUEBUS_CONFIG_TABLE_H
#define CUEBUS_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

struct config_reader;
struct jsonc_node;

/** Type of a field, and in brackets the C type that stores it. */
enum config_type {
	CONFIG_STRING,   /**< min to max bytes [char *] */
	CONFIG_PATH,     /**< a file or folder, not empty [char *] */
	CONFIG_URL,      /**< mqtt:// or mqtts:// [char *] */
	CONFIG_NAME,     /**< one level of a topic: no wildcard, no "/" [char *] */
	CONFIG_TOPIC,    /**< levels of a topic, no wildcard [char *] */
	CONFIG_TOPICS,   /**< array of them [char **, count] */
	CONFIG_BOOL,     /**< [bool] */
	CONFIG_UINT,     /**< min to max [uint32_t or uint64_t] */
	CONFIG_INT,      /**< min to max [int or int64_t] */
	CONFIG_DURATION, /**< min to max ns [uint64_t] */
	CONFIG_ENUM,     /**< one of `values` [its position: an enum, bool; `keeps_text`: char *] */
	CONFIG_PROTOCOL, /**< 5 or "3.1.1" [int, 5 or 4] */
	CONFIG_EVENT,    /**< an event type [char *] */
	CONFIG_EMIT,     /**< an event type that is not reserved [char *] */
	CONFIG_EVENTS,   /**< one event type or an array [const char *const *, count] */
	CONFIG_FILTER,   /**< an event type or {event, match} [struct cue_filter] */
	CONFIG_FILTERS,  /**< one filter or an array [const struct cue_filter *, count] */
	CONFIG_INTERRUPTS, /**< the same, where a filter may have a debounce */
	CONFIG_WHEN,       /**< a condition on the state store [const struct cJSON *] */
	CONFIG_DATA,       /**< any JSON [struct cue_payload *] */
	CONFIG_OBJECT,     /**< any JSON object [struct cue_payload *] */
	CONFIG_LINE,       /**< a line's name or offset [char *; or char *[], count] */
	CONFIG_LINES,      /**< min to max of them in an array [char *[], count] */
	CONFIG_POINTER,    /**< a JSON Pointer, or "" [char *] */
	/** true, false, or an array of event types and prefixes [struct config_allow] */
	CONFIG_ALLOW_EVENTS,
	/** "use", "admin", true, false, or an array of nouns, noun/verb and those
	 *  words [struct config_allow] */
	CONFIG_ALLOW_COMMANDS,
	CONFIG_QOS,    /**< pattern to 0, 1 or "off" [struct config_qos_rule *, count] */
	CONFIG_LEVELS, /**< text to true, false, 1 or 0 [struct config_output_text *, count] */
	/** an event type, or for a click an object of them [struct config_gesture_emit] */
	CONFIG_EMITS,
	CONFIG_VALUES, /**< min to max values, any JSON [struct cue_payload *const *, count] */
	CONFIG_PLACES, /**< event type to a place in the values [struct cue_cycle_set *, count] */
	CONFIG_STEERINGS, /**< event type to what it does [struct cue_steering *, count] */
	CONFIG_STRUCT,    /**< an object by `table` [the table's struct, in place] */
	CONFIG_MAP,       /**< name to object by `table` [array of the table's struct, count] */
	CONFIG_LIST,      /**< array of objects by `table` [array of the table's struct, count] */
};

struct config_field {
	const char *key;
	enum config_type type;
	bool required;        /**< in every variant */
	bool not_implemented; /**< read and checked; a warning unless it is the default */
	/** CONFIG_STRUCT: if the key is missing, leave the member zero, without defaults */
	bool optional;
	uint32_t variants;    /**< variants that have the key; 0: all */
	uint32_t required_in; /**< variants in which the key is required */
	int64_t min, max;     /**< see enum config_type; both 0: no bound */
	const char *initial;  /**< the default as written in a file, without quotes; NULL: none */
	const char *const *values; /**< CONFIG_ENUM; NULL-terminated */
	bool keeps_text;           /**< CONFIG_ENUM: store the value itself, not its position */
	const char *const *later;  /**< values that are known but not implemented yet */
	const struct config_table *table;
	size_t offset, size; /**< of the member; size 0: checked, not stored */
	size_t count_offset; /**< of the size_t beside an array */
	const char *doc;     /**< one or two sentences, Markdown */
};

/** A key (of type CONFIG_ENUM) whose value decides which other keys are allowed. */
struct config_variant {
	const char *key;
	unsigned shift;              /**< value i is the bit 1 << (shift + i) */
	enum diag_severity severity; /**< of a key that is not allowed */
};

#define CONFIG_VARIANTS_MAX 2U

struct config_table {
	const char *name;  /**< of the definition in the schema, e.g. "playlist" */
	const char *title; /**< heading in the reference */
	const struct config_field *fields;
	size_t n_fields;
	struct config_variant variants[CONFIG_VARIANTS_MAX]; /**< key NULL: none */
	size_t size;        /**< of the struct; for CONFIG_MAP and CONFIG_LIST */
	size_t name_offset; /**< CONFIG_MAP: of the member that takes the name */
	/** Rules across fields, as members of the schema's `allOf`; JSON text or NULL. */
	const char *schema_rules;
	/**
	 * Called after every field was read, to check rules across fields; may be NULL. @p sound:
	 * no error was found so far in this object.
	 */
	void (*check)(struct config_reader *reader, const struct jsonc_node *node, void *object,
	              bool sound);
};

extern const struct config_table config_table_root;
extern const struct config_table config_table_input;
extern const struct config_table config_table_output;
extern const struct config_table config_table_gesture;
extern const struct config_table config_table_playlist;

/** @return the field, or NULL if the table has no such key. */
const struct config_field *config_table_find(const struct config_table *table, const char *key);

#define CONFIG_MEMBER(struct_, member_)                                                            \
	.offset = offsetof(struct_, member_), .size = sizeof(((struct_ *)0)->member_)
#define CONFIG_COUNT(struct_, member_) .count_offset = offsetof(struct_, member_)

#endif
