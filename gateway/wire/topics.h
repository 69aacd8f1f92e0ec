/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file topics.h
 * @brief The topics below P = `<topic_prefix>/1/<gateway id>`.
 *
 * Immutable; any thread may read it.
 */
#ifndef CUEBUS_TOPICS_H
#define CUEBUS_TOPICS_H

#include <cuebus/event.h>
#include <stdbool.h>
#include <stddef.h>

/** Longest topic that this gateway publishes or accepts, including the NUL. Far below MQTT's
 * 65,535, so that topics fit on the stack. */
#define TOPIC_SIZE 1024U

/** Longest `topic_prefix` and entry of `reply_prefixes`. */
#define TOPIC_PREFIX_BYTES 256

struct topics;

/**
 * @return 0; -EINVAL prefix or id is empty or has a wildcard or control
 *         character in it; -ENAMETOOLONG they leave no room for an event
 *         type's topic in TOPIC_SIZE; -ENOMEM.
 */
int topics_new(const char *topic_prefix, const char *gateway_id, struct topics **ret_topics);
struct topics *topics_free(struct topics *topics);

/** P, without a slash at its end. Valid as long as @p topics. */
const char *topics_prefix(const struct topics *topics);

/** `P/bus/<type, dots as slashes>`. @p type is a valid event type: it always fits. */
void topics_event(const struct topics *topics, const char *type, char topic[TOPIC_SIZE]);

/**
 * `P/<below>` when @p name is NULL, else `P/<below>/<name>`, e.g. ("status",
 * NULL), ("input", "doorbell"), ("reply", "playlist/start"), ("cmd", "#").
 * @return 0; -ENAMETOOLONG (@p topic untouched).
 */
int topics_below(const struct topics *topics, const char *below, const char *name,
                 char topic[TOPIC_SIZE]);

enum topic_kind {
	TOPIC_OTHER,   /**< not for this gateway */
	TOPIC_EMIT,    /**< P/emit/… */
	TOPIC_COMMAND, /**< P/cmd/… */
};

/**
 * Classify an incoming topic. @p ret_rest points into @p topic at the part below P/emit/ or P/cmd/
 * (may be empty); untouched for TOPIC_OTHER.
 */
enum topic_kind topics_parse(const struct topics *topics, const char *topic, const char **ret_rest);

/**
 * The event type for the part of a topic below P/emit/: slashes become dots.
 * @param ret_reason on failure a static text.
 * @return 0; -EINVAL not a well-formed event type, or a dot in a topic level (each type has only
 *         one topic).
 */
int topics_emit_type(const char *rest, char type[CUE_TYPE_MAX_LEN + 1], const char **ret_reason);

/**
 * Check a text for characters that a topic must not contain: the wildcards, and characters for
 * which MQTT allows a receiver to close the connection ([MQTT-1.5.4]: control characters, including
 * C1, and non-characters); mosquitto does.
 * @param text UTF-8.
 * @return a static text with the error, or NULL.
 */
const char *topics_text_fault(const char *text);

/** Whether a message may be published on the topic: not empty, shorter than TOPIC_SIZE, and without
 * such characters. */
bool topics_is_publishable(const char *topic);

/** A longer or deeper response topic is refused: mosquitto closes the connection of a client that
 * publishes on more than 200 levels, and every broker has some limit. */
#define TOPIC_REPLY_BYTES  256U
#define TOPIC_REPLY_LEVELS 32U

/** Why a command's name, the part below `P/cmd/`, can't be used below `P/reply/` within the same
 * bounds; a static text, or NULL. */
const char *topics_name_fault(const char *name);

/**
 * Why a reply may not go to the untrusted @p topic: too long, too deep, not UTF-8, not a topic,
 * with an empty level, `$…`, or neither below `P/reply/` nor below one of @p prefixes (which may or
 * may not end in a slash).
 * @return a static text; NULL if it may.
 */
const char *topics_reply_fault(const struct topics *topics, const char *topic,
                               const char *const *prefixes, size_t n_prefixes);

#endif
