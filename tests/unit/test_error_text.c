/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <errno.h>

#include "error_text.h"

Test(error_text, limits_of_the_bus_are_named)
{
	cr_assert_str_eq(error_text(-ELOOP, NULL), "limits.cascade_depth is reached");
	cr_assert_str_eq(error_text(-ENOBUFS, "not this"), "limits.queue_events is reached");
	cr_assert_str_eq(error_text(-ENOSPC, NULL), "a limit of the gateway is reached");
	cr_assert_str_eq(error_text(-ENOSPC, "limits.x is reached"), "limits.x is reached");
	cr_assert_str_eq(error_text(-ENOMEM, "not this"), "Cannot allocate memory");
	cr_assert_str_eq(error_text(-100000, NULL), "unknown error");
}

Test(error_text, a_report_names_the_limit_that_was_reached)
{
	cr_assert_null(error_text_report(CUE_REPORT_HANDLER_FAILED, 0));
	cr_assert_str_eq(error_text_report(CUE_REPORT_STATE_FULL, -ENOSPC),
	                 "limits.state_entries is reached");
	cr_assert_str_eq(error_text_report(CUE_REPORT_STATE_FULL, -EDQUOT),
	                 "limits.state_bytes is reached");
	cr_assert_str_eq(error_text_report(CUE_REPORT_QUEUE_FULL, -ENOBUFS),
	                 "limits.queue_events is reached");
	cr_assert_str_eq(error_text_report(CUE_REPORT_QUEUE_FULL, -EDQUOT),
	                 "limits.queue_bytes is reached");
	cr_assert_str_eq(error_text_report(CUE_REPORT_TYPES_FULL, -ENOSPC),
	                 "limits.event_types is reached");
}
