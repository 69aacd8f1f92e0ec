/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file service_outbox.h
 * @brief What the log says of messages that wait for the broker.
 */
#ifndef CUEBUS_SERVICE_OUTBOX_H
#define CUEBUS_SERVICE_OUTBOX_H

#include <stdbool.h>

struct service;

/** Log what a full outbox has given up since the last such line. The loop's thread. */
void service_tell_given_up(struct service *service);

/**
 * The last line about the outbox.
 * @param kept      what waits is on disk.
 * @param connected there was a connection when the stop began.
 */
void service_tell_left(struct service *service, bool kept, bool connected);

#endif
