# SPDX-License-Identifier: Apache-2.0
"""Time limits of tests: safety nets against hangs, not a measure of speed. Each is the limit on an
idle machine times CUEBUS_SLOW (at least 1). ctest's own limits scale the same way
(TimeLimits.cmake)."""

import os

SLOW = max(1.0, float(os.environ.get("CUEBUS_SLOW") or 1))


def limit_s(seconds):
    return seconds * SLOW
