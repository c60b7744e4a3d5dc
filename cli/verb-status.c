/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

int verb_status(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_manager_done) struct client_manager m = { 0 };
	_cleanup_(client_snapshot_done) struct client_snapshot s = { 0 };
	int r;

	r = client_refresh(c);
	if (r < 0)
		return client_complain(c, "status", r);
	r = client_get_manager(c, &m);
	if (r < 0)
		return client_complain(c, "status", r);
	r = client_get_snapshot(c, &s);
	if (r < 0)
		return client_complain(c, "status", r);

	if (args->given & CLI_JSON) {
		r = print_status_json(&m, &s);
		return r < 0 ? client_complain(c, "status", r) : API_EXIT_OK;
	}

	print_status(&m, &s);
	return API_EXIT_OK;
}
