/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file timeline.h
 * @brief `simulate --timeline`: the events as an ASCII drawing.
 *
 * One lane for each event type in order of first appearance, one bar for each run, a time axis
 * above. Times are relative to the start. Thread: one.
 */
#ifndef CUEBUS_TIMELINE_H
#define CUEBUS_TIMELINE_H

#include <cuebus/event.h>
#include <stdint.h>
#include <stdio.h>

#define TIMELINE_WIDTH_MIN 40U
#define TIMELINE_WIDTH_MAX 1000U

struct timeline;

int timeline_new(struct timeline **ret_timeline);
struct timeline *timeline_free(struct timeline *timeline);

/** Add an event. @param time_ns since the start. @return 0; -ENOMEM. */
int timeline_add(struct timeline *timeline, const struct cue_event *event, uint64_t time_ns);

/**
 * Draw.
 * @param end_ns right end of the axis; later events are not drawn.
 * @param width  total columns, TIMELINE_WIDTH_MIN to TIMELINE_WIDTH_MAX.
 */
void timeline_draw(const struct timeline *timeline, uint64_t end_ns, unsigned width, FILE *stream);

#endif
