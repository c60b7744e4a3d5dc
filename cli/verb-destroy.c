/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

static int destroy(struct client *c, const char *uuid, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	int r;

	r = client_destroy(c, uuid, args, &plan);
	if (r < 0)
		return client_complain(c, "destroy", r);

	if (args->given & CLI_DRY_RUN)
		print_plan(plan);
	return API_EXIT_OK;
}

/* Tries each UUID, whatever became of the ones before; the status is that of the first failure. */
int verb_destroy(struct client *c, const struct cli_args *args)
{
	int i, status, first = API_EXIT_OK;

	for (i = 0; i < args->n_words; i++) {
		status = destroy(c, args->words[i], args);
		if (first == API_EXIT_OK)
			first = status;
	}

	return first;
}
