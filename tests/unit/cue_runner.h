/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cue_runner.h
 * @brief The part of Criterion that we use, where Criterion itself does not run.
 *
 * Only by way of cue_criterion.h. Each test is a fork; under TSan, which does not
 * follow threads over a fork, all are one process. An assertion that fails ends
 * its test.
 */
#ifndef CUE_RUNNER_H
#define CUE_RUNNER_H

/* A system header, as Criterion's own: its macros may be used without their optional message,
 * which ISO C allows since C23. */
#pragma GCC system_header
#ifdef __clang__
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#if __has_warning("-Wc23-extensions")
#pragma clang diagnostic ignored "-Wc23-extensions"
#endif
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct cue_test {
	const char *suite, *name;
	void (*run)(void);
	struct cue_test *next;
};
static struct cue_test *cue_tests;

#define Test(suite_, name_, ...)                                                                   \
	static void suite_##_##name_##_body(void);                                                 \
	__attribute__((constructor)) static void suite_##_##name_##_register(void)                 \
	{                                                                                          \
		static struct cue_test test = { #suite_, #name_, suite_##_##name_##_body, NULL };  \
		test.next = cue_tests;                                                             \
		cue_tests = &test;                                                                 \
	}                                                                                          \
	static void suite_##_##name_##_body(void)

#define CUE_CHECK(cond, text)                                                                      \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, text);          \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)
#define cr_assert(cond, ...)              CUE_CHECK(cond, #cond)
#define cr_expect(cond, ...)              CUE_CHECK(cond, #cond)
#define cr_assert_not(cond, ...)          CUE_CHECK(!(cond), "not " #cond)
#define cr_assert_eq(a, b, ...)           CUE_CHECK((a) == (b), #a " == " #b)
#define cr_expect_eq(a, b, ...)           CUE_CHECK((a) == (b), #a " == " #b)
#define cr_assert_neq(a, b, ...)          CUE_CHECK((a) != (b), #a " != " #b)
#define cr_expect_neq(a, b, ...)          CUE_CHECK((a) != (b), #a " != " #b)
#define cr_assert_lt(a, b, ...)           CUE_CHECK((a) < (b), #a " < " #b)
#define cr_assert_leq(a, b, ...)          CUE_CHECK((a) <= (b), #a " <= " #b)
#define cr_assert_gt(a, b, ...)           CUE_CHECK((a) > (b), #a " > " #b)
#define cr_assert_geq(a, b, ...)          CUE_CHECK((a) >= (b), #a " >= " #b)
#define cr_assert_null(a, ...)            CUE_CHECK((a) == NULL, #a " is NULL")
#define cr_assert_not_null(a, ...)        CUE_CHECK((a) != NULL, #a " is not NULL")
#define cr_assert_str_eq(a, b, ...)       CUE_CHECK(strcmp((a), (b)) == 0, #a " equals " #b)
#define cr_expect_str_eq(a, b, ...)       CUE_CHECK(strcmp((a), (b)) == 0, #a " equals " #b)
#define cr_assert_str_neq(a, b, ...)      CUE_CHECK(strcmp((a), (b)) != 0, #a " differs from " #b)
#define cr_assert_arr_eq(a, b, size, ...) CUE_CHECK(memcmp((a), (b), (size)) == 0, #a " equals " #b)
#define cr_assert_fail(...)               CUE_CHECK(0, "unreachable")

#if defined(__SANITIZE_THREAD__)
#define CUE_FORKS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CUE_FORKS 0
#endif
#endif
#ifndef CUE_FORKS
#define CUE_FORKS 1
#endif

static int cue_run_test(const struct cue_test *test)
{
	int status = 0;
	pid_t pid = CUE_FORKS ? fork() : 0;

	if (pid < 0) {
		perror("fork");
		return 1;
	}
	if (pid == 0) {
		test->run();
		if (CUE_FORKS)
			exit(0);
		return 0;
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "%s::%s: failed, wait status %#x\n", test->suite, test->name,
		        (unsigned)status);
		return 1;
	}
	return 0;
}

/** For a debugger: `unit_NAME TEST` runs that one alone, without a fork. */
static int cue_run_alone(const char *name)
{
	for (struct cue_test *test = cue_tests; test; test = test->next) {
		if (strcmp(test->name, name) == 0) {
			test->run();
			return 0;
		}
	}
	fprintf(stderr, "there is no test '%s'\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	unsigned n = 0, failed = 0;

	if (argc > 1)
		return cue_run_alone(argv[1]);
	for (struct cue_test *test = cue_tests; test; test = test->next, n++)
		failed += (unsigned)cue_run_test(test);
	printf("%u passed, %u failed\n", n - failed, failed);
	return n > 0 && failed == 0 ? 0 : 1;
}

#endif
