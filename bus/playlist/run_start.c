/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a run: whether mode and limits admit it, and what has to end for it. */
#include "playlist_internal.h"

#include <errno.h>
#include <stdio.h>

#define ID_ATTEMPTS 8

static int pick_id(struct cue_playlists *set, struct cue_id *ret_id)
{
	for (int i = 0; i < ID_ATTEMPTS; i++) {
		int r = cue_bus_random(set->bus, ret_id->bytes, sizeof(ret_id->bytes));

		if (r < 0)
			return r;
		if (!cue_run_table_find(&set->table, ret_id))
			return 0;
	}
	return -EIO; /* a source that repeats itself is not random */
}

static int reject(const struct playlist_def *def, const struct run_request *request,
                  const char *reason, const char *detail, int error)
{
	struct cue_playlists *set = def->playlist->set;
	struct cue_id id;
	int r = pick_id(set, &id);

	if (r < 0)
		return r;
	set->stats.rejected++;
	/* If the bus refuses the event, it reports that itself. */
	(void)cue_lifecycle_rejected(def, &id, request, reason, detail);
	return error;
}

/** @return 0 if mode and limits allow one more run, else the error to return. */
static int admit(const struct playlist *playlist, const struct run_request *request)
{
	const struct playlist_def *def = playlist->def;
	const struct cue_playlists *set = playlist->set;
	uint32_t limit = cue_bus_limits(set->bus)->active_runs;
	size_t n_staying = set->table.n;
	char detail[96];

	switch (def->mode) {
	case CUE_MODE_SINGLE:
		if (playlist->n_runs > 0)
			return reject(def, request, "busy",
			              "a run is active and the mode is single", -EBUSY);
		break;
	case CUE_MODE_RESTART:
		n_staying -= playlist->n_runs;
		break;
	case CUE_MODE_PARALLEL:
	case CUE_MODE_QUEUED:
		if (playlist->n_runs < def->max_runs)
			break;
		if (def->max_runs == 1)
			snprintf(detail, sizeof(detail),
			         "the 1 run that max_runs allows is active");
		else
			snprintf(detail, sizeof(detail), "all %u runs that max_runs allows are %s",
			         def->max_runs,
			         def->mode == CUE_MODE_QUEUED ? "active or waiting" : "active");
		return reject(def, request, "max_runs", detail, -EBUSY);
	}
	if (n_staying < limit)
		return 0;
	snprintf(detail, sizeof(detail), "%u %s active, the limit of this gateway", limit,
	         limit == 1 ? "run is" : "runs are");
	return reject(def, request, "active_runs", detail, -ENOSPC);
}

/** Let the bus cut, count and report a start that comes too deep in a cascade, before anything
 * changes. */
static int check_depth(struct cue_bus *bus)
{
	uint64_t cause_seq;
	unsigned depth;

	cue_bus_current_cause(bus, &cause_seq, &depth);
	if (depth <= cue_bus_limits(bus)->cascade_depth)
		return 0;
	(void)cue_bus_emit_caused(
	        bus,
	        &(struct cue_emit){ .type = "event.playlist.created", .time_ns = CUE_TIME_NONE },
	        cause_seq, depth, NULL);
	return -ELOOP;
}

static void cancel_for_restart(struct playlist *playlist, struct ended_list *ended)
{
	struct run_end end = { .reason = CUE_STOP_CANCELLED, .detail = "restart" };

	cue_bus_current_cause(playlist->set->bus, &end.cause_seq, &end.depth);
	while (playlist->runs.first)
		cue_run_detach(playlist->runs.first, &end, ended);
}

static int start(struct playlist *playlist, const struct run_request *request,
                 struct cue_id *ret_id, struct ended_list *ended)
{
	struct cue_playlists *set = playlist->set;
	struct ended_list unborn = { 0 };
	struct cue_id id;
	struct run *run;
	bool waits;
	int r;

	r = check_depth(set->bus);
	if (r >= 0)
		r = admit(playlist, request);
	if (r >= 0)
		r = pick_id(set, &id);
	if (r >= 0)
		r = cue_run_new(set, playlist->def, request, &run);
	if (r < 0)
		return r;
	if (playlist->def->mode == CUE_MODE_RESTART)
		cancel_for_restart(playlist, ended);
	waits = playlist->def->mode == CUE_MODE_QUEUED && playlist->n_runs > 0;
	cue_run_enlist(run, &id);
	cue_run_tell_ended(set, ended);
	r = waits ? 0 : cue_run_begin(run);
	if (r < 0) {
		cue_run_detach(run, &(struct run_end){ 0 }, &unborn);
		cue_run_free(run);
		return r;
	}
	if (waits)
		cue_run_become_active(run);
	*ret_id = id;
	return 0;
}

int cue_run_start(struct playlist *playlist, const struct run_request *request,
                  struct cue_id *ret_id)
{
	struct cue_bus *bus = playlist->set->bus;
	struct run_request quoted = *request;
	struct ended_list ended = { 0 };
	int r;

	quoted.trigger = cue_lifecycle_quote(bus, &request->trigger);
	cue_bus_begin(bus);
	r = start(playlist, &quoted, ret_id, &ended);
	cue_run_finish_ended(&ended);
	cue_bus_end(bus);
	cue_payload_unref(quoted.trigger.data);
	return r;
}
