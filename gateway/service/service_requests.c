/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that must not be executed twice survive a restart as notes in the outbox's journal, in
 * the same transaction as their effects. */
#include "clock.h"
#include "service_internal.h"

static void note(void *user, const char *key, const char *text, size_t len)
{
	struct service *service = user;

	if (text)
		(void)outbox_journal_put(service->outbox, key, text, len);
	else
		(void)outbox_journal_remove(service->outbox, key);
}

static int64_t wall_ms(void *user)
{
	(void)user;
	return clock_wall_ns() / (int64_t)CUE_NS_PER_MS;
}

struct command_notes service_request_notes(struct service *service)
{
	if (!service->config->gateway.state_dir)
		return (struct command_notes){ 0 };
	return (struct command_notes){ .note = note, .wall_ms = wall_ms, .user = service };
}

static int restore(void *user, const char *key, const void *value, size_t len)
{
	struct service *service = user;

	commands_restore_request(service->commands, clock_monotonic_ns(), key, value, len);
	return 0;
}

void service_restore_requests(struct service *service)
{
	if (service->has_requests || !service->config->gateway.state_dir ||
	    !outbox_journal_is_known(service->outbox))
		return;
	service->has_requests = true;
	(void)outbox_journal_foreach(service->outbox, restore, service);
}
