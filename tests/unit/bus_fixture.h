/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bus_fixture.h
 * @brief A bus in virtual time and a text log of what its subscribers saw.
 */
#ifndef BUS_FIXTURE_H
#define BUS_FIXTURE_H

#include <cuebus/cuebus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct cue_bus *bus;
	char log[4096];      /* "name:type " for each call, see log_event() */
	unsigned reports[8]; /* by enum cue_report_code */
	uint64_t random_state;
	uint64_t last_ns; /* for tests that keep an event's time */
};

/* splitmix64 (Steele, Lea, Flood 2014): ids that are the same in every run. */
static inline int fixture_random(void *user, void *buf, size_t len)
{
	struct fixture *f = user;
	unsigned char *p = buf;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = f->random_state += 0x9e3779b97f4a7c15ULL;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
		p[i] = (unsigned char)(z ^ (z >> 31));
	}
	return 0;
}

static inline void fixture_report(void *user, const struct cue_report *report)
{
	struct fixture *f = user;

	f->reports[report->code]++;
}

static inline void fixture_open(struct fixture *f, const struct cue_limits *limits)
{
	struct cue_bus_config config = {
		.gateway_id = "test",
		.start_ns = 1000,
		.random = fixture_random,
		.report = fixture_report,
		.user = f,
	};

	memset(f, 0, sizeof(*f));
	if (limits)
		config.limits = *limits;
	if (cue_bus_new(&config, &f->bus) < 0)
		abort();
}

static inline void fixture_close(struct fixture *f)
{
	f->bus = cue_bus_free(f->bus);
}

static inline void fixture_log(struct fixture *f, const char *text)
{
	size_t used = strlen(f->log);

	snprintf(f->log + used, sizeof(f->log) - used, "%s%s", used ? " " : "", text);
}

static inline int fixture_emit(struct fixture *f, const char *type)
{
	return cue_bus_emit(f->bus, &(struct cue_emit){ .type = type, .time_ns = CUE_TIME_NONE },
	                    NULL);
}

#endif
