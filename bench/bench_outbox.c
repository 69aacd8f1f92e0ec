/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages through the outbox, put by one thread, taken and released by
 * another: on disk against in memory. And the time from put to take of single
 * messages, which is what the disk adds to each event.
 *
 *   bench_outbox [folder [messages]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "outbox.h"

#define PAYLOAD 250U
#define SINGLES 200U

struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool open;
};

static void on_wake(void *user)
{
	struct gate *gate = user;

	pthread_mutex_lock(&gate->mutex);
	gate->open = true;
	pthread_cond_signal(&gate->cond);
	pthread_mutex_unlock(&gate->mutex);
}

static void wait_gate(struct gate *gate)
{
	pthread_mutex_lock(&gate->mutex);
	while (!gate->open)
		pthread_cond_wait(&gate->cond, &gate->mutex);
	gate->open = false;
	pthread_mutex_unlock(&gate->mutex);
}

struct consumer {
	struct outbox *outbox;
	struct gate *gate;
	unsigned long n;
};

static void *consume(void *user)
{
	struct consumer *consumer = user;
	struct outbox_message m;

	for (unsigned long i = 0; i < consumer->n; i++) {
		while (outbox_take(consumer->outbox, &m) < 0)
			wait_gate(consumer->gate);
		outbox_release(consumer->outbox, m.id);
	}
	return NULL;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(struct outbox *outbox, uint64_t seq)
{
	static const char payload[PAYLOAD];
	struct outbox_message m = { .seq = seq,
		                    .topic = "cuebus/1/bench/bus/event/playlist/emitted",
		                    .payload = payload,
		                    .payload_len = PAYLOAD,
		                    .qos = 1 };

	if (outbox_put(outbox, &m) < 0)
		abort();
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/** Messages a second; the median of put to take goes to @p ret_median_us. */
static double measure(const char *dir, enum outbox_sync sync, unsigned long n,
                      double *ret_median_us)
{
	static struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
	struct outbox_config config = { .max_events = 100000000,
		                        .max_bytes = 1ULL << 40,
		                        .dir = dir,
		                        .boot_id = "bench",
		                        .sync = sync,
		                        .wake = on_wake,
		                        .user = &gate };
	struct consumer consumer = { .gate = &gate, .n = n };
	double singles[SINGLES], begin, rate;
	struct outbox_message m;
	pthread_t thread;

	if (outbox_new(&config, &consumer.outbox) < 0)
		abort();
	(void)outbox_flush(consumer.outbox, 60000000000ULL);
	begin = now_s();
	if (pthread_create(&thread, NULL, consume, &consumer) != 0)
		abort();
	for (unsigned long i = 1; i <= n; i++)
		put(consumer.outbox, i);
	pthread_join(thread, NULL);
	rate = (double)n / (now_s() - begin);
	for (unsigned i = 0; i < SINGLES; i++) {
		usleep(2000);
		begin = now_s();
		put(consumer.outbox, n + 1 + i);
		while (outbox_take(consumer.outbox, &m) < 0)
			wait_gate(&gate);
		singles[i] = (now_s() - begin) * 1e6;
		outbox_release(consumer.outbox, m.id);
	}
	qsort(singles, SINGLES, sizeof(*singles), by_value);
	*ret_median_us = singles[SINGLES / 2];
	outbox_free(consumer.outbox);
	return rate;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "always", "batch", "never" };
	char dir[4096], path[4200];
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
	double median_us, memory = measure(NULL, OUTBOX_SYNC_NEVER, n, &median_us);

	snprintf(dir, sizeof(dir), "%s/cuebus-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (n == 0 || !mkdtemp(dir))
		return 1;
	printf("%-14s %12s %9s %18s\n", "outbox", "messages/s", "ratio", "put to take (p50)");
	printf("%-14s %12.0f %9.3f %15.0f us\n", "memory", memory, 1.0, median_us);
	for (unsigned sync = 0; sync < 3; sync++) {
		double rate = measure(dir, (enum outbox_sync)sync, n, &median_us);

		printf("disk, %-8s %12.0f %9.3f %15.0f us\n", names[sync], rate, rate / memory,
		       median_us);
	}
	snprintf(path, sizeof(path), "%s/outbox.db", dir);
	unlink(path);
	rmdir(dir);
	return 0;
}
