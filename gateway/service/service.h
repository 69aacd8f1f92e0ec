/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file service.h
 * @brief The running gateway: all parts together, for `cuebus run`.
 */
#ifndef CUEBUS_SERVICE_H
#define CUEBUS_SERVICE_H

#include "log.h"

struct service_options {
	const char *config_file;
	struct log *log; /**< borrowed */
};

/**
 * Start, run until SIGTERM or SIGINT, stop. Handles the process's signals.
 * @return exit code: 0; 69 an input could not be opened; 70 internal; 78 configuration (all
 *         findings are on stderr). May _exit(0) when the connection hangs so that its thread can't
 *         be ended.
 */
int service_main(const struct service_options *options);

#endif
