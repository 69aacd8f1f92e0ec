/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real file system that runs full, and one that is read-only: a small tmpfs in a mount namespace
 * of the test, which needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "outbox.h"

#define SKIPPED 77
#define MS      1000000ULL
#define EVENTS  6000U
#define PAYLOAD 400U

static char dir[] = "/tmp/cuebus-fault-XXXXXX";

static void leave(int code, const char *format, ...)
        __attribute__((format(printf, 2, 3), noreturn));
static void leave(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	(void)umount2(dir, MNT_DETACH);
	rmdir(dir);
	exit(code);
}

static void expect(bool right, const char *what)
{
	if (!right)
		leave(1, "not so: %s", what);
}

static void mount_small(void)
{
	if (!mkdtemp(dir))
		leave(1, "mkdtemp: %s", strerror(errno));
	if (geteuid() != 0)
		leave(SKIPPED, "SKIPPED: to mount a small file system takes root");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		leave(SKIPPED, "SKIPPED: no mount namespace here: %s", strerror(errno));
	if (mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700") < 0)
		leave(SKIPPED, "SKIPPED: no tmpfs can be mounted: %s", strerror(errno));
}

static struct outbox *open_outbox(const char *boot_id)
{
	struct outbox_config config = { .max_events = 100000,
		                        .max_bytes = 1ULL << 30,
		                        .dir = dir,
		                        .boot_id = boot_id,
		                        .retry_min_ns = 20 * MS,
		                        .retry_max_ns = 50 * MS,
		                        .memory_window = 64 };
	struct outbox *outbox = NULL;

	expect(outbox_new(&config, &outbox) == 0, "there is an outbox");
	return outbox;
}

static struct outbox_stats stats_of(struct outbox *outbox)
{
	struct outbox_stats stats;

	outbox_get_stats(outbox, &stats);
	return stats;
}

static void put_many(struct outbox *outbox, uint64_t from, uint64_t to)
{
	char payload[PAYLOAD];
	struct outbox_message m = {
		.topic = "t", .payload = payload, .payload_len = PAYLOAD, .qos = 1
	};

	for (m.seq = from; m.seq <= to; m.seq++) {
		memset(payload, 'a' + (int)(m.seq % 26), sizeof(payload));
		expect(outbox_put(outbox, &m) == 0, "the message was put");
	}
}

static void expect_many(struct outbox *outbox, uint64_t from, uint64_t to)
{
	struct outbox_message m;

	for (uint64_t seq = from; seq <= to; seq++) {
		while (outbox_take(outbox, &m) < 0)
			usleep(200);
		expect(m.seq == seq, "they come in order");
		expect(((const char *)m.payload)[PAYLOAD - 1] == 'a' + (int)(seq % 26),
		       "with what was put in");
		expect(outbox_release(outbox, m.id) == 0, "the message was released");
	}
}

static int count_note(void *user, const char *key, const void *value, size_t len)
{
	(void)user, (void)key, (void)value, (void)len;
	return 1;
}

static void runs_full(void)
{
	struct outbox *outbox = open_outbox("b1");
	struct outbox_stats stats;

	/* 2.4 MB and what the file needs besides do not fit into 2 MiB. */
	put_many(outbox, 1, EVENTS);
	while (stats_of(outbox).disk_failures == 0)
		usleep(1000);
	stats = stats_of(outbox);
	expect(!stats.on_disk && strstr(stats.reason, "full"), "health says that the disk is full");
	expect(stats.events == EVENTS, "nothing was given up");
	put_many(outbox, EVENTS + 1, EVENTS + 10);
	/* The order continues across messages on disk and messages in memory. */
	expect_many(outbox, 1, EVENTS / 2);
	/* Another process makes room. */
	while (!stats_of(outbox).on_disk) {
		expect(mount(NULL, dir, NULL, MS_REMOUNT, "size=16m") == 0, "the disk can grow");
		usleep(1000);
	}
	expect(outbox_flush(outbox, 60000 * MS) == 0, "all of it is on disk");
	outbox_free(outbox);
	outbox = open_outbox("b2");
	expect_many(outbox, EVENTS / 2 + 1, EVENTS + 10);
	expect(stats_of(outbox).events == 0, "that was all");
	outbox_free(outbox);
}

/** Only the outbox fills the disk: sending its messages makes room again. */
static void is_full_of_it(void)
{
	struct outbox *outbox;
	uint64_t n = 0;

	expect(mount(NULL, dir, NULL, MS_REMOUNT, "size=2m") == 0, "the disk can shrink");
	outbox = open_outbox("b5");
	expect(outbox_journal_put(outbox, "run", "x", 1) == 0, "a note was taken");
	/* In small transactions, so that the log has no reusable room. */
	for (; stats_of(outbox).disk_failures == 0; n++) {
		put_many(outbox, n + 1, n + 1);
		(void)outbox_flush(outbox, 60000 * MS);
	}
	expect_many(outbox, 1, n);
	while (!stats_of(outbox).on_disk)
		usleep(1000);
	put_many(outbox, 1, 10);
	outbox_free(outbox);
	outbox = open_outbox("b6");
	expect_many(outbox, 1, 10);
	expect(outbox_journal_foreach(outbox, count_note, NULL) == 1, "the note is still there");
	outbox_free(outbox);
}

static void is_read_only(void)
{
	struct outbox *outbox;

	outbox = open_outbox("b3");
	put_many(outbox, 1, 10);
	outbox_free(outbox);
	expect(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0,
	       "it can be made read-only");
	outbox = open_outbox("b4");
	put_many(outbox, 1, 10);
	expect_many(outbox, 1, 5);
	expect(!stats_of(outbox).on_disk && strstr(stats_of(outbox).reason, "ead-only"),
	       "health says that it is read-only");
	expect(mount(NULL, dir, NULL, MS_REMOUNT, NULL) == 0, "it can be made writable");
	while (!stats_of(outbox).on_disk)
		usleep(1000);
	expect_many(outbox, 1, 10); /* of b3 */
	expect_many(outbox, 6, 10);
	expect(stats_of(outbox).events == 0, "that was all");
	outbox_free(outbox);
}

int main(void)
{
	mount_small();
	runs_full();
	is_read_only();
	is_full_of_it();
	leave(0, "passed");
}
