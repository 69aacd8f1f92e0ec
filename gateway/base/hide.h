/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file hide.h
 * @brief Hide values of the environment in texts: `${NAME}` replaces a value.
 *
 * All findings and log lines pass through this last. A value is found unchanged and as a finding or
 * the log spells it (control characters escaped or replaced by spaces). A cut value is found by 8
 * bytes of its beginning, or by 4 before the end of the text or "...". A value of less than 4 bytes
 * is found only between quotation marks: it could be part of any word.
 */
#ifndef CUEBUS_HIDE_H
#define CUEBUS_HIDE_H

#include <stddef.h>

struct hide;

/** Create an empty list. @return 0; -ENOMEM. Thread: the owner's. */
int hide_new(struct hide **ret_hide);
/** NULL is allowed. @return NULL. */
struct hide *hide_free(struct hide *hide);

/** Show @p value as "${name}" from now on. An empty or known value has no effect. Both are copied.
 * @return 0; -ENOMEM. */
int hide_add(struct hide *hide, const char *name, const char *value);
/** Add all values of @p from to @p hide. @return 0; -ENOMEM. */
int hide_add_all(struct hide *hide, const struct hide *from);

/**
 * Hide the values in a text.
 * @param hide     NULL or empty: nothing is hidden.
 * @param ret_text malloc()ed: @p text with "${NAME}" in place of each value.
 * @return 0; -ENOMEM.
 */
int hide_text(const struct hide *hide, const char *text, char **ret_text);

#endif
