/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mqtt_reason.h
 * @brief The meaning of codes of MQTT and of paho: texts and classes.
 *
 * @p code is paho's return code: negative its own, positive what the broker said, which is an MQTT
 * 5 reason code or, for 3.1.1, the CONNACK's return code. 0x80 and above are refusals.
 */
#ifndef CUEBUS_MQTT_REASON_H
#define CUEBUS_MQTT_REASON_H

#include <stdbool.h>

/** In addition to paho's codes: the broker accepts no unacknowledged message at all (paho would
 * wait forever). */
#define MQTT_REASON_NO_WINDOW (-1000)
/** In addition to paho's codes: not even P/status fits into the broker's Maximum Packet Size. */
#define MQTT_REASON_SMALL_PACKET (-1001)

/** @param v5 whether the session speaks MQTT 5. @return a static text, never NULL. */
const char *mqtt_reason_text(int code, bool v5);

/** As mqtt_reason_text(), for an MQTT 5 packet other than a CONNACK, where 4 does not mean a wrong
 * password. */
const char *mqtt_reason_packet_text(int code);

/** Whether a name, a password or a right is wrong. */
bool mqtt_reason_is_access(int code, bool v5);

/** Whether the broker answered a connect with a refusal. */
bool mqtt_reason_is_answer(int code, bool v5);

/** Whether the broker does not speak this version of MQTT. */
bool mqtt_reason_is_version(int code, bool v5);

/** Whether an MQTT 5 DISCONNECT with @p code blames a message of the client, not the broker. */
bool mqtt_reason_blames_message(int code);

/** The remedy for a PUBLISH that was refused with MQTT 5 reason @p code. @return a static text that
 * follows the reason, possibly empty. */
const char *mqtt_reason_remedy(int code);

#endif
