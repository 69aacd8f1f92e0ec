/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Definitions made by command, beside those of the configuration. The start and each reload decide
 * which of them are in force:
 *
 *   the configuration has | what it may do is  | it can be  | then
 *   its name              | allowed by         | defined    |
 *                         | mqtt.remote        |            |
 *   yes                   | -                  | -          | not in force: the configuration's is
 *   no                    | no                 | -          | not in force
 *   no                    | yes                | no         | not in force
 *   no                    | yes                | yes        | in force; what is unchanged is not
 *                         |                    |            | touched
 *
 * A definition that is not in force stays stored and is named in the log. A later configuration may
 * put it in force; `remove` deletes it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "commands_internal.h"

/* ---- definitions in force, sorted by kind and name ---- */

static int compare(const struct kept *kept, enum definition_kind kind, const char *name)
{
	if (kept->kind != kind)
		return kept->kind < kind ? -1 : 1;
	return strcmp(kept->name, name);
}

/** Index of a definition, or the place to insert it. */
static size_t find(const struct kept_list *list, enum definition_kind kind, const char *name,
                   bool *ret_found)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&list->items[middle], kind, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = low < list->n && compare(&list->items[low], kind, name) == 0;
	return low;
}

int commands_kept_set(struct commands *commands, enum definition_kind kind, const char *name,
                      struct cue_payload *definition)
{
	struct kept_list *list = &commands->kept;
	bool found;
	size_t at = find(list, kind, name, &found);
	struct kept *items;
	char *copy;

	if (found) {
		cue_payload_ref(definition);
		cue_payload_unref(list->items[at].definition);
		list->items[at].definition = definition;
		return 0;
	}
	items = array_grow(list->items, list->n, &list->size, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	memmove(&list->items[at + 1], &list->items[at], (list->n - at) * sizeof(*list->items));
	list->items[at] = (struct kept){ kind, copy, definition };
	cue_payload_ref(definition);
	list->n++;
	return 0;
}

bool commands_kept_unset(struct commands *commands, enum definition_kind kind, const char *name)
{
	struct kept_list *list = &commands->kept;
	bool found;
	size_t at = find(list, kind, name, &found);

	if (!found)
		return false;
	free(list->items[at].name);
	cue_payload_unref(list->items[at].definition);
	list->n--;
	memmove(&list->items[at], &list->items[at + 1], (list->n - at) * sizeof(*list->items));
	return true;
}

void commands_kept_clear(struct commands *commands)
{
	struct kept_list *list = &commands->kept;

	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].name);
		cue_payload_unref(list->items[i].definition);
	}
	free(list->items);
	*list = (struct kept_list){ 0 };
}

/* ---- putting in force ---- */

static bool is_defined(struct commands *commands, enum definition_kind kind, const char *name)
{
	struct cue_playlist_info playlist;
	struct cue_gesture_info gesture;

	return kind == DEFINITION_PLAYLIST
	               ? cue_playlist_get(engine_playlists(commands->config.engine), name,
	                                  &playlist) == 0
	               : cue_gesture_get(engine_gestures(commands->config.engine), name,
	                                 &gesture) == 0;
}

/** Whether this very definition is in force already. */
static bool is_in_force(struct commands *commands, enum definition_kind kind, const char *name,
                        const struct cue_payload *definition)
{
	const char *bytes, *kept_bytes;
	size_t len, kept_len, at;
	bool found;

	at = find(&commands->kept, kind, name, &found);
	if (!found || !is_defined(commands, kind, name))
		return false;
	bytes = cue_payload_bytes(definition, &len);
	kept_bytes = cue_payload_bytes(commands->kept.items[at].definition, &kept_len);
	return len == kept_len && memcmp(bytes, kept_bytes, len) == 0;
}

static void tell(struct commands *commands, enum definition_kind kind, const char *name,
                 const char *why)
{
	char text[900];

	definition_store_set_in_force(commands->store, kind, name, false);
	if (!commands->config.notice)
		return;
	snprintf(text, sizeof(text),
	         "%s '%.128s', defined by command, is not in force: %.600s; %s/remove drops it",
	         definition_kind_name(kind), name, why, definition_kind_name(kind));
	commands->config.notice(commands->config.user, text);
}

/** @param taken the configuration has the name, so the bus has the configuration's definition under
 *              it. */
static void put_out_of_force(struct commands *commands, enum definition_kind kind, const char *name,
                             bool taken)
{
	if (!commands_kept_unset(commands, kind, name) || taken)
		return;
	if (kind == DEFINITION_GESTURE) {
		(void)cue_gesture_remove(engine_gestures(commands->config.engine), name);
		return;
	}
	(void)cue_playlist_remove(engine_playlists(commands->config.engine), name, NULL);
	engine_playlist_changed(commands->config.engine, name);
}

static int apply(struct commands *commands, enum definition_kind kind, const char *name,
                 struct cue_payload *definition)
{
	const struct named_definition named = { kind, name, definition };
	bool taken = commands_is_configured(commands, kind, name);
	struct command_error why = { 0 };
	struct cue_id id;
	int r;

	if (taken) {
		put_out_of_force(commands, kind, name, true);
		tell(commands, kind, name, "the configuration has one of that name");
		return 0;
	}
	/* A definition in force may do no more than the current configuration allows. */
	r = is_in_force(commands, kind, name, definition)
	            ? commands_check_definition(commands, &named, &why)
	            : commands_apply_definition(commands, &named, &id, &why);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		put_out_of_force(commands, kind, name, false);
		tell(commands, kind, name, *why.message ? why.message : strerror(-r));
		return 0;
	}
	definition_store_set_in_force(commands->store, kind, name, true);
	return commands_kept_set(commands, kind, name, definition);
}

struct apply_context {
	struct commands *commands;
	enum definition_kind kind;
};

static int apply_visit(void *user, const char *name, struct cue_payload *definition)
{
	const struct apply_context *context = user;

	return apply(context->commands, context->kind, name, definition);
}

int commands_reapply(struct commands *commands)
{
	const struct config *config = engine_get_config(commands->config.engine);
	struct apply_context context = { commands, DEFINITION_PLAYLIST };
	int r;

	definition_store_set_max_bytes(commands->store, config->limits.kept_definition_bytes);
	r = definition_store_foreach(commands->store, context.kind, apply_visit, &context);
	/* Gestures after the playlists that they may start. */
	context.kind = DEFINITION_GESTURE;
	return r < 0 ? r
	             : definition_store_foreach(commands->store, context.kind, apply_visit,
	                                        &context);
}
