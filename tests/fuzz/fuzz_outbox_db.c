/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A damaged outbox.db. The input is the file; the seeds are good ones. For any input the outbox
 * opens, sends the readable messages and drops the rest. Each message that it counted as restored
 * is either sent or dropped. The file still exists under its name or another one, and the outbox
 * works afterwards.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outbox.h"

#define FLUSH_NS 20000000000ULL
#define POLL_US  50

static char dir[] = "/dev/shm/cuebus-fuzz-XXXXXX";
static char path[64];

/** @return how many files there were. */
static unsigned empty_folder(void)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned n = 0;

	FUZZ_CHECK(d);
	while ((entry = readdir(d))) {
		n += entry->d_name[0] != '.';
		if (entry->d_name[0] != '.')
			FUZZ_CHECK(unlinkat(dirfd(d), entry->d_name, 0) == 0);
	}
	closedir(d);
	return n;
}

static void remove_folder(void)
{
	(void)empty_folder();
	rmdir(dir);
}

static void write_file(const uint8_t *data, size_t size)
{
	int fd;

	if (!path[0]) {
		FUZZ_CHECK(mkdtemp(dir));
		snprintf(path, sizeof(path), "%s/outbox.db", dir);
		atexit(remove_folder);
	}
	(void)empty_folder();
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static int see_note(void *user, const char *key, const void *value, size_t len)
{
	(void)user;
	FUZZ_CHECK(strlen(key) <= OUTBOX_KEY_MAX);
	FUZZ_CHECK(len == 0 || value);
	return 0;
}

static struct outbox *open_outbox(void)
{
	struct outbox_config config = { .max_events = 1000000,
		                        .max_bytes = 1U << 28,
		                        .dir = dir,
		                        .boot_id = "fuzz",
		                        .sync = OUTBOX_SYNC_NEVER,
		                        .commit_interval_ns = 1,
		                        .retry_min_ns = 1000,
		                        .retry_max_ns = 1000000,
		                        .memory_window = 4 };
	struct outbox *outbox = NULL;

	FUZZ_CHECK(outbox_new(&config, &outbox) == 0);
	return outbox;
}

/** Take an event or a reply: replies of a damaged file move to the lane of the new file. */
static bool take(struct outbox *outbox, struct outbox_message *ret_message)
{
	return outbox_take(outbox, ret_message) == 0 || outbox_take_reply(outbox, ret_message) == 0;
}

/** @return how many came. */
static uint64_t send_all(struct outbox *outbox)
{
	struct outbox_stats stats;
	struct outbox_message m;
	uint64_t n = 0;

	for (;;) {
		while (take(outbox, &m)) {
			FUZZ_CHECK(m.topic && m.boot_id && strlen(m.boot_id) < OUTBOX_BOOT_ID_SIZE);
			FUZZ_CHECK(m.payload || m.payload_len == 0);
			FUZZ_CHECK(outbox_release(outbox, m.id) == 0);
			n++;
		}
		outbox_get_stats(outbox, &stats);
		if (stats.events == 0 && stats.replies == 0)
			return n;
		usleep(POLL_US);
	}
}

static void put_one(struct outbox *outbox)
{
	struct outbox_message m = {
		.seq = 1, .topic = "after", .payload = "x", .payload_len = 1, .qos = 1
	};

	FUZZ_CHECK(outbox_put(outbox, &m) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outbox *outbox;
	struct outbox_stats stats;
	struct outbox_gap gap;
	uint64_t sent;

	write_file(data, size);
	outbox = open_outbox();
	FUZZ_CHECK(outbox_journal_foreach(outbox, see_note, NULL) == 0);
	(void)outbox_flush(outbox, FLUSH_NS);
	put_one(outbox);
	sent = send_all(outbox);
	(void)outbox_flush(outbox, FLUSH_NS);
	outbox_get_stats(outbox, &stats);
	/* A file that takes several tries may be found after all else was sent: then it waits. */
	FUZZ_CHECK(sent + stats.dropped + stats.events + stats.replies == stats.restored + 1);
	while (outbox_take_gap(outbox, &gap)) {
		FUZZ_CHECK(gap.count > 0 && gap.from_seq <= gap.to_seq);
		/* May exceed the number of dropped rows: if a part of the file is missing, the gap
		 * names every seq between the rows beside it, and nothing counts the missing
		 * rows. */
		FUZZ_CHECK(gap.count - 1 <= gap.to_seq - gap.from_seq);
	}
	outbox_free(outbox);
	/* No file is deleted. */
	FUZZ_CHECK(empty_folder() > 0);
	return 0;
}
