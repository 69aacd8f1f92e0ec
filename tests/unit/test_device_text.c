/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "device_text.h"
#include "engine_fixture.h"

static const struct device_text text = {
	.kind = "output",
	.drivers = "gpio and sim",
	.types_exceed = "its event type exceeds",
};

Test(device_text, a_device_that_can_not_be_created_says_why)
{
	static const struct {
		int r;
		const char *says;
	} cases[] = {
		{ -ENODEV, "output \"o\": driver \"x\" is not built in (there are gpio and sim)" },
		{ -ENOSPC, "output \"o\": its event type exceeds limits.event_types" },
		{ -ENOMEM, "output \"o\": Cannot allocate memory" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char error[ENGINE_ERROR_SIZE];

		device_create_error(&text, "o", "x", cases[i].r, error);
		cr_assert_str_eq(error, cases[i].says);
	}
}

Test(device_text, the_drivers_own_words_come_first)
{
	char error[ENGINE_ERROR_SIZE] = "";

	device_open_error(&text, "o", "sim", -EBUSY, error);
	cr_assert_str_eq(error, "output \"o\": driver sim: Device or resource busy");
	device_open_error(&text, "o", "sim", -EIO, error);
	cr_assert_str_eq(error, "output \"o\": driver sim: Device or resource busy");
}

Test(device_text, an_event_has_either_the_reason_or_the_attempts)
{
	static const struct config config = { .gateway = { .id = (char *)(uintptr_t) "t" } };
	struct cue_payload *data;
	struct fixture f;

	fixture_set_up(&f, &config);
	data = device_event_data(f.engine, &text, "o", "bro\"ken", 3);
	cr_assert_str_eq(cue_payload_bytes(data, NULL),
	                 "{\"output\":\"o\",\"error\":\"bro\\\"ken\"}");
	cue_payload_unref(data);
	data = device_event_data(f.engine, &text, "o", NULL, 3);
	cr_assert_str_eq(cue_payload_bytes(data, NULL), "{\"output\":\"o\",\"attempts\":3}");
	cue_payload_unref(data);
	fixture_tear_down(&f);
}
