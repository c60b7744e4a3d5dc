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

/* The words of systemctl for an option of modify. */
int verb_enable(struct client *c, const struct cli_args *args)
{
	struct cli_args on = *args;

	on.given |= CLI_AUTO;
	return cli_each_uuid(c, &on, "enable", "Modify");
}

int verb_disable(struct client *c, const struct cli_args *args)
{
	struct cli_args off = *args;

	off.given |= CLI_MANUAL;
	return cli_each_uuid(c, &off, "disable", "Modify");
}
