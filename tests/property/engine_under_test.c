/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_under_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 20000 }; /* many times what the model allows */

struct eut;

struct eut_ref {
	struct eut *eut;
	int index;
};

struct eut {
	const struct scenario *sc;
	struct sc_log *log;
	struct cue_bus *bus;
	struct cue_playlists *playlists;
	struct invariants inv;
	uint64_t random, start_ns, clock_ns;
	uint32_t budget; /* 0: the bus does not defer */
	int hook_times[SC_HOOKS];
	struct eut_ref hooks[SC_HOOKS], joins[SC_OPS];
	int joins_open;
};

static int random_bytes(void *user, void *buf, size_t len)
{
	struct eut *e = user;
	unsigned char *bytes = buf;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)sc_random(&e->random);
	return 0;
}

static uint64_t read_clock(void *user)
{
	return ((struct eut *)user)->clock_ns;
}

/* ---- the log ---- */

static const char *text_of(const cJSON *json, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

	return text ? text : "null";
}

static long long number_of(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	return item ? (long long)cJSON_GetNumberValue(item) : 0;
}

/** Seconds in ns. */
static long long ns_of(const cJSON *json, const char *key)
{
	return (long long)(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, key)) * 1e9 +
	                   0.5);
}

static void log_lifecycle(struct eut *e, long long time, const char *kind, const cJSON *json)
{
	int run = invariants_run(&e->inv, text_of(json, "playlist_id"));
	const char *name = text_of(json, "playlist_name");

	if (strcmp(kind, "created") == 0) {
		sc_log_line(e->log, "%lld created R%d %s %s", time, run, name,
		            text_of(json, "cause"));
	} else if (strcmp(kind, "emitted") == 0) {
		char *data = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(json, "data"));
		sc_log_line(e->log,
		            "%lld emitted R%d %s %lld.%lld %s #%lld %s offset %lld late %lld", time,
		            run, name, number_of(json, "step_index"),
		            number_of(json, "repeat_index"), text_of(json, "event_type"),
		            number_of(json, "producer_id"), data, ns_of(json, "offset"),
		            number_of(json, "late_us"));
		cJSON_free(data);
	} else if (strcmp(kind, "stopped") == 0) {
		const cJSON *by = cJSON_GetObjectItemCaseSensitive(json, "interrupt_event");

		sc_log_line(e->log, "%lld stopped R%d %s %s %s %lld skipped %lld by %s", time, run,
		            name, text_of(json, "reason"), text_of(json, "detail"),
		            number_of(json, "emitted_count"), number_of(json, "skipped_count"),
		            by ? text_of(by, "event_type") : "-");
	} else if (strcmp(kind, "seeked") == 0) {
		sc_log_line(e->log, "%lld seeked R%d at %lld from %lld skipped %lld", time, run,
		            ns_of(json, "offset"), ns_of(json, "from"),
		            number_of(json, "skipped_count"));
	} else if (cJSON_HasObjectItem(json, "offset")) {
		sc_log_line(e->log, "%lld %s R%d at %lld", time, kind, run, ns_of(json, "offset"));
	} else {
		sc_log_line(e->log, "%lld %s R%d %s %s %s", time, kind, run, name,
		            text_of(json, "reason"), text_of(json, "cause"));
	}
}

/** An endless loop of events must fail the test, not hang it. */
static void give_up(const struct eut *e)
{
	fprintf(stderr, "FAILED: seed %llu: %u events and no end\n",
	        (unsigned long long)e->sc->seed, e->log->lines);
	scenario_print(e->sc, stderr);
	exit(1);
}

static int record(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct eut *e = user;
	const char *type = cue_event_type_name(event);
	const char *bytes = cue_payload_bytes(event->payload, NULL);
	long long time = (long long)(event->time_ns - e->start_ns);
	const cJSON *json = cue_payload_json(event->payload);

	(void)bus;
	if (e->log->lines > EVENTS_MAX)
		give_up(e);
	if (strncmp(type, "event.playlist.", 15) == 0)
		log_lifecycle(e, time, type + 15, json);
	else if (cJSON_HasObjectItem(json, "playlist_id"))
		sc_log_line(e->log, "%lld %s #%u of R%d", time, type, event->producer_id,
		            invariants_run(&e->inv, text_of(json, "playlist_id")));
	else
		sc_log_line(e->log, "%lld %s #%u %s", time, type, event->producer_id, bytes);
	invariants_see(&e->inv, event, json);
	return 0;
}

/* ---- ops ---- */

static struct cue_payload *payload_of(int v)
{
	struct cue_payload *payload;
	char text[32];

	if (v < 0)
		return NULL;
	snprintf(text, sizeof(text), "{\"v\":%d}", v);
	if (cue_payload_new(text, strlen(text), 0, &payload, NULL) < 0)
		abort();
	return payload;
}

static cJSON *match_of(const struct sc_filter *filter)
{
	char text[48];

	if (filter->compare == SC_ANY)
		return NULL;
	snprintf(text, sizeof(text),
	         filter->compare == SC_EQUAL ? "{\"v\":%d}" : "{\"v\":{\"ge\":%d}}", filter->v);
	return cJSON_Parse(text);
}

static struct cue_steering steering_of(const struct sc_steering *from)
{
	static const enum cue_steer_action actions[] = { CUE_STEER_PAUSE, CUE_STEER_RESUME,
		                                         CUE_STEER_SEEK, CUE_STEER_TEMPO };
	enum cue_steer_action action = actions[from->kind - SC_PAUSE];
	bool pointed = from->pointed && action >= CUE_STEER_SEEK;

	return (struct cue_steering){
		.event = sc_types[from->type],
		.steer = { .action = action,
		           .offset_ns = (uint64_t)from->seek,
		           .tempo = (uint32_t)from->tempo },
		.pointer = pointed ? "/v" : NULL,
	};
}

static void define(struct eut *e, const struct sc_def *def)
{
	struct cue_steering steerings[SC_STEERINGS];
	cJSON *matches[2 * SC_FILTERS] = { NULL };
	struct cue_filter filters[2 * SC_FILTERS];
	struct cue_step steps[SC_STEPS];
	struct cue_payload *metadata = def->metadata ? payload_of(def->playlist) : NULL;
	char name[8];
	struct cue_playlist_config config = {
		.name = name,
		.triggers = filters,
		.n_triggers = (size_t)def->n_triggers,
		.interrupts = filters + SC_FILTERS,
		.n_interrupts = (size_t)def->n_interrupts,
		.steerings = steerings,
		.n_steerings = (size_t)def->n_steerings,
		.completion = def->completion < 0 ? NULL : sc_types[def->completion],
		.metadata = metadata,
		.mode = (enum cue_playlist_mode)def->mode,
		.max_runs = (uint32_t)def->max_runs,
		.late = def->skip ? CUE_LATE_SKIP : CUE_LATE_BURST,
		.interrupt_debounce_ns = (uint64_t)def->debounce,
		.steps = steps,
		.n_steps = (size_t)def->n_steps,
	};

	snprintf(name, sizeof(name), "p%d", def->playlist);
	for (int i = 0; i < def->n_steerings; i++)
		steerings[i] = steering_of(&def->steerings[i]);
	for (int i = 0; i < 2 * SC_FILTERS; i++) {
		const struct sc_filter *filter =
		        i < SC_FILTERS ? &def->triggers[i] : &def->interrupts[i - SC_FILTERS];

		matches[i] = match_of(filter);
		filters[i] =
		        (struct cue_filter){ .type = sc_types[filter->type], .match = matches[i] };
	}
	for (int i = 0; i < SC_STEPS; i++) {
		const struct sc_step *step = &def->steps[i];

		steps[i] = (struct cue_step){
			.emit = sc_types[step->type],
			.data = payload_of(step->v),
			.offset_ns = (uint64_t)step->offset,
			.interval_ns = (uint64_t)step->interval,
			.repeat = (uint32_t)step->repeat,
			.producer_id = step->producer,
		};
	}
	if (cue_playlist_define(e->playlists, &config, NULL, NULL) < 0)
		invariants_fail(&e->inv, "a definition was refused", 0);
	for (int i = 0; i < SC_STEPS; i++)
		cue_payload_unref(steps[i].data);
	for (int i = 0; i < 2 * SC_FILTERS; i++)
		cJSON_Delete(matches[i]);
	cue_payload_unref(metadata);
}

struct picked {
	unsigned left;
	struct cue_id id;
};

static int count_run(void *user, const struct cue_run_info *info)
{
	(void)info;
	++*(unsigned *)user;
	return 0;
}

static int pick_run(void *user, const struct cue_run_info *info)
{
	struct picked *picked = user;

	picked->id = info->run;
	return picked->left-- == 0;
}

static void stop_picked(struct eut *e, unsigned pick)
{
	struct picked picked;
	unsigned n = 0;

	cue_run_foreach(e->playlists, NULL, count_run, &n);
	if (n == 0)
		return;
	picked.left = pick % n;
	if (cue_run_foreach(e->playlists, NULL, pick_run, &picked) != 1 ||
	    cue_run_stop(e->playlists, &picked.id, "picked") != 0)
		invariants_fail(&e->inv, "a listed run can't be stopped", 0);
}

static void do_op(struct eut *e, int index);

static void joined(void *user, const struct cue_run_result *result)
{
	struct eut_ref *ref = user;

	(void)result;
	ref->eut->joins_open--;
	do_op(ref->eut, ref->index);
}

static void start(struct eut *e, const struct sc_op *op, const char *name)
{
	struct cue_playlist_start start = {
		.name = name,
		.cause = op->gesture ? CUE_CAUSE_GESTURE : CUE_CAUSE_COMMAND,
	};

	if (op->join >= 0) {
		start.on_stopped = joined;
		start.user = &e->joins[op->join];
		e->joins_open++;
	}
	if (cue_playlist_start(e->playlists, &start, NULL) < 0 && op->join >= 0)
		e->joins_open--;
}

static void steer(struct eut *e, const char *name, struct cue_steer steer)
{
	(void)cue_playlist_steer(e->playlists, name, &steer, NULL, NULL);
}

static void do_op(struct eut *e, int index)
{
	const struct sc_op *op = &e->sc->ops[index];
	struct cue_emit emit = { .type = sc_types[op->type],
		                 .producer_id = op->producer,
		                 .time_ns = CUE_TIME_NONE };
	char name[16];

	snprintf(name, sizeof(name), "p%d", op->playlist);
	switch (op->kind) {
	case SC_EMIT:
		emit.payload = payload_of(op->v);
		cue_bus_emit(e->bus, &emit, NULL);
		cue_payload_unref(emit.payload);
		break;
	case SC_START:
		start(e, op, name);
		break;
	case SC_STOP:
		cue_playlist_stop(e->playlists, name, "command", NULL, NULL);
		break;
	case SC_STOP_ALL:
		cue_playlist_stop(e->playlists, NULL, "command", NULL, NULL);
		break;
	case SC_STOP_RUN:
		stop_picked(e, op->pick);
		break;
	case SC_DEFINE:
		define(e, &e->sc->defs[op->def]);
		break;
	case SC_REMOVE:
		cue_playlist_remove(e->playlists, name, NULL);
		break;
	case SC_PAUSE:
		steer(e, name, (struct cue_steer){ .action = CUE_STEER_PAUSE });
		break;
	case SC_RESUME:
		steer(e, op->all ? NULL : name, (struct cue_steer){ .action = CUE_STEER_RESUME });
		break;
	case SC_SEEK:
		steer(e, name,
		      (struct cue_steer){ .action = CUE_STEER_SEEK,
		                          .offset_ns = (uint64_t)op->seek });
		break;
	case SC_TEMPO:
		steer(e, name,
		      (struct cue_steer){ .action = CUE_STEER_TEMPO,
		                          .tempo = (uint32_t)op->tempo });
		break;
	}
}

static int on_hook(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct eut_ref *ref = user;

	(void)bus;
	(void)event;
	if (ref->eut->hook_times[ref->index]-- > 0)
		do_op(ref->eut, ref->eut->sc->hooks[ref->index].op);
	return 0;
}

/* ---- the course of things ---- */

static void subscribe(struct eut *e, const char *type, int priority, cue_handler handler,
                      void *user)
{
	struct cue_subscription *subscription;
	struct cue_subscription_config config = {
		.type = type, .priority = priority, .handler = handler, .user = user
	};

	if (cue_bus_subscribe(e->bus, &config, &subscription) < 0)
		abort();
}

static void set_up(struct eut *e)
{
	static const int levels[] = { CUE_PRIORITY_INTERRUPT + 500, CUE_PRIORITY_INTERRUPT - 500,
		                      CUE_PRIORITY_TRIGGER - 500 };
	struct cue_bus_config config = {
		.gateway_id = "property",
		.start_ns = e->start_ns,
		.random = random_bytes,
		.clock_ns = e->sc->late ? read_clock : NULL,
		.user = e,
		.limits = { .cascade_depth = (uint32_t)e->sc->cascade_depth,
		            .active_runs = (uint32_t)e->sc->active_runs },
	};

	if (cue_bus_new(&config, &e->bus) < 0 || cue_playlists_new(e->bus, &e->playlists) < 0)
		abort();
	/* The model has no limit of the rate: all generated steps must be accepted. */
	cue_playlists_set_limits(e->playlists,
	                         &(struct cue_playlist_limits){ .events_per_second = UINT32_MAX,
	                                                        .shortest_interval_ns = 1 });
	subscribe(e, "*", CUE_PRIORITY_BRIDGE, record, e);
	for (int i = 0; i < e->sc->n_hooks; i++) {
		e->hook_times[i] = e->sc->hooks[i].times;
		e->hooks[i] = (struct eut_ref){ e, i };
		subscribe(e, sc_types[e->sc->hooks[i].type], levels[e->sc->hooks[i].level], on_hook,
		          &e->hooks[i]);
	}
	for (int i = 0; i < SC_OPS; i++)
		e->joins[i] = (struct eut_ref){ e, i };
}

/** In portions if the bus defers. */
static void pass_time(struct eut *e, uint64_t now_ns, bool before)
{
	int r;

	do {
		struct cue_budget budget = { .steps = e->budget ? e->budget : UINT32_MAX };

		r = before ? cue_bus_advance_before_within(e->bus, now_ns, &budget)
		           : cue_bus_advance_within(e->bus, now_ns, &budget);
	} while (r == -EAGAIN);
}

static void do_from_outside(struct eut *e, int op)
{
	int r;

	do_op(e, op);
	do {
		struct cue_budget budget = { .steps = e->budget ? e->budget : UINT32_MAX };

		r = cue_bus_dispatch(e->bus, &budget);
	} while (r == -EAGAIN);
}

static void advance(struct eut *e, int64_t target, int64_t clock, uint64_t step_ns, bool before)
{
	uint64_t target_ns = e->start_ns + (uint64_t)target;

	while (step_ns > 0 && cue_bus_now(e->bus) + step_ns < target_ns)
		pass_time(e, cue_bus_now(e->bus) + step_ns, false);
	e->clock_ns = e->start_ns + (uint64_t)(clock > 0 ? clock : 0);
	pass_time(e, target_ns, before);
}

void engine_play(const struct scenario *scenario, uint64_t start_ns, uint64_t step_ns,
                 uint32_t budget, struct sc_log *log, char *ret_failure)
{
	struct eut *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->sc = scenario;
	e->log = log;
	e->start_ns = start_ns;
	e->random = scenario->seed;
	e->budget = budget;
	e->inv.previous_stopped = -1;
	set_up(e);
	cue_bus_defer(e->bus, budget > 0);
	for (int i = 0; i < scenario->n_top; i++) {
		const struct sc_op *op = &scenario->ops[i];

		advance(e, op->time, op->time + op->lag, step_ns, op->before);
		do_from_outside(e, i);
	}
	advance(e, scenario->end, scenario->end, step_ns, false);
	sc_log_line(log, "end");
	for (int i = 0; i < SC_LAST_ROUNDS * SC_PLAYLISTS; i++)
		do_from_outside(e, scenario->n_ops + i % SC_PLAYLISTS);
	invariants_finish(&e->inv, e->bus, e->playlists);
	if (e->joins_open != 0)
		invariants_fail(&e->inv, "on_stopped was not called exactly once", 0);
	memcpy(ret_failure, e->inv.failure, sizeof(e->inv.failure));
	cue_playlists_free(e->playlists);
	cue_bus_free(e->bus);
	free(e);
}
