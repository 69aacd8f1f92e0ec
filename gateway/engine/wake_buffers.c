/* SPDX-License-Identifier: Apache-2.0 */
#include "wake_buffers.h"

#include <stdlib.h>

#include "array.h"

struct wake_buffers *wake_buffers_new(void)
{
	return calloc(1, sizeof(struct wake_buffers));
}

struct wake_buffers *wake_buffers_free(struct wake_buffers *buffers)
{
	if (!buffers)
		return NULL;
	free(buffers->edges);
	free(buffers->failures);
	free(buffers->fds);
	free(buffers);
	return NULL;
}

bool wake_buffers_keep_edge(struct wake_buffers *b, struct input *input,
                            const struct driver_edge *edge)
{
	struct pending_edge *edges =
	        array_grow(b->edges, b->n_edges, &b->cap_edges, sizeof(*edges));

	if (!edges)
		return false;
	b->edges = edges;
	edges[b->n_edges++] =
	        (struct pending_edge){ .edge = *edge, .input = input, .order = b->n_read++ };
	return true;
}

void wake_buffers_keep_failure(struct wake_buffers *b, struct input *input, int error)
{
	struct failure *failures;

	for (size_t i = 0; i < b->n_failures; i++) {
		if (b->failures[i].input == input)
			return;
	}
	failures = array_grow(b->failures, b->n_failures, &b->cap_failures, sizeof(*failures));
	if (!failures)
		return; /* it will fail again at the next wake-up */
	b->failures = failures;
	failures[b->n_failures++] = (struct failure){ .input = input, .error = error };
}

void wake_buffers_forget_input(struct wake_buffers *b, const struct input *input)
{
	size_t n = 0;

	if (!b)
		return;
	for (size_t i = b->n_fed; i < b->n_edges; i++) {
		if (b->edges[i].input != input)
			b->edges[n++] = b->edges[i];
	}
	b->n_edges = n;
	b->n_fed = 0;
	n = 0;
	for (size_t i = 0; i < b->n_failures; i++) {
		if (b->failures[i].input != input)
			b->failures[n++] = b->failures[i];
	}
	b->n_failures = n;
}
