/* SPDX-License-Identifier: Apache-2.0 */
/* `${NAME}`: what a configuration gets from the environment, and where it is masked. */
#include "cue_criterion.h"

#include "config.h"
#include "config_fixture.h"

#include <cuebus/payload.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *bytes(const struct cue_payload *payload)
{
	return cue_payload_bytes(payload, NULL);
}

Test(config_environment, secrets_and_the_environment_are_masked)
{
	struct loaded l;

	setenv("CUEBUS_TEST_VALUE", "hunter2", 1);
	l = load("{\"gateway\":{\"id\":\"g-${CUEBUS_TEST_VALUE}\"},\"mqtt\":{\"password_file\":\"/"
	         "p\"},"
	         "\"x-\":{\"apiToken\":{\"deep\":1},\"a\":\"$${\"}}");
	cr_assert_eq(l.r, 0);
	cr_assert_str_eq(l.config->gateway.id, "g-hunter2");
	cr_assert_str_eq(bytes(l.config->masked),
	                 "{\"gateway\":{\"id\":\"g-${CUEBUS_TEST_VALUE}\"},"
	                 "\"mqtt\":{\"password_file\":\"***\"},\"x-\":{\"apiToken\":\"***\",\"a\":"
	                 "\"$${\"}}");
	release(&l);
	unsetenv("CUEBUS_TEST_VALUE");
}

/** The hash is published: it must not allow guessing secrets. */
Test(config_environment, the_hash_does_not_depend_on_values_of_the_environment)
{
	static const char text[] =
	        "{\"gateway\":{\"id\":\"g\"},\"mqtt\":{\"username\":\"${CUEBUS_TEST_VALUE}\"}}";
	struct loaded one, other;

	setenv("CUEBUS_TEST_VALUE", "hunter2", 1);
	one = load(text);
	setenv("CUEBUS_TEST_VALUE", "hunter3", 1);
	other = load(text);
	unsetenv("CUEBUS_TEST_VALUE");
	cr_assert_eq(one.r, 0);
	cr_assert_str_eq(one.config->hash, other.config->hash);
	release(&one);
	release(&other);
}

/** A configuration from a message reveals nothing of the environment, not even which names are
 * set. */
Test(config_environment, a_configuration_from_a_message_does_not_see_the_environment)
{
	static const char *const texts[] = {
		"{\"gateway\":{\"id\":\"x\"},\"gestures\":{\"g\":{\"type\":\"gated_playlist\","
		"\"gate\":\"a.b\","
		"\"playlist\":\"${%s}\"}}}",
		"{\"gateway\":{\"id\":\"${%s}\"},\"mqtt\":{\"url\":\"mqtt://x\"}}",
		"{\"gateway\":{\"id\":\"x\"},\"mqtt\":{\"url\":\"${%s}\"}}",
		"{\"gateway\":{\"id\":\"x\"},\"playlists\":{\"p\":{\"trigger\":\"${%s}\","
		"\"interrupts\":[\"${%s}\"],"
		"\"steps\":[{\"emit\":\"${%s}\",\"offset\":\"${%s}\"}]}}}",
		"{\"gateway\":{\"id\":\"x\"},\"inputs\":{\"i\":{\"driver\":\"${%s}\","
		"\"kind\":\"${%s}\",\"event\":\"${%s}\"}}}",
		"{\"gateway\":{\"id\":\"x\"},\"mqtt\":{\"username\":\"u\","
		"\"password_env\":\"%s\"}}",
	};
	char set[600], unset[600];

	setenv("CUEBUS_TEST_VALUE", "hunter2.x", 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct diag diags[2] = { { 0 }, { 0 } };
		struct config *config = NULL;

		/* The same findings whether it is set or not, but for its name. */
#define FILL(text, name) snprintf(text, sizeof(text), texts[i], name, name, name, name)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		FILL(set, "CUEBUS_TEST_VALUE");
		FILL(unset, "CUEBUS_TEST_ABSEN");
#pragma GCC diagnostic pop
		(void)config_load_request(set, strlen(set), &diags[0], &config);
		config = config_free(config);
		(void)config_load_request(unset, strlen(unset), &diags[1], &config);
		config_free(config);
		cr_assert_eq(diags[0].n, diags[1].n, "%zu", i);
		cr_assert_eq(diags[0].n_errors, 0, "%zu %s", i,
		             diags[0].n ? diags[0].findings[0].message : "");
		for (size_t k = 0; k < diags[0].n; k++) {
			cr_assert_str_eq(diags[0].findings[k].rule, "environment");
			cr_assert_null(strstr(diags[0].findings[k].message, "hunter2"));
		}
		diag_clear(&diags[0]);
		diag_clear(&diags[1]);
	}
	unsetenv("CUEBUS_TEST_VALUE");
}

/* Each key that takes a text. */
static const char whole[] =
        "{\"version\":1,\"gateway\":{\"id\":\"x\",\"state_dir\":\"/s\","
        "\"health_interval\":\"9s\"},\"mqtt\":{\"url\":\"mqtts://h\",\"username\":\"u\","
        "\"password_file\":\"/p\",\"ca_file\":\"/c\",\"cert_file\":\"/c\",\"key_file\":\"/k\","
        "\"client_id\":\"c\",\"topic_prefix\":\"t\",\"protocol\":\"3.1.1\",\"keepalive\":\"9s\","
        "\"reply_prefixes\":[\"a\",\"b\"],\"qos\":{\"a\":\"off\"},\"remote\":{\"cmd\":[\"use\","
        "\"ping\"],\"emit\":[\"a.b\",\"tap\"]}},\"outbox\":{\"sync\":\"batch\","
        "\"full\":\"drop_oldest\"},\"inputs\":{\"i\":{\"driver\":\"gpio\",\"chip\":\"c\","
        "\"line\":\"l\",\"kind\":\"button\",\"bias\":\"pull-up\",\"active\":\"low\","
        "\"debounce\":\"9ms\",\"event\":\"tap\",\"release_event\":\"untap\","
        "\"data\":{\"k\":\"v\"}},\"j\":{\"driver\":\"sim\",\"kind\":\"button\","
        "\"event\":\"tap\"},\"r\":{\"driver\":\"gpio\",\"lines\":[\"m\",\"n\"],"
        "\"kind\":\"rotary\",\"event\":\"turn\",\"debounce\":\"20ms\"}},"
        "\"outputs\":{\"o\":{\"driver\":\"gpio\",\"line\":\"q\",\"on_event\":\"lamp\","
        "\"value\":\"/on\"}},\"gestures\":{\"d\":{\"type\":\"double_tap\",\"source\":\"tap\","
        "\"window\":\"9ms\",\"emit\":\"dd\",\"metadata\":{\"m\":\"n\"}},"
        "\"s\":{\"type\":\"sequence\",\"timeout\":\"1s\",\"emit\":\"ss\","
        "\"steps\":[{\"event\":\"tap\",\"match\":{\"k\":\"v\"}},\"untap\"]},"
        "\"s2\":{\"type\":\"sequence\",\"emit\":\"s2\",\"steps\":[\"tap\",\"untap\",\"tap\"]},"
        "\"c\":{\"type\":\"simultaneous\",\"source\":\"tap\",\"window\":\"1s\","
        "\"required_sources\":2,\"emit\":\"cc\"},\"m\":{\"type\":\"gated_mirror\","
        "\"gate\":[\"tap\"],\"mirror\":[\"lvl\",\"turn\"],\"when\":{\"state\":\"tap\","
        "\"truthy\":true}},\"g\":{\"type\":\"gated_playlist\",\"gate\":\"tap\","
        "\"playlist\":\"p\",\"when\":{\"all\":[{\"state\":\"turn\","
        "\"match\":{\"k\":{\"in\":[\"v\",\"w\"]}}}]}}},\"playlists\":{\"p\":{\"trigger\":[\"dd\","
        "{\"event\":\"ss\",\"match\":{\"k\":{\"eq\":\"v\"}}}],\"interrupts\":[\"cc\","
        "{\"event\":\"lvl\"}],\"completion\":\"pp\",\"mode\":\"single\",\"late\":\"skip\","
        "\"on_restart\":\"resume\",\"interrupt_debounce\":\"1s\",\"metadata\":{\"m\":\"n\"},"
        "\"steps\":[{\"emit\":\"lamp\",\"data\":\"x\",\"offset\":\"1s\",\"repeat\":2,"
        "\"interval\":\"1s\"},{\"emit\":\"tap\"}]},\"q\":{\"trigger\":\"pp\","
        "\"steps\":[{\"emit\":\"dd\"}]}}}";

/** Values that are ignored in a configuration from a message do not affect the other checks. */
Test(config_environment, any_string_of_a_configuration_from_a_message_may_be_a_reference)
{
	size_t replaced = 0;

	for (const char *at = whole; (at = strchr(at, '"')) != NULL;) {
		const char *end = strchr(at + 1, '"');
		struct diag diag = { 0 };
		struct config *config = NULL;
		char *copy;

		if (end[1] != ':') { /* a value */
			cr_assert_geq(asprintf(&copy, "%.*s\"${CUEBUS_X}\"%s", (int)(at - whole),
			                       whole, end + 1),
			              0);
			(void)config_load_request(copy, strlen(copy), &diag, &config);
			for (size_t i = 0; i < diag.n; i++)
				cr_expect_neq(diag.findings[i].severity, DIAG_ERROR, "%zu %s %s",
				              replaced, diag.findings[i].path,
				              diag.findings[i].message);
			cr_assert_gt(diag.n, 0);
			config_free(config);
			diag_clear(&diag);
			free(copy);
			replaced++;
		}
		at = end + 1;
	}
	cr_assert_gt(replaced, 60);
}

Test(config_environment, literal_dollar_brace)
{
	struct loaded l = load("{\"gateway\":{\"id\":\"a$${b}$$c$\"}}");

	cr_assert_eq(l.r, 0);
	cr_assert_str_eq(l.config->gateway.id, "a${b}$$c$");
	release(&l);
}

Test(config_environment, environment_is_bounded)
{
	struct loaded l;
	size_t len = 100 * 1024, n = 12;
	char *value = malloc(len + 1), *text = malloc(n * 16 + 200);

	memset(value, 'x', len);
	value[len] = '\0';
	setenv("CUEBUS_BIG", value, 1);
	strcpy(text, "{\"gateway\":{\"id\":\"g\"},\"mqtt\":{\"username\":\"");
	for (size_t i = 0; i < n; i++)
		strcat(text, "${CUEBUS_BIG}");
	strcat(text, "\"}}");
	l = load(text);
	cr_assert_eq(l.r, -EINVAL);
	cr_assert_eq(l.diag.n, 1);
	cr_assert_str_eq(l.diag.findings[0].rule, "environment");
	release(&l);
	unsetenv("CUEBUS_BIG");
	free(value);
	free(text);
}
