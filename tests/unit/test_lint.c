/* SPDX-License-Identifier: Apache-2.0 */
/* tests/check covers the findings of each rule. Here: cases without findings, and sizes that must
 * not be slow or exhaust the stack. */
#include "cue_criterion.h"

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count(const struct diag *diag, const char *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < diag->n; i++)
		n += strcmp(diag->findings[i].rule, rule) == 0;
	return n;
}

static size_t findings(const char *text, const char *rule)
{
	struct config *config = NULL;
	struct diag diag = { 0 };
	size_t n;

	config_load_text("t", text, strlen(text), &diag, &config);
	n = count(&diag, rule);
	config_free(config);
	diag_clear(&diag);
	return n;
}

#define G "{\"gateway\":{\"id\":\"g\"},"
#define S "\"steps\":[{\"emit\":\"x.y\"}]"
#define TAP(extra)                                                                                 \
	"{\"type\":\"double_tap\",\"source\":\"b.press\",\"window\":\"21ms\",\"emit\":\"x."        \
	"z\"" extra "}"

Test(lint, triggers_that_something_emits)
{
	cr_assert_eq(findings(G "\"inputs\":{\"i\":{\"driver\":\"sim\",\"kind\":\"button\","
	                        "\"event\":\"b.press\","
	                        "\"release_event\":\"b.release\"}},"
	                        "\"gestures\":{\"t\":" TAP(
	                                "") "},"
	                                    "\"playlists\":{\"a\":{\"trigger\":[\"b.press\",\"b."
	                                    "release\",\"x.z\",\"a.done\","
	                                    "\"x.y\",\"event.playlist.overdue\",\"gateway.gap\","
	                                    "\"input.resync\"]," S "},"
	                                    "\"b\":{\"completion\":\"a.done\"," S "}}}",
	                      "never-emitted"),
	             0);
	cr_assert_eq(findings(G "\"mqtt\":{\"remote\":{\"emit\":false}},"
	                        "\"playlists\":{\"a\":{\"trigger\":\"no.one\",\"interrupts\":[\"no."
	                        "one\"]," S "}}}",
	                      "never-emitted"),
	             2);
}

/* If every type may come from outside, only probable typos are reported. */
Test(lint, slips_and_neighbours)
{
	static const struct {
		const char *known, *type;
		size_t n;
	} cases[] = {
		{ "hall.press", "hall.pres", 1 },
		{ "hall.press", "hall.pressed", 1 },
		{ "hall.press", "hall.perss", 1 },
		{ "hall.press", "hal.press", 1 },
		{ "hall.press", "hallpress", 1 },
		{ "hall.press", "hall_press", 1 },
		{ "hall-press", "hall.press", 1 },
		{ "motion", "motions", 1 },
		{ "hall.press", "hal.pres", 0 },
		{ "light.on", "light.off", 0 },
		{ "key.a", "key.b", 0 },
		{ "lamp1.set", "lamp2.set", 0 },
		{ "lamp.set1", "lamp.set", 0 },
		{ "door.left", "door.right", 0 },
		{ "hall.press", "hall", 0 },
		{ "hall.press", "hall.press.long", 0 },
		{ "go.up", "go.down", 0 },
		{ "a.b.c", "a.b.d", 0 },
		{ "button.press", "mutton.chop", 0 },
	};
	char text[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text),
		         G "\"inputs\":{\"i\":{\"driver\":\"sim\",\"kind\":\"button\","
		           "\"event\":\"%s\"}},"
		           "\"playlists\":{\"a\":{\"trigger\":\"%s\"," S "}}}",
		         cases[i].known, cases[i].type);
		cr_assert_eq(findings(text, "never-emitted"), cases[i].n, "%s, %s", cases[i].known,
		             cases[i].type);
	}
}

Test(lint, rules_about_what_is_missing_wait_for_the_errors)
{
	/* The input that emits it is there, only broken. */
	cr_assert_eq(findings(G "\"inputs\":{\"i\":{\"driver\":\"sim\",\"kind\":\"knob\",\"event\":"
	                        "\"b.press\"}},"
	                        "\"playlists\":{\"a\":{\"trigger\":\"b.other\"," S "}}}",
	                      "never-emitted"),
	             0);
	/* The others do not. */
	cr_assert_eq(
	        findings(G "\"inputs\":{\"i\":{}},\"playlists\":{\"a\":{\"interrupts\":\"x.y\"," S
	                   "}}}",
	                 "own-interrupt"),
	        1);
}

Test(lint, window_above_the_debounce_is_well)
{
	static const char text[] =
	        G "\"inputs\":{\"i\":{\"driver\":\"sim\",\"kind\":\"button\","
	          "\"event\":\"b.press\",\"debounce\":\"%s\"}},\"gestures\":{\"t\":" TAP("") "}}";
	char buf[512];

	snprintf(buf, sizeof(buf), text, "20ms");
	cr_assert_eq(findings(buf, "window-debounce"), 0);
	snprintf(buf, sizeof(buf), text, "21ms");
	cr_assert_eq(findings(buf, "window-debounce"), 1);
}

Test(lint, the_same_line_of_two_chips_is_two_lines)
{
	static const char text[] = G "\"inputs\":{"
	                             "\"a\":{\"driver\":\"gpio\",\"kind\":\"switch\",\"event\":\"a."
	                             "b\",\"chip\":\"%s\",\"line\":4},"
	                             "\"b\":{\"driver\":\"gpio\",\"kind\":\"switch\",\"event\":\"a."
	                             "b\",\"chip\":\"c0\",\"line\":4}}}";
	char buf[512];

	snprintf(buf, sizeof(buf), text, "c1");
	cr_assert_eq(findings(buf, "line-in-use"), 0);
	snprintf(buf, sizeof(buf), text, "c0");
	cr_assert_eq(findings(buf, "line-in-use"), 1);
}

Test(lint, sequences_that_only_share_a_beginning)
{
	cr_assert_eq(findings(G "\"gestures\":{"
	                        "\"a\":{\"type\":\"sequence\",\"steps\":[\"u\",\"u\",\"d\"],"
	                        "\"emit\":\"x.a\"},"
	                        "\"b\":{\"type\":\"sequence\",\"steps\":[\"u\",\"u\",\"l\"],"
	                        "\"emit\":\"x.b\"},"
	                        "\"c\":{\"type\":\"sequence\",\"steps\":[\"u\",\"u\",\"d\"],"
	                        "\"emit\":\"x.c\"},"
	                        "\"d\":{\"type\":\"sequence\",\"steps\":[\"uu\"],\"emit\":\"x.d\"},"
	                        "\"t\":{\"type\":\"double_tap\",\"source\":\"u\",\"window\":\"1s\","
	                        "\"emit\":\"x.t\"}}}",
	                      "shadowed"),
	             0);
	cr_assert_eq(
	        findings(G
	                 "\"gestures\":{"
	                 "\"a\":{\"type\":\"sequence\",\"steps\":[\"u\",\"u\",\"d\"],\"emit\":\"x."
	                 "a\"},"
	                 "\"b\":{\"type\":\"sequence\",\"steps\":[\"u\",\"u\",\"l\"],\"emit\":\"x."
	                 "b\"},"
	                 "\"c\":{\"type\":\"sequence\",\"steps\":[\"u\"],\"emit\":\"x.c\"},"
	                 "\"d\":{\"type\":\"sequence\",\"steps\":[\"u\",\"t\"],\"emit\":\"x.d\"}}}",
	                 "shadowed"),
	        3);
}

Test(lint, cycles_are_found_through_every_kind)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		/* a mirror alone does not hear itself */
		{ G "\"gestures\":{\"m\":{\"type\":\"gated_mirror\",\"gate\":\"a\",\"mirror\":"
		    "\"c\"}}}",
		  0 },
		/* nor does the gate of a mirror set anything off */
		{ G "\"gestures\":{\"m\":{\"type\":\"gated_mirror\",\"gate\":\"x.m\",\"mirror\":"
		    "\"c\",\"emit\":\"x.m\"}}}",
		  0 },
		/* mirror and playlist feed each other */
		{ G "\"gestures\":{\"m\":{\"type\":\"gated_mirror\",\"gate\":\"a\",\"mirror\":\"x."
		    "y\",\"emit\":\"go\"}},"
		    "\"playlists\":{\"p\":{\"trigger\":\"go\"," S "}}}",
		  1 },
		/* a playlist that starts itself, also by way of a mirror that keeps the type */
		{ G "\"gestures\":{\"m\":{\"type\":\"gated_mirror\",\"gate\":\"a\",\"mirror\":\"x."
		    "y\"}},"
		    "\"playlists\":{\"p\":{\"trigger\":\"x.y\"," S "}}}",
		  2 },
		/* the predicate never holds for what the step carries */
		{ G "\"playlists\":{\"p\":{\"trigger\":{\"event\":\"x.y\",\"match\":{\"a\":1}}," S
		    "}}}",
		  0 },
		{ G "\"playlists\":{\"p\":{\"trigger\":{\"event\":\"x.y\",\"match\":{\"a\":1}},"
		    "\"steps\":[{\"emit\":\"x.y\",\"data\":{\"a\":1}}]}}}",
		  1 },
		/* what a gesture emits is not known beforehand */
		{ G "\"gestures\":{\"t\":{\"type\":\"sequence\",\"steps\":[\"x.y\"],\"emit\":"
		    "\"go\"}},"
		    "\"playlists\":{\"p\":{\"trigger\":{\"event\":\"go\",\"match\":{\"sequence\":1}"
		    "}," S "}}}",
		  1 },
		{ G "\"playlists\":{\"p\":{\"trigger\":{\"event\":\"event.playlist.stopped\","
		    "\"match\":{\"/playlist_name\":\"q\"}}," S "}}}",
		  0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_eq(findings(cases[i].text, "trigger-cycle"), cases[i].n, "%s",
		             cases[i].text);
}

Test(lint, a_dense_tangle_is_told_once_a_definition)
{
	const size_t n = 3000;
	char *text = malloc(n * 120 + 100), *p = text;
	size_t told;

	p += sprintf(p, G "\"playlists\":{");
	for (size_t i = 0; i < n; i++)
		p += sprintf(p, "%s\"p%zu\":{\"trigger\":\"x.y\"," S "}", i ? "," : "", i);
	strcpy(p, "}}");
	told = findings(text, "trigger-cycle");
	cr_assert_geq(told, 1);
	cr_assert_leq(told, n);
	free(text);
}

Test(lint, a_long_chain_is_one_cycle)
{
	const size_t n = 5000;
	char *text = malloc(n * 120 + 100), *p = text;

	p += sprintf(p, G "\"playlists\":{");
	for (size_t i = 0; i < n; i++)
		p += sprintf(p, "%s\"p%zu\":{\"trigger\":\"t%zu\",\"steps\":[{\"emit\":\"t%zu\"}]}",
		             i ? "," : "", i, i, (i + 1) % n);
	strcpy(p, "}}");
	cr_assert_eq(findings(text, "trigger-cycle"), 1);
	free(text);
}

Test(lint, definitions_by_command_get_their_own_rules)
{
	static const char json[] = "{\"interrupts\":\"x.y\",\"trigger\":\"no.one\"," S "}";
	struct config_playlist *playlist = NULL;
	struct diag diag = { 0 };

	cr_assert_eq(config_playlist_parse("p", json, strlen(json), &diag, &playlist), 0);
	cr_assert_eq(count(&diag, "own-interrupt"), 1);
	cr_assert_eq(diag.n, 1);
	config_playlist_free(playlist);
	diag_clear(&diag);
}
