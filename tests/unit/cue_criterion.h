/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cue_criterion.h
 * @brief Criterion, or a stand-in for the part we use (CUE_OWN_RUNNER).
 *
 * Criterion 2.4 starts test processes in a way that fails under TSan (a crash before main) and
 * qemu-user. The stand-in, cue_runner.h, forks. Every unit test includes this header and uses only
 * these macros.
 */
#ifndef CUE_CRITERION_H
#define CUE_CRITERION_H

#ifndef CUE_OWN_RUNNER
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <criterion/criterion.h>
#pragma GCC diagnostic pop
#else
#include "cue_runner.h"
#endif
#endif
