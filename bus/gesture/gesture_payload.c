/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads are written as bytes, never through a cJSON tree, so that the numbers of an input keep
 * their exact spelling. */
#include "gesture_internal.h"

#include <cuebus/json_writer.h>

#include <errno.h>
#include <string.h>

#include "json_walk.h"

static const char peripheral_key[] = "virtual_peripheral";

/* In the order of enum cue_click. */
static const char *const clicks[CUE_CLICKS] = {
	"single", "double", "triple", "quadruple", "quintuple", "hold", "repeat", "release",
};

const char *cue_click_name(enum cue_click click)
{
	return (size_t)click < CUE_CLICKS ? clicks[click] : NULL;
}

int cue_gesture_peripheral_write(const struct cue_id *id, const char *name,
                                 const struct cue_payload *metadata, char **ret_text,
                                 size_t *ret_len)
{
	struct cue_writer w = { 0 };
	char text[CUE_ID_TEXT_SIZE];

	cue_id_format(id, text);
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "id");
	cue_writer_string(&w, text);
	cue_writer_key(&w, "name");
	cue_writer_string(&w, name);
	cue_writer_key(&w, "metadata");
	cue_writer_payload(&w, metadata);
	cue_writer_object_end(&w);
	return cue_writer_finish(&w, ret_text, ret_len);
}

static int64_t wall_time_ns(const struct cue_bus *bus, uint64_t time_ns)
{
	int64_t monotonic_ns = time_ns > INT64_MAX ? INT64_MAX : (int64_t)time_ns;
	int64_t offset_ns = cue_bus_wall_offset(bus);
	int64_t wall_ns;

	if (__builtin_add_overflow(monotonic_ns, offset_ns, &wall_ns))
		/* only a sum of two positive numbers overflows: monotonic time is never negative */
		return INT64_MAX;
	return wall_ns;
}

static void write_event(struct cue_writer *w, struct cue_bus *bus, const struct cue_event *event)
{
	char timestamp[CUE_TIMESTAMP_SIZE];

	cue_format_timestamp(wall_time_ns(bus, event->time_ns), timestamp);
	cue_writer_object_begin(w);
	cue_writer_key(w, "event_type");
	cue_writer_string(w, cue_event_type_name(event));
	cue_writer_key(w, "producer_id");
	cue_writer_u64(w, event->producer_id);
	cue_writer_key(w, "data");
	if (cue_bus_too_deep(bus, event->payload)) {
		cue_writer_null(w);
		cue_writer_key(w, "data_omitted");
		cue_writer_string(w, "depth");
	} else {
		cue_writer_payload(w, event->payload);
	}
	cue_writer_key(w, "timestamp");
	cue_writer_string(w, timestamp);
	cue_writer_object_end(w);
}

void cue_gesture_write_peripheral(struct cue_writer *w, const struct gesture *gesture)
{
	cue_writer_key(w, peripheral_key);
	cue_writer_raw(w, gesture->peripheral, gesture->peripheral_len);
}

static int finish(struct cue_writer *w, struct cue_payload **ret_payload)
{
	if (cue_writer_len(w) > CUE_GESTURE_PAYLOAD_MAX) {
		cue_writer_clear(w);
		return -E2BIG;
	}
	return cue_writer_finish_payload(w, ret_payload);
}

/** Whether the data of the events alone is too large: check it first, so that the memory is never
 * allocated. */
static bool are_too_large(const struct cue_event *events, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len;

		cue_payload_bytes(events[i].payload, &len);
		total += len;
	}
	return total > CUE_GESTURE_PAYLOAD_MAX;
}

static void write_events(struct cue_writer *w, struct cue_bus *bus, const char *key,
                         const struct cue_event *events, size_t n)
{
	cue_writer_key(w, key);
	cue_writer_array_begin(w);
	for (size_t i = 0; i < n; i++)
		write_event(w, bus, &events[i]);
	cue_writer_array_end(w);
}

int cue_gesture_payload_events(const struct gesture *gesture, const char *key,
                               const struct cue_event *events, size_t n,
                               struct cue_payload **ret_payload)
{
	struct cue_writer w = { 0 };

	if (are_too_large(events, n))
		return -E2BIG;
	cue_writer_object_begin(&w);
	write_events(&w, gesture->bus, key, events, n);
	cue_gesture_write_peripheral(&w, gesture);
	cue_writer_object_end(&w);
	return finish(&w, ret_payload);
}

int cue_gesture_payload_click(const struct gesture *gesture, const struct gesture_click_data *data,
                              const struct cue_event *events, size_t n,
                              struct cue_payload **ret_payload)
{
	struct cue_writer w = { 0 };

	if (are_too_large(events, n))
		return -E2BIG;
	cue_writer_object_begin(&w);
	cue_writer_key(&w, "click");
	cue_writer_string(&w, cue_click_name(data->click));
	cue_writer_key(&w, "count");
	cue_writer_u64(&w, n);
	write_events(&w, gesture->bus, "events", events, n);
	if (data->click >= CUE_CLICK_HOLD) {
		cue_writer_key(&w, "held_ms");
		cue_writer_u64(&w, data->held_ns / CUE_NS_PER_MS);
	}
	if (data->click == CUE_CLICK_REPEAT) {
		cue_writer_key(&w, "repeat_index");
		cue_writer_u64(&w, data->repeat_index);
	}
	if (data->lost) {
		cue_writer_key(&w, "lost");
		cue_writer_bool(&w, true);
	}
	cue_gesture_write_peripheral(&w, gesture);
	cue_writer_object_end(&w);
	return finish(&w, ret_payload);
}

/** Whether the object may contain `virtual_peripheral`. A key may be spelt with escapes. */
static bool may_have_peripheral(const char *bytes, size_t len)
{
	return memmem(bytes, len, peripheral_key, sizeof(peripheral_key) - 1) ||
	       memchr(bytes, '\\', len);
}

/** Copy an object's members except `virtual_peripheral`. */
static void write_members(struct cue_writer *w, const char *bytes, size_t len)
{
	static const char *const without[] = { peripheral_key };

	if (may_have_peripheral(bytes, len))
		cue_json_copy_members(w, bytes, without, 1);
	else if (len > 2) /* a run of members is, to the writer, one value */
		cue_writer_raw(w, bytes + 1, len - 2);
}

int cue_gesture_payload_mirror(const struct gesture *gesture, struct cue_payload *data,
                               struct cue_payload **ret_payload)
{
	struct cue_writer w = { 0 };
	const char *bytes;
	size_t len;

	bytes = cue_payload_bytes(data, &len);
	if (len > CUE_GESTURE_PAYLOAD_MAX)
		return -E2BIG;
	cue_writer_object_begin(&w);
	if (bytes[0] == '{') {
		write_members(&w, bytes, len);
	} else {
		cue_writer_key(&w, "value");
		cue_writer_raw(&w, bytes, len);
	}
	cue_gesture_write_peripheral(&w, gesture);
	cue_writer_object_end(&w);
	return finish(&w, ret_payload);
}
