/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "topics.h"

static struct topics *make(void)
{
	struct topics *topics = NULL;

	cr_assert_eq(topics_new("cuebus", "porch", &topics), 0);
	return topics;
}

Test(topics, names_what_stands_below_the_prefix)
{
	struct topics *topics = make();
	char topic[TOPIC_SIZE];

	cr_assert_str_eq(topics_prefix(topics), "cuebus/1/porch");
	topics_event(topics, "event.playlist.created", topic);
	cr_assert_str_eq(topic, "cuebus/1/porch/bus/event/playlist/created");
	cr_assert_eq(topics_below(topics, "status", NULL, topic), 0);
	cr_assert_str_eq(topic, "cuebus/1/porch/status");
	cr_assert_eq(topics_below(topics, "playlist", "color.cycle", topic), 0);
	cr_assert_str_eq(topic, "cuebus/1/porch/playlist/color.cycle");
	topics_free(topics);
}

Test(topics, dots_of_the_gateway_id_stay_dots)
{
	struct topics *topics = NULL;
	char topic[TOPIC_SIZE];

	cr_assert_eq(topics_new("a.b/c", "x.y", &topics), 0);
	topics_event(topics, "a.b", topic);
	cr_assert_str_eq(topic, "a.b/c/1/x.y/bus/a/b");
	topics_free(topics);
}

Test(topics, refuses_prefixes_that_can_not_be_published_to)
{
	static char deep[TOPIC_SIZE];
	struct topics *topics = NULL;

	cr_assert_eq(topics_new("cuebus/#", "porch", &topics), -EINVAL);
	cr_assert_eq(topics_new("cuebus", "po+rch", &topics), -EINVAL);
	cr_assert_eq(topics_new("", "porch", &topics), -EINVAL);
	cr_assert_eq(topics_new("cuebus", "", &topics), -EINVAL);
	memset(deep, 'a', sizeof(deep) - 1);
	cr_assert_eq(topics_new(deep, "porch", &topics), -ENAMETOOLONG);
	cr_assert_null(topics);
}

Test(topics, a_name_that_is_too_long_is_refused)
{
	static char name[TOPIC_SIZE];
	struct topics *topics = make();
	char topic[TOPIC_SIZE] = "untouched";

	memset(name, 'n', sizeof(name) - 1);
	cr_assert_eq(topics_below(topics, "input", name, topic), -ENAMETOOLONG);
	cr_assert_str_eq(topic, "untouched");
	topics_free(topics);
}

Test(topics, parses_what_comes_in)
{
	struct topics *topics = make();
	const char *rest = NULL;

	cr_assert_eq(topics_parse(topics, "cuebus/1/porch/emit/button/press", &rest), TOPIC_EMIT);
	cr_assert_str_eq(rest, "button/press");
	cr_assert_eq(topics_parse(topics, "cuebus/1/porch/cmd/playlist/start", &rest),
	             TOPIC_COMMAND);
	cr_assert_str_eq(rest, "playlist/start");
	cr_assert_eq(topics_parse(topics, "cuebus/1/porch/cmd/", &rest), TOPIC_COMMAND);
	cr_assert_str_eq(rest, "");
	/* "P/cmd/#" also matches its parent level. */
	cr_assert_eq(topics_parse(topics, "cuebus/1/porch/cmd", &rest), TOPIC_OTHER);
	cr_assert_eq(topics_parse(topics, "cuebus/1/porch2/cmd/ping", &rest), TOPIC_OTHER);
	cr_assert_eq(topics_parse(topics, "cuebus/1/porch/bus/a", &rest), TOPIC_OTHER);
	cr_assert_eq(topics_parse(topics, "", &rest), TOPIC_OTHER);
	topics_free(topics);
}

Test(topics, emit_topics_are_event_types)
{
	static char long_rest[200];
	char type[CUE_TYPE_MAX_LEN + 1];
	const char *reason = NULL;

	cr_assert_eq(topics_emit_type("button/press", type, &reason), 0);
	cr_assert_str_eq(type, "button.press");
	cr_assert_eq(topics_emit_type("", type, &reason), -EINVAL);
	cr_assert_not_null(reason);
	cr_assert_eq(topics_emit_type("button//press", type, &reason), -EINVAL);
	cr_assert_eq(topics_emit_type("button/press/", type, &reason), -EINVAL);
	cr_assert_eq(topics_emit_type("Button/press", type, &reason), -EINVAL);
	cr_assert_eq(topics_emit_type("a/b/c/d/e/f/g/h/i", type, &reason), -EINVAL);
	cr_assert_eq(topics_emit_type("button.press", type, &reason), -EINVAL);
	memset(long_rest, 'a', sizeof(long_rest) - 1);
	cr_assert_eq(topics_emit_type(long_rest, type, &reason), -EINVAL);
	long_rest[CUE_TYPE_MAX_LEN] = '\0';
	cr_assert_eq(topics_emit_type(long_rest, type, &reason), 0);
}

Test(topics, what_a_broker_closes_the_connection_for_is_not_published)
{
	/* Columns by hand. */
	/* clang-format off */
	static const char *const bad[] = {
		"",           "a/+",          "#",           "a\x01",        "a\x7F",
		"a\xC2\x80",  "a\xC2\x85/b", "a\xC2\x9F", "\xEF\xB7\x90", "\xEF\xB7\xAF",
		"\xEF\xBF\xBE", "\xEF\xBF\xBF", "x\xF0\x9F\xBF\xBF", "\xF4\x8F\xBF\xBE",
	};
	/* clang-format on */
	/* Columns by hand. */
	/* clang-format off */
	static const char *const good[] = {
		"a", "a b", "\xC2\xA0", "gr\xC3\xBC\xC3\x9F", "\xEF\xB7\x8F", "\xEF\xB7\xB0",
		"\xEF\xBF\xBD", "\xF0\x9F\x94\x94",
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_not(topics_is_publishable(bad[i]), "%zu", i);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		cr_assert(topics_is_publishable(good[i]), "%zu", i);
}

Test(topics, replies_go_only_where_they_may)
{
	static const char *const prefixes[] = { "apps/", "", "tools" };
	struct topics *topics = make();

	cr_assert_null(topics_reply_fault(topics, "cuebus/1/porch/reply/me", NULL, 0));
	cr_assert_not_null(topics_reply_fault(topics, "cuebus/1/porch/reply/", NULL, 0));
	cr_assert_not_null(topics_reply_fault(topics, "cuebus/1/porch/reply", NULL, 0));
	cr_assert_not_null(topics_reply_fault(topics, "cuebus/1/porch/cmd/ping", NULL, 0));
	cr_assert_not_null(topics_reply_fault(topics, "cuebus/1/porch/reply/+", NULL, 0));
	cr_assert_not_null(topics_reply_fault(topics, "apps/x", NULL, 0));
	cr_assert_null(topics_reply_fault(topics, "apps/x", prefixes, 3));
	cr_assert_not_null(topics_reply_fault(topics, "apps/", prefixes, 3));
	cr_assert_null(topics_reply_fault(topics, "tools/x", prefixes, 3));
	cr_assert_not_null(topics_reply_fault(topics, "tools", prefixes, 3));
	cr_assert_not_null(topics_reply_fault(topics, "toolshed/x", prefixes, 3));
	cr_assert_not_null(topics_reply_fault(topics, "other/x", prefixes, 3));
	cr_assert_not_null(topics_reply_fault(topics, "apps/#", prefixes, 3));
	cr_assert_not_null(topics_reply_fault(topics, "", prefixes, 3));
	topics_free(topics);
}

static void levels_of(unsigned n, char *text)
{
	text += sprintf(text, "cuebus/1/porch/reply");
	for (unsigned i = 4; i < n; i++)
		text += sprintf(text, "/a");
}

Test(topics, a_response_topic_is_bounded_in_bytes_and_levels)
{
	struct topics *topics = make();
	char text[700] = "cuebus/1/porch/reply/";

	memset(text + strlen(text), 'a', TOPIC_REPLY_BYTES - strlen(text));
	cr_assert_null(topics_reply_fault(topics, text, NULL, 0));
	text[TOPIC_REPLY_BYTES] = 'a';
	cr_assert_not_null(strstr(topics_reply_fault(topics, text, NULL, 0), "256 bytes"));
	memset(text, 0, sizeof(text));
	levels_of(TOPIC_REPLY_LEVELS, text);
	cr_assert_null(topics_reply_fault(topics, text, NULL, 0));
	levels_of(TOPIC_REPLY_LEVELS + 1, text);
	cr_assert_not_null(strstr(topics_reply_fault(topics, text, NULL, 0), "32 levels"));
	levels_of(203, text); /* what mosquitto closes the connection for */
	cr_assert_not_null(topics_reply_fault(topics, text, NULL, 0));
	topics_free(topics);
}

Test(topics, a_response_topic_is_one_that_every_broker_takes)
{
	static const char *const prefixes[] = { "apps/", "$SYS", "$share/" };
	/* Columns by hand. */
	/* clang-format off */
	static const char *const bad[] = {
		"apps//x",       "apps/x/",        "apps/x//",        "/apps/x",       "$SYS/x",
		"$share/g/x",    "apps/\xFF",      "apps/\xC3",       "apps/\xC0\xAF",
		"apps/\xED\xA0\x80",
		"apps/\xF4\x90\x80\x80", "apps/\xE0\x80\x80", "apps/x#", "apps/+",    "apps/\x01",
		"apps/\xEF\xBF\xBF",
	};
	/* clang-format on */
	struct topics *topics = make();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_not_null(topics_reply_fault(topics, bad[i], prefixes, 3), "%zu", i);
	cr_assert_null(topics_reply_fault(topics, "apps/gr\xC3\xBC\xC3\x9F/\xF0\x9F\x94\x94",
	                                  prefixes, 3));
	topics_free(topics);
}

Test(topics, a_command_name_that_no_reply_topic_could_have)
{
	char text[700] = "";

	cr_assert_null(topics_name_fault("playlist/start"));
	cr_assert_null(topics_name_fault("no/such/command"));
	cr_assert_not_null(topics_name_fault("a/#"));
	cr_assert_not_null(topics_name_fault("\xFF"));
	for (unsigned i = 0; i < TOPIC_REPLY_LEVELS; i++)
		sprintf(text + 2 * i, "a/");
	cr_assert_not_null(topics_name_fault(text));
	memset(text, 'a', TOPIC_REPLY_BYTES + 1);
	cr_assert_not_null(topics_name_fault(text));
}
