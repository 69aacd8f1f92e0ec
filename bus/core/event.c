/* SPDX-License-Identifier: Apache-2.0 */
#include <cuebus/event.h>

#include <errno.h>
#include <string.h>

#include "json_scan.h"

static bool segment_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool refuse(const char **ret_reason, const char *reason)
{
	if (ret_reason)
		*ret_reason = reason;
	return false;
}

bool cue_type_is_valid(const char *name, size_t len, const char **ret_reason)
{
	unsigned segments = 1;
	size_t in_segment = 0;

	if (len == 0)
		return refuse(ret_reason, "an event type can't be empty");
	if (len > CUE_TYPE_MAX_LEN)
		return refuse(ret_reason, "an event type has 128 characters at most");
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '.') {
			if (in_segment == 0)
				return refuse(ret_reason, "a segment between dots can't be empty");
			segments++;
			in_segment = 0;
		} else if (segment_char(name[i])) {
			in_segment++;
		} else {
			return refuse(ret_reason,
			              "only a-z, 0-9, '_' and '-' are allowed between the dots");
		}
	}
	if (in_segment == 0)
		return refuse(ret_reason, "a segment between dots can't be empty");
	if (segments > CUE_TYPE_MAX_SEGMENTS)
		return refuse(ret_reason, "an event type has 8 segments at most");
	return true;
}

bool cue_type_is_reserved(const char *name)
{
	static const char *const reserved[] = { "event", "gateway", "gesture", "input" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		size_t len = strlen(reserved[i]);

		if (strncmp(name, reserved[i], len) == 0 && name[len] == '.')
			return true;
	}
	return false;
}

void cue_id_format(const struct cue_id *id, char text[CUE_ID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(id->bytes); i++) {
		text[2 * i] = digits[id->bytes[i] >> 4];
		text[2 * i + 1] = digits[id->bytes[i] & 15U];
	}
	text[CUE_ID_TEXT_SIZE - 1] = '\0';
}

int cue_id_parse(const char *text, struct cue_id *ret_id)
{
	struct cue_id id;

	if (strnlen(text, CUE_ID_TEXT_SIZE) != CUE_ID_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(id.bytes); i++) {
		int high = cue_hex_digit(text[2 * i]);
		int low = cue_hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		id.bytes[i] = (uint8_t)(high * 16 + low);
	}
	*ret_id = id;
	return 0;
}

bool cue_id_equal(const struct cue_id *a, const struct cue_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* 128 bits in two halves: compilers for 32-bit processors have no 128-bit type. */
struct fnv {
	uint64_t high, low;
};

static void fnv1a(struct fnv *hash, const char *bytes, size_t len)
{
	/* The 128-bit FNV prime is 2^88 + 0x13B. */
	const uint64_t prime_low = 0x13B;

	for (size_t i = 0; i < len; i++) {
		uint64_t low = hash->low ^ (unsigned char)bytes[i];
		uint64_t carry =
		        ((low >> 32) * prime_low + ((low & UINT32_MAX) * prime_low >> 32)) >> 32;

		hash->high = hash->high * prime_low + carry + (low << (88 - 64));
		hash->low = low * prime_low;
	}
}

void cue_id_derive(const char *space, const char *name, struct cue_id *ret_id)
{
	struct fnv hash = { .high = 0x6c62272e07bb0142ULL, .low = 0x62b821756295c58dULL };

	/* The NUL of the first name keeps ("ab","c") and ("a","bc") apart. */
	fnv1a(&hash, space, strlen(space) + 1);
	fnv1a(&hash, name, strlen(name));
	for (size_t i = 0; i < 8; i++) {
		ret_id->bytes[i] = (uint8_t)(hash.high >> (8 * (7 - i)));
		ret_id->bytes[8 + i] = (uint8_t)(hash.low >> (8 * (7 - i)));
	}
}
