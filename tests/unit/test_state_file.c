/* SPDX-License-Identifier: Apache-2.0 */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cue_criterion.h"
#include "disk_fixture.h"
#include "log.h"

static char dir[64];
static int fd;

static void set_up(void)
{
	disk_make_dir(dir);
	fd = state_file_open_dir(dir);
	cr_assert(fd >= 0);
}

static void tear_down(void)
{
	close(fd);
	disk_remove_dir(dir);
}

static void make_socket(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, name);
	cr_assert_eq(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
	close(s);
}

Test(state_file, what_was_written_is_read)
{
	char *text;
	size_t len;

	set_up();
	cr_assert_eq(state_file_write(fd, "a", "one", 3), 0);
	cr_assert_eq(state_file_write(fd, "a", "second", 6), 0);
	cr_assert_eq(state_file_sync(fd), 0);
	cr_assert_eq(state_file_read(fd, "a", 6, &text, &len), 0);
	cr_assert_eq(len, 6U);
	cr_assert_str_eq(text, "second");
	free(text);
	cr_assert_eq(state_file_read(fd, "a", 5, &text, &len), -EFBIG);
	cr_assert_eq(state_file_read(fd, "b", 5, &text, &len), -ENOENT);
	cr_assert_eq(faccessat(fd, "a.tmp", F_OK, 0), -1);
	tear_down();
}

Test(state_file, only_a_regular_file_is_opened)
{
	static const char *const names[] = { "link", "dangling", "fifo", "folder", "socket" };
	struct stat st;
	char *text;
	size_t len;

	set_up();
	cr_assert_eq(state_file_write(fd, "a", "one", 3), 0);
	cr_assert_eq(symlinkat("a", fd, "link"), 0);
	cr_assert_eq(symlinkat("nowhere", fd, "dangling"), 0);
	cr_assert_eq(mkfifoat(fd, "fifo", 0600), 0);
	cr_assert_eq(mkdirat(fd, "folder", 0700), 0);
	make_socket("socket");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		cr_assert_eq(state_file_open(fd, names[i], O_RDONLY, &st), -EMEDIUMTYPE, "%s",
		             names[i]);
		cr_assert_eq(state_file_read(fd, names[i], 100, &text, &len), -EMEDIUMTYPE, "%s",
		             names[i]);
	}
	tear_down();
}

Test(state_file, a_link_in_the_way_of_a_write_is_not_followed)
{
	char *text;
	size_t len;

	set_up();
	cr_assert_eq(state_file_write(fd, "secret", "untouched", 9), 0);
	cr_assert_eq(symlinkat("secret", fd, "a.tmp"), 0);
	cr_assert_eq(symlinkat("secret", fd, "a"), 0);
	cr_assert_eq(state_file_write(fd, "a", "new", 3), 0);
	cr_assert_eq(state_file_read(fd, "secret", 100, &text, &len), 0);
	cr_assert_str_eq(text, "untouched");
	free(text);
	cr_assert_eq(state_file_read(fd, "a", 100, &text, &len), 0);
	cr_assert_str_eq(text, "new");
	free(text);
	tear_down();
}

static unsigned copies_of(const char *family)
{
	char command[200];
	unsigned n = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls '%s' | grep -c '^%s.*corrupt-'", dir, family);
	pipe = popen(command, "r");
	cr_assert_eq(fscanf(pipe, "%u", &n), 1);
	pclose(pipe);
	return n;
}

Test(state_file, the_oldest_copies_are_deleted)
{
	char first[STATE_FILE_NAME_SIZE], name[STATE_FILE_NAME_SIZE], *text;
	size_t len;

	set_up();
	for (unsigned i = 0; i < 10; i++) {
		char content = (char)('0' + i);

		cr_assert_eq(state_file_write(fd, "a", &content, 1), 0);
		cr_assert_eq(state_file_set_aside(fd, "a", "a", 4, i ? name : first), 0);
		cr_assert(state_file_is_aside(name) || i == 0);
	}
	cr_assert_eq(copies_of("a"), 4U);
	cr_assert_eq(state_file_read(fd, first, 10, &text, &len), -ENOENT);
	cr_assert_eq(state_file_read(fd, name, 10, &text, &len), 0);
	cr_assert_str_eq(text, "9");
	free(text);
	/* Another family is not touched. */
	cr_assert_eq(state_file_write(fd, "b", "x", 1), 0);
	cr_assert_eq(state_file_set_aside(fd, "b", "b", 4, NULL), 0);
	cr_assert_eq(copies_of("a"), 4U);
	cr_assert_eq(state_file_set_aside(fd, "none", "none", 4, NULL), -ENOENT);
	tear_down();
}

/** A full folder can't be deleted; then nothing more is set aside. */
Test(state_file, full_folders_are_never_deleted)
{
	char inside[STATE_FILE_NAME_SIZE + 8], name[STATE_FILE_NAME_SIZE];

	set_up();
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(mkdirat(fd, "a", 0700), 0);
		cr_assert_eq(mkdirat(fd, "a/in", 0700), 0);
		cr_assert_eq(state_file_set_aside(fd, "a", "a", 2, name), 0);
		snprintf(inside, sizeof(inside), "%s/in", name);
		cr_assert_eq(faccessat(fd, inside, F_OK, 0), 0);
	}
	cr_assert_eq(state_file_write(fd, "a", "x", 1), 0);
	cr_assert_eq(state_file_set_aside(fd, "a", "a", 2, NULL), -EDQUOT);
	cr_assert_eq(copies_of("a"), 2U);
	tear_down();
}

Test(state_file, a_folder_that_others_can_write_is_told_with_the_remedy)
{
	struct log_config config = { .level = LOG_LEVEL_WARNING };
	char text[2000] = "";
	int ends[2];
	struct log *log;

	set_up();
	cr_assert_eq(pipe(ends), 0);
	config.fd = ends[1];
	cr_assert_eq(log_new(&config, &log), 0);
	state_file_check_dir(dir, log);
	cr_assert_eq(fchmod(fd, 0770), 0);
	state_file_check_dir(dir, log);
	cr_assert_eq(fchmod(fd, 01777), 0);
	state_file_check_dir(dir, log);
	log_free(log);
	close(ends[1]);
	cr_assert(read(ends[0], text, sizeof(text) - 1) > 0);
	close(ends[0]);
	cr_assert_not_null(strstr(text, "its group (mode 0770)"));
	cr_assert_not_null(strstr(text, "everybody (mode 1777)"));
	cr_assert_not_null(strstr(text, "chmod go-w"));
	cr_assert_null(strstr(text, "0700"));
	tear_down();
}
