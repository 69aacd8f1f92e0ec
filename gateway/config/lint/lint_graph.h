/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file lint_graph.h
 * @brief Cycles in a directed graph.
 */
#ifndef CUEBUS_LINT_GRAPH_H
#define CUEBUS_LINT_GRAPH_H

#include <stddef.h>

struct lint_edge {
	size_t from, to;
};

/** Zero-initialise before use; lint_graph_clear() after. */
struct lint_graph {
	struct lint_edge *edges;
	size_t n, capacity;
	int error; /**< sticky: -ENOMEM */
};

void lint_graph_add(struct lint_graph *graph, size_t from, size_t to);
void lint_graph_clear(struct lint_graph *graph);

/**
 * Report cycles: at least one of each set of nodes that reach one another, at most one that ends at
 * any node. Takes time linear in nodes and edges.
 * @param visit gets the path with each node once; the last leads back to the first.
 * @return 0; -ENOMEM.
 */
int lint_graph_cycles(struct lint_graph *graph, size_t n_nodes,
                      void (*visit)(void *user, const size_t *path, size_t n), void *user);

#endif
