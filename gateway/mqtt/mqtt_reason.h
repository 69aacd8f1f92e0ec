/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mqtt_reason.h
 * @brief What a code of MQTT, or of paho, means: to the user, and to us.
 *
 * @p code is paho's return code: negative its own, positive what the broker said, which
 * is an MQTT 5 reason code or, for 3.1.1, the CONNACK's return code. 0x80 and above are
 * refusals.
 */
#ifndef CUEBUS_MQTT_REASON_H
#define CUEBUS_MQTT_REASON_H

#include <stdbool.h>

/** Beside paho's: a broker that takes no unacknowledged message at all,
 *  for which paho waits for ever. */
#define MQTT_REASON_NO_WINDOW (-1000)
/** The same: not even P/status fits into what the broker takes. */
#define MQTT_REASON_SMALL_PACKET (-1001)

/** @param v5 whether the session speaks MQTT 5. @return a static text, never NULL. */
const char *mqtt_reason_text(int code, bool v5);

/** The same for what an MQTT 5 packet other than a CONNACK says: there 4 is no wrong password. */
const char *mqtt_reason_packet_text(int code);

/** A name, a password or a right is wrong. */
bool mqtt_reason_is_access(int code, bool v5);

/** The broker said no to a connect, rather than nothing. */
bool mqtt_reason_is_answer(int code, bool v5);

/** It does not speak the version of MQTT. */
bool mqtt_reason_is_version(int code, bool v5);

/** Whether an MQTT 5 DISCONNECT with @p code is about what the client
 *  sent, not about the broker. */
bool mqtt_reason_blames_message(int code);

/** What can be done about a PUBLISH that was refused with MQTT 5 reason @p code. @return a
 *  static text that follows the reason, perhaps empty. */
const char *mqtt_reason_remedy(int code);

#endif
