/* SPDX-License-Identifier: Apache-2.0 */
/* Several lives of a gateway with a run journal, in virtual time, on a real database. */
#ifndef JOURNAL_FIXTURE_H
#define JOURNAL_FIXTURE_H

#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "cue_criterion.h"
#include "disk_fixture.h"
#include "journal.h"
#include "time_limits.h"

#define MS(n)    ((uint64_t)(n) * (uint64_t)CUE_NS_PER_MS)
#define S(n)     ((uint64_t)(n) * (uint64_t)CUE_NS_PER_S)
#define FLUSH_NS limit_ns(S(60))
/* Some time in 2026, ns since 1970. */
#define WALL 1795000000000000000LL

#define STEPS                                                                                      \
	"\"steps\":[{\"emit\":\"tick\",\"repeat\":5,\"interval\":\"1s\"},"                         \
	"{\"emit\":\"bell\",\"offset\":\"2500ms\",\"data\":{\"n\":12345678901234567890}}]"
#define CONFIG(playlists)                                                                          \
	"{\"version\":1,\"gateway\":{\"id\":\"porch\"},\"playlists\":{" playlists "}}"
#define ABORT  CONFIG("\"p\":{\"metadata\":{\"m\":1},\"trigger\":\"go\"," STEPS "}")
#define RESUME CONFIG("\"p\":{\"on_restart\":\"resume\",\"trigger\":\"go\"," STEPS "}")
#define SKIP   CONFIG("\"p\":{\"on_restart\":\"skip\",\"trigger\":\"go\"," STEPS "}")

static char dir[64];
/** The definition of `p` that a life has by command, before it restores; NULL: none. */
static const char *by_command;

struct life {
	struct config *config;
	struct engine *engine;
	struct outbox *outbox;
	struct journal *journal;
	struct log *log;
	struct cue_subscription *watch;
	uint64_t random;
	char text[8192];
	char stopped[1024]; /* data of the last one */
	char created[8192]; /* the same */
};

static inline int life_random(void *user, void *buf, size_t len)
{
	struct life *life = user;

	life->random = life->random * 6364136223846793005ULL + 1442695040888963407ULL;
	for (size_t i = 0; i < len; i++)
		((unsigned char *)buf)[i] = (unsigned char)(life->random >> (8 * (i % 8)));
	return 0;
}

static inline const char *field(const cJSON *json, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

/** "<ms> created p at 1500", "<ms> stopped p completed 6 …", "<ms> tick"; `emitted` is left out. */
static inline int life_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct life *life = user;
	size_t len = strlen(life->text);
	char *out = life->text + len;
	const char *type = cue_event_type_name(event);
	const cJSON *json = cue_payload_json(event->payload);
	const cJSON *number;
	int n;

	(void)bus;
	if (strcmp(type, "event.playlist.emitted") == 0)
		return 0;
	if (strcmp(type, "event.playlist.stopped") == 0)
		snprintf(life->stopped, sizeof(life->stopped), "%s",
		         cue_payload_bytes(event->payload, NULL));
	if (strcmp(type, "event.playlist.created") == 0)
		snprintf(life->created, sizeof(life->created), "%s",
		         cue_payload_bytes(event->payload, NULL));
	n = snprintf(out, sizeof(life->text) - len, "%llu %s",
	             (unsigned long long)(event->time_ns / (uint64_t)CUE_NS_PER_MS),
	             strncmp(type, "event.playlist.", 15) == 0 ? type + 15 : type);
	if (field(json, "playlist_name"))
		n += sprintf(out + n, " %s", field(json, "playlist_name"));
	number = cJSON_GetObjectItemCaseSensitive(json, "offset");
	if (number)
		n += sprintf(out + n, " at %d", (int)(number->valuedouble * 1000 + 0.5));
	if (field(json, "reason"))
		n += sprintf(out + n, " %s %d", field(json, "reason"),
		             cJSON_GetObjectItemCaseSensitive(json, "emitted_count")->valueint);
	if (field(json, "detail"))
		n += sprintf(out + n, " <%s>", field(json, "detail"));
	number = cJSON_GetObjectItemCaseSensitive(json, "skipped_count");
	if (number)
		n += sprintf(out + n, " skipped %d", number->valueint);
	sprintf(out + n, "\n");
	return 0;
}

static inline struct config *config_of(const char *text)
{
	struct config *config = NULL;
	struct diag diag = { 0 };
	int r = config_load_text("test", text, strlen(text), &diag, &config);

	if (r < 0)
		diag_print(&diag, stderr);
	diag_clear(&diag);
	cr_assert_eq(r, 0);
	return config;
}

static inline void make_engine(struct life *life, uint64_t start_ns, int64_t wall_ns)
{
	struct engine_config config = {
		.config = life->config,
		.start_ns = start_ns,
		.wall_offset_ns = wall_ns - (int64_t)start_ns,
		.random = life_random,
		.user = life,
		.virtual_devices = true,
	};
	struct cue_subscription_config events = {
		.type = "*", .priority = CUE_PRIORITY_BRIDGE, .handler = life_event, .user = life
	};

	cr_assert_eq(engine_new(&config, &life->engine), 0);
	cr_assert_eq(cue_bus_subscribe(engine_bus(life->engine), &events, &life->watch), 0);
}

static inline void fill_types(struct life *life)
{
	const struct cue_type *type;
	char name[32];
	int r = 0;

	for (unsigned i = 0; r == 0; i++) {
		snprintf(name, sizeof(name), "filler.n%u", i);
		r = cue_bus_intern(engine_bus(life->engine), name, &type);
	}
	cr_assert_eq(r, -ENOSPC);
}

static inline void define_by_command(struct life *life)
{
	struct config_playlist *playlist;
	struct diag diag = { 0 };

	cr_assert_eq(config_playlist_parse("p", by_command, strlen(by_command), &diag, &playlist),
	             0);
	diag_clear(&diag);
	cr_assert_eq(
	        cue_playlist_define(engine_playlists(life->engine), &playlist->def, NULL, NULL), 0);
	config_playlist_free(playlist);
}

static inline void begin_with(struct life *life, const char *config, const char *kernel_boot,
                              uint64_t start_ns, int64_t wall_ns, bool full)
{
	struct outbox_config oc = {
		.max_events = 1000, .max_bytes = 1000000, .dir = dir, .boot_id = "7f3a9c21"
	};
	struct log_config lc = { .fd = 2, .level = LOG_LEVEL_WARNING };
	struct journal_config jc = { .kernel_boot_id = kernel_boot };
	uint64_t random = life->random + 1;

	*life = (struct life){ .random = random, .config = config_of(config) };
	cr_assert_eq(log_new(&lc, &life->log), 0);
	cr_assert_eq(outbox_new(&oc, &life->outbox), 0);
	make_engine(life, start_ns, wall_ns);
	if (by_command)
		define_by_command(life);
	if (full)
		fill_types(life);
	jc.engine = life->engine;
	jc.outbox = life->outbox;
	jc.log = life->log;
	cr_assert_eq(journal_new(&jc, &life->journal), 0);
	outbox_group_begin(life->outbox);
	cr_assert_eq(journal_restore(life->journal), 0);
	outbox_group_end(life->outbox);
}

/** The first deadlines run, as in the loop's first wake, before the mark. */
static inline void begin(struct life *life, const char *config, const char *kernel_boot,
                         uint64_t start_ns, int64_t wall_ns)
{
	begin_with(life, config, kernel_boot, start_ns, wall_ns, false);
}

/** The same without room for another event type. */
static inline void begin_full(struct life *life, const char *config, const char *kernel_boot,
                              uint64_t start_ns, int64_t wall_ns)
{
	begin_with(life, config, kernel_boot, start_ns, wall_ns, true);
}

/** A wake of the loop at @p now_ns. */
static inline void wake(struct life *life, uint64_t now_ns)
{
	outbox_group_begin(life->outbox);
	engine_wake(life->engine, now_ns);
	journal_mark(life->journal);
	outbox_group_end(life->outbox);
}

static inline void emit(struct life *life, const char *type, const char *json)
{
	struct cue_payload *payload;
	struct cue_emit event = { .type = type, .time_ns = CUE_TIME_NONE };

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	event.payload = payload;
	outbox_group_begin(life->outbox);
	cr_assert_eq(cue_bus_emit(engine_bus(life->engine), &event, NULL), 0);
	journal_mark(life->journal);
	outbox_group_end(life->outbox);
	cue_payload_unref(payload);
}

/** The process ends; committed data stays. */
static inline void crash(struct life *life)
{
	cr_assert_eq(outbox_flush(life->outbox, FLUSH_NS), 0);
	journal_free(life->journal);
	cue_subscription_cancel(life->watch);
	engine_free(life->engine);
	outbox_free(life->outbox);
	log_free(life->log);
	config_free(life->config);
}

#define expect(life, expected)                                                                     \
	do {                                                                                       \
		cr_assert_str_eq((life)->text, expected);                                          \
		(life)->text[0] = '\0';                                                            \
	} while (0)

static inline uint64_t found(const struct life *life)
{
	struct journal_stats stats;

	journal_get_stats(life->journal, &stats);
	cr_assert_eq(stats.failures, 0U);
	return stats.found;
}

/** A life in which "p" is started at 1000 s, with the ticks of 0 and 1 s out at 1001.5 s. */
static inline void first_life(struct life *life, const char *config)
{
	disk_make_dir(dir);
	*life = (struct life){ 0 };
	begin(life, config, "boot-a", S(1000), WALL);
	cr_assert_eq(found(life), 0U);
	emit(life, "go", "{\"a\":1.50}");
	wake(life, S(1000));
	wake(life, S(1001));
	wake(life, S(1001) + MS(500));
	expect(life, "1000000 go\n1000000 created p\n1000000 tick\n1001000 tick\n");
}

static inline void last_life(struct life *life, const char *config)
{
	crash(life);
	begin(life, config, "boot-a", S(900000), WALL);
	cr_assert_eq(found(life), 0U, "a run was told as stopped and is still noted");
	wake(life, S(900100));
	expect(life, "");
	crash(life);
	disk_remove_dir(dir);
}

#endif
