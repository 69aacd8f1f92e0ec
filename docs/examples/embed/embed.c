/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcuebus without the gateway: a double tap starts a playlist that blinks,
 * and a stop event interrupts it. Time is what the program says it is: here it
 * is made up, in a real program it is clock_gettime(CLOCK_MONOTONIC) and
 * cue_bus_next_deadline() says how long to sleep.
 *
 *     cc embed.c $(pkg-config --cflags --libs cuebus) -o embed && ./embed
 *
 * For a program that needs no libcuebus.so: --static, and -l:libcuebus.a for -lcuebus.
 */
#include <cuebus/cuebus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS CUE_NS_PER_MS

static int random_bytes(void *user, void *buf, size_t len)
{
	FILE *f = fopen("/dev/urandom", "rb");
	size_t n = f ? fread(buf, 1, len, f) : 0;

	(void)user;
	if (f)
		fclose(f);
	return n == len ? 0 : -1;
}

static int print_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	const char *type = cue_event_type_name(event);

	(void)user, (void)bus;
	/* Lifecycle payloads carry random ids; the names are enough here. */
	if (strncmp(type, "event.", 6) == 0)
		printf("%5.3f %s\n", (double)event->time_ns / 1e9, type);
	else
		printf("%5.3f %s %.24s\n", (double)event->time_ns / 1e9, type,
		       cue_payload_bytes(event->payload, NULL));
	return 0;
}

static void run_stopped(void *user, const struct cue_run_result *result)
{
	(void)user;
	printf("      joined: %llu steps emitted\n", (unsigned long long)result->emitted_count);
}

/* Start by hand what could as well be a gated playlist, to join the run. */
static int start_blinking(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct cue_playlist_start start = {
		.name = "blink",
		.cause = CUE_CAUSE_TRIGGER,
		.trigger_type = cue_event_type_name(event),
		.trigger_data = event->payload,
		.on_stopped = run_stopped,
	};

	(void)bus;
	return cue_playlist_start(user, &start, NULL);
}

static int define(struct cue_playlists *playlists, struct cue_gestures *gestures)
{
	struct cue_payload *on = NULL;
	struct cue_filter stop = { .type = "stop" };
	struct cue_step step = { .emit = "lamp.set", .repeat = 100, .interval_ns = 250 * MS };
	struct cue_playlist_config blink = { .name = "blink",
		                             .interrupts = &stop,
		                             .n_interrupts = 1,
		                             .steps = &step,
		                             .n_steps = 1 };
	struct cue_gesture_config tap = {
		.name = "double",
		.type = CUE_GESTURE_DOUBLE_TAP,
		.source = { .type = "button.press" },
		.window_ns = 500 * MS,
		.emit = "button.double_tap",
		.priority = CUE_PRIORITY_GESTURE,
	};
	struct cue_predicate_error error;
	int r;

	r = cue_payload_new("{\"on\":true}", 11, 0, &on, NULL);
	if (r < 0)
		return r;
	step.data = on;
	r = cue_playlist_define(playlists, &blink, NULL, &error);
	cue_payload_unref(on);
	if (r >= 0)
		r = cue_gesture_define(gestures, &tap, NULL, &error);
	if (r == -22)
		fprintf(stderr, "%s: %s\n", error.path, error.text);
	return r;
}

static void emit_at(struct cue_bus *bus, uint64_t time_ns, const char *type)
{
	struct cue_emit emit = { .type = type, .producer_id = 1, .time_ns = time_ns };

	cue_bus_advance_before(bus, time_ns); /* what was due before goes first */
	cue_bus_emit(bus, &emit, NULL);
	cue_bus_advance(bus, time_ns);
}

int main(void)
{
	struct cue_bus_config config = { .gateway_id = "embedded", .random = random_bytes };
	struct cue_bus *bus;
	struct cue_playlists *playlists;
	struct cue_gestures *gestures;
	struct cue_subscription *printer, *starter;

	if (cue_bus_new(&config, &bus) < 0 || cue_playlists_new(bus, &playlists) < 0 ||
	    cue_gestures_new(bus, playlists, &gestures) < 0)
		return EXIT_FAILURE;
	if (cue_bus_subscribe(bus,
	                      &(struct cue_subscription_config){ .type = "*",
	                                                         .priority = CUE_PRIORITY_BRIDGE,
	                                                         .handler = print_event },
	                      &printer) < 0 ||
	    cue_bus_subscribe(bus,
	                      &(struct cue_subscription_config){ .type = "button.double_tap",
	                                                         .handler = start_blinking,
	                                                         .user = playlists },
	                      &starter) < 0 ||
	    define(playlists, gestures) < 0)
		return EXIT_FAILURE;

	emit_at(bus, 100 * MS, "button.press");
	emit_at(bus, 400 * MS, "button.press");
	emit_at(bus, 1000 * MS, "stop");
	cue_bus_advance(bus, 60000 * MS); /* nothing is left to come */

	cue_subscription_cancel(starter);
	cue_subscription_cancel(printer);
	cue_gestures_free(gestures);
	cue_playlists_free(playlists);
	cue_bus_free(bus);
	return EXIT_SUCCESS;
}
