/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli.h"
#include "paho_connection.h"
#include "version_print.h"

struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis;
	const char *help;
};

static const struct subcommand subcommands[] = {
	{ "run", cmd_run, "run -c FILE", "run the gateway" },
	{ "check", cmd_check, "check FILE", "find what is wrong with a configuration" },
	{ "simulate", cmd_simulate, "simulate FILE [--input TRACE]",
	  "run it in virtual time and print the events" },
	{ "healthcheck", cmd_healthcheck, "healthcheck -c FILE",
	  "ask a running gateway over MQTT whether it answers" },
	{ "schema", cmd_schema, "schema [NAME]", "print a JSON Schema, or their names" },
};

#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void print_help(FILE *stream)
{
	fputs("usage: cuebus COMMAND [OPTIONS]\n"
	      "\n"
	      "Event bus, playlists and gestures for hardware inputs, bridged to MQTT.\n"
	      "\n",
	      stream);
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		fprintf(stream, "  %-32s %s\n", subcommands[i].synopsis, subcommands[i].help);
	fputs("\n"
	      "  --version                        versions of cuebus and its libraries\n"
	      "  --help                           this text; `cuebus COMMAND --help` says more\n"
	      "\n"
	      "Exit codes are those of sysexits.h: 0 ok, 64 usage, 65 bad data, 66 no input,\n"
	      "69 unavailable, 70 internal, 74 output failed, 78 configuration.\n",
	      stream);
}

static bool is_help(const char *name)
{
	return strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
}

static bool is_version(const char *name)
{
	return strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0;
}

static int run_subcommand(const struct subcommand *subcommand, int argc, char **argv)
{
	char name[32];

	/* getopt begins its messages with argv[0], like those of the commands. */
	snprintf(name, sizeof(name), "cuebus %s", subcommand->name);
	argv[0] = name;
	return subcommand->run(argc, argv);
}

static int run_command(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		print_help(stderr);
		return EX_USAGE;
	}
	if ((is_help(name) || is_version(name)) && argc > 2) {
		fprintf(stderr, "cuebus: %s takes no arguments. Try 'cuebus --help'.\n", name);
		return EX_USAGE;
	}
	if (is_help(name)) {
		print_help(stdout);
		return EX_OK;
	}
	if (is_version(name)) {
		version_print(stdout);
		return EX_OK;
	}
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		if (strcmp(name, subcommands[i].name) == 0)
			return run_subcommand(&subcommands[i], argc - 1, argv + 1);
	}
	fprintf(stderr, "cuebus: there is no command '%s'. Try 'cuebus --help'.\n", name);
	return EX_USAGE;
}

int main(int argc, char **argv)
{
	int code;

	paho_ignore_proxies();
	code = run_command(argc, argv);

	/* Report any failed write to stdout. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (code != EX_OK)
		return code; /* the command has reported it, or a worse error */
	fprintf(stderr, "cuebus: can't write to standard output\n");
	return EX_SOFTWARE;
}
