# SPDX-License-Identifier: Apache-2.0
"""Time limits of tests: safety nets for what never ends, and no measure of speed. Each is
the limit of a machine with nothing else to do, times CUEBUS_SLOW (at least 1). What ctest
itself allows a test scales in the same way (TimeLimits.cmake)."""

import os

SLOW = max(1.0, float(os.environ.get("CUEBUS_SLOW") or 1))


def limit_s(seconds):
    return seconds * SLOW
