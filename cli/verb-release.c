/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

int verb_release(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	int r;

	r = cli_act(c, "Release", args->words[0], args, &plan);
	if (r < 0)
		return client_complain(c, "release", r);

	if (args->given & CLI_DRY_RUN)
		print_plan(plan);
	return API_EXIT_OK;
}
