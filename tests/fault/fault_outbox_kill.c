/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 while the outbox is at work, again and again on the same file.
 *
 * A child puts numbered messages in groups, with notes in the journal, takes and releases them as
 * an egress would, and reports on a pipe what it took and what it is about to release. It is killed
 * at a random moment. Then the file must hold, for this boot and every earlier one:
 *   - each message up to the last reported one, unless its release was reported;
 *   - in order, with the content that was put;
 *   - whole groups, and exactly the notes that belong to them.
 *
 *   fault_outbox_kill [rounds [seed]]
 */
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "outbox.h"

#define ROUNDS    20U
#define BOOTS_MAX 256U
#define SEQ_MAX   4000U
#define GROUP_MAX 12U
#define WINDOW    20U
#define FLUSH_NS  60000000000ULL

static char dir[] = "/tmp/cuebus-fault-XXXXXX";
static unsigned seed;

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "seed %u: ", seed);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nthe files are in %s\n", dir);
	va_end(args);
	exit(1);
}

/* ---- the plan of a boot, the same in child and parent ---- */

static unsigned mix(unsigned a, unsigned b)
{
	unsigned x = (a * 2654435761U) ^ (b * 2246822519U) ^ seed;

	x ^= x >> 15;
	x *= 2246822519U;
	x ^= x >> 13;
	x *= 3266489917U;
	return x ^ (x >> 16);
}

/** A group begins at @p seq: how many messages it has. */
static unsigned group_size(unsigned boot, unsigned seq)
{
	return 1 + mix(boot, seq) % GROUP_MAX;
}

static int qos_of(unsigned boot, unsigned seq)
{
	return mix(boot + 1000, seq) % 5 == 0 ? 0 : 1;
}

static size_t write_payload(char *payload, unsigned boot, unsigned seq)
{
	size_t len = (size_t)sprintf(payload, "%u/%u:", boot, seq);
	size_t padding = mix(boot + 2000, seq) % 400;

	/* Now and then one that does not fit into a page. */
	if (seq % 50 == 0)
		padding += 6000;
	memset(payload + len, 'a' + (int)(seq % 26), padding);
	return len + padding;
}

static void write_key(char *key, unsigned boot, unsigned seq)
{
	snprintf(key, OUTBOX_KEY_MAX, "%u/%u", boot, seq);
}

/** The group that begins at @p seq notes its beginning and removes the note of the group before. */
static void note(struct outbox *outbox, unsigned boot, unsigned seq, unsigned before)
{
	char key[OUTBOX_KEY_MAX];

	if (before) {
		write_key(key, boot, before);
		outbox_journal_remove(outbox, key);
	}
	write_key(key, boot, seq);
	if (outbox_journal_put(outbox, key, key, strlen(key)) < 0)
		fail("a note was refused");
}

/* ---- the child ---- */

struct record {
	char what; /* 't'aken, 'r'eleased next, 'd'one with everything */
	unsigned boot, seq;
};

struct child {
	struct outbox *outbox;
	int pipe;
	unsigned boot;
};

static void tell(const struct child *child, char what, const struct outbox_message *m)
{
	struct record record = { .what = what };

	if (m && (sscanf(m->boot_id, "boot%u", &record.boot) != 1 || record.boot > child->boot))
		_exit(4);
	record.seq = m ? (unsigned)m->seq : 0;

	if (write(child->pipe, &record, sizeof(record)) != sizeof(record))
		_exit(3);
}

/** As an egress: a window in flight, acknowledged out of order; now and then a new session. */
static void *egress(void *user)
{
	struct child *child = user;
	struct outbox_message flight[WINDOW], m;
	/* Every third hardly keeps up, so that much is waiting. */
	unsigned often = child->boot % 3 == 1 ? 2 : 27, n = 0;

	for (unsigned turn = 0;; turn++) {
		while (n < WINDOW && outbox_take(child->outbox, &m) == 0) {
			tell(child, 't', &m);
			flight[n++] = m;
		}
		if (n > 0 && mix(child->boot, turn) % 40 < often) {
			unsigned i = mix(turn, child->boot) % n;

			tell(child, 'r', &flight[i]);
			if (outbox_release(child->outbox, flight[i].id) < 0)
				_exit(5);
			flight[i] = flight[--n];
		} else if (mix(child->boot, turn) % 64 == 0) {
			outbox_rewind(child->outbox);
			n = 0;
		} else {
			usleep(300);
		}
	}
	return NULL;
}

/** With @p slow commits are so rare that what is done too early would be seen. */
static struct outbox *open_outbox(const char *boot_id, enum outbox_sync sync, bool slow)
{
	struct outbox_config config = { .max_events = 1000000,
		                        .max_bytes = 1ULL << 30,
		                        .dir = dir,
		                        .boot_id = boot_id,
		                        .sync = sync,
		                        .memory_window = 32,
		                        .commit_interval_ns = slow ? 10000000 : 0 };
	struct outbox *outbox = NULL;

	if (outbox_new(&config, &outbox) < 0)
		fail("no outbox");
	return outbox;
}

static void run_child(unsigned boot, int fd)
{
	struct child child = { .pipe = fd, .boot = boot };
	char payload[8000], boot_id[16];
	pthread_t thread;
	unsigned before = 0;

	snprintf(boot_id, sizeof(boot_id), "boot%u", boot);
	child.outbox = open_outbox(boot_id, (enum outbox_sync)(boot % 3), boot % 2);
	if (pthread_create(&thread, NULL, egress, &child) != 0)
		_exit(2);
	for (unsigned seq = 1; seq < SEQ_MAX;) {
		unsigned end = seq + group_size(boot, seq);

		outbox_group_begin(child.outbox);
		note(child.outbox, boot, seq, before);
		before = seq;
		for (; seq < end; seq++) {
			struct outbox_message m = {
				.seq = seq,
				.topic = "t",
				.payload = payload,
				.qos = qos_of(boot, seq),
				.payload_len = write_payload(payload, boot, seq),
			};

			if (outbox_put(child.outbox, &m) < 0)
				_exit(6);
			/* A slow group must not be split. */
			if (mix(seq, boot + 3000) % 8 == 0)
				usleep(mix(seq, boot) % 2000);
		}
		outbox_group_end(child.outbox);
		if (mix(seq, boot) % 2)
			usleep(mix(boot, seq) % 4000);
	}
	tell(&child, 'd', NULL);
	pause();
}

/* ---- the parent ---- */

/** What is known of a boot. */
struct boot {
	unsigned seen;      /* the highest that was taken */
	unsigned committed; /* the highest that is known to have been on disk */
	bool settled;       /* all of it was sent, and that is on disk */
	bool released[SEQ_MAX + GROUP_MAX];
	bool on_disk[SEQ_MAX + GROUP_MAX];
	bool has_note[SEQ_MAX + GROUP_MAX];
};

static struct boot boots[BOOTS_MAX];
static unsigned n_boots;
static unsigned total_found, total_again;

static bool read_record(int fd)
{
	struct boot *boot;
	struct record record;
	ssize_t n = read(fd, &record, sizeof(record));

	if (n == 0)
		return false;
	if (n != sizeof(record))
		fail("the pipe gave %zd bytes", n);
	boot = &boots[record.boot];
	if (record.what == 't' && boot->settled)
		fail("boot %u seq %u was sent and came again", record.boot, record.seq);
	if (record.what == 't' && record.seq > boot->seen)
		boot->seen = record.seq;
	if (record.what == 't' && record.seq > boot->committed &&
	    qos_of(record.boot, record.seq) == 1)
		boot->committed = record.seq;
	if (record.what == 'r')
		boot->released[record.seq] = true;
	return true;
}

static void kill_one(unsigned number)
{
	struct pollfd poll_fd = { .events = POLLIN };
	struct timespec now, end;
	int fds[2], status;
	long ms = (long)(mix(number, 77) % 300);
	pid_t pid;

	if (pipe(fds) < 0)
		fail("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid == 0) {
		close(fds[0]);
		run_child(number, fds[1]);
		_exit(9);
	}
	close(fds[1]);
	poll_fd.fd = fds[0];
	/* The time starts when the child works; otherwise half of the children would die before. */
	if (mix(number, 5) % 4 && !read_record(fds[0]))
		fail("boot %u ended by itself", number);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (end.tv_nsec / 1000000 + ms) / 1000;
	end.tv_nsec = (end.tv_nsec / 1000000 + ms) % 1000 * 1000000;
	do {
		if (poll(&poll_fd, 1, 1) > 0 && !read_record(fds[0]))
			fail("boot %u ended by itself", number);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
	         (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status))
		fail("boot %u ended by itself with %d", number, WEXITSTATUS(status));
	while (read_record(fds[0]))
		;
	close(fds[0]);
}

static unsigned number_of(const char *boot_id)
{
	unsigned number;

	if (sscanf(boot_id, "boot%u", &number) != 1 || number >= n_boots)
		fail("a message of boot '%s'", boot_id);
	return number;
}

static void check_message(const struct outbox_message *m, unsigned *last_boot, unsigned *last_seq)
{
	unsigned number = number_of(m->boot_id), seq = (unsigned)m->seq;
	struct boot *boot = &boots[number];
	char payload[8000];
	size_t len = write_payload(payload, number, seq);

	if (m->payload_len != len || memcmp(m->payload, payload, len) != 0)
		fail("boot %u seq %u: not what was put", number, seq);
	if (m->qos != 1)
		fail("boot %u seq %u: of QoS %d", number, seq, m->qos);
	if (number < *last_boot || (number == *last_boot && seq <= *last_seq))
		fail("boot %u seq %u after boot %u seq %u", number, seq, *last_boot, *last_seq);
	*last_boot = number;
	*last_seq = seq;
	if (boot->settled)
		fail("boot %u seq %u was sent and came again", number, seq);
	boot->on_disk[seq] = true;
	if (seq > boot->committed)
		boot->committed = seq;
	total_found++;
	total_again += boot->released[seq];
}

static void check_boot(unsigned number)
{
	struct boot *boot = &boots[number];
	unsigned begin = 1, end, note_seq = 0;

	/* One of QoS 0 may be seen before its group is committed, but not before what precedes it.
	 */
	for (unsigned seq = 1; seq <= boot->seen || seq <= boot->committed; seq++) {
		if (qos_of(number, seq) == 1 && !boot->on_disk[seq] && !boot->released[seq])
			fail("boot %u: seq %u is lost, %u was on disk", number, seq,
			     boot->committed);
	}
	/* The groups that were committed, and the note of the last of them. */
	for (; begin <= boot->committed; begin = end) {
		end = begin + group_size(number, begin);
		note_seq = begin;
		for (unsigned seq = begin; seq < end; seq++) {
			if (qos_of(number, seq) == 1 && !boot->on_disk[seq] && !boot->released[seq])
				fail("boot %u: of the group %u to %u only a part was committed",
				     number, begin, end - 1);
		}
	}
	for (unsigned seq = 1; seq < SEQ_MAX + GROUP_MAX; seq++) {
		/* A group of QoS 0 only: its note can't be seen from the messages. */
		if (boot->has_note[seq] && note_seq != seq && seq < begin)
			fail("boot %u: the note of group %u is there, not that of %u", number, seq,
			     note_seq);
	}
	if (note_seq && !boot->has_note[note_seq]) {
		unsigned later = 0;

		for (unsigned seq = begin; seq < SEQ_MAX + GROUP_MAX; seq++)
			later += boot->has_note[seq];
		if (later != 1)
			fail("boot %u: the note of group %u is missing", number, note_seq);
	}
}

static int see_note(void *user, const char *key, const void *value, size_t len)
{
	unsigned number, seq;

	(void)user;
	if (sscanf(key, "%u/%u", &number, &seq) != 2 || number >= n_boots || len != strlen(key) ||
	    memcmp(key, value, len) != 0)
		fail("a note '%s'", key);
	boots[number].has_note[seq] = true;
	return 0;
}

/** Look at everything; with @p take_off it is sent, else the next child finds it. */
static void check_file(bool take_off)
{
	struct outbox *outbox = open_outbox("check", OUTBOX_SYNC_BATCH, false);
	unsigned last_boot = 0, last_seq = 0;
	struct outbox_message m;
	struct outbox_stats stats;

	if (outbox_flush(outbox, FLUSH_NS) < 0)
		fail("not on disk");
	if (outbox_journal_foreach(outbox, see_note, NULL) < 0)
		fail("no journal");
	outbox_get_stats(outbox, &stats);
	for (uint64_t left = stats.restored; left > 0; left--) {
		while (outbox_take(outbox, &m) < 0)
			usleep(200);
		check_message(&m, &last_boot, &last_seq);
		if (take_off)
			outbox_release(outbox, m.id);
	}
	for (unsigned i = 0; i < n_boots; i++) {
		check_boot(i);
		memset(boots[i].on_disk, 0, sizeof(boots[i].on_disk));
		memset(boots[i].has_note, 0, sizeof(boots[i].has_note));
		if (!take_off)
			continue;
		boots[i].settled = true;
		memset(boots[i].released, true, sizeof(boots[i].released));
	}
	if (outbox_flush(outbox, FLUSH_NS) < 0)
		fail("not flushed");
	outbox_get_stats(outbox, &stats);
	if (!stats.on_disk || stats.disk_failures)
		fail("the disk failed: %s", stats.reason);
	outbox_free(outbox);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : ROUNDS;

	seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)time(NULL);
	if (rounds > BOOTS_MAX)
		rounds = BOOTS_MAX;
	if (!mkdtemp(dir))
		fail("mkdtemp: %s", strerror(errno));
	for (unsigned i = 0; i < rounds; i++) {
		n_boots++;
		kill_one(i);
		check_file(i % 4 == 3);
	}
	printf("seed %u: killed %u times; %u messages were found on disk, %u of them had been "
	       "released\n",
	       seed, rounds, total_found, total_again);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
