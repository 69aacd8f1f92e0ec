/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A condition is compiled once into an array of nodes. The children of a node are consecutive.
 * Recursion, both in compiling and in evaluating, ends at CUE_PREDICATE_DEPTH_MAX.
 */
#include <cuebus/match.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cuebus/bus.h>
#include <cuebus/payload.h>

#include "predicate.h"

enum kind { KIND_STATE, KIND_ALL, KIND_ANY, KIND_NOT };

static const char *const kind_keys[] = {
	[KIND_STATE] = "state",
	[KIND_ALL] = "all",
	[KIND_ANY] = "any",
	[KIND_NOT] = "not",
};
#define N_KINDS (sizeof(kind_keys) / sizeof(*kind_keys))

struct node {
	enum kind kind;
	/* all, any, not */
	size_t first_child;
	size_t n_children;
	/* state */
	char *type;
	bool has_producer;
	uint32_t producer_id;
	struct cue_match *match; /* NULL: the gate predicate must be `truthy` */
	bool truthy;
};

struct cue_when {
	size_t n_nodes; /* the root is the first */
	struct node nodes[];
};

struct compiler {
	struct cue_when *when;
	struct cue_predicate_error *error;
};

static int compile(struct compiler *c, size_t at, const cJSON *json, const struct cue_place *place);

/* ---- compile: a state ---- */

static int compile_type(struct compiler *c, struct node *node, const cJSON *value,
                        const struct cue_place *place)
{
	const char *reason;

	if (!cJSON_IsString(value))
		return cue_predicate_fail(c->error, place, "\"state\" is an event type, a string");
	if (!cue_type_is_valid(value->valuestring, strlen(value->valuestring), &reason))
		return cue_predicate_fail(c->error, place, "not an event type: %s", reason);
	node->type = strdup(value->valuestring);
	return node->type ? 0 : -ENOMEM;
}

static int compile_producer(struct compiler *c, struct node *node, const cJSON *value,
                            const struct cue_place *place)
{
	double number = cJSON_IsNumber(value) ? value->valuedouble : -1;

	if (!(number >= 0 && number <= UINT32_MAX) || number > (double)(uint32_t)number)
		return cue_predicate_fail(c->error, place,
		                          "\"producer_id\" is a whole number from 0 to 4294967295");
	node->has_producer = true;
	node->producer_id = (uint32_t)number;
	return 0;
}

static int compile_truthy(struct compiler *c, struct node *node, const cJSON *value,
                          const struct cue_place *place)
{
	if (!cJSON_IsBool(value))
		return cue_predicate_fail(c->error, place, "\"truthy\" is true or false");
	node->truthy = cJSON_IsTrue(value);
	return 0;
}

static int compile_state_member(struct compiler *c, struct node *node, const cJSON *member,
                                const struct cue_place *place)
{
	char key[CUE_KEY_TEXT_SIZE];

	if (strcmp(member->string, "state") == 0)
		return compile_type(c, node, member, place);
	if (strcmp(member->string, "producer_id") == 0)
		return compile_producer(c, node, member, place);
	if (strcmp(member->string, "truthy") == 0)
		return compile_truthy(c, node, member, place);
	if (strcmp(member->string, "match") == 0)
		return cue_match_compile(member, place, &node->match, c->error);
	return cue_predicate_fail(c->error, place,
	                          "unknown key \"%s\": beside \"state\" there may be producer_id, "
	                          "and match or truthy",
	                          cue_predicate_key(member->string, key));
}

static int compile_state(struct compiler *c, size_t at, const cJSON *json,
                         const struct cue_place *place)
{
	struct node *node = &c->when->nodes[at];

	node->truthy = true;
	for (const cJSON *member = json->child; member; member = member->next) {
		struct cue_place below = cue_place_member(place, member->string);
		int r = compile_state_member(c, node, member, &below);

		if (r < 0)
			return r;
	}
	if (cJSON_GetObjectItemCaseSensitive(json, "truthy") && node->match)
		return cue_predicate_fail(c->error, place,
		                          "\"match\" and \"truthy\" exclude each other: keep one");
	return 0;
}

/* ---- compile: combinations ---- */

static int compile_list(struct compiler *c, size_t at, const cJSON *list,
                        const struct cue_place *place)
{
	struct node *node = &c->when->nodes[at];
	size_t first = c->when->n_nodes;
	size_t index = 0;

	if (!cJSON_IsArray(list) || !list->child)
		return cue_predicate_fail(c->error, place,
		                          "\"%s\" is a list of at least one condition",
		                          kind_keys[node->kind]);
	node->first_child = first;
	node->n_children = (size_t)cJSON_GetArraySize(list);
	c->when->n_nodes += node->n_children;
	for (const cJSON *item = list->child; item; item = item->next, index++) {
		struct cue_place below = cue_place_item(place, index);
		int r = compile(c, first + index, item, &below);

		if (r < 0)
			return r;
	}
	return 0;
}

static int compile_not(struct compiler *c, size_t at, const cJSON *json,
                       const struct cue_place *place)
{
	struct node *node = &c->when->nodes[at];

	node->first_child = c->when->n_nodes++;
	node->n_children = 1;
	return compile(c, node->first_child, json, place);
}

/* The member that decides the kind of the condition, or NULL. */
static const cJSON *find_kind(const cJSON *json, enum kind *ret_kind)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, kind_keys[i]);

		if (member) {
			*ret_kind = (enum kind)i;
			return member;
		}
	}
	return NULL;
}

static int check_alone(struct compiler *c, const cJSON *json, const cJSON *member,
                       const struct cue_place *place)
{
	char key[CUE_KEY_TEXT_SIZE];
	const cJSON *other = json->child == member ? member->next : json->child;
	struct cue_place at;

	if (!other)
		return 0;
	at = cue_place_member(place, other->string);
	return cue_predicate_fail(c->error, &at, "\"%s\" can't be combined with \"%s\"",
	                          cue_predicate_key(other->string, key), member->string);
}

static int compile(struct compiler *c, size_t at, const cJSON *json, const struct cue_place *place)
{
	const cJSON *member = NULL;
	enum kind kind = KIND_STATE;
	struct cue_place below;
	int r;

	if (cJSON_IsObject(json))
		member = find_kind(json, &kind);
	if (!member)
		return cue_predicate_fail(c->error, place,
		                          "a condition is an object with one of \"state\", "
		                          "\"all\", \"any\", \"not\"");
	c->when->nodes[at].kind = kind;
	if (kind == KIND_STATE)
		return compile_state(c, at, json, place);
	r = check_alone(c, json, member, place);
	if (r < 0)
		return r;
	below = cue_place_member(place, member->string);
	return kind == KIND_NOT ? compile_not(c, at, member, &below)
	                        : compile_list(c, at, member, &below);
}

int cue_when_new(const struct cJSON *json, struct cue_when **ret_when,
                 struct cue_predicate_error *ret_error)
{
	const struct cue_place root = { 0 };
	struct compiler c = { .error = ret_error };
	size_t values;
	int r = cue_predicate_check(json, &values, ret_error);

	if (r < 0)
		return r;
	/* Each node is one JSON value, so their number is enough. */
	c.when = calloc(1, sizeof(*c.when) + values * sizeof(c.when->nodes[0]));
	if (!c.when)
		return -ENOMEM;
	c.when->n_nodes = 1;
	r = compile(&c, 0, json, &root);
	if (r < 0) {
		cue_when_free(c.when);
		return r;
	}
	*ret_when = c.when;
	return 0;
}

struct cue_when *cue_when_free(struct cue_when *when)
{
	if (!when)
		return NULL;
	for (size_t i = 0; i < when->n_nodes; i++) {
		free(when->nodes[i].type);
		cue_match_free(when->nodes[i].match);
	}
	free(when);
	return NULL;
}

/* ---- evaluate ----
 *
 * Three-valued logic (Kleene): a state that the bus has seen but could not keep is UNKNOWN. A
 * condition that is UNKNOWN does not hold, negated or not: a gate never opens because the store is
 * full. */

enum truth { NO, YES, UNKNOWN };

static enum truth eval_state(const struct node *node, const struct cue_bus *bus)
{
	struct cue_state state;
	int r = cue_bus_state_get(bus, node->type, node->has_producer ? &node->producer_id : NULL,
	                          &state);

	if (r == -ENODATA)
		return UNKNOWN;
	if (r < 0)
		return !node->match && !node->truthy ? YES : NO;
	if (node->match)
		return cue_match_eval(node->match, state.payload) ? YES : NO;
	return cue_payload_gate(state.payload) == node->truthy ? YES : NO;
}

static enum truth eval(const struct cue_when *when, size_t at, const struct cue_bus *bus);

/** @param decides the value that ends the evaluation: NO for `all`, YES for `any`. */
static enum truth eval_list(const struct cue_when *when, const struct node *node,
                            const struct cue_bus *bus, enum truth decides)
{
	enum truth result = decides == NO ? YES : NO;

	for (size_t i = 0; i < node->n_children; i++) {
		enum truth child = eval(when, node->first_child + i, bus);

		if (child == decides)
			return child;
		if (child == UNKNOWN)
			result = UNKNOWN;
	}
	return result;
}

static enum truth eval(const struct cue_when *when, size_t at, const struct cue_bus *bus)
{
	const struct node *node = &when->nodes[at];
	enum truth child;

	switch (node->kind) {
	case KIND_STATE:
		return eval_state(node, bus);
	case KIND_ALL:
		return eval_list(when, node, bus, NO);
	case KIND_ANY:
		return eval_list(when, node, bus, YES);
	case KIND_NOT:
		child = eval(when, node->first_child, bus);
		if (child == UNKNOWN)
			return UNKNOWN;
		return child == NO ? YES : NO;
	}
	return NO; /* not reached: the switch is exhaustive */
}

bool cue_when_eval(const struct cue_when *when, const struct cue_bus *bus)
{
	return eval(when, 0, bus) == YES;
}

int cue_when_foreach_type(const struct cue_when *when, int (*visit)(void *user, const char *type),
                          void *user)
{
	for (size_t i = 0; i < when->n_nodes; i++) {
		const struct node *node = &when->nodes[i];
		int r = node->kind == KIND_STATE ? visit(user, node->type) : 0;

		if (r)
			return r;
	}
	return 0;
}
