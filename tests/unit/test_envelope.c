/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/cuebus.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"

static int no_random(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 7, len);
	return 0;
}

/** Bus and type for events made by hand. */
static struct cue_bus *make_bus(const char *type_name, const struct cue_type **ret_type)
{
	struct cue_bus_config config = { .gateway_id = "porch", .random = no_random };
	struct cue_bus *bus = NULL;

	cr_assert_eq(cue_bus_new(&config, &bus), 0);
	cr_assert_eq(cue_bus_intern(bus, type_name, ret_type), 0);
	return bus;
}

static char *written(const struct envelope_context *context, const struct cue_event *event)
{
	struct cue_writer w = { 0 };
	char *text = NULL;

	envelope_write(&w, context, event);
	cr_assert_eq(cue_writer_finish(&w, &text, NULL), 0);
	return text;
}

Test(envelope, has_its_keys_in_the_fixed_order)
{
	const struct envelope_context context = {
		.boot_id = "7f3a9c21",
		/* 2026-11-23T11:03:55.938124Z at 91,234.567 s of monotonic time */
		.wall_offset_ns = 1795431835938124000LL - 91234567000LL,
	};
	struct cue_event event = {
		.time_ns = 91234567999ULL, .seq = 1842, .cause_seq = 1839, .producer_id = 1
	};
	struct cue_bus *bus = make_bus("button.double_tap", &event.type);
	char *text;

	cr_assert_eq(cue_payload_new("{\"a\": 1}", 8, 0, &event.payload, NULL), 0);
	text = written(&context, &event);
	cr_assert_str_eq(text, "{\"event_type\":\"button.double_tap\",\"producer_id\":1,"
	                       "\"timestamp\":\"2026-11-23T11:03:55.938124Z\",\"data\":{\"a\":1},"
	                       "\"boot_id\":\"7f3a9c21\",\"seq\":1842,\"monotonic_us\":91234567,"
	                       "\"cause_seq\":1839}");
	free(text);
	cue_payload_unref(event.payload);
	cue_bus_free(bus);
}

Test(envelope, no_cause_and_no_number_are_null)
{
	const struct envelope_context context = { .boot_id = "00000000",
		                                  .monotonic_base_ns = 1000000 };
	struct cue_event event = { .time_ns = 1500000, .payload = cue_payload_null() };
	struct cue_bus *bus = make_bus("a", &event.type);
	char *text = written(&context, &event);

	cr_assert_str_eq(text, "{\"event_type\":\"a\",\"producer_id\":0,"
	                       "\"timestamp\":\"1970-01-01T00:00:00.001500Z\",\"data\":null,"
	                       "\"boot_id\":\"00000000\",\"seq\":null,\"monotonic_us\":500,"
	                       "\"cause_seq\":null}");
	free(text);
	event.time_ns = 10; /* before the base: an input may be older than the start */
	text = written(&context, &event);
	cr_assert_not_null(strstr(text, "\"monotonic_us\":0,"));
	free(text);
	cue_bus_free(bus);
}
