/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First line: a predicate. Second line: data. The predicate is compiled as `match` and as `when`
 * and evaluated on the data; logic must hold:
 *   {"state":"a","match":M} is M on a's data, {"not":W} the contrary of W,
 *   {"all":[W]} and {"any":[W]} are W.
 * The predicate is parsed by cJSON alone, which accepts more than the validator: the compiler must
 * handle that.
 */
#include "fuzz.h"

#include <cuebus/bus.h>
#include <cuebus/match.h>
#include <cuebus/payload.h>

#include <errno.h>

#include <cjson/cJSON.h>

static void check_error(int r, const struct cue_predicate_error *error)
{
	FUZZ_CHECK(r == -EINVAL);
	FUZZ_CHECK(memchr(error->path, '\0', sizeof(error->path)));
	FUZZ_CHECK(memchr(error->text, '\0', sizeof(error->text)));
	FUZZ_CHECK(error->text[0] != '\0');
	FUZZ_CHECK(error->path[0] == '\0' || error->path[0] == '/');
	/* texts go into logs: nothing may break the line */
	for (const char *p = error->text; *p; p++)
		FUZZ_CHECK((unsigned char)*p >= 0x20 && *p != 0x7F);
}

/* @return 1 it holds, 0 it does not, -1 it can't be compiled. */
static int eval_when(const cJSON *json, const struct cue_bus *bus)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };
	struct cue_when *when = NULL;
	int r = cue_when_new(json, &when, &error);
	bool holds;

	if (r < 0) {
		FUZZ_CHECK(!when);
		check_error(r, &error);
		return -1;
	}
	holds = cue_when_eval(when, bus);
	FUZZ_CHECK(cue_when_eval(when, bus) == holds);
	cue_when_free(when);
	return holds;
}

static int eval_match(const cJSON *json, struct cue_payload *data)
{
	struct cue_predicate_error error = { { 0 }, { 0 } };
	struct cue_match *match = NULL;
	int r = cue_match_new(json, &match, &error);
	bool holds;

	if (r < 0) {
		FUZZ_CHECK(!match);
		check_error(r, &error);
		return -1;
	}
	holds = cue_match_eval(match, data);
	FUZZ_CHECK(cue_match_eval(match, data) == holds);
	cue_match_free(match);
	return holds;
}

/* {key: json}, or {key: [json]} */
static int eval_wrapped(const char *key, bool list, const cJSON *json, const struct cue_bus *bus)
{
	cJSON *outer = cJSON_CreateObject();
	cJSON *inner = cJSON_Duplicate(json, true);
	int result;

	if (list) {
		cJSON *array = cJSON_CreateArray();

		cJSON_AddItemToArray(array, inner);
		inner = array;
	}
	cJSON_AddItemToObject(outer, key, inner);
	result = eval_when(outer, bus);
	cJSON_Delete(outer);
	return result;
}

static int eval_atom(const cJSON *match, const struct cue_bus *bus)
{
	cJSON *atom = cJSON_CreateObject();
	int result;

	cJSON_AddStringToObject(atom, "state", "a");
	cJSON_AddItemToObject(atom, "match", cJSON_Duplicate(match, true));
	result = eval_when(atom, bus);
	cJSON_Delete(atom);
	return result;
}

static void check(const cJSON *json, struct cue_payload *data, const struct cue_bus *bus)
{
	int match = eval_match(json, data);
	int when = eval_when(json, bus);
	int r;

	/* wrapped it can be too deep or too large */
	r = eval_atom(json, bus);
	FUZZ_CHECK(r == match || r == -1);
	r = eval_wrapped("not", false, json, bus);
	FUZZ_CHECK(r == -1 || r == !when);
	r = eval_wrapped("all", true, json, bus);
	FUZZ_CHECK(r == -1 || r == when);
	r = eval_wrapped("any", true, json, bus);
	FUZZ_CHECK(r == -1 || r == when);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t random = 1;
	const struct cue_bus_config config = { .gateway_id = "fuzz",
		                               .random = fuzz_random,
		                               .user = &random };
	char *text = fuzz_cut(&data, &size, '\n');
	cJSON *json = cJSON_Parse(text);
	struct cue_payload *payload = NULL;
	struct cue_emit emit = { .type = "a", .producer_id = 1, .time_ns = CUE_TIME_NONE };
	struct cue_bus *bus = NULL;

	if (!json)
		goto out;
	/* no valid data: null */
	if (cue_payload_new((const char *)data, size, 0, &payload, NULL) < 0)
		payload = cue_payload_null();
	FUZZ_CHECK(cue_bus_new(&config, &bus) == 0);
	emit.payload = payload;
	FUZZ_CHECK(cue_bus_emit(bus, &emit, NULL) == 0);
	emit.type = "b.c";
	emit.payload = NULL;
	FUZZ_CHECK(cue_bus_emit(bus, &emit, NULL) == 0);
	check(json, payload, bus);

out:
	cue_bus_free(bus);
	cue_payload_unref(payload);
	cJSON_Delete(json);
	free(text);
	return 0;
}
