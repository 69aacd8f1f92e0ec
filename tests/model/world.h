/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file world.h
 * @brief State that survives one process of the gateway: the broker, the files, the model.
 *
 * Each life is a process of its own, so that it can be killed for real. The world lies in memory
 * that all of them share; only one process, and in it one thread, runs at a time.
 */
#ifndef CUE_MODEL_WORLD_H
#define CUE_MODEL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outbox.h"

#define LIVES_MAX   12U
#define EVENTS_MAX  4096U /* of one life; numbered from 1 */
#define TRACE_SIZE  (256U * 1024U)
#define TRANSIT_MAX 512U

/** What the news of a gap says. */
struct news {
	unsigned boot; /* of the events; its own when it says nothing else */
	uint32_t from, to;
	bool is_joined; /* of several ranges: what lies between them it does not name */
	char reason[16];
};

/** A point of time in a life; life -1: never. */
struct moment {
	int life;
	uint64_t ns;
};

/** What the model knows of an event. */
struct record {
	bool is_news;
	struct news news;
	int qos;
	uint64_t put_ns;
	uint32_t arrivals;
	uint32_t session;      /* of the last arrival */
	struct moment arrived; /* first */
	struct moment acked;   /* the first acknowledgement that reached the gateway */
	bool was_on_the_way;   /* handed to a socket, at QoS 0 */
	bool disliked;         /* the broker refused it, swallowed it, or ended a session for it */
	uint32_t unacked_ends; /* sessions that ended without its acknowledgement */
	unsigned named;        /* by different news */
	struct moment first_named;
	bool named_loosely;  /* by news that were joined */
	unsigned namer_boot; /* the news that named it last … */
	uint32_t namer;
	unsigned announcer_boot; /* … and that were put last, whether they arrived or not */
	uint32_t announcer;      /* 0: none */
	bool named_to_nobody;    /* by news that the broker disliked */
};

/** A life of the gateway, with the events of its boot. */
struct life {
	uint32_t last_seq;
	uint64_t horizon_ns; /* what happened until then in this life is kept on disk */
	uint32_t safe_seq;   /* events up to this one are, whenever they were put */
	bool was_in_trouble; /* its disk failed at some time */
	bool is_late;        /* it began without the messages of the lives before */
	bool when_away;
	bool amnesty;     /* the file with its events was taken away and not replaced in time */
	uint32_t highest; /* seq that arrived */
	struct moment highest_arrived;
	uint32_t session; /* in which `session_seq` was the last arrival */
	uint32_t session_seq;
	struct record events[EVENTS_MAX + 1];
};

/** A message between the gateway's socket and the broker. */
struct transit {
	unsigned boot;
	uint32_t seq;  /* 0: no event */
	int token;     /* 0: QoS 0 */
	bool too_late; /* sent on a broken connection */
	uint64_t arrives_ns;
};

enum disk_fault {
	DISK_WORKS,
	DISK_READS_FAIL,  /* EIO */
	DISK_WRITES_FAIL, /* EIO */
	DISK_FAILS,       /* EIO, whatever is asked of it */
	DISK_FLICKERS,    /* EIO now and then */
	DISK_FULL,
	DISK_SLOW,
	DISK_HANGS,
	DISK_LOCKED, /* by another process */
	DISK_FAULTS,
};

/** How the broker and the network behave; see broker.c. */
struct manners {
	uint64_t latency_ns;
	unsigned disorder;  /* percent of acknowledgements that come late, out of order */
	unsigned refusals;  /* percent of messages */
	unsigned swallowed; /* percent of messages that are never acknowledged */
	unsigned poison;  /* one event of so many, at which the broker ends the session; 0: none */
	unsigned maximum; /* bytes of a packet; 0: any */
	bool stalls;      /* nothing is acknowledged */
	uint64_t down_until_ns;
};

struct world {
	uint64_t seed, random, now_ns;
	char dir[64];
	unsigned n_lives; /* begun so far; the present one is the last */
	bool is_calm;     /* no more faults: all has to arrive */
	bool ended_clean; /* the last life */

	enum disk_fault disk;
	bool flickered;           /* at some time: the gateway can't distinguish that from damage */
	uint64_t disk_well_ns;    /* the disk has worked since then, and the gateway used it */
	bool file_taken;          /* and the gateway has not yet put all into another one */
	uint64_t failures_before; /* of the disk, as the gateway counted them when it was taken */

	struct manners manners;
	unsigned disk_faults;   /* that may come, a bit each; 1 << DISK_WORKS: the file is taken */
	unsigned broker_faults; /* see nemesis.c */
	uint64_t pause_ns;      /* between two of them, at most */
	uint32_t session;       /* number of the present one */
	struct transit transit[TRANSIT_MAX];
	unsigned n_transit;
	bool is_on_the_line; /* a session is under way */

	uint64_t news_refused, rejected; /* as the gateway counted */
	uint32_t n_put, n_arrived, n_named, n_again, n_twice, n_lost;
	char failure[1024];
	bool verbose;
	size_t trace_len;
	char trace[TRACE_SIZE];
	struct life lives[LIVES_MAX];
};

/** The one there is. */
extern struct world *world;

/** A line of the schedule, with the time. */
void model_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Report a violation and end the process. */
void model_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- the model: model.c ---- */

/** Time after which a put, or an acknowledgement, is on a working disk: the egress may wait for
 * some answers of the broker. */
#define MODEL_SETTLE_NS 1000000000ULL

void model_life_begins(void);
/** @param news NULL: another event. */
void model_put(uint32_t seq, int qos, const struct news *news);
/** The broker took it in the session @p session. */
void model_arrived(unsigned boot, uint32_t seq, uint32_t session);
/** The broker said no to it, or ended the session for it, or will never acknowledge it. */
void model_disliked(unsigned boot, uint32_t seq);
/** The gateway was given the acknowledgement. */
void model_acked(unsigned boot, uint32_t seq);
/** The disk was found to work, or not to. */
void model_disk_is(bool well);
/** The outbox's note was read: the events of @p boot up to @p seq were committed. */
void model_noted(unsigned boot, uint32_t seq);
/** @param kept all is on disk, as the gateway found. */
void model_life_ends(bool kept);
/** No event waits: each has arrived or is named, and not both. */
void model_settled(void);

/* ---- the disk: disk.c ---- */

/** Before the first database is opened. */
void disk_install(void);
void disk_set(enum disk_fault fault);
/** Rename the files of the database, as an administrator who moves them away. */
void disk_take_file(void);
/** Check that no file was renamed for damage: none is damaged here. */
void disk_check_files(void);

/* ---- the broker, behind paho_connection.h: broker.c ---- */

void broker_install(void);
/** @param peer_ended the broker closed it; otherwise the network broke it. */
void broker_cut(bool peer_ended);
/** After the gateway was killed: some messages in transit may still arrive. */
void broker_survives(void);

/* ---- faults: nemesis.c ---- */

/** For a world: what may go wrong in it. */
void nemesis_choose(void);
/** In a life, before the gateway begins. */
void nemesis_begin(void);

/* ---- a life: gateway.c ---- */

/** Never returns. */
_Noreturn void gateway_live(bool killed, uint64_t for_ns);
/** The number of failures of the disk that the gateway counted. */
uint64_t gateway_disk_failures(void);

#endif
