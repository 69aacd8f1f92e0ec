/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file hide.h
 * @brief Texts without the values of the environment: `${NAME}` stands where a value would.
 *
 * Findings and log lines go through this last, whoever wrote them. A value is
 * found as it is and as a finding or the log spells it (control characters
 * escaped or made spaces), and where its end was cut off: by 8 bytes of its
 * beginning, or by 4 before the end of the text or "...". One of less than 4
 * bytes is found only between quotation marks: it could be part of any word.
 */
#ifndef CUEBUS_HIDE_H
#define CUEBUS_HIDE_H

#include <stddef.h>

struct hide;

/** Empty. @return 0; -ENOMEM. Thread: who uses it says which. */
int hide_new(struct hide **ret_hide);
/** NULL is allowed. @return NULL. */
struct hide *hide_free(struct hide *hide);

/** From now on show @p value as "${name}"; an empty value or one that is there already changes
 *  nothing. Both are copied. @return 0; -ENOMEM. */
int hide_add(struct hide *hide, const char *name, const char *value);
/** All of @p from to @p hide. @return 0; -ENOMEM. */
int hide_add_all(struct hide *hide, const struct hide *from);

/**
 * @param hide     NULL or empty: nothing is hidden.
 * @param ret_text malloc()ed: @p text with "${NAME}" in place of each value.
 * @return 0; -ENOMEM.
 */
int hide_text(const struct hide *hide, const char *text, char **ret_text);

#endif
