/* SPDX-License-Identifier: Apache-2.0 */
#include "device_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct cue_payload *device_event_data(const struct engine *engine, const struct device_text *text,
                                      const char *name, const char *reason, uint64_t attempts)
{
	struct cue_payload *data = NULL;
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	cue_writer_key(&w, text->kind);
	cue_writer_string(&w, name);
	if (reason) {
		cue_writer_key(&w, "error");
		engine_write_reason(&w, engine, reason);
	} else {
		cue_writer_key(&w, "attempts");
		cue_writer_u64(&w, attempts);
	}
	cue_writer_object_end(&w);
	(void)cue_writer_finish_payload(&w, &data);
	return data;
}

void device_create_error(const struct device_text *text, const char *name, const char *driver,
                         int r, char error[ENGINE_ERROR_SIZE])
{
	if (r == -ENODEV)
		snprintf(error, ENGINE_ERROR_SIZE,
		         "%s \"%s\": driver \"%s\" is not built in (there are %s)", text->kind,
		         name, driver, text->drivers);
	else if (r == -ENOSPC)
		snprintf(error, ENGINE_ERROR_SIZE, "%s \"%s\": %s limits.event_types", text->kind,
		         name, text->types_exceed);
	else
		snprintf(error, ENGINE_ERROR_SIZE, "%s \"%s\": %s", text->kind, name,
		         strerrordesc_np(-r));
}

void device_open_error(const struct device_text *text, const char *name, const char *driver, int r,
                       char error[ENGINE_ERROR_SIZE])
{
	if (!error[0])
		snprintf(error, ENGINE_ERROR_SIZE, "%s \"%s\": driver %s: %s", text->kind, name,
		         driver, strerrordesc_np(-r));
}
