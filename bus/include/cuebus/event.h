/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file event.h
 * @brief The event value, event types and ids.
 */
#ifndef CUEBUS_EVENT_H
#define CUEBUS_EVENT_H

#include <cuebus/api.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cue_payload;
struct cue_type;

#define CUE_NS_PER_US 1000ULL
#define CUE_NS_PER_MS 1000000ULL
#define CUE_NS_PER_S  1000000000ULL

/** "No deadline", "no time given". */
#define CUE_TIME_NONE UINT64_MAX

#define CUE_TYPE_MAX_LEN      128U
#define CUE_TYPE_MAX_SEGMENTS 8U

/**
 * One event, as handlers see it. Passed by const pointer, valid only during the callback. To keep
 * it, copy the struct and take a reference on `payload` (`type` lives as long as the bus).
 */
struct cue_event {
	/** CLOCK_MONOTONIC; for an input the kernel's time. May be earlier than the bus's now,
	 * never later. */
	uint64_t time_ns;
	/** Counts events of numbered types from 1 without gaps; 0 for an event of a type that is
	 * not numbered. */
	uint64_t seq;
	uint64_t cause_seq; /**< seq of the nearest numbered event that led to this one; 0 none. */
	const struct cue_type *type; /**< Interned: equal types are equal pointers. */
	struct cue_payload *payload; /**< Never NULL. Borrowed from the bus. */
	uint32_t producer_id;
	uint32_t origin; /**< The gesture that emitted the event; 0 none. */
	/** Number of events between this one and its outside cause. */
	uint16_t depth;
	bool outside; /**< See cue_emit. */
};

/** A type's name, NUL-terminated, e.g. "button.press". Lives as long as the bus. */
CUE_API const char *cue_type_name(const struct cue_type *type);
/** The name of an event's type, as cue_type_name(). */
CUE_API const char *cue_event_type_name(const struct cue_event *event);

/**
 * Whether @p name is a well-formed event type: 1 to 8 segments of `[a-z0-9_-]+` joined by dots, 128
 * characters at most.
 * @param ret_reason optional; on false a static text that names the error.
 */
CUE_API bool cue_type_is_valid(const char *name, size_t len, const char **ret_reason);

/**
 * Whether @p name begins with one of the reserved first segments `event`, `gateway`, `gesture` or
 * `input`. No remote publisher, playlist or configured gesture may emit such a type.
 */
CUE_API bool cue_type_is_reserved(const char *name);

/** A 128-bit id, printed as 32 lower-case hex digits. */
struct cue_id {
	uint8_t bytes[16];
};

#define CUE_ID_TEXT_SIZE 33U

/** Write the id as 32 lower-case hex digits and a NUL. */
CUE_API void cue_id_format(const struct cue_id *id, char text[CUE_ID_TEXT_SIZE]);
/** Parse an id as written by cue_id_format(), in either case. @return 0; -EINVAL: @p text is not
 * exactly 32 hex digits, @p ret_id is unchanged. */
CUE_API int cue_id_parse(const char *text, struct cue_id *ret_id);
/** Whether both are the same 16 bytes. */
CUE_API bool cue_id_equal(const struct cue_id *a, const struct cue_id *b);
/**
 * A stable id from two names: FNV-1a, 128 bit (Fowler, Noll, Vo; public
 * domain), over @p space, a 0 byte and @p name. Not cryptographic.
 */
CUE_API void cue_id_derive(const char *space, const char *name, struct cue_id *ret_id);

#endif
