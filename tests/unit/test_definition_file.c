/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cue_criterion.h"

static const struct definition_text sample = { DEFINITION_GESTURE, "a\nb", 3, "{\"x\": 1.50}", 11 };

Test(definition_file, comes_back_as_it_was)
{
	struct definition_text back;
	char *bytes;
	size_t len;

	cr_assert_eq(definition_file_encode(&sample, &bytes, &len), 0);
	cr_assert_eq(definition_file_size(&sample), len);
	cr_assert_eq(memcmp(bytes, "cuebus-definition 1 ", 20), 0);
	cr_assert_eq(definition_file_decode(bytes, len, &back), 0);
	cr_assert_eq(back.kind, DEFINITION_GESTURE);
	cr_assert(back.name_len == 3 && memcmp(back.name, "a\nb", 3) == 0);
	cr_assert(back.json_len == 11 && memcmp(back.json, sample.json, 11) == 0);
	free(bytes);
}

/** Each byte matters: the checksum's own, the lengths, what lies between. */
Test(definition_file, any_change_is_seen)
{
	struct definition_text back;
	char *bytes;
	size_t len;

	cr_assert_eq(definition_file_encode(&sample, &bytes, &len), 0);
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			int r;

			bytes[i] = (char)(bytes[i] ^ (1 << bit));
			r = definition_file_decode(bytes, len, &back);
			/* Another digit for the format's is a newer version. */
			cr_assert(r == -EBADMSG || ((i == 18 || i == 19) && r == -EPROTONOSUPPORT),
			          "byte %zu bit %u: %d", i, bit, r);
			bytes[i] = (char)(bytes[i] ^ (1 << bit));
		}
	}
	for (size_t cut = 0; cut < len; cut++)
		cr_assert_eq(definition_file_decode(bytes, cut, &back), -EBADMSG);
	free(bytes);
}

Test(definition_file, spaces_in_the_header_do_not_move_the_rest)
{
	static const char text[] = "cuebus-definition 1 0000000000000000  playlist 1 1\na\n1\n";
	struct definition_text back;

	cr_assert_eq(definition_file_decode(text, strlen(text), &back), -EBADMSG);
}

Test(definition_file, what_is_no_json_is_refused)
{
	struct definition_text text = { DEFINITION_PLAYLIST, "a", 1, "{", 1 }, back;
	char *bytes;
	size_t len;

	cr_assert_eq(definition_file_encode(&text, &bytes, &len), 0);
	cr_assert_eq(definition_file_decode(bytes, len, &back), -EBADMSG);
	free(bytes);
}
