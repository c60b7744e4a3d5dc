/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

const char *cli_default_type(const char *parent)
{
	return parent && !strncmp(parent, "iax", 3) ? "idxd-iax-1dwq-v1" : "idxd-dsa-1dwq-v1";
}

int verb_create(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	_cleanup_(freep) char *uuid = NULL;
	int r;

	r = client_make(c, "CreateMdev", args->type ? args->type : cli_default_type(args->parent),
			args, &uuid, &plan);
	if (r < 0)
		return client_complain(c, "create", r);

	if (args->given & CLI_DRY_RUN)
		print_plan(plan);
	else
		puts(uuid);
	return API_EXIT_OK;
}
