/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jsonc.h
 * @brief JSON (RFC 8259) with comments and trailing commas, as a tree with the place of every key
 *        and value.
 *
 * Numbers keep their spelling, strings are decoded. Text must be UTF-8; a string can't contain
 * U+0000. Thread: the caller's.
 */
#ifndef CUEBUS_JSONC_H
#define CUEBUS_JSONC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "diag.h"

enum jsonc_type { JSONC_NULL, JSONC_BOOL, JSONC_NUMBER, JSONC_STRING, JSONC_ARRAY, JSONC_OBJECT };

struct jsonc_place {
	unsigned line;   /**< from 1 */
	unsigned column; /**< from 1, in bytes */
	size_t offset;   /**< bytes from the start of the text */
};

/** All pointers belong to the arena of jsonc_parse(). */
struct jsonc_node {
	enum jsonc_type type;
	bool boolean;
	const char *text; /**< string: decoded; number: as spelled; else NULL. NUL-terminated. */
	size_t text_len;
	const char *written; /**< string: the text before a substitution; else NULL. */
	bool broken; /**< string: its substitution failed, which was reported; do not use it. */
	const char *file;
	struct jsonc_place place;
	size_t end_offset; /**< one past the value's last byte */

	const char *key; /**< NULL if the parent is not an object. */
	struct jsonc_place key_place;
	size_t index; /**< among its parent's children */
	struct jsonc_node *parent, *next;

	struct jsonc_node *first, *last; /**< children of an array or object */
	size_t n;
};

/** A text to parse. */
struct jsonc_source {
	const char *file; /**< its name in findings; copied */
	const char *text; /**< untrusted, need not be NUL-terminated; borrowed for the call */
	size_t len;
};

struct jsonc_options {
	bool strict;        /**< no comments, no trailing commas, no byte order mark */
	unsigned max_depth; /**< nesting of arrays and objects; 0: CUE_JSON_DEPTH_DEFAULT */
};

/**
 * Parse one text.
 *
 * A key given twice in an object is an error in @p diag (rule `duplicate-key`); the first one
 * counts, and parsing continues. The first syntax error ends it (rule `syntax`).
 *
 * @return 0 (see diag->n_errors for duplicates); -EINVAL, reported in @p diag; -ENOMEM.
 */
int jsonc_parse(struct arena *arena, const struct jsonc_source *source,
                const struct jsonc_options *options, struct diag *diag,
                struct jsonc_node **ret_root);

/**
 * Report every key given twice in an object of the tree (rule `duplicate-key`) and keep the first
 * of each. jsonc_parse() does this.
 * @return 0, also with duplicates; -ENOMEM.
 */
int jsonc_drop_duplicates(struct jsonc_node *root, struct diag *diag);

/** An object's member; NULL if there is none or @p object is not an object. Takes linear time. */
struct jsonc_node *jsonc_get(const struct jsonc_node *object, const char *key);

/** Append as an object's member or an array's element; the node must have no parent. */
void jsonc_append(struct jsonc_node *parent, struct jsonc_node *child);
/** Remove the node from its parent. */
void jsonc_remove(struct jsonc_node *child);

/** The JSON Pointer from the root, malloc()ed; NULL if memory runs out. */
char *jsonc_pointer(const struct jsonc_node *node);

/**
 * The node at a JSON Pointer relative to @p node, or the last existing node on the way. Index 0 of
 * a value that is not an array is the value itself: a single value may stand for a list of one.
 */
const struct jsonc_node *jsonc_resolve(const struct jsonc_node *node, const char *pointer);

/**
 * Read an integer in any spelling (`7`, `7.0`, `70e-1`), exact over all 64 bits.
 * @return 0; -EINVAL not a number, or not an integer; -ERANGE outside of the type. @p ret_value is
 *         untouched on failure.
 */
int jsonc_u64(const struct jsonc_node *node, uint64_t *ret_value);
int jsonc_i64(const struct jsonc_node *node, int64_t *ret_value);

/** "a string", "an object" … for messages. */
const char *jsonc_type_name(enum jsonc_type type);

#define JSONC_QUOTE_SIZE 72U
/** A text in quotation marks for a message. A long text is cut at a character; characters that a
 * terminal would not show are escaped. @return @p buf. */
const char *jsonc_quote(char buf[JSONC_QUOTE_SIZE], const char *text);

/** The @p i-th element of an array, from 0; of any other value that value, which stands for a list
 *  of one. @p i is below the array's length. */
const struct jsonc_node *jsonc_element(const struct jsonc_node *list, size_t i);

#endif
