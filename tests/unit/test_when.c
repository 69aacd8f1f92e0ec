/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/bus.h>
#include <cuebus/match.h>
#include <cuebus/payload.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static int no_random(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 0, len);
	return 0;
}

static struct cue_bus *new_bus(void)
{
	const struct cue_bus_config config = { .gateway_id = "test", .random = no_random };
	struct cue_bus *bus = NULL;

	cr_assert_eq(cue_bus_new(&config, &bus), 0);
	return bus;
}

static void emit(struct cue_bus *bus, const char *type, uint32_t producer_id, const char *data)
{
	struct cue_emit event = { .type = type,
		                  .producer_id = producer_id,
		                  .time_ns = CUE_TIME_NONE };

	cr_assert_eq(cue_payload_new(data, strlen(data), 0, &event.payload, NULL), 0);
	cr_assert_eq(cue_bus_emit(bus, &event, NULL), 0);
	cue_payload_unref(event.payload);
}

static struct cue_when *compile(const char *json)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };
	struct cue_when *when = NULL;
	cJSON *tree = cJSON_Parse(json);
	int r;

	cr_assert_not_null(tree, "%s", json);
	r = cue_when_new(tree, &when, &error);
	cr_assert_eq(r, 0, "%s: %s at \"%s\"", json, error.text, error.path);
	cJSON_Delete(tree);
	return when;
}

static bool holds(const struct cue_bus *bus, const char *json)
{
	struct cue_when *when = compile(json);
	bool result = cue_when_eval(when, bus);

	cr_assert_null(cue_when_free(when));
	return result;
}

struct row {
	const char *when;
	bool holds;
};

static void check_rows(const struct cue_bus *bus, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(holds(bus, rows[i].when), rows[i].holds, "%s", rows[i].when);
}
#define CHECK_ROWS(bus, rows) check_rows(bus, rows, sizeof(rows) / sizeof(*(rows)))

/* A bus that has seen: mode on by 1 then off by 2; level 40 of 7; flag null. */
static struct cue_bus *seen_bus(void)
{
	struct cue_bus *bus = new_bus();

	emit(bus, "mode", 1, "{\"state\":true,\"name\":\"day\"}");
	emit(bus, "mode", 2, "{\"state\":false,\"name\":\"night\"}");
	emit(bus, "mic.level", 7, "{\"value\":40}");
	emit(bus, "flag", 0, "null");
	return bus;
}

Test(when, state_by_gate_predicate)
{
	static const struct row rows[] = {
		{ "{\"state\":\"mode\"}", false }, /* the latest of any producer */
		{ "{\"state\":\"mode\",\"producer_id\":1}", true },
		{ "{\"state\":\"mode\",\"producer_id\":2}", false },
		{ "{\"state\":\"mode\",\"producer_id\":3}", false },
		{ "{\"state\":\"mic.level\"}", true },
		{ "{\"state\":\"flag\"}", false },
		{ "{\"state\":\"never\"}", false },
	};
	struct cue_bus *bus = seen_bus();

	CHECK_ROWS(bus, rows);
	cue_bus_free(bus);
}

Test(when, state_by_truthy)
{
	static const struct row rows[] = {
		{ "{\"state\":\"mode\",\"producer_id\":1,\"truthy\":true}", true },
		{ "{\"state\":\"mode\",\"producer_id\":1,\"truthy\":false}", false },
		{ "{\"truthy\":false,\"state\":\"mode\",\"producer_id\":2}", true },
		{ "{\"state\":\"flag\",\"truthy\":false}", true },
		/* never seen: only truthy:false holds */
		{ "{\"state\":\"never\",\"truthy\":true}", false },
		{ "{\"state\":\"never\",\"truthy\":false}", true },
		{ "{\"state\":\"mode\",\"producer_id\":3,\"truthy\":false}", true },
	};
	struct cue_bus *bus = seen_bus();

	CHECK_ROWS(bus, rows);
	cue_bus_free(bus);
}

Test(when, state_by_match)
{
	static const struct row rows[] = {
		{ "{\"state\":\"mode\",\"match\":{\"name\":\"night\"}}", true },
		{ "{\"state\":\"mode\",\"match\":{\"name\":\"day\"}}", false },
		{ "{\"state\":\"mode\",\"producer_id\":1,\"match\":{\"name\":\"day\"}}", true },
		{ "{\"state\":\"mic.level\",\"match\":{\"value\":{\"gt\":30,\"le\":40}}}", true },
		{ "{\"state\":\"mic.level\",\"match\":{\"value\":{\"gt\":40}}}", false },
		/* an empty match asks whether it was seen */
		{ "{\"state\":\"flag\",\"match\":{}}", true },
		{ "{\"state\":\"never\",\"match\":{}}", false },
		{ "{\"state\":\"never\",\"match\":{\"a\":{\"exists\":false}}}", false },
	};
	struct cue_bus *bus = seen_bus();

	CHECK_ROWS(bus, rows);
	cue_bus_free(bus);
}

#define ON  "{\"state\":\"mic.level\"}"
#define OFF "{\"state\":\"flag\"}"

Test(when, combinations)
{
	static const struct row rows[] = {
		{ "{\"not\":" ON "}", false },
		{ "{\"not\":" OFF "}", true },
		{ "{\"not\":{\"not\":" ON "}}", true },
		{ "{\"not\":{\"state\":\"never\"}}", true },
		{ "{\"all\":[" ON "]}", true },
		{ "{\"all\":[" ON "," ON "]}", true },
		{ "{\"all\":[" ON "," OFF "]}", false },
		{ "{\"all\":[" OFF "," ON "]}", false },
		{ "{\"any\":[" OFF "]}", false },
		{ "{\"any\":[" OFF "," OFF "]}", false },
		{ "{\"any\":[" OFF "," ON "]}", true },
		{ "{\"any\":[" ON "," OFF "]}", true },
		{ "{\"all\":[{\"any\":[" OFF "," ON "]},{\"not\":" OFF "}," ON "]}", true },
		{ "{\"all\":[{\"any\":[" OFF "," ON "]},{\"not\":" ON "}," ON "]}", false },
		{ "{\"any\":[{\"all\":[" ON "," OFF "]},{\"all\":[" ON ",{\"not\":" OFF "}]}]}",
		  true },
	};
	struct cue_bus *bus = seen_bus();

	CHECK_ROWS(bus, rows);
	cue_bus_free(bus);
}

Test(when, follows_the_state_store)
{
	struct cue_bus *bus = new_bus();
	struct cue_when *when = compile("{\"all\":[{\"state\":\"door\",\"truthy\":false},"
	                                "{\"state\":\"temp\",\"match\":{\"c\":{\"ge\":20}}}]}");

	cr_assert_not(cue_when_eval(when, bus));
	emit(bus, "temp", 1, "{\"c\":21}");
	cr_assert(cue_when_eval(when, bus));
	emit(bus, "door", 1, "{\"pressed\":true}");
	cr_assert_not(cue_when_eval(when, bus));
	emit(bus, "door", 1, "{\"pressed\":false}");
	cr_assert(cue_when_eval(when, bus));
	emit(bus, "temp", 2, "{\"c\":19.5}");
	cr_assert_not(cue_when_eval(when, bus));
	cue_when_free(when);
	cue_bus_free(bus);
}

Test(when, highest_producer)
{
	struct cue_bus *bus = new_bus();

	emit(bus, "a", UINT32_MAX, "true");
	cr_assert(holds(bus, "{\"state\":\"a\",\"producer_id\":4294967295}"));
	cr_assert_not(holds(bus, "{\"state\":\"a\",\"producer_id\":4294967294}"));
	cue_bus_free(bus);
}

struct bad {
	const char *when;
	const char *path;
	const char *says;
};

Test(when, errors)
{
	static const struct bad rows[] = {
		{ "true", "", "a condition is an object" },
		{ "[]", "", "a condition is an object" },
		{ "{}", "", "\"state\", \"all\", \"any\", \"not\"" },
		{ "{\"truthy\":true}", "", "a condition is an object" },
		{ "{\"state\":1}", "/state", "event type" },
		{ "{\"state\":\"\"}", "/state", "can't be empty" },
		{ "{\"state\":\"a..b\"}", "/state", "segment" },
		{ "{\"state\":\"A\"}", "/state", "a-z" },
		{ "{\"state\":\"mic.*\"}", "/state", "a-z" },
		{ "{\"state\":\"a\",\"producer\":1}", "/producer", "unknown key \"producer\"" },
		{ "{\"state\":\"a\",\"all\":[]}", "/all", "unknown key" },
		{ "{\"state\":\"a\",\"producer_id\":\"1\"}", "/producer_id", "whole number" },
		{ "{\"state\":\"a\",\"producer_id\":-1}", "/producer_id", "whole number" },
		{ "{\"state\":\"a\",\"producer_id\":1.5}", "/producer_id", "whole number" },
		{ "{\"state\":\"a\",\"producer_id\":4294967296}", "/producer_id", "4294967295" },
		{ "{\"state\":\"a\",\"producer_id\":1e300}", "/producer_id", "4294967295" },
		{ "{\"state\":\"a\",\"truthy\":1}", "/truthy", "true or false" },
		{ "{\"state\":\"a\",\"match\":[]}", "/match", "object of fields" },
		{ "{\"state\":\"a\",\"match\":null}", "/match", "object of fields" },
		{ "{\"state\":\"a\",\"match\":{\"x\":{\"gt\":[]}}}", "/match/x/gt", "compares" },
		{ "{\"state\":\"a\",\"match\":{},\"truthy\":true}", "", "exclude each other" },
		{ "{\"state\":\"a\",\"truthy\":false,\"match\":{}}", "", "exclude each other" },
		{ "{\"all\":{}}", "/all", "list of at least one" },
		{ "{\"all\":[]}", "/all", "list of at least one" },
		{ "{\"any\":[]}", "/any", "\"any\" is a list" },
		{ "{\"any\":[{\"state\":\"a\"},7]}", "/any/1", "a condition is an object" },
		{ "{\"not\":[]}", "/not", "a condition is an object" },
		{ "{\"not\":{\"all\":[{\"state\":\"a\"},{\"any\":[{\"state\":\"b.\"}]}]}}",
		  "/not/all/1/any/0/state", "segment" },
		{ "{\"all\":[{\"state\":\"a\"}],\"any\":[{\"state\":\"a\"}]}", "/any",
		  "\"any\" can't be combined with \"all\"" },
		{ "{\"x\":1,\"not\":{\"state\":\"a\"}}", "/x",
		  "\"x\" can't be combined with \"not\"" },
		{ "{\"state\":\"a\",\"state\":\"b\"}", "/state", "twice" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cue_predicate_error error = { { 0 }, { 0 } };
		struct cue_when *when = NULL;
		cJSON *tree = cJSON_Parse(rows[i].when);

		cr_assert_not_null(tree);
		cr_assert_eq(cue_when_new(tree, &when, &error), -EINVAL, "%s", rows[i].when);
		cr_assert_null(when);
		cr_assert_str_eq(error.path, rows[i].path);
		cr_assert(strstr(error.text, rows[i].says), "%s: %s", rows[i].when, error.text);
		cr_assert_eq(cue_when_new(tree, &when, NULL), -EINVAL);
		cJSON_Delete(tree);
	}
	cr_assert_eq(cue_when_new(NULL, &(struct cue_when *){ NULL }, NULL), -EINVAL);
}

/* {"not":{"not":…{"state":"a"}}} of that depth in all. */
static int try_depth(unsigned depth, bool *ret_holds)
{
	struct cue_bus *bus = new_bus();
	struct cue_when *when = NULL;
	char text[2048] = "";
	cJSON *tree;
	int r;

	for (unsigned i = 1; i < depth; i++)
		strcat(text, "{\"not\":");
	strcat(text, "{\"state\":\"a\"}");
	for (unsigned i = 1; i < depth; i++)
		strcat(text, "}");
	tree = cJSON_Parse(text);
	cr_assert_not_null(tree);
	r = cue_when_new(tree, &when, NULL);
	if (r == 0)
		*ret_holds = cue_when_eval(when, bus);
	cJSON_Delete(tree);
	cue_when_free(when);
	cue_bus_free(bus);
	return r;
}

Test(when, depth_limit)
{
	bool result = false;

	cr_assert_eq(try_depth(CUE_PREDICATE_DEPTH_MAX, &result), 0);
	cr_assert(result, "an odd number of nots on false");
	cr_assert_eq(try_depth(CUE_PREDICATE_DEPTH_MAX + 1, &result), -EINVAL);
	cr_assert_eq(try_depth(200, &result), -EINVAL);
}

/* {"any":[{"state":"a"}, …]}: two values for each, two around. */
static int try_size(unsigned n)
{
	struct cue_when *when = NULL;
	char text[4096] = "{\"any\":[{\"state\":\"a\"}";
	cJSON *tree;
	int r;

	for (unsigned i = 1; i < n; i++)
		strcat(text, ",{\"state\":\"a\"}");
	strcat(text, "]}");
	tree = cJSON_Parse(text);
	cr_assert_not_null(tree);
	r = cue_when_new(tree, &when, NULL);
	cJSON_Delete(tree);
	cue_when_free(when);
	return r;
}

Test(when, size_limit)
{
	cr_assert_eq(try_size(127), 0);
	cr_assert_eq(try_size(128), -EINVAL);
}

struct types {
	char text[128];
	unsigned stop_after;
};

static int add_type(void *user, const char *type)
{
	struct types *types = user;

	strcat(types->text, type);
	strcat(types->text, " ");
	return types->stop_after && --types->stop_after == 0 ? 42 : 0;
}

Test(when, foreach_type)
{
	struct cue_when *when = compile("{\"all\":[{\"state\":\"a\"},{\"not\":{\"state\":\"b.c\"}},"
	                                "{\"any\":[{\"state\":\"d\"},{\"state\":\"a\"}]}]}");
	struct types types = { "", 0 };
	struct types first = { "", 1 };

	cr_assert_eq(cue_when_foreach_type(when, add_type, &types), 0);
	/* each of them; the order is not promised */
	cr_assert_eq(strlen(types.text), strlen("a b.c d a "));
	cr_assert(strstr(types.text, "b.c ") && strstr(types.text, "d "));
	cr_assert_eq(cue_when_foreach_type(when, add_type, &first), 42);
	cr_assert_eq(strlen(first.text), 2);
	cue_when_free(when);
}

Test(when, free_null)
{
	cr_assert_null(cue_when_free(NULL));
}

/* Filling the store opens no gate. */
Test(when, a_value_that_was_not_kept_makes_no_condition_hold)
{
	const struct cue_bus_config config = { .gateway_id = "test",
		                               .random = no_random,
		                               .limits = { .state_entries = 1,
		                                           .state_bytes = 1024 } };
	static const struct row rows[] = {
		{ "{\"state\":\"estop\"}", false },
		{ "{\"state\":\"estop\",\"truthy\":false}", false },
		{ "{\"state\":\"estop\",\"producer_id\":1}", false },
		{ "{\"state\":\"estop\",\"producer_id\":2,\"truthy\":false}", false },
		{ "{\"state\":\"estop\",\"match\":{\"a\":{\"exists\":false}}}", false },
		{ "{\"not\":{\"state\":\"estop\"}}", false },
		{ "{\"not\":{\"not\":{\"state\":\"estop\"}}}", false },
		{ "{\"all\":[{\"not\":{\"state\":\"never\"}},{\"not\":{\"state\":\"estop\"}}]}",
		  false },
		/* Conditions that do not depend on it still decide. */
		{ "{\"any\":[{\"state\":\"estop\"},{\"not\":{\"state\":\"never\"}}]}", true },
		{ "{\"not\":{\"all\":[{\"state\":\"estop\"},{\"state\":\"never\"}]}}", true },
	};
	struct cue_bus *bus;
	char large[2048];

	memset(large, '1', sizeof(large));
	large[0] = large[sizeof(large) - 2] = '"';
	large[sizeof(large) - 1] = '\0';
	cr_assert_eq(cue_bus_new(&config, &bus), 0);
	emit(bus, "estop", 1, "false");
	cr_assert(holds(bus, "{\"state\":\"estop\",\"truthy\":false}"));
	emit(bus, "estop", 1, large);
	emit(bus, "estop", 2, large);
	CHECK_ROWS(bus, rows);
	emit(bus, "estop", 1, "true");
	cr_assert(holds(bus, "{\"state\":\"estop\"}"));
	cue_bus_free(bus);
}
