/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the work queues are, and who has them. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

int verb_capacity(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_list_done) struct client_list l = { .class = &client_capacity_class };
	int r;

	r = client_refresh(c);
	if (r >= 0)
		r = client_get_capacity(c, &l);
	if (r >= 0 && (args->given & CLI_JSON))
		r = print_list_json("capacity", &l);
	else if (r >= 0)
		print_capacity(&l);
	return r < 0 ? client_complain(c, "capacity", r) : API_EXIT_OK;
}

int verb_holders(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_list_done) struct client_list l = { .class = &client_holder_class };
	int r;

	r = client_get_holders(c, args->n_words ? args->words[0] : "", &l);
	if (r >= 0 && (args->given & CLI_JSON))
		r = print_list_json("holders", &l);
	else if (r >= 0)
		print_holders(&l);
	return r < 0 ? client_complain(c, "holders", r) : API_EXIT_OK;
}

/* All the mdevs of a queue that several share. */
static int print_sharers(struct client *c, const char *wq)
{
	_cleanup_(client_snapshot_done) struct client_snapshot s = { 0 };
	const struct client_mdev *d;
	int r = client_get_snapshot(c, &s);
	size_t n = 0;

	d = s.mdevs.items;
	for (size_t i = 0; i < s.mdevs.n && r >= 0; i++)
		n += !strcmp(client_snapshot_name(&s, d[i].work_queue), wq);
	for (size_t i = 0; i < s.mdevs.n && n > 1; i++)
		if (!strcmp(client_snapshot_name(&s, d[i].work_queue), wq))
			printf("  mdev %s  %s  %s  %s\n", d[i].uuid, d[i].type, d[i].state, d[i].holder);
	return r;
}

int verb_why(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_list_done) struct client_list l = { .class = &client_holder_class };
	_cleanup_(client_reason_done) struct client_reason why = { 0 };
	const char *wq = args->words[0];
	int r;

	r = client_refresh(c);
	if (r >= 0)
		r = client_explain(c, wq, &why);
	if (r < 0)
		return client_complain(c, "why", r);

	printf("%s is %s: %s\n", wq, why.class, *why.reason ? why.reason : "an mdev can have it");
	if (*why.remedy)
		printf("to free it: %s\n", why.remedy);
	r = print_sharers(c, wq);
	if (r < 0)
		return client_complain(c, "why", r);
	/* Who may not see the holders still gets the rest. */
	r = client_get_holders(c, wq, &l);
	if (r < 0)
		return client_complain(c, "why", r);
	print_holders(&l);
	return API_EXIT_OK;
}
