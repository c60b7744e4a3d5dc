/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

static int start(struct client *c, const char *uuid, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	_cleanup_(freep) char *same = NULL;
	int r;

	r = client_make(c, "Start", uuid, args, &same, &plan);
	if (r < 0)
		return client_complain(c, "start", r);

	if (args->given & CLI_DRY_RUN)
		print_plan(plan);
	return API_EXIT_OK;
}

int verb_start(struct client *c, const struct cli_args *args)
{
	int i, status, first = API_EXIT_OK;

	for (i = 0; i < args->n_words; i++) {
		status = start(c, args->words[i], args);
		if (first == API_EXIT_OK)
			first = status;
	}

	return first;
}
