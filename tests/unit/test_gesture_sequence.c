/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "gesture_fixture.h"

/** A sequence of `key` events, one letter a step: its `code`; '?' any data. */
static void define_code(struct gesture_fixture *f, const char *code, uint64_t timeout_ns,
                        uint64_t cooldown_ns)
{
	struct cue_filter steps[CUE_GESTURE_STEPS_MAX];
	cJSON *matches[CUE_GESTURE_STEPS_MAX] = { NULL };
	size_t n = strlen(code);
	char text[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "{\"code\":\"%c\"}", code[i]);
		if (code[i] != '?')
			matches[i] = cJSON_Parse(text);
		steps[i] = (struct cue_filter){ .type = "key", .match = matches[i] };
	}
	gesture_define(f, &(struct cue_gesture_config){
	                          .name = "code",
	                          .type = CUE_GESTURE_SEQUENCE,
	                          .emit = "code.entered",
	                          .steps = steps,
	                          .n_steps = n,
	                          .timeout_ns = timeout_ns,
	                          .cooldown_ns = cooldown_ns,
	                  });
	for (size_t i = 0; i < n; i++)
		cJSON_Delete(matches[i]);
}

static void key(struct gesture_fixture *f, uint64_t ms, uint32_t producer_id, char code)
{
	char text[32];

	snprintf(text, sizeof(text), "{\"code\":\"%c\"}", code);
	gesture_event(f, ms, "key", producer_id, text);
}

/** One key each 10 ms from @p ms on. @return the time after the last. */
static uint64_t keys(struct gesture_fixture *f, uint64_t ms, uint32_t producer_id,
                     const char *codes)
{
	for (; *codes; codes++, ms += 10)
		key(f, ms, producer_id, *codes);
	return ms;
}

/** The codes and times of the last gesture's `sequence`. */
static void expect_sequence(struct gesture_fixture *f, const char *expected)
{
	const cJSON *sequence =
	        cJSON_GetObjectItemCaseSensitive(cue_payload_json(f->last), "sequence");
	const cJSON *event;
	char text[1024] = "";

	cJSON_ArrayForEach(event, sequence)
	{
		const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
		const cJSON *code = cJSON_GetObjectItemCaseSensitive(data, "code");
		const cJSON *time = cJSON_GetObjectItemCaseSensitive(event, "timestamp");
		size_t used = strlen(text);

		/* 1970-01-01T00:00:00.123000Z: the 123 */
		snprintf(text + used, sizeof(text) - used, "%s%s@%.3s", used ? " " : "",
		         code->valuestring, time->valuestring + 20);
	}
	cr_assert_str_eq(text, expected);
}

Test(gesture_sequence, fires_when_the_steps_come_in_order)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "abc", MS(800), 0);
	keys(&f, 0, 7, "ab");
	expect_log(&f, "");
	key(&f, 20, 7, 'c');
	expect_log(&f, "20 code.entered 7\n");
	expect_sequence(&f, "a@000 b@010 c@020");
	gesture_close(&f);
}

Test(gesture_sequence, the_konami_code_opens_after_one_up_too_many)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "uuddlrlrba", MS(800), 0);
	keys(&f, 0, 1, "uuuddlrlrba");
	expect_log(&f, "100 code.entered 1\n");
	expect_sequence(&f, "u@010 u@020 d@030 d@040 l@050 r@060 l@070 r@080 b@090 a@100");
	gesture_close(&f);
}

Test(gesture_sequence, keeps_the_longest_suffix_that_is_a_prefix)
{
	struct gesture_fixture f;
	uint64_t ms;

	gesture_open(&f, NULL);
	define_code(&f, "abacababc", 0, 0);
	/* after "abacaba" the 'c' of "bac" leaves "abac", not nothing */
	ms = keys(&f, 0, 1, "abacabacababc");
	expect_log(&f, "120 code.entered 1\n");
	expect_sequence(&f, "a@040 b@050 a@060 c@070 a@080 b@090 a@100 b@110 c@120");
	/* a mismatch that leaves nothing */
	ms = keys(&f, ms, 1, "abacabxabc");
	expect_log(&f, "");
	keys(&f, ms, 1, "abacababc");
	expect_log(&f, "310 code.entered 1\n");
	gesture_close(&f);
}

/* Which suffix remains depends on the data: a static failure table of the
 * steps (a then anything then b) would have to guess. */
Test(gesture_sequence, the_suffix_is_found_by_the_predicates)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "a?ab", 0, 0);
	keys(&f, 0, 1, "axaab"); /* "axa" a: "aa" is left; b: of "aab" only "ab" */
	expect_log(&f, "");
	keys(&f, 100, 1, "ab");
	expect_log(&f, "110 code.entered 1\n");
	expect_sequence(&f, "a@030 b@040 a@100 b@110");
	gesture_close(&f);
}

Test(gesture_sequence, after_firing_all_is_cleared)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "aba", 0, 0);
	keys(&f, 0, 1, "ababa"); /* the last "aba" overlaps the first */
	expect_log(&f, "20 code.entered 1\n");
	key(&f, 50, 1, 'a');
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_sequence, the_timeout_between_neighbours_is_inclusive)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "abc", MS(100), 0);
	key(&f, 0, 1, 'a');
	key(&f, 100, 1, 'b');
	key(&f, 200, 1, 'c');
	expect_log(&f, "200 code.entered 1\n");
	key(&f, 300, 1, 'a');
	key(&f, 400, 1, 'b');
	gesture_event_ns(&f, MS(500) + 1, "key", 1, "{\"code\":\"c\"}");
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_sequence, an_event_after_the_timeout_may_be_the_first_step)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "aab", MS(100), 0);
	keys(&f, 0, 1, "aa");
	key(&f, 200, 1, 'a');
	key(&f, 210, 1, 'b');
	expect_log(&f, "");
	keys(&f, 220, 1, "aab");
	expect_log(&f, "240 code.entered 1\n");
	gesture_close(&f);
}

Test(gesture_sequence, an_event_older_than_the_last_has_missed_its_place)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "ab", MS(100), 0);
	key(&f, 200, 1, 'a');
	key(&f, 190, 1, 'b'); /* before the a: no step after it */
	key(&f, 50, 1, 'a');  /* it neither begins a new sequence nor ends the current one */
	expect_log(&f, "");
	key(&f, 300, 1, 'b');
	expect_log(&f, "300 code.entered 1\n");
	key(&f, 299, 1, 'a'); /* nor does it begin after a firing */
	key(&f, 310, 1, 'b');
	expect_log(&f, "");
	key(&f, 320, 1, 'a');
	key(&f, 320, 1, 'b'); /* equal times are in order */
	expect_log(&f, "320 code.entered 1\n");
	gesture_close(&f);
}

Test(gesture_sequence, a_mismatch_counts_only_for_types_that_are_used)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "ab", 0, 0);
	key(&f, 0, 1, 'a');
	gesture_event(&f, 1, "knob", 1, "{\"code\":\"x\"}");
	key(&f, 2, 1, 'b');
	expect_log(&f, "2 code.entered 1\n");
	key(&f, 3, 1, 'a');
	key(&f, 4, 1, 'x');
	key(&f, 5, 1, 'b');
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_sequence, steps_may_be_of_several_types)
{
	const struct cue_filter steps[] = { { .type = "door.open" },
		                            { .type = "light.on" },
		                            { .type = "door.open" } };
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	gesture_define(&f, &(struct cue_gesture_config){ .name = "visit",
	                                                 .type = CUE_GESTURE_SEQUENCE,
	                                                 .emit = "visit.seen",
	                                                 .steps = steps,
	                                                 .n_steps = 3 });
	gesture_event(&f, 0, "door.open", 1, "null");
	gesture_event(&f, 1, "door.open", 1, "null"); /* keeps itself */
	gesture_event(&f, 2, "light.on", 1, "null");
	gesture_event(&f, 3, "door.open", 1, "null");
	expect_log(&f, "3 visit.seen 1\n");
	gesture_event(&f, 4, "door.open", 1, "null");
	gesture_event(&f, 5, "light.on", 1, "null");
	gesture_event(&f, 6, "light.on", 1, "null");
	gesture_event(&f, 7, "door.open", 1, "null");
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_sequence, producers_are_kept_apart)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "abc", MS(100), 0);
	key(&f, 0, 1, 'a');
	key(&f, 1, 2, 'a');
	key(&f, 2, 1, 'b');
	key(&f, 3, 2, 'c'); /* spoils only 2 */
	key(&f, 4, 1, 'c');
	expect_log(&f, "4 code.entered 1\n");
	gesture_close(&f);
}

Test(gesture_sequence, one_step_fires_each_time)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "a", MS(100), 0);
	keys(&f, 0, 1, "aba");
	expect_log(&f, "0 code.entered 1\n20 code.entered 1\n");
	gesture_close(&f);
}

Test(gesture_sequence, sixty_four_steps)
{
	char code[CUE_GESTURE_STEPS_MAX + 1];
	struct gesture_fixture f;

	memset(code, 'a', sizeof(code) - 2);
	code[CUE_GESTURE_STEPS_MAX - 1] = 'b';
	code[CUE_GESTURE_STEPS_MAX] = '\0';
	gesture_open(&f, NULL);
	define_code(&f, code, 0, 0);
	keys(&f, 0, 1, "aaa"); /* three more than needed */
	keys(&f, 30, 1, code);
	expect_log(&f, "660 code.entered 1\n");
	keys(&f, 1000, 1, code + 1);
	expect_log(&f, "");
	gesture_close(&f);
}

Test(gesture_sequence, cooldown_is_per_producer)
{
	struct gesture_fixture f;

	gesture_open(&f, NULL);
	define_code(&f, "ab", 0, MS(100));
	keys(&f, 0, 1, "abab");
	keys(&f, 50, 2, "ab");
	expect_log(&f, "10 code.entered 1\n60 code.entered 2\n");
	keys(&f, 100, 1, "ab");
	expect_log(&f, "110 code.entered 1\n");
	cr_assert_eq(gesture_info(&f, "code").cooled_down, 1);
	gesture_close(&f);
}

Test(gesture_sequence, the_producer_not_heard_of_longest_is_forgotten)
{
	const struct cue_limits limits = { .gesture_producers = 2 };
	struct gesture_fixture f;

	gesture_open(&f, &limits);
	define_code(&f, "ab", 0, 0);
	key(&f, 0, 1, 'a');
	key(&f, 1, 2, 'a');
	key(&f, 2, 9, 'b'); /* no first step: nothing to remember */
	key(&f, 3, 3, 'a'); /* 1 is forgotten */
	key(&f, 4, 1, 'b');
	expect_log(&f, "");
	key(&f, 5, 2, 'b');
	expect_log(&f, "5 code.entered 2\n");
	cr_assert_eq(gesture_info(&f, "code").producers_forgotten, 1);
	gesture_close(&f);
}
