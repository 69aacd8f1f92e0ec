/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outputs_fixture.h
 * @brief Outputs in the engine, on a device whose faults the test decides. One per test;
 *        not thread-safe.
 */
#ifndef CUEBUS_OUTPUTS_FIXTURE_H
#define CUEBUS_OUTPUTS_FIXTURE_H

#include "engine_fixture.h"

#define MS CUE_NS_PER_MS

/** The devices behind "fake" outputs, by the digit at the end of the line's name. */
struct fake_line {
	struct output_driver base;
	bool level, is_open;
	int open_error, set_error, get_error;
	unsigned opened, closed;
	char history[64]; /**< 'o' open at 0, 'O' at 1, '0', '1', 'c' */
};

static struct fake_line lines[FAKES];

static inline struct fake_line *line_of(struct output_driver *driver)
{
	return (struct fake_line *)(void *)driver; /* `base` is the first member */
}

static inline void remember(struct fake_line *line, char what)
{
	size_t len = strlen(line->history);

	cr_assert_lt(len, sizeof(line->history) - 1);
	line->history[len] = what;
}

static int line_open(const struct output_config *config, struct output_driver **ret_driver,
                     char *error);

static inline int line_set(struct output_driver *driver, bool level)
{
	if (line_of(driver)->set_error)
		return line_of(driver)->set_error;
	line_of(driver)->level = level;
	remember(line_of(driver), level ? '1' : '0');
	return 0;
}

static inline int line_get(struct output_driver *driver, bool *ret_level)
{
	*ret_level = line_of(driver)->level;
	return line_of(driver)->get_error;
}

static inline void line_close(struct output_driver *driver)
{
	line_of(driver)->is_open = false;
	line_of(driver)->closed++;
	remember(line_of(driver), 'c');
}

static struct output_ops line_ops = {
	.name = "fake",
	.open = line_open,
	.set = line_set,
	.get = line_get,
	.close = line_close,
};

static inline int line_open(const struct output_config *config, struct output_driver **ret_driver,
                            char *error)
{
	struct fake_line *line = &lines[config->line[strlen(config->line) - 1] - '0'];

	cr_assert_str_eq(config->consumer, "cuebus:t");
	if (line->is_open || line->open_error) {
		snprintf(error, DRIVER_ERROR_SIZE, "%s is %s", config->line,
		         line->is_open ? "busy" : "broken");
		return line->is_open ? -EBUSY : line->open_error;
	}
	line->base.ops = &line_ops;
	line->is_open = true;
	line->opened++;
	line->level = config->initial;
	remember(line, config->initial ? 'O' : 'o');
	*ret_driver = &line->base;
	return 0;
}

static inline const struct output_ops *line_find(const char *name)
{
	return strcmp(name, "fake") == 0 ? &line_ops : NULL;
}

static inline char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static inline struct config_output output(const char *name, const char *line, const char *on_event,
                                          const char *value)
{
	return (struct config_output){
		.name = text(name),
		.driver = text("fake"),
		.line = text(line),
		.on_event = text(on_event),
		.value = text(value),
	};
}

static inline struct config config_of(struct config_output *outputs, size_t n)
{
	return (struct config){
		.gateway = { .id = text("t") },
		.outputs = outputs,
		.n_outputs = n,
	};
}

static inline void on_unsafe(void *user, const char *name, int error)
{
	struct fixture *f = user;
	size_t len = strlen(f->failures);

	snprintf(f->failures + len, sizeof(f->failures) - len, "%s: %s\n", name,
	         strerrordesc_np(-error));
}

static inline void set_up(struct fixture *f, const struct config *config)
{
	memset(lines, 0, sizeof(lines));
	line_ops.check_ns = 0;
	fixture_find_output = line_find;
	fixture_output_unsafe = on_unsafe;
	fixture_set_up(f, config);
}

static inline void emit(struct fixture *f, const char *type, const char *json)
{
	struct cue_emit e = { .type = type, .time_ns = CUE_TIME_NONE };

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &e.payload, NULL), 0);
	cr_assert_eq(cue_bus_emit(engine_bus(f->engine), &e, NULL), 0);
	cue_payload_unref(e.payload);
}

struct seen {
	const char *name;
	bool found, level, failed;
	enum engine_output_why why;
	uint64_t time_ns;
};

static inline int look(void *user, const struct engine_output_info *info)
{
	struct seen *seen = user;

	if (strcmp(info->name, seen->name) != 0)
		return 0;
	seen->found = true;
	seen->level = info->level;
	seen->failed = info->failed;
	seen->why = info->why;
	seen->time_ns = info->time_ns;
	return 1;
}

static inline struct seen see(struct fixture *f, const char *name)
{
	struct seen seen = { .name = name };

	(void)engine_output_foreach(f->engine, look, &seen);
	cr_assert(seen.found);
	return seen;
}

static inline struct engine_output_totals totals(struct fixture *f)
{
	struct engine_output_totals t;

	engine_get_output_totals(f->engine, &t);
	return t;
}

#endif
