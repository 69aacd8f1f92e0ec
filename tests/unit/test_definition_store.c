/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cue_criterion.h"

static char dir[64];
static char file[128];

static void make_dir(void)
{
	strcpy(dir, "/tmp/cuebus-store-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/definitions.json", dir);
}

static void remove_dir(void)
{
	unlink(file);
	rmdir(dir);
}

static void put(struct definition_store *store, enum definition_kind kind, const char *name,
                const char *json)
{
	struct cue_payload *payload;

	cr_assert_eq(cue_payload_new(json, strlen(json), 0, &payload, NULL), 0);
	cr_assert_eq(definition_store_put(store, kind, name, payload), 0);
	cue_payload_unref(payload);
}

static int join(void *user, const char *name, struct cue_payload *definition)
{
	char *text = user;
	size_t used = strlen(text);

	snprintf(text + used, 500 - used, "%s=%s;", name, cue_payload_bytes(definition, NULL));
	return 0;
}

Test(definition_store, comes_back_with_its_spelling)
{
	struct definition_store *store;
	char error[512] = "", text[500] = "";

	make_dir();
	cr_assert_eq(definition_store_new(dir, NULL, NULL, &store, error), 0);
	put(store, DEFINITION_PLAYLIST, "b", "{\"x\":1.50}");
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	put(store, DEFINITION_PLAYLIST, "b", "{\"x\":12345678901234567890}");
	put(store, DEFINITION_GESTURE, "g\"", "{\"s\":\"\\n\"}");
	put(store, DEFINITION_GESTURE, "gone", "{}");
	cr_assert_eq(definition_store_remove(store, DEFINITION_GESTURE, "gone"), 0);
	cr_assert_eq(definition_store_remove(store, DEFINITION_GESTURE, "gone"), -ENOENT);
	cr_assert_eq(definition_store_flush(store), 0);
	definition_store_free(store);

	cr_assert_eq(definition_store_new(dir, NULL, NULL, &store, error), 0);
	definition_store_foreach(store, DEFINITION_PLAYLIST, join, text);
	definition_store_foreach(store, DEFINITION_GESTURE, join, text);
	cr_assert_str_eq(text, "a={};b={\"x\":12345678901234567890};g\"={\"s\":\"\\n\"};");
	cr_assert(definition_store_has(store, DEFINITION_PLAYLIST, "a"));
	cr_assert(!definition_store_has(store, DEFINITION_GESTURE, "a"));
	definition_store_free(store);
	remove_dir();
}

Test(definition_store, a_file_of_others_is_left_as_it_is)
{
	struct definition_store *store = NULL;
	char error[512] = "", content[32] = "";
	FILE *f;

	make_dir();
	f = fopen(file, "w");
	cr_assert_not_null(f);
	fputs("{\"playlists\":[]}", f);
	fclose(f);
	cr_assert_eq(definition_store_new(dir, NULL, NULL, &store, error), -EBADMSG);
	cr_assert_null(store);
	cr_assert_not_null(strstr(error, file));
	f = fopen(file, "r");
	cr_assert_not_null(f);
	cr_assert_not_null(fgets(content, sizeof(content), f));
	fclose(f);
	cr_assert_str_eq(content, "{\"playlists\":[]}");
	remove_dir();
}

Test(definition_store, a_write_that_fails_is_said)
{
	struct definition_store *store;
	char error[512] = "";

	make_dir();
	cr_assert_eq(definition_store_new(dir, NULL, NULL, &store, error), 0);
	cr_assert_eq(rmdir(dir), 0);
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	cr_assert_eq(definition_store_flush(store), -ENOENT);
	cr_assert_eq(definition_store_error(store), -ENOENT);
	cr_assert_eq(mkdir(dir, 0700), 0);
	put(store, DEFINITION_PLAYLIST, "b", "{}");
	cr_assert_eq(definition_store_flush(store), 0);
	definition_store_free(store);
	remove_dir();
}

Test(definition_store, without_a_directory_it_is_in_memory)
{
	struct definition_store *store;
	char error[512] = "";

	cr_assert_eq(definition_store_new(NULL, NULL, NULL, &store, error), 0);
	put(store, DEFINITION_PLAYLIST, "a", "{}");
	cr_assert_eq(definition_store_flush(store), 0);
	cr_assert(definition_store_has(store, DEFINITION_PLAYLIST, "a"));
	definition_store_free(store);
}
