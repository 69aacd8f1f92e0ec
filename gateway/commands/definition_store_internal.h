/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file definition_store_internal.h
 * @brief What the files of the store share: definition_store.c (the calls), definition_load.c
 *        (the start), definition_list.c and definition_blob.c (what is kept) and
 *        definition_writer.c (the thread).
 */
#ifndef CUEBUS_DEFINITION_STORE_INTERNAL_H
#define CUEBUS_DEFINITION_STORE_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "definition_store.h"
#include "log.h"

#define DEFINITION_FOLDER "definitions"
#define DEFINITION_LEGACY "definitions.json"
#define DEFINITION_SUFFIX ".def"
/** Copies of unusable files kept in the folder. */
#define DEFINITION_COPIES_MAX 64U
/** Delay before a failed write is tried again. */
#define DEFINITION_RETRY_NS 30000000000ULL
#define DEFINITION_NO_SLOT  UINT32_MAX

#define DEFINITION_SAY(store, ...)                                                                 \
	do {                                                                                       \
		if ((store)->config.log)                                                           \
			log_write((store)->config.log, __VA_ARGS__);                               \
	} while (0)

/** A file's bytes, shared by the lists and the thread. */
struct definition_blob {
	unsigned refs; /* under the lock */
	size_t len;
	struct definition_text text; /* into `bytes` */
	char *bytes;
};

/*
 *   used | blob | queued | the file
 *   yes  | yes  | no     | has the blob's bytes (`failed`: not yet)
 *   yes  | no   | no     | was passed over at the start
 *   yes  | yes  | yes    | is to be written
 *   no   | no   | yes    | is to be removed
 *   no   | no   | no     | does not exist (`failed`: still does); free for another
 */
struct definition_slot {
	struct definition_blob *blob;
	uint32_t file; /* the number in its name */
	bool used, queued, failed;
	uint64_t first_change, last_change; /* changes of the next write */
	uint32_t next_queued;
};

struct definition_change {
	uint64_t number; /* 0: none */
	uint32_t slot;
	int error; /* -EAGAIN: not yet tried */
};

struct definition {
	char *name;
	uint32_t slot;
	uint64_t size; /* of the file */
	bool in_force;
};

struct definition_list {
	struct definition *items; /* sorted by name */
	size_t n, size;
};

struct definition_store {
	struct definition_store_config config;
	char *dir; /* NULL: memory only */

	/* The loop's own. */
	struct definition_list kinds[2]; /* by enum definition_kind */
	uint64_t bytes, newest, refused, set_aside;
	/* unusable files at the start: handled individually, only counted, and the time taken */
	uint64_t named, unnamed, aside_ns;
	uint32_t next_file;
	/* numbers found at the start, sorted; those from next_taken on must still be skipped */
	uint32_t *taken_files;
	size_t n_taken, next_taken;

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	pthread_t thread;
	struct definition_slot *slots;
	size_t n_slots, slots_size;
	uint32_t first_queued, last_queued;
	struct definition_change changes[DEFINITION_STORE_CHANGES];
	bool migrating;        /* definitions.json must still be renamed … */
	bool migration_failed; /* … and the last try failed */
	bool writing, quit, started, ended;
	int error;

	/* The thread's own. */
	bool folder_known;
	dev_t folder_dev;
	ino_t folder_ino;
};

/* definition_blob.c */

struct definition_blob *definition_blob_new(char *bytes, size_t len,
                                            const struct definition_text *text);
/** Lock held, or no thread yet. NULL is allowed. */
void definition_blob_unref(struct definition_blob *blob);

/* definition_list.c; the loop's own */

/** @return whether the name exists. @param ret_at its index, or the place to insert it. */
bool definition_list_find(const struct definition_list *list, const char *name, size_t *ret_at);
/** @return 0; -ENOMEM. */
int definition_list_insert(struct definition_store *store, enum definition_kind kind, size_t at,
                           const struct definition *definition);
void definition_list_take_out(struct definition_store *store, enum definition_kind kind, size_t at);
/** Take a free slot, or a new one. Lock held. @param file 0: an unused number. @return
 * DEFINITION_NO_SLOT: no memory. */
uint32_t definition_take_slot(struct definition_store *store, uint32_t file);

/**
 * Add a definition at the start. @p blob may be NULL (skipped). Takes ownership of both on success.
 * @param file 0: use the next free number and write the file.
 * @return 0; -EEXIST; -ENOMEM.
 */
int definition_store_add(struct definition_store *store, const struct definition_text *text,
                         struct definition_blob *blob, uint32_t file);

/* definition_load.c */

/** Read the folder, before the thread starts. @return 0; -ENOMEM. */
int definition_load(struct definition_store *store);

/* definition_writer.c */

/** Lock held. */
void definition_queue(struct definition_store *store, uint32_t slot, uint64_t change);
/** Wake the thread and retry failed writes too. Lock held. */
void definition_writer_wake(struct definition_store *store);
/** @return 0; -EAGAIN. */
int definition_writer_start(struct definition_store *store);
void definition_file_name(uint32_t file, char name[32]);

#endif
