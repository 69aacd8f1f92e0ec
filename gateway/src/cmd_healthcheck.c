/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cuebus healthcheck`: what a container or a monitor calls. It asks the way
 * every client would, over the broker: a gateway that answers is up, connected
 * and handles commands.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>

#include "cli.h"
#include "config.h"
#include "duration.h"
#include "paho_connection.h"
#include "topics.h"

#define CONNECT_TIMEOUT_S 5
#define TIMEOUT_NS (5 * CUE_NS_PER_S)
#define REPLY_MAX 4096U

static const char usage_text[] =
	"usage: cuebus healthcheck -c FILE [--timeout DURATION]\n"
	"\n"
	"Send `ping` to the gateway of the configuration FILE over its broker and wait\n"
	"for the reply. Prints one line.\n"
	"\n"
	"  -c, --config FILE       the configuration the gateway runs with\n"
	"  -t, --timeout DURATION  to wait for the reply (default 5s)\n"
	"  -h, --help              this text\n"
	"\n"
	"Exit codes: 0 it answered; 64 usage; 69 it did not, or the broker can't be\n"
	"reached; 70 internal; 78 the configuration is wrong.\n";

/** The answer, as paho's thread sees it. */
struct probe {
	char id[24]; /* request_id; never changed while connected */
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool lost;
	char reply[REPLY_MAX]; /* "" none yet */
};

static void on_message(void *user, const struct inbox_message *message)
{
	struct probe *probe = user;

	/* Others may ping at the same moment: the id tells which reply is ours. */
	if (message->payload_len >= REPLY_MAX ||
	    !memmem(message->payload, message->payload_len, probe->id, strlen(probe->id)))
		return;
	pthread_mutex_lock(&probe->mutex);
	memcpy(probe->reply, message->payload, message->payload_len);
	probe->reply[message->payload_len] = '\0';
	pthread_cond_signal(&probe->cond);
	pthread_mutex_unlock(&probe->mutex);
}

static void on_acknowledged(void *user, int token, int reason)
{
	(void)user, (void)token, (void)reason;
}

static void on_lost(void *user, int reason)
{
	struct probe *probe = user;

	(void)reason;
	pthread_mutex_lock(&probe->mutex);
	probe->lost = true;
	pthread_cond_signal(&probe->cond);
	pthread_mutex_unlock(&probe->mutex);
}

/** @return false when there was no reply in time. */
static bool wait_reply(struct probe *probe, uint64_t timeout_ns)
{
	struct timespec until;
	bool got;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ns / CUE_NS_PER_S);
	until.tv_nsec += (long)(timeout_ns % CUE_NS_PER_S);
	if (until.tv_nsec >= (long)CUE_NS_PER_S) {
		until.tv_sec++;
		until.tv_nsec -= (long)CUE_NS_PER_S;
	}
	pthread_mutex_lock(&probe->mutex);
	while (!*probe->reply && !probe->lost &&
	       pthread_cond_clockwait(&probe->cond, &probe->mutex, CLOCK_MONOTONIC, &until) == 0)
		;
	got = *probe->reply != '\0';
	pthread_mutex_unlock(&probe->mutex);
	return got;
}

/** @return exit code */
static int judge(const char *gateway, const char *reply)
{
	cJSON *tree = cJSON_Parse(reply);
	const cJSON *result = cJSON_GetObjectItemCaseSensitive(tree, "result");
	const char *boot_id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "boot_id"));
	const char *version = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "version"));
	const char *code_name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(tree, "error"), "code"));
	const cJSON *uptime = cJSON_GetObjectItemCaseSensitive(result, "uptime_s");
	int code = EX_UNAVAILABLE;

	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "ok")) && boot_id && version &&
	    cJSON_IsNumber(uptime)) {
		printf("ok: gateway '%s' is up: version %s, boot id %s, up %.0f s\n", gateway, version,
		       boot_id, uptime->valuedouble);
		code = EX_OK;
	} else if (code_name && strcmp(code_name, "refused") == 0) {
		/* Only a gateway that is up, connected and handles commands refuses one. */
		printf("ok: gateway '%s' is up (mqtt.remote.cmd does not allow ping)\n", gateway);
		code = EX_OK;
	} else {
		printf("unavailable: gateway '%s' answered %.300s\n", gateway, reply);
	}
	cJSON_Delete(tree);
	return code;
}

static int ask(struct paho_connection *connection, const struct topics *topics, struct probe *probe,
               const char *gateway, uint64_t timeout_ns)
{
	char reply_topic[TOPIC_SIZE], command_topic[TOPIC_SIZE], payload[64], error[PAHO_ERROR_SIZE];
	const char *filter = reply_topic;
	struct paho_message message = { .topic = command_topic, .payload = payload, .qos = 1 };
	int token;

	if (topics_below(topics, "reply", "ping", reply_topic) < 0 ||
	    topics_below(topics, "cmd", "ping", command_topic) < 0)
		return EX_SOFTWARE;
	snprintf(payload, sizeof(payload), "{\"request_id\":\"%s\"}", probe->id);
	message.payload_len = strlen(payload);
	if (paho_subscribe(connection, &filter, 1, error) < 0) {
		printf("unavailable: %s\n", error);
		return EX_UNAVAILABLE;
	}
	if (paho_publish(connection, &message, &token) < 0) {
		printf("unavailable: the connection to the broker broke\n");
		return EX_UNAVAILABLE;
	}
	if (!wait_reply(probe, timeout_ns)) {
		printf("unavailable: gateway '%s' did not answer within %.1f s\n", gateway,
		       (double)timeout_ns / 1e9);
		return EX_UNAVAILABLE;
	}
	return judge(gateway, probe->reply);
}

static int check(const struct config *config, uint64_t timeout_ns)
{
	struct probe probe = { .mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };
	struct paho_callbacks callbacks = { on_message, on_acknowledged, on_lost, &probe };
	struct paho_connection *connection = NULL;
	struct mqtt_settings *settings = NULL;
	struct topics *topics = NULL;
	char error[PAHO_ERROR_SIZE], suffix[40];
	int code = EX_SOFTWARE;
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return EX_SOFTWARE;
	snprintf(probe.id, sizeof(probe.id), "hc-%016llx", (unsigned long long)random);
	snprintf(suffix, sizeof(suffix), "-%s", probe.id);
	if (topics_new(config->mqtt.topic_prefix, config->gateway.id, &topics) < 0 ||
	    mqtt_settings_new(&config->mqtt, suffix, config->limits.payload_bytes, &settings) < 0) {
		fprintf(stderr, "cuebus healthcheck: out of memory\n");
	} else if (paho_connect(settings, &callbacks, NULL, CONNECT_TIMEOUT_S, &connection, error) < 0) {
		printf("unavailable: no connection to the broker: %s\n", error);
		code = EX_UNAVAILABLE;
	} else {
		code = ask(connection, topics, &probe, config->gateway.id, timeout_ns);
	}
	paho_close(connection);
	mqtt_settings_free(settings);
	topics_free(topics);
	pthread_mutex_destroy(&probe.mutex);
	pthread_cond_destroy(&probe.cond);
	return code;
}

static int usage_error(const char *what)
{
	fprintf(stderr, "cuebus healthcheck: %s\nTry 'cuebus healthcheck --help'.\n", what);
	return EX_USAGE;
}

/** @return -1 to go on, or an exit code. */
static int parse_options(int argc, char **argv, const char **ret_file, uint64_t *ret_timeout_ns)
{
	static const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *reason;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:t:h", long_options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return EX_OK;
		}
		if (c == 'c')
			*ret_file = optarg;
		else if (c != 't')
			return usage_error("unknown option");
		else if (duration_parse(optarg, strlen(optarg), ret_timeout_ns, &reason) < 0 ||
		         *ret_timeout_ns == 0)
			return usage_error("--timeout must be a duration above 0, e.g. 5s");
	}
	if (optind < argc)
		return usage_error("takes no other arguments; the configuration is given with -c");
	if (!*ret_file)
		return usage_error("a configuration is needed: -c FILE");
	return -1;
}

int cmd_healthcheck(int argc, char **argv)
{
	uint64_t timeout_ns = TIMEOUT_NS;
	struct config *config = NULL;
	const char *file = NULL;
	struct diag diag = { 0 };
	int code = parse_options(argc, argv, &file, &timeout_ns), r;

	if (code >= 0)
		return code;
	r = config_load(file, &diag, &config);
	if (r < 0)
		diag_print(&diag, stderr);
	diag_clear(&diag);
	if (r < 0)
		return r == -ENOMEM ? EX_SOFTWARE : EX_CONFIG;
	code = check(config, timeout_ns);
	config_free(config);
	return code;
}
