/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file lint.h
 * @brief Lint: rules across a well-formed configuration.
 *
 * A rule uses only parts that were read without an error. Rules about something that is missing (an
 * event that nothing emits) run only if there is no error.
 */
#ifndef CUEBUS_LINT_H
#define CUEBUS_LINT_H

#include "config_reader.h"

/**
 * Apply every rule.
 * @param root the merged tree of @p config, for the places.
 */
void lint_config(struct config_reader *reader, const struct config *config,
                 const struct jsonc_node *root);

/** The rules that need only one definition, also used for definitions by command. */
void lint_playlist(struct config_reader *reader, const struct config_playlist *playlist,
                   const struct jsonc_node *node);
void lint_gesture(struct config_reader *reader, const struct config_gesture *gesture,
                  const struct jsonc_node *node);

/** match-object, in the filters and conditions under @p keys (NULL-terminated) of one
 * definition. */
void lint_matches(struct config_reader *reader, const struct jsonc_node *definition,
                  const char *const *keys);

/** The configuration with the node of each input, output, gesture and playlist. */
struct lint {
	struct config_reader *reader;
	const struct config *config;
	const struct jsonc_node *root;
	const struct jsonc_node **inputs, **outputs, **gestures, **playlists;
};

/** Whether definition i was read without an error. */
static inline bool lint_gesture_is_sound(const struct lint *lint, size_t i)
{
	return lint->config->gestures[i].json != NULL;
}
static inline bool lint_playlist_is_sound(const struct lint *lint, size_t i)
{
	return lint->config->playlists[i].json != NULL;
}

/* The rules, one file each. */
void lint_lines(struct lint *lint);   /* line-in-use */
void lint_windows(struct lint *lint); /* window-debounce */
void lint_inputs(struct lint *lint); /* data-key, debounce-mode, rotary-debounce, shared-producer */
void lint_events(struct lint *lint); /* never-emitted, unknown-playlist */
void lint_cycles(struct lint *lint); /* trigger-cycle */
void lint_sequences(struct lint *lint); /* shadowed, both-fire */
void lint_clicks(struct lint *lint);    /* both-fire, of clicks */
void lint_remote(struct lint *lint);    /* remote-input */
void lint_secrets(struct lint *lint);   /* published-secret */
void lint_outputs(struct lint *lint);   /* output-value */

#endif
