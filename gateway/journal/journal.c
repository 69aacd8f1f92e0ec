/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_internal.h"

/* A separate note for less data costs more than it saves. */
#define DATA_INLINE_MAX 512U

#define KERNEL_BOOT_ID "/proc/sys/kernel/random/boot_id"

/* ---- notes ---- */

/** Count a lost note: after a crash it costs a run its place, nothing more. The gateway
 * continues. */
static void check(struct journal *journal, int r)
{
	if (r >= 0)
		return;
	journal->stats.failures++;
	log_write(journal->config.log, LOG_LEVEL_ERROR, "the run journal has lost a note: %s",
	          strerrordesc_np(-r));
}

static void run_key(const char *prefix, const struct cue_id *id, char key[OUTBOX_KEY_MAX + 1])
{
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(id, text);
	snprintf(key, OUTBOX_KEY_MAX + 1, "%s%s", prefix, text);
}

static void put(struct journal *journal, const char *key, struct cue_writer *w)
{
	char *text;
	size_t len;
	int r = cue_writer_finish(w, &text, &len);

	if (r >= 0) {
		r = outbox_journal_put(journal->config.outbox, key, text, len);
		free(text);
	}
	check(journal, r);
}

static void write_ns(struct cue_writer *w, const char *key, int64_t ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, ns);
	cue_writer_key(w, key);
	cue_writer_string(w, text);
}

static void write_number(struct cue_writer *w, const char *key, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	cue_writer_key(w, key);
	cue_writer_string(w, text);
}

/* ---- runs ---- */

static struct journal_active **find_run(struct journal *journal, const struct cue_id *id)
{
	uint32_t hash; /* the ids are random */
	struct journal_active **link;

	memcpy(&hash, id->bytes, sizeof(hash));
	link = &journal->active[hash % JOURNAL_BUCKETS];
	while (*link && !cue_id_equal(&(*link)->id, id))
		link = &(*link)->next;
	return link;
}

/** The entry of a run, created at its first report. */
static struct journal_active *use_run(struct journal *journal, const struct cue_run_record *record)
{
	struct journal_active **link = find_run(journal, &record->run);
	struct journal_active *run = *link;

	if (run)
		return run;
	run = calloc(1, sizeof(*run));
	if (!run)
		return NULL;
	check(journal, journal_shared_use(journal, &journal->definitions, record->definition,
	                                  &run->definition));
	if (!run->definition) {
		free(run);
		return NULL;
	}
	run->id = record->run;
	run->number = journal->next_run++;
	*link = run;
	journal->n_active++;
	return run;
}

/** Large data gets its own note, which all runs started by one event share. */
static void use_data(struct journal *journal, struct journal_active *run,
                     const struct cue_run_record *record)
{
	size_t len = 0;

	if (record->trigger_data)
		cue_payload_bytes(record->trigger_data, &len);
	if (len > DATA_INLINE_MAX && !run->data)
		check(journal, journal_shared_use(journal, &journal->datas, record->trigger_data,
		                                  &run->data));
}

static void write_trigger(struct cue_writer *w, const struct journal_active *run,
                          const struct cue_run_record *record)
{
	const char *data = "null";
	size_t len = strlen(data);

	if (!record->trigger_type)
		return;
	if (record->trigger_data)
		data = cue_payload_bytes(record->trigger_data, &len);
	cue_writer_key(w, "trigger_type");
	cue_writer_string(w, record->trigger_type);
	write_number(w, "trigger_producer", record->trigger_producer_id);
	if (record->trigger_omitted) {
		cue_writer_key(w, "trigger_omitted");
		cue_writer_string(w, cue_omitted_name(record->trigger_omitted));
	}
	if (run->data) {
		write_number(w, "trigger_note", run->data->number);
		return;
	}
	cue_writer_key(w, "trigger_data"); /* in a string: its spelling is kept */
	cue_writer_string_n(w, data, len);
}

static void write_line(struct cue_writer *w, const struct cue_run_line *line,
                       int64_t wall_offset_ns)
{
	int64_t since_ns = (int64_t)line->since_ns;

	if (!line->steered)
		return;
	if (line->paused) {
		cue_writer_key(w, "paused");
		cue_writer_bool(w, true);
	}
	write_number(w, "tempo", line->tempo);
	write_ns(w, "since_mono", since_ns);
	write_ns(w, "since_wall", since_ns + wall_offset_ns);
	write_number(w, "offset", line->offset_ns);
	write_number(w, "fraction", line->fraction);
	write_number(w, "pending", line->pending_ns);
	write_number(w, "emitted", line->emitted_count);
	write_number(w, "skipped", line->skipped_count);
}

static void put_run(struct journal *journal, const struct journal_active *run,
                    const struct cue_run_record *record)
{
	struct cue_bus *bus = engine_bus(journal->config.engine);
	int64_t start_ns = (int64_t)record->start_ns; /* modulo 2^64 */
	char key[OUTBOX_KEY_MAX + 1];
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	write_number(&w, "number", run->number);
	cue_writer_key(&w, "playlist");
	cue_writer_string(&w, record->playlist);
	write_number(&w, "definition", run->definition->number);
	cue_writer_key(&w, "state");
	cue_writer_string(&w, record->state == CUE_RUN_QUEUED ? "queued" : "running");
	cue_writer_key(&w, "boot");
	cue_writer_string(&w, journal->boot);
	write_ns(&w, "start_mono", start_ns);
	write_ns(&w, "start_wall", start_ns + cue_bus_wall_offset(bus));
	if (record->passed_ns != CUE_TIME_NONE)
		write_number(&w, "passed", record->passed_ns);
	write_line(&w, &record->line, cue_bus_wall_offset(bus));
	write_trigger(&w, run, record);
	cue_writer_object_end(&w);
	run_key(JOURNAL_RUN, &record->run, key);
	put(journal, key, &w);
}

static void put_skip(struct journal *journal, struct journal_active *run, uint64_t skipped_count)
{
	char key[OUTBOX_KEY_MAX + 1];
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, skipped_count);

	run->has_skip = true;
	run_key(JOURNAL_SKIP, &run->id, key);
	check(journal, outbox_journal_put(journal->config.outbox, key, text, (size_t)len));
}

/* ---- the observer ---- */

static void on_active(void *user, const struct cue_run_record *record)
{
	struct journal *journal = user;
	struct journal_active *run = use_run(journal, record);

	if (!run) {
		check(journal, -ENOMEM);
		return;
	}
	journal->moved = true;
	use_data(journal, run, record);
	put_run(journal, run, record);
	if (record->skipped_count > 0)
		put_skip(journal, run, record->skipped_count);
}

static void on_skipped(void *user, const struct cue_id *id, uint64_t skipped_count)
{
	struct journal *journal = user;
	struct journal_active *run = *find_run(journal, id);

	if (run)
		put_skip(journal, run, skipped_count);
}

static void on_stopped(void *user, const struct cue_id *id)
{
	struct journal *journal = user;
	struct journal_active **link = find_run(journal, id), *run = *link;
	char key[OUTBOX_KEY_MAX + 1];

	/* Also for an aborted run, which did not begin in this boot. */
	run_key(JOURNAL_RUN, id, key);
	check(journal, outbox_journal_remove(journal->config.outbox, key));
	journal->moved = true;
	if (!run)
		return;
	if (run->has_skip) {
		run_key(JOURNAL_SKIP, id, key);
		check(journal, outbox_journal_remove(journal->config.outbox, key));
	}
	*link = run->next;
	check(journal, journal_shared_drop(journal, &journal->definitions, run->definition));
	check(journal, journal_shared_drop(journal, &journal->datas, run->data));
	free(run);
	journal->n_active--;
}

/* ---- the mark ---- */

void journal_mark(struct journal *journal)
{
	struct cue_bus *bus = engine_bus(journal->config.engine);
	uint64_t passed_ns;
	struct journal_time mark = journal_now(journal);
	struct cue_playlists_stats stats;
	struct cue_writer w = { 0 };
	int64_t back_ns;

	cue_playlists_get_stats(engine_playlists(journal->config.engine), &stats);
	/* The mark of the previous boot must still be read. */
	if (journal->n_active == 0 || journal->late)
		return;
	/* A step of the wall clock makes the time of the mark wrong. */
	if (!journal->moved && stats.steps_emitted + stats.steps_skipped == journal->marked_steps &&
	    cue_bus_wall_offset(bus) == journal->marked_offset_ns)
		return;
	/* Due timers that have not run have not emitted anything. A deadline of 0 may be a time
	 * before the clock's zero, at an unknown distance. */
	if (!cue_bus_get_passed(bus, &passed_ns))
		return;
	back_ns = mark.mono_ns - (int64_t)passed_ns;
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "boot");
	cue_writer_string(&w, mark.boot);
	write_ns(&w, "mono", mark.mono_ns - back_ns);
	write_ns(&w, "wall", mark.wall_ns - back_ns);
	cue_writer_object_end(&w);
	put(journal, JOURNAL_MARK, &w);
	journal->moved = false;
	journal->marked_steps = stats.steps_emitted + stats.steps_skipped;
	journal->marked_offset_ns = cue_bus_wall_offset(bus);
}

/* ---- life ---- */

static void read_boot_id(struct journal *journal)
{
	int fd = open(KERNEL_BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, journal->boot, sizeof(journal->boot) - 1);

	if (fd >= 0)
		close(fd);
	journal->boot[n > 0 ? n : 0] = '\0';
	journal->boot[strcspn(journal->boot, "\n")] = '\0';
}

static int read_past(struct journal *journal)
{
	int r = journal_past_read(journal->config.outbox, journal->config.log, &journal->past);
	uint64_t next;

	if (r < 0)
		return r;
	journal->stats.found = journal->past.n_runs;
	for (size_t i = 0; i < journal->past.n_runs; i++) {
		if (journal->past.runs[i].number >= journal->next_run)
			journal->next_run = journal->past.runs[i].number + 1;
	}
	next = journal_texts_next(&journal->past.definitions);
	if (next > journal->definitions.next)
		journal->definitions.next = next;
	next = journal_texts_next(&journal->past.datas);
	if (next > journal->datas.next)
		journal->datas.next = next;
	return 0;
}

/** Start with a number that no previous boot has used: each began with 0, or with an earlier
 * time. */
static void number_by_clock(struct journal *journal)
{
	uint64_t now = (uint64_t)journal_now(journal).wall_ns;

	journal->next_run = journal->definitions.next = journal->datas.next = now;
}

int journal_new(const struct journal_config *config, struct journal **ret_journal)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	struct cue_run_observer observer = { on_active, on_skipped, on_stopped, journal };
	int r = 0;

	if (!journal)
		return -ENOMEM;
	journal->config = *config;
	if (config->kernel_boot_id)
		snprintf(journal->boot, sizeof(journal->boot), "%s", config->kernel_boot_id);
	else
		read_boot_id(journal);
	journal->definitions.prefix = JOURNAL_DEFINITION;
	journal->datas.prefix = JOURNAL_DATA;
	journal->late = !outbox_journal_is_known(config->outbox);
	if (journal->late)
		number_by_clock(journal);
	else
		r = read_past(journal);
	if (r < 0) {
		free(journal);
		return r;
	}
	cue_playlists_observe(engine_playlists(config->engine), &observer);
	*ret_journal = journal;
	return 0;
}

int journal_catch_up(struct journal *journal)
{
	int r;

	if (!journal->late || !outbox_journal_is_known(journal->config.outbox))
		return 0;
	r = read_past(journal);
	if (r < 0)
		return r;
	journal->late = false;
	return journal_restore(journal);
}

struct journal *journal_free(struct journal *journal)
{
	if (!journal)
		return NULL;
	cue_playlists_observe(engine_playlists(journal->config.engine), NULL);
	for (size_t i = 0; i < JOURNAL_BUCKETS; i++) {
		while (journal->active[i]) {
			struct journal_active *run = journal->active[i];

			journal->active[i] = run->next;
			free(run);
		}
	}
	journal_shared_clear(&journal->definitions);
	journal_shared_clear(&journal->datas);
	journal_past_clear(&journal->past);
	free(journal);
	return NULL;
}

void journal_get_stats(const struct journal *journal, struct journal_stats *ret_stats)
{
	*ret_stats = journal->stats;
}
