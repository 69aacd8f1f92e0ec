/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judge configurations as `cuebus check` does, many in one process.
 *
 * Each line of standard input is one configuration. For each, print its findings as
 * `cuebus check` would, then a line "= taken" or "= refused".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "diag.h"

/** @return whether the reader is consistent: it reports an error if and only if it refuses. */
static bool judge(const char *text, size_t len)
{
	struct diag diag = { 0 };
	struct config *config = NULL;
	int r = config_load_text("c.json", text, len, &diag, &config);
	bool sound = (r == 0 || r == -EINVAL) && (r == 0) == (diag.n_errors == 0);

	diag_print(&diag, stdout);
	puts(r == 0 ? "= taken" : "= refused");
	config_free(config);
	diag_clear(&diag);
	return sound;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool sound = true;

	while (sound && (len = getline(&line, &size, stdin)) > 0)
		sound = judge(line, (size_t)len);
	free(line);
	return sound && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
