/* SPDX-License-Identifier: Apache-2.0 */
#include "lint.h"

#include <cuebus/match.h>
#include <cuebus/payload.h>

#include <errno.h>
#include <string.h>

#include "duration.h"

#define METADATA_MAX    1024U
#define DURATION_MAX_NS (24ULL * 3600ULL * CUE_NS_PER_S)

static void check_metadata(struct config_reader *reader, const struct cue_payload *metadata,
                           const struct jsonc_node *node)
{
	size_t len;

	if (!metadata)
		return;
	cue_payload_bytes(metadata, &len);
	if (len > METADATA_MAX)
		config_finding(reader, DIAG_WARNING, jsonc_get(node, "metadata"), "large-metadata",
		               "%zu bytes of metadata go with every event of it; keep it under %u",
		               len, METADATA_MAX);
}

/* ---- one playlist ---- */

static uint64_t step_end_ns(const struct cue_step *step)
{
	return step->offset_ns + (step->repeat - 1) * step->interval_ns;
}

static void check_times(struct config_reader *reader, const struct cue_playlist_config *def,
                        const struct jsonc_node *steps)
{
	const struct jsonc_node *node = steps->first, *last = node;
	char text[DURATION_TEXT_SIZE];
	uint64_t longest = 0;

	for (size_t i = 0; i < def->n_steps; i++, node = node->next) {
		const struct cue_step *step = &def->steps[i];

		if (step->repeat > 1 && step->interval_ns < CUE_NS_PER_MS)
			config_finding(reader, DIAG_WARNING, jsonc_get(node, "interval"),
			               "short-interval", "an interval under 1ms");
		if (step_end_ns(step) > longest) {
			longest = step_end_ns(step);
			last = node;
		}
	}
	if (longest <= DURATION_MAX_NS)
		return;
	duration_format(longest, text);
	config_finding(reader, DIAG_WARNING, last, "long-duration",
	               "with this step a run lasts %s, over 24h", text);
}

/** Whether the filter matches an event with this data; unknown data (NULL) passes no predicate. */
static bool takes(struct config_reader *reader, const struct cue_filter *filter,
                  struct cue_payload *data)
{
	struct cue_match *match;
	bool result;
	int r;

	if (!filter->match)
		return true;
	if (!data)
		return false;
	r = cue_match_new(filter->match, &match, NULL);
	if (r < 0) {
		reader->error = r == -ENOMEM ? r : reader->error;
		return false;
	}
	result = cue_match_eval(match, data);
	cue_match_free(match);
	return result;
}

static void check_own_interrupts(struct config_reader *reader,
                                 const struct cue_playlist_config *def,
                                 const struct jsonc_node *node)
{
	for (size_t i = 0; i < def->n_interrupts; i++) {
		const struct cue_filter *interrupt = &def->interrupts[i];
		const struct jsonc_node *step_node = jsonc_get(node, "steps")->first;

		for (size_t k = 0; k < def->n_steps; k++, step_node = step_node->next) {
			const struct cue_step *step = &def->steps[k];
			struct cue_payload *data = step->data ? step->data : cue_payload_null();

			if (strcmp(step->emit, interrupt->type) != 0 ||
			    !takes(reader, interrupt, data))
				continue;
			config_finding(
			        reader, DIAG_WARNING, jsonc_get(step_node, "emit"), "own-interrupt",
			        "\"%s\" is an interrupt of this playlist: the step stops its run",
			        step->emit);
		}
		if (def->completion && strcmp(def->completion, interrupt->type) == 0 &&
		    takes(reader, interrupt, NULL))
			config_finding(
			        reader, DIAG_WARNING, jsonc_get(node, "completion"),
			        "own-interrupt",
			        "\"%s\" is an interrupt of this playlist: a run that completes "
			        "stops the others",
			        def->completion);
	}
}

void lint_playlist(struct config_reader *reader, const struct config_playlist *playlist,
                   const struct jsonc_node *node)
{
	static const char *const filters[] = { "trigger", "interrupts", NULL };

	check_metadata(reader, playlist->def.metadata, node);
	check_times(reader, &playlist->def, jsonc_get(node, "steps"));
	check_own_interrupts(reader, &playlist->def, node);
	lint_matches(reader, node, filters);
}

void lint_gesture(struct config_reader *reader, const struct config_gesture *gesture,
                  const struct jsonc_node *node)
{
	static const char *const filters[] = {
		"source", "release", "reset", "steps", "when", NULL
	};

	check_metadata(reader, gesture->def.metadata, node);
	lint_matches(reader, node, filters);
}

/* ---- the whole configuration ---- */

/** The nodes of a map, in the order in which they were read. */
static const struct jsonc_node **nodes_of(struct lint *lint, const char *section, size_t n)
{
	const struct jsonc_node *map = jsonc_get(lint->root, section);
	const struct jsonc_node **nodes =
	        config_alloc(lint->reader, n, sizeof(struct jsonc_node *));
	size_t i = 0;

	for (const struct jsonc_node *c = map && nodes ? map->first : NULL; c && i < n;
	     c = c->next) {
		if (!config_key_is_free(c->key))
			nodes[i++] = c;
	}
	return nodes;
}

/** Without a state folder the count does not survive the process. */
static void check_restore(const struct lint *lint, size_t i)
{
	const struct jsonc_node *place = jsonc_get(lint->inputs[i], "restore");

	if (!lint->config->inputs[i].restore || lint->config->gateway.state_dir)
		return;
	if (!place)
		place = jsonc_get(jsonc_get(lint->inputs[i], "range"), "restore");
	config_finding(lint->reader, DIAG_WARNING, place, "restore-without-state",
	               "without gateway.state_dir no count or position survives a restart: "
	               "\"restore\" has no effect");
}

/** The same of a cycle. */
static void check_cycle_restore(const struct lint *lint, size_t i)
{
	if (!lint->config->gestures[i].def.restore || lint->config->gateway.state_dir)
		return;
	config_finding(lint->reader, DIAG_WARNING, jsonc_get(lint->gestures[i], "restore"),
	               "restore-without-state",
	               "without gateway.state_dir no cycle survives a restart: \"restore\" has no "
	               "effect");
}

/** Without a state folder there is no journal of runs. */
static void check_restart(const struct lint *lint, size_t i)
{
	enum cue_on_restart on_restart = lint->config->playlists[i].def.on_restart;

	if (on_restart == CUE_ON_RESTART_ABORT || lint->config->gateway.state_dir)
		return;
	config_finding(lint->reader, DIAG_WARNING, jsonc_get(lint->playlists[i], "on_restart"),
	               "restart-without-state",
	               "without gateway.state_dir no run survives a crash: \"%s\" has no effect",
	               on_restart == CUE_ON_RESTART_RESUME ? "resume" : "skip");
}

void lint_config(struct config_reader *reader, const struct config *config,
                 const struct jsonc_node *root)
{
	struct lint lint = { .reader = reader, .config = config, .root = root };

	lint.inputs = nodes_of(&lint, "inputs", config->n_inputs);
	lint.outputs = nodes_of(&lint, "outputs", config->n_outputs);
	lint.gestures = nodes_of(&lint, "gestures", config->n_gestures);
	lint.playlists = nodes_of(&lint, "playlists", config->n_playlists);
	if (reader->error)
		return;
	for (size_t i = 0; i < config->n_inputs; i++)
		check_restore(&lint, i);
	for (size_t i = 0; i < config->n_playlists; i++) {
		if (!lint_playlist_is_sound(&lint, i))
			continue;
		lint_playlist(reader, &config->playlists[i], lint.playlists[i]);
		check_restart(&lint, i);
	}
	for (size_t i = 0; i < config->n_gestures; i++) {
		if (!lint_gesture_is_sound(&lint, i))
			continue;
		lint_gesture(reader, &config->gestures[i], lint.gestures[i]);
		check_cycle_restore(&lint, i);
	}
	lint_remote(&lint);
	lint_secrets(&lint);
	lint_lines(&lint);
	lint_outputs(&lint);
	lint_windows(&lint);
	lint_sequences(&lint);
	lint_clicks(&lint);
	lint_cycles(&lint);
	lint_inputs(&lint);
	/* A skipped part may contain the event that seems to be missing. */
	if (reader->diag->n_errors == 0 && reader->skipped == 0)
		lint_events(&lint);
}
