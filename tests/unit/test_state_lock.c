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

static struct state_lock *lock_it(const char *dir, const char *id)
{
	char error[STATE_LOCK_ERROR_SIZE] = "";
	struct state_lock *lock = NULL;

	cr_assert_eq(state_lock_new(dir, id, NULL, &lock, error), 0, "%s", error);
	return lock;
}

static int hold(struct state_lock *lock)
{
	char error[STATE_LOCK_ERROR_SIZE] = "";

	return state_lock_hold(lock, error);
}

Test(state_lock, the_second_is_told_who_has_it)
{
	const char *dir = make_folder();
	char error[STATE_LOCK_ERROR_SIZE] = "", expected[64];
	struct state_lock *first = lock_it(dir, "porch"), *second = NULL;

	cr_assert_eq(state_lock_new(dir, "attic", NULL, &second, error), -EBUSY);
	cr_assert_null(second);
	snprintf(expected, sizeof(expected), "gateway 'porch', process %ld", (long)getpid());
	cr_assert_not_null(strstr(error, expected), "%s", error);
	cr_assert_not_null(strstr(error, dir), "%s", error);
	cr_assert_eq(hold(first), 0);
	state_lock_free(first);
	second = lock_it(dir, "attic");
	state_lock_free(second);
	remove_folder();
}

/* SQLite opens and closes files of the folder; that would release a POSIX lock. */
Test(state_lock, stays_when_the_file_is_opened_and_closed_again)
{
	const char *dir = make_folder();
	char error[STATE_LOCK_ERROR_SIZE], path[80];
	struct state_lock *first = lock_it(dir, "porch"), *second;
	int again;

	snprintf(path, sizeof(path), "%s/lock", dir);
	again = open(path, O_RDONLY);
	close(again);
	cr_assert_eq(state_lock_new(dir, "attic", NULL, &second, error), -EBUSY);
	state_lock_free(first);
	remove_folder();
}

Test(state_lock, is_gone_with_a_killed_process)
{
	const char *dir = make_folder();
	char error[STATE_LOCK_ERROR_SIZE];
	struct state_lock *lock = NULL;
	int fds[2], status;
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (state_lock_new(dir, "porch", NULL, &lock, error) == 0 &&
		    write(fds[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	cr_assert_eq(read(fds[0], &byte, 1), 1);
	cr_assert_eq(state_lock_new(dir, "attic", NULL, &lock, error), -EBUSY);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	state_lock_free(lock_it(dir, "attic"));
	remove_folder();
}

/** The folder may come later: it is locked then, before anything is written in it. */
Test(state_lock, makes_the_folder_but_not_its_parents)
{
	char path[96], parent[96];
	struct state_lock *lock;
	struct stat st;

	make_folder();
	snprintf(path, sizeof(path), "%s/state", folder);
	lock = lock_it(path, "porch");
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	state_lock_free(lock);
	snprintf(parent, sizeof(parent), "%s/a", folder);
	snprintf(path, sizeof(path), "%s/a/b", folder);
	lock = lock_it(path, "porch");
	cr_assert_eq(hold(lock), -ENOENT);
	cr_assert_eq(mkdir(parent, 0700), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(hold(lock), 0);
	state_lock_free(lock);
	remove_folder();
}

/** If the folder was removed and created again, the first process that locks it is the owner. */
Test(state_lock, another_folder_in_its_place_is_locked_again_or_refused)
{
	const char *dir = make_folder();
	struct state_lock *first = lock_it(dir, "porch"), *second;

	remove_folder();
	cr_assert_eq(hold(first), -ENOENT);
	cr_assert_eq(mkdir(dir, 0700), 0);
	cr_assert_eq(hold(first), 0);
	remove_folder();
	cr_assert_eq(mkdir(dir, 0700), 0);
	second = lock_it(dir, "attic");
	cr_assert_eq(hold(first), -EBUSY);
	cr_assert_eq(hold(second), 0);
	state_lock_free(second);
	cr_assert_eq(hold(first), 0);
	state_lock_free(first);
	remove_folder();
}

Test(state_lock, what_stands_there_is_not_waited_for_or_followed)
{
	const char *dir = make_folder();
	char path[80], target[80];
	struct state_lock *lock;
	struct stat st;

	snprintf(path, sizeof(path), "%s/lock", dir);
	snprintf(target, sizeof(target), "%s/target", dir);
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(i == 0   ? mkfifo(path, 0600)
		             : i == 1 ? symlink("target", path)
		                      : mkdir(path, 0700),
		             0);
		lock = lock_it(dir, "porch");
		cr_assert_eq(hold(lock), 0);
		cr_assert(lstat(path, &st) == 0 && S_ISREG(st.st_mode));
		cr_assert_eq(lstat(target, &st), -1);
		state_lock_free(lock);
		cr_assert_eq(unlink(path), 0);
	}
	remove_folder();
}
