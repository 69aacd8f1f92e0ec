/* SPDX-License-Identifier: Apache-2.0 */
#include "views.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "view_json.h"

struct view {
	enum view_kind kind;
	bool marked;
	struct view *next_marked;
	struct view *next; /* of all */
	char name[];
};

struct views {
	struct views_config config;
	void *by_name; /* tsearch(3), kind and name */
	struct view *all;
	struct view *marked_head, *marked_tail;
	bool info_marked;
	uint64_t next_flush_ns;
};

static int compare(const void *a, const void *b)
{
	const struct view *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void no_free(void *node)
{
	(void)node; /* the list frees the views */
}

int views_new(const struct views_config *config, struct views **ret_views)
{
	struct views *views = calloc(1, sizeof(*views));

	if (!views)
		return -ENOMEM;
	views->config = *config;
	*ret_views = views;
	return 0;
}

struct views *views_free(struct views *views)
{
	if (!views)
		return NULL;
	tdestroy(views->by_name, no_free);
	while (views->all) {
		struct view *view = views->all;

		views->all = view->next;
		free(view);
	}
	free(views);
	return NULL;
}

static struct view *find_or_add(struct views *views, enum view_kind kind, const char *name)
{
	struct view *view = calloc(1, sizeof(*view) + strlen(name) + 1), **node;

	if (!view)
		return NULL;
	view->kind = kind;
	memcpy(view->name, name, strlen(name) + 1);
	node = tsearch(view, &views->by_name, compare);
	if (!node || *node != view) {
		free(view);
		return node ? *node : NULL;
	}
	view->next = views->all;
	views->all = view;
	return view;
}

static void mark_view(struct views *views, struct view *view)
{
	if (view->marked)
		return;
	view->marked = true;
	view->next_marked = NULL;
	if (views->marked_tail)
		views->marked_tail->next_marked = view;
	else
		views->marked_head = view;
	views->marked_tail = view;
}

static void mark(struct views *views, enum view_kind kind, const char *name)
{
	struct view *view = find_or_add(views, kind, name);

	if (view)
		mark_view(views, view);
	else
		log_write(views->config.log, LOG_LEVEL_ERROR,
		          "out of memory: a retained view was not updated");
}

void views_mark_input(struct views *views, const char *name)
{
	mark(views, VIEW_INPUT, name);
}

void views_mark_output(struct views *views, const char *name)
{
	mark(views, VIEW_OUTPUT, name);
}

void views_mark_playlist(struct views *views, const char *name)
{
	mark(views, VIEW_PLAYLIST, name);
}

void views_mark_info(struct views *views)
{
	views->info_marked = true;
}

static int mark_input(void *user, const struct engine_input_info *info)
{
	views_mark_input(user, info->name);
	return 0;
}

static int mark_output(void *user, const struct engine_output_info *info)
{
	views_mark_output(user, info->name);
	return 0;
}

static int mark_playlist(void *user, const struct cue_playlist_info *info)
{
	views_mark_playlist(user, info->name);
	return 0;
}

void views_mark_all(struct views *views)
{
	views_mark_info(views);
	(void)engine_input_foreach(views->config.engine, mark_input, views);
	(void)engine_output_foreach(views->config.engine, mark_output, views);
	(void)cue_playlist_foreach(engine_playlists(views->config.engine), mark_playlist, views);
	/* Mark the views of removed names too. */
	for (struct view *view = views->all; view; view = view->next)
		mark_view(views, view);
	views->next_flush_ns = 0;
}

/* ---- flushing ---- */

/** Put one view's text, or its absence, into the retained map. */
static void store(struct views *views, const char *below, const char *name, int r,
                  struct cue_writer *w)
{
	char topic[TOPIC_SIZE];
	char *text = NULL;
	size_t len = 0;

	if (r == -ENOENT)
		cue_writer_clear(w);
	else if (cue_writer_finish(w, &text, &len) < 0)
		r = -ENOMEM;
	if (topics_below(views->config.topics, below, name, topic) < 0 ||
	    !topics_is_publishable(topic)) {
		log_write(views->config.log, LOG_LEVEL_WARNING,
		          "'%.200s' has no retained view: its topic would be too long or hold a "
		          "wildcard",
		          name ? name : below);
		free(text);
		return;
	}
	if (r == -ENOENT)
		retained_clear(views->config.retained, topic);
	else if (r >= 0)
		r = retained_set(views->config.retained, topic, text, len, 1);
	if (r == -ENOMEM)
		log_write(views->config.log, LOG_LEVEL_ERROR,
		          "out of memory: retained view '%.200s' was not updated", topic);
	free(text);
}

static void flush_info(struct views *views)
{
	struct view_info info = {
		.engine = views->config.engine,
		.boot_id = views->config.boot_id,
		.version = views->config.version,
		.start_ns = views->config.start_ns,
	};
	struct cue_writer w = { 0 };

	view_write_info(&w, &info);
	store(views, "info", NULL, 0, &w);
	views->info_marked = false;
}

/** @return 0; -ENOENT its object no longer exists. */
static int flush_view(struct views *views, const struct view *view)
{
	static const char *const below[] = {
		[VIEW_INPUT] = "input",
		[VIEW_OUTPUT] = "output",
		[VIEW_PLAYLIST] = "playlist",
	};
	static int (*const write[])(struct cue_writer *, struct engine *, const char *) = {
		[VIEW_INPUT] = view_write_input,
		[VIEW_OUTPUT] = view_write_output,
		[VIEW_PLAYLIST] = view_write_playlist,
	};
	struct cue_writer w = { 0 };
	int r = write[view->kind](&w, views->config.engine, view->name);

	store(views, below[view->kind], view->name, r, &w);
	return r;
}

/** Free a view whose object no longer exists; not while it is in the list of marked ones. */
static void forget(struct views *views, struct view *view)
{
	struct view **at = &views->all;

	while (*at != view)
		at = &(*at)->next;
	*at = view->next;
	tdelete(view, &views->by_name, compare);
	free(view);
}

void views_flush(struct views *views, uint64_t now_ns)
{
	struct view *view;

	if (now_ns < views_next_deadline(views) || (!views->info_marked && !views->marked_head))
		return;
	views->next_flush_ns = now_ns + VIEWS_INTERVAL_NS;
	if (views->info_marked)
		flush_info(views);
	while ((view = views->marked_head)) {
		views->marked_head = view->next_marked;
		if (!views->marked_head)
			views->marked_tail = NULL;
		view->marked = false;
		if (flush_view(views, view) == -ENOENT)
			forget(views, view);
	}
}

uint64_t views_next_deadline(const struct views *views)
{
	return views->info_marked || views->marked_head ? views->next_flush_ns : CUE_TIME_NONE;
}
