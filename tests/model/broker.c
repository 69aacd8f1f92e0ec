/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker and the network, in place of paho: paho_connection.h as a script.
 *
 *   a message    | gateway -> transit -> the broker, in order -> the model
 *   its answer   | the broker -> acks -> the gateway's callback
 *   a cut        | of what is in transit a first part still arrives; of the acks a first part does
 *
 * Over MQTT 5 a thread of its own calls back; over 3.1.1 the egress thread does, within
 * paho_handle_input() and paho_wait_input(), as with paho.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paho_connection.h"
#include "sim.h"
#include "tcp_socket.h"
#include "world.h"

#define ACKS_MAX     256U
#define LATE_NS      (3 * SIM_S)
#define REASON_QUOTA 0x97
/* Longest time between two checks of the connection, in paho_wait_input(). */
#define LOOK_NS (50 * SIM_MS)

struct ack {
	unsigned boot;
	uint32_t seq;
	int token, reason;
	uint64_t due_ns;
};

struct paho_connection {
	struct paho_callbacks callbacks;
	struct paho_broker broker;
	bool has_thread, connected, closing, lost_told, in_callback;
	uint32_t session;
	int last_token;
	struct ack acks[ACKS_MAX]; /* in the order in which the broker gave them */
	unsigned n_acks;
	struct transit sent[MQTT_WINDOW_MAX]; /* without acknowledgement */
	unsigned n_sent;
};

static struct paho_connection *line; /* NULL: none */
static bool peer_ended;
static int agenda; /* its address is what the thread waits for */

bool tcp_socket_peer_ended(int fd)
{
	(void)fd;
	return peer_ended;
}

/* ---- the broker ---- */

static void answer(const struct transit *t, int reason)
{
	struct paho_connection *c = line;
	uint64_t due_ns = sim_now() + world->manners.latency_ns / 2;

	if (!c || !c->connected || t->token == 0 || c->n_acks == ACKS_MAX)
		return;
	if (sim_chance(world->manners.disorder))
		due_ns += sim_random_span(SIM_MS, LATE_NS);
	else if (c->n_acks > 0 && world->manners.disorder == 0 &&
	         c->acks[c->n_acks - 1].due_ns > due_ns)
		due_ns = c->acks[c->n_acks - 1].due_ns;
	c->acks[c->n_acks++] = (struct ack){ .boot = t->boot,
		                             .seq = t->seq,
		                             .token = t->token,
		                             .reason = reason,
		                             .due_ns = due_ns };
}

static bool is_poison(const struct transit *t)
{
	uint32_t hash = (t->boot * 7919U + t->seq) * 2654435761U;

	return world->manners.poison && (hash >> 8) % world->manners.poison == 0;
}

static void take(const struct transit *t)
{
	const struct manners *manners = &world->manners;
	bool is_5 = line && line->has_thread;

	if (t->seq == 0) {
		answer(t, 0);
		return;
	}
	if (is_poison(t)) {
		model_trace("broker: ends the session for %u/%u", t->boot, t->seq);
		model_disliked(t->boot, t->seq);
		broker_cut(true);
		return;
	}
	if (is_5 && t->token && sim_chance(manners->refusals)) {
		model_trace("broker: refuses %u/%u", t->boot, t->seq);
		model_disliked(t->boot, t->seq);
		answer(t, REASON_QUOTA);
		return;
	}
	if (t->token && sim_chance(manners->swallowed)) {
		model_trace("broker: swallows %u/%u", t->boot, t->seq);
		model_disliked(t->boot, t->seq);
		return;
	}
	model_arrived(t->boot, t->seq, world->session);
	answer(t, 0);
}

static void drop_transit(unsigned n)
{
	world->n_transit -= n;
	memmove(world->transit, world->transit + n, world->n_transit * sizeof(*world->transit));
}

static void take_due(void)
{
	while (world->n_transit > 0 && world->transit[0].arrives_ns <= sim_now()) {
		struct transit t = world->transit[0];

		drop_transit(1);
		take(&t);
	}
}

/** The connection is broken: perhaps a first part of the data in transit arrives. */
static void take_last(bool perhaps_all)
{
	unsigned n =
	        perhaps_all && sim_chance(60) ? world->n_transit : sim_random(world->n_transit + 1);

	for (unsigned i = 0; i < n; i++) {
		const struct transit *t = &world->transit[i];

		if (t->seq && is_poison(t))
			break;
		if (t->seq)
			model_arrived(t->boot, t->seq, world->session);
	}
	world->n_transit = 0;
}

void broker_cut(bool by_peer)
{
	struct paho_connection *c = line;
	unsigned kept;

	if (!c || !c->connected)
		return;
	c->connected = false;
	peer_ended = by_peer;
	take_last(false);
	kept = sim_random(c->n_acks + 1);
	for (unsigned i = 0; i < kept; i++)
		c->acks[i].due_ns = sim_now();
	c->n_acks = kept;
	model_trace("the connection is cut by %s, behind %u acknowledgements",
	            by_peer ? "the broker" : "the network", kept);
	sim_notify(&agenda);
}

void broker_survives(void)
{
	take_last(true);
	world->is_on_the_line = false;
}

/* ---- back to the gateway ---- */

static void settle_sent(struct paho_connection *c, int token)
{
	for (unsigned i = 0; i < c->n_sent; i++) {
		if (c->sent[i].token == token)
			c->sent[i--] = c->sent[--c->n_sent];
	}
}

/** @return whether there was one. */
static bool give_ack(struct paho_connection *c)
{
	struct ack ack;
	unsigned i = 0;

	if (world->manners.stalls && c->connected)
		return false;
	while (i < c->n_acks && c->acks[i].due_ns > sim_now())
		i++;
	if (i == c->n_acks)
		return false;
	ack = c->acks[i];
	c->n_acks--;
	memmove(&c->acks[i], &c->acks[i + 1], (c->n_acks - i) * sizeof(ack));
	settle_sent(c, ack.token);
	c->in_callback = true;
	c->callbacks.acknowledged(c->callbacks.user, ack.token, ack.reason);
	if (ack.seq && ack.reason < 0x80)
		model_acked(ack.boot, ack.seq);
	c->in_callback = false;
	sim_notify(c);
	return true;
}

/** What has come, and the end of the connection behind it. */
static void give_all(struct paho_connection *c)
{
	while (!c->closing && give_ack(c))
		;
	if (c->closing || c->connected || c->lost_told)
		return;
	c->lost_told = true;
	c->in_callback = true;
	c->callbacks.lost(c->callbacks.user, -1);
	c->in_callback = false;
	sim_notify(c);
}

static uint64_t next_due_ns(const struct paho_connection *c)
{
	uint64_t next_ns = SIM_NEVER;

	if (world->manners.stalls)
		return SIM_NEVER;
	for (unsigned i = 0; i < c->n_acks; i++) {
		if (c->acks[i].due_ns < next_ns)
			next_ns = c->acks[i].due_ns;
	}
	return next_ns;
}

static void run(void *user)
{
	(void)user;
	for (;;) {
		uint64_t until_ns = sim_now() + LOOK_NS;

		take_due();
		if (line && line->has_thread && !line->closing)
			give_all(line);
		if (world->n_transit > 0 && world->transit[0].arrives_ns < until_ns)
			until_ns = world->transit[0].arrives_ns;
		if (line && line->has_thread && next_due_ns(line) < until_ns)
			until_ns = next_due_ns(line);
		(void)sim_wait(&agenda, until_ns > sim_now() ? until_ns : sim_now() + 1);
	}
}

void broker_install(void)
{
	world->n_transit = 0;
	sim_spawn(run, NULL);
}

/* ---- paho_connection.h ---- */

int paho_connect(const struct mqtt_settings *settings, const struct paho_options *options,
                 struct paho_connection **ret_connection, int *ret_answer,
                 char error[PAHO_ERROR_SIZE])
{
	struct paho_connection *c;

	if (ret_answer)
		*ret_answer = 0;
	sim_sleep(world->manners.latency_ns);
	if (world->manners.down_until_ns > sim_now()) {
		snprintf(error, PAHO_ERROR_SIZE, "the broker is down");
		return -ECONNREFUSED;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		model_fail("no memory");
	c->callbacks = *options->callbacks;
	c->has_thread = settings->protocol == 5;
	c->connected = true;
	c->session = ++world->session;
	c->broker = (struct paho_broker){
		.receive_maximum = 65535, .max_qos = 2, .retain = true, .wildcards = true
	};
	if (sim_chance(20))
		c->broker.receive_maximum = 1 + sim_random(8);
	peer_ended = false;
	world->is_on_the_line = true;
	line = c;
	model_trace("session %u", c->session);
	*ret_connection = c;
	sim_notify(&agenda);
	return 0;
}

const struct paho_broker *paho_get_broker(const struct paho_connection *connection)
{
	return &connection->broker;
}

const char *paho_get_address(const struct paho_connection *connection)
{
	(void)connection;
	return "nowhere";
}

int paho_dup_socket(const struct paho_connection *connection)
{
	(void)connection;
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int round_trip(struct paho_connection *c)
{
	sim_sleep(world->manners.latency_ns);
	return c->connected ? 0 : -ENOTCONN;
}

int paho_subscribe(struct paho_connection *connection, const struct paho_subscription *subscription,
                   char error[PAHO_ERROR_SIZE])
{
	(void)subscription;
	snprintf(error, PAHO_ERROR_SIZE, "no answer");
	return round_trip(connection);
}

int paho_unsubscribe(struct paho_connection *connection, const char *filter)
{
	(void)filter;
	return round_trip(connection);
}

/** Which event it is; seq stays 0 for anything else. */
static void read_event(const struct paho_message *m, struct transit *t)
{
	char text[64];

	if (!strstr(m->topic, "/bus/"))
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(m->payload_len < 63 ? m->payload_len : 63),
	         (const char *)m->payload);
	if (sscanf(text, "%u/%u ", &t->boot, &t->seq) != 2 || t->boot >= world->n_lives ||
	    t->seq > EVENTS_MAX)
		model_fail("a message that was not put: %s", text);
}

int paho_publish(struct paho_connection *c, const struct paho_message *m, int *ret_token)
{
	struct transit t = { .token = m->qos > 0 ? ++c->last_token : 0 };

	sim_point();
	read_event(m, &t);
	if (world->manners.maximum && strlen(m->topic) + m->payload_len > world->manners.maximum &&
	    !strstr(m->topic, "/status")) {
		if (t.seq)
			model_disliked(t.boot, t.seq);
		return -EMSGSIZE;
	}
	if (!c->connected)
		return -ENOTCONN;
	if (t.token && c->n_sent == MQTT_WINDOW_MAX)
		return -EBUSY;
	if (world->n_transit == TRANSIT_MAX)
		sim_sleep(world->manners.latency_ns + 1);
	*ret_token = t.token;
	if (t.seq && t.token == 0)
		world->lives[t.boot].events[t.seq].was_on_the_way = true;
	t.arrives_ns = sim_now() + world->manners.latency_ns / 2;
	if (c->connected && world->n_transit < TRANSIT_MAX)
		world->transit[world->n_transit++] = t;
	if (t.token)
		c->sent[c->n_sent++] = t;
	sim_notify(&agenda);
	sim_sleep(1 + sim_random(50000));
	return c->connected || t.token ? 0 : -EPIPE;
}

void paho_gather(struct paho_connection *connection, bool on)
{
	(void)connection, (void)on;
}

bool paho_is_connected(struct paho_connection *connection)
{
	return connection->connected;
}

bool paho_has_own_thread(const struct paho_connection *connection)
{
	return connection->has_thread;
}

void paho_handle_input(struct paho_connection *connection)
{
	if (!connection->has_thread)
		give_all(connection);
}

void paho_wait_input(struct paho_connection *c, int wake_fd, uint64_t timeout_ns)
{
	uint64_t until_ns = sim_now() + (timeout_ns < LOOK_NS ? timeout_ns : LOOK_NS);

	if (next_due_ns(c) < until_ns)
		until_ns = next_due_ns(c);
	if (until_ns > sim_now())
		(void)sim_wait_fd(wake_fd, until_ns);
	give_all(c);
}

struct paho_connection *paho_close(struct paho_connection *c)
{
	if (!c)
		return NULL;
	/* Messages that arrive before the broker has closed its side are still delivered. */
	if (sim_chance(50))
		sim_sleep(sim_random_span(1000, world->manners.latency_ns + 1000));
	c->closing = true;
	while (c->in_callback)
		(void)sim_wait(c, SIM_NEVER);
	if (c->connected)
		take_last(true);
	for (unsigned i = 0; i < c->n_sent; i++) {
		if (c->sent[i].seq)
			world->lives[c->sent[i].boot].events[c->sent[i].seq].unacked_ends++;
	}
	line = NULL;
	world->is_on_the_line = false;
	free(c);
	return NULL;
}
