/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file version.h
 * @brief Versions of cuebus and of the libraries it runs with.
 */
#ifndef CUEBUS_VERSION_H
#define CUEBUS_VERSION_H

#include <stdio.h>

/** "0.1.0" */
const char *version_text(void);

/** One line each: cuebus, then the libraries as loaded, for --version. */
void version_print(FILE *stream);

#endif
