/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of a previous boot.
 *
 *   time line    start ........ passed ........... now ................ end
 *                |-- was emitted --|-- downtime ----|-- to come ---------|
 *   resume                         | by `late`      | as always
 *   skip                           | dropped        | as always
 *
 * The version on which a run started need not be the one in force. Then it gets its own version,
 * like a run whose playlist was redefined. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_version(const struct playlist_def *def, const char *name, const char *json,
                       size_t len)
{
	size_t def_len;
	const char *def_json = cue_payload_bytes(def->json, &def_len);

	return def_len == len && memcmp(def_json, json, len) == 0 && strcmp(def->name, name) == 0;
}

/** Runs come in the order in which they were started, so an old version is nearly always that of
 * the previous run. */
static struct playlist_def *known_version(const struct cue_playlists *set, const char *name,
                                          const char *json, size_t len)
{
	struct playlist *playlist = cue_playlist_find(set, name);
	struct playlist_def *last =
	        playlist && playlist->runs.last ? playlist->runs.last->def : NULL;

	if (playlist && is_version(playlist->def, name, json, len))
		return playlist->def;
	if (last && is_version(last, name, json, len))
		return last;
	if (set->restored && is_version(set->restored, name, json, len))
		return set->restored;
	return NULL;
}

struct cue_playlist_version *cue_playlists_know(struct cue_playlists *playlists, const char *name,
                                                const char *json, size_t len)
{
	return (struct cue_playlist_version *)known_version(playlists, name, json, len);
}

/** @param ret_def a reference; `playlist` is NULL if no playlist has that name. */
static int find_version(struct cue_playlists *set, const struct cue_playlist_restore *restore,
                        struct playlist_def **ret_def)
{
	struct playlist_def *def = (struct playlist_def *)restore->version, *known;
	const char *json;
	size_t len;
	int r;

	if (def) {
		*ret_def = cue_playlist_def_ref(def);
		return 0;
	}
	r = cue_playlist_def_new(set, restore->definition, &def);
	if (r < 0)
		return r;
	json = cue_payload_bytes(def->json, &len);
	known = known_version(set, def->name, json, len);
	if (known) {
		cue_playlist_def_unref(def);
		def = cue_playlist_def_ref(known);
	} else {
		def->playlist = cue_playlist_find(set, def->name);
	}
	cue_playlist_def_unref(set->restored);
	set->restored = cue_playlist_def_ref(def);
	*ret_def = def;
	return 0;
}

/** Why the run can't continue, or NULL. */
static const char *obstacle(const struct playlist_def *def, const struct cue_playlists *set)
{
	if (def->on_restart == CUE_ON_RESTART_ABORT)
		return "restart";
	if (!def->playlist)
		return "removed";
	if (set->table.n >= cue_bus_limits(set->bus)->active_runs)
		return "limit";
	return NULL;
}

/** Of a steered run, what is over: @return the position up to which everything is. */
static uint64_t over_ns(const struct run *run, const struct cue_playlist_restore *restore)
{
	const struct cue_run_line *line = &restore->line;
	uint64_t passed_ns;

	/* Nothing passes during a pause. */
	if (line->paused || restore->passed_ns == CUE_TIME_NONE)
		return line->pending_ns;
	passed_ns = cue_run_position(run, restore->passed_ns) + 1;
	return passed_ns > line->pending_ns ? passed_ns : line->pending_ns;
}

/** Continue the time line of a steered run. @return 0; -ENOMEM. */
static int restore_line(struct run *run, const struct cue_playlist_restore *restore)
{
	const struct cue_run_line *from = &restore->line;
	uint64_t over, n_over, emitted;
	struct run_line *line;

	if (!from->steered || restore->queued)
		return 0;
	run->line = line = calloc(1, sizeof(*line));
	if (!line)
		return -ENOMEM;
	/* First in time since the last steering, to find the positions of then and now. */
	*line = (struct run_line){ .at = { from->offset_ns, from->fraction },
		                   .tempo = from->tempo,
		                   .paused = from->paused };
	over = over_ns(run, restore);
	line->at = cue_run_exact_position(run, from->since_ns);
	line->since_ns = cue_bus_now(run->set->bus);
	run->restored_at_ns = line->at.at_ns;
	cue_run_steps_seek(&run->steps, run->def, over);
	n_over =
	        cue_run_steps_rank(run->def, over) - cue_run_steps_rank(run->def, from->pending_ns);
	run->skipped_count = restore->skipped_count;
	emitted = from->skipped_count + n_over;
	run->emitted_count =
	        from->emitted_count +
	        (emitted > restore->skipped_count ? emitted - restore->skipped_count : 0);
	*line = cue_run_line_now(run);
	return 0;
}

/** Skip the part of the time line that passed before this boot. */
static void pass(struct run *run, const struct cue_playlist_restore *restore)
{
	uint64_t passed = 0;

	run->restored_passed_ns = restore->queued ? CUE_TIME_NONE : restore->passed_ns;
	if (restore->queued || run->line)
		return;
	if (restore->passed_ns != CUE_TIME_NONE)
		passed = cue_run_steps_pass(&run->steps, run->def, restore->passed_ns);
	run->skipped_count = restore->skipped_count < passed ? restore->skipped_count : passed;
	run->emitted_count = passed - run->skipped_count;
}

/** Emit only `stopped`. */
static void abort_run(struct run *run, const struct cue_playlist_restore *restore,
                      const char *detail)
{
	struct ended_list ended = { 0 };

	run->id = restore->run;
	run->number = run->set->serial++;
	run->phase = RUN_ENDED;
	run->end = (struct run_end){ .reason = CUE_STOP_CANCELLED, .detail = detail };
	run->set->stats.aborted++;
	cue_run_push_ended(&ended, run);
	cue_run_end_all(run->set, &ended);
}

static void drop_downtime(struct run *run)
{
	/* an occurrence due right now is not overdue */
	uint64_t before_ns = run->restored_at_ns - 1;
	uint64_t n;

	if (run->restored_at_ns == 0)
		return;
	n = cue_run_steps_pass(&run->steps, run->def, before_ns);
	if (run->restored_passed_ns == CUE_TIME_NONE || run->restored_passed_ns < before_ns)
		run->restored_passed_ns = before_ns;
	run->skipped_count += n;
	run->set->stats.steps_skipped += n;
}

static int resume(struct run *run)
{
	struct occurrence next;
	uint64_t seq = 0;
	int r = cue_lifecycle_created(run, &seq);

	if (r < 0)
		return r;
	run->cause_seq = seq;
	run->phase = RUN_RUNNING;
	run->has_begun = true;
	run->def->playlist->n_running++;
	run->set->stats.started++;
	if (run->def->on_restart == CUE_ON_RESTART_SKIP)
		drop_downtime(run);
	cue_run_become_active(run);
	if (cue_run_steps_peek(&run->steps, run->def, &next))
		cue_run_arm(run);
	else
		cue_run_complete(run, seq, 0);
	return 0;
}

static int wait_again(struct run *run)
{
	if (run->def->playlist->n_running == 0)
		return cue_run_begin(run);
	cue_run_become_active(run);
	return 0;
}

static int go_on(struct run *run, const struct cue_playlist_restore *restore)
{
	struct cue_playlists *set = run->set;
	struct ended_list unborn = { 0 };
	int r;

	cue_run_enlist(run, &restore->run);
	cue_run_count_paused(run, 1);
	r = restore->queued ? wait_again(run) : resume(run);
	if (r < 0)
		cue_run_detach(run, &(struct run_end){ 0 }, &unborn);
	else
		set->stats.restored++; /* the run itself may have ended */
	return r;
}

static int restore_run(struct cue_playlists *set, struct playlist_def *def,
                       const struct cue_playlist_restore *restore,
                       const struct run_request *request)
{
	const char *detail = obstacle(def, set);
	struct run *run;
	int r = cue_run_new(set, def, request, &run);

	if (r < 0)
		return r;
	run->restored_at_ns = restore->queued ? 0 : restore->elapsed_ns;
	cue_run_steps_begin(&run->steps, cue_bus_now(set->bus), run->restored_at_ns);
	r = restore_line(run, restore);
	if (r < 0) {
		cue_run_free(run);
		return r;
	}
	pass(run, restore);
	if (detail) {
		abort_run(run, restore, detail);
		return 0;
	}
	r = go_on(run, restore);
	if (r < 0)
		cue_run_free(run);
	return r;
}

int cue_playlist_restore(struct cue_playlists *playlists,
                         const struct cue_playlist_restore *restore,
                         struct cue_predicate_error *ret_error)
{
	struct run_request request = {
		.cause = CUE_CAUSE_RESTORE,
		.trigger = { .producer_id = restore->trigger_producer_id,
		             .data = restore->trigger_data,
		             .omitted = restore->trigger_omitted },
	};
	struct playlist_def *def;
	const struct cue_run_line *line = &restore->line;
	int r = restore->version ? 0 : cue_playlist_check(restore->definition, ret_error);

	if (r < 0)
		return r;
	if (line->steered && (line->tempo < CUE_TEMPO_MIN || line->tempo > CUE_TEMPO_MAX ||
	                      line->fraction >= CUE_TEMPO_AS_WRITTEN))
		return -EINVAL;
	if (cue_run_table_find(&playlists->table, &restore->run))
		return -EEXIST;
	if (restore->trigger_type) {
		r = cue_bus_intern(playlists->bus, restore->trigger_type, &request.trigger.type);
		if (r < 0)
			return r;
	}
	r = find_version(playlists, restore, &def);
	if (r < 0)
		return r;
	cue_bus_begin(playlists->bus);
	r = restore_run(playlists, def, restore, &request);
	cue_bus_end(playlists->bus);
	cue_playlist_def_unref(def);
	return r;
}
