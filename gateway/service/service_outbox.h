/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file service_outbox.h
 * @brief Log lines about messages that wait for the broker.
 */
#ifndef CUEBUS_SERVICE_OUTBOX_H
#define CUEBUS_SERVICE_OUTBOX_H

#include <stdbool.h>

struct service;

/** Log the messages that a full outbox has dropped since the last such line. The loop's thread. */
void service_tell_given_up(struct service *service);

/**
 * Write the last line about the outbox.
 * @param kept      the waiting messages are on disk.
 * @param connected there was a connection when the stop began.
 */
void service_tell_left(struct service *service, bool kept, bool connected);

#endif
