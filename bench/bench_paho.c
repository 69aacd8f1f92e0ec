/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The baseline of throughput.py: messages through paho's synchronous client and nothing else,
 * with the window that the gateway has. Written apart from the gateway on purpose.
 *
 *   bench_paho URI TOPIC QOS COUNT PAYLOAD_BYTES
 */
#include <MQTTClient.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WINDOW  20U
#define FDS_MAX 64

struct window {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	unsigned in_flight;
};

static void on_delivered(void *context, MQTTClient_deliveryToken token)
{
	struct window *window = context;

	(void)token;
	pthread_mutex_lock(&window->mutex);
	window->in_flight--;
	pthread_cond_signal(&window->cond);
	pthread_mutex_unlock(&window->mutex);
}

static int on_message(void *context, char *topic, int len, MQTTClient_message *message)
{
	(void)context, (void)len;
	MQTTClient_freeMessage(&message);
	MQTTClient_free(topic);
	return 1;
}

/** Without it Nagle's algorithm would be what is measured. */
static void set_nodelay(void)
{
	int on = 1;

	for (int fd = 0; fd < FDS_MAX; fd++)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void wait_for_room(struct window *window, unsigned room)
{
	pthread_mutex_lock(&window->mutex);
	while (window->in_flight > room)
		pthread_cond_wait(&window->cond, &window->mutex);
	pthread_mutex_unlock(&window->mutex);
}

static int publish_all(MQTTClient client, struct window *window, char **argv)
{
	int qos = atoi(argv[3]), len = atoi(argv[5]);
	unsigned long count = strtoul(argv[4], NULL, 10);
	char *payload = malloc((size_t)len + 1);

	if (!payload)
		return EXIT_FAILURE;
	memset(payload, 'x', (size_t)len);
	for (unsigned long i = 0; i < count; i++) {
		MQTTClient_deliveryToken token;

		if (qos > 0) {
			wait_for_room(window, WINDOW - 1);
			pthread_mutex_lock(&window->mutex);
			window->in_flight++;
			pthread_mutex_unlock(&window->mutex);
		}
		if (MQTTClient_publish(client, argv[2], len, payload, qos, 0, &token) !=
		    MQTTCLIENT_SUCCESS) {
			fprintf(stderr, "bench_paho: publish failed\n");
			free(payload);
			return EXIT_FAILURE;
		}
	}
	wait_for_room(window, 0);
	free(payload);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
	struct window window = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
	MQTTClient client;
	int code;

	if (argc != 6) {
		fprintf(stderr, "usage: bench_paho URI TOPIC QOS COUNT PAYLOAD_BYTES\n");
		return EXIT_FAILURE;
	}
	options.cleansession = 1;
	options.maxInflightMessages = WINDOW;
	if (MQTTClient_create(&client, argv[1], "bench-paho", MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
	            MQTTCLIENT_SUCCESS ||
	    MQTTClient_setCallbacks(client, &window, NULL, on_message, on_delivered) !=
	            MQTTCLIENT_SUCCESS ||
	    MQTTClient_connect(client, &options) != MQTTCLIENT_SUCCESS) {
		fprintf(stderr, "bench_paho: can't connect to %s\n", argv[1]);
		return EXIT_FAILURE;
	}
	set_nodelay();
	code = publish_all(client, &window, argv);
	MQTTClient_disconnect(client, 1000);
	MQTTClient_destroy(&client);
	return code;
}
