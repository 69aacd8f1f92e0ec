/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_file.h"

#include <cuebus/fnv.h>
#include <cuebus/payload.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC       "cuebus-definition "
#define HEADER_SIZE DEFINITION_FILE_OVERHEAD
#define SUM_DIGITS  16U

static const char *const kind_names[] = { "playlist", "gesture" };

const char *definition_kind_name(enum definition_kind kind)
{
	return kind_names[kind];
}

/** Write the part of the first line after the checksum. */
static int write_tail(const struct definition_text *text, char tail[HEADER_SIZE])
{
	return snprintf(tail, HEADER_SIZE, " %s %zu %zu\n", kind_names[text->kind], text->name_len,
	                text->json_len);
}

uint64_t definition_file_size(const struct definition_text *text)
{
	char tail[HEADER_SIZE];

	return strlen(MAGIC "1 ") + SUM_DIGITS + (uint64_t)write_tail(text, tail) + text->name_len +
	       1 + text->json_len + 1;
}

static char *append(char *p, const char *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

int definition_file_encode(const struct definition_text *text, char **ret_bytes, size_t *ret_len)
{
	size_t size = (size_t)definition_file_size(text);
	const size_t head = strlen(MAGIC "1 ");
	char tail[HEADER_SIZE], sum[SUM_DIGITS + 1];
	char *bytes = malloc(size), *p;

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, MAGIC "1 ", head);
	p = append(bytes + head + SUM_DIGITS, tail, (size_t)write_tail(text, tail));
	p = append(p, text->name, text->name_len);
	*p++ = '\n';
	p = append(p, text->json, text->json_len);
	*p++ = '\n';
	snprintf(sum, sizeof(sum), "%016" PRIx64,
	         cue_fnv(CUE_FNV_BEGIN, bytes + head + SUM_DIGITS, size - head - SUM_DIGITS));
	memcpy(bytes + head, sum, SUM_DIGITS);
	*ret_bytes = bytes;
	*ret_len = size;
	return 0;
}

/* ---- reading ---- */

static int read_header(const char *line, struct definition_text *text, uint64_t *ret_sum)
{
	unsigned long long name_len, json_len;
	char kind[16], format[16], sum[SUM_DIGITS + 1];
	int end = 0;

	if (strncmp(line, MAGIC, strlen(MAGIC)) != 0 || sscanf(line, MAGIC "%15[0-9]", format) != 1)
		return -EBADMSG;
	if (strcmp(format, "1") != 0)
		return -EPROTONOSUPPORT;
	/* NOLINTNEXTLINE(cert-err34-c): 15 digits always fit */
	if (sscanf(line, MAGIC "1 %16[0-9a-f] %15[a-z] %15llu %15llu%n", sum, kind, &name_len,
	           &json_len, &end) != 4 ||
	    strlen(sum) != SUM_DIGITS || line[end] != '\0')
		return -EBADMSG;
	if (strcmp(kind, kind_names[DEFINITION_PLAYLIST]) == 0)
		text->kind = DEFINITION_PLAYLIST;
	else if (strcmp(kind, kind_names[DEFINITION_GESTURE]) == 0)
		text->kind = DEFINITION_GESTURE;
	else
		return -EBADMSG;
	*ret_sum = strtoull(sum, NULL, 16);
	text->name_len = (size_t)name_len;
	text->json_len = (size_t)json_len;
	return 0;
}

int definition_file_decode(const char *bytes, size_t len, struct definition_text *ret_text)
{
	const char *end = len ? memchr(bytes, '\n', len < HEADER_SIZE ? len : HEADER_SIZE) : NULL;
	const size_t head = strlen(MAGIC "1 ") + SUM_DIGITS;
	struct definition_text text;
	char line[HEADER_SIZE + 1];
	uint64_t sum;
	int r;

	if (!end)
		return -EBADMSG;
	memcpy(line, bytes, (size_t)(end - bytes));
	line[end - bytes] = '\0';
	r = read_header(line, &text, &sum);
	if (r < 0)
		return r;
	if (text.name_len == 0 || text.name_len > DEFINITION_NAME_BYTES_MAX ||
	    text.json_len > len ||
	    (size_t)(end + 1 - bytes) + text.name_len + 1 + text.json_len + 1 != len ||
	    definition_file_size(&text) != len ||
	    cue_fnv(CUE_FNV_BEGIN, bytes + head, len - head) != sum)
		return -EBADMSG;
	text.name = end + 1;
	text.json = text.name + text.name_len + 1;
	if (text.name[text.name_len] != '\n' || text.json[text.json_len] != '\n' ||
	    memchr(text.name, '\0', text.name_len))
		return -EBADMSG;
	r = cue_json_validate(text.json, text.json_len, CUE_JSON_DEPTH_MAX, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	*ret_text = text;
	return 0;
}
