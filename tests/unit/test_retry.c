/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "bus_fixture.h"
#include "retry.h"

struct device {
	struct retry retry;
	unsigned tries;
	bool works;
};

static void on_retry(void *user, struct cue_bus *bus, uint64_t deadline_ns)
{
	struct device *device = user;

	(void)deadline_ns;
	device->tries++;
	if (!device->works)
		retry_again(&device->retry, cue_bus_now(bus));
}

Test(retry, delays_grow_to_30_s_and_begin_anew)
{
	static const unsigned expected_s[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	struct device device = { 0 };
	struct fixture f;
	uint64_t now_ns;

	fixture_open(&f, NULL);
	now_ns = cue_bus_now(f.bus);
	cr_assert_eq(retry_init(&device.retry, f.bus, on_retry, &device), 0);
	for (unsigned life = 0; life < 2; life++) {
		retry_begin(&device.retry, now_ns);
		cr_assert_eq(device.retry.attempts, 0);
		for (size_t i = 0; i < sizeof(expected_s) / sizeof(*expected_s); i++) {
			now_ns += expected_s[i] * CUE_NS_PER_S;
			cr_assert_eq(cue_bus_next_deadline(f.bus), now_ns);
			cr_assert_eq(cue_bus_advance(f.bus, now_ns), 0);
		}
		cr_assert_eq(device.tries, (life + 1) * 8);
	}
	retry_clear(&device.retry);
	fixture_close(&f);
}

/* An hour asleep is one try, and the next one is 2 s after waking. */
Test(retry, a_late_wake_makes_no_burst)
{
	struct device device = { 0 };
	struct fixture f;
	uint64_t late_ns = 3600 * CUE_NS_PER_S;

	fixture_open(&f, NULL);
	cr_assert_eq(retry_init(&device.retry, f.bus, on_retry, &device), 0);
	retry_begin(&device.retry, 0);
	device.works =
	        true; /* what the handler of a real device decides by the clock is done here */
	cr_assert_eq(cue_bus_advance(f.bus, late_ns), 0);
	retry_again(&device.retry, late_ns);
	cr_assert_eq(device.tries, 1);
	cr_assert_eq(cue_bus_next_deadline(f.bus), late_ns + 2 * CUE_NS_PER_S);
	retry_stop(&device.retry);
	cr_assert_eq(cue_bus_next_deadline(f.bus), CUE_TIME_NONE);
	retry_clear(&device.retry);
	fixture_close(&f);
}
