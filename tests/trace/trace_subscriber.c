/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_subscriber.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SUBSCRIBERS_MAX 32U
#define NAME_SIZE       64U

struct subscriber {
	struct trace_subscribers *all;
	struct cue_subscription *subscription;
	char name[NAME_SIZE];
	char type[CUE_TYPE_MAX_LEN + 1];
	char emits[CUE_TYPE_MAX_LEN + 1];
	char cancels[NAME_SIZE];
	int priority;
	bool fails, mutates, reads_state, prints_data;
};

struct trace_subscribers {
	struct cue_bus *bus;
	FILE *out;
	struct subscriber items[SUBSCRIBERS_MAX];
	size_t n;
};

int trace_subscribers_new(struct cue_bus *bus, FILE *out, struct trace_subscribers **ret)
{
	struct trace_subscribers *subscribers = calloc(1, sizeof(*subscribers));

	if (!subscribers)
		return -ENOMEM;
	subscribers->bus = bus;
	subscribers->out = out;
	*ret = subscribers;
	return 0;
}

struct trace_subscribers *trace_subscribers_free(struct trace_subscribers *subscribers)
{
	if (!subscribers)
		return NULL;
	for (size_t i = 0; i < subscribers->n; i++)
		cue_subscription_cancel(subscribers->items[i].subscription);
	free(subscribers);
	return NULL;
}

int trace_subscribers_cancel(struct trace_subscribers *subscribers, const char *name)
{
	for (size_t i = 0; i < subscribers->n; i++) {
		struct subscriber *item = &subscribers->items[i];

		if (!item->subscription || strcmp(item->name, name) != 0)
			continue;
		item->subscription = cue_subscription_cancel(item->subscription);
		return 0;
	}
	return -ENOENT;
}

/** The worst that a handler can do to data: change its own copy. */
static int mutate(const struct cue_event *event)
{
	cJSON *copy = cJSON_Duplicate(cue_payload_json(event->payload), true);

	if (!copy)
		return -ENOMEM;
	if (cJSON_IsObject(copy)) {
		cJSON_DeleteItemFromObjectCaseSensitive(copy, "steps");
		cJSON_DeleteItemFromObjectCaseSensitive(copy, "value");
		cJSON_AddStringToObject(copy, "mutated", "yes");
	}
	cJSON_Delete(copy);
	return 0;
}

static int on_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct subscriber *self = user;
	FILE *out = self->all->out;
	struct cue_state state;
	int r = 0;

	fprintf(out, "@ %s %s %" PRIu64, self->name, cue_event_type_name(event), event->seq);
	if (self->reads_state) {
		r = cue_bus_state_get(bus, cue_event_type_name(event), &event->producer_id, &state);
		fprintf(out, " state=%s", r < 0 ? "none" : cue_payload_bytes(state.payload, NULL));
	}
	if (self->prints_data)
		fprintf(out, " data=%s", cue_payload_bytes(event->payload, NULL));
	fputc('\n', out);
	r = self->mutates ? mutate(event) : 0;
	if (r >= 0 && self->emits[0]) {
		struct cue_emit emit = { .type = self->emits, .time_ns = CUE_TIME_NONE };

		r = cue_bus_emit(bus, &emit, NULL);
	}
	if (r >= 0 && self->cancels[0])
		r = trace_subscribers_cancel(self->all, self->cancels);
	return self->fails ? -EIO : r;
}

static bool take_value(const char *word, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);

	if (strncmp(word, key, len) != 0)
		return false;
	snprintf(value, size, "%s", word + len);
	return true;
}

static bool take_flag(const char *word, const char *key, bool *flag)
{
	if (strcmp(word, key) != 0)
		return false;
	*flag = true;
	return true;
}

static bool take_word(struct subscriber *item, const char *word)
{
	char number[16];

	if (take_value(word, "priority=", number, sizeof(number))) {
		item->priority = (int)strtol(number, NULL, 10);
		return true;
	}
	return take_value(word, "type=", item->type, sizeof(item->type)) ||
	       take_value(word, "emits=", item->emits, sizeof(item->emits)) ||
	       take_value(word, "cancels=", item->cancels, sizeof(item->cancels)) ||
	       take_flag(word, "fails", &item->fails) ||
	       take_flag(word, "mutates", &item->mutates) ||
	       take_flag(word, "reads-state", &item->reads_state) ||
	       take_flag(word, "prints-data", &item->prints_data);
}

static int parse(struct subscriber *item, const char *args)
{
	char copy[512], *word, *rest = NULL;

	if (snprintf(copy, sizeof(copy), "%s", args) >= (int)sizeof(copy))
		return -EINVAL;
	word = strtok_r(copy, " ", &rest);
	if (!word)
		return -EINVAL;
	snprintf(item->name, sizeof(item->name), "%s", word);
	while ((word = strtok_r(NULL, " ", &rest))) {
		if (!take_word(item, word))
			return -EINVAL;
	}
	return item->type[0] ? 0 : -EINVAL;
}

int trace_subscribers_add(struct trace_subscribers *subscribers, const char *args)
{
	struct cue_subscription_config config;
	struct subscriber *item;
	int r;

	if (subscribers->n == SUBSCRIBERS_MAX)
		return -ENOSPC;
	item = &subscribers->items[subscribers->n];
	*item = (struct subscriber){ .all = subscribers };
	r = parse(item, args);
	if (r < 0)
		return r;
	config = (struct cue_subscription_config){
		.type = item->type,
		.priority = item->priority,
		.handler = on_event,
		.user = item,
		.name = item->name,
	};
	r = cue_bus_subscribe(subscribers->bus, &config, &item->subscription);
	if (r >= 0)
		subscribers->n++;
	return r;
}
