/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file api.h
 * @brief What marks a function as part of the public API.
 */
#ifndef CUEBUS_API_H
#define CUEBUS_API_H

/** The shared library exports these functions and no others. */
#define CUE_API __attribute__((visibility("default")))

#endif
