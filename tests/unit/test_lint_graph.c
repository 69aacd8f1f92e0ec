/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "lint_graph.h"

struct found {
	size_t cycles;
	size_t path[8];
	size_t n;
};

static void note(void *user, const size_t *path, size_t n)
{
	struct found *found = user;

	found->cycles++;
	found->n = n;
	for (size_t i = 0; i < n && i < 8; i++)
		found->path[i] = path[i];
}

static struct found cycles(struct lint_graph *graph, size_t n_nodes)
{
	struct found found = { 0 };

	cr_assert_eq(lint_graph_cycles(graph, n_nodes, note, &found), 0);
	lint_graph_clear(graph);
	return found;
}

Test(lint_graph, tree_and_diamond_have_none)
{
	struct lint_graph graph = { 0 };

	lint_graph_add(&graph, 0, 1);
	lint_graph_add(&graph, 0, 2);
	lint_graph_add(&graph, 1, 3);
	lint_graph_add(&graph, 2, 3);
	cr_assert_eq(cycles(&graph, 4).cycles, 0);
	cr_assert_eq(cycles(&graph, 0).cycles, 0);
}

Test(lint_graph, path_of_a_cycle_in_order)
{
	struct lint_graph graph = { 0 };
	struct found found;

	lint_graph_add(&graph, 0, 2);
	lint_graph_add(&graph, 2, 1);
	lint_graph_add(&graph, 1, 3);
	lint_graph_add(&graph, 3, 2);
	found = cycles(&graph, 4);
	cr_assert_eq(found.cycles, 1);
	cr_assert_eq(found.n, 3);
	cr_assert_eq(found.path[0], 2);
	cr_assert_eq(found.path[1], 1);
	cr_assert_eq(found.path[2], 3);
}

Test(lint_graph, cycles_apart_are_each_told)
{
	struct lint_graph graph = { 0 };

	lint_graph_add(&graph, 0, 0);
	lint_graph_add(&graph, 1, 2);
	lint_graph_add(&graph, 2, 1);
	lint_graph_add(&graph, 2, 1); /* twice the same edge is no second cycle */
	cr_assert_eq(cycles(&graph, 3).cycles, 2);
}

Test(lint_graph, long_chain_needs_no_stack)
{
	struct lint_graph graph = { 0 };
	const size_t n = 300000;
	struct found found;

	for (size_t i = 0; i < n; i++)
		lint_graph_add(&graph, i, (i + 1) % n);
	found = cycles(&graph, n);
	cr_assert_eq(found.cycles, 1);
	cr_assert_eq(found.n, n);
}
