/* SPDX-License-Identifier: Apache-2.0 */
#include <cuebus/json_writer.h>

#include <cuebus/event.h>

#include <stddef.h>

#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA    146097 /* 400 years */

struct date {
	int64_t year;
	unsigned month; /* 1 to 12 */
	unsigned day;   /* 1 to 31 */
};

/* civil_from_days, Howard Hinnant, public domain. Years begin in March, so
 * that the leap day is the last one. */
static struct date civil_from_days(int64_t days)
{
	int64_t shifted = days + 719468; /* days since 0000-03-01 */
	int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	unsigned day_of_era = (unsigned)(shifted - era * DAYS_PER_ERA);
	unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
	                        day_of_era / (DAYS_PER_ERA - 1)) /
	                       365;
	unsigned day_of_year =
	        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month_from_march = (5 * day_of_year + 2) / 153;
	unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

	return (struct date){
		.year = (int64_t)year_of_era + era * 400 + (month <= 2 ? 1 : 0),
		.month = month,
		.day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
	};
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static void put_digits(char *at, unsigned width, unsigned value)
{
	while (width--) {
		at[width] = (char)('0' + value % 10);
		value /= 10;
	}
}

void cue_format_timestamp(int64_t wall_ns, char buf[CUE_TIMESTAMP_SIZE])
{
	static const char pattern[] = "0000-00-00T00:00:00.000000Z";
	const int64_t ns_per_s = (int64_t)CUE_NS_PER_S;
	int64_t seconds = floor_div(wall_ns, ns_per_s);
	/* Not wall_ns - seconds * ns_per_s: that product can overflow. */
	int64_t ns = wall_ns % ns_per_s + (wall_ns % ns_per_s < 0 ? ns_per_s : 0);
	unsigned us = (unsigned)(ns / (int64_t)CUE_NS_PER_US);
	int64_t days = floor_div(seconds, SECONDS_PER_DAY);
	unsigned second = (unsigned)(seconds - days * SECONDS_PER_DAY);
	struct date date = civil_from_days(days);

	/* 64 bits of nanoseconds cover 1677 to 2262: four digits suffice. */
	for (size_t i = 0; i < sizeof(pattern); i++)
		buf[i] = pattern[i];
	put_digits(buf, 4, (unsigned)date.year);
	put_digits(buf + 5, 2, date.month);
	put_digits(buf + 8, 2, date.day);
	put_digits(buf + 11, 2, second / 3600);
	put_digits(buf + 14, 2, second / 60 % 60);
	put_digits(buf + 17, 2, second % 60);
	put_digits(buf + 20, 6, us);
}
