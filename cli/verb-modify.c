/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to one definition, or to each of several. */
#include "cli/cli.h"

int verb_modify(struct client *c, const struct cli_args *args)
{
	return cli_each_uuid(c, args, "modify", "Modify");
}

int verb_undefine(struct client *c, const struct cli_args *args)
{
	return cli_each_uuid(c, args, "undefine", "Undefine");
}

int verb_stop(struct client *c, const struct cli_args *args)
{
	return cli_each_uuid(c, args, "stop", "Stop");
}
