/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file match.h
 * @brief Predicates: `match` on an event's data, `when` on the state store.
 *
 * match: an object whose keys are fields, or JSON Pointers (RFC 6901) if they begin with "/". Each
 * has a value (equal to it) or an object of the operators `eq ne lt le gt ge in exists truthy`; all
 * must hold. An absent field satisfies only `exists:false`, `truthy:false` and `ne`. Ordering
 * operators hold only between two numbers or two strings (byte order). An object without an
 * operator key is a value, compared deeply. An object with an operator of another language (`gte`,
 * `==`, `equals`) is refused; the error names the right operator. `{"eq": object}` compares with
 * any object. Numbers are compared as doubles, so integers beyond 2^53 may compare equal to their
 * neighbours.
 *
 * when: `{"state":type,"producer_id"?,"match"?|"truthy"?}`, combined with
 * `all` (array), `any` (array), `not` (condition). With neither match nor truthy the default gate
 * predicate applies. A state that was never seen makes the condition false, except `truthy:false`.
 * `truthy` compares the gate predicate (cue_payload_gate()) of the state's data with true or false.
 *
 * A predicate is compiled once and copies everything it needs. Threads: a compiled predicate is
 * immutable; evaluation parses the payload and must run on the bus's thread.
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

/** The error in a predicate. */
struct cue_predicate_error {
	/** JSON Pointer from the predicate's root, "" is the root itself. If the pointer is too
	 * long: to the innermost enclosing value whose pointer fits. */
	char path[128];
	char text[160]; /**< the error and the remedy. */
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
/** Evaluate a match; NULL matches everything. Reads the bytes only up to the fields that it needs.
 * A long string, an array or an object is copied to compare it; if memory runs out, the result is
 * false. */
CUE_API bool cue_match_eval(const struct cue_match *match, const struct cue_payload *payload);

/** Compile a condition; parameters and errors as cue_match_new(). Freed with cue_when_free(). */
CUE_API int cue_when_new(const struct cJSON *json, struct cue_when **ret_when,
                         struct cue_predicate_error *ret_error);
/** NULL is allowed. @return NULL. */
CUE_API struct cue_when *cue_when_free(struct cue_when *when);
/** Evaluate against the bus's state store as it is now. */
CUE_API bool cue_when_eval(const struct cue_when *when, const struct cue_bus *bus);
/** Visit the event type of each state (for lint). A non-zero result of @p visit stops and is
 * returned. */
CUE_API int cue_when_foreach_type(const struct cue_when *when,
                                  int (*visit)(void *user, const char *type), void *user);

/** An event type and a predicate on its data, as used in definitions. */
struct cue_filter {
	const char *type;
	const struct cJSON *match; /**< NULL: any data. */
	/** Only for a playlist's interrupts: the filter's own debounce replaces the playlist's
	 * interrupt_debounce_ns. */
	bool has_debounce;
	uint64_t debounce_ns;
};

#endif
