/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "service.h"

static const char usage_text[] =
        "usage: cuebus run -c FILE [--log-format text|json] [--verbose]\n"
        "\n"
        "Run the gateway until SIGTERM or SIGINT. SIGHUP reloads the configuration.\n"
        "While the broker can't be reached, the gateway keeps trying to connect.\n"
        "\n"
        "  -c, --config FILE       the configuration\n"
        "  -l, --log-format FORMAT text (default) or json, on stderr\n"
        "  -v, --verbose           log more\n"
        "  -h, --help              this text\n"
        "\n"
        "Exit codes: 0; 64 usage; 69 an input or output can't be opened; 70 internal;\n"
        "78 the configuration is wrong, or what is kept in gateway.state_dir, or the\n"
        "service manager's environment.\n";

struct options {
	const char *config_file;
	enum log_format format;
	bool verbose;
};

static int usage_error(const char *what)
{
	fprintf(stderr, "cuebus run: %s\nTry 'cuebus run --help'.\n", what);
	return EX_USAGE;
}

/** @return -1 to go on, or an exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "log-format", required_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:l:vh", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config_file = optarg;
			break;
		case 'l':
			if (log_format_parse(optarg, &options->format) < 0)
				return usage_error("--log-format must be text or json");
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return EX_OK;
		default:
			fputs("Try 'cuebus run --help'.\n", stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc)
		return usage_error("takes no other arguments; the configuration is given with -c");
	if (!options->config_file)
		return usage_error("a configuration is needed: -c FILE");
	return -1;
}

int cmd_run(int argc, char **argv)
{
	struct options options = { .format = LOG_FORMAT_TEXT };
	struct log_config log_config = { .fd = STDERR_FILENO };
	struct service_options service = { 0 };
	int code = parse_options(argc, argv, &options);

	if (code >= 0)
		return code;
	log_config.format = options.format;
	log_config.level = options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	log_config.journal = log_is_journal(STDERR_FILENO);
	if (log_new(&log_config, &service.log) < 0) {
		fputs("cuebus run: out of memory\n", stderr);
		return EX_SOFTWARE;
	}
	service.config_file = options.config_file;
	code = service_main(&service);
	log_free(service.log);
	return code;
}
