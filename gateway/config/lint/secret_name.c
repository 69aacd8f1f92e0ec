/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_name.h"

#include <string.h>
#include <strings.h>

#define LEN(array) (sizeof(array) / sizeof(*(array)))

/** Too short to be searched inside other words: KEYBOARD is not a secret. */
static const char *const words[] = { "PW",  "PWD", "PASS", "KEY",  "KEYS",
	                             "PIN", "PSK", "AUTH", "CRED", "CREDS" };

static const char *const parts[] = { "PASSWORD", "PASSWD",     "PASSPHRASE", "SECRET",
	                             "TOKEN",    "CREDENTIAL", "APIKEY",     "PRIVATE" };

static bool is_word(const char *word, size_t len)
{
	for (size_t i = 0; i < LEN(words); i++) {
		if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
			return true;
	}
	return false;
}

static bool has_part(const char *name, size_t len)
{
	for (size_t at = 0; at < len; at++) {
		for (size_t i = 0; i < LEN(parts); i++) {
			size_t n = strlen(parts[i]);

			if (n <= len - at && strncasecmp(name + at, parts[i], n) == 0)
				return true;
		}
	}
	return false;
}

bool secret_name_is_one(const char *name, size_t len)
{
	size_t word = 0;

	for (size_t at = 0; at <= len; at++) {
		if (at < len && name[at] != '_')
			continue;
		if (is_word(name + word, at - word))
			return true;
		word = at + 1;
	}
	return has_part(name, len);
}
