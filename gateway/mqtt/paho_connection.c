/* SPDX-License-Identifier: Apache-2.0 */
#include "paho_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker_probe.h"
#include "clock.h"
#include "mqtt_reason.h"
#include "paho_internal.h"
#include "tcp_socket.h"

/* Larger than our own window, so that paho's never blocks. */
#define PAHO_INFLIGHT      (2 * (int)MQTT_WINDOW_MAX)
#define PAHO_OUT_OF_MEMORY (-99) /* PAHO_MEMORY_ERROR, which is in no public header */
/* The shortest timeout that paho accepts. paho waits that long for a SUBACK even if the connection
 * breaks meanwhile. */
#define COMMAND_TIMEOUT_MS 5000UL
/* paho reports a broken connection on a thread that it starts for it and that still reads the
 * handle, so the handle must not be freed before. The caller waits this long; on a busy machine
 * the thread may start later. */
#define LOST_WAIT_NS (2 * CUE_NS_PER_S)
/* After this time there is no such thread: it could not be created. */
#define NEVER_TOLD_NS (600 * CUE_NS_PER_S)

/* ---- connecting ---- */

static void add_number(MQTTProperties *properties, enum MQTTPropertyCodes code, uint32_t value)
{
	MQTTProperty property = { .identifier = code };

	property.value.integer4 = value;
	(void)MQTTProperties_add(properties, &property);
}

/** paho 1.3.14 returns an int64_t, 1.3.12 an int, which is negative from 2^31 on and correct as a
 * uint32_t. @return negative also if there is none. */
static int64_t get_number(MQTTProperties *properties, enum MQTTPropertyCodes code)
{
	return (int64_t)MQTTProperties_getNumericValue(properties, code);
}

/** Read the broker's properties; absent ones keep the default. */
static void read_connack(MQTTProperties *properties, struct paho_broker *broker)
{
	int64_t receive = get_number(properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
	int64_t keepalive = get_number(properties, MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE);
	int64_t qos = get_number(properties, MQTTPROPERTY_CODE_MAXIMUM_QOS);

	if (receive > 0)
		broker->receive_maximum = (unsigned)receive;
	if (MQTTProperties_hasProperty(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE))
		broker->maximum_packet =
		        (uint32_t)get_number(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE);
	if (keepalive > 0)
		broker->keepalive_s = (int)keepalive;
	if (qos == 0 || qos == 1)
		broker->max_qos = (int)qos;
	broker->retain = get_number(properties, MQTTPROPERTY_CODE_RETAIN_AVAILABLE) != 0;
	broker->wildcards =
	        get_number(properties, MQTTPROPERTY_CODE_WILDCARD_SUBSCRIPTION_AVAILABLE) != 0;
}

/** Overhead of MQTT besides topic and payload: fixed header, lengths, packet id, properties. */
#define PACKET_OVERHEAD 32U

/** Check that the session is usable: paho waits forever without a window, and a broker ends a
 * session at the first oversized packet. @return 0 or MQTT_REASON_… */
static int judge_connack(MQTTProperties *properties, const struct paho_broker *broker,
                         const MQTTClient_willOptions *will)
{
	if (MQTTProperties_hasProperty(properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM) &&
	    get_number(properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM) == 0)
		return MQTT_REASON_NO_WINDOW;
	if (MQTTProperties_hasProperty(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE) && will &&
	    broker->maximum_packet <
	            strlen(will->topicName) + strlen(will->message) + PACKET_OVERHEAD)
		return MQTT_REASON_SMALL_PACKET;
	return 0;
}

/** @return paho's code: 0, or a code for mqtt_reason_text(). */
static int connect_handle(struct paho_connection *c, MQTTClient_connectOptions *options,
                          const struct mqtt_settings *settings)
{
	MQTTProperties properties = MQTTProperties_initializer;
	MQTTResponse response;
	int rc;

	if (!c->v5)
		return MQTTClient_connect(c->handle, options);
	add_number(&properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, settings->max_packet);
	response = MQTTClient_connect5(c->handle, options, &properties, NULL);
	MQTTProperties_free(&properties);
	rc = (int)response.reasonCode;
	if (rc == 0 && response.properties) {
		read_connack(response.properties, &c->broker);
		rc = judge_connack(response.properties, &c->broker, options->will);
		c->was_connected = rc != 0; /* so that paho_close() disconnects it */
	}
	MQTTResponse_free(response);
	return rc;
}

static void fill_options(MQTTClient_connectOptions *options, MQTTClient_SSLOptions *ssl,
                         const struct mqtt_settings *settings, const char *password,
                         const struct paho_options *asked)
{
	options->keepAliveInterval = asked->keepalive_s;
	options->connectTimeout = asked->timeout_s;
	options->maxInflightMessages = PAHO_INFLIGHT;
	options->reliable = 0;
	options->username = settings->username;
	options->password = password;
	if (!settings->tls)
		return;
	/* tls_peer.h sets the trusted authorities; a connection without it trusts none. */
	ssl->disableDefaultTrustStore = 1;
	ssl->keyStore = settings->cert_file;
	ssl->privateKey = settings->key_file;
	/* Otherwise OpenSSL asks for the passphrase of an encrypted key on the terminal. */
	ssl->privateKeyPassword = "";
	ssl->enabledCipherSuites = BROKER_TLS_CIPHERS;
	ssl->enableServerCertAuth = 1;
	/* This would compare the certificate with the address. */
	ssl->verify = 0;
	options->ssl = ssl;
}

/**
 * When the last handle is destroyed, paho frees its list of handles. On a busy machine its thread
 * may still read that list after a refused connect, which crashes the process. So one handle, which
 * never connects, exists as long as the process.
 */
static MQTTClient never_connects;

static void keep_lists(void)
{
	(void)MQTTClient_create(&never_connects, "tcp://127.0.0.1:1", "",
	                        MQTTCLIENT_PERSISTENCE_NONE, NULL);
}

bool paho_thread_runs(void)
{
	MQTTClient_message *message;
	char *topic;
	int topic_len;

	/* Without the thread: MQTTCLIENT_DISCONNECTED. */
	return MQTTClient_receive(never_connects, &topic, &topic_len, &message, 0) ==
	       MQTTCLIENT_FAILURE;
}

static int make_handle(struct paho_connection *c, const struct mqtt_settings *settings,
                       const struct broker_address *address)
{
	MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
	char *uri = broker_address_uri(settings, address);
	static pthread_once_t lists_kept = PTHREAD_ONCE_INIT;
	int rc = PAHO_OUT_OF_MEMORY;

	(void)pthread_once(&lists_kept, keep_lists);
	create.MQTTVersion = c->v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
	if (uri)
		rc = MQTTClient_createWithOptions(&c->handle, uri, settings->client_id,
		                                  MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
	free(uri);
	if (rc != MQTTCLIENT_SUCCESS)
		return rc;
	MQTTClient_setCommandTimeout(c->handle, COMMAND_TIMEOUT_MS);
	return c->v5 ? paho_set_callbacks(c) : rc;
}

int paho_try_connect(struct paho_connection *c, const struct mqtt_settings *settings,
                     const struct paho_options *asked, const struct broker_address *address,
                     const char *password)
{
	const struct paho_will *will = asked->will;
	MQTTClient_connectOptions v5 = MQTTClient_connectOptions_initializer5;
	MQTTClient_connectOptions v4 = MQTTClient_connectOptions_initializer;
	MQTTClient_connectOptions *options = c->v5 ? &v5 : &v4;
	MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
	MQTTClient_willOptions will_options = MQTTClient_willOptions_initializer;
	int rc = make_handle(c, settings, address);

	if (rc != MQTTCLIENT_SUCCESS)
		return rc;
	v4.MQTTVersion = MQTTVERSION_3_1_1;
	fill_options(options, &ssl, settings, password, asked);
	if (will) {
		will_options.topicName = will->topic;
		will_options.message = will->payload;
		will_options.retained = will->retain;
		will_options.qos = will->qos;
		options->will = &will_options;
	}
	return connect_handle(c, options, settings);
}

/* ---- using ---- */

const struct paho_broker *paho_get_broker(const struct paho_connection *connection)
{
	return &connection->broker;
}

const char *paho_get_address(const struct paho_connection *connection)
{
	return connection->address;
}

int paho_dup_socket(const struct paho_connection *connection)
{
	return connection->socket < 0 ? -1 : fcntl(connection->socket, F_DUPFD_CLOEXEC, 3);
}

static int subscribe(struct paho_connection *c, const struct paho_subscription *subscription)
{
	MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
	MQTTResponse response;
	int rc;

	if (!c->v5)
		return MQTTClient_subscribe(c->handle, subscription->filter, subscription->qos);
	options.noLocal = subscription->no_local;
	options.retainAsPublished = subscription->as_published;
	options.retainHandling = subscription->with_retained ? 0 : 2;
	response = MQTTClient_subscribe5(c->handle, subscription->filter, subscription->qos,
	                                 &options, NULL);
	rc = (int)response.reasonCode;
	MQTTResponse_free(response);
	/* The answer came through paho's thread, so the thread has finished its earlier
	 * delivery. */
	if (rc >= 0)
		atomic_store(&c->handover, PAHO_OPEN);
	/* Success is the granted QoS. */
	return rc >= 0 && rc <= 2 ? 0 : rc;
}

int paho_subscribe(struct paho_connection *connection, const struct paho_subscription *subscription,
                   char error[PAHO_ERROR_SIZE])
{
	int rc = subscribe(connection, subscription);

	if (rc == 0)
		return 0;
	snprintf(error, PAHO_ERROR_SIZE, "subscription to '%.150s': %s (%d)", subscription->filter,
	         rc > 0 && connection->v5 ? mqtt_reason_packet_text(rc)
	         : rc > 0                 ? "refused by the broker"
	                                  : "no answer",
	         rc);
	return rc > 0 ? -EACCES : -ENOTCONN;
}

int paho_unsubscribe(struct paho_connection *connection, const char *filter)
{
	MQTTResponse response;
	int rc;

	if (!connection->v5)
		return MQTTClient_unsubscribe(connection->handle, filter) < 0 ? -ENOTCONN : 0;
	response = MQTTClient_unsubscribe5(connection->handle, filter, NULL);
	rc = (int)response.reasonCode;
	MQTTResponse_free(response);
	return rc < 0 ? -ENOTCONN : 0;
}

static bool too_large(const struct paho_connection *c, const struct paho_message *message)
{
	size_t size = message->payload_len + strlen(message->topic) + message->correlation_len +
	              PACKET_OVERHEAD;

	if (size > 0x0FFFFFFF) /* MQTT's maximum length */
		return true;
	return c->broker.maximum_packet && size > c->broker.maximum_packet;
}

static int publish_errno(int rc)
{
	if (rc == MQTTCLIENT_SUCCESS)
		return 0;
	if (rc == MQTTCLIENT_BAD_UTF8_STRING)
		return -EINVAL;
	if (rc == PAHO_OUT_OF_MEMORY)
		return -ENOMEM;
	return rc == MQTTCLIENT_DISCONNECTED ? -ENOTCONN : -EPIPE;
}

int paho_publish(struct paho_connection *connection, const struct paho_message *message,
                 int *ret_token)
{
	MQTTClient_message m = MQTTClient_message_initializer;
	MQTTProperty correlation = { .identifier = MQTTPROPERTY_CODE_CORRELATION_DATA };
	MQTTClient_deliveryToken token = 0;
	MQTTResponse response;
	int rc;

	if (too_large(connection, message))
		return -EMSGSIZE;
	if (message->qos > 0 && connection->n_tokens == MQTT_WINDOW_MAX)
		return -EBUSY;
	m.payload = (void *)(uintptr_t)message->payload; /* read only */
	m.payloadlen = (int)message->payload_len;
	m.qos = message->qos < connection->broker.max_qos ? message->qos
	                                                  : connection->broker.max_qos;
	m.retained = message->retain;
	if (!connection->v5) {
		rc = MQTTClient_publishMessage(connection->handle, message->topic, &m, &token);
		if (rc == MQTTCLIENT_SUCCESS && message->qos > 0)
			connection->tokens[connection->n_tokens++] = token;
	} else {
		if (message->correlation) {
			correlation.value.data.data = (char *)(uintptr_t)message->correlation;
			correlation.value.data.len = (int)message->correlation_len;
			if (MQTTProperties_add(&m.properties, &correlation) != 0)
				return -ENOMEM;
		}
		response =
		        MQTTClient_publishMessage5(connection->handle, message->topic, &m, &token);
		rc = (int)response.reasonCode;
		MQTTResponse_free(response);
		MQTTProperties_free(&m.properties);
	}
	*ret_token = token;
	return publish_errno(rc);
}

void paho_gather(struct paho_connection *connection, bool on)
{
	tcp_socket_gather(connection->socket, on);
}

bool paho_is_connected(struct paho_connection *connection)
{
	return MQTTClient_isConnected(connection->handle) != 0;
}

static bool is_told(struct paho_connection *c)
{
	bool told;

	pthread_mutex_lock(&c->mutex);
	told = c->told;
	pthread_mutex_unlock(&c->mutex);
	return told;
}

/** Wait until paho's thread has reported the broken connection. @return false: it has not. */
static bool wait_told(struct paho_connection *c)
{
	/* Not the wall clock: a step could make this wait an hour. */
	struct timespec until = clock_timespec(clock_monotonic_ns() + LOST_WAIT_NS);
	bool told;

	pthread_mutex_lock(&c->mutex);
	while (!c->told) {
		if (pthread_cond_clockwait(&c->told_cond, &c->mutex, CLOCK_MONOTONIC, &until) != 0)
			break;
	}
	told = c->told;
	c->closed = true;
	pthread_mutex_unlock(&c->mutex);
	return told;
}

static void free_connection(struct paho_connection *c)
{
	if (c->handle)
		MQTTClient_destroy(&c->handle);
	pthread_mutex_destroy(&c->mutex);
	pthread_cond_destroy(&c->told_cond);
	free(c);
}

/** Connections that were closed before their report came. Used by the one thread that calls
 * paho. */
static struct paho_connection *untold;

static void free_told(void)
{
	uint64_t now_ns = clock_monotonic_ns();

	for (struct paho_connection **at = &untold; *at;) {
		struct paho_connection *c = *at;

		if (is_told(c) || now_ns - c->closed_ns >= NEVER_TOLD_NS) {
			*at = c->next_untold;
			free_connection(c);
		} else {
			at = &c->next_untold;
		}
	}
}

struct paho_connection *paho_close(struct paho_connection *connection)
{
	bool told = true;

	free_told();
	if (!connection)
		return NULL;
	if (connection->handle) {
		bool broken = connection->was_connected && !paho_is_connected(connection);

		/* Also for a broken connection: it waits until paho's thread has ended. */
		if (connection->was_connected && connection->v5)
			(void)MQTTClient_disconnect5(connection->handle, 0, MQTTREASONCODE_SUCCESS,
			                             NULL);
		else if (connection->was_connected)
			(void)MQTTClient_disconnect(connection->handle, 0);
		if (broken && connection->v5)
			told = wait_told(connection);
	}
	if (connection->socket >= 0)
		close(connection->socket);
	if (told) {
		free_connection(connection);
		return NULL;
	}
	connection->socket = -1;
	connection->closed_ns = clock_monotonic_ns();
	connection->next_untold = untold;
	untold = connection;
	return NULL;
}

const char *paho_version(void)
{
	const MQTTClient_nameValue *info = MQTTClient_getVersionInfo();

	for (; info && info->name; info++) {
		if (strcmp(info->name, "Version") == 0)
			return info->value;
	}
	return "unknown";
}
