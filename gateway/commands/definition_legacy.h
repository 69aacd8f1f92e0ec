/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file definition_legacy.h
 * @brief Reads `definitions.json`, in which all definitions made by command were
 *        kept up to version 0.1.
 *
 * `{"version":1,"playlists":{name:text},"gestures":{name:text}}`, each
 * definition as JSON in a string. It is read entry by entry, so that its size
 * does not matter and what precedes damage is found.
 */
#ifndef CUEBUS_DEFINITION_LEGACY_H
#define CUEBUS_DEFINITION_LEGACY_H

#include <stdint.h>
#include <stdio.h>

#include "definition_file.h"

/** Bytes of the file that are looked at. */
#define DEFINITION_LEGACY_BYTES_MAX (256U * 1024U * 1024U)

/**
 * @param max_bytes of one definition; a longer one is passed over.
 * @param visit     the text is valid during the call; its definition may be no JSON. Non-zero
 *                  stops and is returned.
 * @param too_long  told the name (NULL: that was too long) of an entry that is passed over.
 * @return 0 read to its end; -EBADMSG damaged behind the last entry that was visited; -EFBIG;
 *         -EPROTONOSUPPORT another version; -EIO; -ENOMEM.
 */
int definition_legacy_read(FILE *file, uint64_t max_bytes,
                           int (*visit)(void *user, const struct definition_text *text),
                           void (*too_long)(void *user, enum definition_kind kind,
                                            const char *name),
                           void *user);

#endif
