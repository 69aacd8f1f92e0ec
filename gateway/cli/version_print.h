/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file version_print.h
 * @brief Versions of cuebus and of the libraries that it runs with.
 */
#ifndef CUEBUS_VERSION_PRINT_H
#define CUEBUS_VERSION_PRINT_H

#include <stdio.h>

/** One line each: cuebus, then the libraries as loaded, for --version. */
void version_print(FILE *stream);

#endif
