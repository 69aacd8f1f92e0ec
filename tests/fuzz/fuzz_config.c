/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration. There are findings if and only if it is
 * refused, each with a place inside of the text; what is accepted sets up an
 * engine that runs a while in virtual time and shuts down.
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

static void run_engine(const struct config *config)
{
	uint64_t random = 1;
	const struct engine_config engine_config = {
		.config = config,
		.start_ns = CUE_NS_PER_S,
		.random = fuzz_random,
		.user = &random,
		.virtual_inputs = true,
	};
	struct engine *engine = NULL;

	/* There may be limits of its own that refuse it, but then with an error. */
	if (engine_new(&engine_config, &engine) < 0) {
		FUZZ_CHECK(!engine);
		return;
	}
	cue_bus_advance(engine_bus(engine), 2 * CUE_NS_PER_S);
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
	if (config)
		run_engine(config);
	config_free(config);
	diag_clear(&diag);
	return 0;
}
