/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an outbox writes for events that the broker acknowledges at once, as the
 * kernel counts it (write_bytes in /proc/self/io): each mode in a process of its
 * own, as a ratio to `outbox.disk: always` with `outbox.sync: batch`.
 *
 *   bench_disk_writes [folder [events [interval_ms]]]
 *
 * The folder must be on a disk: on a tmpfs the kernel counts nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outbox.h"

#define PAYLOAD  250U
#define FLUSH_NS 60000000000ULL

struct mode {
	const char *name;
	enum outbox_sync sync;
	enum outbox_when when;
};

static const struct mode modes[] = {
	{ "always, batch", OUTBOX_SYNC_BATCH, OUTBOX_DISK_ALWAYS },
	{ "always, always", OUTBOX_SYNC_ALWAYS, OUTBOX_DISK_ALWAYS },
	{ "always, never", OUTBOX_SYNC_NEVER, OUTBOX_DISK_ALWAYS },
	{ "when_away, batch", OUTBOX_SYNC_BATCH, OUTBOX_DISK_WHEN_AWAY },
	{ "when_away, always", OUTBOX_SYNC_ALWAYS, OUTBOX_DISK_WHEN_AWAY },
};

struct result {
	unsigned long long bytes, commits, syncs; /* syncs: times that the disk was waited for */
};

static unsigned long long written(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	unsigned long long bytes = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		(void)sscanf(line, "write_bytes: %llu", &bytes);
	if (f)
		fclose(f);
	return bytes;
}

static void one(struct outbox *outbox, unsigned long seq, unsigned interval_ms)
{
	static const char payload[PAYLOAD] = "{\"event_type\":\"button.press\"}";
	struct outbox_message m = { .seq = seq,
		                    .topic = "cuebus/1/bench/bus/button/press",
		                    .payload = payload,
		                    .payload_len = sizeof(payload),
		                    .qos = 1 };

	outbox_put(outbox, &m);
	while (outbox_take(outbox, &m) < 0)
		usleep(50);
	outbox_release(outbox, m.id);
	usleep(interval_ms * 1000);
}

static int measure(const struct mode *mode, const char *dir, unsigned long events,
                   unsigned interval_ms, struct result *ret_result)
{
	struct outbox_config config = { .max_events = 1000000,
		                        .max_bytes = 256 * 1024 * 1024,
		                        .dir = dir,
		                        .boot_id = "bench",
		                        .sync = mode->sync,
		                        .when = mode->when };
	struct outbox_stats before, after;
	unsigned long long bytes;
	struct outbox *outbox;

	if (outbox_new(&config, &outbox) < 0 || outbox_flush(outbox, FLUSH_NS) < 0)
		return -1;
	outbox_set_connected(outbox, true);
	one(outbox, 1, 200); /* what making the file and the first event cost is not counted */
	outbox_get_stats(outbox, &before);
	bytes = written();
	for (unsigned long i = 0; i < events; i++)
		one(outbox, i + 2, interval_ms);
	usleep(200000); /* deletions */
	outbox_get_stats(outbox, &after);
	ret_result->bytes = written() - bytes;
	ret_result->commits = after.commits - before.commits;
	ret_result->syncs =
	        mode->sync == OUTBOX_SYNC_ALWAYS ? ret_result->commits : after.syncs - before.syncs;
	outbox_free(outbox);
	return 0;
}

/** In a child: the kernel counts for each process. */
static int measure_apart(const struct mode *mode, const char *folder, unsigned long events,
                         unsigned interval_ms, struct result *ret_result)
{
	char dir[4096], command[4200];
	int fds[2], status = 1;
	ssize_t n;
	pid_t child;

	if (snprintf(dir, sizeof(dir), "%s/bench-XXXXXX", folder) >= (int)sizeof(dir) ||
	    !mkdtemp(dir) || pipe(fds) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		struct result result = { 0 };

		if (measure(mode, dir, events, interval_ms, &result) < 0 ||
		    write(fds[1], &result, sizeof(result)) != sizeof(result))
			_exit(1);
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], ret_result, sizeof(*ret_result));
	close(fds[0]);
	waitpid(child, &status, 0);
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command) == 0 && n == sizeof(*ret_result) && status == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "/var/tmp";
	unsigned long events = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
	unsigned interval_ms = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 100;
	struct result base = { 0 };

	printf("%lu events, one every %u ms, in %s\n", events, interval_ms, folder);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		struct result result;

		if (measure_apart(&modes[i], folder, events, interval_ms, &result) < 0) {
			fprintf(stderr, "%s: failed in %s\n", modes[i].name, folder);
			return 1;
		}
		if (i == 0)
			base = result;
		printf("%-18s %6llu KiB, %4llu transactions, %4llu syncs: %.3f of the first\n",
		       modes[i].name, result.bytes / 1024, result.commits, result.syncs,
		       base.bytes ? (double)result.bytes / (double)base.bytes : 0);
	}
	return 0;
}
