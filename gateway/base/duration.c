/* SPDX-License-Identifier: Apache-2.0 */
#include "duration.h"

#include <cuebus/playlist.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t ns;
};

/* Largest first: duration_format() uses the first that divides. */
static const struct unit units[] = {
	{ "h", 3600 * CUE_NS_PER_S }, { "m", 60 * CUE_NS_PER_S }, { "s", CUE_NS_PER_S },
	{ "ms", CUE_NS_PER_MS },      { "us", CUE_NS_PER_US },
};

static const char too_long[] = "a duration is at most 10 years (87600h)";

static int fail(int error, const char *reason, const char **ret_reason)
{
	if (ret_reason)
		*ret_reason = reason;
	return error;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct unit *unit_find(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, s, len) == 0)
			return &units[i];
	}
	return NULL;
}

/** Add the digits after the point: each is worth a tenth of the one before. */
static int add_fraction(const char *digits, size_t n, uint64_t unit_ns, uint64_t *ns)
{
	uint64_t rest = unit_ns, scale = 1, last = 0;
	size_t i = 0;

	while (n > 0 && digits[n - 1] == '0')
		n--;
	for (; i < n && rest % 10 == 0; i++) {
		rest /= 10;
		*ns += (uint64_t)(digits[i] - '0') * rest;
	}
	/* For minutes and hours a factor of 6 or 36 remains: with at most two further digits the
	 * sum may still be an integer number of ns. */
	if (n - i > 2)
		return -EINVAL;
	for (; i < n; i++) {
		last = last * 10 + (uint64_t)(digits[i] - '0');
		scale *= 10;
	}
	if (last * rest % scale != 0)
		return -EINVAL;
	*ns += last * rest / scale;
	return 0;
}

int duration_parse(const char *s, size_t len, uint64_t *ret_ns, const char **ret_reason)
{
	size_t i = 0, fraction, n_fraction = 0;
	const struct unit *unit;
	uint64_t whole = 0, ns;
	bool over = false;

	while (i < len && is_digit(s[i])) {
		over = over || __builtin_mul_overflow(whole, 10, &whole) ||
		       __builtin_add_overflow(whole, (uint64_t)(s[i] - '0'), &whole);
		i++;
	}
	if (i == 0)
		return fail(-EINVAL, "a duration begins with a digit, such as \"20ms\" or \"1.5s\"",
		            ret_reason);
	fraction = i;
	if (i < len && s[i] == '.') {
		fraction = ++i;
		while (i < len && is_digit(s[i]))
			i++;
		n_fraction = i - fraction;
		if (n_fraction == 0)
			return fail(-EINVAL, "a digit must follow the decimal point", ret_reason);
	}
	if (i == len)
		return fail(-EINVAL, "the unit is missing: one of us, ms, s, m, h", ret_reason);
	unit = unit_find(s + i, len - i);
	if (!unit)
		return fail(-EINVAL, "the unit must be one of us, ms, s, m, h", ret_reason);
	if (over || __builtin_mul_overflow(whole, unit->ns, &ns) || ns > CUE_DURATION_MAX_NS)
		return fail(-ERANGE, too_long, ret_reason);
	if (add_fraction(s + fraction, n_fraction, unit->ns, &ns) < 0)
		return fail(-EINVAL, "finer than a nanosecond", ret_reason);
	if (ns > CUE_DURATION_MAX_NS)
		return fail(-ERANGE, too_long, ret_reason);
	*ret_ns = ns;
	return 0;
}

void duration_format(uint64_t ns, char text[DURATION_TEXT_SIZE])
{
	const uint64_t us = CUE_NS_PER_US;
	int len;

	if (ns == 0) {
		memcpy(text, "0s", 3);
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (ns % units[i].ns == 0) {
			snprintf(text, DURATION_TEXT_SIZE, "%" PRIu64 "%s", ns / units[i].ns,
			         units[i].name);
			return;
		}
	}
	len = snprintf(text, DURATION_TEXT_SIZE, "%" PRIu64 ".%03u", ns / us, (unsigned)(ns % us));
	while (text[len - 1] == '0')
		len--;
	memcpy(text + len, "us", 3);
}
