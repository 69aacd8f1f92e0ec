/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/event.h>
#include <cuebus/json_writer.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

struct row {
	int64_t wall_ns;
	const char *text;
};

static const struct row rows[] = {
	{ 0, "1970-01-01T00:00:00.000000Z" },
	{ 999, "1970-01-01T00:00:00.000000Z" },
	{ 1000, "1970-01-01T00:00:00.000001Z" },
	{ 1795431835938124000, "2026-11-23T11:03:55.938124Z" },
	{ 1795431835938124999, "2026-11-23T11:03:55.938124Z" },
	/* before the epoch it rounds down, too */
	{ -1, "1969-12-31T23:59:59.999999Z" },
	{ -1000, "1969-12-31T23:59:59.999999Z" },
	{ -1001, "1969-12-31T23:59:59.999998Z" },
	{ -1000000000, "1969-12-31T23:59:59.000000Z" },
	{ -86400000000000, "1969-12-31T00:00:00.000000Z" },
	/* leap days, and the years without one */
	{ 951782400000000000, "2000-02-29T00:00:00.000000Z" },
	{ 951868800000000000, "2000-03-01T00:00:00.000000Z" },
	{ 1709164800000000000, "2024-02-29T00:00:00.000000Z" },
	{ 1677628799999999999, "2023-02-28T23:59:59.999999Z" },
	{ 1677628800000000000, "2023-03-01T00:00:00.000000Z" },
	{ 4107542399000000000, "2100-02-28T23:59:59.000000Z" },
	{ 4107542400000000000, "2100-03-01T00:00:00.000000Z" },
	{ 1735689599999999000, "2024-12-31T23:59:59.999999Z" },
	/* the ends of the type */
	{ INT64_MAX, "2262-04-11T23:47:16.854775Z" },
	{ INT64_MIN, "1677-09-21T00:12:43.145224Z" },
};

Test(timestamp, formats)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[CUE_TIMESTAMP_SIZE];

		cue_format_timestamp(rows[i].wall_ns, text);
		cr_assert_str_eq(text, rows[i].text);
	}
}

/* Every day of the type's range and a time of day that wanders, against the C library. */
Test(timestamp, agrees_with_gmtime)
{
	for (int64_t day = -106000; day <= 106000; day++) {
		int64_t seconds = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;
		char expected[2 * CUE_TIMESTAMP_SIZE];
		char text[CUE_TIMESTAMP_SIZE];
		time_t time = (time_t)seconds;
		struct tm tm;

		cr_assert_not_null(gmtime_r(&time, &tm));
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		cue_format_timestamp(seconds * (int64_t)CUE_NS_PER_S, text);
		cr_assert_str_eq(text, expected);
	}
}
