/* SPDX-License-Identifier: Apache-2.0 */
/* A hand on a running run: pause, resume, seek, tempo.
 *
 *             | running                     | paused              | waiting  | told by
 *   ----------+-----------------------------+---------------------+----------+--------------
 *   pause     | the position stands still   | nothing             | -EAGAIN  | paused
 *   resume    | nothing                     | goes on from there  | -EAGAIN  | resumed
 *   toggle    | as pause                    | as resume           | -EAGAIN  |
 *   seek      | goes on from the new one    | stands at the new   | -EAGAIN  | seeked
 *             |                             | one                 |          |
 *   tempo     | the rest comes faster or    | the same, once it   | -EAGAIN  | tempo_changed
 *             | slower; the same: nothing   | goes on             |          |
 *
 * Each gives the time line a new anchor at the present position (run_line.c). What is overdue at
 * that moment stays due; a seek counts what it leaps over, overdue occurrences included, as
 * skipped.
 *
 * The event that tells it counts in its cascade like any other. So playlists that steer each other
 * in a circle without delay are cut there, and a steering whose event the bus refuses does not
 * happen. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdlib.h>

static bool is_nothing(const struct run_line *line, const struct cue_steer *steer)
{
	switch (steer->action) {
	case CUE_STEER_PAUSE:
		return line->paused;
	case CUE_STEER_RESUME:
		return !line->paused;
	case CUE_STEER_TEMPO:
		return line->tempo == steer->tempo;
	case CUE_STEER_TOGGLE:
	case CUE_STEER_SEEK:
		return false;
	}
	return true; /* not reached: the switch is exhaustive */
}

int cue_run_check_steer(const struct run *run, const struct cue_steer *steer)
{
	switch (steer->action) {
	case CUE_STEER_TEMPO:
		if (steer->tempo < CUE_TEMPO_MIN || steer->tempo > CUE_TEMPO_MAX)
			return -ERANGE;
		return cue_playlist_check_tempo(run->set, run->def, steer->tempo);
	case CUE_STEER_SEEK:
		return steer->offset_ns > run->def->expected_duration_ns ? -ERANGE : 0;
	case CUE_STEER_PAUSE:
	case CUE_STEER_RESUME:
	case CUE_STEER_TOGGLE:
		return 0;
	}
	return -EINVAL; /* not reached: the switch is exhaustive */
}

static void seek(struct run *run, struct run_line *line, uint64_t offset_ns)
{
	struct cue_playlists *set = run->set;
	uint64_t skipped = cue_run_steps_count(&run->steps, run->def, offset_ns);

	cue_run_steps_seek(&run->steps, run->def, offset_ns);
	run->skipped_count += skipped;
	set->stats.steps_skipped += skipped;
	if (skipped > 0 && set->observer.skipped)
		set->observer.skipped(set->observer.user, &run->id, run->skipped_count);
	line->at = (struct run_position){ .at_ns = offset_ns };
	line->skipped_count = run->skipped_count;
	line->pending_ns = offset_ns;
}

static int tell(const struct run *run, const struct run_line *line, const struct cue_steer *steer)
{
	struct run_steered steered = {
		.from_ns = line->at.at_ns,
		.tempo_before = line->tempo,
	};

	switch (steer->action) {
	case CUE_STEER_PAUSE:
		return cue_lifecycle_paused(run, &steered);
	case CUE_STEER_RESUME:
		return cue_lifecycle_resumed(run, &steered);
	case CUE_STEER_TOGGLE:
		return line->paused ? cue_lifecycle_resumed(run, &steered)
		                    : cue_lifecycle_paused(run, &steered);
	case CUE_STEER_SEEK:
		steered.to_ns = steer->offset_ns;
		steered.skipped = cue_run_steps_count(&run->steps, run->def, steer->offset_ns);
		return cue_lifecycle_seeked(run, &steered);
	case CUE_STEER_TEMPO:
		steered.tempo = steer->tempo;
		return cue_lifecycle_tempo_changed(run, &steered);
	}
	return -EINVAL; /* not reached: the switch is exhaustive */
}

static void change(struct run *run, struct run_line *line, const struct cue_steer *steer)
{
	switch (steer->action) {
	case CUE_STEER_PAUSE:
		line->paused = true;
		break;
	case CUE_STEER_RESUME:
		line->paused = false;
		break;
	case CUE_STEER_TOGGLE:
		line->paused = !line->paused;
		break;
	case CUE_STEER_SEEK:
		seek(run, line, steer->offset_ns);
		break;
	case CUE_STEER_TEMPO:
		line->tempo = steer->tempo;
		break;
	}
}

void cue_run_count_paused(const struct run *run, int by)
{
	if (run->line && run->line->paused)
		run->set->stats.paused_runs += (uint32_t)by;
}

int cue_run_steer_one(struct run *run, const struct cue_steer *steer)
{
	struct cue_bus *bus = run->set->bus;
	struct run_line line = cue_run_line_now(run);
	struct run_line *place = run->line;
	int r;

	if (run->phase != RUN_RUNNING)
		return -EAGAIN;
	r = cue_run_check_steer(run, steer);
	if (r < 0)
		return r;
	if (is_nothing(&line, steer))
		return 0;
	if (!place)
		place = calloc(1, sizeof(*place));
	if (!place)
		return -ENOMEM;
	r = tell(run, &line, steer);
	if (r < 0) {
		if (!run->line)
			free(place);
		return r;
	}
	change(run, &line, steer);
	cue_run_count_paused(run, -1);
	*place = line;
	run->line = place;
	cue_run_count_paused(run, 1);
	/* What comes without delay is part of this cascade. */
	cue_bus_current_cause(bus, &(uint64_t){ 0 }, &run->depth);
	cue_cascade_unref(run->cascade);
	run->cascade = NULL;
	(void)cue_cascade_current(bus, &run->cascade);
	cue_cascade_ref(run->cascade);
	cue_run_arm(run);
	run->set->stats.steered++;
	cue_run_observe_active(run);
	return 1;
}
