/* SPDX-License-Identifier: Apache-2.0 */
#include "inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/** If more emits than this wait, commands are taken before them. */
#define EMITS_IN_ORDER 32U

enum lane_name { LANE_COMMANDS, LANE_EMITS, LANES };

struct entry {
	/* first member, so that the message's address is the entry's */
	struct inbox_message message;
	struct entry *after;
	uint64_t number; /* order of arrival over both lanes */
	size_t size;
	enum lane_name lane;
	char bytes[];
};

/** First in, first out. */
struct lane {
	struct entry *head, *tail;
	uint64_t messages, bytes;
};

struct inbox {
	int fd;      /* readable if and only if a message waits */
	char *emits; /* prefix of the topics of emits; NULL: there are none */
	size_t emits_len;
	pthread_mutex_t mutex; /* guards everything below */
	uint64_t max_messages, max_bytes, max_payload;
	struct lane lanes[LANES];
	uint64_t next_number;
	struct inbox_stats stats;
	bool is_woken; /* readable without a message */
};

int inbox_new(const char *emits, uint64_t max_messages, uint64_t max_bytes, uint64_t max_payload,
              struct inbox **ret_inbox)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));
	int r = -ENOMEM;

	if (!inbox)
		return -ENOMEM;
	inbox->emits = emits ? strdup(emits) : NULL;
	inbox->emits_len = emits ? strlen(emits) : 0;
	inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->fd < 0)
		r = -errno;
	if (inbox->fd < 0 || (emits && !inbox->emits)) {
		if (inbox->fd >= 0)
			close(inbox->fd);
		free(inbox->emits);
		free(inbox);
		return r;
	}
	pthread_mutex_init(&inbox->mutex, NULL);
	inbox_set_limits(inbox, max_messages, max_bytes, max_payload);
	*ret_inbox = inbox;
	return 0;
}

struct inbox *inbox_free(struct inbox *inbox)
{
	if (!inbox)
		return NULL;
	for (size_t i = 0; i < LANES; i++) {
		while (inbox->lanes[i].head) {
			struct entry *entry = inbox->lanes[i].head;

			inbox->lanes[i].head = entry->after;
			free(entry);
		}
	}
	close(inbox->fd);
	free(inbox->emits);
	pthread_mutex_destroy(&inbox->mutex);
	free(inbox);
	return NULL;
}

int inbox_fd(const struct inbox *inbox)
{
	return inbox->fd;
}

/** Copy @p len bytes to *p and advance it. */
static void *place(char **p, const void *bytes, size_t len)
{
	char *at = *p;

	if (len)
		memcpy(at, bytes, len);
	*p += len;
	return at;
}

static struct entry *entry_new(const struct inbox_message *message, bool oversized)
{
	size_t topic_size = strlen(message->topic) + 1;
	size_t response_size = message->response_topic ? strlen(message->response_topic) + 1 : 0;
	size_t payload_len = oversized ? 0 : message->payload_len;
	size_t size = sizeof(struct entry) + topic_size + response_size + payload_len +
	              message->correlation_len;
	struct entry *entry = malloc(size);
	char *p;

	if (!entry)
		return NULL;
	*entry = (struct entry){ .message = *message, .size = size };
	p = entry->bytes;
	entry->message.oversized = oversized;
	entry->message.topic = place(&p, message->topic, topic_size);
	if (message->response_topic)
		entry->message.response_topic = place(&p, message->response_topic, response_size);
	if (message->correlation)
		entry->message.correlation =
		        place(&p, message->correlation, message->correlation_len);
	entry->message.payload = oversized ? NULL : place(&p, message->payload, payload_len);
	return entry;
}

/** Mutex held. */
static void set_readable(struct inbox *inbox, bool readable)
{
	uint64_t value = 1;
	ssize_t n = readable ? write(inbox->fd, &value, sizeof(value))
	                     : read(inbox->fd, &value, sizeof(value));

	(void)n; /* an eventfd's counter at 0 or 1 never blocks here */
}

static enum lane_name lane_of(const struct inbox *inbox, const char *topic)
{
	return inbox->emits && strncmp(topic, inbox->emits, inbox->emits_len) == 0 ? LANE_EMITS
	                                                                           : LANE_COMMANDS;
}

/** Mutex held. */
static void append(struct inbox *inbox, struct entry *entry)
{
	struct lane *lane = &inbox->lanes[entry->lane];

	if (lane->tail)
		lane->tail->after = entry;
	else
		lane->head = entry;
	lane->tail = entry;
	lane->messages++;
	lane->bytes += entry->size;
	entry->number = inbox->next_number++;
	inbox->stats.received++;
	inbox->stats.messages++;
	inbox->stats.bytes += entry->size;
	if (inbox->stats.messages > inbox->stats.peak_messages)
		inbox->stats.peak_messages = inbox->stats.messages;
	if (inbox->stats.messages == 1)
		set_readable(inbox, true);
}

int inbox_put(struct inbox *inbox, const struct inbox_message *message)
{
	const struct lane *lane;
	struct entry *entry;
	int r = 0;

	pthread_mutex_lock(&inbox->mutex);
	entry = entry_new(message, message->payload_len > inbox->max_payload);
	if (entry)
		entry->lane = lane_of(inbox, message->topic);
	lane = &inbox->lanes[entry ? entry->lane : LANE_COMMANDS];
	if (!entry)
		r = -ENOMEM;
	else if (lane->messages >= inbox->max_messages ||
	         lane->bytes + entry->size > inbox->max_bytes)
		r = -ENOBUFS;
	if (r < 0) {
		inbox->stats.dropped++;
		inbox->stats.dropped_emits += entry && entry->lane == LANE_EMITS;
		free(entry);
	} else {
		append(inbox, entry);
	}
	pthread_mutex_unlock(&inbox->mutex);
	return r;
}

void inbox_wake(struct inbox *inbox)
{
	pthread_mutex_lock(&inbox->mutex);
	inbox->is_woken = true;
	set_readable(inbox, true);
	pthread_mutex_unlock(&inbox->mutex);
}

/** The lane to take from, NULL if both are empty. Mutex held. */
static struct lane *choose(struct inbox *inbox)
{
	struct lane *commands = &inbox->lanes[LANE_COMMANDS], *emits = &inbox->lanes[LANE_EMITS];

	if (!commands->head || !emits->head)
		return commands->head ? commands : emits->head ? emits : NULL;
	if (emits->messages > EMITS_IN_ORDER)
		return commands;
	return commands->head->number < emits->head->number ? commands : emits;
}

bool inbox_is_empty(struct inbox *inbox)
{
	bool empty;

	pthread_mutex_lock(&inbox->mutex);
	empty = inbox->stats.messages == 0;
	if (empty && inbox->is_woken) {
		inbox->is_woken = false;
		set_readable(inbox, false);
	}
	pthread_mutex_unlock(&inbox->mutex);
	return empty;
}

static struct inbox_message *take(struct inbox *inbox, bool commands_only)
{
	struct entry *entry = NULL;
	struct lane *lane;

	pthread_mutex_lock(&inbox->mutex);
	lane = commands_only ? &inbox->lanes[LANE_COMMANDS] : choose(inbox);
	if (lane && lane->head) {
		entry = lane->head;
		lane->head = entry->after;
		if (!lane->head)
			lane->tail = NULL;
		lane->messages--;
		lane->bytes -= entry->size;
		inbox->stats.messages--;
		inbox->stats.bytes -= entry->size;
	}
	if (inbox->stats.messages == 0 && (entry || inbox->is_woken)) {
		inbox->is_woken = false;
		set_readable(inbox, false);
	}
	pthread_mutex_unlock(&inbox->mutex);
	return entry ? &entry->message : NULL;
}

struct inbox_message *inbox_take(struct inbox *inbox)
{
	return take(inbox, false);
}

struct inbox_message *inbox_take_command(struct inbox *inbox)
{
	return take(inbox, true);
}

struct inbox_message *inbox_message_free(struct inbox_message *message)
{
	free(message);
	return NULL;
}

void inbox_set_limits(struct inbox *inbox, uint64_t max_messages, uint64_t max_bytes,
                      uint64_t max_payload)
{
	pthread_mutex_lock(&inbox->mutex);
	inbox->max_messages = max_messages;
	inbox->max_bytes = max_bytes;
	inbox->max_payload = max_payload;
	pthread_mutex_unlock(&inbox->mutex);
}

void inbox_get_stats(struct inbox *inbox, struct inbox_stats *ret_stats)
{
	pthread_mutex_lock(&inbox->mutex);
	*ret_stats = inbox->stats;
	pthread_mutex_unlock(&inbox->mutex);
}
