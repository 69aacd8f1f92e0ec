/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config.h
 * @brief From the configuration's files to its structs.
 *
 * config_load() reads JSONC, merges conf.d, checks everything and fills a struct config. One thread
 * at a time for each struct diag.
 */
#ifndef CUEBUS_CONFIG_H
#define CUEBUS_CONFIG_H

#include "config_model.h"
#include "diag.h"

/**
 * Read and check @p path and `conf.d/` beside it. All findings go to @p diag, errors and warnings
 * alike, sorted.
 * @return 0 (there may be warnings); -EINVAL there is an error; -ENOENT, -EACCES … the main file
 *         can't be read (also in @p diag); -ENOMEM.
 */
int config_load(const char *path, struct diag *diag, struct config **ret_config);

/** As config_load(), for a reload: never waits, so @p path must be a regular file. */
int config_load_again(const char *path, struct diag *diag, struct config **ret_config);

/** As config_load(), for a text in memory (config/check). @p name is used as file name. conf.d is
 * not read. */
int config_load_text(const char *name, const char *text, size_t len, struct diag *diag,
                     struct config **ret_config);

/** As config_load_text(), for the payload of config/check, which may have a `request_id` among its
 * keys. */
int config_load_request(const char *text, size_t len, struct diag *diag,
                        struct config **ret_config);

struct config *config_free(struct config *config);

/**
 * Parse one definition from a command (`define`), with the same table and the same checks.
 * @param json strict JSON text of the definition object.
 * @param ret  freed with config_playlist_free() / config_gesture_free().
 * @return 0; -EINVAL with findings in @p diag (file is "definition", or "name" for an error in the
 *         name).
 */
int config_playlist_parse(const char *name, const char *json, size_t len, struct diag *diag,
                          struct config_playlist **ret);
struct config_playlist *config_playlist_free(struct config_playlist *playlist);
int config_gesture_parse(const char *name, const char *json, size_t len, struct diag *diag,
                         struct config_gesture **ret);
struct config_gesture *config_gesture_free(struct config_gesture *gesture);

#endif
