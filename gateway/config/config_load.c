/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <cuebus/fnv.h>
#include <cuebus/payload.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config_env.h"
#include "config_file.h"
#include "config_merge.h"
#include "config_names.h"
#include "config_reader.h"
#include "hide.h"
#include "jsonc_write.h"
#include "lint.h"

/** Maximum of `limits.config_bytes`: the limit while reading, before the limits are known. */
#define CONFIG_BYTES_MAX (16U * 1024U * 1024U)

typedef int file_reader(const char *path, size_t max, char **ret_text, size_t *ret_len);

struct load {
	struct config_reader reader;
	struct config *config;
	struct jsonc_node *root;
	size_t bytes;
};

static void freep(char **p)
{
	free(*p);
}

static int load_begin(struct load *load, struct diag *diag)
{
	*load = (struct load){ .reader = { .arena = arena_new(), .diag = diag } };
	if (!load->reader.arena)
		return -ENOMEM;
	load->config = arena_alloc(load->reader.arena, sizeof(*load->config));
	if (!load->config) {
		load->reader.arena = arena_free(load->reader.arena);
		return -ENOMEM;
	}
	load->config->arena = load->reader.arena;
	load->reader.limits = &load->config->limits;
	return 0;
}

/** Parse one text and merge it. @return 0, findings or not; -ENOMEM. */
static int load_text(struct load *load, const char *name, const char *text, size_t len)
{
	/* limits.json_depth is not known yet: see check_depth(). */
	const struct jsonc_options options = { .max_depth = CUE_JSON_DEPTH_MAX };
	const struct jsonc_source source = { name, text, len };
	struct jsonc_node *root;
	int r;

	load->bytes += len;
	r = jsonc_parse(load->reader.arena, &source, &options, load->reader.diag, &root);
	if (r == -EINVAL)
		return 0;
	if (r < 0)
		return r;
	if (root->type != JSONC_OBJECT) {
		config_finding(&load->reader, DIAG_ERROR, root, "type",
		               "the configuration must be an object, not %s",
		               jsonc_type_name(root->type));
		return 0;
	}
	if (load->root)
		config_merge(&load->reader, load->root, root);
	else
		load->root = root;
	return load->reader.error;
}

static void tell_file(struct load *load, const char *path, int error)
{
	if (error == -EFBIG)
		diag_add(load->reader.diag, DIAG_ERROR, diag_file(path), "config-bytes",
		         "the file is larger than %u bytes", CONFIG_BYTES_MAX);
	else if (error == -ENOTSUP)
		diag_add(load->reader.diag, DIAG_ERROR, diag_file(path), "file",
		         "not a regular file: a file of conf.d, or one that is read again while "
		         "the gateway runs, can't be a pipe or a device");
	else
		diag_add(load->reader.diag, DIAG_ERROR, diag_file(path), "file",
		         "can't be read: %s", strerror(-error));
}

/** Read and merge one file. @return 0 or -ENOMEM; errors of the file are reported. */
static int load_file(struct load *load, file_reader *read, const char *path, int *ret_error)
{
	__attribute__((cleanup(freep))) char *text = NULL;
	size_t len;
	int r = read(path, CONFIG_BYTES_MAX, &text, &len);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		tell_file(load, path, r);
		*ret_error = r;
		return 0;
	}
	return load_text(load, path, text, len);
}

static int load_conf_d(struct load *load, const char *path)
{
	char **paths;
	size_t n;
	int r = config_d_list(path, &paths, &n), error;

	if (r == -ENOMEM)
		return r;
	if (r == -E2BIG)
		diag_add(load->reader.diag, DIAG_ERROR, diag_file(path), "file",
		         "conf.d beside it has more than %u files; merge some of them",
		         CONFIG_D_FILES_MAX);
	else if (r < 0)
		diag_add(load->reader.diag, DIAG_ERROR, diag_file(path), "file",
		         "conf.d beside it can't be read: %s", strerror(-r));
	if (r < 0)
		return 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		if (config_d_is_read(paths[i]))
			r = load_file(load, config_d_file_read, paths[i], &error);
		else
			diag_add(load->reader.diag, DIAG_WARNING, diag_file(paths[i]), "file",
			         "is ignored: only files of conf.d whose names end in .json are "
			         "read");
	}
	config_d_free(paths, n);
	return r;
}

static void set_hash(struct config *config, const char *text, size_t len)
{
	snprintf(config->hash, sizeof(config->hash), "%016" PRIx64,
	         cue_fnv(CUE_FNV_BEGIN, text, len));
}

static void release_payload(void *payload)
{
	cue_payload_unref(payload);
}

/**
 * Write the masked text of the merged tree and the hash over it. The hash is published: if it
 * covered values of the environment, anybody could test guesses of them.
 */
static int summarize(struct load *load)
{
	struct cue_writer w = { 0 };
	const char *text;
	size_t len;
	int r;

	jsonc_write(&w, load->root, JSONC_MASKED);
	r = cue_writer_finish_payload(&w, &load->config->masked);
	if (r < 0)
		return r;
	text = cue_payload_bytes(load->config->masked, &len);
	set_hash(load->config, text, len);
	return arena_defer(load->reader.arena, release_payload, load->config->masked);
}

static void release_hide(void *hide)
{
	hide_free(hide);
}

/** Keep the hidden values for later messages of the engine and the log. */
static int keep_hidden(struct load *load)
{
	struct config *config = load->config;
	int r = hide_new(&config->hide);

	if (r == 0)
		r = hide_add_all(config->hide, load->reader.diag->hide);
	return r < 0 ? r : arena_defer(load->reader.arena, release_hide, config->hide);
}

static int set_client_id(struct load *load)
{
	struct config *config = load->config;
	char *text;

	if (config->mqtt.client_id || !config->gateway.id)
		return 0;
	if (asprintf(&text, "cuebus-%s", config->gateway.id) < 0)
		return -ENOMEM;
	config->mqtt.client_id = arena_strndup(load->reader.arena, text, strlen(text));
	free(text);
	return config->mqtt.client_id ? 0 : -ENOMEM;
}

/** The first value on the level below @p levels, or NULL. */
static const struct jsonc_node *too_deep(const struct jsonc_node *node, unsigned levels)
{
	if (node->type != JSONC_ARRAY && node->type != JSONC_OBJECT)
		return NULL;
	if (levels == 0)
		return node;
	for (const struct jsonc_node *n = node->first; n; n = n->next) {
		const struct jsonc_node *found = too_deep(n, levels - 1);

		if (found)
			return found;
	}
	return NULL;
}

/** Must come before anything else walks the tree. */
static void check_depth(struct load *load)
{
	const struct jsonc_node *limits = jsonc_get(load->root, "limits");
	const struct jsonc_node *set =
	        limits && limits->type == JSONC_OBJECT ? jsonc_get(limits, "json_depth") : NULL;
	uint64_t depth = CUE_JSON_DEPTH_DEFAULT;
	const struct jsonc_node *found;

	/* A lower limit applies to data, not to the configuration around it. */
	if (!set || jsonc_u64(set, &depth) < 0 || depth < CUE_JSON_DEPTH_DEFAULT)
		depth = CUE_JSON_DEPTH_DEFAULT;
	if (depth > CUE_JSON_DEPTH_MAX)
		depth = CUE_JSON_DEPTH_MAX;
	found = too_deep(load->root, (unsigned)depth);
	if (found)
		config_finding(&load->reader, DIAG_ERROR, found, "json-depth",
		               "nested deeper than %" PRIu64 " levels (limits.json_depth)", depth);
}

static void check_limits(struct load *load)
{
	const struct config *config = load->config;
	size_t definitions = config->n_gestures + config->n_playlists;

	if (load->bytes > config->limits.config_bytes)
		config_finding(&load->reader, DIAG_ERROR, load->root, "config-bytes",
		               "the configuration has %zu bytes; at most %" PRIu64
		               " are allowed (limits.config_bytes)",
		               load->bytes, config->limits.config_bytes);
	if (definitions > config->limits.bus.definitions)
		config_finding(&load->reader, DIAG_ERROR, load->root, "definitions",
		               "%zu playlists and gestures; at most %" PRIu32
		               " are allowed (limits.definitions)",
		               definitions, config->limits.bus.definitions);
}

/** Build the config from the merged tree. Finishes the load in any case. */
static int load_end(struct load *load, int r, struct config **ret_config)
{
	struct config_reader *reader = &load->reader;

	if (r == 0 && load->root) {
		check_depth(load);
		config_env_substitute(reader, load->root);
		config_read_struct(reader, &config_table_root, load->root, load->config);
		check_limits(load);
		if (!reader->error)
			lint_config(reader, load->config, load->root);
		r = reader->error;
	}
	if (r == 0 && reader->diag->n_errors > 0)
		r = -EINVAL;
	if (r == 0)
		r = set_client_id(load);
	if (r == 0)
		r = keep_hidden(load);
	if (r == 0)
		r = config_names_init(load->config, reader->arena);
	if (r == 0)
		r = summarize(load);
	load->config->root = load->root;
	diag_sort(reader->diag);
	if (r < 0)
		arena_free(reader->arena);
	else
		*ret_config = load->config;
	return r;
}

int config_load_text(const char *name, const char *text, size_t len, struct diag *diag,
                     struct config **ret_config)
{
	struct load load;
	int r = load_begin(&load, diag);

	if (r < 0)
		return r;
	return load_end(&load, load_text(&load, name, text, len), ret_config);
}

int config_load_request(const char *text, size_t len, struct diag *diag, struct config **ret_config)
{
	struct jsonc_node *request_id = NULL;
	struct load load;
	int r = load_begin(&load, diag);

	if (r < 0)
		return r;
	r = load_text(&load, "payload", text, len);
	if (load.root)
		request_id = jsonc_get(load.root, "request_id");
	if (request_id)
		jsonc_remove(request_id);
	load.reader.foreign = true;
	return load_end(&load, r, ret_config);
}

static int load_with(file_reader *read, const char *path, struct diag *diag,
                     struct config **ret_config)
{
	struct load load;
	int error = 0, r = load_begin(&load, diag);

	if (r < 0)
		return r;
	load.reader.local = true;
	r = load_file(&load, read, path, &error);
	/* Do not merge into a main file with a syntax error. */
	if (r == 0 && load.root)
		r = load_conf_d(&load, path);
	r = load_end(&load, r, ret_config);
	return r == -EINVAL && error < 0 ? error : r;
}

int config_load(const char *path, struct diag *diag, struct config **ret_config)
{
	return load_with(config_file_read, path, diag, ret_config);
}

int config_load_again(const char *path, struct diag *diag, struct config **ret_config)
{
	return load_with(config_d_file_read, path, diag, ret_config);
}

struct config *config_free(struct config *config)
{
	if (config)
		arena_free(config->arena);
	return NULL;
}
