/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The egress and an outbox on disk, without the rest of the gateway and with a backoff of
 * milliseconds, so that a test can break the connection thousands of times. Run by test_cuts.py.
 *
 *   egress_driver PORT DIR NAME
 *
 * Puts numbered events and a view while its standard input is open, and never lets the outbox run
 * empty. At end of input it sends the waiting messages, prints its counters as a JSON object and
 * exits with 0. It exits with 1 if messages remain, or if a line on its standard input was not "N:"
 * and N % 3000 times the letter `a` + N % 26.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "egress.h"

#define MS          1000000ULL
#define WAITING     60U
#define GROUP       5U
#define PUT_EACH_MS 4
#define LARGE_EACH  97U
#define PAYLOAD     9000U

struct load {
	struct log *log;
	struct topics *topics;
	struct outbox *outbox;
	struct retained *retained;
	struct inbox *inbox;
	struct egress *egress;
	uint64_t seq;
	uint64_t received;
};

static void fail(const char *what, int r)
{
	fprintf(stderr, "egress_driver: %s: %s\n", what, strerrordesc_np(-r));
	exit(1);
}

static void check(int r, const char *what)
{
	if (r < 0)
		fail(what, r);
}

/** test_cuts.py knows it too. */
static size_t write_payload(char *payload, uint64_t seq)
{
	size_t len = (size_t)sprintf(payload, "%" PRIu64 ":", seq);
	size_t padding = (size_t)(seq * 7919 % 300) + (seq % LARGE_EACH == 0 ? 8000 : 0);

	memset(payload + len, 'a' + (int)(seq % 26), padding);
	return len + padding;
}

static void put_group(struct load *load)
{
	char payload[PAYLOAD], topic[TOPIC_SIZE], view[32];

	topics_event(load->topics, "numbered.event", topic);
	outbox_group_begin(load->outbox);
	for (unsigned i = 0; i < GROUP; i++) {
		struct outbox_message m = { .seq = ++load->seq, .topic = topic, .qos = 1 };

		m.payload = payload;
		m.payload_len = write_payload(payload, m.seq);
		check(outbox_put(load->outbox, &m), "put");
	}
	outbox_group_end(load->outbox);
	check(topics_below(load->topics, "info", NULL, topic), "topic");
	snprintf(view, sizeof(view), "%" PRIu64, load->seq);
	check(retained_set(load->retained, topic, view, strlen(view), 1), "view");
}

static void take_received(struct load *load)
{
	struct inbox_message *m;

	while ((m = inbox_take(load->inbox))) {
		const char *text = m->payload;
		char *end = NULL;
		unsigned long number = m->payload_len ? strtoul(text, &end, 10) : 0;
		size_t head = end ? (size_t)(end - text) + 1 : 0;
		bool right = end && *end == ':' && m->payload_len == head + number % 3000;

		size_t i = head;

		while (right && i < m->payload_len && text[i] == (char)('a' + number % 26))
			i++;
		if (!right || i < m->payload_len) {
			fprintf(stderr, "%zu bytes to '%s', wrong at %zu: '%.80s' … '%.80s'\n",
			        m->payload_len, m->topic, i, text, text + i);
			fail("a message that was not sent arrived", -EBADMSG);
		}
		load->received++;
		inbox_message_free(m);
	}
}

static void work(struct load *load)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = inbox_fd(load->inbox), .events = POLLIN },
	};
	struct outbox_stats stats;

	while (!fds[0].revents) {
		outbox_get_stats(load->outbox, &stats);
		if (stats.events < WAITING)
			put_group(load);
		take_received(load);
		if (poll(fds, 2, PUT_EACH_MS) < 0)
			fail("poll", -errno);
	}
}

static void make(struct load *load, const char *dir, const char *name)
{
	struct log_config log = { .fd = STDERR_FILENO, .level = LOG_LEVEL_WARNING };
	struct egress_config egress = { .backoff_min_ns = 1 * MS, .backoff_max_ns = 4 * MS };
	struct outbox_config outbox = {
		.max_events = 100000,
		.max_bytes = 1ULL << 30,
		.dir = dir,
		.boot_id = name,
		/* Connections are cut here, no disk hangs: a call that takes
		 * seconds is a busy machine's. */
		.open_wait_ns = 3600 * CUE_NS_PER_S,
		.stall_ns = 3600 * CUE_NS_PER_S,
		.end_wait_ns = 3600 * CUE_NS_PER_S
	};

	check(log_new(&log, &load->log), "log");
	check(topics_new("cuts", name, &load->topics), "topics");
	check(inbox_new(NULL, 10000, 1U << 26, 1U << 20, &load->inbox), "inbox");
	egress.topics = load->topics;
	egress.log = outbox.log = load->log;
	check(egress_new(&egress, &load->egress), "egress");
	outbox.wake = egress_wake;
	outbox.user = load->egress;
	check(outbox_new(&outbox, &load->outbox), "outbox");
	check(retained_new(egress_wake, load->egress, &load->retained), "retained");
}

static void connect_to(struct load *load, const char *port, const char *name)
{
	struct egress_queues queues = { load->outbox, load->retained, load->inbox };
	struct mqtt_settings *settings = NULL;
	char url[64], id[64];
	struct config_mqtt mqtt = { .url = url, .client_id = id, .protocol = 5, .window = 20 };

	snprintf(url, sizeof(url), "mqtt://127.0.0.1:%s", port);
	snprintf(id, sizeof(id), "cuts-%s", name);
	mqtt.keepalive_ns = 10000 * MS;
	if (getenv("CUEBUS_PROTOCOL") && strcmp(getenv("CUEBUS_PROTOCOL"), "5") != 0)
		mqtt.protocol = 4;
	check(mqtt_settings_new(&mqtt, NULL, 1U << 20, &settings), "settings");
	check(egress_start(load->egress, &queues, settings), "start");
}

static int finish(struct load *load, uint64_t timeout_ns)
{
	int r = egress_stop(load->egress, timeout_ns);
	struct egress_stats egress;
	struct outbox_stats outbox;

	outbox_get_stats(load->outbox, &outbox);
	egress_get_stats(load->egress, &egress);
	printf("{\"put\":%" PRIu64 ",\"left\":%" PRIu64 ",\"resent\":%" PRIu64
	       ",\"dropped\":%" PRIu64 ",\"disk_failures\":%" PRIu64 ",\"connects\":%" PRIu64
	       ",\"disconnects\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"received\":%" PRIu64 "}\n",
	       load->seq, outbox.events, outbox.resent, outbox.dropped, outbox.disk_failures,
	       egress.connects, egress.disconnects, egress.failures, load->received);
	fflush(stdout);
	if (r < 0)
		fail("stop", r);
	take_received(load);
	egress_free(load->egress);
	outbox_free(load->outbox);
	retained_free(load->retained);
	inbox_free(load->inbox);
	topics_free(load->topics);
	log_free(load->log);
	return outbox.events > 0;
}

int main(int argc, char **argv)
{
	const char *slow = getenv("CUEBUS_SLOW");
	double factor = slow ? atof(slow) : 1;
	struct load load = { 0 };

	if (argc != 4) {
		fprintf(stderr, "usage: egress_driver PORT DIR NAME\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	make(&load, argv[2], argv[3]);
	connect_to(&load, argv[1], argv[3]);
	work(&load);
	return finish(&load, (uint64_t)(30e9 * factor));
}
