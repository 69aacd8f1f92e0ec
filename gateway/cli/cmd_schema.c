/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli.h"
#include "did_you_mean.h"
#include "schema_config.h"
#include "schema_files.h"

static const char usage[] =
        "usage: cuebus schema [NAME]\n"
        "       cuebus schema --markdown | --man\n"
        "\n"
        "Without NAME, list the names of the schemas. With NAME, print that schema: JSON\n"
        "Schema 2020-12, or for \"asyncapi\" the AsyncAPI document. With --markdown or\n"
        "--man, print the reference of the configuration's keys.\n"
        "\n"
        "      --markdown  in the form of docs/configuration.md\n"
        "      --man       in the form of cuebus.json(5)\n"
        "  -h, --help      this text\n"
        "\n"
        "Exit code: 0, 64 usage or unknown name, 70 internal.\n";

static const char config_name[] = "config";

/** Flush standard output: write errors are known only at the end. */
static int finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EX_OK;
	fprintf(stderr, "cuebus schema: can't write to standard output\n");
	return EX_SOFTWARE;
}

static int list(void)
{
	bool told = false;

	for (size_t i = 0; i < n_schema_files; i++) {
		if (!told && strcmp(config_name, schema_files[i].name) < 0) {
			puts(config_name);
			told = true;
		}
		puts(schema_files[i].name);
	}
	if (!told)
		puts(config_name);
	return finish();
}

static int print_config(void)
{
	char *text;

	if (schema_config_text(&text) < 0) {
		fprintf(stderr, "cuebus schema: out of memory\n");
		return EX_SOFTWARE;
	}
	fputs(text, stdout);
	free(text);
	return finish();
}

static int tell_unknown(const char *name)
{
	const char **names = calloc(n_schema_files + 1, sizeof(char *));
	const char *meant = NULL;

	for (size_t i = 0; names && i < n_schema_files; i++)
		names[i] = schema_files[i].name;
	if (names) {
		names[n_schema_files] = config_name;
		meant = did_you_mean(name, names, n_schema_files + 1);
	}
	fprintf(stderr, "cuebus schema: there is no schema \"%s\"", name);
	if (meant)
		fprintf(stderr, "; did you mean \"%s\"?\n", meant);
	else
		fprintf(stderr, "; \"cuebus schema\" lists them\n");
	free(names);
	return EX_USAGE;
}

static int print_named(const char *name)
{
	if (strcmp(name, config_name) == 0)
		return print_config();
	for (size_t i = 0; i < n_schema_files; i++) {
		if (strcmp(name, schema_files[i].name) == 0) {
			fwrite(schema_files[i].bytes, 1, schema_files[i].len, stdout);
			return finish();
		}
	}
	return tell_unknown(name);
}

static int print_reference(int form)
{
	if (form == 'm') {
		schema_config_markdown(stdout);
	} else if (schema_config_man(stdout) < 0) {
		fprintf(stderr, "cuebus schema: out of memory\n");
		return EX_SOFTWARE;
	}
	return finish();
}

int cmd_schema(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' },
		                                 { "markdown", no_argument, NULL, 'm' },
		                                 { "man", no_argument, NULL, 'n' },
		                                 { 0 } };
	int option, form = 0; /* m, n or none */

	optind = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return EX_OK;
		}
		if ((option != 'm' && option != 'n') || form) {
			fputs(usage, stderr);
			return EX_USAGE;
		}
		form = option;
	}
	if (argc - optind > (form ? 0 : 1)) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	if (form)
		return print_reference(form);
	return argc > optind ? print_named(argv[optind]) : list();
}
