/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file config_fixture.h
 * @brief What loading a configuration gave. Not thread-safe.
 */
#ifndef CUEBUS_CONFIG_FIXTURE_H
#define CUEBUS_CONFIG_FIXTURE_H

#include <string.h>

#include "config.h"

struct loaded {
	struct diag diag;
	struct config *config;
	int r;
};

static inline struct loaded load(const char *text)
{
	struct loaded l = { 0 };

	l.r = config_load_text("t", text, strlen(text), &l.diag, &l.config);
	return l;
}

static inline void release(struct loaded *l)
{
	l->config = config_free(l->config);
	diag_clear(&l->diag);
}

#endif
