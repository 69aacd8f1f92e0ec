/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edges pass each line's debounce; accepted levels go to the kind.
 *
 * Transitions of two lines are accepted in the order in which they began, not in the order in which
 * they settled: otherwise a line that bounces longer would come second and reverse a rotary's
 * direction. So a settled line waits for an unsettled one that began before it, until it changes
 * again itself.
 */
#include <drivers/decoder.h>

#include <errno.h>
#include <stdlib.h>

#include "debounce.h"
#include "decode.h"

#define LINES_MAX 2U

struct decoder {
	enum decoder_kind kind;
	unsigned n_lines;
	struct debounce debounce[LINES_MAX];
	union {
		struct decode_button button;
		struct decode_switch sw;
		struct decode_rotary rotary;
		struct decode_counter counter;
	};
};

static bool is_valid(const struct decoder_config *config)
{
	switch (config->kind) {
	case DECODER_BUTTON:
	case DECODER_SWITCH:
	case DECODER_COUNTER:
		return true;
	case DECODER_ROTARY:
		return !config->debounce_eager &&
		       (config->steps_per_detent == 0 || config->steps_per_detent == 1 ||
		        config->steps_per_detent == 2 || config->steps_per_detent == 4) &&
		       rotary_position_is_valid(config);
	}
	return false;
}

int decoder_new(const struct decoder_config *config, struct decoder **ret_decoder)
{
	struct decoder *decoder;

	if (!is_valid(config))
		return -EINVAL;
	decoder = calloc(1, sizeof(*decoder));
	if (!decoder)
		return -ENOMEM;
	decoder->kind = config->kind;
	decoder->n_lines = config->kind == DECODER_ROTARY ? 2 : 1;
	for (unsigned line = 0; line < LINES_MAX; line++) {
		decoder->debounce[line].debounce_ns = config->debounce_ns;
		decoder->debounce[line].eager = config->debounce_eager;
	}
	if (config->kind == DECODER_ROTARY) {
		decoder->rotary.steps_per_detent =
		        config->steps_per_detent ? (int)config->steps_per_detent : 4;
		rotary_position_init(&decoder->rotary.position, config);
	}
	*ret_decoder = decoder;
	return 0;
}

struct decoder *decoder_free(struct decoder *decoder)
{
	free(decoder);
	return NULL;
}

static unsigned rotary_levels(const struct decoder *decoder)
{
	return (decoder->debounce[0].level ? 2U : 0U) | (decoder->debounce[1].level ? 1U : 0U);
}

/** Pass an accepted level to the kind. */
static bool accept(struct decoder *decoder, unsigned line, uint64_t time_ns,
                   struct decoder_change *change)
{
	bool level = decoder->debounce[line].level;

	switch (decoder->kind) {
	case DECODER_BUTTON:
		return decode_button_level(&decoder->button, level, time_ns, change);
	case DECODER_SWITCH:
		return decode_switch_level(&decoder->sw, level, time_ns, change);
	case DECODER_ROTARY:
		return decode_rotary_levels(&decoder->rotary, rotary_levels(decoder), time_ns,
		                            change);
	case DECODER_COUNTER:
		return decode_counter_level(&decoder->counter, level, time_ns, change);
	}
	return false;
}

/** The line in a transition that began first; n_lines if there is none. */
static unsigned first_pending(const struct decoder *decoder)
{
	unsigned first = decoder->n_lines;

	for (unsigned line = 0; line < decoder->n_lines; line++) {
		const struct debounce *d = &decoder->debounce[line];

		if (d->state != DEBOUNCE_STABLE &&
		    (first == decoder->n_lines || d->first_ns < decoder->debounce[first].first_ns))
			first = line;
	}
	return first;
}

static int settle(struct decoder *decoder, unsigned line, struct decoder_change *change)
{
	uint64_t time_ns;

	return debounce_settle(&decoder->debounce[line], &time_ns) &&
	       accept(decoder, line, time_ns, change);
}

/** Settle deadlines strictly before an edge of @p line, so that a late wake-up has the same
 * result. */
static int settle_before(struct decoder *decoder, unsigned line, uint64_t time_ns,
                         struct decoder_change *changes)
{
	const struct debounce *own = &decoder->debounce[line];
	unsigned first;
	int n = 0;

	while ((first = first_pending(decoder)) < decoder->n_lines &&
	       decoder->debounce[first].deadline_ns < time_ns)
		n += settle(decoder, first, &changes[n]);
	if (own->state != DEBOUNCE_STABLE && own->deadline_ns < time_ns)
		/* the line changes again, so its wait ends */
		n += settle(decoder, line, &changes[n]);
	return n;
}

int decoder_start(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                  struct decoder_change *changes)
{
	if (line >= decoder->n_lines)
		return 0;
	debounce_start(&decoder->debounce[line], level);
	switch (decoder->kind) {
	case DECODER_BUTTON:
		decode_button_start(&decoder->button, level, time_ns);
		return 0;
	case DECODER_SWITCH:
		return decode_switch_start(&decoder->sw, level, time_ns, changes);
	case DECODER_ROTARY:
		decode_rotary_start(&decoder->rotary, line, level);
		return 0;
	case DECODER_COUNTER:
		decode_counter_start(&decoder->counter, level);
		return 0;
	}
	return 0;
}

static int feed(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                struct decoder_change *change)
{
	struct debounce *debounce = &decoder->debounce[line];

	/* An edge to the current level: the edge between was lost, and with it the direction. */
	if (decoder->kind == DECODER_ROTARY && debounce->state == DEBOUNCE_STABLE &&
	    debounce->level == level) {
		decoder->rotary.illegal++;
		decode_rotary_gap(&decoder->rotary, rotary_levels(decoder), time_ns);
		return 0;
	}
	return debounce_edge(debounce, level, time_ns) && accept(decoder, line, time_ns, change);
}

int decoder_edge(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                 struct decoder_change *changes)
{
	int n;

	if (line >= decoder->n_lines)
		return 0;
	n = settle_before(decoder, line, time_ns, changes);
	return n + feed(decoder, line, level, time_ns, &changes[n]);
}

int decoder_resync(struct decoder *decoder, unsigned line, bool level, uint64_t time_ns,
                   struct decoder_change *changes)
{
	int n;

	if (line >= decoder->n_lines)
		return 0;
	n = settle_before(decoder, line, time_ns, changes);
	switch (decoder->kind) {
	case DECODER_ROTARY:
		debounce_start(&decoder->debounce[line], level);
		decode_rotary_gap(&decoder->rotary, rotary_levels(decoder), time_ns);
		return n;
	case DECODER_COUNTER:
		decode_counter_gap(&decoder->counter);
		break;
	case DECODER_BUTTON:
	case DECODER_SWITCH:
		break;
	}
	/* Edges are lost when a contact bounces: the level read then may be a bounce too. */
	return n + feed(decoder, line, level, time_ns, &changes[n]);
}

int decoder_tick(struct decoder *decoder, uint64_t now_ns, struct decoder_change *changes)
{
	unsigned line;
	int n = 0;

	while ((line = first_pending(decoder)) < decoder->n_lines &&
	       decoder->debounce[line].deadline_ns <= now_ns)
		n += settle(decoder, line, &changes[n]);
	return n;
}

uint64_t decoder_deadline(const struct decoder *decoder)
{
	unsigned line = first_pending(decoder);

	return line < decoder->n_lines ? decoder->debounce[line].deadline_ns : UINT64_MAX;
}

int64_t decoder_get_value(const struct decoder *decoder)
{
	switch (decoder->kind) {
	case DECODER_ROTARY:
		return decoder->rotary.position.value;
	case DECODER_COUNTER:
		return (int64_t)decoder->counter.count;
	case DECODER_BUTTON:
	case DECODER_SWITCH:
		break;
	}
	return 0;
}

void decoder_add_value(struct decoder *decoder, int64_t value)
{
	switch (decoder->kind) {
	case DECODER_ROTARY:
		rotary_position_restore(&decoder->rotary.position, value);
		break;
	case DECODER_COUNTER:
		decode_counter_add(&decoder->counter, value);
		break;
	case DECODER_BUTTON:
	case DECODER_SWITCH:
		break;
	}
}

static bool has_range(const struct decoder *decoder)
{
	return decoder->kind == DECODER_ROTARY && decoder->rotary.position.range.present;
}

int decoder_get_position(const struct decoder *decoder, uint64_t time_ns,
                         struct decoder_change *ret_change)
{
	if (!has_range(decoder))
		return -ENOTSUP;
	*ret_change = (struct decoder_change){
		.type = DECODER_POSITIONED,
		.time_ns = time_ns,
		.position = decoder->rotary.position.value,
		.limited = rotary_position_is_limited(&decoder->rotary.position),
	};
	return 0;
}

int decoder_set_position(struct decoder *decoder, int64_t value, uint64_t time_ns,
                         struct decoder_change *change)
{
	struct rotary_position *position = &decoder->rotary.position;

	if (!has_range(decoder))
		return -ENOTSUP;
	if (value < position->range.min || value > position->range.max)
		return -ERANGE;
	*change = (struct decoder_change){ .type = DECODER_POSITIONED, .time_ns = time_ns };
	return rotary_position_set(position, value, change);
}

void decoder_get_stats(const struct decoder *decoder, struct decoder_stats *ret_stats)
{
	*ret_stats = (struct decoder_stats){ 0 };
	for (unsigned line = 0; line < decoder->n_lines; line++)
		ret_stats->bounces += debounce_bounces(&decoder->debounce[line]);
	if (decoder->kind == DECODER_ROTARY) {
		ret_stats->illegal = decoder->rotary.illegal;
		ret_stats->limited = decoder->rotary.position.limited;
	}
}
