/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run journal of an earlier process: notes, each a line with its key and then its value, up to
 * a NUL byte. For any input, each run in them is restored or stopped at most once, and its overdue
 * events are emitted.
 */
#include "fuzz.h"

#include <cuebus/cuebus.h>

#include "config.h"
#include "journal_internal.h"
#include "outbox_internal.h"

#define START_NS  (100 * CUE_NS_PER_S)
#define NOTES_MAX 64

static const char config_text[] =
        "{\"version\":1,\"gateway\":{\"id\":\"fuzz\"},\"playlists\":{"
        "\"p\":{\"on_restart\":\"resume\",\"steps\":[{\"emit\":\"tick\",\"repeat\":5,"
        "\"interval\":\"1s\"}]},"
        "\"q\":{\"on_restart\":\"skip\",\"mode\":\"queued\",\"steps\":[{\"emit\":\"tock\"}]}}}";

static const char boot[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

struct life {
	struct config *config;
	struct engine *engine;
	struct outbox *outbox;
	struct log *log;
	struct journal *journal;
	uint64_t random;
};

static void life_begin(struct life *life)
{
	struct diag diag = { 0 };
	struct log_config log = { .fd = 2 }; /* level 0: quiet */
	struct outbox_config outbox = { .max_events = 1000, .max_bytes = 1U << 24 };
	struct engine_config engine = { .start_ns = START_NS,
		                        .random = fuzz_random,
		                        .user = &life->random,
		                        .virtual_devices = true };

	FUZZ_CHECK(config_load_text("fuzz.json", config_text, sizeof(config_text) - 1, &diag,
	                            &life->config) == 0);
	diag_clear(&diag);
	FUZZ_CHECK(log_new(&log, &life->log) == 0);
	FUZZ_CHECK(outbox_new(&outbox, &life->outbox) == 0);
	engine.config = life->config;
	FUZZ_CHECK(engine_new(&engine, &life->engine) == 0);
}

static void life_restore(struct life *life)
{
	struct journal_config config = {
		.engine = life->engine,
		.outbox = life->outbox,
		.log = life->log,
		.kernel_boot_id = boot,
	};

	FUZZ_CHECK(journal_new(&config, &life->journal) == 0);
	outbox_group_begin(life->outbox);
	FUZZ_CHECK(journal_restore(life->journal) == 0);
	engine_wake(life->engine, START_NS); /* what is overdue, as in the loop's first wake */
	journal_mark(life->journal);
	outbox_group_end(life->outbox);
}

static void life_end(struct life *life)
{
	journal_free(life->journal);
	engine_free(life->engine);
	outbox_free(life->outbox);
	log_free(life->log);
	config_free(life->config);
}

/** As the outbox does with what it finds in the database. */
static void find_notes(struct life *life, const uint8_t *data, size_t size)
{
	for (int i = 0; i < NOTES_MAX && size; i++) {
		char *note = fuzz_cut(&data, &size, '\0');
		size_t len = strlen(note);
		char *value = memchr(note, '\n', len);

		if (value)
			*value++ = '\0';
		if (value && *note && strlen(note) <= OUTBOX_KEY_MAX)
			FUZZ_CHECK(outbox_journal_found(&life->outbox->journal, note, value,
			                                len - (size_t)(value - note)) == 0);
		free(note);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct life life = { .random = 1 };
	struct cue_playlists_stats runs;
	struct journal_stats found;

	life_begin(&life);
	find_notes(&life, data, size);
	life_restore(&life);
	journal_get_stats(life.journal, &found);
	cue_playlists_get_stats(engine_playlists(life.engine), &runs);
	/* A run that was neither restored nor stopped was a duplicate or had no valid name. */
	FUZZ_CHECK(runs.restored + runs.aborted <= found.found);
	FUZZ_CHECK(found.unknown <= found.found && found.found <= NOTES_MAX);
	FUZZ_CHECK(found.failures == 0);
	life_end(&life);
	return 0;
}
