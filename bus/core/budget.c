/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_internal.h"

bool cue_budget_take(struct cue_budget *budget)
{
	if (budget->steps == 0 || (budget->is_over && budget->is_over(budget->user))) {
		budget->steps = 0;
		return false;
	}
	budget->steps--;
	return true;
}
