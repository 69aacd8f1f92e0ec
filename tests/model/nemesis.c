/* SPDX-License-Identifier: Apache-2.0 */
/* Faults and their times: the disk and the broker each have a thread that causes them. */
#include "sim.h"
#include "world.h"

#define PAUSE_MIN_NS (5 * SIM_MS)
#define PAUSE_MAX_NS (20 * SIM_S)
#define FAULT_MIN_NS (2 * SIM_MS)
#define FAULT_MAX_NS (30 * SIM_S)
/* Shorter than a minute: data that can't be read for a minute is dropped by design. */
#define READS_FAIL_MAX_NS (20 * SIM_S)

enum broker_fault {
	BROKER_CUT,
	BROKER_DIES,
	BROKER_STALLS,
	BROKER_DISORDER,
	BROKER_REFUSES,
	BROKER_SWALLOWS,
	BROKER_POISON,
	BROKER_MAXIMUM,
	BROKER_SLOW,
	BROKER_FAULTS,
};

static const char *const disk_names[] = {
	[DISK_WORKS] = "is moved away",
	[DISK_READS_FAIL] = "fails to read",
	[DISK_WRITES_FAIL] = "fails to write",
	[DISK_FAILS] = "fails",
	[DISK_FLICKERS] = "fails now and then",
	[DISK_FULL] = "is full",
	[DISK_SLOW] = "is slow",
	[DISK_HANGS] = "hangs",
	[DISK_LOCKED] = "is locked",
};

static bool reads_failed; /* in this life: only once, to stay below the time limit */

/* ---- choosing ---- */

/** Often only one fault, so that no other one masks it. */
static unsigned choose(unsigned n, uint32_t percent)
{
	unsigned bits = 0;

	if (sim_chance(30))
		return 1U << sim_random(n);
	for (unsigned i = 0; i < n; i++)
		bits |= sim_chance(percent) ? 1U << i : 0;
	return bits;
}

void nemesis_choose(void)
{
	world->disk_faults = sim_chance(75) ? choose(DISK_FAULTS, 40) : 0;
	world->broker_faults = sim_chance(75) ? choose(BROKER_FAULTS, 40) : 0;
	world->pause_ns = sim_random_span(200 * SIM_MS, PAUSE_MAX_NS);
	world->manners = (struct manners){ .latency_ns = sim_random_span(100000, 50 * SIM_MS) };
}

/** One of the bits. */
static unsigned one_of(unsigned bits, unsigned n)
{
	unsigned i;

	do
		i = sim_random(n);
	while (!(bits & 1U << i));
	return i;
}

/* ---- the disk ---- */

static bool is_reading_fault(enum disk_fault fault)
{
	return fault == DISK_READS_FAIL || fault == DISK_FAILS || fault == DISK_FLICKERS;
}

static void fail_disk(enum disk_fault fault)
{
	uint64_t max_ns = is_reading_fault(fault) ? READS_FAIL_MAX_NS : FAULT_MAX_NS;
	uint64_t for_ns = sim_random_span(FAULT_MIN_NS, max_ns);

	if (is_reading_fault(fault) && reads_failed)
		return;
	reads_failed |= is_reading_fault(fault);
	if (fault == DISK_WORKS) {
		model_trace("disk: the file is moved away");
		disk_take_file();
		return;
	}
	model_trace("disk: %s for %.3f s", disk_names[fault], (double)for_ns / 1e9);
	disk_set(fault);
	sim_sleep(for_ns);
	model_trace("disk: works");
	disk_set(DISK_WORKS);
}

static void spoil_disk(void *user)
{
	if (user) /* at the start */
		fail_disk((enum disk_fault)one_of(world->disk_faults & ~1U, DISK_FAULTS));
	for (;;) {
		sim_sleep(sim_random_span(PAUSE_MIN_NS, world->pause_ns));
		fail_disk((enum disk_fault)one_of(world->disk_faults, DISK_FAULTS));
	}
}

/* ---- the broker ---- */

static void stall(void)
{
	uint64_t for_ns = sim_random_span(FAULT_MIN_NS, FAULT_MAX_NS);

	model_trace("broker: acknowledges nothing for %.3f s", (double)for_ns / 1e9);
	world->manners.stalls = true;
	sim_sleep(for_ns);
	world->manners.stalls = false;
}

static void misbehave(enum broker_fault fault)
{
	struct manners *m = &world->manners;

	switch (fault) {
	case BROKER_CUT:
		broker_cut(sim_chance(50));
		return;
	case BROKER_DIES:
		m->down_until_ns = sim_now() + sim_random_span(FAULT_MIN_NS, FAULT_MAX_NS);
		model_trace("broker: is down until %.3f", (double)m->down_until_ns / 1e9);
		broker_cut(true);
		return;
	case BROKER_STALLS:
		stall();
		return;
	case BROKER_DISORDER:
		m->disorder = sim_random(2) * sim_random(60);
		break;
	case BROKER_REFUSES:
		m->refusals = sim_random(2) * sim_random(30);
		break;
	case BROKER_SWALLOWS:
		m->swallowed = sim_random(2) * sim_random(10);
		break;
	case BROKER_POISON:
		m->poison = sim_random(2) * (20 + sim_random(100));
		break;
	case BROKER_MAXIMUM:
		m->maximum = sim_random(2) * (100 + sim_random(4000));
		break;
	case BROKER_SLOW:
		m->latency_ns = sim_random_span(100000, 100 * SIM_MS);
		break;
	case BROKER_FAULTS:
		return;
	}
	model_trace(
	        "broker: disorder %u %%, refusals %u %%, swallowed %u %%, poison 1/%u, packets up "
	        "to %u, %.3f ms away",
	        m->disorder, m->refusals, m->swallowed, m->poison, m->maximum,
	        (double)m->latency_ns / 1e6);
}

static void spoil_broker(void *user)
{
	(void)user;
	for (;;) {
		sim_sleep(sim_random_span(PAUSE_MIN_NS, world->pause_ns));
		misbehave((enum broker_fault)one_of(world->broker_faults, BROKER_FAULTS));
	}
}

/* ---- a life ---- */

void nemesis_begin(void)
{
	static bool at_once;

	at_once = (world->disk_faults & ~1U) && sim_chance(20);
	world->disk = DISK_WORKS;
	world->manners.stalls = false;
	if (world->is_calm) {
		world->manners = (struct manners){ .latency_ns = SIM_MS };
		return;
	}
	if (world->disk_faults)
		sim_spawn(spoil_disk, at_once ? &at_once : NULL);
	if (world->broker_faults)
		sim_spawn(spoil_broker, NULL);
	if (at_once)
		sim_sleep(1);
}
