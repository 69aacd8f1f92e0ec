/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration that is read from files: the main one and conf.d beside it. */
#include "cue_criterion.h"

#include "config.h"
#include "config_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

Test(config_file, file_that_is_not_there)
{
	struct loaded l = { 0 };

	l.r = config_load("/nonexistent/cuebus.json", &l.diag, &l.config);
	cr_assert_eq(l.r, -ENOENT);
	cr_assert_eq(l.diag.n_errors, 1);
	cr_assert_str_eq(l.diag.findings[0].rule, "file");
	release(&l);
	l.r = config_load("/", &l.diag, &l.config);
	cr_assert_eq(l.r, -EISDIR);
	release(&l);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

/** @param folder for mkdtemp(); @param ret_path of conf.d in it. */
static void make_conf_d(char *folder, char ret_path[64])
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(ret_path, 64, "%s/conf.d", folder);
	mkdir(ret_path, 0700);
}

Test(config_file, conf_d_is_merged_in_order_of_name)
{
	char folder[] = "/tmp/cuebus-test-XXXXXX", path[64], command[64];
	struct loaded l = { 0 };

	make_conf_d(folder, path);
	write_file(folder, "c.json",
	           "{\"gateway\":{\"id\":\"g\"},\"playlists\":{\"a\":{\"steps\":[{\"emit\":\"x\"}]}"
	           "}}");
	write_file(path, "20.json", "{\"playlists\":{\"c\":{\"steps\":[{\"emit\":\"x\"}]}}}");
	write_file(path, "10.json",
	           "{\"playlists\":{\"b\":{\"steps\":[{\"emit\":\"x\"}]}},\"mqtt\":{\"username\":"
	           "\"u\"}}");
	snprintf(path, sizeof(path), "%s/c.json", folder);
	l.r = config_load(path, &l.diag, &l.config);
	cr_assert_eq(l.r, 0);
	cr_assert_eq(l.config->n_playlists, 3);
	cr_assert_str_eq(l.config->playlists[0].def.name, "a");
	cr_assert_str_eq(l.config->playlists[1].def.name, "b");
	cr_assert_str_eq(l.config->playlists[2].def.name, "c");
	cr_assert_str_eq(l.config->mqtt.username, "u");
	release(&l);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

/** Check that the only finding is @p message, about @p name in @p folder, and remove the folder. */
static void assert_conf_d_finding(const char *folder, const char *name, const char *message)
{
	char path[64], command[64];
	struct loaded l = { 0 };

	write_file(folder, "c.json", "{\"gateway\":{\"id\":\"g\"}}");
	snprintf(path, sizeof(path), "%s/c.json", folder);
	l.r = config_load(path, &l.diag, &l.config);
	cr_assert_eq(l.r, -EINVAL);
	cr_assert_eq(l.diag.n, 1);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	cr_assert_str_eq(l.diag.findings[0].file, path);
	cr_assert_str_eq(l.diag.findings[0].message, message);
	cr_assert_str_eq(l.diag.findings[0].rule, "file");
	release(&l);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

Test(config_file, conf_d_tells_of_a_name_that_is_nearly_right)
{
	char folder[] = "/tmp/cuebus-test-XXXXXX", path[64], command[64];
	struct loaded l = { 0 };

	make_conf_d(folder, path);
	write_file(folder, "c.json", "{\"gateway\":{\"id\":\"g\"}}");
	write_file(path, "a.jsonc", "{\"mqtt\":{\"username\":\"u\"}}");
	write_file(path, "b.JSON", "{}");
	write_file(path, "c.json.bak", "{");
	write_file(path, "README", "");
	snprintf(path, sizeof(path), "%s/c.json", folder);
	l.r = config_load(path, &l.diag, &l.config);
	cr_assert_eq(l.r, 0);
	cr_assert_null(l.config->mqtt.username);
	cr_assert_eq(l.diag.n, 2);
	snprintf(path, sizeof(path), "%s/conf.d/a.jsonc", folder);
	cr_assert_str_eq(l.diag.findings[0].file, path);
	cr_assert_str_eq(l.diag.findings[0].message,
	                 "is ignored: only files of conf.d whose names end in .json are read");
	cr_assert_eq(l.diag.findings[1].severity, DIAG_WARNING);
	release(&l);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

/* A reload would wait for a writer of the pipe, and block every event. */
Test(config_file, conf_d_does_not_wait_for_a_pipe)
{
	char folder[] = "/tmp/cuebus-test-XXXXXX", path[64];

	make_conf_d(folder, path);
	snprintf(path, sizeof(path), "%s/conf.d/a.json", folder);
	cr_assert_eq(mkfifo(path, 0600), 0);
	assert_conf_d_finding(
	        folder, "conf.d/a.json",
	        "not a regular file: a file of conf.d, or one that is read again while the "
	        "gateway runs, can't be a pipe or a device");
}

/* A start may read `cuebus run -c <(…)`; a reload would wait for a writer. */
Test(config_file, what_is_read_again_does_not_wait_for_a_pipe)
{
	char folder[] = "/tmp/cuebus-test-XXXXXX", path[64], command[64];
	struct loaded l = { 0 };

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/c.json", folder);
	cr_assert_eq(mkfifo(path, 0600), 0);
	l.r = config_load_again(path, &l.diag, &l.config);
	cr_assert_eq(l.r, -ENOTSUP);
	cr_assert_eq(l.diag.n_errors, 1);
	release(&l);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

Test(config_file, conf_d_that_is_no_folder_is_told)
{
	char folder[] = "/tmp/cuebus-test-XXXXXX";

	cr_assert_not_null(mkdtemp(folder));
	write_file(folder, "conf.d", "{}");
	assert_conf_d_finding(folder, "c.json", "conf.d beside it can't be read: Not a directory");
}
