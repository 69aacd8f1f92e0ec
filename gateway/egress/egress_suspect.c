/* SPDX-License-Identifier: Apache-2.0 */
#include "egress_suspect.h"

#include <cuebus/fnv.h>

#include <string.h>

/* After this many rejections of a kind, similar messages are not sent any more. */
#define REJECTIONS 3U

uint64_t suspect_topic(const char *topic)
{
	return cue_fnv(CUE_FNV_BEGIN, topic, strlen(topic)) |
	       1ULL << 63; /* never equal to an id of the outbox */
}

/* ---- what was rejected ---- */

static void forget_old(struct suspects *s, uint64_t now_ns)
{
	for (unsigned i = 0; i < s->n_rejected; i++) {
		if (now_ns - s->rejected[i].at_ns >= SUSPECT_MEMORY_NS)
			s->rejected[i--] = s->rejected[--s->n_rejected];
	}
}

/** Rejections of the item's topic at less than twice its size. */
static unsigned times_by_topic(const struct suspects *s, const struct suspect_item *item)
{
	for (unsigned i = 0; i < s->n_rejected; i++) {
		if (s->rejected[i].topic == item->topic)
			return item->size > s->rejected[i].size / 2 ? s->rejected[i].times : 0;
	}
	return 0;
}

/** Rejections that the size alone may explain: the item is at least as large, and nothing as large
 * as the rejected message was ever acknowledged. */
static unsigned times_by_size(const struct suspects *s, const struct suspect_item *item)
{
	unsigned times = 0;
	bool as_large = false;

	for (unsigned i = 0; i < s->n_rejected; i++) {
		if (s->rejected[i].size <= s->largest)
			continue;
		times += s->rejected[i].times;
		as_large = as_large || item->size >= s->rejected[i].size;
	}
	return as_large ? times : 0;
}

static bool is_expected(const struct suspects *s, const struct suspect_item *item)
{
	unsigned by_topic = times_by_topic(s, item);

	if (item->key == item->topic && by_topic > 0)
		return true;
	return by_topic >= REJECTIONS || times_by_size(s, item) >= REJECTIONS;
}

static bool is_like_rejected(const struct suspects *s, const struct suspect_item *item)
{
	return times_by_topic(s, item) > 0 || times_by_size(s, item) > 0;
}

/* ---- suspects ---- */

/** Count an end that no message caused: from now on more evidence is needed. */
static void add_unexplained(struct suspects *s, unsigned ends)
{
	s->unexplained += ends;
	if (s->unexplained > SUSPECT_STRIKES_MAX - SUSPECT_STRIKES)
		s->unexplained = SUSPECT_STRIKES_MAX - SUSPECT_STRIKES;
}

static void break_row(struct suspects *s)
{
	add_unexplained(s, s->strikes);
	s->strikes = 0;
	s->pending = false;
	s->blamed = (struct suspect_item){ 0 };
}

static bool is_suspect(const struct suspects *s, uint64_t key)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->keys[i] == key)
			return true;
	}
	return false;
}

/** Add a suspect, dropping the oldest if there are too many: a guilty one will be found again. */
static void add(struct suspects *s, uint64_t key)
{
	if (is_suspect(s, key))
		return;
	if (s->n == SUSPECT_MAX)
		memmove(s->keys, s->keys + 1, --s->n * sizeof(*s->keys));
	s->keys[s->n++] = key;
}

static void drop(struct suspects *s, uint64_t key)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->keys[i] == key) {
			memmove(s->keys + i, s->keys + i + 1, (--s->n - i) * sizeof(*s->keys));
			return;
		}
	}
}

unsigned suspects_needed(const struct suspects *s, const struct suspect_item *item)
{
	return (is_like_rejected(s, item) ? 1 : SUSPECT_STRIKES) + s->unexplained;
}

void suspects_stable(struct suspects *s)
{
	s->unexplained = 0;
}

enum suspect_verdict suspects_judge(struct suspects *s, const struct suspect_item *item,
                                    uint64_t now_ns)
{
	forget_old(s, now_ns);
	if (is_expected(s, item))
		return SUSPECT_REJECT;
	if (s->strikes > 0 && s->blamed.key == item->key) {
		if (s->strikes >= suspects_needed(s, item) && !s->pending)
			return SUSPECT_REJECT;
		return s->unexplained ? SUSPECT_ALONE : SUSPECT_HOLD;
	}
	return is_suspect(s, item->key) || is_like_rejected(s, item) ? SUSPECT_ALONE : SUSPECT_SEND;
}

void suspects_acknowledged(struct suspects *s, const struct suspect_item *item)
{
	if (item->size > s->largest)
		s->largest = item->size;
	if (s->n > 0)
		drop(s, item->key);
	if (s->doubt && s->n == 0) {
		s->doubt = false; /* none of them is guilty */
		add_unexplained(s, 1);
	}
	if (s->strikes > 0 && s->blamed.key == item->key)
		break_row(s);
}

static const struct suspect_item *strike(struct suspects *s, const struct suspect_item *item,
                                         bool pending)
{
	if (s->blamed.key != item->key)
		break_row(s);
	s->blamed = *item;
	s->strikes++;
	s->pending = pending;
	return &s->blamed;
}

const struct suspect_item *suspects_session_ended(struct suspects *s, enum suspect_end end,
                                                  const struct suspect_item *items, size_t n)
{
	const struct suspect_item *only = NULL;
	size_t guilty = 0;

	for (size_t i = 0; i < n; i++) {
		if (items[i].key == 0)
			continue;
		only = &items[i];
		guilty++;
	}
	if (end == SUSPECT_END_OTHER || guilty == 0) {
		break_row(s);
		if (end == SUSPECT_END_CLOSED)
			add_unexplained(s, 1);
		return NULL;
	}
	if (guilty == 1)
		return strike(s, only, end == SUSPECT_END_CLOSED);
	break_row(s);
	if (s->doubt)
		add_unexplained(s, 1);
	s->doubt = true;
	for (size_t i = 0; i < n; i++) {
		if (items[i].key)
			add(s, items[i].key);
	}
	return NULL;
}

void suspects_attempted(struct suspects *s, bool connected)
{
	if (s->pending && !connected)
		break_row(s);
	s->pending = false;
}

bool suspects_reject(struct suspects *s, const struct suspect_item *item, uint64_t now_ns)
{
	bool news = !is_expected(s, item);
	struct suspect_rejected *r = NULL;

	drop(s, item->key);
	if (s->strikes > 0 && s->blamed.key == item->key) {
		s->strikes = 0; /* explained */
		break_row(s);
		s->doubt = false;
		s->unexplained = 0;
	}
	if (!news)
		return false;
	for (unsigned i = 0; i < s->n_rejected && !r; i++) {
		if (s->rejected[i].topic == item->topic)
			r = &s->rejected[i];
	}
	if (!r && s->n_rejected == SUSPECT_REJECTED_MAX)
		memmove(s->rejected, s->rejected + 1, --s->n_rejected * sizeof(*s->rejected));
	if (!r) {
		r = &s->rejected[s->n_rejected++];
		*r = (struct suspect_rejected){ .topic = item->topic, .size = item->size };
	}
	if (item->size < r->size)
		r->size = item->size;
	r->times++;
	r->at_ns = now_ns;
	return true;
}
