/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli.h"
#include "config.h"
#include "plural.h"

static const char usage[] =
        "usage: cuebus check FILE\n"
        "\n"
        "Read the configuration FILE and the files of conf.d beside it, and print every\n"
        "finding on its own line as FILE:LINE:COLUMN: error|warning: TEXT [RULE].\n"
        "Nothing is opened, connected or written. ${NAME} is taken from the environment.\n"
        "\n"
        "Exit code: 0 no errors (there may be warnings), 64 usage, 70 internal, 78 errors.\n";

/** "1 error", "2 warnings" */
static void print_count(size_t n, const char *what)
{
	fprintf(stderr, "%zu %s%s", n, what, plural(n));
}

static int check(const char *path)
{
	struct diag diag = { 0 };
	struct config *config = NULL;
	int r = config_load(path, &diag, &config), code = EX_OK;
	/* Findings beyond the limit count as warnings: their severity is unknown here. */
	size_t warnings = diag.n + diag.n_dropped - diag.n_errors;

	diag_print(&diag, stdout);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "cuebus check: can't write to standard output\n");
		code = EX_SOFTWARE;
	} else if (r < 0 && diag.n_errors == 0) {
		fprintf(stderr, "cuebus check: %s\n", strerror(-r));
		code = EX_SOFTWARE;
	} else {
		fprintf(stderr, "%s: ", path);
		print_count(diag.n_errors, "error");
		fprintf(stderr, ", ");
		print_count(warnings, "warning");
		if (diag.n_dropped > 0)
			fprintf(stderr, " (%zu not shown)", diag.n_dropped);
		fprintf(stderr, "\n");
		code = r < 0 ? EX_CONFIG : EX_OK;
	}
	config_free(config);
	diag_clear(&diag);
	return code;
}

int cmd_check(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return EX_OK;
		}
		fputs(usage, stderr);
		return EX_USAGE;
	}
	if (argc - optind != 1) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	return check(argv[optind]);
}
