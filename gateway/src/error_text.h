/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file error_text.h
 * @brief What an error of the bus means to the gateway's user.
 *
 * The bus tells its limits by errno, whose own texts ("Too many levels of
 * symbolic links" for a loop of events) are about something else.
 */
#ifndef CUEBUS_ERROR_TEXT_H
#define CUEBUS_ERROR_TEXT_H

/**
 * @param error   negative errno
 * @param if_full for -ENOSPC, which the bus has for several limits: a sentence with the
 *                one that the failed call can reach; NULL: not known
 * @return a static text (or @p if_full), the same in every locale.
 */
const char *error_text(int error, const char *if_full);

#endif
