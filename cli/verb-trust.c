/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

static int run(struct client *c, const struct cli_args *args, const char *verb, const char *method)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	int r;

	r = client_act(c, method, args->words[0], args, &plan);
	if (r < 0)
		return client_complain(c, verb, r);

	if (args->given & CLI_DRY_RUN)
		print_plan(plan);
	return API_EXIT_OK;
}

int verb_trust(struct client *c, const struct cli_args *args)
{
	return run(c, args, "trust", "AllowUnsafe");
}

int verb_distrust(struct client *c, const struct cli_args *args)
{
	return run(c, args, "distrust", "ForbidUnsafe");
}
