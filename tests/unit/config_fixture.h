/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_fixture.h
 * @brief What loading a configuration gave. Not thread-safe.
 */
#ifndef CUEBUS_CONFIG_FIXTURE_H
#define CUEBUS_CONFIG_FIXTURE_H

#include "config.h"

struct loaded {
	struct diag diag;
	struct config *config;
	int r;
};

static inline void release(struct loaded *l)
{
	l->config = config_free(l->config);
	diag_clear(&l->diag);
}

#endif
