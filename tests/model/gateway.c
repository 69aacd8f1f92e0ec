/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One life of a gateway: outbox, egress and the news of gaps as they are, with a loop that
 * puts numbered events. It begins, and ends, as service.c does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge_internal.h"
#include "egress_internal.h"
#include "sim.h"
#include "world.h"

#define TICK_NS  (20 * SIM_MS)
#define STOP_NS  (5 * SIM_S) /* service.c: FLUSH_NS */
#define KEEP_NS  (5 * SIM_S) /* service.c: DISK_FLUSH_NS */
#define NEWS_MAX 64U
/* To the size of an envelope. */
#define NEWS_PADDING 150U
#define PAYLOAD      6000U
#define SETTLED_NS   (3600 * SIM_S) /* all must have been sent by then */

static struct {
	struct log *log;
	struct topics *topics;
	struct outbox *outbox;
	struct retained *retained;
	struct inbox *inbox;
	struct egress *egress;
	struct bridge bridge;
	char boot_id[16];
	unsigned boot;
	uint32_t seq;
	uint64_t next_put_ns, put_ns; /* the pause between two groups, at most */
	unsigned views;
	bool is_known;
	struct {
		uint32_t seq;
		struct news news;
		char *text;
	} news[NEWS_MAX]; /* numbered, not put yet */
	unsigned n_news;
} g;

static void check(int r, const char *what)
{
	if (r < 0)
		model_fail("%s: %s", what, strerrordesc_np(-r));
}

/* ---- the news of gaps: bridge_gap.c calls these ---- */

static void read_news(const char *text, struct news *news)
{
	unsigned count = 0;
	int n = 0;

	*news = (struct news){ .boot = g.boot };
	if (sscanf(text, "{\"boot_id\":\"life%u\",%n", &news->boot, &n) == 1)
		text += n;
	else
		text++;
	if (sscanf(text, "\"from_seq\":%u,\"to_seq\":%u,\"count\":%u,\"reason\":\"%15[a-z_]\"}",
	           &news->from, &news->to, &count, news->reason) != 4 ||
	    news->boot >= world->n_lives || news->from == 0 || news->to < news->from ||
	    count == 0 || count > news->to - news->from + 1)
		model_fail("news that name nothing: %s", text);
	news->is_joined = count < news->to - news->from + 1;
}

int bridge_emit(struct bridge *bridge, const char *type, struct cue_writer *w, uint64_t *ret_seq)
{
	size_t len;

	(void)bridge, (void)type;
	if (g.n_news == NEWS_MAX || g.seq == EVENTS_MAX) {
		cue_writer_clear(w);
		return -ENOBUFS;
	}
	check(cue_writer_finish(w, &g.news[g.n_news].text, &len), "news");
	read_news(g.news[g.n_news].text, &g.news[g.n_news].news);
	*ret_seq = g.news[g.n_news++].seq = ++g.seq;
	return 0;
}

void bridge_release_delayed(struct bridge *bridge)
{
	(void)bridge;
}

void bridge_release_held(struct bridge *bridge)
{
	(void)bridge;
}

/* ---- putting ---- */

static void put(uint32_t seq, const char *type, int qos, const char *text, size_t padding)
{
	char topic[TOPIC_SIZE], payload[PAYLOAD];
	int len = snprintf(payload, sizeof(payload), "%u/%u %s", g.boot, seq, text);
	struct outbox_message m = { .seq = seq, .topic = topic, .payload = payload, .qos = qos };

	memset(payload + len, '.', padding);
	m.payload_len = (size_t)len + padding;
	topics_event(g.topics, type, topic);
	/* The outbox names what it refuses. */
	(void)outbox_put(g.outbox, &m);
}

/** As the bus does: numbered when they were emitted, put when they are dispatched. */
static void put_news(void)
{
	for (unsigned i = 0; i < g.n_news; i++) {
		const struct news *news = &g.news[i].news;

		model_trace("gateway: %u/%u names %u/%u to %u: %s", g.boot, g.news[i].seq,
		            news->boot, news->from, news->to, news->reason);
		model_put(g.news[i].seq, 1, news);
		put(g.news[i].seq, "gateway.gap", 1, g.news[i].text, NEWS_PADDING);
		free(g.news[i].text);
	}
	g.n_news = 0;
}

static void note(void)
{
	char key[32], value[16];

	snprintf(key, sizeof(key), "last-%u", g.boot);
	snprintf(value, sizeof(value), "%u", g.seq);
	check(outbox_journal_put(g.outbox, key, value, strlen(value)), "note");
}

static void put_group(void)
{
	uint32_t from = g.seq + 1;
	unsigned n = 1 + sim_random(6);

	for (unsigned i = 0; i < n && g.seq < EVENTS_MAX - 500; i++) {
		int qos = sim_chance(8) ? 0 : 1;
		size_t padding = sim_chance(4) ? 4000 : sim_random(200);

		model_put(++g.seq, qos, NULL);
		put(g.seq, "x", qos, "", padding);
		if (sim_chance(5))
			sim_sleep(sim_random_span(1000, 2 * SIM_MS));
	}
	if (g.seq >= from && sim_chance(30))
		note();
	model_trace("gateway: puts %u/%u to %u", g.boot, from, g.seq);
}

static int see_note(void *user, const char *key, const void *value, size_t len)
{
	char text[16];
	unsigned boot;

	(void)user;
	snprintf(text, sizeof(text), "%.*s", (int)(len < 15 ? len : 15), (const char *)value);
	if (sscanf(key, "last-%u", &boot) == 1)
		model_noted(boot, (uint32_t)strtoul(text, NULL, 10));
	return 0;
}

/* ---- the loop ---- */

uint64_t gateway_disk_failures(void)
{
	struct outbox_stats stats;

	if (!g.outbox)
		return 0;
	outbox_get_stats(g.outbox, &stats);
	return stats.disk_failures;
}

static void look_at_disk(void)
{
	struct outbox_stats stats;

	outbox_get_stats(g.outbox, &stats);
	if (world->file_taken && stats.on_disk && stats.disk_failures > world->failures_before) {
		model_trace("gateway: has a file again");
		world->file_taken = false;
		world->disk_well_ns = sim_now();
	}
	model_disk_is(stats.on_disk);
	if (!g.is_known && outbox_journal_is_known(g.outbox)) {
		g.is_known = true;
		check(outbox_journal_foreach(g.outbox, see_note, NULL), "notes");
	}
}

static void tick(bool may_put)
{
	struct inbox_message *m;
	char topic[TOPIC_SIZE], view[16];

	while ((m = inbox_take(g.inbox)))
		inbox_message_free(m);
	(void)inbox_is_empty(g.inbox);
	outbox_group_begin(g.outbox);
	if (may_put && sim_now() >= g.next_put_ns) {
		put_group();
		g.next_put_ns = sim_now() + sim_random_span(g.put_ns / 16, g.put_ns);
	}
	bridge_tick(&g.bridge);
	put_news();
	outbox_group_end(g.outbox);
	look_at_disk();
	if (may_put && sim_chance(5)) {
		check(topics_below(g.topics, "info", NULL, topic), "topic");
		snprintf(view, sizeof(view), "%u", ++g.views);
		check(retained_set(g.retained, topic, view, strlen(view), 1), "view");
	}
}

static void work(bool may_put, uint64_t until_ns)
{
	while (sim_now() < until_ns) {
		uint64_t wake_ns = sim_now() + TICK_NS;

		tick(may_put);
		if (may_put && g.next_put_ns < wake_ns)
			wake_ns = g.next_put_ns;
		if (wake_ns > sim_now())
			(void)sim_wait_fd(inbox_fd(g.inbox), wake_ns);
	}
}

/** Until nothing waits and everything is named. */
static void work_until_settled(void)
{
	uint64_t until_ns = sim_now() + SETTLED_NS;
	struct outbox_stats stats;
	struct egress_stats egress;

	do {
		work(false, sim_now() + SIM_S);
		outbox_get_stats(g.outbox, &stats);
		egress_get_stats(g.egress, &egress);
		if (sim_now() > until_ns)
			model_fail("%llu events wait, and %llu are not named, though nothing has "
			           "been in "
			           "the way for an hour (%s%s)",
			           (unsigned long long)stats.events,
			           (unsigned long long)stats.untold,
			           egress.connected ? "connected" : "not connected",
			           stats.on_disk ? ", on disk" : "");
	} while (stats.events > 0 || stats.untold > 0 || egress.in_flight > 0);
}

/* ---- life ---- */

static void wake_loop(void *user)
{
	(void)user;
	inbox_wake(g.inbox);
}

static void make_outbox(void)
{
	static char dir[80];
	struct outbox_config config = {
		.max_events = 16 + sim_random_span(1, 400),
		.max_bytes = sim_chance(30) ? 65536 + sim_random(200000) : 1ULL << 30,
		.full = sim_chance(70) ? OUTBOX_DROP_OLDEST : OUTBOX_REJECT_NEW,
		.wake = egress_wake,
		.user = g.egress,
		.room = wake_loop,
		.known = wake_loop,
		.dir = dir,
		.boot_id = g.boot_id,
		.sync = (enum outbox_sync)sim_random(3),
		.when = sim_chance(25) ? OUTBOX_DISK_WHEN_AWAY : OUTBOX_DISK_ALWAYS,
		.log = g.log,
	};

	if (sim_chance(60))
		config.memory_window = 4U << sim_random(5);
	if (sim_chance(20))
		config.max_memory_bytes = 8000 + sim_random(60000);
	snprintf(dir, sizeof(dir), "%s/state", world->dir);
	model_trace("gateway: room for %llu events, %llu bytes, %s, %s",
	            (unsigned long long)config.max_events, (unsigned long long)config.max_bytes,
	            config.full == OUTBOX_REJECT_NEW ? "reject_new" : "drop_oldest",
	            config.when == OUTBOX_DISK_WHEN_AWAY ? "when_away" : "always");
	world->lives[g.boot].when_away = config.when == OUTBOX_DISK_WHEN_AWAY;
	check(outbox_new(&config, &g.outbox), "outbox");
}

static void begin(void)
{
	struct log_config log = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };
	struct egress_config egress = { .boot_id = g.boot_id };
	struct egress_queues queues;
	struct mqtt_settings *settings = NULL;
	struct config_mqtt mqtt = { .url = (char[]){ "mqtt://broker" },
		                    .client_id = (char[]){ "model" },
		                    .protocol = sim_chance(70) ? 5 : 4,
		                    .window = 1 + (unsigned)sim_random(20),
		                    .keepalive_ns = 10 * SIM_S };
	struct outbox_stats stats;

	g.boot = world->n_lives - 1;
	snprintf(g.boot_id, sizeof(g.boot_id), "life%u", g.boot);
	if (!world->verbose)
		log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	check(log_new(&log, &g.log), "log");
	check(topics_new("model", "1", &g.topics), "topics");
	check(inbox_new(NULL, 1000, 1U << 20, 1U << 16, &g.inbox), "inbox");
	egress.topics = g.topics;
	egress.log = g.log;
	check(egress_new(&egress, &g.egress), "egress");
	check(retained_new(egress_wake, g.egress, &g.retained), "retained");
	make_outbox();
	outbox_get_stats(g.outbox, &stats);
	world->lives[g.boot].is_late = stats.unread;
	g.bridge.config.outbox = g.outbox;
	g.bridge.config.log = g.log;
	check(mqtt_settings_new(&mqtt, NULL, 1U << 16, &settings), "settings");
	queues = (struct egress_queues){ g.outbox, g.retained, g.inbox };
	check(egress_start(g.egress, &queues, settings), "start");
}

/** service.c: tell_gaps(). */
static uint64_t tell_gaps(uint64_t for_ns)
{
	uint64_t until_ns = sim_now() + for_ns;
	struct outbox_stats outbox;
	struct egress_stats egress;

	for (;;) {
		tick(false);
		outbox_get_stats(g.outbox, &outbox);
		egress_get_stats(g.egress, &egress);
		if (outbox.untold == 0 || !egress.connected || sim_now() >= until_ns)
			return sim_now() < until_ns ? until_ns - sim_now() : 0;
		sim_sleep(10 * SIM_MS);
	}
}

/** Count the broker's refusals. Not egress_get_stats(): at a kill the lock may be held. */
static void count_refused(void)
{
	world->news_refused += g.egress ? g.egress->stats.news_refused : 0;
	world->rejected += g.egress ? g.egress->stats.rejected : 0;
}

/** service.c: flush() and clear(). */
static void stop(void)
{
	uint64_t well_ns = world->disk_well_ns, now_ns = sim_now();
	bool kept, hangs;

	(void)egress_stop(g.egress, tell_gaps(STOP_NS));
	hangs = outbox_flush(g.outbox, KEEP_NS) == -ETIMEDOUT;
	kept = outbox_flush(g.outbox, 0) >= 0;
	if (!kept && well_ns == world->disk_well_ns && now_ns - well_ns > MODEL_SETTLE_NS)
		model_fail("the disk works, and the gateway has not written all at its stop");
	count_refused();
	if (!hangs && outbox_stop(g.outbox) == 0) {
		outbox_free(g.outbox);
		egress_free(g.egress);
		retained_free(g.retained);
		inbox_free(g.inbox);
		topics_free(g.topics);
		log_free(g.log);
	}
	model_trace("gateway: has stopped%s", kept ? "" : ", without the disk");
	model_life_ends(kept);
}

static void die(void)
{
	model_trace("gateway: is killed");
	count_refused();
	model_life_ends(false);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

_Noreturn void gateway_live(bool killed, uint64_t for_ns)
{
	uint64_t until_ns = sim_now() + for_ns;

	model_life_begins();
	if (killed)
		sim_die_at(until_ns, sim_random(300), die);
	disk_install();
	broker_install();
	nemesis_begin();
	g.put_ns = sim_random_span(50 * SIM_MS, 2 * SIM_S);
	begin();
	work(!world->is_calm, killed ? SIM_NEVER : until_ns);
	if (world->is_calm)
		work_until_settled();
	stop();
	_exit(0);
}
