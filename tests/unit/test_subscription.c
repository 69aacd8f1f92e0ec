/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "bus_fixture.h"
#include "cue_criterion.h"

struct sub {
	struct fixture *f;
	const char *name;
	struct cue_subscription *subscription;
	struct sub *cancels;    /* cancelled by this one's handler */
	struct sub *subscribes; /* subscribed by this one's handler, to the same type */
	int result;
	unsigned destroyed;
};

static int on_event(void *user, struct cue_bus *bus, const struct cue_event *event)
{
	struct sub *s = user;
	char text[200];

	snprintf(text, sizeof(text), "%s:%s", s->name, cue_event_type_name(event));
	fixture_log(s->f, text);
	cr_assert_eq(s->destroyed, 0U);
	if (s->cancels && s->cancels->subscription) {
		s->cancels->subscription = cue_subscription_cancel(s->cancels->subscription);
		cr_assert_eq(s->cancels == s ? s->destroyed : 0, 0U); /* not while it runs */
	}
	if (s->subscribes && !s->subscribes->subscription)
		cr_assert_eq(cue_bus_subscribe(bus,
		                               &(struct cue_subscription_config){
		                                       .type = cue_event_type_name(event),
		                                       .handler = on_event,
		                                       .user = s->subscribes,
		                                       .priority = 99 },
		                               &s->subscribes->subscription),
		             0);
	return s->result;
}

static void on_destroy(void *user)
{
	((struct sub *)user)->destroyed++;
}

static void subscribe(struct fixture *f, struct sub *s, const char *name, const char *type,
                      int priority)
{
	*s = (struct sub){ .f = f, .name = name };
	cr_assert_eq(cue_bus_subscribe(f->bus,
	                               &(struct cue_subscription_config){ .type = type,
	                                                                  .priority = priority,
	                                                                  .handler = on_event,
	                                                                  .destroy = on_destroy,
	                                                                  .user = s,
	                                                                  .name = name },
	                               &s->subscription),
	             0);
}

Test(subscription, priority_then_order_with_wildcards_in_the_same_order)
{
	struct fixture f;
	struct sub a, b, c, d, e;

	fixture_open(&f, NULL);
	subscribe(&f, &a, "a", "x.y", 0);
	subscribe(&f, &b, "b", "*", 0);
	subscribe(&f, &c, "c", "x.*", 5);
	subscribe(&f, &d, "d", "x.y", 0);
	subscribe(&f, &e, "e", "x.y.*", 9);
	fixture_emit(&f, "x.y");
	cr_assert_str_eq(f.log, "c:x.y a:x.y b:x.y d:x.y");
	f.log[0] = '\0';
	fixture_emit(&f, "x.y.z");
	cr_assert_str_eq(f.log, "e:x.y.z c:x.y.z b:x.y.z");
	fixture_close(&f);
	cr_assert_eq(a.destroyed + b.destroyed + c.destroyed + d.destroyed + e.destroyed, 5U);
}

Test(subscription, a_failing_handler_does_not_stop_the_others)
{
	struct fixture f;
	struct sub a, b;
	struct cue_bus_stats stats;

	fixture_open(&f, NULL);
	subscribe(&f, &a, "a", "x", 1);
	subscribe(&f, &b, "b", "x", 0);
	a.result = -EIO;
	fixture_emit(&f, "x");
	cr_assert_str_eq(f.log, "a:x b:x");
	cue_bus_get_stats(f.bus, &stats);
	cr_assert_eq(stats.handler_failures, 1U);
	cr_assert_eq(f.reports[CUE_REPORT_HANDLER_FAILED], 1U);
	fixture_close(&f);
}

Test(subscription, cancelled_inside_a_handler_is_not_called_any_more)
{
	struct fixture f;
	struct sub a, b, c;

	fixture_open(&f, NULL);
	subscribe(&f, &a, "a", "x", 2);
	subscribe(&f, &b, "b", "x", 1);
	subscribe(&f, &c, "c", "x", 0);
	a.cancels = &b;
	c.cancels = &c;
	fixture_emit(&f, "x");
	cr_assert_str_eq(f.log, "a:x c:x");
	cr_assert_eq(b.destroyed, 1U);
	cr_assert_eq(c.destroyed, 1U);
	fixture_emit(&f, "x");
	cr_assert_str_eq(f.log, "a:x c:x a:x");
	fixture_close(&f);
}

Test(subscription, made_inside_a_handler_begins_with_the_next_event)
{
	struct fixture f;
	struct sub a, b;

	fixture_open(&f, NULL);
	subscribe(&f, &a, "a", "x", 0);
	b = (struct sub){ .f = &f, .name = "b" };
	a.subscribes = &b;
	fixture_emit(&f, "x");
	fixture_emit(&f, "x");
	cr_assert_str_eq(f.log, "a:x b:x a:x");
	fixture_close(&f);
}

Test(subscription, bad_patterns_are_refused_and_own_nothing)
{
	struct fixture f;
	struct sub s = { 0 };
	static const char *const bad[] = { "", "X", "*.x", "x.*.y", ".*", "x*" };

	fixture_open(&f, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(
		        cue_bus_subscribe(f.bus,
		                          &(struct cue_subscription_config){ .type = bad[i],
		                                                             .handler = on_event,
		                                                             .destroy = on_destroy,
		                                                             .user = &s },
		                          &s.subscription),
		        -EINVAL);
	cr_assert_eq(s.destroyed, 0U);
	fixture_close(&f);
}
