/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_reader.h
 * @brief Private to config*.c: fill structs from a tree, by the table.
 */
#ifndef CUEBUS_CONFIG_READER_H
#define CUEBUS_CONFIG_READER_H

#include "arena.h"
#include "config_model.h"
#include "config_table.h"
#include "jsonc.h"

struct config_reader {
	struct arena *arena;
	struct diag *diag;
	const struct config_limits *limits; /**< limits in force for the values read */
	size_t skipped;                     /**< broken strings skipped */
	bool local;   /**< the configuration is from this machine: its files may be checked */
	bool foreign; /**< the configuration is from a message: it must not use the environment */
	int error;    /**< sticky: -ENOMEM */
};

/** A finding at a node's value. */
__attribute__((format(printf, 5, 6))) void
config_finding(struct config_reader *reader, enum diag_severity severity,
               const struct jsonc_node *node, const char *rule, const char *format, ...);
/** A finding at a member's key. */
__attribute__((format(printf, 5, 6))) void
config_key_finding(struct config_reader *reader, enum diag_severity severity,
                   const struct jsonc_node *node, const char *rule, const char *format, ...);

/** arena_alloc() that stores a failure in reader->error. */
void *config_alloc(struct config_reader *reader, size_t n, size_t size);

/** A string node's text for a message: as written, so that it shows no value of the environment. */
const char *config_quote(char buf[JSONC_QUOTE_SIZE], const struct jsonc_node *node);

/** Fill @p object with the defaults and the values of @p node, then call the table's check. */
void config_read_struct(struct config_reader *reader, const struct config_table *table,
                        const struct jsonc_node *node, void *object);

/** Scalars (config_read_scalar.c): store at @p at. */
void config_read_scalar(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node, void *object);
/** Names, topics, URLs, event types (config_read_text.c). A field without a key is an object's
 * name. @return false: reported. */
bool config_check_text(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node);
/** Filters, conditions, data, lines, QoS (config_read_json.c, config_read_list.c). */
void config_read_json(struct config_reader *reader, const struct config_field *field,
                      const struct jsonc_node *node, void *object);
void config_read_list(struct config_reader *reader, const struct config_field *field,
                      const struct jsonc_node *node, void *object);

/** An output's texts for its levels (config_read_levels.c). */
void config_read_levels(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node, void *object);

/** What steers a playlist's runs (config_read_steerings.c). */
void config_read_steerings(struct config_reader *reader, const struct config_field *field,
                           const struct jsonc_node *node, void *object);

/** `emit` of a gesture, `values` and `set` of a cycle (config_read_gesture.c). */
void config_read_gesture(struct config_reader *reader, const struct config_field *field,
                         const struct jsonc_node *node, void *object);

/** What is allowed from outside (config_read_allow.c). */
void config_read_allow(struct config_reader *reader, const struct config_field *field,
                       const struct jsonc_node *node, void *object);

/** Any JSON as a payload that is valid as long as the arena; NULL: reported, or no memory. */
struct cue_payload *config_payload(struct config_reader *reader, const struct jsonc_node *node);
/** One filter: an event type or {event, match}. @return false: reported. */
bool config_filter(struct config_reader *reader, const struct config_field *field,
                   const struct jsonc_node *node, struct cue_filter *ret_filter);

/** Check the node's type. @return false: reported. */
bool config_expect(struct config_reader *reader, const struct config_field *field,
                   const struct jsonc_node *node, enum jsonc_type type);

/** Check for an object of at most field->max entries. @return false: reported. */
bool config_expect_entries(struct config_reader *reader, const struct config_field *field,
                           const struct jsonc_node *node);

/** Whether an array has field->min to field->max elements. @return false: reported. */
bool config_check_count(struct config_reader *reader, const struct config_field *field,
                        const struct jsonc_node *node);
/** Put @p array and its length where the field is in @p object;
 *  nowhere if the field has no place. */
void config_store_array(const struct config_field *field, void *object, void *array, size_t n);

/** Whether the key begins with "x-" and is ignored. */
bool config_key_is_free(const char *key);

#endif
