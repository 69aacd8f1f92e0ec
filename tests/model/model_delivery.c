/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery against a naive model: a random schedule of puts, acknowledgements, deaths of the
 * broker, faults of the disk, kills and starts, in simulated time. In the end each event has
 * arrived, or a gap names it, exactly one of the two, in order; model.c says what a kill or a cut
 * excuses.
 *
 * Outbox, egress and bridge_gap.c are the real ones. Simulated are threads and clock (sim.c), the
 * disk below SQLite (disk.c) and the broker, paho with it (broker.c).
 *
 *   model_delivery [seeds]         this number of fixed seeds, and some fresh ones
 *   model_delivery seeds first     this number of seeds from the first on
 *   model_delivery -v SEED         one seed, with its events printed
 */
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"
#include "world.h"

#define SEEDS          300U
#define FRESH          20U
#define LIMIT_S        60 /* of a seed; a safety net */
#define LAST_LINES     60U
#define BEGIN_NS       (1000 * SIM_S)
#define LIFE_MIN_NS    (20 * SIM_MS)
#define LIFE_MAX_NS    (90 * SIM_S)
#define CALM_NS        (2 * SIM_S)
#define PERCENT_KILLED 55U

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/** @return whether the life ended as it should. */
static bool live(const struct sim_config *config)
{
	uint64_t for_ns = world->is_calm ? CALM_NS : sim_random_span(LIFE_MIN_NS, LIFE_MAX_NS);
	bool killed = !world->is_calm && sim_chance(PERCENT_KILLED);
	int status = 0;
	pid_t pid;

	model_trace("---- life %u%s", world->n_lives, world->is_calm ? ", calm" : "");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		model_fail("fork: %s", strerror(errno));
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		sim_begin(config);
		gateway_live(killed, for_ns);
	}
	while (waitpid(pid, &status, 0) < 0)
		;
	if (world->failure[0])
		return false;
	if (killed ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL
	           : !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		model_fail("the gateway crashed (%d)", status);
	broker_survives();
	disk_check_files();
	return true;
}

/** One thread runs at a time: waking it on another processor takes longer than its work. */
static void stay_on_processor(void)
{
	int processor = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (processor < 0 || processor >= CPU_SETSIZE)
		return;
	CPU_SET((size_t)processor, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/** In a process of its own. */
static _Noreturn void run_world(void)
{
	struct sim_config config = { .random = &world->random, .now_ns = &world->now_ns };
	unsigned n;

	stay_on_processor();
	sim_attach(&config);
	config.preempt = 2U << sim_random(7);
	nemesis_choose();
	n = 1 + sim_random(5);
	for (unsigned i = 0; i < n + 2; i++) {
		/* In the last but one all is sent; the last has nothing left to send. */
		world->is_calm = i >= n;
		if (!live(&config))
			_exit(1);
	}
	model_settled();
	_exit(0);
}

static void tell(void)
{
	const char *line = world->trace + world->trace_len;

	for (unsigned n = 0; line > world->trace && n <= LAST_LINES; n += line[-1] == '\n')
		line--;
	if (!world->verbose)
		fprintf(stderr, "the end of the schedule:\n%s\n", line);
	fprintf(stderr, "seed %llu: %s\nAll of it: model_delivery -v %llu\n",
	        (unsigned long long)world->seed, world->failure, (unsigned long long)world->seed);
}

static double slowness(void)
{
	const char *slow = getenv("CUEBUS_SLOW");
	double factor = slow ? atof(slow) : 1;

	return factor > 1 ? factor : 1;
}

/** @return whether the model agrees. */
static bool run_seed(uint64_t seed, bool verbose)
{
	int status = 0;
	pid_t pid;

	memset(world, 0, offsetof(struct world, trace));
	for (unsigned i = 0; i < LIVES_MAX; i++)
		world->lives[i].last_seq = 0;
	world->trace[0] = '\0';
	world->seed = world->random = seed;
	world->now_ns = BEGIN_NS;
	world->verbose = verbose;
	strcpy(world->dir, "/tmp/cuebus-model-XXXXXX");
	if (!mkdtemp(world->dir)) {
		perror("mkdtemp");
		exit(1);
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm((unsigned)(LIMIT_S * slowness()));
		run_world();
	}
	while (pid < 0 || waitpid(pid, &status, 0) < 0)
		;
	nftw(world->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (!world->failure[0])
		snprintf(world->failure, sizeof(world->failure), "does not come to an end (%d)",
		         status);
	tell();
	return false;
}

struct sums {
	unsigned long long put, arrived, again, named, twice, lost;
};

static void add(struct sums *sums)
{
	sums->put += world->n_put;
	sums->arrived += world->n_arrived;
	sums->again += world->n_again;
	sums->named += world->n_named;
	sums->twice += world->n_twice;
	sums->lost += world->n_lost;
}

int main(int argc, char **argv)
{
	bool verbose = argc == 3 && strcmp(argv[1], "-v") == 0;
	uint64_t count = argc > 1 && !verbose ? strtoull(argv[1], NULL, 10) : verbose ? 1 : SEEDS;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t fresh = argc > 2 ? 0 : FRESH;
	struct sums sums = { 0 };
	unsigned failed = 0;

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	             0);
	if (world == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (uint64_t i = 0; i < count + fresh; i++) {
		uint64_t seed = i < count ? first + i : (uint64_t)time(NULL) * 1000 + i;

		failed += !run_seed(seed, verbose);
		add(&sums);
	}
	printf("%llu seeds, %u failed. Of %llu events %llu arrived, %llu again; gaps named %llu, "
	       "%llu of these had arrived; a kill excuses %llu\n",
	       (unsigned long long)count + fresh, failed, sums.put, sums.arrived, sums.again,
	       sums.named, sums.twice, sums.lost);
	return failed > 0;
}
