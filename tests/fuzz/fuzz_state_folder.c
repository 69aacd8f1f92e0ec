/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state folder with foreign contents. The input is a list of entries: a byte for the name (one
 * that cuebus uses), a byte for the kind (bytes, a link, a FIFO, a folder, a socket), two bytes for
 * the length and the bytes of a file. For any input, reading the folder at the start terminates,
 * the target of a link is unchanged and the kept parts can be used, also at a second start.
 */
#include "fuzz.h"

#include <cuebus/payload.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "definition_store.h"
#include "outbox.h"
#include "state_file.h"
#include "state_lock.h"

#define ENTRIES_MAX 16
#define FLUSH_NS    20000000000ULL
#define SENTINEL    "untouched"

static char top[] = "/dev/shm/cuebus-fuzz-XXXXXX";
static char dir[64], sentinel[64];

/* Columns by hand. */
/* clang-format off */
static const char *const names[] = {
	"outbox.db",        "outbox.db-wal",        "outbox.db-shm",     "outbox.db-journal",
	"definitions.json", "definitions.json.tmp", "lock",              "definitions",
	"definitions/1.def", "definitions/1.def.tmp", "definitions/2.def",
	"definitions.json.migrated",
};
/* clang-format on */
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_top(void)
{
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_bytes(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

	if (fd < 0)
		return; /* something stands there, or there is no folder */
	FUZZ_CHECK(write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	FUZZ_CHECK(s >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)bind(s, (struct sockaddr *)&address, sizeof(address));
	close(s);
}

static void make_entry(unsigned name, unsigned what, const uint8_t *bytes, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, names[name % N_NAMES]);
	switch (what % 6) {
	case 0:
		write_bytes(path, bytes, len);
		break;
	case 1:
		(void)!symlink(sentinel, path);
		break;
	case 2:
		(void)!symlink("nowhere", path);
		break;
	case 3:
		(void)!mkfifo(path, 0600);
		break;
	case 4:
		(void)!mkdir(path, 0700);
		break;
	default:
		make_socket(path);
		break;
	}
}

static void make_folder(const uint8_t *data, size_t size)
{
	static bool made;

	if (!made) {
		FUZZ_CHECK(mkdtemp(top));
		atexit(remove_top);
		snprintf(dir, sizeof(dir), "%s/state", top);
		snprintf(sentinel, sizeof(sentinel), "%s/sentinel", top);
		made = true;
	}
	remove_top();
	FUZZ_CHECK(mkdir(top, 0700) == 0 && mkdir(dir, 0700) == 0);
	write_bytes(sentinel, SENTINEL, strlen(SENTINEL));
	for (int i = 0; i < ENTRIES_MAX && size >= 4; i++) {
		size_t len = (size_t)data[2] << 8 | data[3];

		if (len > size - 4)
			len = size - 4;
		make_entry(data[0], data[1], data + 4, len);
		data += 4 + len;
		size -= 4 + len;
	}
}

static void check_sentinel(void)
{
	char text[32] = "";
	struct stat st;
	int fd = open(sentinel, O_RDONLY);

	FUZZ_CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) == (ssize_t)strlen(SENTINEL));
	FUZZ_CHECK(strcmp(text, SENTINEL) == 0 && fstat(fd, &st) == 0 && st.st_nlink == 1);
	close(fd);
}

static int see_note(void *user, const char *key, const void *value, size_t len)
{
	(void)user;
	FUZZ_CHECK(strlen(key) <= OUTBOX_KEY_MAX && (len == 0 || value));
	return 0;
}

static void use_outbox(struct state_lock *lock)
{
	struct outbox_config config = { .max_events = 1000000,
		                        .max_bytes = 1U << 28,
		                        .dir = dir,
		                        .boot_id = "fuzz",
		                        .lock = lock,
		                        .sync = OUTBOX_SYNC_NEVER,
		                        .commit_interval_ns = 1,
		                        .retry_min_ns = 1000,
		                        .retry_max_ns = 1000000 };
	struct outbox_message m = {
		.seq = 1, .topic = "t", .payload = "x", .payload_len = 1, .qos = 1
	};
	struct outbox *outbox;

	FUZZ_CHECK(outbox_new(&config, &outbox) == 0);
	FUZZ_CHECK(outbox_journal_foreach(outbox, see_note, NULL) == 0);
	FUZZ_CHECK(outbox_put(outbox, &m) == 0);
	(void)outbox_flush(outbox, FLUSH_NS);
	outbox_free(outbox);
}

static void use_definitions(void)
{
	struct definition_store_config config = { .state_dir = dir, .max_bytes = 4096 };
	struct definition_store *store;
	struct cue_payload *payload;

	FUZZ_CHECK(definition_store_new(&config, &store) == 0);
	FUZZ_CHECK(cue_payload_new("{}", 2, 0, &payload, NULL) == 0);
	(void)definition_store_put(store, DEFINITION_PLAYLIST, "after", payload);
	cue_payload_unref(payload);
	FUZZ_CHECK(definition_store_flush(store, FLUSH_NS) == 0);
	definition_store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[STATE_LOCK_ERROR_SIZE];

	make_folder(data, size);
	for (int start = 0; start < 2; start++) {
		struct state_lock *lock = NULL;
		struct stat st;
		char path[96];

		FUZZ_CHECK(state_lock_new(dir, "fuzz", NULL, &lock, error) == 0);
		FUZZ_CHECK(state_lock_hold(lock, error) == 0);
		snprintf(path, sizeof(path), "%s/lock", dir);
		FUZZ_CHECK(lstat(path, &st) == 0 && S_ISREG(st.st_mode));
		state_file_check_dir(dir, NULL);
		use_outbox(lock);
		use_definitions();
		snprintf(path, sizeof(path), "%s/outbox.db", dir);
		FUZZ_CHECK(lstat(path, &st) == 0 && S_ISREG(st.st_mode));
		state_lock_free(lock);
		check_sentinel();
	}
	return 0;
}
