/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A match is compiled once into a list of tests. Operands stay in a copy of the JSON.
 */
#include <cuebus/match.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cuebus/payload.h>

#include "json_path.h"
#include "json_value.h"
#include "match_operator.h"
#include "predicate.h"

struct test {
	enum match_operator op;
	const cJSON *operand; /* in the match's copy */
};

/* A path in the data and the tests of its value. */
struct field {
	struct cue_path path;
	const struct test *tests;
	size_t n_tests;
};

struct cue_match {
	cJSON *json;
	struct field *fields;
	size_t n_fields;
	struct test *tests;
	size_t n_tests;
};

/* ---- compile ---- */

static int compile_path(struct field *field, const char *path, const struct cue_place *place,
                        struct cue_predicate_error *error)
{
	int r = cue_path_parse(path, &field->path);

	return r == -EINVAL ? cue_predicate_fail(error, place,
	                                         "in a JSON Pointer '~' is written ~0 and "
	                                         "'/' inside a name ~1")
	                    : r;
}

static int check_operand(enum match_operator op, const cJSON *operand,
                         const struct cue_place *place, struct cue_predicate_error *error)
{
	switch (op) {
	case MATCH_EQ:
	case MATCH_NE:
		return 0;
	case MATCH_LT:
	case MATCH_LE:
	case MATCH_GT:
	case MATCH_GE:
		if (cJSON_IsNumber(operand) || cJSON_IsString(operand))
			return 0;
		return cue_predicate_fail(error, place, "\"%s\" compares with a number or a string",
		                          cue_match_operator_name(op));
	case MATCH_IN:
		if (cJSON_IsArray(operand) && operand->child)
			return 0;
		return cue_predicate_fail(error, place,
		                          "\"in\" needs a list of at least one value");
	case MATCH_EXISTS:
	case MATCH_TRUTHY:
		if (cJSON_IsBool(operand))
			return 0;
		return cue_predicate_fail(error, place, "\"%s\" is true or false",
		                          cue_match_operator_name(op));
	}
	return -EINVAL; /* not reached: the switch is exhaustive */
}

static bool has_operator(const cJSON *value)
{
	enum match_operator op;

	if (!cJSON_IsObject(value))
		return false;
	for (const cJSON *member = value->child; member; member = member->next) {
		if (cue_match_operator_find(member->string, &op))
			return true;
	}
	return false;
}

/**
 * An object without an operator is a value to compare with. An object with an operator of another
 * language is most likely a mistake; as a value it would never match, and an interrupt would never
 * come.
 */
static int check_value(const cJSON *value, const struct cue_place *place,
                       struct cue_predicate_error *error)
{
	char key[CUE_KEY_TEXT_SIZE];
	enum match_operator meant;

	for (const cJSON *child = cJSON_IsObject(value) ? value->child : NULL; child;
	     child = child->next) {
		struct cue_place at = cue_place_member(place, child->string);

		if (cue_match_operator_meant(child->string, &meant))
			return cue_predicate_fail(
			        error, &at,
			        "\"%s\" is not an operator; did you mean \"%s\"? To compare with "
			        "an object use \"eq\"",
			        cue_predicate_key(child->string, key),
			        cue_match_operator_name(meant));
	}
	return 0;
}

/** Refuse an unknown key beside an operator. */
static int unknown_operator(const char *name, const struct cue_place *place,
                            struct cue_predicate_error *error)
{
	char key[CUE_KEY_TEXT_SIZE];
	enum match_operator meant;

	cue_predicate_key(name, key);
	if (cue_match_operator_meant(name, &meant))
		return cue_predicate_fail(error, place,
		                          "\"%s\" is not an operator; did you mean \"%s\"?", key,
		                          cue_match_operator_name(meant));
	return cue_predicate_fail(error, place,
	                          "\"%s\" is not an operator (" MATCH_OPERATORS
	                          "); to compare with an object use \"eq\"",
	                          key);
}

static void add_test(struct cue_match *match, struct field *field, enum match_operator op,
                     const cJSON *operand)
{
	match->tests[match->n_tests++] = (struct test){ op, operand };
	field->n_tests++;
}

static int compile_field(struct cue_match *match, const cJSON *member,
                         const struct cue_place *parent, struct cue_predicate_error *error)
{
	struct field *field = &match->fields[match->n_fields++];
	struct cue_place place = cue_place_member(parent, member->string);
	int r = compile_path(field, member->string, &place, error);

	if (r < 0)
		return r;
	field->tests = match->tests + match->n_tests;
	if (!has_operator(member)) {
		r = check_value(member, &place, error);
		if (r < 0)
			return r;
		add_test(match, field, MATCH_EQ, member);
		return 0;
	}
	for (const cJSON *child = member->child; child; child = child->next) {
		struct cue_place at = cue_place_member(&place, child->string);
		enum match_operator op;

		if (!cue_match_operator_find(child->string, &op))
			return unknown_operator(child->string, &at, error);
		r = check_operand(op, child, &at, error);
		if (r < 0)
			return r;
		add_test(match, field, op, child);
	}
	return 0;
}

/* Enough for all tests: each is a member, or a member of a member. */
static int allocate(struct cue_match *match)
{
	size_t n_fields = 0;
	size_t n_tests = 0;

	for (const cJSON *member = match->json->child; member; member = member->next) {
		n_fields++;
		n_tests += has_operator(member) ? (size_t)cJSON_GetArraySize(member) : 1;
	}
	match->fields = calloc(n_fields + 1, sizeof(*match->fields));
	match->tests = calloc(n_tests + 1, sizeof(*match->tests));
	return match->fields && match->tests ? 0 : -ENOMEM;
}

int cue_match_compile(const struct cJSON *json, const struct cue_place *place,
                      struct cue_match **ret_match, struct cue_predicate_error *error)
{
	struct cue_match *match;
	int r = -ENOMEM;

	if (!cJSON_IsObject(json))
		return cue_predicate_fail(
		        error, place,
		        "a match is an object of fields, such as {\"bpm\":{\"gt\":180}}");
	match = calloc(1, sizeof(*match));
	if (!match)
		return -ENOMEM;
	match->json = cJSON_Duplicate(json, true);
	if (!match->json)
		goto fail;
	r = allocate(match);
	for (const cJSON *member = match->json->child; member && r == 0; member = member->next)
		r = compile_field(match, member, place, error);
	if (r < 0)
		goto fail;
	*ret_match = match;
	return 0;

fail:
	cue_match_free(match);
	return r;
}

int cue_match_new(const struct cJSON *json, struct cue_match **ret_match,
                  struct cue_predicate_error *ret_error)
{
	const struct cue_place root = { 0 };
	size_t values;
	int r = cue_predicate_check(json, &values, ret_error);

	return r < 0 ? r : cue_match_compile(json, &root, ret_match, ret_error);
}

struct cue_match *cue_match_free(struct cue_match *match)
{
	if (!match)
		return NULL;
	for (size_t i = 0; i < match->n_fields; i++)
		cue_path_clear(&match->fields[i].path);
	free(match->fields);
	free(match->tests);
	cJSON_Delete(match->json);
	free(match);
	return NULL;
}

/* ---- evaluate ----
 *
 * Works on the payload's bytes. A tree is built only for a value that is an array or object and
 * compared as a whole. */

/* Less than, equal to or greater than 0, as strcmp(); false if there is no order. */
static bool compare(const cJSON *a, const cJSON *b, int *ret_order)
{
	if (cJSON_IsNumber(a) && cJSON_IsNumber(b)) {
		*ret_order = (a->valuedouble > b->valuedouble) - (a->valuedouble < b->valuedouble);
		return true;
	}
	if (cJSON_IsString(a) && cJSON_IsString(b)) {
		*ret_order = strcmp(a->valuestring, b->valuestring);
		return true;
	}
	return false;
}

static bool is_in(const cJSON *value, const cJSON *list)
{
	for (const cJSON *item = list->child; item; item = item->next) {
		if (cue_json_equal(item, value))
			return true;
	}
	return false;
}

/** Tests of the value itself; it exists. */
static bool value_holds(const struct test *test, const cJSON *value)
{
	int order;

	switch (test->op) {
	case MATCH_EQ:
		return cue_json_equal(test->operand, value);
	case MATCH_NE:
		return !cue_json_equal(test->operand, value);
	case MATCH_LT:
		return compare(value, test->operand, &order) && order < 0;
	case MATCH_LE:
		return compare(value, test->operand, &order) && order <= 0;
	case MATCH_GT:
		return compare(value, test->operand, &order) && order > 0;
	case MATCH_GE:
		return compare(value, test->operand, &order) && order >= 0;
	case MATCH_IN:
		return is_in(value, test->operand);
	case MATCH_EXISTS:
	case MATCH_TRUTHY:
		break; /* test_holds() handles them */
	}
	return false;
}

/** Whether an array or object is compared with a value of another kind: that needs no tree. */
static bool is_other_kind(const struct test *test, struct cue_json_text text)
{
	if (test->op == MATCH_IN)
		return false;
	return (*text.text == '{' && !cJSON_IsObject(test->operand)) ||
	       (*text.text == '[' && !cJSON_IsArray(test->operand));
}

/** @param text NULL: there is no value. */
static bool test_holds(const struct test *test, const struct cue_json_text *text)
{
	struct cue_json_reader reader;
	const cJSON *value;
	bool holds;

	if (test->op == MATCH_EXISTS)
		return (text != NULL) == (bool)cJSON_IsTrue(test->operand);
	if (test->op == MATCH_TRUTHY)
		return (text && cue_json_text_truthy(*text)) == (bool)cJSON_IsTrue(test->operand);
	if (!text || is_other_kind(test, *text))
		return test->op == MATCH_NE;
	value = cue_json_read(&reader, *text);
	holds = value && value_holds(test, value);
	cue_json_reader_clear(&reader);
	return holds;
}

bool cue_match_eval(const struct cue_match *match, const struct cue_payload *payload)
{
	struct cue_json_text data, value;

	if (!match)
		return true;
	data.text = cue_payload_bytes(payload, &data.len);
	for (size_t i = 0; i < match->n_fields; i++) {
		const struct field *field = &match->fields[i];
		bool found = cue_path_find_text(&field->path, data, &value);

		for (size_t j = 0; j < field->n_tests; j++) {
			if (!test_holds(&field->tests[j], found ? &value : NULL))
				return false;
		}
	}
	return true;
}
