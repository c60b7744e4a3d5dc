/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

int verb_types(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_list_done) struct client_list types = { .class = &client_type_class };
	int r;

	r = client_refresh(c);
	if (r < 0)
		return client_complain(c, "types", r);
	r = client_get_types(c, &types);
	if (r < 0)
		return client_complain(c, "types", r);

	if (args->given & CLI_JSON) {
		r = print_list_json("types", &types);
		return r < 0 ? client_complain(c, "types", r) : API_EXIT_OK;
	}

	if (!types.n)
		fprintf(stderr, "idxdctl: no accelerator offers a type; is idxd_mdev loaded?\n");
	print_types(&types);
	return API_EXIT_OK;
}
