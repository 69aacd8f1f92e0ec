/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file view_json.h
 * @brief The JSON of the retained views (schemas/info, view.input, view.output, view.playlist).
 * Thread: the loop's.
 */
#ifndef CUEBUS_VIEW_JSON_H
#define CUEBUS_VIEW_JSON_H

#include <cuebus/json_writer.h>

#include "engine.h"

enum view_kind { VIEW_INPUT, VIEW_OUTPUT, VIEW_PLAYLIST };

struct view_info {
	struct engine *engine;
	const char *boot_id;
	const char *version;
	uint64_t start_ns; /**< monotonic */
};

void view_write_info(struct cue_writer *w, const struct view_info *info);
/** @return 0; -ENOENT no such input (nothing was written). */
int view_write_input(struct cue_writer *w, struct engine *engine, const char *name);
int view_write_output(struct cue_writer *w, struct engine *engine, const char *name);
int view_write_playlist(struct cue_writer *w, struct engine *engine, const char *name);

#endif
