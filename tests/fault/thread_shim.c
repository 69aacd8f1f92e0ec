/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: a machine so busy that paho's threads begin CUEBUS_THREAD_DELAY_MS
 * after they were made.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int create_fn(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                      void *user);

struct late {
	void *(*run)(void *);
	void *user;
};

static void *run_late(void *user)
{
	const char *text = getenv("CUEBUS_THREAD_DELAY_MS");
	long ms = text ? atol(text) : 0;
	struct timespec delay = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	struct late late = *(struct late *)user;

	free(user);
	nanosleep(&delay, NULL);
	return late.run(late.user);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *user)
{
	void *symbol = dlsym(RTLD_NEXT, "pthread_create");
	struct late *late;
	create_fn *create;
	Dl_info info;

	memcpy(&create, &symbol, sizeof(create));
	if (!dladdr(*(void **)&run, &info) || !strstr(info.dli_fname, "paho"))
		return create(thread, attr, run, user);
	late = malloc(sizeof(*late));
	if (!late)
		return EAGAIN;
	*late = (struct late){ run, user };
	return create(thread, attr, run_late, late);
}
