/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "world.h"

#define THREADS_MAX 16U
#define MUTEXES_MAX 64U
/* Wall clock minus monotonic clock. */
#define EPOCH_S 1700000000
/* Calls in one life; more are a loop that never waits. */
#define CALLS_MAX 3000000U

enum state { RUNS, WAITS, DONE };

struct thread {
	enum state state;
	const void *on; /* what it waits for; NULL: nothing but the time */
	int fd;         /* -1: none */
	uint64_t until_ns;
	bool timed_out;
	sem_t turn;
	pthread_t real;
	void *(*start)(void *);
	void *argument, *result;
};

static struct {
	bool active;
	struct sim_config config;
	struct thread threads[THREADS_MAX];
	unsigned n_threads, current;
	struct owned {
		const void *mutex;
		unsigned owner;
	} owned[MUTEXES_MAX];
	unsigned n_owned;
	uint64_t calls;
	uint64_t die_ns;
	uint32_t die_calls;
	void (*die)(void);
} sim;

/* ---- chance ---- */

static uint64_t next_random(void)
{
	uint64_t x = (*sim.config.random += 0x9E3779B97F4A7C15ULL); /* splitmix64 */

	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
	return x ^ (x >> 31);
}

uint32_t sim_random(uint32_t n)
{
	return (uint32_t)((next_random() >> 32) * n >> 32);
}

uint64_t sim_random_span(uint64_t from, uint64_t to)
{
	uint32_t doublings = 0;
	uint64_t value;

	while (from << doublings < to)
		doublings++;
	value = from << sim_random(doublings + 1);
	value += next_random() % (value + 1);
	return value < to ? value : to;
}

bool sim_chance(uint32_t percent)
{
	return sim_random(100) < percent;
}

uint64_t sim_now(void)
{
	return *sim.config.now_ns;
}

/* ---- the scheduler ---- */

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

static void wake_due(void)
{
	for (unsigned i = 0; i < sim.n_threads; i++) {
		struct thread *t = &sim.threads[i];

		if (t->state != WAITS)
			continue;
		if (is_readable(t->fd)) {
			t->state = RUNS;
		} else if (t->until_ns <= sim_now()) {
			t->state = RUNS;
			t->timed_out = true;
		}
	}
}

static void die_if_due(void)
{
	if (sim.die && sim_now() >= sim.die_ns && sim.die_calls-- == 0)
		sim.die();
}

static void jump(void)
{
	uint64_t next_ns = SIM_NEVER;

	for (unsigned i = 0; i < sim.n_threads; i++) {
		if (sim.threads[i].state == WAITS && sim.threads[i].until_ns < next_ns)
			next_ns = sim.threads[i].until_ns;
	}
	if (next_ns == SIM_NEVER)
		model_fail("every thread waits for ever");
	*sim.config.now_ns = next_ns;
	die_if_due();
}

static unsigned pick(void)
{
	unsigned runs[THREADS_MAX], n = 0;

	for (;;) {
		wake_due();
		for (unsigned i = 0; i < sim.n_threads; i++) {
			if (sim.threads[i].state == RUNS)
				runs[n++] = i;
		}
		if (n > 0)
			return runs[sim_random(n)];
		jump();
	}
}

static void give_turn(void)
{
	unsigned self = sim.current, next = pick();

	if (next == self)
		return;
	sim.current = next;
	sem_post(&sim.threads[next].turn);
	if (sim.threads[self].state == DONE)
		return;
	while (sem_wait(&sim.threads[self].turn) < 0)
		;
}

void sim_point(void)
{
	*sim.config.now_ns += 100 + sim_random(400);
	die_if_due();
	if (++sim.calls > CALLS_MAX)
		model_fail("a thread goes on and on without waiting");
	if (sim_random(sim.config.preempt) == 0)
		give_turn();
}

static bool wait_for(const void *on, int fd, uint64_t until_ns)
{
	struct thread *t = &sim.threads[sim.current];

	t->state = WAITS;
	t->on = on;
	t->fd = fd;
	t->until_ns = until_ns;
	t->timed_out = false;
	give_turn();
	t->on = NULL;
	t->fd = -1;
	return !t->timed_out;
}

bool sim_wait(const void *on, uint64_t until_ns)
{
	return wait_for(on, -1, until_ns);
}

bool sim_wait_fd(int fd, uint64_t until_ns)
{
	return wait_for(NULL, fd, until_ns);
}

void sim_sleep(uint64_t ns)
{
	(void)wait_for(NULL, -1, sim_now() + ns);
}

/** @param all else one of them. */
static void notify(const void *on, bool all)
{
	unsigned found[THREADS_MAX], n = 0;

	for (unsigned i = 0; i < sim.n_threads; i++) {
		if (sim.threads[i].state == WAITS && sim.threads[i].on == on)
			found[n++] = i;
	}
	if (n > 0 && !all) {
		sim.threads[found[sim_random(n)]].state = RUNS;
		return;
	}
	while (n > 0)
		sim.threads[found[--n]].state = RUNS;
}

void sim_notify(const void *on)
{
	notify(on, true);
}

void sim_die_at(uint64_t at_ns, uint32_t calls, void (*die)(void))
{
	sim.die_ns = at_ns;
	sim.die_calls = calls;
	sim.die = die;
}

/* ---- threads ---- */

static struct thread *add_thread(void)
{
	struct thread *t = &sim.threads[sim.n_threads];

	if (sim.n_threads == THREADS_MAX)
		model_fail("too many threads");
	*t = (struct thread){ .state = RUNS, .fd = -1 };
	sem_init(&t->turn, 0, 0);
	sim.n_threads++;
	return t;
}

void sim_attach(const struct sim_config *config)
{
	sim.config = *config;
}

void sim_begin(const struct sim_config *config)
{
	sim_attach(config);
	add_thread()->real = pthread_self();
	sim.active = true;
}

static void *run(void *user)
{
	struct thread *t = user;

	while (sem_wait(&t->turn) < 0)
		;
	t->result = t->start(t->argument);
	t->state = DONE;
	notify(t, true);
	give_turn();
	return NULL;
}

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *argument)
{
	struct thread *t;
	int r;

	if (!sim.active)
		return __real_pthread_create(thread, attr, start, argument);
	t = add_thread();
	t->start = start;
	t->argument = argument;
	r = __real_pthread_create(&t->real, attr, run, t);
	if (r != 0)
		model_fail("no thread: %s", strerror(r));
	*thread = t->real;
	sim_point();
	return 0;
}

int __real_pthread_join(pthread_t, void **);
int __wrap_pthread_join(pthread_t, void **);
int __wrap_pthread_join(pthread_t thread, void **result)
{
	struct thread *t = NULL;

	if (!sim.active)
		return __real_pthread_join(thread, result);
	for (unsigned i = 0; i < sim.n_threads; i++) {
		if (pthread_equal(sim.threads[i].real, thread))
			t = &sim.threads[i];
	}
	if (!t)
		model_fail("a thread is joined that was not made");
	while (t->state != DONE)
		(void)sim_wait(t, SIM_NEVER);
	if (result)
		*result = t->result;
	return __real_pthread_join(thread, NULL);
}

struct spawned {
	void (*fn)(void *user);
	void *user;
};

static void *run_spawned(void *user)
{
	struct spawned spawned = *(struct spawned *)user;

	free(user);
	spawned.fn(spawned.user);
	return NULL;
}

void sim_spawn(void (*fn)(void *user), void *user)
{
	struct spawned *spawned = malloc(sizeof(*spawned));
	pthread_t thread;

	if (!spawned)
		model_fail("no memory");
	*spawned = (struct spawned){ .fn = fn, .user = user };
	(void)__wrap_pthread_create(&thread, NULL, run_spawned, spawned);
}

/* ---- locks ---- */

static struct owned *find_owned(const void *mutex)
{
	for (unsigned i = 0; i < sim.n_owned; i++) {
		if (sim.owned[i].mutex == mutex)
			return &sim.owned[i];
	}
	return NULL;
}

static void lock(const void *mutex)
{
	const struct owned *owned;

	while ((owned = find_owned(mutex))) {
		if (owned->owner == sim.current)
			model_fail("a thread locks a mutex twice");
		(void)sim_wait(mutex, SIM_NEVER);
	}
	if (sim.n_owned == MUTEXES_MAX)
		model_fail("too many mutexes are locked");
	sim.owned[sim.n_owned++] = (struct owned){ .mutex = mutex, .owner = sim.current };
}

static void unlock(const void *mutex)
{
	struct owned *owned = find_owned(mutex);

	if (!owned || owned->owner != sim.current)
		model_fail("a thread unlocks a mutex that it has not locked");
	*owned = sim.owned[--sim.n_owned];
	notify(mutex, true);
}

int __real_pthread_mutex_lock(pthread_mutex_t *);
int __wrap_pthread_mutex_lock(pthread_mutex_t *);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	if (!sim.active)
		return __real_pthread_mutex_lock(mutex);
	sim_point();
	lock(mutex);
	return 0;
}

int __real_pthread_mutex_unlock(pthread_mutex_t *);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	if (!sim.active)
		return __real_pthread_mutex_unlock(mutex);
	unlock(mutex);
	sim_point();
	return 0;
}

/** Sometimes a spurious wakeup, as POSIX allows. */
static int wait_cond(const void *cond, const void *mutex, uint64_t until_ns)
{
	uint64_t wake_ns = sim_chance(2) ? sim_now() + SIM_MS : until_ns;
	bool notified;

	if (wake_ns > until_ns)
		wake_ns = until_ns;
	unlock(mutex);
	notified = sim_wait(cond, wake_ns);
	lock(mutex);
	return notified || wake_ns < until_ns ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	return wait_cond(cond, mutex, SIM_NEVER);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
	return wait_cond(cond, mutex, (uint64_t)until->tv_sec * SIM_S + (uint64_t)until->tv_nsec);
}

int __wrap_pthread_cond_signal(pthread_cond_t *);
int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
	notify(cond, false);
	return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
	notify(cond, true);
	return 0;
}

/* ---- time and chance of the system ---- */

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	if (!sim.active)
		return __real_clock_gettime(clock, ret_time);
	ret_time->tv_sec = (time_t)(sim_now() / SIM_S) + (clock == CLOCK_REALTIME ? EPOCH_S : 0);
	ret_time->tv_nsec = (long)(sim_now() % SIM_S);
	return 0;
}

ssize_t __real_getrandom(void *, size_t, unsigned);
ssize_t __wrap_getrandom(void *, size_t, unsigned);
ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags)
{
	unsigned char *p = bytes;

	if (!sim.active)
		return __real_getrandom(bytes, n, flags);
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)sim_random(256);
	return (ssize_t)n;
}
