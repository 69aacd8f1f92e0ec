/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive model. It records what was put, what the broker accepted and which acknowledgements
 * reached the gateway, and decides what a consumer may see of each event:
 *
 *   seen                    | allowed when
 *   arrived                 | always
 *   named                   | always, but not as `disk_failed`: nothing on the disk is damaged here
 *   arrived, and named      | its acknowledgement did not reach the gateway before the connection
 *                           | or the gateway ended, or was not on disk when the gateway was killed;
 *                           | or the reason is `killed`
 *   named, then arrived     | as the row above, but the gap was not on disk
 *   arrived again           | as above, in another session
 *   named again             | the gap was not acknowledged in the life that published it
 *   neither                 | put in the last moment before a kill, or while the disk failed; or
 *                           | of QoS 0 and in transit; or named by a gap that the broker refused
 *
 * The first arrivals of one boot are in order; within a session all arrivals are.
 *
 * "On disk": MODEL_SETTLE_NS have passed since, in which the disk worked and the gateway
 * used it, or the gateway was stopped and found that all was written.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"
#include "world.h"

struct world *world;

void model_trace(const char *format, ...)
{
	char *line = world->trace + world->trace_len;
	size_t room = TRACE_SIZE - world->trace_len;
	char spare[512];
	va_list args;
	int n;

	if (room < sizeof(spare)) {
		line = spare;
		room = sizeof(spare);
	}
	n = snprintf(line, room, "%11.6f ", (double)world->now_ns / 1e9);
	va_start(args, format);
	n += vsnprintf(line + n, room - (size_t)n - 1, format, args);
	va_end(args);
	if (n > (int)room - 2)
		n = (int)room - 2;
	strcpy(line + n, "\n");
	world->trace_len += line == spare ? 0 : (size_t)n + 1;
	if (world->verbose)
		fputs(line, stderr);
}

void model_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(world->failure, sizeof(world->failure), format, args);
	va_end(args);
	model_trace("FAULT: %s", world->failure);
	fflush(stderr);
	_exit(1);
}

/* ---- moments ---- */

static int present(void)
{
	return (int)world->n_lives - 1;
}

static struct moment now(void)
{
	return (struct moment){ .life = present(), .ns = world->now_ns };
}

/** Whether what the gateway did then is on disk for the lives after it. */
static bool is_kept(const struct moment *m)
{
	return m->ns <= world->lives[m->life].horizon_ns;
}

static bool is_known(const struct moment *m)
{
	return m->life >= 0;
}

/** Whether the gateway has to know of @p m in the life @p life. */
static bool must_know(const struct moment *m, int life)
{
	return is_known(m) && (m->life == life || (m->life < life && is_kept(m)));
}

static struct record *find(unsigned boot, uint32_t seq)
{
	struct life *life;

	if (boot >= world->n_lives)
		model_fail("boot %u: there was none", boot);
	life = &world->lives[boot];
	if (seq == 0 || seq > life->last_seq)
		model_fail("boot %u seq %u: it was never put", boot, seq);
	return &life->events[seq];
}

/* ---- what the gateway did ---- */

void model_life_begins(void)
{
	struct life *life = &world->lives[world->n_lives++];

	if (world->n_lives > LIVES_MAX)
		model_fail("too many lives");
	memset(life, 0, offsetof(struct life, events));
	life->was_in_trouble = world->disk != DISK_WORKS;
	world->disk_well_ns = world->now_ns;
}

/** An upper bound: what of it arrived, or was named before, is not meant. */
static bool is_by_kill(const struct news *news)
{
	return strcmp(news->reason, "killed") == 0;
}

/** @p news of the seq @p seq are put: what they name may have been announced before, but where
 *  that was acknowledged, in the life that announced it, the range is forgotten. */
static void check_announced(const struct news *news, uint32_t seq)
{
	struct life *life = &world->lives[news->boot];

	for (uint32_t i = news->from; i <= news->to && i <= life->last_seq; i++) {
		struct record *r = &life->events[i];
		const struct record *before = &world->lives[r->announcer_boot].events[r->announcer];
		bool is_own = (int)r->announcer_boot == present();

		if (r->announcer && !news->is_joined && !before->news.is_joined &&
		    !is_by_kill(news) && is_known(&before->acked) &&
		    (is_own ||
		     (before->acked.life == (int)r->announcer_boot && is_kept(&before->acked))))
			model_fail("boot %u seq %u: %d/%u names it, and %u/%u did, which was "
			           "acknowledged",
			           news->boot, i, present(), seq, r->announcer_boot, r->announcer);
		r->announcer_boot = (unsigned)present();
		r->announcer = seq;
	}
}

void model_put(uint32_t seq, int qos, const struct news *news)
{
	struct life *life = &world->lives[present()];
	struct record *r = &life->events[seq];

	if (seq > EVENTS_MAX)
		model_fail("too many events");
	memset(r, 0, sizeof(*r));
	r->qos = qos;
	r->put_ns = world->now_ns;
	r->is_news = news != NULL;
	if (news) {
		r->news = *news;
		check_announced(news, seq);
	}
	r->arrived.life = r->acked.life = r->first_named.life = -1;
	life->last_seq = seq;
	world->n_put++;
}

void model_disk_is(bool well)
{
	struct life *life = &world->lives[present()];

	if (!well || world->disk != DISK_WORKS || world->file_taken) {
		world->disk_well_ns = world->now_ns;
		life->was_in_trouble = true;
		return;
	}
	if (world->now_ns - world->disk_well_ns >= MODEL_SETTLE_NS)
		life->horizon_ns = world->now_ns - MODEL_SETTLE_NS;
}

void model_noted(unsigned boot, uint32_t seq)
{
	struct life *life = &world->lives[boot];

	(void)find(boot, seq);
	if (seq > life->safe_seq)
		life->safe_seq = seq;
}

void model_acked(unsigned boot, uint32_t seq)
{
	struct record *r = find(boot, seq);

	if (!is_known(&r->acked))
		r->acked = now();
}

void model_life_ends(bool kept)
{
	struct life *life = &world->lives[present()];

	/* What is in the file that was taken is not in the next one. */
	for (int i = 0; world->file_taken && i <= present(); i++)
		world->lives[i].amnesty = true;
	if (kept && !world->file_taken)
		life->horizon_ns = SIM_NEVER;
	world->ended_clean = kept && !world->file_taken;
	world->file_taken = false;
}

/* ---- what the broker saw ---- */

static void check_order(unsigned boot, uint32_t seq, const struct record *r, uint32_t session)
{
	struct life *life = &world->lives[boot];

	if (life->session == session && seq <= life->session_seq)
		model_fail("boot %u seq %u: arrived after %u in the same session", boot, seq,
		           life->session_seq);
	life->session = session;
	life->session_seq = seq;
	for (int i = present(); i > (int)boot && !world->lives[present()].is_late; i--) {
		if (world->lives[i].session == session && world->lives[i].session_seq)
			model_fail("boot %u seq %u: arrived after an event of boot %d", boot, seq,
			           i);
	}
	if (r->arrivals > 0)
		return;
	/* One that the broker did not like comes again behind others; and one that was given up
	 * while the disk failed is there again after a kill. */
	if (seq < life->highest && !r->disliked && must_know(&life->highest_arrived, present()))
		model_fail("boot %u seq %u: arrived for the first time after %u", boot, seq,
		           life->highest);
	if (seq > life->highest) {
		life->highest = seq;
		life->highest_arrived = now();
	}
}

static void check_again(unsigned boot, uint32_t seq, const struct record *r)
{
	if (must_know(&r->acked, present()))
		model_fail("boot %u seq %u: was acknowledged at %.6f in life %d, and arrived again",
		           boot, seq, (double)r->acked.ns / 1e9, r->acked.life);
}

/** Named, and then it came. Where the name was not on disk yet a kill takes it back. */
static void check_named_before(unsigned boot, uint32_t seq, const struct record *r)
{
	if (r->named && !r->named_loosely && !r->arrivals && must_know(&r->first_named, present()))
		model_fail("boot %u seq %u: arrived after news %u/%u had named it", boot, seq,
		           r->namer_boot, r->namer);
}

static void name_one(unsigned boot, uint32_t seq, const struct news *news, uint32_t which)
{
	struct record *r = &world->lives[news->boot].events[which];

	world->n_named += r->named == 0;
	/* Given up while it was in flight, and acknowledged: the end of a session lies between. */
	if (r->arrivals && !is_by_kill(news) && !news->is_joined &&
	    must_know(&r->acked, (int)boot) && r->acked.ns < find(boot, seq)->put_ns)
		model_fail("boot %u seq %u: was acknowledged at %.6f, and %u/%u names it (%s)",
		           news->boot, which, (double)r->acked.ns / 1e9, boot, seq, news->reason);
	if (!r->named++)
		r->first_named = now();
	r->named_loosely |= news->is_joined;
	r->namer_boot = boot;
	r->namer = seq;
}

static void name_all(unsigned boot, uint32_t seq, const struct news *news)
{
	const struct life *life = &world->lives[news->boot];

	if (strcmp(news->reason, "disk_failed") == 0)
		model_fail("%u/%u names boot %u seq %u to %u: nothing on the disk was damaged",
		           boot, seq, news->boot, news->from, news->to);
	if (!is_by_kill(news) && news->to > life->last_seq)
		model_fail("%u/%u names boot %u seq %u to %u: only %u were put", boot, seq,
		           news->boot, news->from, news->to, life->last_seq);
	for (uint32_t i = news->from; i <= news->to && i <= life->last_seq; i++)
		name_one(boot, seq, news, i);
}

void model_arrived(unsigned boot, uint32_t seq, uint32_t session)
{
	struct record *r = find(boot, seq);
	struct life *life = &world->lives[boot];

	if (world->verbose)
		model_trace("broker: gets %u/%u (QoS %d)", boot, seq, r->qos);
	check_order(boot, seq, r, session);
	check_again(boot, seq, r);
	check_named_before(boot, seq, r);
	r->session = session;
	if (r->arrivals++ > 0) {
		world->n_again++;
		return;
	}
	world->n_arrived++;
	r->arrived = now();
	/* A message that arrived is on disk, with all messages before it. */
	if (r->qos > 0 && (int)boot == present() && !life->was_in_trouble && !life->when_away &&
	    seq > life->safe_seq)
		life->safe_seq = seq;
	if (r->is_news)
		name_all(boot, seq, &r->news);
}

void model_disliked(unsigned boot, uint32_t seq)
{
	struct record *r = find(boot, seq);

	r->disliked = true;
}

/* ---- in the end ---- */

/** Whether a kill or a removed file explains that the message is missing. */
static bool died_with(const struct life *life, uint32_t seq)
{
	return life->amnesty ||
	       (life->events[seq].put_ns > life->horizon_ns && seq > life->safe_seq);
}

/** News that never arrived, and perhaps need not. */
static bool is_given_up_news(const struct life *life, uint32_t seq)
{
	const struct record *r = &life->events[seq];

	/* After rejections of its topic the next of them is not even sent. */
	return r->is_news && !r->arrivals && !r->named &&
	       (r->disliked || r->unacked_ends > 0 || world->rejected > 0);
}

/** A range that was named only by dropped news counts as not named. */
static void mark_given_up_news(void)
{
	for (unsigned boot = 0; boot < world->n_lives; boot++) {
		struct life *life = &world->lives[boot];

		for (uint32_t seq = 1; seq <= life->last_seq; seq++) {
			const struct record *r = &life->events[seq];
			const struct life *other = &world->lives[r->news.boot];

			if (!is_given_up_news(life, seq))
				continue;
			for (uint32_t i = r->news.from; i <= r->news.to && i <= other->last_seq;
			     i++)
				world->lives[r->news.boot].events[i].named_to_nobody = true;
		}
	}
}

/** @return how many there are, but for those that others of them name. */
static uint64_t find_given_up_news(void)
{
	uint64_t n = 0;

	mark_given_up_news();
	for (unsigned boot = 0; boot < world->n_lives; boot++) {
		const struct life *life = &world->lives[boot];

		for (uint32_t seq = 1; seq <= life->last_seq; seq++)
			n += is_given_up_news(life, seq) && !died_with(life, seq) &&
			     !life->events[seq].named_to_nobody;
	}
	return n;
}

static bool may_be_lost(const struct life *life, uint32_t seq, const struct record *r)
{
	bool is_last = life == &world->lives[present()];

	if (died_with(life, seq) || r->named_to_nobody || is_given_up_news(life, seq))
		return true;
	/* Of QoS 0 nothing is written. */
	if (r->qos == 0)
		return r->was_on_the_way || !is_last;
	return false;
}

static void check_event(unsigned boot, uint32_t seq)
{
	struct life *life = &world->lives[boot];
	const struct record *r = &life->events[seq];

	world->n_twice += r->arrivals && r->named;
	world->n_lost += !r->arrivals && !r->named && r->qos > 0;
	if (!r->arrivals && !r->named && !may_be_lost(life, seq, r))
		model_fail("boot %u seq %u (QoS %d%s, put at %.6f): has not arrived, and nothing "
		           "names it",
		           boot, seq, r->qos, r->is_news ? ", news" : "", (double)r->put_ns / 1e9);
}

void model_settled(void)
{
	uint64_t given_up = find_given_up_news();

	if (given_up > world->news_refused)
		model_fail("%llu news have not arrived, and only %llu were refused",
		           (unsigned long long)given_up, (unsigned long long)world->news_refused);
	for (unsigned boot = 0; boot < world->n_lives; boot++) {
		for (uint32_t seq = 1; seq <= world->lives[boot].last_seq; seq++)
			check_event(boot, seq);
	}
}
