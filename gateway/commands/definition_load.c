/* SPDX-License-Identifier: Apache-2.0 */
/* Read the stored definitions at the start. Nothing in the folder keeps the gateway from
 * starting. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "definition_legacy.h"
#include "definition_store_internal.h"
#include "state_file.h"

#define FILES_MAX 200000U
/** A definition is at most one payload of the maximum of limits.payload_bytes. */
#define FILE_BYTES_MAX (16U * 1024U * 1024U + DEFINITION_FILE_OVERHEAD + DEFINITION_NAME_BYTES_MAX)
/** Bytes read at the start, as a multiple of max_bytes. */
#define READ_FACTOR 4U
/** Each renamed copy costs a scan of the whole folder. */
#define ASIDE_MAX DEFINITION_COPIES_MAX
#define ASIDE_NS  (5 * 1000000000ULL)

/* ---- list of files ---- */

static bool parse_name(const char *name, const char *suffix, uint32_t *ret_file)
{
	char again[48];
	char *end;
	unsigned long file = strtoul(name, &end, 10);

	if (file == 0 || file > 999999999UL || strcmp(end, suffix) != 0)
		return false;
	snprintf(again, sizeof(again), "%lu%s", file, suffix);
	if (strcmp(again, name) != 0)
		return false;
	*ret_file = (uint32_t)file;
	return true;
}

static int by_number(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static int note_file(struct definition_store *store, size_t *size, uint32_t file)
{
	uint32_t *files = array_grow(store->taken_files, store->n_taken, size, sizeof(*files));

	if (!files)
		return -ENOMEM;
	store->taken_files = files;
	store->taken_files[store->n_taken++] = file;
	return 0;
}

/** List the numbers of the files, and remove temporary files of interrupted writes. */
static int scan(struct definition_store *store, int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	size_t size = 0;
	int r = dir ? 0 : -errno;

	if (!dir && copy >= 0)
		close(copy);
	while (r >= 0 && (entry = readdir(dir))) {
		uint32_t file;

		if (store->n_taken == FILES_MAX)
			break;
		if (parse_name(entry->d_name, DEFINITION_SUFFIX, &file))
			r = note_file(store, &size, file);
		else if (parse_name(entry->d_name, DEFINITION_SUFFIX ".tmp", &file))
			(void)unlinkat(fd, entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	if (store->n_taken > 0)
		qsort(store->taken_files, store->n_taken, sizeof(uint32_t), by_number);
	return r;
}

/* ---- one file ---- */

/** Count an unusable file. @return whether there is still time and room to handle it
 * individually. */
static bool is_named(struct definition_store *store)
{
	store->set_aside++;
	if (store->unnamed == 0 && store->named < ASIDE_MAX && store->aside_ns < ASIDE_NS) {
		store->named++;
		return true;
	}
	store->unnamed++;
	return false;
}

static void set_aside(struct definition_store *store, int fd, const char *name, const char *why)
{
	char aside[STATE_FILE_NAME_SIZE];
	uint64_t begin_ns;
	int r;

	if (!is_named(store))
		return;
	begin_ns = clock_monotonic_ns();
	r = state_file_set_aside(fd, name, NULL, DEFINITION_COPIES_MAX, aside);
	store->aside_ns += clock_monotonic_ns() - begin_ns;
	DEFINITION_SAY(store, LOG_LEVEL_ERROR,
	               "%s/" DEFINITION_FOLDER "/%s: %s; the definition is not in force, its file "
	               "%s%s",
	               store->dir, name, why, r < 0 ? "can't be renamed: " : "was renamed to ",
	               r < 0 ? strerrordesc_np(-r) : aside);
}

static void leave(struct definition_store *store, const char *name, const char *why)
{
	if (!is_named(store))
		return;
	DEFINITION_SAY(store, LOG_LEVEL_ERROR,
	               "%s/" DEFINITION_FOLDER "/%s: %s; the definition is not in force, its file "
	               "is left as it is",
	               store->dir, name, why);
}

static const char *kind_at(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? "no regular file"
	                                                       : state_file_kind(st.st_mode);
}

/** Handle an unusable file. @return 0, also if it was renamed; -ENOMEM. */
static int refuse(struct definition_store *store, int fd, const char *name, int error)
{
	char why[128];

	switch (-error) {
	case ENOMEM:
		return error;
	case EMEDIUMTYPE:
		snprintf(why, sizeof(why), "is %s, not a definition", kind_at(fd, name));
		set_aside(store, fd, name, why);
		return 0;
	case EBADMSG:
		set_aside(store, fd, name, "is damaged");
		return 0;
	case EEXIST:
		set_aside(store, fd, name, "has the name of another definition");
		return 0;
	case EFBIG:
		set_aside(store, fd, name, "is larger than any definition");
		return 0;
	case EPROTONOSUPPORT:
		leave(store, name, "was made by a newer version of cuebus");
		return 0;
	default:
		leave(store, name, strerrordesc_np(-error));
		return 0;
	}
}

/** Add a definition, or skip it beyond the limit. Takes ownership of @p bytes. @return 0; -EEXIST;
 * -ENOMEM. */
static int add(struct definition_store *store, const struct definition_text *text, char *bytes,
               size_t len, uint32_t file)
{
	bool over = store->bytes + len > store->config.max_bytes;
	struct definition_blob *blob = over ? NULL : definition_blob_new(bytes, len, text);
	int r = over || blob ? definition_store_add(store, text, blob, file) : -ENOMEM;

	if (r == 0 && over)
		DEFINITION_SAY(store, LOG_LEVEL_ERROR,
		               "definition of %s '%.*s' exceeds limits.kept_definition_bytes: "
		               "it is kept on disk and not in force",
		               definition_kind_name(text->kind), (int)text->name_len, text->name);
	if (r < 0 || over)
		free(bytes);
	if (r < 0)
		free(blob);
	return r;
}

static int load_file(struct definition_store *store, int fd, uint32_t file, uint64_t *budget)
{
	struct definition_text text;
	char name[32], *bytes;
	size_t len;
	int r;

	definition_file_name(file, name);
	r = state_file_read(fd, name, FILE_BYTES_MAX, &bytes, &len);
	if (r < 0)
		return refuse(store, fd, name, r);
	*budget -= len < *budget ? len : *budget;
	r = definition_file_decode(bytes, len, &text);
	if (r < 0) {
		free(bytes);
		return refuse(store, fd, name, r);
	}
	r = add(store, &text, bytes, len, file);
	return r < 0 ? refuse(store, fd, name, r) : 0;
}

static int load_files(struct definition_store *store, int fd)
{
	uint64_t budget = READ_FACTOR * store->config.max_bytes + FILE_BYTES_MAX;
	int r = scan(store, fd);
	size_t i;

	if (r < 0 && r != -ENOMEM) {
		leave(store, "", strerrordesc_np(-r));
		return 0;
	}
	for (i = 0; r >= 0 && i < store->n_taken && budget > 0; i++)
		r = load_file(store, fd, store->taken_files[i], &budget);
	if (store->unnamed > 0)
		DEFINITION_SAY(store, LOG_LEVEL_ERROR,
		               "%s/" DEFINITION_FOLDER
		               ": %llu more files can't be used: they are left "
		               "as they are (at most %u are renamed at a start, within %llu s)",
		               store->dir, (unsigned long long)store->unnamed, ASIDE_MAX,
		               ASIDE_NS / 1000000000ULL);
	if (r >= 0 && (i < store->n_taken || store->n_taken == FILES_MAX)) {
		store->set_aside++;
		DEFINITION_SAY(store, LOG_LEVEL_ERROR,
		               "%s/" DEFINITION_FOLDER
		               " has more files than limits.kept_definition_bytes can explain: %zu "
		               "files were not read",
		               store->dir, store->n_taken - i);
	}
	return r;
}

/* ---- definitions.json ---- */

static int take_legacy(void *user, const struct definition_text *text)
{
	struct definition_store *store = user;
	struct definition_text again;
	char *bytes;
	size_t len;
	int r = definition_file_encode(text, &bytes, &len);

	if (r >= 0) {
		/* Decode it like a file of its own. */
		r = definition_file_decode(bytes, len, &again);
		if (r < 0)
			free(bytes);
		else if (store->bytes + len > store->config.max_bytes) {
			free(bytes);
			r = -EDQUOT;
		} else {
			r = add(store, &again, bytes, len, 0);
		}
	}
	/* A definition with its own file is newer. */
	if (r == 0 || r == -EEXIST || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	store->set_aside++;
	DEFINITION_SAY(store, LOG_LEVEL_ERROR,
	               "definition of %s '%.*s' in %s/" DEFINITION_LEGACY " %s: it is not migrated",
	               definition_kind_name(text->kind), (int)text->name_len, text->name,
	               store->dir,
	               r == -EDQUOT ? "exceeds limits.kept_definition_bytes" : "is damaged");
	return 0;
}

static void skip_legacy(void *user, enum definition_kind kind, const char *name)
{
	struct definition_store *store = user;

	store->set_aside++;
	DEFINITION_SAY(store, LOG_LEVEL_ERROR,
	               "definition of %s '%s' in %s/" DEFINITION_LEGACY
	               " is too long: it is not migrated",
	               definition_kind_name(kind), name ? name : "?", store->dir);
}

/** The file is unusable, as a whole or from some place on. */
static void spoilt_legacy(struct definition_store *store, int dir_fd, int error)
{
	char aside[STATE_FILE_NAME_SIZE];
	int r = 0;

	store->set_aside++;
	if (error == -EMEDIUMTYPE || error == -EBADMSG)
		r = state_file_set_aside(dir_fd, DEFINITION_LEGACY, DEFINITION_LEGACY,
		                         STATE_FILE_COPIES_MAX, aside);
	else
		snprintf(aside, sizeof(aside), DEFINITION_LEGACY);
	DEFINITION_SAY(store, LOG_LEVEL_ERROR,
	               "%s/" DEFINITION_LEGACY ": %s; %zu definitions were found in it%s%s",
	               store->dir,
	               error == -EMEDIUMTYPE       ? "is not a regular file"
	               : error == -EBADMSG         ? "is damaged"
	               : error == -EPROTONOSUPPORT ? "was made by a newer version of cuebus"
	                                           : strerrordesc_np(-error),
	               store->kinds[0].n + store->kinds[1].n,
	               r < 0 ? "; it can't be renamed: " : "; it is kept as ",
	               r < 0 ? strerrordesc_np(-r) : aside);
}

static int load_legacy(struct definition_store *store, int dir_fd)
{
	struct stat st;
	int fd = state_file_open(dir_fd, DEFINITION_LEGACY, O_RDONLY, &st);
	FILE *file;
	int r = fd;

	if (fd == -ENOENT)
		return 0;
	if (fd >= 0) {
		file = fdopen(fd, "r");
		if (!file) {
			close(fd);
			return -ENOMEM;
		}
		r = definition_legacy_read(file, store->config.max_bytes, take_legacy, skip_legacy,
		                           store);
		fclose(file);
	}
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		spoilt_legacy(store, dir_fd, r);
	else
		store->migrating = true;
	return 0;
}

/* ---- the whole folder ---- */

/** @return fd; -ENOENT there is no usable folder. */
static int open_folder(struct definition_store *store, int dir_fd)
{
	char aside[STATE_FILE_NAME_SIZE];
	struct stat st;
	int fd = openat(dir_fd, DEFINITION_FOLDER,
	                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		store->folder_known = true;
		store->folder_dev = st.st_dev;
		store->folder_ino = st.st_ino;
	}
	if (fd >= 0 || r == -ENOENT)
		return fd >= 0 ? fd : -ENOENT;
	store->set_aside++;
	if (r != -ENOTDIR && r != -ELOOP) {
		DEFINITION_SAY(store, LOG_LEVEL_ERROR,
		               "%s/" DEFINITION_FOLDER ": %s; no kept definition is in force",
		               store->dir, strerrordesc_np(-r));
		return -ENOENT;
	}
	r = state_file_set_aside(dir_fd, DEFINITION_FOLDER, DEFINITION_FOLDER,
	                         STATE_FILE_COPIES_MAX, aside);
	DEFINITION_SAY(store, LOG_LEVEL_ERROR,
	               "%s/" DEFINITION_FOLDER
	               " is not a folder; no kept definition is in force; it %s%s",
	               store->dir, r < 0 ? "can't be renamed: " : "was renamed to ",
	               r < 0 ? strerrordesc_np(-r) : aside);
	return -ENOENT;
}

int definition_load(struct definition_store *store)
{
	int dir_fd = state_file_open_dir(store->dir);
	int fd, r = 0;

	/* service_start.c reports errors of the state folder itself. */
	if (dir_fd < 0)
		return 0;
	fd = open_folder(store, dir_fd);
	if (fd >= 0) {
		r = load_files(store, fd);
		close(fd);
	}
	if (r >= 0)
		r = load_legacy(store, dir_fd);
	close(dir_fd);
	return r;
}
