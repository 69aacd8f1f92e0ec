/* SPDX-License-Identifier: Apache-2.0 */
/* A single playlist or gesture, as in commands. */
#include "config.h"

#include <cuebus/payload.h>

#include <errno.h>
#include <string.h>

#include "config_reader.h"
#include "lint.h"

/* The returned struct comes first, so that its address is that of the holder. */
struct holder {
	union {
		struct config_playlist playlist;
		struct config_gesture gesture;
	} of;
	struct arena *arena;
};

/** What was given to the parser. */
struct text {
	const char *name, *json;
	size_t len;
};

static const char file[] = "definition";
static const char name_file[] = "name";

/** Copy the name, checked like a key of the configuration's map. */
static char *copy_name(struct config_reader *reader, const char *name)
{
	static const struct config_field field = { .type = CONFIG_NAME, .max = 128 };
	struct jsonc_node node = { .type = JSONC_STRING,
		                   .text = name,
		                   .text_len = strlen(name),
		                   .file = name_file,
		                   .place = { 1, 1, 0 } };
	char *copy;

	if (!config_check_text(reader, &field, &node))
		return NULL;
	copy = arena_strndup(reader->arena, name, strlen(name));
	if (!copy)
		reader->error = -ENOMEM;
	return copy;
}

/** Read @p text by @p table into @p object. @return the tree; NULL: reported, or reader->error. */
static struct jsonc_node *parse(struct config_reader *reader, const struct config_table *table,
                                const struct text *text, void *object)
{
	const struct jsonc_source source = { file, text->json, text->len };
	const struct jsonc_options strict = { .strict = true, .max_depth = CUE_JSON_DEPTH_MAX };
	char *copy = copy_name(reader, text->name);
	struct jsonc_node *root;
	int r;

	if (!copy)
		return NULL;
	r = jsonc_parse(reader->arena, &source, &strict, reader->diag, &root);
	if (r == -ENOMEM)
		reader->error = r;
	if (r < 0)
		return NULL;
	memcpy((char *)object + table->name_offset, &copy, sizeof(copy));
	config_read_struct(reader, table, root, object);
	return root;
}

static int result(const struct config_reader *reader, size_t errors_before)
{
	diag_sort(reader->diag);
	if (reader->error)
		return reader->error;
	return reader->diag->n_errors > errors_before ? -EINVAL : 0;
}

/* No limits apply here: the commands have checked the payload. */
static const struct config_limits no_limits = { .payload_bytes = UINT64_MAX,
	                                        .bus = { .json_depth = CUE_JSON_DEPTH_MAX },
	                                        .playlist = { UINT32_MAX, 1 } };

static int parse_definition(const struct config_table *table, const struct text *text,
                            struct diag *diag, struct holder **ret_holder)
{
	struct config_reader reader = { .arena = arena_new(), .diag = diag, .limits = &no_limits };
	const struct jsonc_node *node;
	size_t errors = diag->n_errors;
	struct holder *holder;
	int r;

	holder = reader.arena ? arena_alloc(reader.arena, sizeof(*holder)) : NULL;
	if (!holder) {
		arena_free(reader.arena);
		return -ENOMEM;
	}
	holder->arena = reader.arena;
	node = parse(&reader, table, text, &holder->of);
	if (node && diag->n_errors == errors && !reader.error) {
		if (table == &config_table_playlist)
			lint_playlist(&reader, &holder->of.playlist, node);
		else
			lint_gesture(&reader, &holder->of.gesture, node);
	}
	r = result(&reader, errors);
	if (r < 0)
		arena_free(reader.arena);
	else
		*ret_holder = holder;
	return r;
}

int config_playlist_parse(const char *name, const char *json, size_t len, struct diag *diag,
                          struct config_playlist **ret)
{
	const struct text text = { name, json, len };
	struct holder *holder;
	int r = parse_definition(&config_table_playlist, &text, diag, &holder);

	if (r >= 0)
		*ret = &holder->of.playlist;
	return r;
}

struct config_playlist *config_playlist_free(struct config_playlist *playlist)
{
	if (playlist)
		arena_free(((struct holder *)playlist)->arena);
	return NULL;
}

int config_gesture_parse(const char *name, const char *json, size_t len, struct diag *diag,
                         struct config_gesture **ret)
{
	const struct text text = { name, json, len };
	struct holder *holder;
	int r = parse_definition(&config_table_gesture, &text, diag, &holder);

	if (r >= 0)
		*ret = &holder->of.gesture;
	return r;
}

struct config_gesture *config_gesture_free(struct config_gesture *gesture)
{
	if (gesture)
		arena_free(((struct holder *)gesture)->arena);
	return NULL;
}
