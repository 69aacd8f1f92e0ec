/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration. It is refused if and only if there are findings, each with a
 * position within the text. With an accepted configuration an engine is set up, runs for a while in
 * virtual time and shuts down.
 */
#include "fuzz.h"

#include <errno.h>

#include "config.h"
#include "diag.h"
#include "engine.h"

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

static void check_findings(const struct diag *diag, unsigned lines)
{
	size_t errors = 0;

	for (size_t i = 0; i < diag->n; i++) {
		const struct diag_finding *finding = &diag->findings[i];

		errors += finding->severity == DIAG_ERROR;
		FUZZ_CHECK(finding->file && finding->path && finding->rule && finding->message);
		FUZZ_CHECK(finding->message[0] != '\0' && !strchr(finding->message, '\n'));
		FUZZ_CHECK(finding->line <= lines);
	}
	FUZZ_CHECK(diag->n_dropped || errors == diag->n_errors);
}

/* A configuration may ask for as much as its limits allow, which takes time. */
static void lower_limits(struct config *config)
{
	struct cue_limits *limits = &config->limits.bus;

	limits->active_runs = limits->active_runs < 50 ? limits->active_runs : 50;
	limits->queue_events = limits->queue_events < 1000 ? limits->queue_events : 1000;
}

static void start_playlists(struct engine *engine, const struct config *config)
{
	for (size_t i = 0; i < config->n_playlists && i < 8; i++) {
		const struct cue_playlist_start start = { .name = config->playlists[i].def.name,
			                                  .cause = CUE_CAUSE_COMMAND };

		/* a limit or the mode may refuse it */
		FUZZ_CHECK(cue_playlist_start(engine_playlists(engine), &start, NULL) != -ENOENT);
	}
}

static void press_inputs(struct engine *engine, const struct config *config, uint64_t now_ns)
{
	for (size_t i = 0; i < config->n_inputs && i < 8; i++) {
		const char *name = config->inputs[i].name;

		for (unsigned line = 0; line < config->inputs[i].n_lines || line < 1; line++) {
			engine_input_set(engine, name, line, true, now_ns);
			engine_input_set(engine, name, line, false, now_ns + 50 * CUE_NS_PER_MS);
		}
	}
}

/* From deadline to deadline, not far: an interval may be a nanosecond. */
static void let_run(struct engine *engine)
{
	for (int i = 0; i < 50; i++) {
		uint64_t deadline = engine_next_deadline(engine);

		if (deadline == CUE_TIME_NONE)
			break;
		engine_wake(engine, deadline);
	}
}

static void run_engine(const struct config *config)
{
	uint64_t random = 1;
	const struct engine_config engine_config = {
		.config = config,
		.start_ns = CUE_NS_PER_S,
		.random = fuzz_random,
		.user = &random,
		.virtual_devices = true,
	};
	struct engine *engine = NULL;
	char error[512] = "";

	/* What was checked and is within its limits can be set up. */
	FUZZ_CHECK(engine_new(&engine_config, &engine) == 0);
	FUZZ_CHECK(engine_open_inputs(engine, error) == 0);
	start_playlists(engine, config);
	press_inputs(engine, config, 2 * CUE_NS_PER_S);
	let_run(engine);
	engine_free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct diag diag = { 0 };
	struct config *config = NULL;
	int r = config_load_text("fuzz.json", text, size, &diag, &config);

	FUZZ_CHECK(r == 0 || r == -EINVAL);
	FUZZ_CHECK((r == 0) == (config != NULL));
	FUZZ_CHECK((r == 0) == (diag.n_errors == 0));
	check_findings(&diag, count_lines(data, size));
	if (config) {
		lower_limits(config);
		run_engine(config);
	}
	config_free(config);
	diag_clear(&diag);
	return 0;
}
