/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of what comes from outside and becomes events. */
#include "commands_internal.h"

const char *commands_take_bytes(struct commands *commands, size_t bytes, uint64_t now_ns)
{
	const struct config_limits *limits = &engine_get_config(commands->config.engine)->limits;

	if (rate_take(&commands->emit_bytes_rate, bytes, limits->emit_bytes_per_second, now_ns))
		return NULL;
	commands->stats.emit_bytes_limited++;
	return "more bytes of events from outside than limits.emit_bytes_per_second allows";
}

const char *commands_take_emit(struct commands *commands, size_t bytes, uint64_t now_ns)
{
	const struct config_limits *limits = &engine_get_config(commands->config.engine)->limits;
	const char *over;

	if (!rate_allows(&commands->emit_rate, 1, limits->emits_per_second, now_ns)) {
		commands->stats.emits_limited++;
		return "more events from outside than limits.emits_per_second allows";
	}
	over = commands_take_bytes(commands, bytes, now_ns);
	if (over)
		return over;
	rate_take(&commands->emit_rate, 1, limits->emits_per_second, now_ns);
	return NULL;
}

const char *commands_take_steering(struct commands *commands, size_t runs, uint64_t now_ns)
{
	const struct config_limits *limits = &engine_get_config(commands->config.engine)->limits;

	if (rate_take(&commands->emit_rate, runs, limits->emits_per_second, now_ns))
		return NULL;
	commands->stats.emits_limited++;
	return "each run that is steered is an event, and more are asked for from outside than "
	       "limits.emits_per_second allows";
}
