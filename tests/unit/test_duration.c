/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "duration.h"

#include <cuebus/playlist.h>

#include <errno.h>
#include <string.h>

static int parse(const char *s, uint64_t *ret)
{
	return duration_parse(s, strlen(s), ret, NULL);
}

Test(duration, units_and_fractions_are_exact)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "0s", 0 },
		{ "0us", 0 },
		{ "500us", 500000 },
		{ "0.5us", 500 },
		{ "0.001us", 1 },
		{ "20ms", 20000000 },
		{ "1.5s", 1500000000 },
		{ "0.1s", 100000000 },
		{ "0.3s", 300000000 },
		{ "2m", 120000000000 },
		{ "1.5m", 90000000000 },
		{ "1h", 3600000000000 },
		{ "0.25h", 900000000000 },
		{ "1.000000001s", 1000000001 },
		{ "1.0000000010000s", 1000000001 },
		{ "0.00000000005m", 3 },
		{ "0.0000000000025h", 9 },
		{ "007s", 7000000000 },
		{ "87600h", CUE_DURATION_MAX_NS },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ns = 99;

		cr_assert_eq(parse(cases[i].text, &ns), 0, "%s", cases[i].text);
		cr_assert_eq(ns, cases[i].ns, "%s", cases[i].text);
	}
}

Test(duration, malformed_text_is_refused_and_leaves_the_output)
{
	static const char *const bad[] = { "",      "s",     "20",  "20 ms",    "-1s",
		                           "+1s",   "1.s",   ".5s", "1e3s",     "20MS",
		                           "20sec", "1m30s", "5ns", "5d",       "0x10ms",
		                           "1,5s",  " 1s",   "1s ", "0.0001us", "0.0000000001s",
		                           "1..5s" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint64_t ns = 99;
		const char *reason = NULL;

		cr_assert_eq(duration_parse(bad[i], strlen(bad[i]), &ns, &reason), -EINVAL, "%s",
		             bad[i]);
		cr_assert_eq(ns, 99);
		cr_assert_not_null(reason);
	}
}

Test(duration, range_ends_at_ten_years)
{
	static const char *const bad[] = { "87600.1h",
		                           "87600.0000000000001h",
		                           "87601h",
		                           "99999999999999999999999s",
		                           "18446744073709551615us",
		                           "5124095576030431h" };
	uint64_t ns = 99;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_neq(parse(bad[i], &ns), 0, "%s", bad[i]);
	cr_assert_eq(parse("87601h", &ns), -ERANGE);
	cr_assert_eq(parse("87600.1h", &ns), -ERANGE);
	cr_assert_eq(ns, 99);
}

Test(duration, text_need_not_be_terminated)
{
	uint64_t ns;

	cr_assert_eq(duration_parse("20msXYZ", 4, &ns, NULL), 0);
	cr_assert_eq(ns, 20000000);
}

Test(duration, format_reads_back)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = { { 0, "0s" },
		      { 1, "0.001us" },
		      { 1500, "1.5us" },
		      { 20000000, "20ms" },
		      { 1500000000, "1500ms" },
		      { 90000000000, "90s" },
		      { 120000000000, "2m" },
		      { CUE_DURATION_MAX_NS, "87600h" },
		      { CUE_DURATION_MAX_NS - 1, "315359999999999.999us" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[DURATION_TEXT_SIZE];
		uint64_t ns = 0;

		duration_format(cases[i].ns, text);
		cr_assert_str_eq(text, cases[i].text);
		cr_assert_eq(parse(text, &ns), 0);
		cr_assert_eq(ns, cases[i].ns);
	}
}
