/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reload: everything is checked before anything changes, and a failure during the switch is rolled
 * back.
 */
#include <errno.h>
#include <string.h>

#include "config.h"
#include "plural.h"
#include "same_text.h"
#include "service_internal.h"

/**
 * Refuse settings that can't change in a running gateway: the parts of P are in every topic and
 * every client, and the outbox and the stores on disk are created once.
 */
static int check_fixed(struct service *service, const struct config *config, struct diag *diag)
{
	const struct config *now = service->config;
	const struct {
		bool same;
		const char *path, *text;
	} fixed[] = {
		{ same_text(now->gateway.id, config->gateway.id), "/gateway/id", "gateway.id" },
		{ same_text(now->mqtt.topic_prefix, config->mqtt.topic_prefix),
		  "/mqtt/topic_prefix", "mqtt.topic_prefix" },
		{ same_text(now->gateway.state_dir, config->gateway.state_dir),
		  "/gateway/state_dir", "gateway.state_dir" },
		{ now->limits.outbox_events == config->limits.outbox_events &&
		          now->limits.outbox_bytes == config->limits.outbox_bytes &&
		          now->limits.outbox_memory_bytes == config->limits.outbox_memory_bytes,
		  "/limits",
		  "limits.outbox_events, limits.outbox_bytes or limits.outbox_memory_bytes" },
		{ now->outbox.sync == config->outbox.sync &&
		          now->outbox.when == config->outbox.when &&
		          now->outbox.full == config->outbox.full,
		  "/outbox", "outbox.sync, outbox.disk or outbox.full" },
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
		struct config_place place;

		if (fixed[i].same)
			continue;
		place = config_place_of(config, fixed[i].path);
		diag_add(diag, DIAG_ERROR,
		         (struct diag_place){ place.file, place.line, place.column, fixed[i].path },
		         "needs-restart", "%s changed: that needs a restart", fixed[i].text);
		r = -EINVAL;
	}
	return r;
}

/** Switch engine and kept definitions; a failure changes nothing. */
static int swap(struct service *service, const struct config *config, struct diag *diag)
{
	char error[SERVICE_ERROR_SIZE] = "", again[SERVICE_ERROR_SIZE] = "";
	int r = engine_apply(service->engine, config, error);

	if (r >= 0) {
		r = commands_reapply(service->commands);
		if (r < 0 && engine_apply(service->engine, service->config, again) < 0)
			log_write(service->log, LOG_LEVEL_ERROR,
			          "the configuration from before could not be restored whole: %s",
			          again);
	}
	/* The rolled-back configuration may have replaced a kept definition. */
	if (r < 0 && commands_reapply(service->commands) < 0)
		log_write(service->log, LOG_LEVEL_ERROR,
		          "the definitions made by command could not be restored whole: out of "
		          "memory");
	if (r < 0)
		diag_add(diag, DIAG_ERROR, diag_file(service->options.config_file), "apply", "%s",
		         *error ? error : strerrordesc_np(-r));
	return r;
}

void service_set_inbox_limits(struct service *service)
{
	const struct config_limits *limits = &service->config->limits;
	/* For each lane. One message with its topic and properties always fits. */
	uint64_t one = limits->payload_bytes + 256ULL * 1024, max_bytes = limits->inbox_bytes;

	if (max_bytes < one)
		max_bytes = one;
	inbox_set_limits(service->inbox, limits->inbox_messages, max_bytes, limits->payload_bytes);
}

/** Pass @p settings to the egress if they differ. */
static void reconnect_if_changed(struct service *service, struct mqtt_settings *settings,
                                 struct mqtt_settings *copy)
{
	if (mqtt_settings_equal(settings, service->settings)) {
		mqtt_settings_free(settings);
		mqtt_settings_free(copy);
		return;
	}
	mqtt_settings_free(service->settings);
	service->settings = copy;
	log_write(service->log, LOG_LEVEL_NOTICE, "mqtt settings changed: reconnecting");
	/* Not yet: the reply to the reload command must go over the old connection. */
	mqtt_settings_free(service->reconnect);
	service->reconnect = settings;
}

void service_reconnect(struct service *service)
{
	if (!service->reconnect || service->in_group)
		return;
	egress_reconfigure(service->egress, service->reconnect);
	service->reconnect = NULL;
}

static int make_settings(const struct config *config, struct mqtt_settings **ret_settings,
                         struct mqtt_settings **ret_copy)
{
	int r = mqtt_settings_new(&config->mqtt, NULL, config->limits.payload_bytes, ret_settings);

	if (r >= 0)
		r = mqtt_settings_new(&config->mqtt, NULL, config->limits.payload_bytes, ret_copy);
	if (r < 0)
		*ret_settings = mqtt_settings_free(*ret_settings);
	return r;
}

static int load(struct service *service, struct diag *diag, struct config **ret_config,
                struct mqtt_settings **ret_settings, struct mqtt_settings **ret_copy)
{
	int r = config_load_again(service->options.config_file, diag, ret_config);

	if (log_hide(service->log, diag->hide) < 0 && r >= 0) {
		*ret_config = config_free(*ret_config);
		r = -ENOMEM;
	}
	if (r < 0)
		return r;
	r = check_fixed(service, *ret_config, diag);
	if (r >= 0)
		r = make_settings(*ret_config, ret_settings, ret_copy);
	if (r >= 0)
		r = swap(service, *ret_config, diag);
	if (r < 0) {
		*ret_config = config_free(*ret_config);
		*ret_settings = mqtt_settings_free(*ret_settings);
		*ret_copy = mqtt_settings_free(*ret_copy);
	}
	return r;
}

static int reload(struct service *service, struct diag *diag)
{
	struct mqtt_settings *settings = NULL, *copy = NULL;
	struct config *config = NULL;
	int r;

	service->reload_diag = diag;
	r = load(service, diag, &config, &settings, &copy);
	service->reload_diag = NULL;
	/* Also after a failure, because inputs may have been closed and opened again. */
	loop_refresh_fds(service->loop);
	if (r < 0) {
		log_write(service->log, LOG_LEVEL_ERROR,
		          "reload: the running configuration stays in force (%zu error%s)",
		          diag->n_errors, plural(diag->n_errors));
		return r;
	}
	config_free(service->config);
	service->config = config;
	reconnect_if_changed(service, settings, copy);
	service_set_inbox_limits(service);
	bridge_refresh(service->bridge);
	views_mark_all(service->views);
	loop_set_slack(service->loop, config->gateway.scheduler_slack_ns);
	service->next_health_ns = 0;
	log_write(service->log, LOG_LEVEL_NOTICE, "configuration reloaded (hash %s)", config->hash);
	return 0;
}

int service_reload(void *user, struct diag *diag)
{
	struct service *service = user;
	int r;

	service_notify_reload(service, true, false);
	r = reload(service, diag);
	log_findings(service->log, diag);
	service_notify_reload(service, false, r < 0);
	return r;
}
