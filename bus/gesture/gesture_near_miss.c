/* SPDX-License-Identifier: Apache-2.0 */
/* Near misses: an event `gesture.near_miss` that says what was missing.
 *
 *   gesture          | reason          | near is
 *   -----------------+-----------------+----------------------------------------------------------
 *   taps             | `window`        | the tap came after the window, by at most the window
 *   simultaneous     | `window`        | the same, for the latest event that had to be dropped
 *                    | `same_producer` | within the window a producer came twice
 *   sequence         | `timeout`       | the next step came after the timeout, by at most it
 *                    | `wrong_step`    | another event came instead of the next step
 *
 * In a sequence it is near only with half of the steps done: the first step of a code is pressed
 * all day. A gesture tells one near miss a second, by event times, and how many it has not told. */
#include "gesture_internal.h"

#include <cuebus/json_writer.h>

#define INTERVAL_NS CUE_NS_PER_S

static bool may_tell(struct gesture_near *near, uint64_t time_ns)
{
	if (near->told && time_ns - near->time_ns < INTERVAL_NS) {
		near->suppressed++;
		return false;
	}
	near->told = true;
	near->time_ns = time_ns;
	return true;
}

static int write(const struct gesture *gesture, const struct near_miss *miss,
                 const struct cue_event *event, struct cue_payload **ret_payload)
{
	struct cue_writer w = { 0 };

	cue_writer_object_begin(&w);
	cue_writer_key(&w, "reason");
	cue_writer_string(&w, miss->reason);
	if (miss->exceeded_ns > 0) {
		cue_writer_key(&w, "exceeded_by");
		cue_writer_seconds(&w, miss->exceeded_ns);
	}
	cue_writer_key(&w, "count");
	cue_writer_u64(&w, miss->count);
	cue_writer_key(&w, "required");
	cue_writer_u64(&w, miss->required);
	cue_writer_key(&w, "event_type");
	cue_writer_string(&w, cue_event_type_name(event));
	cue_writer_key(&w, "suppressed");
	cue_writer_u64(&w, gesture->near.suppressed);
	cue_gesture_write_peripheral(&w, gesture);
	cue_writer_object_end(&w);
	return cue_writer_finish_payload(&w, ret_payload);
}

int cue_gesture_near_miss(struct gesture *gesture, const struct near_miss *miss)
{
	__attribute__((cleanup(cue_payload_unrefp))) struct cue_payload *payload = NULL;
	const struct cue_event *event = gesture->handled;
	int r;

	gesture->registry->stats.near_misses++;
	if (!may_tell(&gesture->near, event->time_ns))
		return 0;
	r = write(gesture, miss, event, &payload);
	if (r < 0)
		return r;
	gesture->near.suppressed = 0;
	(void)cue_gesture_emit(gesture, "gesture.near_miss", event->producer_id, payload,
	                       event->time_ns);
	return 0;
}

bool cue_gesture_is_near(const struct gesture *gesture, uint64_t gap_ns, uint64_t allowed_ns)
{
	return gesture->tells_near_misses && gap_ns > allowed_ns &&
	       gap_ns - allowed_ns <= allowed_ns;
}
