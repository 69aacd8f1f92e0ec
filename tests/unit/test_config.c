/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "config.h"
#include "config_fixture.h"

#include <cuebus/payload.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *bytes(const struct cue_payload *payload)
{
	return cue_payload_bytes(payload, NULL);
}

Test(config, defaults_are_those_of_the_design)
{
	struct loaded l = load("{\"gateway\":{\"id\":\"g\"}}");
	const struct config *c = l.config;

	cr_assert_eq(l.r, 0);
	cr_assert_str_eq(c->gateway.id, "g");
	cr_assert_null(c->gateway.state_dir);
	cr_assert_eq(c->gateway.health_interval_ns, 10 * CUE_NS_PER_S);
	cr_assert_eq(c->gateway.scheduler_slack_ns, 0);
	cr_assert_str_eq(c->mqtt.url, "mqtt://localhost:1883");
	cr_assert_str_eq(c->mqtt.topic_prefix, "cuebus");
	cr_assert_str_eq(c->mqtt.client_id, "cuebus-g");
	cr_assert_eq(c->mqtt.protocol, 5);
	cr_assert_eq(c->mqtt.keepalive_ns, 30 * CUE_NS_PER_S);
	cr_assert_not(c->mqtt.homeassistant);
	cr_assert_eq(c->limits.config_bytes, 4U * 1024 * 1024);
	cr_assert_eq(c->limits.payload_bytes, 64U * 1024);
	cr_assert_eq(c->limits.bus.json_depth, 32);
	cr_assert_eq(c->limits.bus.definitions, 10000);
	cr_assert_eq(c->limits.bus.active_runs, 100000);
	cr_assert_eq(c->limits.bus.state_entries, 65536);
	cr_assert_eq(c->limits.bus.cascade_depth, 32);
	cr_assert_eq(c->limits.commands_per_second, 1000);
	cr_assert_eq(c->limits.outbox_events, 1000000);
	cr_assert_eq(c->limits.outbox_bytes, 256ULL * 1024 * 1024);
	cr_assert_eq(c->limits.outbox_memory_bytes, 64ULL * 1024 * 1024);
	cr_assert_eq(c->limits.inbox_messages, 10000);
	cr_assert_eq(c->limits.bus.event_types, 65536);
	cr_assert_eq(c->limits.bus.queue_events, 65536);
	cr_assert_eq(c->limits.bus.gesture_producers, 1024);
	cr_assert_eq(c->n_inputs + c->n_gestures + c->n_playlists, 0);
	release(&l);
}

Test(config, inputs_are_read_whole)
{
	struct loaded l = load("{\"gateway\":{\"id\":\"g\"},\"inputs\":{"
	                       "\"b\":{\"driver\":\"gpio\",\"chip\":\"c\",\"line\":17,\"kind\":"
	                       "\"button\",\"bias\":\"pull-up\","
	                       "\"active\":\"low\",\"debounce\":\"20ms\",\"producer_id\":"
	                       "4294967295,\"event\":\"b.press\","
	                       "\"release_event\":\"b.release\",\"data\":{\"code\": \"up\"}},"
	                       "\"r\":{\"driver\":\"gpio\",\"lines\":[\"A\",\"B\"],\"kind\":"
	                       "\"rotary\",\"event\":\"r.turn\","
	                       "\"steps_per_detent\":2},"
	                       "\"f\":{\"driver\":\"replay\",\"file\":\"x.trace\",\"kind\":"
	                       "\"counter\",\"event\":\"f.count\"}}}");
	const struct config_input *b, *r, *f;

	cr_assert_eq(l.r, 0);
	cr_assert_eq(l.config->n_inputs, 3);
	b = &l.config->inputs[0];
	r = &l.config->inputs[1];
	f = &l.config->inputs[2];
	cr_assert_str_eq(b->name, "b");
	cr_assert_str_eq(b->driver, "gpio");
	cr_assert_str_eq(b->chip, "c");
	cr_assert_eq(b->n_lines, 1);
	cr_assert_str_eq(b->lines[0], "17");
	cr_assert_eq(b->bias, DRIVER_BIAS_PULL_UP);
	cr_assert(b->active_low);
	cr_assert_eq(b->decoder.kind, DECODER_BUTTON);
	cr_assert_eq(b->decoder.debounce_ns, 20 * CUE_NS_PER_MS);
	cr_assert_eq(b->producer_id, UINT32_MAX);
	cr_assert_str_eq(b->event, "b.press");
	cr_assert_str_eq(b->release_event, "b.release");
	cr_assert_str_eq(bytes(b->data), "{\"code\":\"up\"}");
	cr_assert_eq(r->decoder.kind, DECODER_ROTARY);
	cr_assert_eq(r->decoder.steps_per_detent, 2);
	cr_assert_eq(r->n_lines, 2);
	cr_assert_str_eq(r->lines[1], "B");
	cr_assert_eq(r->bias, DRIVER_BIAS_AS_IS);
	cr_assert_not(r->active_low);
	cr_assert_null(r->data);
	cr_assert_str_eq(f->file, "x.trace");
	cr_assert_eq(f->decoder.kind, DECODER_COUNTER);
	cr_assert_eq(f->decoder.steps_per_detent, 4);
	release(&l);
}

Test(config, outputs_are_read_whole)
{
	struct loaded l = load("{\"gateway\":{\"id\":\"g\"},\"outputs\":{"
	                       "\"a\":{\"driver\":\"gpio\",\"chip\":\"c\",\"line\":22,"
	                       "\"active\":\"low\",\"on_event\":\"lamp.set\","
	                       "\"value\":\"/on\",\"safe_value\":1},"
	                       "\"x-no\":{},"
	                       "\"b\":{\"driver\":\"gpio\",\"line\":\"GPIO5\","
	                       "\"on_event\":\"lamp.set\",\"map\":{\"ON\":true,\"OFF\":0}},"
	                       "\"c\":{\"driver\":\"sim\",\"on_event\":\"lamp.set\"}}}");
	const struct config_output *a, *b, *c;

	cr_assert_eq(l.r, 0);
	cr_assert_eq(l.config->n_outputs, 3);
	a = &l.config->outputs[0];
	b = &l.config->outputs[1];
	c = &l.config->outputs[2];
	cr_assert_str_eq(a->name, "a");
	cr_assert_str_eq(a->driver, "gpio");
	cr_assert_str_eq(a->chip, "c");
	cr_assert_str_eq(a->line, "22");
	cr_assert(a->active_low);
	cr_assert_str_eq(a->on_event, "lamp.set");
	cr_assert_str_eq(a->value, "/on");
	cr_assert_eq(a->safe_value, 1);
	cr_assert_str_eq(b->name, "b");
	cr_assert_null(b->chip);
	cr_assert_str_eq(b->line, "GPIO5");
	cr_assert_not(b->active_low);
	cr_assert_str_eq(b->value, "");
	cr_assert_eq(b->n_map, 2);
	cr_assert_str_eq(b->map[0].text, "ON");
	cr_assert(b->map[0].level);
	cr_assert_str_eq(b->map[1].text, "OFF");
	cr_assert_not(b->map[1].level);
	cr_assert_eq(a->n_map, 0);
	cr_assert_eq(b->safe_value, 0);
	cr_assert_str_eq(c->driver, "sim");
	cr_assert_null(c->line);
	release(&l);
}

Test(config, playlists_are_read_whole)
{
	struct loaded l =
	        load("{\"gateway\":{\"id\":\"g\"},\"playlists\":{\"p\":{\"trigger\":\"a.b\","
	             "\"interrupts\":[\"c.d\",{\"event\":\"e.f\",\"match\":{\"x\":1}}],"
	             "\"completion\":\"p.done\","
	             "\"metadata\":{\"m\":1},\"mode\":\"queued\",\"max_runs\":3,\"late\":\"skip\","
	             "\"interrupt_debounce\":\"5ms\",\"steps\":[{\"emit\":\"s.t\",\"data\":[1.50,"
	             "\"\\u00e9\"],"
	             "\"offset\":\"1.5s\",\"repeat\":4,\"interval\":\"250ms\",\"producer_id\":9},"
	             "{\"emit\":\"u.v\"}]}}}");
	const struct cue_playlist_config *def;

	cr_assert_eq(l.r, 0);
	def = &l.config->playlists[0].def;
	cr_assert_str_eq(def->name, "p");
	cr_assert_eq(def->n_triggers, 1);
	cr_assert_str_eq(def->triggers[0].type, "a.b");
	cr_assert_null(def->triggers[0].match);
	cr_assert_eq(def->n_interrupts, 2);
	cr_assert_str_eq(def->interrupts[1].type, "e.f");
	cr_assert_not_null(def->interrupts[1].match);
	cr_assert_str_eq(def->completion, "p.done");
	cr_assert_str_eq(bytes(def->metadata), "{\"m\":1}");
	cr_assert_eq(def->mode, CUE_MODE_QUEUED);
	cr_assert_eq(def->max_runs, 3);
	cr_assert_eq(def->late, CUE_LATE_SKIP);
	cr_assert_eq(def->on_restart, CUE_ON_RESTART_ABORT);
	cr_assert_eq(def->interrupt_debounce_ns, 5 * CUE_NS_PER_MS);
	cr_assert_eq(def->n_steps, 2);
	cr_assert_str_eq(bytes(def->steps[0].data), "[1.50,\"\xC3\xA9\"]");
	cr_assert_eq(def->steps[0].offset_ns, 1500 * CUE_NS_PER_MS);
	cr_assert_eq(def->steps[0].repeat, 4);
	cr_assert_eq(def->steps[0].interval_ns, 250 * CUE_NS_PER_MS);
	cr_assert_eq(def->steps[0].producer_id, 9);
	cr_assert_null(def->steps[1].data);
	cr_assert_eq(def->steps[1].repeat, 1);
	cr_assert_eq(def->steps[1].offset_ns, 0);
	cr_assert_not_null(strstr(bytes(l.config->playlists[0].json), "{\"trigger\":\"a.b\","));
	release(&l);
}

Test(config, gestures_are_read_whole)
{
	struct loaded l = load("{\"gateway\":{\"id\":\"g\"},\"gestures\":{"
	                       "\"m\":{\"type\":\"multi_tap\",\"source\":{\"event\":\"a.b\","
	                       "\"match\":{\"k\":1}},\"count\":3,"
	                       "\"window\":\"300ms\",\"emit\":\"x.y\",\"priority\":-7,\"cooldown\":"
	                       "\"2s\",\"metadata\":{}},"
	                       "\"s\":{\"type\":\"simultaneous\",\"source\":\"a.b\",\"window\":"
	                       "\"10ms\",\"emit\":\"x.z\","
	                       "\"required_sources\":4},"
	                       "\"q\":{\"type\":\"sequence\",\"steps\":[\"a.b\",{\"event\":\"c.d\"}"
	                       "],\"timeout\":\"1s\",\"emit\":\"x.q\"},"
	                       "\"g\":{\"type\":\"gated_mirror\",\"gate\":\"a.b\",\"mirror\":[\"c."
	                       "d\",\"e.f\"],\"initial\":true,"
	                       "\"output_producer_id\":99,\"when\":{\"state\":\"a.b\"}},"
	                       "\"p\":{\"type\":\"gated_playlist\",\"gate\":[\"a.b\"],\"playlist\":"
	                       "\"pl\",\"cancel_active_runs\":true}},"
	                       "\"playlists\":{\"pl\":{\"steps\":[{\"emit\":\"o.n\"}]}}}");
	const struct config_gesture *g;

	cr_assert_eq(l.r, 0);
	g = l.config->gestures;
	cr_assert_eq(g[0].def.type, CUE_GESTURE_MULTI_TAP);
	cr_assert_str_eq(g[0].def.source.type, "a.b");
	cr_assert_not_null(g[0].def.source.match);
	cr_assert_eq(g[0].def.count, 3);
	cr_assert_eq(g[0].def.window_ns, 300 * CUE_NS_PER_MS);
	cr_assert_eq(g[0].def.priority, -7);
	cr_assert_eq(g[0].def.cooldown_ns, 2 * CUE_NS_PER_S);
	cr_assert_str_eq(bytes(g[0].def.metadata), "{}");
	cr_assert_eq(g[1].def.required_sources, 4);
	cr_assert_eq(g[1].def.priority, CUE_PRIORITY_GESTURE);
	cr_assert_eq(g[2].def.n_steps, 2);
	cr_assert_str_eq(g[2].def.steps[1].type, "c.d");
	cr_assert_eq(g[2].def.timeout_ns, CUE_NS_PER_S);
	cr_assert_null(g[3].def.emit);
	cr_assert_eq(g[3].def.n_gate, 1);
	cr_assert_eq(g[3].def.n_mirror, 2);
	cr_assert_str_eq(g[3].def.mirror[1], "e.f");
	cr_assert_eq(g[3].def.output_producer_id, 99);
	cr_assert_not_null(g[3].def.when);
	cr_assert(g[3].def.initial);
	cr_assert_str_eq(g[4].def.playlist, "pl");
	cr_assert(g[4].def.cancel_active_runs);
	release(&l);
}

Test(config, mqtt_is_read_whole)
{
	struct loaded l = load(
	        "{\"gateway\":{\"id\":\"g\"},\"mqtt\":{\"protocol\":\"3.1.1\",\"keepalive\":\"1m\","
	        "\"client_id\":\"c\",\"reply_prefixes\":[\"r/a\",\"r/b\"],"
	        "\"qos\":{\"a.*\":0,\"a.b\":\"off\"}}}");
	const struct config_mqtt *mqtt;

	cr_assert_eq(l.r, 0);
	mqtt = &l.config->mqtt;
	cr_assert_eq(mqtt->protocol, 4);
	cr_assert_eq(mqtt->keepalive_ns, 60 * CUE_NS_PER_S);
	cr_assert_str_eq(mqtt->client_id, "c");
	cr_assert_eq(mqtt->n_reply_prefixes, 2);
	cr_assert_str_eq(mqtt->reply_prefixes[1], "r/b");
	cr_assert_eq(config_qos(mqtt, "a.x"), 0);
	cr_assert_eq(config_qos(mqtt, "a.b"), CONFIG_QOS_OFF);
	cr_assert_eq(config_qos(mqtt, "b.a"), 1);
	release(&l);
}

Test(config, hash_follows_the_content_not_the_layout)
{
	struct loaded a = load("{\"gateway\":{\"id\":\"g\"}}");
	struct loaded b = load("// same\n{ \"gateway\": { \"id\": \"\\u0067\" }, }");
	struct loaded c = load("{\"gateway\":{\"id\":\"h\"}}");

	cr_assert_eq(strlen(a.config->hash), 16);
	cr_assert_str_eq(a.config->hash, b.config->hash);
	cr_assert_str_neq(a.config->hash, c.config->hash);
	release(&a);
	release(&b);
	release(&c);
}

Test(config, nothing_is_returned_with_an_error)
{
	struct loaded l = load("{\"gateway\":{\"id\":\"g\"},\"inputs\":{\"i\":{}}}");

	cr_assert_eq(l.r, -EINVAL);
	cr_assert_null(l.config);
	cr_assert_eq(l.diag.n_errors, 3);
	cr_assert_str_eq(l.diag.findings[0].path, "/inputs/i");
	cr_assert_eq(l.diag.findings[0].line, 1);
	release(&l);
}

Test(config, thousands_of_findings_are_bounded)
{
	const size_t n = 20000;
	char *text = malloc(n * 16 + 100), *p = text;
	struct loaded l;

	p += sprintf(p, "{\"gateway\":{\"id\":\"g\"}");
	for (size_t i = 0; i < n; i++)
		p += sprintf(p, ",\"k%zu\":1", i);
	strcpy(p, "}");
	l = load(text);
	cr_assert_eq(l.r, -EINVAL);
	cr_assert_eq(l.diag.n, 1000);
	cr_assert_eq(l.diag.n_errors, n);
	release(&l);
	free(text);
}

/* ---- definitions by command ---- */

Test(config, playlist_definition)
{
	static const char json[] =
	        "{ \"steps\": [ { \"emit\": \"a.b\", \"data\": \"${HOME}\" } ] }";
	struct config_playlist *playlist = NULL;
	struct diag diag = { 0 };

	cr_assert_eq(config_playlist_parse("p", json, strlen(json), &diag, &playlist), 0);
	cr_assert_str_eq(playlist->def.name, "p");
	/* A definition from a message never sees the environment. */
	cr_assert_str_eq(bytes(playlist->def.steps[0].data), "\"${HOME}\"");
	cr_assert_str_eq(bytes(playlist->json),
	                 "{\"steps\":[{\"emit\":\"a.b\",\"data\":\"${HOME}\"}]}");
	cr_assert_null(config_playlist_free(playlist));
	cr_assert_null(config_playlist_free(NULL));
	diag_clear(&diag);
}

Test(config, gesture_definition)
{
	static const char json[] =
	        "{\"type\":\"double_tap\",\"source\":\"a.b\",\"window\":\"1s\",\"emit\":\"c.d\"}";
	struct config_gesture *gesture = NULL;
	struct diag diag = { 0 };

	cr_assert_eq(config_gesture_parse("g", json, strlen(json), &diag, &gesture), 0);
	cr_assert_eq(gesture->def.window_ns, CUE_NS_PER_S);
	cr_assert_str_eq(bytes(gesture->json), json);
	cr_assert_null(config_gesture_free(gesture));
	diag_clear(&diag);
}

Test(config, broken_definitions_are_refused_with_their_place)
{
	static const struct {
		const char *name, *json, *rule, *path;
	} cases[] = {
		{ "p", "{\"steps\":[{\"emit\":\"a.b\"},]}", "syntax", "" },
		{ "p", "{\"steps\":[{\"emit\":\"a.b\"}]} // x", "syntax", "" },
		{ "p", "[]", "type", "" },
		{ "p", "{\"steps\":[{\"emit\":\"gateway.x\"}]}", "reserved-event",
		  "/steps/0/emit" },
		{ "p", "{\"steps\":[{\"emit\":\"a.b\",\"ofset\":\"1s\"}]}", "unknown-key",
		  "/steps/0/ofset" },
		{ "p", "{\"steps\":[{\"emit\":\"a.b\",\"emit\":\"a.c\"}]}", "duplicate-key",
		  "/steps/0/emit" },
		{ "a/b", "{\"steps\":[{\"emit\":\"a.b\"}]}", "topic", "" },
		{ "", "{\"steps\":[{\"emit\":\"a.b\"}]}", "range", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config_playlist *playlist = NULL;
		struct diag diag = { 0 };

		cr_assert_eq(config_playlist_parse(cases[i].name, cases[i].json,
		                                   strlen(cases[i].json), &diag, &playlist),
		             -EINVAL, "%s", cases[i].json);
		cr_assert_null(playlist);
		cr_assert_eq(diag.n, 1, "%s", cases[i].json);
		cr_assert_str_eq(diag.findings[0].rule, cases[i].rule);
		cr_assert_str_eq(diag.findings[0].path, cases[i].path);
		cr_assert_str_eq(diag.findings[0].file,
		                 strcmp(cases[i].name, "p") == 0 ? "definition" : "name");
		diag_clear(&diag);
	}
}
