/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <stdbool.h>
#include <string.h>

#include "mqtt_reason.h"

Test(mqtt_reason, a_code_of_mqtt_5_is_named_as_the_standard_names_it)
{
	cr_assert_str_eq(mqtt_reason_text(0x87, true), "Not authorized");
	cr_assert_str_eq(mqtt_reason_text(0x99, true), "Payload format invalid");
}

Test(mqtt_reason, every_code_has_a_text)
{
	for (int code = -200; code <= 255; code++) {
		cr_assert_gt(strlen(mqtt_reason_text(code, true)), 0);
		cr_assert_gt(strlen(mqtt_reason_text(code, false)), 0);
		cr_assert_not_null(mqtt_reason_remedy(code));
	}
}

Test(mqtt_reason, the_same_number_is_something_else_in_3_1_1)
{
	cr_assert_str_eq(mqtt_reason_text(4, false), "wrong user name or password");
	cr_assert(mqtt_reason_is_access(4, false));
	cr_assert(!mqtt_reason_is_access(4, true));
	cr_assert(mqtt_reason_is_access(0x86, true));
	cr_assert(!mqtt_reason_is_access(0x86, false));
}

Test(mqtt_reason, in_other_packets_small_codes_are_no_connack)
{
	cr_assert_str_eq(mqtt_reason_packet_text(0x04), "Disconnect with Will Message");
	cr_assert_str_eq(mqtt_reason_packet_text(0x87), "Not authorized");
	cr_assert_str_eq(mqtt_reason_packet_text(0x05), "a reason that MQTT does not know");
}

Test(mqtt_reason, silence_is_no_answer)
{
	cr_assert(!mqtt_reason_is_answer(-1, true));
	cr_assert(!mqtt_reason_is_answer(-1, false));
	cr_assert(mqtt_reason_is_answer(0x84, true));
	cr_assert(mqtt_reason_is_answer(1, false));
	cr_assert(mqtt_reason_is_version(0x84, true));
	/* A CONNACK of 3.1.1 to a CONNECT of 5. */
	cr_assert(mqtt_reason_is_answer(1, true));
	cr_assert(mqtt_reason_is_version(1, true));
	cr_assert(mqtt_reason_is_version(5, true));
	cr_assert(!mqtt_reason_is_version(0x87, true));
	cr_assert_str_eq(mqtt_reason_text(1, true), mqtt_reason_text(1, false));
	cr_assert(mqtt_reason_is_version(1, false));
	cr_assert(!mqtt_reason_is_version(2, false));
}

Test(mqtt_reason, a_missing_right_is_told_with_what_to_do)
{
	cr_assert(strstr(mqtt_reason_remedy(0x87), "access control"));
	cr_assert_str_eq(mqtt_reason_remedy(0x10), "");
}

Test(mqtt_reason, a_disconnect_blames_the_message_or_has_the_brokers_reasons)
{
	static const int messages[] = { 0x81, 0x82, 0x87, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B };
	static const int brokers[] = { 0x00, 0x88, 0x89, 0x8B, 0x8D, 0x8E, 0x93,
		                       0x96, 0x98, 0x9C, 0x9D, 0x9F, 0xA0 };

	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		cr_assert(mqtt_reason_blames_message(messages[i]), "0x%02x", (unsigned)messages[i]);
	for (size_t i = 0; i < sizeof(brokers) / sizeof(*brokers); i++)
		cr_assert(!mqtt_reason_blames_message(brokers[i]), "0x%02x", (unsigned)brokers[i]);
}
