/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

int verb_define(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	_cleanup_(freep) char *uuid = NULL;
	int r;

	r = client_make(c, "Define", args->type ? args->type : cli_default_type(args->parent),
			args, &uuid, &plan);
	if (r < 0)
		return client_complain(c, "define", r);

	if (args->given & CLI_DRY_RUN)
		print_plan(plan);
	else
		puts(uuid);
	return API_EXIT_OK;
}
