/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file event_pattern.h
 * @brief Patterns of event types in the configuration: a type, or a prefix ending in ".*" that
 *        matches every type below it. Pure; any thread.
 */
#ifndef CUEBUS_EVENT_PATTERN_H
#define CUEBUS_EVENT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/** @param ret_reason optional; on false a static text with the error. */
bool event_pattern_is_valid(const char *pattern, const char **ret_reason);

/** How closely @p pattern matches @p event_type: 0 not at all; an exact type is above every
 * prefix. */
size_t event_pattern_match(const char *pattern, const char *event_type);

#endif
