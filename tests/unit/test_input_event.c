/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input_event.h"

static struct cue_payload *payload(const char *json)
{
	struct cue_payload *p;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &p, NULL), 0);
	return p;
}

/** The data of @p change with @p configured merged in is @p expected. */
static void check(enum decoder_kind kind, struct decoder_change change, const char *configured,
                  const char *expected)
{
	struct cue_payload *data = configured ? payload(configured) : NULL;
	struct cue_payload *event;
	char *extra;

	cr_assert_eq(input_event_extra(kind, data, &extra), 0);
	cr_assert_eq(input_event_data("pad", &change, extra, &event), 0);
	cr_assert_str_eq(cue_payload_bytes(event, NULL), expected);
	cue_payload_unref(event);
	cue_payload_unref(data);
	free(extra);
}

Test(input_event, each_kind_has_its_fields)
{
	check(DECODER_BUTTON, (struct decoder_change){ .type = DECODER_PRESSED }, NULL,
	      "{\"input\":\"pad\",\"pressed\":true}");
	check(DECODER_BUTTON,
	      (struct decoder_change){ .type = DECODER_RELEASED, .held_ns = 80999999 }, NULL,
	      "{\"input\":\"pad\",\"pressed\":false,\"held_ms\":80}");
	check(DECODER_SWITCH, (struct decoder_change){ .type = DECODER_STATE, .state = true }, NULL,
	      "{\"input\":\"pad\",\"state\":true}");
	check(DECODER_SWITCH, (struct decoder_change){ .type = DECODER_STATE, .initial = true },
	      NULL, "{\"input\":\"pad\",\"state\":false,\"initial\":true}");
	check(DECODER_ROTARY,
	      (struct decoder_change){
	              .type = DECODER_ROTATED, .position = -3, .delta = -1, .change = -1 },
	      NULL, "{\"input\":\"pad\",\"position\":-3,\"delta\":-1,\"change\":-1}");
	check(DECODER_COUNTER,
	      (struct decoder_change){
	              .type = DECODER_COUNTED, .count = 2, .interval_ns = 250000000 },
	      NULL, "{\"input\":\"pad\",\"count\":2,\"interval_ms\":250}");
}

Test(input_event, configured_data_follows_with_its_spelling)
{
	check(DECODER_BUTTON, (struct decoder_change){ .type = DECODER_PRESSED },
	      "{\"code\":\"u,\\\"}p\",\"level\":1.50,\"deep\":{\"a\":[1,{\"b\":\"]\"}]},"
	      "\"big\":9007199254740993}",
	      "{\"input\":\"pad\",\"pressed\":true,\"code\":\"u,\\\"}p\",\"level\":1.50,"
	      "\"deep\":{\"a\":[1,{\"b\":\"]\"}]},\"big\":9007199254740993}");
	check(DECODER_BUTTON, (struct decoder_change){ .type = DECODER_PRESSED }, "{}",
	      "{\"input\":\"pad\",\"pressed\":true}");
}

Test(input_event, own_fields_win_however_they_are_spelt)
{
	check(DECODER_BUTTON, (struct decoder_change){ .type = DECODER_PRESSED },
	      "{\"held_ms\":1,\"code\":\"up\",\"\\u0070ressed\":7,\"input\":\"x\"}",
	      "{\"input\":\"pad\",\"pressed\":true,\"code\":\"up\"}");
	/* another kind's field is no clash */
	check(DECODER_SWITCH, (struct decoder_change){ .type = DECODER_STATE }, "{\"pressed\":7}",
	      "{\"input\":\"pad\",\"state\":false,\"pressed\":7}");
}

Test(input_event, data_must_be_an_object)
{
	struct cue_payload *data = payload("[1]");
	char *extra = NULL;

	cr_assert_eq(input_event_extra(DECODER_BUTTON, data, &extra), -EINVAL);
	cr_assert_null(extra);
	cue_payload_unref(data);
}
