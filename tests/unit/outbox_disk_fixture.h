/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_disk_fixture.h
 * @brief Outboxes on a disk of the test's own, with numbered messages.
 */
#ifndef CUE_OUTBOX_DISK_FIXTURE_H
#define CUE_OUTBOX_DISK_FIXTURE_H

#include "cue_criterion.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "disk_fixture.h"
#include "outbox.h"
#include "time_limits.h"

#define MS       1000000ULL
#define FLUSH_NS limit_ns(60000 * MS)

static char dir[64];

static inline struct outbox_config config_of(const char *boot_id)
{
	return (struct outbox_config){
		.max_events = 100000,
		.max_bytes = 100000000,
		.dir = dir,
		.boot_id = boot_id,
		/* A slow call means a busy machine, not a disk that hangs. */
		.open_wait_ns = 3600000 * MS,
		.stall_ns = 3600000 * MS,
		.end_wait_ns = 3600000 * MS,
		.retry_min_ns = 5 * MS,
		.retry_max_ns = 20 * MS,
		.check_interval_ns = 5 * MS,
		.memory_window = 64,
	};
}

static inline struct outbox *make_with(const struct outbox_config *config)
{
	struct outbox *outbox = NULL;

	disk_install();
	cr_assert_eq(outbox_new(config, &outbox), 0);
	return outbox;
}

static inline struct outbox *make(const char *boot_id)
{
	struct outbox_config config = config_of(boot_id);

	return make_with(&config);
}

static inline struct outbox_stats stats_of(struct outbox *outbox)
{
	struct outbox_stats stats;

	outbox_get_stats(outbox, &stats);
	return stats;
}

/** Until the outbox is (or is not) on disk; the test's own time limit ends it otherwise. */
static inline void wait_on_disk(struct outbox *outbox, bool on_disk)
{
	while (stats_of(outbox).on_disk != on_disk)
		usleep(1000);
}

/** Bytes of each payload at least: more than SQLite keeps in memory of 20,000. */
static size_t padding;

static inline int put_qos(struct outbox *outbox, uint64_t seq, int qos)
{
	char payload[1024];
	int len = snprintf(payload, sizeof(payload), "event %llu", (unsigned long long)seq);
	struct outbox_message message = { .seq = seq,
		                          .topic = "t/x",
		                          .payload = payload,
		                          .payload_len = (size_t)len,
		                          .qos = qos };

	if (message.payload_len < padding) {
		memset(payload + len, ' ', padding - (size_t)len);
		message.payload_len = padding;
	}

	return outbox_put(outbox, &message);
}

static inline void put_many(struct outbox *outbox, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		cr_assert_eq(put_qos(outbox, seq, 1), 0);
}

/** The next message; waits for it. */
static inline struct outbox_message take(struct outbox *outbox)
{
	struct outbox_message message;

	while (outbox_take(outbox, &message) < 0)
		usleep(200);
	return message;
}

static inline void expect_many(struct outbox *outbox, const char *boot_id, uint64_t from,
                               uint64_t to)
{
	char payload[64];

	for (uint64_t seq = from; seq <= to; seq++) {
		struct outbox_message m = take(outbox);

		cr_assert_eq(m.seq, seq);
		cr_assert_str_eq(m.boot_id, boot_id);
		snprintf(payload, sizeof(payload), "event %llu", (unsigned long long)seq);
		cr_assert_eq(m.payload_len, strlen(payload));
		cr_assert_eq(memcmp(m.payload, payload, m.payload_len), 0);
		cr_assert_eq(outbox_release(outbox, m.id), 0);
	}
}

static inline void expect_none(struct outbox *outbox)
{
	struct outbox_message message;

	cr_assert_eq(outbox_take(outbox, &message), -EAGAIN);
	cr_assert_eq(stats_of(outbox).events, 0);
	cr_assert_eq(stats_of(outbox).bytes, 0);
	cr_assert_eq(stats_of(outbox).memory_events, 0);
	cr_assert_eq(stats_of(outbox).unwritten_events, 0);
}

static inline void expect_gap(struct outbox *outbox, const char *boot_id, uint64_t from,
                              uint64_t to, enum outbox_reason reason)
{
	struct outbox_gap gap;

	cr_assert(outbox_take_gap(outbox, &gap));
	cr_assert_str_eq(gap.boot_id, boot_id);
	cr_assert_eq(gap.from_seq, from);
	cr_assert_eq(gap.to_seq, to);
	cr_assert_eq(gap.count, to - from + 1);
	cr_assert_eq(gap.reason, reason);
}

/** How many files there are whose name contains @p part. */
static inline unsigned count_files(const char *part)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned n = 0;

	cr_assert_not_null(d);
	while ((entry = readdir(d)))
		n += strstr(entry->d_name, part) != NULL;
	closedir(d);
	return n;
}

/** Set aside, without their logs. */
static inline unsigned count_corrupt(void)
{
	return count_files(".corrupt-") - count_files("Z-wal");
}

static inline void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", dir, name);
}

#endif
