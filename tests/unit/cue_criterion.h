/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cue_criterion.h
 * @brief Criterion, or under TSan an in-process stand-in for the part we use.
 *
 * Criterion 2.4 runs every test in a process of its own whose memory layout
 * TSan does not bear (it crashes before main). The stand-in runs the same
 * test bodies one after the other; an assertion that fails ends the program.
 * Every unit test includes this header and keeps to these macros.
 */
#ifndef CUE_CRITERION_H
#define CUE_CRITERION_H

#ifndef CUEBUS_TSAN
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <criterion/criterion.h>
#pragma GCC diagnostic pop
#else
#ifdef __clang__
/* A macro without its optional message; allowed since C23. */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cue_test {
	const char *suite, *name;
	void (*run)(void);
	struct cue_test *next;
};
static struct cue_test *cue_tests;

#define Test(suite_, name_, ...)                                                              \
	static void suite_##_##name_##_body(void);                                            \
	__attribute__((constructor)) static void suite_##_##name_##_register(void)            \
	{                                                                                     \
		static struct cue_test test = { #suite_, #name_, suite_##_##name_##_body, NULL }; \
		test.next = cue_tests;                                                        \
		cue_tests = &test;                                                            \
	}                                                                                     \
	static void suite_##_##name_##_body(void)

#define CUE_CHECK(cond, text)                                                                 \
	do {                                                                                  \
		if (!(cond)) {                                                                \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, text);     \
			exit(1);                                                              \
		}                                                                             \
	} while (0)
#define cr_assert(cond, ...) CUE_CHECK(cond, #cond)
#define cr_expect(cond, ...) CUE_CHECK(cond, #cond)
#define cr_assert_not(cond, ...) CUE_CHECK(!(cond), "not " #cond)
#define cr_assert_eq(a, b, ...) CUE_CHECK((a) == (b), #a " == " #b)
#define cr_expect_eq(a, b, ...) CUE_CHECK((a) == (b), #a " == " #b)
#define cr_assert_neq(a, b, ...) CUE_CHECK((a) != (b), #a " != " #b)
#define cr_assert_lt(a, b, ...) CUE_CHECK((a) < (b), #a " < " #b)
#define cr_assert_leq(a, b, ...) CUE_CHECK((a) <= (b), #a " <= " #b)
#define cr_assert_gt(a, b, ...) CUE_CHECK((a) > (b), #a " > " #b)
#define cr_assert_geq(a, b, ...) CUE_CHECK((a) >= (b), #a " >= " #b)
#define cr_assert_null(a, ...) CUE_CHECK((a) == NULL, #a " is NULL")
#define cr_assert_not_null(a, ...) CUE_CHECK((a) != NULL, #a " is not NULL")
#define cr_assert_str_eq(a, b, ...) CUE_CHECK(strcmp((a), (b)) == 0, #a " equals " #b)
#define cr_expect_str_eq(a, b, ...) CUE_CHECK(strcmp((a), (b)) == 0, #a " equals " #b)
#define cr_assert_str_neq(a, b, ...) CUE_CHECK(strcmp((a), (b)) != 0, #a " differs from " #b)
#define cr_assert_fail(...) CUE_CHECK(0, "unreachable")

int main(void)
{
	unsigned n = 0;

	for (struct cue_test *test = cue_tests; test; test = test->next, n++)
		test->run();
	printf("%u passed, 0 failed\n", n);
	return n ? 0 : 1;
}
#endif
#endif
