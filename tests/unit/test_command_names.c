/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cue_criterion.h"

#include "command_names.h"

Test(command_names, each_has_its_own)
{
	for (unsigned i = 0; i < COMMAND_NAMES; i++) {
		const char *name = command_name_text((enum command_name)i);

		cr_assert_not_null(name, "%u", i);
		for (unsigned j = 0; j < i; j++)
			cr_assert_str_neq(name, command_name_text((enum command_name)j));
	}
}

Test(command_names, are_topics_below_cmd)
{
	for (unsigned i = 0; i < COMMAND_NAMES; i++) {
		const char *name = command_name_text((enum command_name)i);

		cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz/"), strlen(name), "%s", name);
		cr_assert_neq(name[0], '/');
	}
	cr_assert_str_eq(command_name_text(COMMAND_NAME_PLAYLIST_START), "playlist/start");
	cr_assert_str_eq(command_name_text(COMMAND_NAME_PING), "ping");
}
