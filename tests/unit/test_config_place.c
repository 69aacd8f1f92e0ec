/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <string.h>

#include "config.h"
#include "diag.h"

static const char text[] =
        "{ \"version\": 1,\n"
        "  \"gateway\": {\n"
        "    \"id\": \"porch\" },\n"
        "  \"inputs\": { \"bell\": { \"driver\": \"sim\", \"kind\": \"button\",\n"
        "    \"event\": \"bell.press\" } } }\n";

static struct config *load(void)
{
	struct config *config = NULL;
	struct diag diag = { 0 };

	cr_assert_eq(config_load_text("porch.json", text, strlen(text), &diag, &config), 0);
	diag_clear(&diag);
	return config;
}

static void is_at(const struct config *config, const char *path, unsigned line, unsigned column)
{
	struct config_place place = config_place_of(config, path);

	cr_assert_str_eq(place.file, "porch.json");
	cr_assert_eq(place.line, line, "%s: line %u", path, place.line);
	cr_assert_eq(place.column, column, "%s: column %u", path, place.column);
}

Test(config_place, of_what_is_there)
{
	struct config *config = load();

	is_at(config, "", 1, 1);
	is_at(config, "/gateway", 2, 14);
	is_at(config, "/gateway/id", 3, 11);
	is_at(config, "/inputs/bell", 4, 23);
	is_at(config, "/inputs/bell/event", 5, 14);
	config_free(config);
}

Test(config_place, of_what_is_not_there_the_object_around_it)
{
	struct config *config = load();

	is_at(config, "/gateway/state_dir", 2, 14);
	is_at(config, "/gateway/i", 2, 14);
	is_at(config, "/gateway/id/x", 3, 11);
	is_at(config, "/mqtt/url", 1, 1);
	is_at(config, "/", 1, 1);
	config_free(config);
}
