/* SPDX-License-Identifier: Apache-2.0 */
#include "config_table.h"

#include "config_check.h"
#include "config_model.h"

#define NS_PER_S     ((int64_t)CUE_NS_PER_S)
#define DURATION_MAX ((int64_t)CUE_DURATION_MAX_NS)
#define LEN(array)   (sizeof(array) / sizeof(*(array)))

/* ---- inputs: variants are the kinds and, from bit 8, the drivers ---- */

#define KIND(kind_)   (1U << DECODER_##kind_)
#define DRIVER_GPIO   (1U << 8)
#define DRIVER_REPLAY (1U << 10)

/* In the order of enum decoder_kind, enum driver_bias. */
static const char *const kinds[] = { "button", "switch", "rotary", "counter", NULL };
static const char *const biases[] = { "as-is", "disabled", "pull-up", "pull-down", NULL };
static const char *const levels[] = { "high", "low", NULL };
/* As `debounce_eager`. */
static const char *const debounce_modes[] = { "defer", "eager", NULL };
static const char *const drivers[] = { "gpio", "sim", "replay", NULL };
static const char *const later_drivers[] = { "evdev", NULL };

/* Laid out by hand: with one member a line the tables would be three times as long. */
/* clang-format off */

/* For the schema. */
#define OFFSET_NEEDS_CHIP                                                                          \
	"{\"if\":{\"anyOf\":[{\"properties\":{\"line\":{\"type\":\"integer\"}},"                   \
	"\"required\":[\"line\"]},"                                                                \
	"{\"properties\":{\"lines\":{\"contains\":{\"type\":\"integer\"}}},"                       \
	"\"required\":[\"lines\"]}]},\"then\":{\"required\":[\"chip\"]}}"

#define R(member_) CONFIG_MEMBER(struct config_range, member_)

static const struct config_field range_fields[] = {
	{ .key = "min", .type = CONFIG_INT, .required = true, .min = -DECODER_POSITION_MAX,
	  .max = DECODER_POSITION_MAX, R(bounds.min), .doc = "Lowest position." },
	{ .key = "max", .type = CONFIG_INT, .required = true, .min = -DECODER_POSITION_MAX,
	  .max = DECODER_POSITION_MAX, R(bounds.max), .doc = "Highest position, above `min`." },
	{ .key = "step", .type = CONFIG_INT, .initial = "1", .min = 1,
	  .max = 2 * DECODER_POSITION_MAX, R(bounds.step),
	  .doc = "Movement of one detent, at most `max` minus `min`." },
	{ .key = "wrap", .type = CONFIG_BOOL, .initial = "false", R(bounds.wrap),
	  .doc = "Whether the position continues at the other end. With `false` it stays at the "
	         "end, and its event there has `\"limited\": true`." },
	{ .key = "initial", .type = CONFIG_INT, .initial = "0", .min = -DECODER_POSITION_MAX,
	  .max = DECODER_POSITION_MAX, R(bounds.initial),
	  .doc = "Position at the start, from `min` to `max`. Without it 0, or the end of the "
	         "range that is nearest to 0." },
	{ .key = "restore", .type = CONFIG_BOOL, .initial = "false", R(restore),
	  .doc = "As `restore` of the input. A restored position outside of the range becomes the "
	         "nearest end." },
};

static const struct config_table range_table = {
	.name = "range", .title = "inputs.\\<name\\>.range", .fields = range_fields,
	.n_fields = LEN(range_fields), .size = sizeof(struct config_range),
};

static const struct config_field acceleration_fields[] = {
	{ .key = "within", .type = CONFIG_DURATION, .required = true, .min = 1, .max = NS_PER_S,
	  CONFIG_MEMBER(struct decoder_acceleration, within_ns),
	  .doc = "Longest time since the previous detent in the same direction, inclusive. The "
	         "entry with the shortest time that fits applies." },
	{ .key = "factor", .type = CONFIG_UINT, .required = true, .min = 1,
	  .max = DECODER_FACTOR_MAX, CONFIG_MEMBER(struct decoder_acceleration, factor),
	  .doc = "How many steps this detent counts." },
};

static const struct config_table acceleration_table = {
	.name = "acceleration", .title = "inputs.\\<name\\>.acceleration[]",
	.fields = acceleration_fields, .n_fields = LEN(acceleration_fields),
	.size = sizeof(struct decoder_acceleration),
};

static const struct config_field input_fields[] = {
	{ .key = "driver", .type = CONFIG_ENUM, .required = true, .values = drivers,
	  .keeps_text = true, .later = later_drivers, CONFIG_MEMBER(struct config_input, driver),
	  .doc = "Where the edges come from: `gpio` (a line of a GPIO chip), `sim` (the command "
	         "`input/set`), `replay` (a trace file)." },
	{ .key = "kind", .type = CONFIG_ENUM, .required = true, .values = kinds,
	  CONFIG_MEMBER(struct config_input, decoder.kind),
	  .doc = "What the edges mean: `button` (press and release), `switch` (a level, also "
	         "reported at the start), `rotary` (quadrature, two lines), `counter` (pulses)." },
	{ .key = "event", .type = CONFIG_EMIT, .required = true,
	  CONFIG_MEMBER(struct config_input, event), .doc = "Event type that the input emits." },
	{ .key = "release_event", .type = CONFIG_EMIT, .variants = KIND(BUTTON),
	  CONFIG_MEMBER(struct config_input, release_event),
	  .doc = "Event type emitted when a button is released." },
	{ .key = "producer_id", .type = CONFIG_UINT, .initial = "0", .max = UINT32_MAX,
	  CONFIG_MEMBER(struct config_input, producer_id),
	  .doc = "Number that distinguishes the sources of events of one type." },
	{ .key = "data", .type = CONFIG_OBJECT, CONFIG_MEMBER(struct config_input, data),
	  .doc = "Merged into the `data` of every event of this input." },
	{ .key = "debounce", .type = CONFIG_DURATION, .initial = "0s", .max = 10 * NS_PER_S,
	  CONFIG_MEMBER(struct config_input, decoder.debounce_ns),
	  .doc = "How long a contact may bounce. `debounce_mode` says how it is suppressed." },
	{ .key = "debounce_mode", .type = CONFIG_ENUM, .initial = "defer",
	  .variants = KIND(BUTTON) | KIND(SWITCH) | KIND(COUNTER), .values = debounce_modes,
	  CONFIG_MEMBER(struct config_input, decoder.debounce_eager),
	  .doc = "`defer`: a level must hold for `debounce` to count; the event has the time of "
	         "the first edge. `eager`: the first edge counts at once, edges within `debounce` "
	         "are bounce, then the level is read again." },
	{ .key = "chip", .type = CONFIG_STRING, .variants = DRIVER_GPIO, .min = 1, .max = 256,
	  CONFIG_MEMBER(struct config_input, chip),
	  .doc = "Label, name (`gpiochip0`) or path of the chip. Default: the first chip with a "
	         "line of this name." },
	{ .key = "line", .type = CONFIG_LINE, .variants = DRIVER_GPIO,
	  CONFIG_MEMBER(struct config_input, lines),
	  CONFIG_COUNT(struct config_input, n_lines),
	  .doc = "Name of the line, or with `chip` its offset." },
	{ .key = "lines", .type = CONFIG_LINES, .variants = DRIVER_GPIO, .min = 1,
	  .max = DRIVER_LINES_MAX, CONFIG_MEMBER(struct config_input, lines),
	  CONFIG_COUNT(struct config_input, n_lines),
	  .doc = "The lines, each as in `line`. A `rotary` has two." },
	{ .key = "bias", .type = CONFIG_ENUM, .variants = DRIVER_GPIO, .initial = "as-is",
	  .values = biases, CONFIG_MEMBER(struct config_input, bias),
	  .doc = "The chip's internal resistor." },
	{ .key = "active", .type = CONFIG_ENUM, .variants = DRIVER_GPIO, .initial = "high",
	  .values = levels, CONFIG_MEMBER(struct config_input, active_low),
	  .doc = "Level that counts as pressed or on." },
	{ .key = "steps_per_detent", .type = CONFIG_UINT, .variants = KIND(ROTARY), .initial = "4",
	  .min = 1, .max = 4, CONFIG_MEMBER(struct config_input, decoder.steps_per_detent),
	  .doc = "Quadrature steps from one position to the next: 1, 2 or 4." },
	{ .key = "restore", .type = CONFIG_BOOL, .variants = KIND(ROTARY) | KIND(COUNTER),
	  .initial = "false", CONFIG_MEMBER(struct config_input, restore),
	  .doc = "Continue the count or position after a restart. Needs `gateway.state_dir`." },
	{ .key = "range", .type = CONFIG_STRUCT, .optional = true, .variants = KIND(ROTARY),
	  .table = &range_table, CONFIG_MEMBER(struct config_input, range),
	  .doc = "Bounds of the position. Without it the position has none, and starts at 0." },
	{ .key = "acceleration", .type = CONFIG_LIST, .variants = KIND(ROTARY),
	  .max = DECODER_ACCELERATION_MAX, .table = &acceleration_table,
	  CONFIG_MEMBER(struct config_input, decoder.acceleration),
	  CONFIG_COUNT(struct config_input, decoder.n_acceleration),
	  .doc = "A knob that is turned quickly moves further for each detent. The times are the "
	         "kernel's." },
	{ .key = "file", .type = CONFIG_PATH, .variants = DRIVER_REPLAY,
	  .required_in = DRIVER_REPLAY,
	  CONFIG_MEMBER(struct config_input, file), .doc = "The trace to replay." },
};

const struct config_table config_table_input = {
	.name = "input", .title = "inputs.\\<name\\>", .fields = input_fields,
	.n_fields = LEN(input_fields), .size = sizeof(struct config_input),
	.variants = { { "kind", 0, DIAG_ERROR }, { "driver", 8, DIAG_WARNING } },
	.name_offset = offsetof(struct config_input, name), .check = config_check_input,
	.schema_rules =
		"{\"not\":{\"required\":[\"line\",\"lines\"]}},"
		"{\"if\":{\"properties\":{\"driver\":{\"const\":\"gpio\"}},"
		"\"required\":[\"driver\"]},"
		"\"then\":{\"anyOf\":[{\"required\":[\"line\"]},{\"required\":[\"lines\"]}]}},"
		"{\"if\":{\"properties\":{\"kind\":{\"const\":\"rotary\"}},"
		"\"required\":[\"kind\"]},"
		"\"then\":{\"properties\":{\"line\":false,\"lines\":{\"minItems\":2}}},"
		"\"else\":{\"properties\":{\"lines\":{\"maxItems\":1}}}},"
		"{\"properties\":{\"steps_per_detent\":{\"enum\":[1,2,4]}}}," OFFSET_NEEDS_CHIP,
};

/* ---- outputs ---- */

static const char *const output_drivers[] = { "gpio", "sim", NULL };

#define O(member_) CONFIG_MEMBER(struct config_output, member_)

static const struct config_field output_fields[] = {
	{ .key = "driver", .type = CONFIG_ENUM, .required = true, .values = output_drivers,
	  O(driver),
	  .keeps_text = true, .doc = "What the output drives: `gpio` (a line of a GPIO chip) or "
	                             "`sim` (nothing)." },
	{ .key = "on_event", .type = CONFIG_EVENT, .required = true, O(on_event),
	  .doc = "Event type that sets the output. The latest event by event time decides: an "
	         "event that a longer debounce delays is ignored if a later one was applied "
	         "already." },
	{ .key = "value", .type = CONFIG_POINTER, .initial = "", O(value),
	  .doc = "JSON Pointer to the value in the event's data, `\"\"` for the data itself: "
	         "`true` or `1` is on, `false` or `0` is off, and `map` defines further values. An "
	         "event with any other value, or without a value there, is ignored: it is counted "
	         "(`outputs.ignored` in `P/health`), and `gateway.output_ignored` reports the "
	         "first one." },
	{ .key = "map", .type = CONFIG_LEVELS, .max = 64, O(map),
	  CONFIG_COUNT(struct config_output, n_map),
	  .doc = "Texts that stand for a level, such as `{\"ON\": true, \"OFF\": false}`. Case "
	         "matters." },
	{ .key = "safe_value", .type = CONFIG_UINT, .initial = "0", .max = 1, O(safe_value),
	  .doc = "Level from the start to the first event, at exit, after a crash and when the "
	         "driver has failed: 0 is off, 1 is on." },
	{ .key = "chip", .type = CONFIG_STRING, .min = 1, .max = 256, O(chip),
	  .doc = "As for inputs." },
	{ .key = "line", .type = CONFIG_LINE, .required_in = 1U, O(line), .doc = "As for inputs." },
	{ .key = "active", .type = CONFIG_ENUM, .initial = "high", .values = levels, O(active_low),
	  .doc = "Level of the line when the output is on." },
};

const struct config_table config_table_output = {
	.name = "output", .title = "outputs.\\<name\\>", .fields = output_fields,
	.n_fields = LEN(output_fields), .variants = { { "driver", 0, DIAG_ERROR } },
	.size = sizeof(struct config_output), .name_offset = offsetof(struct config_output, name),
	.check = config_check_output, .schema_rules = OFFSET_NEEDS_CHIP,
};

/* ---- gestures: variants are the types ---- */

/* A type that only the gateway emits, for the schema. */
#define RESERVED "{\"type\":\"string\",\"pattern\":\"^(event|gateway|gesture|input)[.]\"}"

/* A click that emits this, for the schema. */
#define EMITS(name_) "{\"properties\":{\"emit\":" NEEDS(name_) "},\"required\":[\"emit\"]}"
#define NEEDS(name_) "{\"type\":\"object\",\"required\":[\"" name_ "\"]}"

#define TYPE(type_) (1U << CUE_GESTURE_##type_)
#define TAPS (TYPE(DOUBLE_TAP) | TYPE(MULTI_TAP))
#define DETECTORS (TAPS | TYPE(SIMULTANEOUS) | TYPE(SEQUENCE))
#define SOURCED (TAPS | TYPE(SIMULTANEOUS) | TYPE(CLICK) | TYPE(CYCLE))
#define GATED (TYPE(GATED_MIRROR) | TYPE(GATED_PLAYLIST))
#define G(member_) CONFIG_MEMBER(struct config_gesture, def.member_)

/* In the order of enum cue_gesture_type. */
static const char *const gesture_types[] = {
	"double_tap", "multi_tap", "simultaneous", "sequence", "gated_mirror", "gated_playlist",
	"click", "cycle", NULL,
};

static const struct config_field gesture_fields[] = {
	{ .key = "type", .type = CONFIG_ENUM, .required = true, .values = gesture_types, G(type),
	  .doc = "Kind of detector. It decides which other keys are allowed." },
	{ .key = "source", .type = CONFIG_FILTER, .variants = SOURCED,
	  .required_in = SOURCED, G(source),
	  .doc = "Events to listen to: an event type, or `{\"event\": type, \"match\": "
	         "predicate}`. The presses of a `click`." },
	{ .key = "release", .type = CONFIG_FILTER, .variants = TYPE(CLICK), G(release),
	  .doc = "The ends of presses, as `source`. Without it a press is a whole click." },
	{ .key = "window", .type = CONFIG_DURATION,
	  .variants = TAPS | TYPE(SIMULTANEOUS) | TYPE(CLICK),
	  .required_in = TAPS | TYPE(SIMULTANEOUS), .min = 1, .max = DURATION_MAX, G(window_ns),
	  .doc = "Longest time from one tap to the next, between the first and the last of "
	         "simultaneous events, or from a release to the next press of a `click` "
	         "(`300ms` if it is not given); inclusive." },
	{ .key = "hold", .type = CONFIG_DURATION, .variants = TYPE(CLICK), .min = 1,
	  .max = DURATION_MAX, G(hold_ns),
	  .doc = "A press that lasts longer is a hold and no click. Needs `release`. Default: "
	         "there is no hold." },
	{ .key = "repeat", .type = CONFIG_DURATION, .variants = TYPE(CLICK), .min = 1,
	  .max = DURATION_MAX, G(repeat_ns),
	  .doc = "Time between repeats while a hold lasts; `10ms` at least, and 10,000 repeats at "
	         "most. Needs `hold`. Default: no repeats." },
	{ .key = "count", .type = CONFIG_UINT, .variants = TYPE(MULTI_TAP),
	  .required_in = TYPE(MULTI_TAP), .min = 2, .max = 16, G(count), .doc = "Number of taps." },
	{ .key = "required_sources", .type = CONFIG_UINT, .variants = TYPE(SIMULTANEOUS),
	  .initial = "2", .min = 2, .max = 64, G(required_sources),
	  .doc = "Number of distinct producers." },
	{ .key = "steps", .type = CONFIG_FILTERS, .variants = TYPE(SEQUENCE),
	  .required_in = TYPE(SEQUENCE), .min = 1, .max = 64, G(steps),
	  CONFIG_COUNT(struct config_gesture, def.n_steps),
	  .doc = "The events in order, each as `source`." },
	{ .key = "timeout", .type = CONFIG_DURATION, .variants = TYPE(SEQUENCE), .initial = "0s",
	  .max = DURATION_MAX, G(timeout_ns),
	  .doc = "Longest time between neighbouring steps. `0s` means no limit." },
	{ .key = "emit", .type = CONFIG_EMITS,
	  .variants = DETECTORS | TYPE(GATED_MIRROR) | TYPE(CLICK) | TYPE(CYCLE),
	  .required_in = DETECTORS | TYPE(CLICK) | TYPE(CYCLE),
	  CONFIG_MEMBER(struct config_gesture, emit),
	  .doc = "Event type to emit. A mirror without `emit` keeps the mirrored type. For a "
	         "`click` an object of event types by name: `single`, `double`, `triple`, "
	         "`quadruple`, `quintuple`, `hold`, `repeat`, `release`, at least one of them." },
	{ .key = "values", .type = CONFIG_VALUES, .variants = TYPE(CYCLE),
	  .required_in = TYPE(CYCLE), .min = 1, .max = 64, G(values),
	  CONFIG_COUNT(struct config_gesture, def.n_values),
	  .doc = "The data of the events, in the order in which they are emitted; after the last "
	         "comes the first." },
	{ .key = "set", .type = CONFIG_PLACES, .variants = TYPE(CYCLE), .max = 64, G(sets),
	  CONFIG_COUNT(struct config_gesture, def.n_sets),
	  .doc = "Event types that take the cycle to a value, which is emitted: "
	         "`{\"all.off\": 1}` has its place in `values`, counted from 0." },
	{ .key = "reset", .type = CONFIG_FILTER, .variants = TYPE(CYCLE), G(reset),
	  .doc = "After this event the next `source` event emits the first value. The reset "
	         "itself emits nothing." },
	{ .key = "follow", .type = CONFIG_BOOL, .variants = TYPE(CYCLE), .initial = "true",
	  G(follow),
	  .doc = "Go on from the value of an event of type `emit` that somebody else has "
	         "emitted." },
	{ .key = "idle_reset", .type = CONFIG_DURATION, .variants = TYPE(CYCLE), .initial = "0s",
	  .max = DURATION_MAX, G(idle_reset_ns),
	  .doc = "As `reset`, when the cycle was not moved for longer than this. `0s` means "
	         "never." },
	{ .key = "restore", .type = CONFIG_BOOL, .variants = TYPE(CYCLE), .initial = "false",
	  G(restore),
	  .doc = "Continue from the same value after a restart. Needs `gateway.state_dir`." },
	{ .key = "gate", .type = CONFIG_EVENTS, .variants = GATED,
	  .required_in = TYPE(GATED_PLAYLIST),
	  .max = 64, G(gate), CONFIG_COUNT(struct config_gesture, def.n_gate),
	  .doc = "Event types that open and close the gate, or start the playlist. Optional for a "
	         "mirror with `when`: its gate then follows the condition." },
	{ .key = "mirror", .type = CONFIG_EVENTS, .variants = TYPE(GATED_MIRROR),
	  .required_in = TYPE(GATED_MIRROR), .min = 1, .max = 64, G(mirror),
	  CONFIG_COUNT(struct config_gesture, def.n_mirror),
	  .doc = "Event types to emit again while the gate is open." },
	{ .key = "output_producer_id", .type = CONFIG_UINT, .variants = TYPE(GATED_MIRROR),
	  .initial = "0", .max = UINT32_MAX, G(output_producer_id),
	  .doc = "Producer of the re-emitted events." },
	{ .key = "when", .type = CONFIG_WHEN, .variants = GATED | TYPE(CLICK), G(when),
	  .doc = "Condition on the state store. Default: the first of `pressed`, `state`, "
	         "`enabled`, `value` that exists in the gate event's data decides, by truthiness; "
	         "without any of them, the data itself. For a `click`: when it is false, no click, "
	         "hold or repeat is emitted." },
	{ .key = "initial", .type = CONFIG_BOOL, .variants = TYPE(GATED_MIRROR), .initial = "false",
	  G(initial), .doc = "Whether the gate is open before its first event." },
	{ .key = "playlist", .type = CONFIG_NAME, .variants = TYPE(GATED_PLAYLIST),
	  .required_in = TYPE(GATED_PLAYLIST), .max = 128, G(playlist), .doc = "Playlist to "
	                                                                       "start." },
	{ .key = "cancel_active_runs", .type = CONFIG_BOOL, .variants = TYPE(GATED_PLAYLIST),
	  .initial = "false", G(cancel_active_runs),
	  .doc = "Stop the playlist's runs before starting." },
	{ .key = "metadata", .type = CONFIG_OBJECT, G(metadata),
	  .doc = "Included in `virtual_peripheral` of every emitted event." },
	{ .key = "priority", .type = CONFIG_INT, .initial = "50", .min = -999, .max = 999,
	  G(priority),
	  .doc = "Order among the subscribers of one event; the highest first." },
	{ .key = "cooldown", .type = CONFIG_DURATION, .initial = "0s", .max = DURATION_MAX,
	  G(cooldown_ns), .doc = "Pause of the gesture after it has fired." },
	{ .key = "near_miss", .type = CONFIG_BOOL, .variants = DETECTORS, .initial = "false",
	  G(near_miss), .doc = "Emit `gesture.near_miss` with what was missing, at most one a "
	                       "second." },
};

const struct config_table config_table_gesture = {
	.name = "gesture", .title = "gestures.\\<name\\>", .fields = gesture_fields,
	.n_fields = LEN(gesture_fields), .size = sizeof(struct config_gesture),
	.variants = { { "type", 0, DIAG_ERROR } },
	.name_offset = offsetof(struct config_gesture, def.name), .check = config_check_gesture,
	.schema_rules =
		"{\"if\":{\"properties\":{\"type\":{\"const\":\"gated_mirror\"}},"
		"\"required\":[\"type\"]},"
		"\"then\":{\"anyOf\":[{\"required\":[\"gate\"],\"properties\":{\"gate\":{\"not\":"
		"{\"type\":\"array\",\"maxItems\":0}}}},{\"required\":[\"when\"]}]}},"
		"{\"if\":{\"properties\":{\"type\":{\"const\":\"gated_playlist\"}},"
		"\"required\":[\"type\"]},"
		"\"then\":{\"properties\":{\"gate\":{\"not\":{\"type\":\"array\","
		"\"maxItems\":0}}}}},"
		"{\"if\":{\"not\":{\"required\":[\"emit\"]}},\"then\":{\"properties\":{\"mirror\":"
		"{\"not\":{\"anyOf\":[" RESERVED ",{\"type\":\"array\","
		                                 "\"contains\":" RESERVED "}]}}}}},"
		"{\"if\":{\"properties\":{\"type\":{\"const\":\"click\"}},"
		"\"required\":[\"type\"]},"
		"\"then\":{\"properties\":{\"emit\":{\"type\":\"object\"}}},"
		"\"else\":{\"properties\":{\"emit\":{\"type\":\"string\"}}}},"
		"{\"if\":{\"anyOf\":[{\"required\":[\"repeat\"]},"
		EMITS("hold") "," EMITS("repeat") "," EMITS("release") "]},"
		"\"then\":{\"required\":[\"hold\"]}},"
		"{\"if\":{\"required\":[\"hold\"]},\"then\":{\"required\":[\"release\"]}},"
		"{\"if\":" EMITS("repeat") ",\"then\":{\"required\":[\"repeat\"]}}",
};

/* ---- playlists ---- */

static const struct config_field step_fields[] = {
	{ .key = "emit", .type = CONFIG_EMIT, .required = true,
	  CONFIG_MEMBER(struct cue_step, emit),
	  .doc = "Event type to emit." },
	{ .key = "data", .type = CONFIG_DATA, CONFIG_MEMBER(struct cue_step, data),
	  .doc = "The event's data, any JSON. Default: `null`." },
	{ .key = "offset", .type = CONFIG_DURATION, .initial = "0s", .max = DURATION_MAX,
	  CONFIG_MEMBER(struct cue_step, offset_ns), .doc = "Time from the start of the run." },
	{ .key = "repeat", .type = CONFIG_UINT, .initial = "1", .min = 1, .max = 1000000000,
	  CONFIG_MEMBER(struct cue_step, repeat), .doc = "How often to emit the event." },
	{ .key = "interval", .type = CONFIG_DURATION, .initial = "0s", .max = DURATION_MAX,
	  CONFIG_MEMBER(struct cue_step, interval_ns),
	  .doc = "Time from one repeat to the next. It must be above 0 if `repeat` is above 1." },
	{ .key = "producer_id", .type = CONFIG_UINT, .initial = "0", .max = UINT32_MAX,
	  CONFIG_MEMBER(struct cue_step, producer_id), .doc = "Producer of the event." },
};

static const struct config_table step_table = {
	.name = "step", .title = "playlists.\\<name\\>.steps[]", .fields = step_fields,
	.n_fields = LEN(step_fields), .size = sizeof(struct cue_step), .check = config_check_step,
	.schema_rules = "{\"if\":{\"properties\":{\"repeat\":{\"minimum\":2}},"
	                "\"required\":[\"repeat\"]},"
	                "\"then\":{\"required\":[\"interval\"],\"properties\":{\"interval\":"
	                "{\"$ref\":\"#/$defs/positive_duration\"}}}}",
};

#define P(member_) CONFIG_MEMBER(struct config_playlist, def.member_)

/* In the order of enum cue_playlist_mode, cue_late, cue_on_restart. */
static const char *const modes[] = { "parallel", "single", "restart", "queued", NULL };
static const char *const lates[] = { "burst", "skip", NULL };
static const char *const on_restarts[] = { "abort", "resume", "skip", NULL };

static const struct config_field playlist_fields[] = {
	{ .key = "steps", .type = CONFIG_LIST, .required = true, .table = &step_table, .min = 1,
	  .max = 10000, P(steps), CONFIG_COUNT(struct config_playlist, def.n_steps),
	  .doc = "What to emit. Steps interleave by deadline, `start + offset + k * interval`." },
	{ .key = "trigger", .type = CONFIG_FILTERS, .min = 1, .max = 1000, P(triggers),
	  CONFIG_COUNT(struct config_playlist, def.n_triggers),
	  .doc = "What starts a run: an event type, `{\"event\": type, \"match\": predicate}`, or "
	         "an array of those." },
	{ .key = "interrupts", .type = CONFIG_INTERRUPTS, .max = 1000, P(interrupts),
	  CONFIG_COUNT(struct config_playlist, def.n_interrupts),
	  .doc = "What stops every run, in the form of `trigger`. An object may also have its own "
	         "`\"debounce\"`, which replaces `interrupt_debounce`." },
	{ .key = "interrupt_debounce", .type = CONFIG_DURATION, .initial = "0s",
	  .max = DURATION_MAX,
	  P(interrupt_debounce_ns),
	  .doc = "Ignore an interrupt that comes within this time after the last one of the same "
	         "type and producer that stopped a run." },
	{ .key = "on", .type = CONFIG_STEERINGS, .max = CUE_STEERINGS_MAX, P(steerings),
	  CONFIG_COUNT(struct config_playlist, def.n_steerings),
	  .doc = "Event types that steer the running runs, and what each does: `\"pause\"`, "
	         "`\"resume\"`, `\"toggle\"`, `{\"seek\": duration}`, `{\"tempo\": factor}`. "
	         "In place of the value of `seek` and `tempo`, a JSON Pointer to a number in the "
	         "event's data: seconds, or a factor from 0.01 to 100." },
	{ .key = "completion", .type = CONFIG_EMIT, P(completion),
	  .doc = "Event type to emit when a run has completed." },
	{ .key = "metadata", .type = CONFIG_OBJECT, P(metadata),
	  .doc = "Included as `playlist_metadata` in every event about a run." },
	{ .key = "mode", .type = CONFIG_ENUM, .initial = "parallel", .values = modes, P(mode),
	  .doc = "What to do with a start while a run is active: `parallel` starts another run "
	         "beside it, `single` refuses the start, `restart` cancels the active run first, "
	         "`queued` waits for its end." },
	{ .key = "max_runs", .type = CONFIG_UINT, .initial = "16", .min = 1, .max = 1000000,
	  P(max_runs), .doc = "Largest number of runs, active or waiting. A start beyond it is "
	                      "refused." },
	{ .key = "late", .type = CONFIG_ENUM, .initial = "burst", .values = lates, P(late),
	  .doc = "What to do with overdue events after a late wake-up: `burst` emits all of them "
	         "at once, `skip` emits only the newest of each step." },
	{ .key = "on_restart", .type = CONFIG_ENUM, .initial = "abort", .values = on_restarts,
	  P(on_restart),
	  .doc = "What to do at the next start with a run that a crash or a power cut has "
	         "interrupted: `abort` stops the run and emits `event.playlist.stopped`; `resume` "
	         "continues it on the original time line and handles events that fell into the "
	         "downtime by `late`; `skip` continues it and drops those events. Needs "
	         "`gateway.state_dir`." },
};

const struct config_table config_table_playlist = {
	.name = "playlist", .title = "playlists.\\<name\\>", .fields = playlist_fields,
	.n_fields = LEN(playlist_fields), .size = sizeof(struct config_playlist),
	.name_offset = offsetof(struct config_playlist, def.name), .check = config_check_playlist,
};
/* clang-format on */
