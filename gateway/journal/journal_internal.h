/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file journal_internal.h
 * @brief Private: shared by journal.c (writing), journal_note.c (reading a note) and
 *        journal_restore.c.
 */
#ifndef CUEBUS_JOURNAL_INTERNAL_H
#define CUEBUS_JOURNAL_INTERNAL_H

#include "journal.h"

#define JOURNAL_BOOT_ID_SIZE 37U

#define JOURNAL_RUN        "run/"
#define JOURNAL_SKIP       "skip/"
#define JOURNAL_DEFINITION "def/"
#define JOURNAL_DATA       "data/"
#define JOURNAL_MARK       "mark"

/** A moment, by both clocks. */
struct journal_time {
	char boot[JOURNAL_BOOT_ID_SIZE]; /* the kernel's boot of `mono_ns` */
	int64_t mono_ns;                 /* below 0: before that boot */
	int64_t wall_ns;
};

bool journal_same_boot(const struct journal_time *a, const struct journal_time *b);
/** Time from @p from to @p to, which may be negative. */
int64_t journal_elapsed(const struct journal_time *from, const struct journal_time *to);

/** A run, as read from its note. */
struct journal_run {
	struct cue_id id;
	uint64_t number;
	char *playlist;
	uint64_t definition;
	bool queued;
	struct journal_time start;
	uint64_t passed_ns;       /* CUE_TIME_NONE: not in the note */
	struct cue_run_line line; /* without since_ns, which is `since` */
	struct journal_time since;
	uint64_t skipped_count; /* from the other note */
	char *trigger_type;     /* NULL: none */
	uint32_t trigger_producer_id;
	struct cue_payload *trigger_data; /* NULL: none, or in a separate note */
	bool has_data_note;
	uint64_t data_note;
	enum cue_omitted trigger_omitted;
};

/** Parse a run's note. @return 0; -EBADMSG not written by journal.c; -ENOMEM. Clear it with
 * journal_run_clear(). */
int journal_run_parse(const char *key, const char *text, size_t len, struct journal_run *ret_run);
void journal_run_clear(struct journal_run *run);
int journal_time_parse(const char *text, size_t len, struct journal_time *ret_time);
/** Parse a decimal integer. @return 0; -EBADMSG. */
int journal_number_parse(const char *text, size_t len, uint64_t *ret_number);

/** A definition or a trigger's data of the previous boot. */
struct journal_text {
	uint64_t number;
	char *json;
	size_t len;
	struct cue_payload *payload; /* NULL until a run needs it */
};

/** By number. */
struct journal_texts {
	struct journal_text *items;
	size_t n, cap;
};

/** The notes of the previous boot. */
struct journal_past {
	struct journal_run *runs;
	size_t n_runs, cap_runs;
	struct journal_texts definitions, datas;
	struct journal_time mark;
	bool has_mark;
};

/** Read all notes; invalid ones are logged and removed. @return 0; -ENOMEM. */
int journal_past_read(struct outbox *outbox, struct log *log, struct journal_past *ret_past);
void journal_past_clear(struct journal_past *past);

/** A note that active runs share. The payload's address identifies it while it is in use. */
struct journal_note {
	struct journal_note *next;
	const struct cue_payload *payload;
	uint64_t number;
	uint64_t runs;
};

/** An active run. */
struct journal_active {
	struct journal_active *next;
	struct cue_id id;
	struct journal_note *definition;
	struct journal_note *data; /* NULL: none, or small enough for the run's own note */
	uint64_t number;
	bool has_skip;
};

#define JOURNAL_BUCKETS 4096U

/** Notes of one kind, by payload. */
struct journal_shared {
	const char *prefix;
	struct journal_note *notes[JOURNAL_BUCKETS];
	uint64_t next; /* number */
};

struct journal {
	struct journal_config config;
	char boot[JOURNAL_BOOT_ID_SIZE];
	struct journal_active *active[JOURNAL_BUCKETS];
	struct journal_shared definitions, datas;
	uint64_t next_run; /* number */
	uint64_t n_active;
	bool late;                /* the notes of the previous boot are not known yet */
	bool moved;               /* a run has begun or ended since the mark */
	uint64_t marked_steps;    /* steps emitted and dropped at the mark */
	int64_t marked_offset_ns; /* of the wall clock, at the mark */
	struct journal_past past; /* until restored */
	struct journal_stats stats;
};

/* ---- journal_shared.c ---- */

/** Count one more run that uses @p payload; the first one writes the note.
 * @return 0; -ENOMEM: nothing changed, or the note is missing. */
int journal_shared_use(struct journal *journal, struct journal_shared *shared,
                       const struct cue_payload *payload, struct journal_note **ret_note);
/** Count one run less; NULL is allowed. @return 0; -ENOMEM the note could not be removed. */
int journal_shared_drop(struct journal *journal, struct journal_shared *shared,
                        struct journal_note *note);
void journal_shared_clear(struct journal_shared *shared);

void journal_texts_sort(struct journal_texts *texts);
/** NULL: there is none. */
struct journal_text *journal_texts_find(struct journal_texts *texts, uint64_t number);
/** The first unused number; the texts are sorted. */
uint64_t journal_texts_next(const struct journal_texts *texts);
/** Remove their notes. */
void journal_texts_forget(struct journal *journal, const char *prefix,
                          const struct journal_texts *texts);
void journal_texts_clear(struct journal_texts *texts);

/** The current time of the bus. */
struct journal_time journal_now(const struct journal *journal);

#endif
