/* SPDX-License-Identifier: Apache-2.0 */
/* Held replies wait until their definition is on disk, so that a definition that was answered
 * survives a kill -9. The loop does not wait for the disk; other replies and all events are not
 * delayed.
 *
 * The one delayed reply waits until all events of its command are dispatched, so that it comes
 * after them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_internal.h"

/* One second of commands at the default rate. */
#define HELD_MAX 1024U

bool bridge_can_hold(const struct bridge *bridge)
{
	return bridge->n_held < HELD_MAX;
}

static char *append(char *p, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(p, bytes, len);
	return p + len;
}

static struct bridge_held *held_new(const struct bridge_reply *reply, uint64_t change,
                                    const char *failure, size_t failure_len)
{
	size_t topic_size = strlen(reply->topic) + 1;
	struct bridge_held *held = malloc(sizeof(*held) + topic_size + reply->correlation_len +
	                                  reply->len + failure_len);
	char *p;

	if (!held)
		return NULL;
	*held = (struct bridge_held){
		.change = change,
		.topic_size = topic_size,
		.correlation_len = reply->correlation_len,
		.reply_len = reply->len,
		.failure_len = failure_len,
		.has_correlation = reply->correlation != NULL,
	};
	p = append(held->bytes, reply->topic, topic_size);
	p = append(p, reply->correlation, reply->correlation_len);
	p = append(p, reply->text, reply->len);
	append(p, failure, failure_len);
	return held;
}

int bridge_hold(struct bridge *bridge, const struct bridge_reply *reply, uint64_t change,
                const char *failure, size_t failure_len)
{
	struct bridge_held *held = held_new(reply, change, failure, failure_len);

	if (!held)
		return -ENOMEM;
	*bridge->held_tail = held;
	bridge->held_tail = &held->next;
	bridge->n_held++;
	return 0;
}

static struct bridge_held *pop(struct bridge *bridge)
{
	struct bridge_held *held = bridge->held;

	bridge->held = held->next;
	if (!bridge->held)
		bridge->held_tail = &bridge->held;
	bridge->n_held--;
	return held;
}

static void send(struct bridge *bridge, const struct bridge_held *held, bool written)
{
	const char *correlation = held->bytes + held->topic_size;
	const char *text = correlation + held->correlation_len;
	struct bridge_reply reply = {
		.topic = held->bytes,
		.correlation = held->has_correlation ? correlation : NULL,
		.correlation_len = held->correlation_len,
		.text = written ? text : text + held->reply_len,
		.len = written ? held->reply_len : held->failure_len,
	};

	bridge_send_reply(bridge, &reply);
}

int bridge_delay(struct bridge *bridge, const struct bridge_reply *reply)
{
	bridge_release_delayed(bridge);
	if (bridge->delayed)
		return -EBUSY;
	bridge->delayed = held_new(reply, 0, "", 0);
	return bridge->delayed ? 0 : -ENOMEM;
}

void bridge_release_delayed(struct bridge *bridge)
{
	if (!bridge->delayed || cue_bus_has_waiting(engine_bus(bridge->config.engine)))
		return;
	send(bridge, bridge->delayed, true);
	free(bridge->delayed);
	bridge->delayed = NULL;
}

void bridge_release_held(struct bridge *bridge)
{
	while (bridge->held) {
		int r = commands_reply_state(bridge->config.commands, bridge->held->change);
		struct bridge_held *held;

		if (r == -EAGAIN)
			return;
		if (r < 0)
			log_write(bridge->config.log, LOG_LEVEL_ERROR,
			          "a definition made by command could not be written to "
			          "gateway.state_dir: %s",
			          strerrordesc_np(-r));
		if (r < 0)
			commands_count_failed(bridge->config.commands);
		held = pop(bridge);
		send(bridge, held, r == 0);
		free(held);
	}
}

void bridge_clear_held(struct bridge *bridge)
{
	while (bridge->held)
		free(pop(bridge));
	free(bridge->delayed);
}
