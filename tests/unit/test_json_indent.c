/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "json_indent.h"

#include <stdlib.h>

static void expect(const char *compact, const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *stream = open_memstream(&out, &size);

	json_indent(compact, stream);
	fclose(stream);
	cr_assert_str_eq(out, text);
	free(out);
}

Test(json_indent, scalars_and_empty_containers_stay_on_a_line)
{
	expect("null", "null\n");
	expect("{}", "{}\n");
	expect("[]", "[]\n");
	expect("{\"a\":[],\"b\":{}}", "{\n  \"a\": [],\n  \"b\": {}\n}\n");
}

Test(json_indent, each_level_is_two_spaces)
{
	expect("{\"a\":[1,{\"b\":true}]}",
	       "{\n  \"a\": [\n    1,\n    {\n      \"b\": true\n    }\n  ]\n}\n");
}

Test(json_indent, strings_are_copied_as_they_are)
{
	expect("[\"{,:[\\\"\\\\\",\"\"]", "[\n  \"{,:[\\\"\\\\\",\n  \"\"\n]\n");
}
