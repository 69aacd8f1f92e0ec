/* SPDX-License-Identifier: Apache-2.0 */
#include "command_memory.h"

#include <errno.h>
#include <string.h>

#include "cue_criterion.h"

static const struct command_key key_a = { "ping", "1", 1, "{}", 2 };

static bool finds(struct command_memory *memory, const struct command_key *key, uint64_t now_ns,
                  const char *expected)
{
	const char *reply;
	size_t len;

	if (!command_memory_find(memory, key, now_ns, &reply, &len))
		return false;
	cr_assert_eq(len, strlen(expected));
	cr_assert_str_eq(reply, expected);
	return true;
}

Test(command_memory, remembers_for_60_seconds)
{
	struct command_memory *memory;

	cr_assert_eq(command_memory_new(10, 10000, &memory), 0);
	cr_assert(!finds(memory, &key_a, 5, ""));
	cr_assert_eq(command_memory_put(memory, &key_a, 5, "reply", 5), 0);
	cr_assert(finds(memory, &key_a, 5 + COMMAND_MEMORY_NS, "reply"));
	cr_assert(!finds(memory, &key_a, 6 + COMMAND_MEMORY_NS, ""));
	cr_assert_eq(command_memory_count(memory), 0U);
	command_memory_free(memory);
}

Test(command_memory, name_id_and_payload_all_count)
{
	struct command_memory *memory;
	const struct command_key others[] = {
		{ "pong", "1", 1, "{}", 2 }, { "ping", "2", 1, "{}", 2 },
		{ "ping", "1", 1, "{ }", 3 }, { "ping", "1{", 2, "}", 1 },
	};

	cr_assert_eq(command_memory_new(10, 10000, &memory), 0);
	cr_assert_eq(command_memory_put(memory, &key_a, 0, "x", 1), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		cr_assert(!finds(memory, &others[i], 1, ""));
	command_memory_free(memory);
}

Test(command_memory, forgets_the_oldest_at_either_bound)
{
	struct command_memory *memory;
	char id[8] = "0";
	struct command_key key = { "ping", id, 1, NULL, 0 };

	cr_assert_eq(command_memory_new(3, 1000, &memory), 0);
	for (char c = '0'; c < '9'; c++) {
		id[0] = c;
		cr_assert_eq(command_memory_put(memory, &key, 0, "x", 1), 0);
		cr_assert_leq(command_memory_count(memory), 3U);
	}
	id[0] = '6';
	cr_assert(finds(memory, &key, 0, "x"));
	id[0] = '5';
	cr_assert(!finds(memory, &key, 0, ""));
	command_memory_free(memory);
}

static bool knows_without_reply(struct command_memory *memory, const struct command_key *key)
{
	const char *reply = "";
	size_t len;

	return command_memory_find(memory, key, 0, &reply, &len) && !reply;
}

Test(command_memory, a_reply_without_room_is_forgotten_and_its_request_is_not)
{
	struct command_memory *memory;
	char large[2000], id[8] = "0";
	struct command_key key = { "ping", id, 1, NULL, 0 };

	memset(large, 'y', sizeof(large));
	cr_assert_eq(command_memory_new(10, 1000, &memory), 0);
	cr_assert_eq(command_memory_put(memory, &key_a, 0, "small", 5), 0);
	for (; id[0] < '5'; id[0]++)
		cr_assert_eq(command_memory_put(memory, &key, 0, large, 450), 0);
	cr_assert_eq(command_memory_count(memory), 6U);
	cr_assert(knows_without_reply(memory, &key_a));
	id[0] = '2';
	cr_assert(knows_without_reply(memory, &key));
	large[450] = '\0';
	id[0] = '3';
	cr_assert(finds(memory, &key, 0, large));
	/* One that has no room at all pushes no other out. */
	id[0] = '6';
	cr_assert_eq(command_memory_put(memory, &key, 0, large, sizeof(large)), 0);
	cr_assert(knows_without_reply(memory, &key));
	id[0] = '4';
	cr_assert(finds(memory, &key, 0, large));
	/* But of requests the bytes are bounded. */
	key = (struct command_key){ "ping", "7", 1, large, 1000 };
	cr_assert_eq(command_memory_put(memory, &key, 0, "x", 1), -EMSGSIZE);
	command_memory_free(memory);
}
