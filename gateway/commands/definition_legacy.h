/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file definition_legacy.h
 * @brief Reads `definitions.json`, the file of all definitions made by command up to version 0.1.
 *
 * `{"version":1,"playlists":{name:text},"gestures":{name:text}}`, each definition as JSON in a
 * string. It is read entry by entry, so that its size does not matter and the entries before damage
 * are found.
 */
#ifndef CUEBUS_DEFINITION_LEGACY_H
#define CUEBUS_DEFINITION_LEGACY_H

#include <stdint.h>
#include <stdio.h>

#include "definition_file.h"

/** Bytes of the file that are read at most. */
#define DEFINITION_LEGACY_BYTES_MAX (256U * 1024U * 1024U)

/**
 * Read the file.
 * @param max_bytes of one definition; a longer one is skipped.
 * @param visit     the text is valid during the call; its definition may not be JSON. A non-zero
 *                  result stops and is returned.
 * @param too_long  called with the name (NULL: too long itself) of a skipped entry.
 * @return 0 read to its end; -EBADMSG damaged after the last visited entry; -EFBIG;
 *         -EPROTONOSUPPORT another version; -EIO; -ENOMEM.
 */
int definition_legacy_read(FILE *file, uint64_t max_bytes,
                           int (*visit)(void *user, const struct definition_text *text),
                           void (*too_long)(void *user, enum definition_kind kind,
                                            const char *name),
                           void *user);

#endif
