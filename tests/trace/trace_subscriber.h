/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trace_subscriber.h
 * @brief Instrumented subscribers: `@subscribe NAME type=T …`.
 *
 * Each prints a line `@ NAME TYPE SEQ` when it is called, and more by its
 * flags: `reads-state` adds `state=` what the store holds for the event's type
 * and producer, `prints-data` adds `data=`. `mutates` edits a copy of the data
 * as a careless handler would, `fails` returns an error after printing,
 * `emits=TYPE` emits, `cancels=NAME` cancels another (or itself).
 */
#ifndef CUEBUS_TRACE_SUBSCRIBER_H
#define CUEBUS_TRACE_SUBSCRIBER_H

#include <cuebus/cuebus.h>
#include <stdio.h>

struct trace_subscribers;

int trace_subscribers_new(struct cue_bus *bus, FILE *out, struct trace_subscribers **ret);
struct trace_subscribers *trace_subscribers_free(struct trace_subscribers *subscribers);

/** @param args what follows `@subscribe`. @return 0; -EINVAL; -ENOMEM; what
 *  cue_bus_subscribe() returns. */
int trace_subscribers_add(struct trace_subscribers *subscribers, const char *args);
/** @return 0; -ENOENT. */
int trace_subscribers_cancel(struct trace_subscribers *subscribers, const char *name);

#endif
