/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a host as one document. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

/* "-" is standard input. */
static int read_document(const char *name, char **ret)
{
	_cleanup_(fclosep) FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
	_cleanup_(freep) char *text = malloc(API_DOCUMENT_MAX + 2);
	size_t n;

	if (!text)
		return -ENOMEM;
	if (!f)
		return -errno;
	n = fread(text, 1, API_DOCUMENT_MAX + 1, f);
	if (ferror(f))
		return -EIO;
	if (n > API_DOCUMENT_MAX)
		return -EFBIG;
	text[n] = '\0';
	if (strlen(text) != n)
		return -EBADMSG;
	*ret = TAKE(text);
	return 0;
}

static int act(struct client *c, const struct cli_args *args, const char *verb, char ***ret_plan)
{
	_cleanup_(freep) char *document = NULL;
	int r;

	r = read_document(args->words[0], &document);
	if (r < 0) {
		fprintf(stderr, "idxdctl: %s: %s: %s\n", verb, args->words[0], strerror(-r));
		return API_EXIT_USAGE;
	}
	r = client_act(c, "Apply", document, args, ret_plan);
	return r < 0 ? client_complain(c, verb, r) : API_EXIT_OK;
}

int verb_apply(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	int status = act(c, args, "apply", &plan);

	print_plan(plan);
	return status;
}

int verb_plan(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	struct cli_args dry = *args;
	int status;

	dry.given |= CLI_DRY_RUN;
	status = act(c, &dry, "plan", &plan);
	print_plan(plan);
	return status;
}

int verb_cancel(struct client *c, const struct cli_args *args)
{
	int r = client_cancel_apply(c);

	return r < 0 ? client_complain(c, "cancel", r) : API_EXIT_OK;
}

/* What apply would do, and whether that is nothing. */
int verb_assert(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_plan_freep) char **plan = NULL;
	struct cli_args dry = *args;
	int status;

	dry.given |= CLI_DRY_RUN;
	status = act(c, &dry, "assert", &plan);
	if (status != API_EXIT_OK)
		return status;
	print_plan(plan);
	return plan && *plan ? API_EXIT_FAILURE : API_EXIT_OK;
}

int verb_export(struct client *c, const struct cli_args *args)
{
	_cleanup_(freep) char *document = NULL;
	int r;

	r = client_refresh(c);
	if (r >= 0)
		r = client_export(c, &document);
	if (r < 0)
		return client_complain(c, "export", r);
	fputs(document, stdout);
	return API_EXIT_OK;
}
