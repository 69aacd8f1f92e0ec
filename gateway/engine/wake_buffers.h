/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file wake_buffers.h
 * @brief What a wake collects: edges that wait to be fed and inputs that failed, kept from one wake
 *        to the next. Private to the engine; thread: the loop's.
 */
#ifndef CUEBUS_WAKE_BUFFERS_H
#define CUEBUS_WAKE_BUFFERS_H

#include <poll.h>

#include "engine_internal.h"

struct pending_edge {
	struct driver_edge edge;
	struct input *input;
	uint64_t order; /**< of reading; makes the sort stable */
};

struct failure {
	struct input *input;
	int error;
};

struct wake_buffers {
	struct pending_edge *edges; /**< edges from n_fed on wait to be fed */
	size_t n_edges, n_fed, cap_edges;
	uint64_t n_read;
	struct failure *failures;
	size_t n_failures, cap_failures;
	struct pollfd *fds;
	size_t n_fds, cap_fds;
};

/** Empty. @return NULL: no memory. */
struct wake_buffers *wake_buffers_new(void);
/** NULL is allowed. @return NULL. */
struct wake_buffers *wake_buffers_free(struct wake_buffers *buffers);

/** @return false: no memory. */
bool wake_buffers_keep_edge(struct wake_buffers *b, struct input *input,
                            const struct driver_edge *edge);
/** Once for each input; without memory not at all: it fails again at the next wake. */
void wake_buffers_keep_failure(struct wake_buffers *b, struct input *input, int error);
/** Drop edges that were read from the input and not yet fed. @p b NULL: there are none. */
void wake_buffers_forget_input(struct wake_buffers *b, const struct input *input);

#endif
