/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "config_names.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_key(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

static void sort(struct config_names *names)
{
	if (names->n > 0)
		qsort(names->items, names->n, sizeof(*names->items), by_text);
}

int config_names_init(struct config *config, struct arena *arena)
{
	config->playlist_names.items =
	        arena_array(arena, config->n_playlists + 1, sizeof(const char *));
	config->gesture_names.items =
	        arena_array(arena, config->n_gestures + 1, sizeof(const char *));
	if (!config->playlist_names.items || !config->gesture_names.items)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_playlists; i++)
		config->playlist_names.items[i] = config->playlists[i].def.name;
	for (size_t i = 0; i < config->n_gestures; i++)
		config->gesture_names.items[i] = config->gestures[i].def.name;
	config->playlist_names.n = config->n_playlists;
	config->gesture_names.n = config->n_gestures;
	sort(&config->playlist_names);
	sort(&config->gesture_names);
	return 0;
}

static bool has(const struct config_names *names, const char *name)
{
	return names->n > 0 &&
	       bsearch(name, names->items, names->n, sizeof(*names->items), by_key) != NULL;
}

bool config_has_playlist(const struct config *config, const char *name)
{
	return has(&config->playlist_names, name);
}

bool config_has_gesture(const struct config *config, const char *name)
{
	return has(&config->gesture_names, name);
}

const char *config_origin(bool configured)
{
	return configured ? "config" : "command";
}
