/* SPDX-License-Identifier: Apache-2.0 */
#include "inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct entry {
	struct inbox_message message; /* first: the message's address is the entry's */
	struct entry *after;
	size_t size;
	char bytes[];
};

struct inbox {
	int fd; /* readable if and only if the list is not empty */
	pthread_mutex_t mutex; /* guards everything below */
	uint64_t max_messages, max_bytes, max_payload;
	struct entry *head, *tail;
	struct inbox_stats stats;
	bool is_woken; /* readable without a message */
};

int inbox_new(uint64_t max_messages, uint64_t max_bytes, uint64_t max_payload,
              struct inbox **ret_inbox)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));
	int r;

	if (!inbox)
		return -ENOMEM;
	inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->fd < 0) {
		r = -errno;
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
	while (inbox->head) {
		struct entry *entry = inbox->head;

		inbox->head = entry->after;
		free(entry);
	}
	close(inbox->fd);
	pthread_mutex_destroy(&inbox->mutex);
	free(inbox);
	return NULL;
}

int inbox_fd(const struct inbox *inbox)
{
	return inbox->fd;
}

/** Copy @p len bytes (and no more than there are) to *p and move on. */
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
		entry->message.correlation = place(&p, message->correlation, message->correlation_len);
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

int inbox_put(struct inbox *inbox, const struct inbox_message *message)
{
	struct entry *entry;
	bool oversized;
	int r = 0;

	pthread_mutex_lock(&inbox->mutex);
	oversized = message->payload_len > inbox->max_payload;
	entry = entry_new(message, oversized);
	if (!entry)
		r = -ENOMEM;
	else if (inbox->stats.messages >= inbox->max_messages ||
	         inbox->stats.bytes + entry->size > inbox->max_bytes)
		r = -ENOBUFS;
	if (r < 0) {
		inbox->stats.dropped++;
		free(entry);
	} else {
		if (inbox->tail)
			inbox->tail->after = entry;
		else
			inbox->head = entry;
		inbox->tail = entry;
		inbox->stats.received++;
		inbox->stats.messages++;
		inbox->stats.bytes += entry->size;
		if (inbox->stats.messages > inbox->stats.peak_messages)
			inbox->stats.peak_messages = inbox->stats.messages;
		if (inbox->stats.messages == 1)
			set_readable(inbox, true);
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

struct inbox_message *inbox_take(struct inbox *inbox)
{
	struct entry *entry;

	pthread_mutex_lock(&inbox->mutex);
	entry = inbox->head;
	if (entry) {
		inbox->head = entry->after;
		if (!inbox->head)
			inbox->tail = NULL;
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
