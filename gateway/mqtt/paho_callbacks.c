/* SPDX-License-Identifier: Apache-2.0 */
/* Input over MQTT 5: callbacks on paho's threads. See paho_input.c for MQTT 3.1.1. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "paho_internal.h"
#include "tcp_socket.h"

void paho_tell_lost(struct paho_connection *c, int reason)
{
	pthread_mutex_lock(&c->mutex);
	if (!c->told && !c->closed)
		c->callbacks.lost(c->callbacks.user, reason);
	c->told = true;
	pthread_cond_signal(&c->told_cond);
	pthread_mutex_unlock(&c->mutex);
}

static void on_connection_lost(void *context, char *cause)
{
	(void)cause;
	paho_tell_lost(context, -1);
}

/** paho passes some reason codes through a signed char: 0x8E arrives as -114. */
static int reason_code(enum MQTTReasonCodes reason)
{
	return (int)reason & 0xFF;
}

static void on_disconnected(void *context, MQTTProperties *properties, enum MQTTReasonCodes reason)
{
	(void)properties;
	paho_tell_lost(context, reason_code(reason));
}

static void on_published(void *context, int token, int packet_type, MQTTProperties *properties,
                         enum MQTTReasonCodes reason)
{
	struct paho_connection *c = context;

	(void)packet_type, (void)properties;
	tcp_socket_quick_ack(c->socket);
	c->callbacks.acknowledged(c->callbacks.user, token, reason_code(reason));
}

static const MQTTLenString *data_property(MQTTProperties *properties, enum MQTTPropertyCodes code)
{
	const MQTTProperty *property = MQTTProperties_getProperty(properties, code);

	return property ? &property->value.data : NULL;
}

/** The response topic as a string, malloc()ed. A NUL in it becomes a
 *  wildcard, which is never allowed. */
static char *response_topic(const MQTTLenString *data)
{
	size_t len = (size_t)data->len;
	char *topic = malloc(len + 1);

	if (!topic)
		return NULL;
	if (len)
		memcpy(topic, data->data, len);
	topic[len] = '\0';
	for (size_t i = strlen(topic); i < len; i += strlen(topic + i))
		topic[i] = '#';
	return topic;
}

void paho_pass_on(struct paho_connection *c, const char *topic, MQTTClient_message *m)
{
	struct inbox_message message = {
		.topic = topic,
		.payload = m->payload,
		.payload_len = (size_t)m->payloadlen,
		.qos = m->qos,
		.retain = m->retained != 0,
	};
	const MQTTLenString *data;
	char *response = NULL;

	message.arrival_ns = clock_monotonic_ns();
	if (c->v5) {
		data = data_property(&m->properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
		if (data)
			message.response_topic = response = response_topic(data);
		data = data_property(&m->properties, MQTTPROPERTY_CODE_CORRELATION_DATA);
		if (data) {
			message.correlation = data->len ? data->data : "";
			message.correlation_len = (size_t)data->len;
		}
		if (MQTTProperties_hasProperty(&m->properties,
		                               MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL)) {
			message.has_expiry = true;
			message.expiry_s = (uint32_t)MQTTProperties_getNumericValue(
			        &m->properties, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL);
		}
	}
	c->callbacks.message(c->callbacks.user, &message);
	free(response);
}

static bool may_be_freed(struct paho_connection *c)
{
	enum paho_handover settling = PAHO_SETTLING;

	return atomic_load(&c->handover) == PAHO_CONNECTING ||
	       atomic_compare_exchange_strong(&c->handover, &settling, PAHO_OPEN);
}

static int on_message(void *context, char *topic, int topic_len, MQTTClient_message *message)
{
	struct paho_connection *c = context;

	if (may_be_freed(c))
		return 0;
	/* The length is not 0 only if the topic contains a NUL: such a topic is never ours. */
	if (topic_len == 0)
		paho_pass_on(context, topic, message);
	tcp_socket_quick_ack(c->socket);
	MQTTClient_freeMessage(&message);
	MQTTClient_free(topic);
	return 1;
}

int paho_set_callbacks(struct paho_connection *c)
{
	int rc = MQTTClient_setCallbacks(c->handle, c, on_connection_lost, on_message, NULL);

	if (rc == MQTTCLIENT_SUCCESS)
		rc = MQTTClient_setPublished(c->handle, c, on_published);
	if (rc == MQTTCLIENT_SUCCESS)
		rc = MQTTClient_setDisconnected(c->handle, c, on_disconnected);
	return rc;
}
