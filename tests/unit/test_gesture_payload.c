/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"
#include "gesture_internal.h"

#include <errno.h>

static const char *const source[] = { "in" };

static void define_mirror(struct gesture_fixture *f)
{
	gesture_define(f, &(struct cue_gesture_config){
	                          .name = "m",
	                          .type = CUE_GESTURE_GATED_MIRROR,
	                          .gate = source,
	                          .n_gate = 1,
	                          .mirror = source,
	                          .n_mirror = 1,
	                          .emit = "out",
	                  });
}

#define PERIPHERAL                                                                                 \
	"\"virtual_peripheral\":{\"id\":\"b2c0c31deeae2b25eb0a2bce5341caa2\",\"name\":\"m\","      \
	"\"metadata\":null}}"

static void expect_mirrored(const char *data, const char *expected)
{
	struct cue_json_error error;
	struct gesture_fixture f;
	const char *bytes;
	size_t len;

	gesture_open(&f, NULL);
	define_mirror(&f);
	gesture_event(&f, 0, "in", 1, data);
	cr_assert_not_null(f.last, "%s", data);
	bytes = cue_payload_bytes(f.last, &len);
	cr_assert_str_eq(bytes, expected);
	cr_assert_eq(strlen(bytes), len);
	cr_assert_eq(cue_json_validate(bytes, len, 0, &error), 0, "%s", bytes);
	gesture_close(&f);
}

Test(gesture_payload, an_object_is_kept_to_the_byte)
{
	expect_mirrored("{\"value\":true,\"n\":1.10e+2,\"s\":\"a\\u00e9}\"}",
	                "{\"value\":true,\"n\":1.10e+2,\"s\":\"a\\u00e9}\"," PERIPHERAL);
	expect_mirrored("{\"big\":12345678901234567890,\"pressed\":1}",
	                "{\"big\":12345678901234567890,\"pressed\":1," PERIPHERAL);
}

Test(gesture_payload, anything_else_becomes_value)
{
	expect_mirrored("true", "{\"value\":true," PERIPHERAL);
	expect_mirrored("1.50", "{\"value\":1.50," PERIPHERAL);
	expect_mirrored("\"on\"", "{\"value\":\"on\"," PERIPHERAL);
	expect_mirrored("[{\"a\":1}]", "{\"value\":[{\"a\":1}]," PERIPHERAL);
}

Test(gesture_payload, an_earlier_virtual_peripheral_is_replaced)
{
	expect_mirrored("{\"state\":1,\"virtual_peripheral\":{\"id\":\"x\",\"a\":[{},\"}\\\"\"]}}",
	                "{\"state\":1," PERIPHERAL);
	expect_mirrored("{\"virtual_peripheral\":null,\"state\":1.0}",
	                "{\"state\":1.0," PERIPHERAL);
	expect_mirrored("{\"state\":1,\"virtual_peripheral\":7,\"b\":[\"],\"]}",
	                "{\"state\":1,\"b\":[\"],\"]," PERIPHERAL);
	expect_mirrored("{\"virtual_peripheral\":[1]}", "{" PERIPHERAL);
}

Test(gesture_payload, a_key_spelt_with_escapes_is_found_too)
{
	expect_mirrored("{\"virtual\\u005fperipheral\":1,\"a\\\"\":2}", "{\"a\\\"\":2," PERIPHERAL);
}

Test(gesture_payload, the_name_elsewhere_is_left_alone)
{
	expect_mirrored(
	        "{\"s\":\"virtual_peripheral\",\"o\":{\"virtual_peripheral\":1}}",
	        "{\"s\":\"virtual_peripheral\",\"o\":{\"virtual_peripheral\":1}," PERIPHERAL);
}

Test(gesture_payload, an_empty_object_gets_one_member)
{
	struct gesture_fixture f;
	static const char *const gate[] = { "gate" };

	gesture_open(&f, NULL);
	gesture_define(&f, &(struct cue_gesture_config){ .name = "m",
	                                                 .type = CUE_GESTURE_GATED_MIRROR,
	                                                 .gate = gate,
	                                                 .n_gate = 1,
	                                                 .mirror = source,
	                                                 .n_mirror = 1,
	                                                 .initial = true });
	gesture_event(&f, 0, "in", 1, "{}");
	expect_last(&f, "{" PERIPHERAL);
	gesture_event(&f, 1, "in", 1, "null");
	expect_last(&f, "{\"value\":null," PERIPHERAL);
	gesture_close(&f);
}

Test(gesture_payload, names_are_escaped)
{
	struct cue_id id = { { 0 } };
	char *text;
	size_t len;

	cr_assert_eq(cue_gesture_peripheral_write(&id, "a\"b\n\xC3\xA9", NULL, &text, &len), 0);
	cr_assert_str_eq(text, "{\"id\":\"00000000000000000000000000000000\","
	                       "\"name\":\"a\\\"b\\n\xC3\xA9\",\"metadata\":null}");
	cr_assert_eq(strlen(text), len);
	free(text);
}

Test(gesture_payload, timestamps_are_wall_time)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &(struct cue_gesture_config){ .name = "t",
	                                                 .type = CUE_GESTURE_DOUBLE_TAP,
	                                                 .source = { .type = "in" },
	                                                 .window_ns = MS(10),
	                                                 .emit = "out" });
	/* 2026-11-23T11:03:55.938124Z, in ns less the start of the fixture's bus */
	cue_bus_set_wall_offset(f.bus, 1795431835938124000LL - (int64_t)START_NS);
	gesture_event(&f, 0, "in", 1, "1");
	gesture_event(&f, 1, "in", 1, "2");
	cr_assert_not_null(strstr(cue_payload_bytes(f.last, NULL),
	                          "\"data\":1,\"timestamp\":\"2026-11-23T11:03:55.938124Z\""));
	cr_assert_not_null(strstr(cue_payload_bytes(f.last, NULL),
	                          "\"data\":2,\"timestamp\":\"2026-11-23T11:03:55.939124Z\""));
	gesture_close(&f);
}

/* Gestures of gestures multiply their data. */
Test(gesture_payload, what_is_too_large_is_not_emitted)
{
	size_t half = CUE_GESTURE_PAYLOAD_MAX / 2;
	char *text = malloc(half + 3);
	struct gesture_fixture f;

	cr_assert_not_null(text);
	memset(text, 'x', half + 2);
	text[0] = text[half + 1] = '"';
	text[half + 2] = '\0';
	gesture_open(&f, NULL);
	gesture_define(&f, &(struct cue_gesture_config){ .name = "t",
	                                                 .type = CUE_GESTURE_DOUBLE_TAP,
	                                                 .source = { .type = "in" },
	                                                 .window_ns = MS(10),
	                                                 .emit = "out" });
	gesture_event(&f, 0, "in", 1, text);
	gesture_event(&f, 1, "in", 1, text);
	expect_log(&f, "");
	cr_assert_eq(f.last_error, -E2BIG);
	cr_assert_eq(f.base.reports[CUE_REPORT_HANDLER_FAILED], 1);
	cr_assert_eq(gesture_info(&f, "t").fired, 0);
	/* its taps are consumed all the same */
	gesture_event(&f, 2, "in", 1, "1");
	expect_log(&f, "");
	gesture_event(&f, 3, "in", 1, "1");
	expect_log(&f, "3 out 1\n");
	gesture_close(&f);
	free(text);
}
