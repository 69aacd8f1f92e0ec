/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_internal.h"

const struct outbox_boot *outbox_boot(struct outbox *outbox, const char *id)
{
	struct outbox_boot *boot;

	for (boot = outbox->boots; boot; boot = boot->next) {
		if (strcmp(boot->id, id) == 0)
			return boot;
	}
	boot = calloc(1, sizeof(*boot));
	if (!boot)
		return NULL;
	snprintf(boot->id, sizeof(boot->id), "%s", id);
	boot->next = outbox->boots;
	outbox->boots = boot;
	return boot;
}
