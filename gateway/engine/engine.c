/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <cuebus/json.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "own_types.h"
#include "wake_buffers.h"

/* ---- callbacks of the bus ---- */

static int bus_random(void *user, void *buf, size_t len)
{
	struct engine *engine = user;

	return engine->config.random(engine->config.user, buf, len);
}

static uint64_t bus_clock(void *user)
{
	struct engine *engine = user;

	return engine->config.clock_ns(engine->config.user);
}

static void bus_report(void *user, const struct cue_report *report)
{
	engine_report(user, report);
}

static bool bus_is_numbered(void *user, const char *type)
{
	struct engine *engine = user;

	return config_qos(&engine->config.config->mqtt, type) != CONFIG_QOS_OFF;
}

/* ---- retained views ---- */

/** Find the playlist of a lifecycle event. The payload may quote large data, so only the name is
 * parsed. */
static int on_lifecycle(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct cue_json_member member;
	cJSON *name;
	bool found;

	(void)bus;
	found = cue_json_first_member(cue_payload_bytes(event->payload, NULL), &member);
	while (found && !cue_json_key_is(&member, "playlist_name"))
		found = cue_json_next_member(&member);
	if (!found)
		return 0;
	name = cJSON_ParseWithLength(member.value.text, member.value.len);
	if (!name)
		return -ENOMEM;
	engine_playlist_changed(user, cJSON_GetStringValue(name));
	cJSON_Delete(name);
	return 0;
}

static int watch_playlists(struct engine *engine)
{
	static const char *const types[] = {
		"event.playlist.created",
		"event.playlist.stopped",
		"event.playlist.paused",
		"event.playlist.resumed",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct cue_subscription_config sub = {
			.type = types[i],
			.priority = CUE_PRIORITY_BRIDGE,
			.handler = on_lifecycle,
			.user = engine,
			.name = "retained playlists",
		};
		int r = cue_bus_subscribe(engine->bus, &sub, &engine->lifecycle[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- life ---- */

static int make_parts(struct engine *engine)
{
	const struct config *config = engine->config.config;
	struct cue_bus_config bus = {
		.gateway_id = config->gateway.id,
		.start_ns = engine->config.start_ns,
		.wall_offset_ns = engine->config.wall_offset_ns,
		.random = bus_random,
		.clock_ns = engine->config.clock_ns ? bus_clock : NULL,
		.is_numbered = bus_is_numbered,
		.report = bus_report,
		.user = engine,
		.limits = config->limits.bus,
	};
	int r;

	r = cue_bus_new(&bus, &engine->bus);
	if (r < 0)
		return r;
	engine->buffers = wake_buffers_new();
	if (!engine->buffers)
		return -ENOMEM;
	r = faults_new(engine, &engine->faults);
	if (r < 0)
		return r;
	r = own_types_intern(engine->bus);
	if (r < 0)
		return r;
	r = cue_playlists_new(engine->bus, &engine->playlists);
	if (r < 0)
		return r;
	cue_playlists_set_limits(engine->playlists, &config->limits.playlist);
	r = cue_gestures_new(engine->bus, engine->playlists, &engine->gestures);
	if (r < 0)
		return r;
	return engine->config.playlist_changed ? watch_playlists(engine) : 0;
}

int engine_new(const struct engine_config *config, struct engine **ret_engine)
{
	char error[ENGINE_ERROR_SIZE];
	struct engine *engine = calloc(1, sizeof(*engine));
	int r;

	if (!engine)
		return -ENOMEM;
	engine->config = *config;
	r = make_parts(engine);
	if (r >= 0)
		r = engine_define_all(engine, config->config, error);
	if (r < 0) {
		engine_free(engine);
		return r;
	}
	engine_tell_delays(engine, config->config);
	*ret_engine = engine;
	return 0;
}

struct engine *engine_free(struct engine *engine)
{
	if (!engine)
		return NULL;
	device_list_clear(&engine->outputs, &engine_output_kind);
	device_list_clear(&engine->inputs, &engine_input_kind);
	cue_gestures_free(engine->gestures);
	cue_playlists_free(engine->playlists);
	for (size_t i = 0; i < sizeof(engine->lifecycle) / sizeof(engine->lifecycle[0]); i++)
		cue_subscription_cancel(engine->lifecycle[i]);
	faults_free(engine->faults);
	wake_buffers_free(engine->buffers);
	cue_bus_free(engine->bus);
	free(engine);
	return NULL;
}

void engine_be_fair(struct engine *engine)
{
	engine->fair = true;
	cue_bus_defer(engine->bus, true);
}

struct cue_bus *engine_bus(struct engine *engine)
{
	return engine->bus;
}

struct cue_playlists *engine_playlists(struct engine *engine)
{
	return engine->playlists;
}

struct cue_gestures *engine_gestures(struct engine *engine)
{
	return engine->gestures;
}

const struct config *engine_get_config(const struct engine *engine)
{
	return engine->config.config;
}
