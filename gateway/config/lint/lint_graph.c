/* SPDX-License-Identifier: Apache-2.0 */
#include "lint_graph.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "array.h"

enum colour { NOT_SEEN, ON_PATH, DONE };

/* Depth first with an explicit path: chains may be longer than the stack. */
struct walk {
	const struct lint_graph *graph;
	size_t *first; /* edges of node i: first[i] to first[i + 1] */
	size_t *next;  /* the next edge to follow */
	size_t *path;
	size_t depth;
	unsigned char *colours;
	bool *told;
	void (*visit)(void *user, const size_t *path, size_t n);
	void *user;
};

void lint_graph_add(struct lint_graph *graph, size_t from, size_t to)
{
	struct lint_edge *edges;

	if (graph->error)
		return;
	edges = array_grow(graph->edges, graph->n, &graph->capacity, sizeof(*edges));
	if (!edges) {
		graph->error = -ENOMEM;
		return;
	}
	graph->edges = edges;
	graph->edges[graph->n++] = (struct lint_edge){ from, to };
}

void lint_graph_clear(struct lint_graph *graph)
{
	free(graph->edges);
	*graph = (struct lint_graph){ 0 };
}

static int by_from(const void *a, const void *b)
{
	const struct lint_edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static void enter(struct walk *walk, size_t node)
{
	walk->colours[node] = ON_PATH;
	walk->next[node] = walk->first[node];
	walk->path[walk->depth++] = node;
}

static void tell(struct walk *walk, size_t node)
{
	size_t start = walk->depth - 1;

	if (walk->told[node])
		return;
	walk->told[node] = true;
	while (walk->path[start] != node)
		start--;
	walk->visit(walk->user, walk->path + start, walk->depth - start);
}

static void walk_from(struct walk *walk, size_t root)
{
	enter(walk, root);
	while (walk->depth > 0) {
		size_t node = walk->path[walk->depth - 1], to;

		if (walk->next[node] == walk->first[node + 1]) {
			walk->colours[node] = DONE;
			walk->depth--;
			continue;
		}
		to = walk->graph->edges[walk->next[node]++].to;
		if (walk->colours[to] == NOT_SEEN)
			enter(walk, to);
		else if (walk->colours[to] == ON_PATH)
			tell(walk, to);
	}
}

int lint_graph_cycles(struct lint_graph *graph, size_t n_nodes,
                      void (*visit)(void *user, const size_t *path, size_t n), void *user)
{
	struct walk walk = { .graph = graph, .visit = visit, .user = user };
	int r = graph->error;

	if (r < 0 || n_nodes == 0 || graph->n == 0)
		return r;
	walk.first = calloc(n_nodes + 1, sizeof(*walk.first));
	walk.next = calloc(n_nodes, sizeof(*walk.next));
	walk.path = calloc(n_nodes, sizeof(*walk.path));
	walk.colours = calloc(n_nodes, sizeof(*walk.colours));
	walk.told = calloc(n_nodes, sizeof(*walk.told));
	if (!walk.first || !walk.next || !walk.path || !walk.colours || !walk.told) {
		r = -ENOMEM;
		goto out;
	}
	qsort(graph->edges, graph->n, sizeof(*graph->edges), by_from);
	for (size_t i = 0; i < graph->n; i++)
		walk.first[graph->edges[i].from + 1]++;
	for (size_t i = 0; i < n_nodes; i++)
		walk.first[i + 1] += walk.first[i];
	for (size_t i = 0; i < n_nodes; i++) {
		if (walk.colours[i] == NOT_SEEN)
			walk_from(&walk, i);
	}
out:
	free(walk.first);
	free(walk.next);
	free(walk.path);
	free(walk.colours);
	free(walk.told);
	return r;
}
