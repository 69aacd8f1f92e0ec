/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file match_operator.h
 * @brief Private: the operators of a `match`, and their names in other languages.
 */
#ifndef CUEBUS_MATCH_OPERATOR_H
#define CUEBUS_MATCH_OPERATOR_H

#include <stdbool.h>

enum match_operator {
	MATCH_EQ,
	MATCH_NE,
	MATCH_LT,
	MATCH_LE,
	MATCH_GT,
	MATCH_GE,
	MATCH_IN,
	MATCH_EXISTS,
	MATCH_TRUTHY,
};

/** All names, for an error's text. */
#define MATCH_OPERATORS "eq ne lt le gt ge in exists truthy"

/** @return whether @p name is an operator, exactly as spelt. */
bool cue_match_operator_find(const char *name, enum match_operator *ret_operator);

/** A static string. */
const char *cue_match_operator_name(enum match_operator operator);

/**
 * Find the operator for a word of another language: `gte`, `$gt`, `==`, `equals`, `LT`. Typing
 * errors are not recognised: an operator has two letters, and half of all names of two letters
 * differ from one in a single letter.
 * @return false if there is none, or if @p name is an operator itself.
 */
bool cue_match_operator_meant(const char *name, enum match_operator *ret_operator);

#endif
