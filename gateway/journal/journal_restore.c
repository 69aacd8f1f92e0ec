/* SPDX-License-Identifier: Apache-2.0 */
/* Restore or stop the runs of the previous boot. The observer writes their notes again, with the
 * times of this boot of the machine. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "error_text.h"
#include "journal_internal.h"
#include "plural.h"

/**
 * Time since the start of a run, or since its last steering. Across a boot of the machine only the
 * wall clock measures it, and that may have been set while the run was active (a machine without a
 * battery starts in the past). So use the wall clock only for the time since the mark, and the
 * monotonic clock for the time before.
 */
static int64_t time_since(const struct journal *journal, const struct journal_time *then,
                          const struct journal_time *now)
{
	const struct journal_time *mark = &journal->past.mark;
	int64_t before_ns, after_ns, ns;

	if (!journal->past.has_mark || journal_same_boot(then, now) ||
	    !journal_same_boot(then, mark))
		return journal_elapsed(then, now);
	before_ns = journal_elapsed(then, mark);
	after_ns = journal_elapsed(mark, now);
	return __builtin_add_overflow(before_ns, after_ns, &ns) ? before_ns : ns;
}

/** Set the times so that neither is negative, whatever the clocks say, and no passed occurrence is
 * in the future. */
static void set_times(const struct journal *journal, const struct journal_run *run,
                      struct cue_playlist_restore *restore)
{
	struct journal_time now = journal_now(journal);
	int64_t elapsed_ns = time_since(journal, &run->start, &now);
	int64_t passed_ns = -1;

	if (journal->past.has_mark)
		passed_ns = journal_elapsed(&run->start, &journal->past.mark);
	if (run->passed_ns <= INT64_MAX && (int64_t)run->passed_ns > passed_ns)
		passed_ns = (int64_t)run->passed_ns;
	if (elapsed_ns < passed_ns)
		elapsed_ns = passed_ns;
	restore->elapsed_ns = elapsed_ns > 0 ? (uint64_t)elapsed_ns : 0;
	restore->passed_ns = passed_ns >= 0 ? (uint64_t)passed_ns : CUE_TIME_NONE;
}

/** The same for the time line of a steered run. */
static void set_line(const struct journal *journal, const struct journal_run *run,
                     struct cue_playlist_restore *restore)
{
	struct journal_time now = journal_now(journal);
	int64_t since_ns, passed_ns = -1;

	restore->line = run->line;
	if (!run->line.steered)
		return;
	since_ns = time_since(journal, &run->since, &now);
	if (journal->past.has_mark)
		passed_ns = journal_elapsed(&run->since, &journal->past.mark);
	if (since_ns < passed_ns)
		since_ns = passed_ns;
	restore->line.since_ns = since_ns > 0 ? (uint64_t)since_ns : 0;
	restore->passed_ns = passed_ns >= 0 ? (uint64_t)passed_ns : CUE_TIME_NONE;
}

static void forget(struct journal *journal, const char *prefix, const struct cue_id *id)
{
	char text[CUE_ID_TEXT_SIZE], key[OUTBOX_KEY_MAX + 1];

	cue_id_format(id, text);
	snprintf(key, sizeof(key), "%s%s", prefix, text);
	(void)outbox_journal_remove(journal->config.outbox, key);
}

/** Find the data that started the run; runs of one event share it. @return 0; -ENOMEM. */
static int find_data(struct journal *journal, const struct journal_run *run,
                     struct cue_playlist_restore *restore)
{
	struct journal_text *text = NULL;
	int r = 0;

	if (!run->has_data_note)
		return 0;
	text = journal_texts_find(&journal->past.datas, run->data_note);
	if (text && !text->payload)
		r = cue_payload_new(text->json, text->len, CUE_JSON_DEPTH_MAX, &text->payload,
		                    NULL);
	if (r == -ENOMEM)
		return r;
	restore->trigger_data = text ? text->payload : NULL;
	if (!restore->trigger_data)
		restore->trigger_omitted = CUE_OMITTED_LIMIT;
	return 0;
}

static int restore_on(struct journal *journal, const struct journal_run *run,
                      const struct cue_playlist_config *definition,
                      struct cue_playlist_version *version)
{
	struct cue_predicate_error error = { .path = "", .text = "" };
	struct cue_playlist_restore restore = {
		.run = run->id,
		.definition = definition,
		.version = version,
		.queued = run->queued,
		.skipped_count = run->skipped_count,
		.trigger_type = run->trigger_type,
		.trigger_producer_id = run->trigger_producer_id,
		.trigger_data = run->trigger_data,
		.trigger_omitted = run->trigger_omitted,
	};
	int r = find_data(journal, run, &restore);

	if (r < 0)
		return r;
	set_times(journal, run, &restore);
	set_line(journal, run, &restore);
	/* If occurrences are dropped in this boot, the note is written again. */
	forget(journal, JOURNAL_SKIP, &run->id);
	r = cue_playlist_restore(engine_playlists(journal->config.engine), &restore, &error);
	if (r < 0)
		log_write(journal->config.log, LOG_LEVEL_ERROR,
		          "a run of playlist '%s' can't be restored: %s%s%s", run->playlist,
		          error_text(r, "limits.event_types is reached"), *error.text ? ": " : "",
		          error.text);
	return r;
}

/** Stop a run whose definition is unusable; its `stopped` lacks everything that only the definition
 * has. */
static int abort_unusable(struct journal *journal, const struct journal_run *run, int why)
{
	const struct cue_step step = { .emit = "unknown" };
	const struct cue_playlist_config definition = {
		.name = run->playlist,
		.on_restart = CUE_ON_RESTART_ABORT,
		.steps = &step,
		.n_steps = 1,
	};
	struct journal_run bare = *run;

	if (why == -ENOSPC) {
		/* There may be no room for the trigger's type. */
		bare.trigger_type = NULL;
		bare.trigger_data = NULL;
		bare.has_data_note = false;
	}
	journal->stats.unknown++;
	log_write(journal->config.log, LOG_LEVEL_ERROR, "a run of playlist '%s' is aborted: %s",
	          run->playlist,
	          why == -ENOSPC  ? "its event types exceed limits.event_types"
	          : why == -EPERM ? "its definition is not in the configuration, and emits what "
	                            "mqtt.remote does not allow"
	                          : "its definition can't be read from the run journal");
	return restore_on(journal, &bare, &definition, NULL);
}

/**
 * Whether a run may continue with a definition that is no longer in force. A definition whose name
 * is not in the configuration may have been made by command: it may do no more than mqtt.remote
 * currently allows, like stored definitions.
 */
static bool may_go_on(const struct journal *journal, const struct cue_playlist_config *def)
{
	const struct config *config = engine_get_config(journal->config.engine);

	if (config_has_playlist(config, def->name))
		return true;
	for (size_t i = 0; i < def->n_steps; i++) {
		if (config_remote_type_fault(config, def->steps[i].emit))
			return false;
	}
	return !def->completion || !config_remote_type_fault(config, def->completion);
}

/** @return as cue_playlist_restore(); -EINVAL also if there is no definition; -EPERM the run may
 *         not continue. */
static int restore_defined(struct journal *journal, const struct journal_run *run)
{
	const struct journal_text *text =
	        journal_texts_find(&journal->past.definitions, run->definition);
	struct cue_playlist_version *version;
	struct config_playlist *playlist;
	struct diag diag = { 0 };
	int r;

	if (!text)
		return -EINVAL;
	version = cue_playlists_know(engine_playlists(journal->config.engine), run->playlist,
	                             text->json, text->len);
	if (version)
		return restore_on(journal, run, NULL, version);
	r = config_playlist_parse(run->playlist, text->json, text->len, &diag, &playlist);
	diag_clear(&diag);
	if (r < 0)
		return r;
	r = may_go_on(journal, &playlist->def) ? restore_on(journal, run, &playlist->def, NULL)
	                                       : -EPERM;
	config_playlist_free(playlist);
	return r;
}

/*
 *   restoring returns  | then
 *   0                  | done
 *   -EEXIST            | forgotten: there is one with its id
 *   -EINVAL, -ENOSPC,  | cancelled without its definition; where not even that can be told,
 *   -EPERM             | forgotten
 *   -ENOMEM, -ENOBUFS  | left for the next start
 */
static int restore_run(struct journal *journal, const struct journal_run *run)
{
	int r = restore_defined(journal, run);

	if (r == -EINVAL || r == -ENOSPC || r == -EPERM)
		r = abort_unusable(journal, run, r);
	if (r != -EINVAL && r != -EEXIST && r != -ENOSPC)
		return r;
	log_write(journal->config.log, LOG_LEVEL_ERROR, "a run of playlist '%s' is dropped: %s",
	          run->playlist, strerrordesc_np(-r));
	forget(journal, JOURNAL_RUN, &run->id);
	return 0;
}

/** Log that the clock went back: the downtime is unknown, so the runs continue where they were. */
static void tell_clock_went_back(const struct journal *journal)
{
	struct journal_time now = journal_now(journal);
	const struct journal_time *mark = &journal->past.mark;
	int64_t since_ns;

	if (journal->past.n_runs == 0 || !journal->past.has_mark || journal_same_boot(mark, &now))
		return;
	since_ns = journal_elapsed(mark, &now);
	if (since_ns < 0)
		log_write(journal->config.log, LOG_LEVEL_WARNING,
		          "the system's clock is %.3f s behind the last time in the run journal: "
		          "runs continue as if no time had passed since",
		          -(double)since_ns / (double)CUE_NS_PER_S);
}

int journal_restore(struct journal *journal)
{
	struct cue_playlists *playlists = engine_playlists(journal->config.engine);
	struct cue_playlists_stats before, after;
	int ret = 0;

	if (journal->late)
		return 0;
	cue_playlists_get_stats(playlists, &before);
	tell_clock_went_back(journal);
	for (size_t i = 0; i < journal->past.n_runs; i++) {
		int r = restore_run(journal, &journal->past.runs[i]);

		if (r < 0)
			ret = r;
	}
	if (ret == 0) { /* notes in use are written again */
		journal_texts_forget(journal, JOURNAL_DEFINITION, &journal->past.definitions);
		journal_texts_forget(journal, JOURNAL_DATA, &journal->past.datas);
	}
	cue_playlists_get_stats(playlists, &after);
	if (journal->past.n_runs > 0)
		log_write(journal->config.log, LOG_LEVEL_NOTICE,
		          "%zu run%s of the previous life: %" PRIu64 " resumed, %" PRIu64
		          " aborted",
		          journal->past.n_runs, plural(journal->past.n_runs),
		          after.restored - before.restored, after.aborted - before.aborted);
	journal_past_clear(&journal->past);
	return ret;
}
