/* SPDX-License-Identifier: Apache-2.0 */
#include "playlist_fixture.h"
#include "playlist_internal.h"

#define IDS                                                                                        \
	"{\"playlist_id\":\"0123456789abcdef0123456789abcdef\",\"definition_id\":\""               \
	"00000000000000000000000000000001\""

static void expect_quote(const char *json, const char *expected)
{
	struct cue_payload *data = NULL, *quote = NULL;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &data, NULL), 0);
	cr_assert_eq(lifecycle_quote(data, &quote), 0);
	cr_assert_str_eq(cue_payload_bytes(quote, NULL), expected);
	cue_payload_unref(quote);
	cue_payload_unref(data);
}

Test(lifecycle_quote, inner_quotes_are_left_out_wherever_they_stand)
{
	expect_quote(IDS ",\"playlist_name\":\"p\",\"trigger_event\":{\"data\":{\"a\":[\"}\","
	                 "\"\\\"\"]}},\"reason\":\"x\","
	                 "\"interrupt_event\":{\"data\":null}}",
	             IDS ",\"playlist_name\":\"p\",\"reason\":\"x\"}");
	expect_quote(IDS ",\"trigger_event\":{}}", IDS "}");
	expect_quote(IDS ",\"data\":{\"trigger_event\":1}}",
	             IDS ",\"data\":{\"trigger_event\":1}}");
	expect_quote(IDS ",\"playlist_name\":\"a\\\\\",\"steps\":[{},[]]}",
	             IDS ",\"playlist_name\":\"a\\\\\",\"steps\":[{},[]]}");
}

Test(lifecycle_quote, other_data_is_quoted_as_it_is)
{
	expect_quote("{\"trigger_event\":1}", "{\"trigger_event\":1}");
	expect_quote("{\"playlist_id\":\"short\",\"trigger_event\":1}",
	             "{\"playlist_id\":\"short\",\"trigger_event\":1}");
	expect_quote("[1.50,\"x\"]", "[1.50,\"x\"]");
	expect_quote("null", "null");
}

Test(lifecycle_quote, data_beyond_64_kib_is_not_quoted)
{
	char *json = malloc(70000);

	memset(json, 'x', 70000);
	json[0] = '"';
	json[65535] = '"';
	json[65536] = '\0';
	expect_quote(json, json);
	json[65535] = 'x';
	json[65536] = '"';
	json[65537] = '\0';
	expect_quote(json, "null");
	free(json);
}

Test(lifecycle_quote, no_data_is_null)
{
	struct cue_payload *quote = NULL;

	cr_assert_eq(lifecycle_quote(NULL, &quote), 0);
	cr_assert_str_eq(cue_payload_bytes(quote, NULL), "null");
	cue_payload_unref(quote);
}
