/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

/* What will be done to whom, before it is. */
static int warn(struct client *c, const char *method, const char *word, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	struct cli_args dry = *args;
	int r;

	if (!(args->given & CLI_FORCE) || (args->given & CLI_DRY_RUN))
		return 0;
	dry.given |= CLI_DRY_RUN;
	r = client_act(c, method, word, &dry, &plan);
	for (char **line = plan; r >= 0 && *line; line++)
		fprintf(stderr, "idxdctl: %s\n", *line);
	return r;
}

int cli_act(struct client *c, const char *method, const char *word, const struct cli_args *args,
	    char ***ret_plan)
{
	int waited = 0, r = warn(c, method, word, args);

	if (r < 0)
		return r;
	do {
		r = client_act(c, method, word, args, ret_plan);
		if (r >= 0 || !(args->given & CLI_WAIT) || !client_is_in_use(c))
			return r;
		if (!waited++)
			fprintf(stderr, "idxdctl: waiting until %s is no longer in use\n", word);
		r = client_wait(c);
	} while (r >= 0);
	return r;
}

static int act(struct client *c, const char *uuid, const struct cli_args *args, const char *verb,
	       const char *method)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	int r;

	r = cli_act(c, method, uuid, args, &plan);
	if (r < 0)
		return client_complain(c, verb, r);

	if (args->given & CLI_DRY_RUN)
		print_plan(plan);
	return API_EXIT_OK;
}

int cli_each_uuid(struct client *c, const struct cli_args *args, const char *verb,
		  const char *method)
{
	int i, status, first = API_EXIT_OK;

	for (i = 0; i < args->n_words; i++) {
		status = act(c, args->words[i], args, verb, method);
		if (first == API_EXIT_OK)
			first = status;
	}

	return first;
}

/* Says whom it waited for. */
int verb_drain(struct client *c, const struct cli_args *args)
{
	return cli_each_uuid(c, args, "drain", "Drain");
}

int verb_destroy(struct client *c, const struct cli_args *args)
{
	return cli_each_uuid(c, args, "destroy", "DestroyMdev");
}
