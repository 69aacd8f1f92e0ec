/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cuebus healthcheck`, for containers and monitors. It asks over the broker, like any client: a
 * gateway that answers is up, connected and handles commands.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "config.h"
#include "duration.h"
#include "hide.h"
#include "loop.h"
#include "mqtt_reason.h"
#include "paho_connection.h"
#include "topics.h"

/* Short enough for any broker. */
#define KEEPALIVE_S       5
#define CONNECT_TIMEOUT_S 5
#define TIMEOUT_NS        (5 * CUE_NS_PER_S)
#define REPLY_MAX         4096U
/* Time for a more specific error before the generic timeout. */
#define GRACE_NS (CUE_NS_PER_S / 4)

static const char usage_text[] =
        "usage: cuebus healthcheck -c FILE [--timeout DURATION]\n"
        "\n"
        "Send `ping` to the gateway of the configuration FILE over its broker and wait\n"
        "for the reply. Prints one line.\n"
        "\n"
        "  -c, --config FILE       the configuration the gateway runs with\n"
        "  -t, --timeout DURATION  to wait for the reply, all in all (default 5s)\n"
        "  -h, --help              this text\n"
        "\n"
        "Exit codes: 0 it answered; 64 usage; 69 it did not, or the broker can't be\n"
        "reached; 70 internal; 78 the configuration is wrong.\n";

/** State of the check; paho's thread may set the answer. */
struct probe {
	char id[24]; /* request_id; never changed while connected */
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool lost;
	int refused;           /* MQTT 5 reason of the broker that did not take our message, or 0 */
	char reply[REPLY_MAX]; /* "" none yet */

	/* The check runs on its own thread: a hanging resolver or broker does not obey the
	 * timeout. */
	const struct config *config;
	uint64_t timeout_ns, until_ns;
	bool done;
	int code;                           /* the exit code, once there is a verdict */
	char verdict[PAHO_ERROR_SIZE + 64]; /* the one line to print; "" none yet */
};

static int tell(struct probe *probe, int code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/** @return @p code. */
static int tell(struct probe *probe, int code, const char *format, ...)
{
	char text[sizeof(probe->verdict)], *safe = NULL;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)hide_text(probe->config->hide, text, &safe);
	pthread_mutex_lock(&probe->mutex);
	snprintf(probe->verdict, sizeof(probe->verdict), "%s", safe ? safe : "out of memory");
	probe->code = code;
	pthread_mutex_unlock(&probe->mutex);
	free(safe);
	return code;
}

static void on_message(void *user, const struct inbox_message *message)
{
	struct probe *probe = user;

	/* Other clients may ping at the same moment: the id identifies our reply. */
	if (message->payload_len >= REPLY_MAX ||
	    !memmem(message->payload, message->payload_len, probe->id, strlen(probe->id)))
		return;
	pthread_mutex_lock(&probe->mutex);
	memcpy(probe->reply, message->payload, message->payload_len);
	probe->reply[message->payload_len] = '\0';
	pthread_cond_broadcast(&probe->cond);
	pthread_mutex_unlock(&probe->mutex);
}

static void on_acknowledged(void *user, int token, int reason)
{
	struct probe *probe = user;

	(void)token;
	if (reason < 0x80)
		return;
	pthread_mutex_lock(&probe->mutex);
	probe->refused = reason;
	pthread_cond_broadcast(&probe->cond);
	pthread_mutex_unlock(&probe->mutex);
}

static void on_lost(void *user, int reason)
{
	struct probe *probe = user;

	(void)reason;
	pthread_mutex_lock(&probe->mutex);
	probe->lost = true;
	pthread_cond_broadcast(&probe->cond);
	pthread_mutex_unlock(&probe->mutex);
}

/** Wait for a change or the timeout. */
static void wait_news(struct probe *probe, struct paho_connection *connection)
{
	struct timespec until = clock_timespec(probe->until_ns);
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t left_ns = now_ns < probe->until_ns ? probe->until_ns - now_ns : 0;

	if (paho_has_own_thread(connection)) {
		pthread_mutex_lock(&probe->mutex);
		if (!*probe->reply && !probe->lost && !probe->refused)
			(void)pthread_cond_clockwait(&probe->cond, &probe->mutex, CLOCK_MONOTONIC,
			                             &until);
		pthread_mutex_unlock(&probe->mutex);
	} else {
		paho_wait_input(connection, -1, left_ns < CUE_NS_PER_S ? left_ns : CUE_NS_PER_S);
	}
}

/** @return false if there was no reply in time. */
static bool wait_reply(struct probe *probe, struct paho_connection *connection)
{
	bool got = false, over = false;

	while (!got && !over) {
		over = clock_monotonic_ns() >= probe->until_ns;
		if (!over)
			wait_news(probe, connection);
		pthread_mutex_lock(&probe->mutex);
		got = *probe->reply != '\0';
		over = over || probe->lost || probe->refused;
		pthread_mutex_unlock(&probe->mutex);
	}
	return got;
}

/** @return exit code */
static int judge(struct probe *probe, const char *gateway, const char *reply)
{
	cJSON *tree = cJSON_Parse(reply);
	const cJSON *result = cJSON_GetObjectItemCaseSensitive(tree, "result");
	const char *boot_id =
	        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "boot_id"));
	const char *version =
	        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "version"));
	const char *code_name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
	        cJSON_GetObjectItemCaseSensitive(tree, "error"), "code"));
	const cJSON *uptime = cJSON_GetObjectItemCaseSensitive(result, "uptime_s");
	int code;

	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "ok")) && boot_id && version &&
	    cJSON_IsNumber(uptime)) {
		code = tell(probe, EX_OK,
		            "ok: gateway '%s' is up: version %s, boot id %s, up %.0f s", gateway,
		            version, boot_id, uptime->valuedouble);
	} else if (code_name && strcmp(code_name, "refused") == 0) {
		/* Only a gateway that is up, connected and handles commands refuses one. */
		code = tell(probe, EX_OK,
		            "ok: gateway '%s' is up (mqtt.remote.cmd does not allow ping)",
		            gateway);
	} else {
		code = tell(probe, EX_UNAVAILABLE, "unavailable: gateway '%s' answered %.300s",
		            gateway, reply);
	}
	cJSON_Delete(tree);
	return code;
}

static int ask(struct paho_connection *connection, const struct topics *topics, struct probe *probe,
               const char *gateway)
{
	char reply_topic[TOPIC_SIZE], command_topic[TOPIC_SIZE], payload[64],
	        error[PAHO_ERROR_SIZE];
	struct paho_subscription replies = { .filter = reply_topic, .qos = 1, .no_local = true };
	struct paho_message message = { .topic = command_topic, .payload = payload, .qos = 1 };
	int token;

	if (topics_below(topics, "reply", "ping", reply_topic) < 0 ||
	    topics_below(topics, "cmd", "ping", command_topic) < 0)
		return EX_SOFTWARE;
	snprintf(payload, sizeof(payload), "{\"request_id\":\"%s\"}", probe->id);
	message.payload_len = strlen(payload);
	if (paho_subscribe(connection, &replies, error) < 0)
		return tell(probe, EX_UNAVAILABLE, "unavailable: %s", error);
	if (paho_publish(connection, &message, &token) < 0)
		return tell(probe, EX_UNAVAILABLE,
		            "unavailable: the connection to the broker broke");
	if (!wait_reply(probe, connection))
		return probe->refused
		               ? tell(probe, EX_UNAVAILABLE,
		                      "unavailable: the broker does not take the ping on '%s': %s "
		                      "(0x%02x)%s",
		                      command_topic, mqtt_reason_text(probe->refused, true),
		                      (unsigned)probe->refused, mqtt_reason_remedy(probe->refused))
		               : tell(probe, EX_UNAVAILABLE,
		                      "unavailable: gateway '%s' did not answer within %.1f s",
		                      gateway, (double)probe->timeout_ns / 1e9);
	return judge(probe, gateway, probe->reply);
}

static int check(struct probe *probe)
{
	struct paho_callbacks callbacks = { on_message, on_acknowledged, on_lost, probe };
	struct paho_options options = { .callbacks = &callbacks,
		                        .timeout_s = CONNECT_TIMEOUT_S,
		                        .keepalive_s = KEEPALIVE_S };
	const struct config *config = probe->config;
	struct paho_connection *connection = NULL;
	struct mqtt_settings *settings = NULL;
	struct topics *topics = NULL;
	char error[PAHO_ERROR_SIZE], suffix[40];
	int code = EX_SOFTWARE;
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return EX_SOFTWARE;
	snprintf(probe->id, sizeof(probe->id), "hc-%016llx", (unsigned long long)random);
	snprintf(suffix, sizeof(suffix), "-%s", probe->id);
	if (topics_new(config->mqtt.topic_prefix, config->gateway.id, &topics) < 0 ||
	    mqtt_settings_new(&config->mqtt, suffix, config->limits.payload_bytes, &settings) < 0)
		fprintf(stderr, "cuebus healthcheck: out of memory\n");
	else if (paho_connect(settings, &options, &connection, NULL, error) < 0)
		code = tell(probe, EX_UNAVAILABLE, "unavailable: no connection to the broker: %s",
		            error);
	else
		code = ask(connection, topics, probe, config->gateway.id);
	paho_close(connection);
	mqtt_settings_free(settings);
	topics_free(topics);
	return code;
}

static void *run_check(void *user)
{
	struct probe *probe = user;
	int code = check(probe);

	pthread_mutex_lock(&probe->mutex);
	probe->code = code;
	probe->done = true;
	pthread_cond_broadcast(&probe->cond);
	pthread_mutex_unlock(&probe->mutex);
	return NULL;
}

/** Wait until the check ends, at most until @p until. Mutex held. @return whether it ended. */
static bool wait_done(struct probe *probe, const struct timespec *until)
{
	while (!probe->done &&
	       pthread_cond_clockwait(&probe->cond, &probe->mutex, CLOCK_MONOTONIC, until) == 0)
		;
	return probe->done;
}

/** Run the check and print the verdict. Ends the process if the check hangs: it may be inside
 * libc. */
static int check_in_time(const struct config *config, uint64_t timeout_ns)
{
	struct probe probe = { .mutex = PTHREAD_MUTEX_INITIALIZER,
		               .cond = PTHREAD_COND_INITIALIZER,
		               .config = config,
		               .timeout_ns = timeout_ns,
		               .code = EX_UNAVAILABLE };
	struct timespec until;
	pthread_t thread;
	bool done;

	/* The timeout includes connecting. */
	probe.until_ns = clock_monotonic_ns() + timeout_ns;
	until = clock_timespec(probe.until_ns + GRACE_NS);
	if (pthread_create(&thread, NULL, run_check, &probe) != 0)
		return EX_SOFTWARE;
	pthread_mutex_lock(&probe.mutex);
	done = wait_done(&probe, &until);
	if (*probe.verdict)
		puts(probe.verdict);
	else if (!done)
		printf("unavailable: the broker at %s did not answer within %.1f s\n",
		       config->mqtt.url, (double)probe.timeout_ns / 1e9);
	if (!done) {
		fflush(NULL);
		_exit(probe.code);
	}
	pthread_mutex_unlock(&probe.mutex);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&probe.mutex);
	pthread_cond_destroy(&probe.cond);
	return probe.code;
}

static int usage_error(const char *what)
{
	fprintf(stderr, "cuebus healthcheck: %s\nTry 'cuebus healthcheck --help'.\n", what);
	return EX_USAGE;
}

/** @return -1 to continue, or an exit code. */
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
	code = check_in_time(config, timeout_ns);
	config_free(config);
	return code;
}
