/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli.h"
#include "config.h"
#include "diag.h"
#include "duration.h"
#include "simulate.h"
#include "timeline.h"

/** Without --until: with more events than this the configuration is assumed never to stop. */
#define EVENTS_MAX      1000000ULL
#define TRACE_BYTES_MAX (256ULL * 1024 * 1024)

struct options {
	const char *file;
	const char *input;
	uint64_t until_ns; /**< CUE_TIME_NONE: until nothing more is due */
	uint64_t start_ns;
	unsigned width;
	bool timeline;
	bool replies;
};

static const char usage_text[] =
        "usage: cuebus simulate FILE [--input TRACE] [--until DURATION] [--replies]\n"
        "                            [--timeline [--width COLUMNS]]\n"
        "\n"
        "Run a configuration in virtual time, every input simulated, and print each bus\n"
        "event as an envelope line. The same files give the same bytes.\n"
        "\n"
        "  -i, --input TRACE     what happens: lines of `<seconds> <event_type>\n"
        "                        [producer=<n>] [json]`, `input.set` and `cmd/...`\n"
        "  -u, --until DURATION  stop at this time, e.g. 5s; without it, when no event\n"
        "                        is due any more (1,000,000 events at most)\n"
        "  -r, --replies         print each command's reply as `# reply <command> <json>`\n"
        "  -t, --timeline        draw a time line instead of printing envelopes\n"
        "  -w, --width COLUMNS   of the time line, 40 to 1000 (default 100)\n"
        "  -h, --help            this text\n"
        "\n"
        "Exit codes: 0; 64 usage; 65 the trace is wrong; 66 the trace can't be read;\n"
        "70 internal, or the events do not end; 74 output failed;\n"
        "78 the configuration is wrong.\n";

struct output {
	struct simulation *simulation;
	struct timeline *timeline;
	uint64_t start_ns;
	uint64_t last_ns;
	bool replies;
	int error;
};

static void on_event(void *user, const struct cue_event *event, const char *line, size_t len)
{
	struct output *output = user;
	uint64_t time_ns = event->time_ns - output->start_ns;

	/* An input's event may be older than the one before it. */
	if (time_ns > output->last_ns)
		output->last_ns = time_ns;
	if (output->timeline) {
		int r = timeline_add(output->timeline, event, time_ns);

		if (r < 0)
			output->error = r;
		return;
	}
	fwrite(line, 1, len, stdout);
	putchar('\n');
}

static void on_reply(void *user, const char *command, const char *json, size_t len)
{
	struct output *output = user;

	/* Report a refused command of the trace: it explains missing events. */
	if ((!output->replies || output->timeline) && strncmp(json, "{\"ok\":false", 11) == 0)
		fprintf(stderr, "cuebus simulate: %s was refused: %.*s\n", command, (int)len, json);
	if (!output->replies || output->timeline)
		return;
	printf("# reply %s ", command);
	fwrite(json, 1, len, stdout);
	putchar('\n');
}

/* ---- command line ---- */

static bool parse_duration(const char *option, const char *text, uint64_t *ret_ns)
{
	const char *reason = "not a duration";

	if (duration_parse(text, strlen(text), ret_ns, &reason) == 0)
		return true;
	fprintf(stderr, "cuebus simulate: %s %s: %s\n", option, text, reason);
	return false;
}

static bool parse_number(const char *option, const char *text, uint64_t min, uint64_t max,
                         uint64_t *ret_value)
{
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && value >= min &&
	    value <= max) {
		*ret_value = value;
		return true;
	}
	fprintf(stderr,
	        "cuebus simulate: %s %s: must be a number from %" PRIu64 " to %" PRIu64 "\n",
	        option, text, min, max);
	return false;
}

static bool take_option(int c, struct options *options)
{
	uint64_t value;

	switch (c) {
	case 'i':
		options->input = optarg;
		return true;
	case 'u':
		return parse_duration("--until", optarg, &options->until_ns);
	case 'r':
		options->replies = true;
		return true;
	case 't':
		options->timeline = true;
		return true;
	case 'w':
		if (!parse_number("--width", optarg, TIMELINE_WIDTH_MIN, TIMELINE_WIDTH_MAX,
		                  &value))
			return false;
		options->width = (unsigned)value;
		return true;
	case 's': /* for tests: the output must not depend on it */
		return parse_number("--start-ns", optarg, 0, INT64_MAX / 2, &options->start_ns);
	default:
		fprintf(stderr, "Try 'cuebus simulate --help'.\n");
		return false;
	}
}

/** @return -1 to go on, or an exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "input", required_argument, NULL, 'i' },
		{ "until", required_argument, NULL, 'u' },
		{ "replies", no_argument, NULL, 'r' },
		{ "timeline", no_argument, NULL, 't' },
		{ "width", required_argument, NULL, 'w' },
		{ "start-ns", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*options = (struct options){ .until_ns = CUE_TIME_NONE, .width = 100 };
	optind = 1;
	while ((c = getopt_long(argc, argv, "i:u:rtw:h", long_options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return EX_OK;
		}
		if (!take_option(c, options))
			return EX_USAGE;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "cuebus simulate: %s\nTry 'cuebus simulate --help'.\n",
		        argc == optind ? "a configuration file is needed"
		                       : "only one configuration file can be given");
		return EX_USAGE;
	}
	options->file = argv[optind];
	return -1;
}

/* ---- running ---- */

/** @return exit code */
static int run_to_end(const struct options *options, struct output *output)
{
	struct simulation *simulation = output->simulation;
	int r = simulation_start(simulation);
	uint64_t next_ns;

	while (r >= 0 && output->error >= 0 &&
	       (next_ns = simulation_next(simulation)) != CUE_TIME_NONE &&
	       next_ns <= options->until_ns) {
		r = simulation_advance(simulation, next_ns);
		if (options->until_ns == CUE_TIME_NONE &&
		    simulation_events(simulation) > EVENTS_MAX) {
			fprintf(stderr,
			        "cuebus simulate: %s: stopped at %.3f s after %llu events: the "
			        "events do not end; set a time with --until\n",
			        options->file, (double)next_ns / 1e9, EVENTS_MAX);
			return EX_SOFTWARE;
		}
	}
	if (r >= 0)
		r = output->error;
	if (r >= 0 && options->until_ns == CUE_TIME_NONE && simulation_is_cut(simulation)) {
		fprintf(stderr,
		        "cuebus simulate: %s: stopped where time ends, 292 years after the start: "
		        "the events do not end; set a time with --until\n",
		        options->file);
		return EX_SOFTWARE;
	}
	if (r < 0) {
		fprintf(stderr, "cuebus simulate: %s\n", strerrordesc_np(-r));
		return EX_SOFTWARE;
	}
	return EX_OK;
}

static int simulate(const struct options *options, const struct config *config,
                    const struct trace *trace, struct output *output)
{
	struct simulation_config sc = {
		.config = config,
		.trace = trace,
		.start_ns = options->start_ns,
		.event = on_event,
		.reply = on_reply,
		.user = output,
	};
	char error[SIMULATION_ERROR_SIZE];
	unsigned line;
	int r;

	r = simulation_new(&sc, &output->simulation, error, &line);
	if (r < 0 && line > 0) {
		fprintf(stderr, "%s:%u:1: error: %s\n", options->input, line, error);
		return EX_DATAERR;
	}
	if (r < 0) {
		fprintf(stderr, "cuebus simulate: %s: %s%s%s\n", options->file, strerrordesc_np(-r),
		        *error ? ": " : "", error);
		return EX_SOFTWARE;
	}
	r = run_to_end(options, output);
	if (output->timeline)
		timeline_draw(output->timeline,
		              options->until_ns != CUE_TIME_NONE ? options->until_ns
		                                                 : output->last_ns,
		              options->width, stdout);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "cuebus simulate: can't write the output: %s\n",
		        strerrordesc_np(errno));
		r = EX_IOERR;
	}
	return r;
}

static int load_trace(const char *path, struct trace **ret_trace)
{
	struct trace_error error = { 0 };
	int r = trace_load(path, TRACE_BYTES_MAX, ret_trace, &error);

	if (r >= 0)
		return EX_OK;
	if (error.line > 0) {
		fprintf(stderr, "%s:%u:%u: error: %s\n", path, error.line, error.column,
		        error.text);
		return EX_DATAERR;
	}
	fprintf(stderr, "cuebus simulate: %s: %s\n", path, strerrordesc_np(-r));
	return r == -ENOMEM ? EX_SOFTWARE : EX_NOINPUT;
}

static int load_config(const char *path, struct config **ret_config)
{
	struct diag diag = { 0 };
	int r = config_load(path, &diag, ret_config);

	diag_print(&diag, stderr);
	diag_clear(&diag);
	if (r < 0)
		return r == -ENOMEM ? EX_SOFTWARE : EX_CONFIG;
	return EX_OK;
}

int cmd_simulate(int argc, char **argv)
{
	struct config *config = NULL;
	struct trace *trace = NULL;
	struct options options;
	struct output output;
	int code;

	code = parse_options(argc, argv, &options);
	if (code >= 0)
		return code;
	output = (struct output){ .start_ns = options.start_ns, .replies = options.replies };
	code = load_config(options.file, &config);
	if (code == EX_OK && options.input)
		code = load_trace(options.input, &trace);
	if (code == EX_OK && options.timeline && timeline_new(&output.timeline) < 0)
		code = EX_SOFTWARE;
	if (code == EX_OK)
		code = simulate(&options, config, trace, &output);
	simulation_free(output.simulation);
	timeline_free(output.timeline);
	trace_free(trace);
	config_free(config);
	return code;
}
