/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file secret_name.h
 * @brief Whether a variable's name says that its value is a secret. Pure; any thread.
 */
#ifndef CUEBUS_SECRET_NAME_H
#define CUEBUS_SECRET_NAME_H

#include <stdbool.h>
#include <stddef.h>

/**
 * By a word between underscores (PW, PASS, KEY, PIN, AUTH …), or one that says it anywhere
 * (PASSWORD, SECRET, TOKEN, CREDENTIAL …); without regard to case. @p len bytes of @p name.
 */
bool secret_name_is_one(const char *name, size_t len);

#endif
