/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file password.h
 * @brief The password for the broker: read for each connect, erased afterwards.
 *
 * It is never part of the configuration, so config/get, a log line or a hash can't reveal it. Any
 * thread; the environment must not change meanwhile.
 */
#ifndef CUEBUS_PASSWORD_H
#define CUEBUS_PASSWORD_H

#include <stddef.h>

#include "mqtt_settings.h"

/** MQTT's limit. */
#define PASSWORD_MAX 65535U

/**
 * Read the first line of settings' password_file, or of the variable that password_env names. A
 * UTF-8 byte-order mark before it is skipped.
 * @param ret_password malloc()ed; free it with password_forget(). NULL if none is configured.
 * @param error on failure one sentence that names the source and the remedy, never the content.
 * @return 0; -errno of reading the file; -EINVAL empty, too long, in UTF-16 or with a NUL in it;
 *         -ENOENT the variable is not set; -ENOMEM.
 */
int password_read(const struct mqtt_settings *settings, char **ret_password, char *error,
                  size_t error_size);

/** Overwrite and free. NULL is allowed. @return NULL. */
char *password_forget(char *password);

#endif
