/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state_lock.h"

static char folder[64];

static const char *make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/cuebus-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	return folder;
}

static void remove_folder(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

Test(state_lock, the_second_is_told_who_has_it)
{
	const char *dir = make_folder();
	char error[STATE_LOCK_ERROR_SIZE] = "", expected[64];
	int first = -1, second = -1;

	cr_assert_eq(state_lock(dir, "porch", &first, error), 0);
	cr_assert_eq(state_lock(dir, "attic", &second, error), -EBUSY);
	cr_assert_eq(second, -1);
	snprintf(expected, sizeof(expected), "gateway 'porch', process %ld", (long)getpid());
	cr_assert_not_null(strstr(error, expected), "%s", error);
	cr_assert_not_null(strstr(error, dir), "%s", error);
	close(first);
	cr_assert_eq(state_lock(dir, "attic", &second, error), 0);
	close(second);
	remove_folder();
}

/* SQLite opens and closes files of the folder; a POSIX lock would be gone then. */
Test(state_lock, stays_when_the_file_is_opened_and_closed_again)
{
	const char *dir = make_folder();
	char error[STATE_LOCK_ERROR_SIZE], path[80];
	int first = -1, second = -1, again;

	cr_assert_eq(state_lock(dir, "porch", &first, error), 0);
	snprintf(path, sizeof(path), "%s/lock", dir);
	again = open(path, O_RDONLY);
	close(again);
	cr_assert_eq(state_lock(dir, "attic", &second, error), -EBUSY);
	close(first);
	remove_folder();
}

Test(state_lock, is_gone_with_a_killed_process)
{
	const char *dir = make_folder();
	char error[STATE_LOCK_ERROR_SIZE];
	int fds[2], fd = -1, status;
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (state_lock(dir, "porch", &fd, error) == 0 && write(fds[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	cr_assert_eq(read(fds[0], &byte, 1), 1);
	cr_assert_eq(state_lock(dir, "attic", &fd, error), -EBUSY);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	cr_assert_eq(state_lock(dir, "attic", &fd, error), 0);
	close(fd);
	remove_folder();
}

Test(state_lock, makes_the_folder_but_not_its_parents)
{
	char error[STATE_LOCK_ERROR_SIZE], path[96];
	struct stat st;
	int fd = -1;

	make_folder();
	snprintf(path, sizeof(path), "%s/state", folder);
	cr_assert_eq(state_lock(path, "porch", &fd, error), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	close(fd);
	snprintf(path, sizeof(path), "%s/a/b", folder);
	cr_assert_eq(state_lock(path, "porch", &fd, error), -ENOENT);
	remove_folder();
}

Test(state_lock, what_stands_there_is_not_waited_for)
{
	const char *dir = make_folder();
	char error[STATE_LOCK_ERROR_SIZE], path[80];
	int fd = -1, r;

	snprintf(path, sizeof(path), "%s/lock", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	r = state_lock(dir, "porch", &fd, error);
	if (r == 0)
		close(fd);
	cr_assert_neq(r, -EBUSY);
	unlink(path);
	cr_assert_eq(symlink("/etc/passwd", path), 0);
	cr_assert_eq(state_lock(dir, "porch", &fd, error), -ELOOP);
	remove_folder();
}
