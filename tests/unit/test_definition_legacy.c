/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_legacy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cue_criterion.h"

static char found[1000];

static int visit(void *user, const struct definition_text *text)
{
	size_t used = strlen(found);

	(void)user;
	snprintf(found + used, sizeof(found) - used, "%s %.*s=%.*s;",
	         definition_kind_name(text->kind), (int)text->name_len, text->name,
	         (int)text->json_len, text->json);
	return 0;
}

static void too_long(void *user, enum definition_kind kind, const char *name)
{
	size_t used = strlen(found);

	(void)user;
	snprintf(found + used, sizeof(found) - used, "%s %s too long;", definition_kind_name(kind),
	         name ? name : "-");
}

static int read_text(const char *text)
{
	FILE *file = fmemopen((void *)(size_t)text, strlen(text), "r");
	int r;

	cr_assert_not_null(file);
	found[0] = '\0';
	r = definition_legacy_read(file, 8, visit, too_long, NULL);
	fclose(file);
	return r;
}

Test(definition_legacy, reads_what_was_written)
{
	cr_assert_eq(
	        read_text("{\"version\":1,\"playlists\":{\"a\":\"{}\",\"\\u00e4\\ud83d\\ude00\\n\":"
	                  "\"[1,2]\"},\"gestures\":{}}"),
	        0);
	cr_assert_str_eq(found, "playlist a={};playlist \xc3\xa4\xf0\x9f\x98\x80\n=[1,2];");
	cr_assert_eq(read_text(" { \"version\" : 1 , \"playlists\" : { } ,\n"
	                       "\"gestures\":{ \"g\" : \"{}\" } } "),
	             0);
	cr_assert_str_eq(found, "gesture g={};");
}

Test(definition_legacy, one_too_long_is_passed_over)
{
	cr_assert_eq(
	        read_text("{\"version\":1,\"playlists\":{\"a\":\"123456789\",\"b\":\"12345678\","
	                  "\"\":\"1\"},\"gestures\":{}}"),
	        0);
	cr_assert_str_eq(found, "playlist a too long;playlist b=12345678;playlist - too long;");
}

Test(definition_legacy, before_the_damage_all_is_found)
{
	static const char *const ends[] = { "",
		                            ",",
		                            ",\"b\"",
		                            ",\"b\":1",
		                            ",\"b\":\"\\q\"",
		                            ";",
		                            ",\"b\":\"",
		                            "}",
		                            "}}x,\"gestures\"",
		                            ",\"b\":\"\\u0000\"",
		                            ",\"b\":\"\\ud800\"" };
	char text[200];

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		snprintf(text, sizeof(text), "{\"version\":1,\"playlists\":{\"a\":\"{}\"%s",
		         ends[i]);
		/* A complete object is accepted, whatever follows it. */
		if (strncmp(ends[i], "}}", 2) == 0)
			cr_assert_eq(read_text(text), 0);
		else
			cr_assert_eq(read_text(text), -EBADMSG, "%s", text);
		cr_assert_str_eq(found, "playlist a={};", "%s", text);
	}
}

Test(definition_legacy, others_are_refused)
{
	cr_assert_eq(read_text("{\"version\":2,\"playlists\":{}}"), -EPROTONOSUPPORT);
	cr_assert_eq(read_text("{\"version\":12}"), -EPROTONOSUPPORT);
	cr_assert_eq(read_text("[]"), -EBADMSG);
	cr_assert_eq(read_text("{\"playlists\":[]}"), -EBADMSG);
	cr_assert_eq(read_text("{\"other\":{}}"), -EBADMSG);
	cr_assert_eq(read_text(" "), -EBADMSG);
}
