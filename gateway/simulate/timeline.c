/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline.h"

#include <cjson/cJSON.h>
#include <cuebus/payload.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "plural.h"
#include "utf8.h"

/** Maximum number of bars: a simulation may have a million runs, but a person reads some dozens. */
#define BARS_MAX  100U
#define LABEL_MAX 32U

struct lane {
	const struct cue_type *type; /**< interned: compared by address; used while the bus lives */
	char *name;
	uint64_t *times;
	size_t n, cap;
};

struct bar {
	char *playlist;
	char run[CUE_ID_TEXT_SIZE];
	uint64_t start_ns;
	uint64_t end_ns; /**< CUE_TIME_NONE: still running */
	char mark;       /**< of its end */
	char *outcome;   /**< owned; NULL while running */
};

struct timeline {
	struct lane *lanes;
	size_t n_lanes, cap_lanes;
	struct bar *bars;
	size_t n_bars, cap_bars;
	uint64_t n_runs; /**< including those beyond BARS_MAX */
};

int timeline_new(struct timeline **ret_timeline)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));

	if (!timeline)
		return -ENOMEM;
	*ret_timeline = timeline;
	return 0;
}

struct timeline *timeline_free(struct timeline *timeline)
{
	if (!timeline)
		return NULL;
	for (size_t i = 0; i < timeline->n_lanes; i++) {
		free(timeline->lanes[i].name);
		free(timeline->lanes[i].times);
	}
	for (size_t i = 0; i < timeline->n_bars; i++) {
		free(timeline->bars[i].playlist);
		free(timeline->bars[i].outcome);
	}
	free(timeline->lanes);
	free(timeline->bars);
	free(timeline);
	return NULL;
}

/* ---- collecting ---- */

static struct lane *lane_get(struct timeline *timeline, const struct cue_type *type)
{
	struct lane *lanes;

	for (size_t i = 0; i < timeline->n_lanes; i++) {
		if (timeline->lanes[i].type == type)
			return &timeline->lanes[i];
	}
	lanes = array_grow(timeline->lanes, timeline->n_lanes, &timeline->cap_lanes,
	                   sizeof(*lanes));
	if (!lanes)
		return NULL;
	timeline->lanes = lanes;
	lanes[timeline->n_lanes] =
	        (struct lane){ .type = type, .name = strdup(cue_type_name(type)) };
	return lanes[timeline->n_lanes].name ? &lanes[timeline->n_lanes++] : NULL;
}

static int add_point(struct timeline *timeline, const struct cue_type *type, uint64_t time_ns)
{
	struct lane *lane = lane_get(timeline, type);
	uint64_t *times;

	if (!lane)
		return -ENOMEM;
	times = array_grow(lane->times, lane->n, &lane->cap, sizeof(*times));
	if (!times)
		return -ENOMEM;
	lane->times = times;
	times[lane->n++] = time_ns;
	return 0;
}

static const char *text_of(const cJSON *data, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, key));

	return text ? text : "";
}

static int begin_bar(struct timeline *timeline, const cJSON *data, uint64_t time_ns)
{
	struct bar *bars;

	if (timeline->n_runs++ >= BARS_MAX)
		return 0;
	bars = array_grow(timeline->bars, timeline->n_bars, &timeline->cap_bars, sizeof(*bars));
	if (!bars)
		return -ENOMEM;
	timeline->bars = bars;
	bars[timeline->n_bars] = (struct bar){
		.playlist = strdup(text_of(data, "playlist_name")),
		.start_ns = time_ns,
		.end_ns = CUE_TIME_NONE,
	};
	if (!bars[timeline->n_bars].playlist)
		return -ENOMEM;
	snprintf(bars[timeline->n_bars].run, CUE_ID_TEXT_SIZE, "%s", text_of(data, "playlist_id"));
	timeline->n_bars++;
	return 0;
}

static int end_bar(struct timeline *timeline, const cJSON *data, uint64_t time_ns)
{
	const char *run = text_of(data, "playlist_id");
	const char *reason = text_of(data, "reason");
	const char *by =
	        text_of(cJSON_GetObjectItemCaseSensitive(data, "interrupt_event"), "event_type");
	double count =
	        cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(data, "emitted_count"));
	const char *detail = text_of(data, "detail");

	for (size_t i = 0; i < timeline->n_bars; i++) {
		struct bar *bar = &timeline->bars[i];

		if (bar->outcome || strcmp(bar->run, run) != 0)
			continue;
		bar->end_ns = time_ns;
		bar->mark = strcmp(reason, "completed") == 0 ? ']' : 'x';
		if (asprintf(&bar->outcome, "%s%s%s, %.0f emitted", reason,
		             *by || *detail ? ": " : "", *by ? by : detail, count) < 0) {
			bar->outcome = NULL;
			return -ENOMEM;
		}
		return 0;
	}
	return 0;
}

int timeline_add(struct timeline *timeline, const struct cue_event *event, uint64_t time_ns)
{
	const char *name = cue_event_type_name(event);
	bool created = strcmp(name, "event.playlist.created") == 0;
	const cJSON *data;

	/* The bars show these. */
	if (strcmp(name, "event.playlist.emitted") == 0)
		return 0;
	if (!created && strcmp(name, "event.playlist.stopped") != 0)
		return add_point(timeline, event->type, time_ns);
	data = cue_payload_json(event->payload);
	if (!data)
		return -ENOMEM;
	return created ? begin_bar(timeline, data, time_ns) : end_bar(timeline, data, time_ns);
}

/* ---- drawing ---- */

struct canvas {
	FILE *stream;
	unsigned label;   /**< columns of the labels, including the blank after them */
	unsigned columns; /**< columns of the axis */
	uint64_t end_ns;  /**< at least 1 */
	uint64_t last_ns; /**< of the ticks; 0 if everything is at time 0 */
	char *row;
};

static unsigned column_of(const struct canvas *c, uint64_t time_ns)
{
	return (unsigned)((double)time_ns / (double)c->end_ns * (double)(c->columns - 1) + 0.5);
}

static void row_clear(struct canvas *c)
{
	memset(c->row, ' ', c->columns);
	c->row[c->columns] = '\0';
}

/** Columns of a character on a terminal: combining marks 0, East Asian and emoji 2. */
static unsigned char_columns(uint32_t c)
{
	static const uint32_t wide[][2] = {
		{ 0x1100, 0x115F }, { 0x2E80, 0xA4CF },   { 0xAC00, 0xD7A3 },
		{ 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },
		{ 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF }, { 0x20000, 0x3FFFD },
	};

	if (c >= 0x300 && c <= 0x36F)
		return 0;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		if (c >= wide[i][0] && c <= wide[i][1])
			return 2;
	}
	return 1;
}

/** Columns of the first @p bytes of a text. */
static unsigned count_columns(const char *text, size_t bytes)
{
	const char *end = text + bytes;
	unsigned columns = 0;

	for (size_t len; text < end; text += len)
		columns += char_columns(utf8_code_point(text, &len));
	return columns;
}

/** Bytes of the leading characters that take at most @p columns. */
static int cut(const char *text, unsigned columns)
{
	const char *end = text;
	size_t len;

	while (*end) {
		unsigned n = char_columns(utf8_code_point(end, &len));

		if (n > columns)
			break;
		columns -= n;
		end += len;
	}
	return (int)(end - text);
}

/** Print the row without trailing blanks, then @p note. */
static void row_print(struct canvas *c, const char *label, const char *note)
{
	size_t len = c->columns;
	int label_len;

	while (len > 0 && c->row[len - 1] == ' ')
		len--;
	label_len = cut(label, c->label - 1);
	fprintf(c->stream, "%.*s%*s", label_len, label,
	        (int)(c->label - count_columns(label, (size_t)label_len)), "");
	fwrite(c->row, 1, len, c->stream);
	if (note)
		fprintf(c->stream, "  %s", note);
	fputc('\n', c->stream);
}

/** Smallest of 1, 2, 5 times a power of ten nanoseconds that leaves @p
 *  min_columns between two ticks. */
static uint64_t tick_ns(const struct canvas *c, unsigned min_columns)
{
	uint64_t wanted = (c->end_ns * min_columns + c->columns - 2) / (c->columns - 1);
	uint64_t tick = 1;

	for (;;) {
		if (tick >= wanted)
			return tick;
		if (tick * 2 >= wanted)
			return tick * 2;
		if (tick * 5 >= wanted)
			return tick * 5;
		tick *= 10;
	}
}

/** Draw whole labels only: a label that does not fit after its tick ends at the end of the row,
 * unless it would touch the previous one. */
static void draw_axis(struct canvas *c)
{
	uint64_t tick = tick_ns(c, 10);
	unsigned end = 0; /* end of the previous label, plus a blank */
	char label[32];

	row_clear(c);
	for (uint64_t t = 0; t <= c->last_ns; t += tick) {
		unsigned column = column_of(c, t);
		unsigned n = (unsigned)snprintf(label, sizeof(label), "%.9g", (double)t / 1e9);

		if (column + n > c->columns)
			column = c->columns > n ? c->columns - n : 0;
		if (column < end || column + n > c->columns)
			continue;
		memcpy(c->row + column, label, n);
		end = column + n + 1;
	}
	row_print(c, "seconds", NULL);
	memset(c->row, '-', c->columns);
	for (uint64_t t = 0; t <= c->last_ns; t += tick)
		c->row[column_of(c, t)] = '+';
	row_print(c, "", NULL);
}

static void draw_lane(struct canvas *c, const struct lane *lane)
{
	char note[32];

	row_clear(c);
	for (size_t i = 0; i < lane->n; i++) {
		char *cell;

		if (lane->times[i] > c->end_ns)
			continue;
		cell = &c->row[column_of(c, lane->times[i])];
		/* * 2 3 … 9 #: number of events in this column */
		if (*cell == ' ')
			*cell = '*';
		else if (*cell == '*')
			*cell = '2';
		else if (*cell >= '2' && *cell < '9')
			(*cell)++;
		else
			*cell = '#';
	}
	snprintf(note, sizeof(note), "%zu", lane->n);
	row_print(c, lane->name, note);
}

static void draw_bar(struct canvas *c, const struct bar *bar)
{
	bool open = bar->end_ns > c->end_ns;
	unsigned first, last;
	char label[4 * 80];

	if (bar->start_ns > c->end_ns)
		return;
	row_clear(c);
	first = column_of(c, bar->start_ns);
	last = open ? c->columns - 1 : column_of(c, bar->end_ns);
	memset(c->row + first, '=', last - first + 1);
	c->row[first] = '[';
	c->row[last] = open ? '>' : bar->mark;
	snprintf(label, sizeof(label), "%.*s %.8s",
	         cut(bar->playlist, c->label > 12 ? c->label - 10 : 2), bar->playlist, bar->run);
	row_print(c, label, open ? "running" : bar->outcome);
}

static unsigned label_width(const struct timeline *timeline)
{
	size_t longest = strlen("seconds");

	for (size_t i = 0; i < timeline->n_lanes; i++) {
		if (strlen(timeline->lanes[i].name) > longest)
			longest = strlen(timeline->lanes[i].name);
	}
	for (size_t i = 0; i < timeline->n_bars; i++) {
		size_t columns = count_columns(timeline->bars[i].playlist,
		                               strlen(timeline->bars[i].playlist)) +
		                 9;

		if (columns > longest)
			longest = columns;
	}
	return (unsigned)(longest > LABEL_MAX ? LABEL_MAX : longest) + 1;
}

void timeline_draw(const struct timeline *timeline, uint64_t end_ns, unsigned width, FILE *stream)
{
	char row[TIMELINE_WIDTH_MAX + 1];
	struct canvas c = {
		.stream = stream, .end_ns = end_ns ? end_ns : 1, .last_ns = end_ns, .row = row
	};

	if (width < TIMELINE_WIDTH_MIN)
		width = TIMELINE_WIDTH_MIN;
	if (width > TIMELINE_WIDTH_MAX)
		width = TIMELINE_WIDTH_MAX;
	if (timeline->n_lanes == 0 && timeline->n_runs == 0) {
		fprintf(stream, "nothing happened\n");
		return;
	}
	c.label = label_width(timeline);
	if (c.label > width / 2)
		c.label = width / 2;
	c.columns = width - c.label;
	draw_axis(&c);
	for (size_t i = 0; i < timeline->n_lanes; i++)
		draw_lane(&c, &timeline->lanes[i]);
	if (timeline->n_runs > 0)
		fprintf(stream, "\nruns: [ start, ] completed, x interrupted or cancelled, > still "
		                "running\n");
	for (size_t i = 0; i < timeline->n_bars; i++)
		draw_bar(&c, &timeline->bars[i]);
	if (timeline->n_runs > timeline->n_bars)
		fprintf(stream, "and %" PRIu64 " more run%s\n", timeline->n_runs - timeline->n_bars,
		        plural(timeline->n_runs - timeline->n_bars));
}
