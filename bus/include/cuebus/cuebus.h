/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cuebus.h
 * @brief libcuebus: the whole public API.
 */
#ifndef CUEBUS_CUEBUS_H
#define CUEBUS_CUEBUS_H

#include <cuebus/bus.h>
#include <cuebus/event.h>
#include <cuebus/fnv.h>
#include <cuebus/gesture.h>
#include <cuebus/json.h>
#include <cuebus/json_writer.h>
#include <cuebus/match.h>
#include <cuebus/payload.h>
#include <cuebus/playlist.h>
#include <cuebus/pointer.h>
#include <cuebus/timer.h>
#include <cuebus/utf8.h>

#endif
