/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_reason.h"

#include <MQTTClient.h>
#include <stddef.h>

const char *mqtt_reason_text(int code, bool v5)
{
	const char *text = NULL;

	/* A code below 0x80 is from a CONNACK of MQTT 3.1.1, whatever version was requested. */
	if (code >= 0x80 && v5)
		return mqtt_reason_packet_text(code);
	switch (code) {
	case 1:
		return "the broker does not speak this version of MQTT";
	case 2:
		return "the broker refused the client id";
	case 3:
		return "the broker is unavailable";
	case 4:
		return "wrong user name or password";
	case 5:
		return "not authorized";
	case MQTT_REASON_NO_WINDOW:
		return "Receive Maximum is 0, which MQTT forbids";
	case MQTT_REASON_SMALL_PACKET:
		return "Maximum Packet Size is too small for the gateway's own status";
	case MQTTCLIENT_FAILURE:
		return "no answer, or the connection was refused";
	default:
		text = MQTTClient_strerror(code);
		return text ? text : "unknown error";
	}
}

const char *mqtt_reason_packet_text(int code)
{
	const char *text = MQTTReasonCode_toString((enum MQTTReasonCodes)code);

	return text ? text : "a reason that MQTT does not know";
}

bool mqtt_reason_is_access(int code, bool v5)
{
	return v5 ? code == 0x86 || code == 0x87 || code == 0x8C : code == 4 || code == 5;
}

bool mqtt_reason_is_answer(int code, bool v5)
{
	return (code >= 1 && code <= 5) || (v5 && code >= 0x80);
}

bool mqtt_reason_is_version(int code, bool v5)
{
	/* A broker that only knows 3.1.1 answers in its own form, with any code. */
	return v5 ? code == 0x84 || (code >= 1 && code <= 5) : code == 1;
}

bool mqtt_reason_blames_message(int code)
{
	switch (code) {
	case 0x80: /* unspecified */
	case 0x81: /* malformed packet */
	case 0x82: /* protocol error */
	case 0x83: /* implementation specific */
	case 0x87: /* not authorized */
	case 0x90: /* topic name invalid */
	case 0x95: /* packet too large */
	case 0x97: /* quota exceeded */
	case 0x99: /* payload format invalid */
	case 0x9A: /* retain not supported */
	case 0x9B: /* QoS not supported */
		return true;
	default:
		return false;
	}
}

const char *mqtt_reason_remedy(int code)
{
	switch (code) {
	case 0x87:
		return "; allow this client to publish there in the broker's access control";
	case 0x97:
		return "; the broker's quota for this client is used up";
	default:
		return "";
	}
}
