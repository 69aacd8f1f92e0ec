/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an event type: the check against a naive model, then interning,
 * emitting and subscribing, which must agree with the check.
 */
#include "fuzz.h"

#include <cuebus/bus.h>

#include <errno.h>

static bool model_is_valid(const char *name, size_t len)
{
	unsigned dots = 0;

	for (size_t i = 0; i < len; i++) {
		if (name[i] == '.') {
			dots++;
			if (i == 0 || i + 1 == len || name[i - 1] == '.')
				return false;
		} else if (name[i] == '\0' ||
		           !strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", name[i])) {
			return false;
		}
	}
	return len >= 1 && len <= 128 && dots <= 7;
}

static bool model_is_reserved(const char *name)
{
	return strncmp(name, "event.", 6) == 0 || strncmp(name, "gateway.", 8) == 0 ||
	       strncmp(name, "gesture.", 8) == 0 || strncmp(name, "input.", 6) == 0;
}

static int count(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	unsigned *seen = user;

	(void)bus;
	(void)event;
	(*seen)++;
	return 0;
}

static void check_valid(struct cue_bus *bus, const char *name)
{
	const struct cue_type *type = NULL;
	const struct cue_type *same = NULL;
	const struct cue_emit emit = { .type = name, .time_ns = CUE_TIME_NONE };
	unsigned seen = 0;
	const struct cue_subscription_config config = { .type = name,
		                                        .handler = count,
		                                        .user = &seen };
	struct cue_subscription *subscription = NULL;

	FUZZ_CHECK(cue_bus_intern(bus, name, &type) == 0);
	FUZZ_CHECK(strcmp(cue_type_name(type), name) == 0);
	FUZZ_CHECK(cue_bus_intern(bus, name, &same) == 0 && same == type);
	FUZZ_CHECK(cue_bus_subscribe(bus, &config, &subscription) == 0);
	FUZZ_CHECK(cue_bus_emit(bus, &emit, NULL) == 0 && seen == 1);
	cue_subscription_cancel(subscription);
}

static void check_pattern(struct cue_bus *bus, const char *pattern, bool is_valid_type)
{
	unsigned seen = 0;
	const struct cue_subscription_config config = { .type = pattern,
		                                        .handler = count,
		                                        .user = &seen };
	struct cue_subscription *subscription = NULL;
	size_t len = strlen(pattern);
	bool is_prefix = len > 2 && strcmp(pattern + len - 2, ".*") == 0 &&
	                 cue_type_is_valid(pattern, len - 2, NULL);
	bool is_pattern = is_valid_type || is_prefix || strcmp(pattern, "*") == 0;
	int r = cue_bus_subscribe(bus, &config, &subscription);

	FUZZ_CHECK(r == (is_pattern ? 0 : -EINVAL));
	FUZZ_CHECK((r == 0) == (subscription != NULL));
	cue_subscription_cancel(subscription);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t random = 1;
	const struct cue_bus_config config = { .gateway_id = "fuzz",
		                               .random = fuzz_random,
		                               .user = &random };
	const char *bytes = size ? (const char *)data : "";
	const char *reason = NULL;
	bool valid = cue_type_is_valid(bytes, size, &reason);
	struct cue_bus *bus = NULL;
	struct cue_id id;
	char *name = malloc(size + 1);

	FUZZ_CHECK(name);
	FUZZ_CHECK(valid == model_is_valid(bytes, size));
	FUZZ_CHECK(valid == (reason == NULL));
	memcpy(name, bytes, size);
	name[size] = '\0';
	FUZZ_CHECK(cue_bus_new(&config, &bus) == 0);

	FUZZ_CHECK(cue_type_is_reserved(name) == model_is_reserved(name));
	if (valid) {
		check_valid(bus, name);
	} else if (strlen(name) == size) {
		const struct cue_type *type = NULL;
		const struct cue_emit emit = { .type = name, .time_ns = CUE_TIME_NONE };

		FUZZ_CHECK(cue_bus_intern(bus, name, &type) == -EINVAL && !type);
		FUZZ_CHECK(cue_bus_emit(bus, &emit, NULL) == -EINVAL);
	}
	check_pattern(bus, name, cue_type_is_valid(name, strlen(name), NULL));
	if (cue_id_parse(name, &id) == 0) {
		char text[CUE_ID_TEXT_SIZE];

		cue_id_format(&id, text);
		FUZZ_CHECK(strcasecmp(text, name) == 0);
	}
	cue_bus_free(bus);
	free(name);
	return 0;
}
