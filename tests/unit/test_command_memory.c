/* SPDX-License-Identifier: Apache-2.0 */
#include "command_memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cue_criterion.h"

static const struct command_key key_a = { "ping", "1", 1, "{}", 2 };

static int put(struct command_memory *memory, const struct command_key *key, uint64_t now_ns,
               const char *text, size_t len)
{
	const struct command_answer answer = { .text = text, .len = len };

	return command_memory_put(memory, key, now_ns, &answer);
}

static int put_noted(struct command_memory *memory, const struct command_key *key, uint64_t now_ns,
                     const char *text, size_t len)
{
	const struct command_answer answer = { .text = text, .len = len, .noted = true };

	return command_memory_put(memory, key, now_ns, &answer);
}

static bool finds(struct command_memory *memory, const struct command_key *key, uint64_t now_ns,
                  const char *expected)
{
	const char *reply;
	size_t len;

	if (!command_memory_find(memory, key, now_ns, &reply, &len))
		return false;
	if (!reply)
		return !*expected;
	cr_assert_eq(len, strlen(expected));
	cr_assert_str_eq(reply, expected);
	return true;
}

Test(command_memory, remembers_for_60_seconds)
{
	struct command_memory *memory;

	cr_assert_eq(command_memory_new(10, 10000, NULL, &memory), 0);
	cr_assert(!finds(memory, &key_a, 5, ""));
	cr_assert_eq(put(memory, &key_a, 5, "reply", 5), 0);
	cr_assert(finds(memory, &key_a, 5 + COMMAND_MEMORY_NS, "reply"));
	cr_assert(!finds(memory, &key_a, 6 + COMMAND_MEMORY_NS, ""));
	cr_assert_eq(command_memory_count(memory), 0U);
	command_memory_free(memory);
}

Test(command_memory, name_id_and_payload_all_count)
{
	struct command_memory *memory;
	/* Columns by hand. */
	/* clang-format off */
	const struct command_key others[] = {
		{ "pong", "1", 1, "{}", 2 }, { "ping", "2", 1, "{}", 2 },
		{ "ping", "1", 1, "{ }", 3 }, { "ping", "1{", 2, "}", 1 },
	};
	/* clang-format on */

	cr_assert_eq(command_memory_new(10, 10000, NULL, &memory), 0);
	cr_assert_eq(put(memory, &key_a, 0, "x", 1), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		cr_assert(!finds(memory, &others[i], 1, ""));
	command_memory_free(memory);
}

Test(command_memory, forgets_the_oldest_at_either_bound)
{
	struct command_memory *memory;
	char id[8] = "0";
	struct command_key key = { "ping", id, 1, NULL, 0 };

	cr_assert_eq(command_memory_new(3, 1000, NULL, &memory), 0);
	for (int c = '0'; c < '9'; c++) {
		id[0] = (char)c;
		cr_assert_eq(put(memory, &key, 0, "x", 1), 0);
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
	cr_assert_eq(command_memory_new(10, 1000, NULL, &memory), 0);
	cr_assert_eq(put(memory, &key_a, 0, "small", 5), 0);
	for (; id[0] < '5'; id[0]++)
		cr_assert_eq(put(memory, &key, 0, large, 450), 0);
	cr_assert_eq(command_memory_count(memory), 6U);
	cr_assert(knows_without_reply(memory, &key_a));
	id[0] = '2';
	cr_assert(knows_without_reply(memory, &key));
	large[450] = '\0';
	id[0] = '3';
	cr_assert(finds(memory, &key, 0, large));
	/* An entry that is too large evicts no other. */
	id[0] = '6';
	cr_assert_eq(put(memory, &key, 0, large, sizeof(large)), 0);
	cr_assert(knows_without_reply(memory, &key));
	id[0] = '4';
	cr_assert(finds(memory, &key, 0, large));
	/* But the bytes of requests are limited. */
	key = (struct command_key){ "ping", "7", 1, large, 1000 };
	cr_assert_eq(put(memory, &key, 0, "x", 1), -EMSGSIZE);
	command_memory_free(memory);
}

/* ---- over a restart ---- */

#define NOTES_MAX (COMMAND_NOTES_MAX + 8)
static struct {
	char key[32], text[COMMAND_NOTE_REPLY_MAX + 128];
} notes[NOTES_MAX];
static size_t n_notes;
static int64_t wall_ms;

static void keep(void *user, const char *key, const char *text, size_t len)
{
	size_t i = 0;

	(void)user;
	while (i < n_notes && strcmp(notes[i].key, key) != 0)
		i++;
	if (!text) {
		cr_assert_lt(i, n_notes, "a note that is not there is taken back");
		notes[i] = notes[--n_notes];
		return;
	}
	cr_assert_lt(i, NOTES_MAX);
	cr_assert_lt(len, sizeof(notes[i].text));
	cr_assert_lt(strlen(key), sizeof(notes[i].key));
	strcpy(notes[i].key, key);
	memcpy(notes[i].text, text, len);
	notes[i].text[len] = '\0';
	n_notes += i == n_notes;
}

static int64_t now_ms(void *user)
{
	(void)user;
	return wall_ms;
}

static const struct command_notes kept = { .note = keep, .wall_ms = now_ms };

static struct command_memory *next_life(uint64_t now_ns)
{
	struct command_memory *memory;

	cr_assert_eq(command_memory_new(65536, 1000000, &kept, &memory), 0);
	for (size_t i = n_notes; i-- > 0;)
		command_memory_restore(memory, now_ns, notes[i].key, notes[i].text,
		                       strlen(notes[i].text));
	return memory;
}

Test(command_memory, what_must_not_run_twice_outlasts_a_restart)
{
	const struct command_key asked = { "ping", "2", 1, "", 0 };
	struct command_memory *memory = next_life(0);

	wall_ms = 1000000;
	cr_assert_eq(put_noted(memory, &key_a, 5, "{reply}", 7), 0);
	cr_assert_eq(put(memory, &asked, 5, "pong", 4), 0);
	command_memory_free(memory);
	cr_assert_eq(n_notes, 1);
	wall_ms += 59000;
	memory = next_life(777000000000);
	cr_assert(finds(memory, &key_a, 777000000000, "{reply}"));
	cr_assert(!finds(memory, &asked, 777000000000, ""));
	/* The minute goes on. */
	cr_assert(finds(memory, &key_a, 778000000000, "{reply}"));
	cr_assert(!finds(memory, &key_a, 778000000001, ""));
	cr_assert_eq(n_notes, 0);
	command_memory_free(memory);
}

Test(command_memory, an_old_note_and_one_of_the_future_are_forgotten)
{
	static const int64_t later[] = { 60001, -1 };

	for (size_t i = 0; i < 2; i++) {
		struct command_memory *memory = next_life(0);

		wall_ms = 1000000;
		cr_assert_eq(put_noted(memory, &key_a, 5, "{reply}", 7), 0);
		command_memory_free(memory);
		wall_ms += later[i];
		memory = next_life(5);
		cr_assert_eq(n_notes, 0);
		cr_assert(!finds(memory, &key_a, 5, ""));
		command_memory_free(memory);
	}
}

/* The file may hold foreign data. */
Test(command_memory, what_is_no_note_is_forgotten)
{
	/* Columns by hand. */
	/* clang-format off */
	static const char *const keys[] = { "request/", "request/xyz", "request/0123456789abcdeg",
		                            "request/0123456789ABCDEF", "request/0x0123456789abcd",
		                            "request/-123456789abcdef",
		                            "request/0123456789abcdef" };
	/* clang-format on */
	/* Columns by hand. */
	/* clang-format off */
	static const struct {
		const char *text;
		size_t len; /* 0: of the text */
	} texts[] = {
		{ "999999 ping {}", 0 },
		{ "", 0 }, { " ", 0 }, { "\t\n \t", 0 }, { "1", 0 }, { "x ping {}", 0 },
		  { " 5 ping {}", 0 },
		{ "-9223372036854775808 ping {}", 0 }, { "99999999999999999999 ping {}", 0 },
		{ "999999", 0 }, { "999999 ", 0 }, { "999999 ping", 0 }, { "999999 ping x", 0 },
		{ "999999 ping {", 0 }, { "999999 ping {\0}", 15 }, { "999999 pi\0ng {}", 15 },
	};
	/* clang-format on */
	static char long_text[COMMAND_NOTE_REPLY_MAX + 10];
	struct command_memory *memory;

	wall_ms = 1000000;
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		for (size_t t = 0; t < sizeof(texts) / sizeof(*texts); t++) {
			bool right = t == 0 && k == 6;
			size_t len = texts[t].len ? texts[t].len : strlen(texts[t].text);
			char *exact = malloc(len + (len == 0)); /* a read behind its end is seen */

			cr_assert_not_null(exact);
			memcpy(exact, texts[t].text, len);
			keep(NULL, keys[k], exact, len);
			cr_assert_eq(command_memory_new(10, 10000, &kept, &memory), 0);
			command_memory_restore(memory, 5, keys[k], exact, len);
			cr_assert_eq(command_memory_count(memory), right, "%s: %s", keys[k],
			             texts[t].text);
			cr_assert_eq(n_notes, right);
			command_memory_free(memory);
			free(exact);
			n_notes = 0;
		}
	}
	memset(long_text, 'x', sizeof(long_text));
	memcpy(long_text, "1000000 p {", 11);
	long_text[sizeof(long_text) - 1] = '}';
	keep(NULL, keys[6], long_text, sizeof(long_text));
	cr_assert_eq(command_memory_new(10, 10000, &kept, &memory), 0);
	command_memory_restore(memory, 5, keys[6], long_text, sizeof(long_text));
	cr_assert_eq(command_memory_count(memory), 1, "just as long as it may be");
	command_memory_free(memory);
	n_notes = 0;
}

/* The hash alone is no proof: it can be made to collide. */
Test(command_memory, a_note_is_of_one_command)
{
	struct command_memory *memory = next_life(0);
	char text[COMMAND_NOTE_REPLY_MAX];

	wall_ms = 1000000;
	cr_assert_eq(put_noted(memory, &key_a, 5, "{}", 2), 0);
	command_memory_free(memory);
	strcpy(text, notes[0].text);
	cr_assert_str_eq(text, "1000000 ping {}");
	strcpy(notes[0].text, "1000000 pong {}");
	memory = next_life(5);
	cr_assert_eq(command_memory_count(memory), 1);
	cr_assert(!finds(memory, &key_a, 5, "{}"));
	command_memory_free(memory);
	n_notes = 0;
}

Test(command_memory, of_a_long_reply_only_that_there_was_one_is_noted)
{
	static char reply[COMMAND_NOTE_REPLY_MAX + 2];
	struct command_memory *memory = next_life(0);

	memset(reply, 'x', COMMAND_NOTE_REPLY_MAX + 1);
	wall_ms = 1000000;
	cr_assert_eq(put_noted(memory, &key_a, 5, reply, COMMAND_NOTE_REPLY_MAX + 1), 0);
	cr_assert(finds(memory, &key_a, 5, reply));
	command_memory_free(memory);
	memory = next_life(5);
	cr_assert(finds(memory, &key_a, 5, ""));
	command_memory_free(memory);
}

Test(command_memory, notes_are_bounded)
{
	char id[8];
	struct command_key key = { "ping", id, 0, NULL, 0 };
	struct command_memory *memory = next_life(0);

	wall_ms = 1000000;
	for (unsigned i = 0; i < 3 * COMMAND_NOTES_MAX; i++) {
		key.id_len = (size_t)snprintf(id, sizeof(id), "%u", i);
		cr_assert_eq((i % 3 != 1 ? put_noted : put)(memory, &key, 5, "{}", 2), 0);
	}
	cr_assert_eq(n_notes, COMMAND_NOTES_MAX);
	command_memory_free(memory);
	memory = next_life(5);
	for (unsigned i = 0; i < 3 * COMMAND_NOTES_MAX; i++) {
		key.id_len = (size_t)snprintf(id, sizeof(id), "%u", i);
		/* The newest of those that were to be noted. */
		cr_assert_eq(finds(memory, &key, 5, "{}"),
		             i % 3 != 1 && i >= 3 * COMMAND_NOTES_MAX / 2);
	}
	command_memory_free(memory);
}
