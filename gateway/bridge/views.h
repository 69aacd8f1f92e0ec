/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file views.h
 * @brief The retained views: P/info, P/input/<name>, P/output/<name>, P/playlist/<name>.
 *
 * A change only marks a view. views_flush() writes the marked views to the retained map, at most
 * every VIEWS_INTERVAL_NS, so that many changes a second of one playlist cost only one view.
 * Thread: the loop's.
 */
#ifndef CUEBUS_VIEWS_H
#define CUEBUS_VIEWS_H

#include "engine.h"
#include "log.h"
#include "retained.h"
#include "topics.h"

struct views;

#define VIEWS_INTERVAL_NS (200 * CUE_NS_PER_MS)

/** All borrowed, must outlive the views. */
struct views_config {
	struct engine *engine;
	const struct topics *topics;
	struct retained *retained;
	struct log *log;
	const char *boot_id;
	const char *version;
	uint64_t start_ns; /**< monotonic, for started_at */
};

/** @return 0; -ENOMEM. */
int views_new(const struct views_config *config, struct views **ret_views);
struct views *views_free(struct views *views);

/** Call at the start and after a reload: mark info first, then every current and former input,
 * output and playlist. */
void views_mark_all(struct views *views);
void views_mark_input(struct views *views, const char *name);
void views_mark_output(struct views *views, const char *name);
void views_mark_playlist(struct views *views, const char *name);
/** The lists of names in P/info. */
void views_mark_info(struct views *views);

/** Write the marked views, if it is time. */
void views_flush(struct views *views, uint64_t now_ns);
/** When views_flush() next has work; CUE_TIME_NONE never. */
uint64_t views_next_deadline(const struct views *views);

#endif
