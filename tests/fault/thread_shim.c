/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: a busy machine. paho's threads begin CUEBUS_THREAD_DELAY_MS after they were created;
 * with CUEBUS_THREAD_DELAY_AT=name they pause for that time after they have set their name.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int create_fn(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                      void *user);

struct late {
	void *(*run)(void *);
	void *user;
};

typedef int name_fn(pthread_t thread, const char *name);

static void *find(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static bool delays_at_name(void)
{
	const char *at = getenv("CUEBUS_THREAD_DELAY_AT");

	return at && strcmp(at, "name") == 0;
}

static void delay(void)
{
	const char *text = getenv("CUEBUS_THREAD_DELAY_MS");
	long ms = text ? atol(text) : 0;
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static void *run_late(void *user)
{
	struct late late = *(struct late *)user;

	free(user);
	delay();
	return late.run(late.user);
}

int pthread_setname_np(pthread_t thread, const char *name)
{
	void *symbol = find("pthread_setname_np");
	name_fn *set_name;
	int r;

	memcpy(&set_name, &symbol, sizeof(set_name));
	r = set_name(thread, name);
	if (delays_at_name() && strcmp(name, "MQTTClient_run") == 0)
		delay();
	return r;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *user)
{
	void *symbol = find("pthread_create");
	struct late *late;
	create_fn *create;
	Dl_info info;

	memcpy(&create, &symbol, sizeof(create));
	if (delays_at_name() || !dladdr(*(void **)&run, &info) || !strstr(info.dli_fname, "paho"))
		return create(thread, attr, run, user);
	late = malloc(sizeof(*late));
	if (!late)
		return EAGAIN;
	*late = (struct late){ run, user };
	return create(thread, attr, run_late, late);
}
