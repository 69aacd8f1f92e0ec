/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "password.h"

/** A file with these bytes; removed by remove_file(). */
static char *make_file(const void *bytes, size_t len)
{
	static char path[] = "/tmp/cuebus-password-XXXXXX";
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	return path;
}

static void expect(const void *bytes, size_t len, int r, const char *password)
{
	struct mqtt_settings settings = { .password_file = make_file(bytes, len) };
	char error[256] = "", *got = NULL;

	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), r, "%s", error);
	if (password)
		cr_assert_str_eq(got, password);
	else
		cr_assert_null(got);
	cr_assert_eq(*error != '\0', r < 0);
	if (r < 0)
		cr_assert(strstr(error, settings.password_file), "%s", error);
	cr_assert_null(password_forget(got));
	unlink(settings.password_file);
}

Test(password, is_the_first_line)
{
	expect("s3cret", 6, 0, "s3cret");
	expect("s3cret\n", 7, 0, "s3cret");
	expect("s3cret\r\nmore\n", 13, 0, "s3cret");
	expect(" with spaces \t\n", 15, 0, " with spaces \t");
	expect("p\xc3\xa4ss\n\0binary", 13, 0, "p\xc3\xa4ss");
}

Test(password, byte_order_mark_is_skipped)
{
	expect("\xEF\xBB\xBFs3cret", 9, 0, "s3cret");
	expect("\xEF\xBB\xBFs3cret\r\n", 11, 0, "s3cret");
	expect("\xEF\xBB\xBF\r\n", 5, -EINVAL, NULL);
	expect("\xEF\xBB\xBF", 3, -EINVAL, NULL);
	expect("\xEF\xBBs", 3, 0, "\xEF\xBBs");           /* not a whole mark */
	expect("s\xEF\xBB\xBFx", 5, 0, "s\xEF\xBB\xBFx"); /* not at the start */
}

Test(password, utf_16_is_refused_by_name)
{
	static const char *const texts[] = { "\xFF\xFEs\0", "\xFE\xFF\0s" };

	for (size_t i = 0; i < 2; i++) {
		struct mqtt_settings settings = { .password_file = make_file(texts[i], 4) };
		char error[256] = "", *got = NULL;

		cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), -EINVAL);
		cr_assert(strstr(error, "UTF-16: save it as UTF-8"), "%s", error);
		unlink(settings.password_file);
	}
}

Test(password, what_is_none)
{
	expect("", 0, -EINVAL, NULL);
	expect("\ns3cret\n", 8, -EINVAL, NULL);
	expect("s3\0cret\n", 8, -EINVAL, NULL);
}

Test(password, can_be_as_long_as_mqtt_allows)
{
	char *text = malloc(PASSWORD_MAX + 4);

	cr_assert_not_null(text);
	memcpy(text, "\xEF\xBB\xBF", 3);
	memset(text + 3, 'x', PASSWORD_MAX + 1);
	expect(text, PASSWORD_MAX + 4, -EINVAL, NULL);
	text[PASSWORD_MAX + 3] = '\0';
	expect(text, PASSWORD_MAX + 3, 0, text + 3);
	memset(text, 'x', PASSWORD_MAX + 1);
	expect(text, PASSWORD_MAX + 1, -EINVAL, NULL);
	text[PASSWORD_MAX] = '\0';
	expect(text, PASSWORD_MAX, 0, text);
	free(text);
}

static void expect_path(char *path, int r, const char *part)
{
	struct mqtt_settings settings = { .password_file = path };
	char error[256] = "", *got = NULL;

	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), r, "%s", error);
	cr_assert(strstr(error, part), "%s", error);
	cr_assert_null(got);
}

Test(password, files_that_are_none)
{
	char none[] = "/nonexistent/password", folder[] = "/tmp", zero[] = "/dev/zero", fifo[64];

	expect_path(none, -ENOENT,
	            "mqtt.password_file '/nonexistent/password' can't be read: No such");
	expect_path(folder, -EINVAL, "not a regular file");
	expect_path(zero, -EINVAL, "not a regular file");
	snprintf(fifo, sizeof(fifo), "/tmp/cuebus-password-%d", (int)getpid());
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	expect_path(fifo, -EINVAL, "not a regular file"); /* and does not wait for a writer */
	unlink(fifo);
}

Test(password, from_the_environment)
{
	char name[] = "CUEBUS_TEST_PASSWORD", other[] = "CUEBUS_TEST_NONE";
	struct mqtt_settings settings = { .password_env = name };
	char error[256] = "", *got = NULL;

	setenv(name, "fr0m env", 1);
	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), 0);
	cr_assert_str_eq(got, "fr0m env");
	got = password_forget(got);
	/* As from a file. */
	setenv(name,
	       "\xEF\xBB\xBF"
	       "fr0m env\r\n",
	       1);
	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), 0);
	cr_assert_str_eq(got, "fr0m env");
	got = password_forget(got);
	setenv(name, "\xFF\xFEs", 1);
	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), -EINVAL);
	cr_assert(strstr(error, "UTF-16"), "%s", error);
	setenv(name, "\n", 1);
	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), -EINVAL);
	setenv(name, "", 1);
	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), -EINVAL);
	cr_assert(strstr(error, "'CUEBUS_TEST_PASSWORD' is empty"), "%s", error);
	settings.password_env = other;
	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), -ENOENT);
	cr_assert(strstr(error, "'CUEBUS_TEST_NONE' is not set"), "%s", error);
	cr_assert_null(got);
}

Test(password, none_is_configured)
{
	struct mqtt_settings settings = { 0 };
	char error[256] = "", *got = error;

	cr_assert_eq(password_read(&settings, &got, error, sizeof(error)), 0);
	cr_assert_null(got);
	cr_assert_null(password_forget(NULL));
}
