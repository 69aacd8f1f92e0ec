/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file driver.h
 * @brief A source of edges: the vtable every driver implements.
 *
 * A driver turns a source (libgpiod lines, a trace file, commands) into edges with kernel
 * timestamps. Decoders (decoder.h) interpret the edges; the caller provides the time. Threads: call
 * all functions from the loop thread. None of them blocks.
 */
#ifndef CUEBUS_DRIVER_H
#define CUEBUS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRIVER_LINES_MAX  2U
#define DRIVER_ERROR_SIZE 512U

enum driver_bias {
	DRIVER_BIAS_AS_IS,
	DRIVER_BIAS_DISABLED,
	DRIVER_BIAS_PULL_UP,
	DRIVER_BIAS_PULL_DOWN
};

/** Arguments of open(), borrowed for the call. */
struct driver_config {
	const char *input; /**< the input's name, for messages and as part of the consumer label. */
	const char *consumer; /**< label shown by gpioinfo, e.g. "cuebus:porch". */
	/** chip's label, name (gpiochip0) or path; NULL: the first chip with a line of that
	 * name. */
	const char *chip;
	/** line names, or offsets in decimal if chip is given. */
	const char *lines[DRIVER_LINES_MAX];
	size_t n_lines;
	enum driver_bias bias;
	bool active_low;
	const char *file; /**< replay: the trace file. */
	uint64_t now_ns;  /**< CLOCK_MONOTONIC at open; replay counts from here. */
	/** replay: the clock; must outlive the driver. NULL: CLOCK_MONOTONIC. */
	uint64_t (*clock_ns)(void *user);
	void *clock_user;
};

/** One edge, or (gap) the report that edges were lost. */
struct driver_edge {
	uint64_t time_ns; /**< CLOCK_MONOTONIC of the edge, from the kernel. */
	unsigned line;    /**< index into driver_config.lines */
	bool level;       /**< the line's logical level after the edge (active = true). */
	bool gap;         /**< edges before this one were lost: `level` was re-read. */
};

struct driver;

struct driver_ops {
	const char *name;
	/**
	 * Request the lines. On failure @p error (DRIVER_ERROR_SIZE bytes) has one sentence that
	 * names chip, line, consumer and remedy.
	 * @return 0; -ENODEV no such chip; -ENOENT no such line; -EBUSY held by another consumer;
	 *         -EACCES; -EINVAL; -EIO; -ENOMEM.
	 */
	int (*open)(const struct driver_config *config, struct driver **ret_driver, char *error);
	/** Descriptor that is readable when read() has work; -1: none (sim). Owned by the driver.
	 * @param index from 0; past the last descriptor the result is -1. */
	int (*fd)(const struct driver *driver, unsigned index);
	/**
	 * Read the waiting edges, oldest first, without blocking.
	 * @return number of edges stored, fewer than @p max_edges only if no edge remains, 0 if
	 *         there is none; negative errno if the source failed (it must then be closed and
	 *         may be opened again).
	 */
	int (*read)(struct driver *driver, struct driver_edge *edges, size_t max_edges);
	/** The current logical level of a line. @return 0 or negative errno. */
	int (*get)(struct driver *driver, unsigned line, bool *ret_level);
	/** Time at which read() next has work without a readable fd (replay, or edges that did not
	 * fit into the caller's array); UINT64_MAX: never. */
	uint64_t (*next_ns)(const struct driver *driver);
	void (*close)(struct driver *driver);
};

/** Base of every driver's struct. */
struct driver {
	const struct driver_ops *ops;
};

/** Find a driver: "gpio" (libgpiod, 1.x or 2.x as built), "sim" or "replay". NULL: unknown. */
const struct driver_ops *driver_find(const char *name);

/** Version of libgpiod, e.g. "libgpiod 1.6.3 (v1)", for --version and P/info. */
const char *driver_gpio_version(void);

/**
 * sim: append an edge to a driver of the name "sim"; read() returns it.
 * @return 0; -EINVAL not a sim driver, or no such line; -ENOBUFS too many edges wait (1,024).
 */
int driver_sim_set(struct driver *driver, unsigned line, bool level, uint64_t time_ns);

#endif
