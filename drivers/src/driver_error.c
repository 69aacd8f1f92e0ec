/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "drivers_internal.h"

int driver_fail(char *error, int r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, DRIVER_ERROR_SIZE, format, ap);
	va_end(ap);
	return r;
}
