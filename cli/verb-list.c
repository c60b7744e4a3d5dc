/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

int verb_list(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_snapshot_done) struct client_snapshot s = { 0 };
	int r;

	r = client_refresh(c);
	if (r < 0)
		return client_complain(c, "list", r);
	r = client_get_snapshot(c, &s);
	if (r < 0)
		return client_complain(c, "list", r);

	if (args->given & CLI_JSON) {
		r = print_tree_json(&s);
		return r < 0 ? client_complain(c, "list", r) : API_EXIT_OK;
	}

	if (!s.accelerators.n)
		fprintf(stderr, "idxdctl: no DSA or IAA accelerator is bound to the idxd driver\n");
	print_tree(&s, args->given & CLI_WIDE);
	return API_EXIT_OK;
}
