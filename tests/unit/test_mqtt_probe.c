/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <cuebus/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"
#include "mqtt_probe.h"
#include "time_limits.h"

static enum mqtt_probe_answer read_text(const char *bytes, size_t n, int protocol)
{
	return mqtt_probe_read((const unsigned char *)bytes, n, protocol);
}

Test(mqtt_probe, an_answer_in_its_own_version)
{
	cr_assert_eq(read_text("\x20\x02\x00\x00", 4, 4), MQTT_PROBE_SPEAKS);
	/* refused is an answer */
	cr_assert_eq(read_text("\x20\x02\x00\x05", 4, 4), MQTT_PROBE_SPEAKS);
	cr_assert_eq(read_text("\x20\x03\x00\x00", 4, 5), MQTT_PROBE_SPEAKS);
	cr_assert_eq(read_text("\x20\x09\x00\x87", 4, 5), MQTT_PROBE_SPEAKS);
}

Test(mqtt_probe, an_answer_in_the_other_version)
{
	cr_assert_eq(read_text("\x20\x02\x00\x01", 4, 4), MQTT_PROBE_VERSION);
	cr_assert_eq(read_text("\x20\x02\x00\x01", 4, 5), MQTT_PROBE_VERSION);
	cr_assert_eq(read_text("\x20\x02\x00\x00", 4, 5), MQTT_PROBE_VERSION);
	cr_assert_eq(read_text("\x20\x03\x00\x84", 4, 5), MQTT_PROBE_VERSION);
	cr_assert_eq(read_text("\x20\x03\x00\x84", 4, 4), MQTT_PROBE_VERSION);
}

Test(mqtt_probe, what_is_no_mqtt)
{
	cr_assert_eq(read_text("HTTP", 4, 5), MQTT_PROBE_HTTP);
	cr_assert_eq(read_text("HT", 2, 5), MQTT_PROBE_OTHER);
	cr_assert_eq(read_text("\x15\x03\x01\x00", 4, 5), MQTT_PROBE_TLS);
	cr_assert_eq(read_text("\x15\x03", 2, 5), MQTT_PROBE_TLS);
	cr_assert_eq(read_text("\x15", 1, 5), MQTT_PROBE_OTHER);
	cr_assert_eq(read_text("SSH-", 4, 4), MQTT_PROBE_OTHER);
	cr_assert_eq(read_text("\x20", 1, 4), MQTT_PROBE_OTHER);
}

/** Ask a peer that has sent @p answer; it closes then, unless @p stays. */
static enum mqtt_probe_answer ask(int protocol, const char *answer, size_t len, bool stays,
                                  char sent[64], size_t *ret_sent)
{
	struct mqtt_probe probe = { 0 };
	enum mqtt_probe_answer found;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	if (len)
		cr_assert_eq(write(fds[1], answer, len), (ssize_t)len);
	if (!stays)
		cr_assert_eq(shutdown(fds[1], SHUT_WR), 0);
	probe.fd = fds[0];
	/* Time that has passed: what is there is read, nothing is waited for. */
	probe.until_ns = stays ? 0 : clock_monotonic_ns() + limit_ns(60 * CUE_NS_PER_S);
	found = mqtt_probe_ask(&probe, protocol);
	*ret_sent = (size_t)read(fds[1], sent, 64);
	close(fds[0]);
	close(fds[1]);
	return found;
}

Test(mqtt_probe, asks_and_says_good_bye)
{
	char sent[64];
	size_t n;

	cr_assert_eq(ask(5, "\x20\x03\x00\x00\x00", 5, true, sent, &n), MQTT_PROBE_SPEAKS);
	cr_assert_eq(n, 17);
	cr_assert_arr_eq(sent, "\x10\x0d\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x00\xe0\x00", 17);
	cr_assert_eq(ask(4, "\x20\x02\x00\x00", 4, true, sent, &n), MQTT_PROBE_SPEAKS);
	cr_assert_eq(n, 16);
	cr_assert_arr_eq(sent, "\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00\xe0\x00", 16);
}

Test(mqtt_probe, an_answer_that_does_not_come)
{
	char sent[64];
	size_t n;

	cr_assert_eq(ask(5, "", 0, true, sent, &n), MQTT_PROBE_SILENT);
	cr_assert_eq(ask(5, "", 0, false, sent, &n), MQTT_PROBE_CLOSED);
	cr_assert_eq(ask(4, "\x15\x03", 2, true, sent, &n), MQTT_PROBE_TLS);
	cr_assert_eq(ask(4, "\x20\x02", 2, false, sent, &n), MQTT_PROBE_OTHER);
	cr_assert_eq(n, 14); /* no good-bye */
}
