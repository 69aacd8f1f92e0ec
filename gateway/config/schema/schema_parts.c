/* SPDX-License-Identifier: Apache-2.0 */
#include "schema_parts.h"

#include <string.h>

#define NAME_CLASS                                                                                 \
	"[^+#/\\\\u0000-\\\\u001f\\\\u007f-\\\\u009f\\\\ufdd0-\\\\ufdef\\\\ufffe\\\\uffff]"

#define CLICK(name_) "\"" name_ "\":{\"$ref\":\"#/$defs/open_event_type\"}"
#define NAMED(name_) "{\"required\":[\"" name_ "\"]}"

/* Schemas that fields of these types refer to, as JSON text. */
static const struct {
	const char *name, *json;
} parts[] = {
	{ "duration",
	  "{\"description\":\"A decimal number and a unit: us, ms, s, m, h; 10 years at most.\","
	  "\"type\":\"string\",\"pattern\":\"^[0-9]+([.][0-9]+)?(us|ms|s|m|h)$\"}" },
	{ "positive_duration",
	  "{\"description\":\"A duration above 0.\",\"$ref\":\"#/$defs/duration\","
	  "\"not\":{\"pattern\":\"^[0.]+[a-z]\"}}" },
	{ "event_type", "{\"description\":\"1 to 8 segments of [a-z0-9_-]+ joined by dots, 128 "
	                "characters at most.\","
	                "\"type\":\"string\",\"maxLength\":128,"
	                "\"pattern\":\"^[a-z0-9_-]+([.][a-z0-9_-]+){0,7}$\"}" },
	{ "open_event_type", "{\"description\":\"An event type that is not the gateway's own.\","
	                     "\"$ref\":\"#/$defs/event_type\","
	                     "\"not\":{\"pattern\":\"^(event|gateway|gesture|input)[.]\"}}" },
	{ "name", "{\"description\":\"One level of a topic.\",\"type\":\"string\",\"minLength\":1,"
	          "\"maxLength\":128,\"pattern\":\"^(?![$])" NAME_CLASS "+$\"}" },
	{ "topic", "{\"description\":\"Levels of a topic, without wildcards.\",\"type\":\"string\","
	           "\"maxLength\":256,"
	           "\"pattern\":\"^(?![$])" NAME_CLASS "+(/" NAME_CLASS "+)*$\"}" },
	{ "topic_prefix",
	  "{\"description\":\"Levels that topics begin with; a slash may end them.\","
	  "\"type\":\"string\",\"minLength\":1,\"maxLength\":256,"
	  "\"pattern\":\"^(?![$])" NAME_CLASS "+(/" NAME_CLASS "+)*/?$\"}" },
	{ "line",
	  "{\"description\":\"A line's name, or its offset.\",\"type\":[\"string\",\"integer\"],"
	  "\"minLength\":1,\"minimum\":0,\"maximum\":4294967295}" },
	{ "match",
	  "{\"description\":\"Predicate on an event's data: field, or JSON Pointer when it "
	  "begins with a slash, to a value (equal) or to operators eq, ne, lt, le, gt, ge, "
	  "in, exists, truthy.\",\"type\":\"object\","
	  "\"propertyNames\":{\"pattern\":\"^([^/]|$|(/([^/~]|~[01])*)*$)\"},"
	  "\"additionalProperties\":{\"if\":{\"type\":\"object\",\"anyOf\":["
	  "{\"required\":[\"eq\"]},{\"required\":[\"ne\"]},{\"required\":[\"lt\"]},"
	  "{\"required\":[\"le\"]},{\"required\":[\"gt\"]},{\"required\":[\"ge\"]},"
	  "{\"required\":[\"in\"]},{\"required\":[\"exists\"]},{\"required\":[\"truthy\"]}]},"
	  "\"then\":{\"$ref\":\"#/$defs/operators\"}}}" },
	{ "operators",
	  "{\"description\":\"All of them must hold.\",\"type\":\"object\",\"properties\":{"
	  "\"eq\":true,\"ne\":true,\"lt\":{\"type\":[\"number\",\"string\"]},"
	  "\"le\":{\"type\":[\"number\",\"string\"]},\"gt\":{\"type\":[\"number\",\"string\"]},"
	  "\"ge\":{\"type\":[\"number\",\"string\"]},\"in\":{\"type\":\"array\",\"minItems\":1},"
	  "\"exists\":{\"type\":\"boolean\"},\"truthy\":{\"type\":\"boolean\"}},"
	  "\"additionalProperties\":false}" },
	{ "filter",
	  "{\"description\":\"An event type, or one with a predicate on its data.\","
	  "\"oneOf\":[{\"$ref\":\"#/$defs/event_type\"},{\"type\":\"object\",\"properties\":"
	  "{\"event\":{\"$ref\":\"#/$defs/event_type\"},\"match\":{\"$ref\":\"#/$defs/match\"}},"
	  "\"required\":[\"event\"],\"patternProperties\":{\"^x-\":true},"
	  "\"additionalProperties\":false}]}" },
	{ "interrupt",
	  "{\"description\":\"As a filter, which may have a debounce of its own.\","
	  "\"oneOf\":[{\"$ref\":\"#/$defs/event_type\"},{\"type\":\"object\",\"properties\":"
	  "{\"event\":{\"$ref\":\"#/$defs/event_type\"},\"match\":{\"$ref\":\"#/$defs/match\"},"
	  "\"debounce\":{\"$ref\":\"#/$defs/duration\"}},"
	  "\"required\":[\"event\"],\"patternProperties\":{\"^x-\":true},"
	  "\"additionalProperties\":false}]}" },
	{ "steering", "{\"description\":\"What an event does with the running runs.\",\"oneOf\":["
	              "{\"enum\":[\"pause\",\"resume\",\"toggle\"]},"
	              "{\"type\":\"object\",\"properties\":{\"seek\":{\"anyOf\":["
	              "{\"$ref\":\"#/$defs/duration\"},{\"$ref\":\"#/$defs/pointer\"}]}},"
	              "\"required\":[\"seek\"],\"additionalProperties\":false},"
	              "{\"type\":\"object\",\"properties\":{\"tempo\":{\"anyOf\":["
	              "{\"type\":\"number\",\"minimum\":0.01,\"maximum\":100},"
	              "{\"$ref\":\"#/$defs/pointer\"}]}},"
	              "\"required\":[\"tempo\"],\"additionalProperties\":false}]}" },
	{ "pointer", "{\"description\":\"A JSON Pointer; empty for the whole.\","
	             "\"type\":\"string\",\"pattern\":\"^(/([^/~]|~[01])*)*$\"}" },
	/* clang-format off */
	{ "emits",
	  "{\"description\":\"An event type; for a click its event types by name.\","
	  "\"oneOf\":[{\"$ref\":\"#/$defs/open_event_type\"},{\"type\":\"object\","
	  "\"properties\":{" CLICK("single") "," CLICK("double") "," CLICK("triple") ","
	  CLICK("quadruple") "," CLICK("quintuple") "," CLICK("hold") "," CLICK("repeat") ","
	  CLICK("release") "},\"anyOf\":[" NAMED("single") "," NAMED("double") ","
	  NAMED("triple") "," NAMED("quadruple") "," NAMED("quintuple") "," NAMED("hold") ","
	  NAMED("repeat") "," NAMED("release") "],\"patternProperties\":{\"^x-\":true},"
	  "\"additionalProperties\":false}]}" },
	/* clang-format on */
	{ "when",
	  "{\"description\":\"Condition on the state store, the last event of each type and "
	  "producer.\",\"oneOf\":[{\"type\":\"object\",\"properties\":{\"state\":"
	  "{\"$ref\":\"#/$defs/event_type\"},\"producer_id\":{\"type\":\"integer\","
	  "\"minimum\":0,\"maximum\":4294967295},\"match\":{\"$ref\":\"#/$defs/match\"},"
	  "\"truthy\":{\"type\":\"boolean\"}},\"required\":[\"state\"],"
	  "\"not\":{\"required\":[\"match\",\"truthy\"]},\"additionalProperties\":false},"
	  "{\"type\":\"object\",\"properties\":{\"all\":{\"type\":\"array\",\"minItems\":1,"
	  "\"items\":{\"$ref\":\"#/$defs/when\"}}},\"required\":[\"all\"],"
	  "\"additionalProperties\":false},{\"type\":\"object\",\"properties\":{\"any\":"
	  "{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/when\"}}},"
	  "\"required\":[\"any\"],\"additionalProperties\":false},{\"type\":\"object\","
	  "\"properties\":{\"not\":{\"$ref\":\"#/$defs/when\"}},\"required\":[\"not\"],"
	  "\"additionalProperties\":false}]}" },
};

void schema_write_parts(struct cue_writer *w)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		cue_writer_key(w, parts[i].name);
		cue_writer_raw(w, parts[i].json, strlen(parts[i].json));
	}
}
