/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   state   | frame of this log that follows the one before  | any other frame
 *   WHOLE   | go on                                          | -> BROKEN
 *   BROKEN  | kept; if it ends a commit all kept are lost:   | none is kept
 *           | SQLite has stopped before them                 |
 *
 * A frame's checksum continues that of the frame before. So frames behind damage can still be
 * checked, starting from the checksum stored in the frame before.
 *
 * A process killed in the middle of a commit leaves frames that end no commit, and the next,
 * shorter commit overwrites their beginning: that is not damage.
 */
#include "outbox_wal.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_SIZE  32U
#define FRAME_HEADER 24U
#define MAGIC        0x377f0682U /* the last bit: checksums are over big-endian words */
#define PAGE_MIN     512U
#define PAGE_MAX     65536U

struct sum {
	uint32_t s0, s1;
};

struct wal {
	FILE *file;
	bool big_endian;
	uint32_t page_size;
	unsigned char salts[8];
	struct sum sum; /* checksum stored in the frame before */
	unsigned char *frame;
};

static uint32_t word_at(const unsigned char *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return be32toh(word);
}

static struct sum sum_at(const unsigned char *p)
{
	return (struct sum){ word_at(p), word_at(p + 4) };
}

/** SQLite's checksum over @p size bytes, a multiple of 8; it wraps on purpose. */
static struct sum add(const struct wal *wal, struct sum sum, const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i += 8) {
		uint32_t x0 = word_at(p + i), x1 = word_at(p + i + 4);

		if (!wal->big_endian) {
			x0 = __builtin_bswap32(x0);
			x1 = __builtin_bswap32(x1);
		}
		sum.s0 += x0 + sum.s1;
		sum.s1 += x1 + sum.s0;
	}
	return sum;
}

static bool is_equal(struct sum a, struct sum b)
{
	return a.s0 == b.s0 && a.s1 == b.s1;
}

/** @return whether the header is valid. */
static bool read_header(struct wal *wal, const unsigned char header[HEADER_SIZE])
{
	uint32_t magic = word_at(header);

	if ((magic & ~1U) != MAGIC)
		return false;
	wal->big_endian = magic & 1;
	wal->page_size = word_at(header + 8);
	if (wal->page_size < PAGE_MIN || wal->page_size > PAGE_MAX ||
	    (wal->page_size & (wal->page_size - 1)) != 0)
		return false;
	memcpy(wal->salts, header + 16, sizeof(wal->salts));
	wal->sum = sum_at(header + 24);
	return is_equal(add(wal, (struct sum){ 0, 0 }, header, 24), wal->sum);
}

/** Whether the frame ends a commit: it then has the number of pages of the database. */
static bool ends_commit(const struct wal *wal)
{
	return word_at(wal->frame + 4) != 0;
}

/** Whether the frame belongs to this log and follows the one before. */
static bool follows(struct wal *wal)
{
	const unsigned char *frame = wal->frame;
	struct sum said = sum_at(frame + 16), sum = add(wal, wal->sum, frame, 8);

	sum = add(wal, sum, frame + FRAME_HEADER, wal->page_size);
	wal->sum = said;
	return memcmp(frame + 8, wal->salts, sizeof(wal->salts)) == 0 && word_at(frame) != 0 &&
	       is_equal(sum, said);
}

static int check_frames(struct wal *wal, uint64_t *ret_lost)
{
	size_t size = FRAME_HEADER + wal->page_size;
	uint64_t lost = 0, kept = 0;
	bool broken = false;

	wal->frame = malloc(size);
	if (!wal->frame)
		return -ENOMEM;
	while (fread(wal->frame, 1, size, wal->file) == size) {
		bool whole = follows(wal);

		kept = broken && whole ? kept + 1 : 0;
		broken |= !whole;
		if (kept > 0 && ends_commit(wal)) {
			lost += kept;
			kept = 0;
		}
	}
	free(wal->frame);
	if (ferror(wal->file))
		return -EIO;
	if (lost == 0)
		return 0;
	*ret_lost = lost;
	return 1;
}

int outbox_wal_check(const char *path, uint64_t *ret_lost)
{
	unsigned char header[HEADER_SIZE];
	/* Follow no link, and do not wait for a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct wal wal = { .file = fd < 0 ? NULL : fdopen(fd, "rb") };
	size_t n;
	int r;

	if (!wal.file) {
		r = errno == ENOENT ? 0 : -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	n = fread(header, 1, sizeof(header), wal.file);
	if (n < sizeof(header)) {
		r = ferror(wal.file) ? -EIO : 0; /* nothing was ever committed in it */
	} else if (read_header(&wal, header)) {
		r = check_frames(&wal, ret_lost);
	} else {
		*ret_lost = 0;
		r = 1;
	}
	fclose(wal.file);
	return r;
}
