/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file version.h
 * @brief The version of cuebus.
 */
#ifndef CUEBUS_VERSION_H
#define CUEBUS_VERSION_H

/** "0.1.0"; static. */
const char *version_text(void);

#endif
