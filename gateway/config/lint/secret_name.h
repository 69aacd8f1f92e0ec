/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file secret_name.h
 * @brief Whether a variable's name suggests a secret. Pure; any thread.
 */
#ifndef CUEBUS_SECRET_NAME_H
#define CUEBUS_SECRET_NAME_H

#include <stdbool.h>
#include <stddef.h>

/**
 * It does if it has a word between underscores (PW, PASS, KEY, PIN, AUTH …), or contains one of
 * PASSWORD, SECRET, TOKEN, CREDENTIAL …; case does not matter. @p len bytes of @p name.
 */
bool secret_name_is_one(const char *name, size_t len);

#endif
