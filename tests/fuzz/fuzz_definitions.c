/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored definitions made by command, after damage by the disk or by a user with access to
 * state_dir. The input is a list of files up to a NUL byte each; the first byte selects the kind:
 *
 *   'j'  definitions.json, as it is
 *   'f'  the next definitions/<n>.def, as it is
 *   'p'  the next one, valid except for its name and definition, which are cut at a
 *        newline and may be anything; 'g' the same for a gesture
 *
 * For any input the store opens, each loaded definition is JSON with a unique name, all stay within
 * the limit, a new one can be stored, and the next start finds the same definitions and sets
 * nothing more aside.
 */
#include "fuzz.h"

#include <cuebus/payload.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "definition_store.h"

#define FILES_MAX 32
#define MAX_BYTES 4096U
#define FLUSH_NS  20000000000ULL

static char dir[] = "/dev/shm/cuebus-fuzz-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *bytes, size_t len)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static void write_good(const char *name, enum definition_kind kind, char *text)
{
	char *end = strchr(text, '\n'), *bytes;
	struct definition_text definition = { .kind = kind, .name = text };
	size_t len;

	if (!end || end == text)
		return;
	definition.name_len = (size_t)(end - text);
	definition.json = end + 1;
	definition.json_len = strlen(end + 1);
	FUZZ_CHECK(definition_file_encode(&definition, &bytes, &len) == 0);
	write_file(name, bytes, len);
	free(bytes);
}

static void make_folder(const uint8_t *data, size_t size)
{
	static bool made;
	char path[128];

	if (!made) {
		FUZZ_CHECK(mkdtemp(dir));
		atexit(remove_folder);
		made = true;
	}
	remove_folder();
	FUZZ_CHECK(mkdir(dir, 0700) == 0);
	snprintf(path, sizeof(path), "%s/definitions", dir);
	FUZZ_CHECK(mkdir(path, 0700) == 0);
	for (int i = 1; i <= FILES_MAX && size; i++) {
		char *text = fuzz_cut(&data, &size, '\0'), name[32];

		snprintf(name, sizeof(name), "definitions/%d.def", i);
		switch (text[0]) {
		case 'j':
			write_file("definitions.json", text + 1, strlen(text + 1));
			break;
		case 'f':
			write_file(name, text + 1, strlen(text + 1));
			break;
		case 'p':
			write_good(name, DEFINITION_PLAYLIST, text + 1);
			break;
		case 'g':
			write_good(name, DEFINITION_GESTURE, text + 1);
			break;
		default:
			break;
		}
		free(text);
	}
}

static struct definition_store *open_store(void)
{
	struct definition_store_config config = { .state_dir = dir, .max_bytes = MAX_BYTES };
	struct definition_store *store = NULL;

	FUZZ_CHECK(definition_store_new(&config, &store) == 0);
	return store;
}

/** The loaded definitions as one number. */
struct sum {
	uint64_t hash, n;
	const char *last;
};

static int see(void *user, const char *name, struct cue_payload *definition)
{
	struct sum *sum = user;
	const char *bytes = cue_payload_bytes(definition, NULL);

	FUZZ_CHECK(*name && (!sum->last || strcmp(sum->last, name) < 0));
	sum->last = name;
	sum->n++;
	for (const char *p = name; *p; p++)
		sum->hash = sum->hash * 31 + (unsigned char)*p;
	for (const char *p = bytes; *p; p++)
		sum->hash = sum->hash * 31 + (unsigned char)*p;
	return 0;
}

static struct sum sum_of(struct definition_store *store)
{
	struct sum sum = { 0 };

	FUZZ_CHECK(definition_store_foreach(store, DEFINITION_PLAYLIST, see, &sum) == 0);
	sum.last = NULL;
	sum.hash = sum.hash * 31 + 7;
	FUZZ_CHECK(definition_store_foreach(store, DEFINITION_GESTURE, see, &sum) == 0);
	return sum;
}

static void put_one(struct definition_store *store)
{
	struct definition_store_stats stats;
	struct cue_payload *payload;
	int r;

	definition_store_get_stats(store, &stats);
	FUZZ_CHECK(cue_payload_new("{}", 2, 0, &payload, NULL) == 0);
	r = definition_store_put(store, DEFINITION_PLAYLIST, "after", payload);
	FUZZ_CHECK(r == 0 || stats.bytes + 100 > MAX_BYTES);
	cue_payload_unref(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct definition_store_stats before, after;
	struct definition_store *store;
	struct sum first, second;

	make_folder(data, size);
	store = open_store();
	put_one(store);
	FUZZ_CHECK(definition_store_flush(store, FLUSH_NS) == 0);
	definition_store_get_stats(store, &before);
	first = sum_of(store);
	FUZZ_CHECK(first.n <= before.definitions);
	definition_store_free(store);
	store = open_store();
	definition_store_get_stats(store, &after);
	second = sum_of(store);
	/* A definition that was skipped for lack of room may fit now. */
	FUZZ_CHECK(second.n >= first.n && (second.n > first.n || second.hash == first.hash));
	FUZZ_CHECK(after.definitions == before.definitions && after.bytes == before.bytes);
	/* Of what was set aside only files of a newer version are found again. */
	FUZZ_CHECK(after.set_aside <= before.set_aside);
	definition_store_free(store);
	return 0;
}
