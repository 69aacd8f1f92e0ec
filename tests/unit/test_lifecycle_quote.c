/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_fixture.h"
#include "cue_criterion.h"
#include "playlist_internal.h"

#define IDS                                                                                        \
	"{\"playlist_id\":\"0123456789abcdef0123456789abcdef\",\"definition_id\":\""               \
	"00000000000000000000000000000001\""

static struct told_event quote_of(struct fixture *f, const char *type, const char *json)
{
	struct told_event event = { .producer_id = 7 }, quote;

	cr_assert_eq(cue_bus_intern(f->bus, type, &event.type), 0);
	cr_assert_eq(cue_payload_new(json, strlen(json), CUE_JSON_DEPTH_MAX, &event.data, NULL), 0);
	quote = cue_lifecycle_quote(f->bus, &event);
	cr_assert_eq(quote.type, event.type);
	cr_assert_eq(quote.producer_id, 7U);
	cue_payload_unref(event.data);
	return quote;
}

/** @p expected NULL: left out. */
static void expect_quote(const char *type, const char *json, const char *expected,
                         enum cue_omitted omitted)
{
	struct cue_bus_stats stats;
	struct told_event quote;
	struct fixture f;

	fixture_open(&f, NULL);
	quote = quote_of(&f, type, json);
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(quote.omitted, omitted);
	cr_assert_eq(stats.quotes_omitted, expected ? 0U : 1U);
	if (expected)
		cr_assert_str_eq(cue_payload_bytes(quote.data, NULL), expected);
	else
		cr_assert_null(quote.data);
	cue_payload_unref(quote.data);
	fixture_close(&f);
}

static void expect_stripped(const char *json, const char *expected)
{
	expect_quote("event.playlist.stopped", json, expected, CUE_OMITTED_NOT);
}

Test(lifecycle_quote, inner_quotes_are_left_out_wherever_they_stand)
{
	expect_stripped(IDS ",\"playlist_name\":\"p\",\"trigger_event\":{\"data\":{\"a\":[\"}\","
	                    "\"\\\"\"]}},\"reason\":\"x\","
	                    "\"interrupt_event\":{\"data\":null}}",
	                IDS ",\"playlist_name\":\"p\",\"reason\":\"x\"}");
	expect_stripped(IDS ",\"trigger_event\":{}}", IDS "}");
	expect_stripped(IDS ",\"data\":{\"trigger_event\":1}}",
	                IDS ",\"data\":{\"trigger_event\":1}}");
	expect_stripped(IDS ",\"playlist_name\":\"a\\\\\",\"steps\":[{},[]]}",
	                IDS ",\"playlist_name\":\"a\\\\\",\"steps\":[{},[]]}");
}

Test(lifecycle_quote, the_type_decides_and_not_the_looks_of_the_data)
{
	static const char lookalike[] = IDS ",\"trigger_event\":{\"event_type\":\"a\"}}";

	expect_quote("from.outside", lookalike, lookalike, CUE_OMITTED_NOT);
	expect_quote("event.playlists", lookalike, lookalike, CUE_OMITTED_NOT);
	expect_quote("a", "{\"trigger_event\":1}", "{\"trigger_event\":1}", CUE_OMITTED_NOT);
	expect_quote("a", "[1.50,\"x\"]", "[1.50,\"x\"]", CUE_OMITTED_NOT);
	expect_quote("a", "null", "null", CUE_OMITTED_NOT);
}

Test(lifecycle_quote, data_beyond_64_kib_is_left_out_and_marked)
{
	char *json = malloc(70000);

	memset(json, 'x', 70000);
	json[0] = '"';
	json[65535] = '"';
	json[65536] = '\0';
	expect_quote("a", json, json, CUE_OMITTED_NOT);
	json[65535] = 'x';
	json[65536] = '"';
	json[65537] = '\0';
	expect_quote("a", json, NULL, CUE_OMITTED_SIZE);
	free(json);
}

Test(lifecycle_quote, data_that_is_nested_too_deep_is_left_out_and_marked)
{
	char json[2 * 33 + 1] = "";

	memset(json, '[', 32);
	memset(json + 32, ']', 32);
	expect_quote("a", json, json, CUE_OMITTED_NOT);
	memset(json, '[', 33);
	memset(json + 33, ']', 33);
	expect_quote("a", json, NULL, CUE_OMITTED_DEPTH);
}

Test(lifecycle_quote, no_event_and_no_data)
{
	struct told_event none = { 0 }, quote;
	struct fixture f;

	fixture_open(&f, NULL);
	quote = cue_lifecycle_quote(f.bus, &none);
	cr_assert_null(quote.type);
	cr_assert_null(quote.data);
	cr_assert_eq(cue_bus_intern(f.bus, "a", &none.type), 0);
	quote = cue_lifecycle_quote(f.bus, &none);
	cr_assert_not_null(quote.type);
	cr_assert_null(quote.data);
	cr_assert_eq(quote.omitted, CUE_OMITTED_NOT);
	fixture_close(&f);
}

Test(lifecycle_quote, every_reason_has_a_word_of_its_own)
{
	cr_assert_null(cue_omitted_name(CUE_OMITTED_NOT));
	cr_assert_str_eq(cue_omitted_name(CUE_OMITTED_SIZE), "size");
	cr_assert_str_eq(cue_omitted_name(CUE_OMITTED_DEPTH), "depth");
	cr_assert_str_eq(cue_omitted_name(CUE_OMITTED_LIMIT), "limit");
}
