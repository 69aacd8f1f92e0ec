/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file match.h
 * @brief Predicates: `match` on an event's data, `when` on the state store.
 *
 * match: an object of field (or JSON Pointer, RFC 6901, when it begins with
 * "/") to a value (equal) or to an object of the operators
 * `eq ne lt le gt ge in exists truthy`; all must hold. A field that is absent
 * satisfies only `exists:false`, `truthy:false` and `ne`. Ordering operators
 * hold between two numbers or two strings (byte order), else not. An object
 * with no operator key is a value, compared deeply; one with a word that other
 * languages use for an operator (`gte`, `==`, `equals`) is refused, with the
 * right name. `{"eq": object}` compares with any object. Numbers are compared as
 * doubles, so integers beyond 2^53 may compare equal to their neighbours.
 *
 * when: `{"state":type,"producer_id"?,"match"?|"truthy"?}`, combined with
 * `all` (array), `any` (array), `not` (condition). With neither match nor
 * truthy the default gate predicate applies. A state never seen makes the
 * atom false, except `truthy:false`. `truthy` asks the gate predicate
 * (cue_payload_gate()) of the state's data to be true or false.
 *
 * A predicate is compiled once and keeps copies of all it needs. Threads: a
 * compiled predicate is never changed; evaluating one parses the payload and
 * so belongs on the bus's thread.
 */
#ifndef CUEBUS_MATCH_H
#define CUEBUS_MATCH_H

#include <cuebus/api.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct cue_bus;
struct cue_payload;
struct cue_match;
struct cue_when;

/** A predicate nests arrays and objects at most this deep. */
#define CUE_PREDICATE_DEPTH_MAX 16U
/** A predicate consists of at most this many JSON values, itself included. */
#define CUE_PREDICATE_VALUES_MAX 256U

/** Where a predicate is wrong. */
struct cue_predicate_error {
	/** JSON Pointer from the predicate's root, "" the root itself. Where the
	 *  whole does not fit: to the innermost enclosing value that does. */
	char path[128];
	char text[160]; /**< what is wrong and what would be right. */
};

/**
 * Compile a match.
 * @param json      borrowed for the call.
 * @param ret_error optional; filled on -EINVAL.
 * @return 0; -EINVAL malformed or over a limit above; -ENOMEM. Freed with
 *         cue_match_free().
 */
CUE_API int cue_match_new(const struct cJSON *json, struct cue_match **ret_match,
                          struct cue_predicate_error *ret_error);
/** NULL is allowed. @return NULL. */
CUE_API struct cue_match *cue_match_free(struct cue_match *match);
/** NULL matches everything. Reads the bytes up to what is asked for; a value that is compared is
 *  copied if it is a long string, an array or an object: without memory for that, false. */
CUE_API bool cue_match_eval(const struct cue_match *match, const struct cue_payload *payload);

/** Compile a condition; parameters and errors as cue_match_new(). Freed with cue_when_free(). */
CUE_API int cue_when_new(const struct cJSON *json, struct cue_when **ret_when,
                         struct cue_predicate_error *ret_error);
/** NULL is allowed. @return NULL. */
CUE_API struct cue_when *cue_when_free(struct cue_when *when);
/** Evaluate against the bus's state store as it is now. */
CUE_API bool cue_when_eval(const struct cue_when *when, const struct cue_bus *bus);
/** Visit each state's event type (for lint); non-zero stops. */
CUE_API int cue_when_foreach_type(const struct cue_when *when,
                                  int (*visit)(void *user, const char *type), void *user);

/** An event type and a predicate on its data. As used in definitions. */
struct cue_filter {
	const char *type;
	const struct cJSON *match; /**< NULL: any data. */
	/** Of a playlist's interrupts only: its own debounce in place of the
	 *  playlist's interrupt_debounce_ns. */
	bool has_debounce;
	uint64_t debounce_ns;
};

#endif
