/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object, whole; or as libvirt wants it. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/find.h"
#include "cli/print.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

static int get_snapshot(struct client *c, const char *verb, struct client_snapshot *s)
{
	int r;

	r = client_refresh(c);
	if (r >= 0)
		r = client_get_snapshot(c, s);
	return r < 0 ? client_complain(c, verb, r) : API_EXIT_OK;
}

int verb_show(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_snapshot_done) struct client_snapshot s = { 0 };
	struct find_match found[FIND_MAX];
	int r, status;
	size_t n;

	status = get_snapshot(c, "show", &s);
	if (status != API_EXIT_OK)
		return status;
	n = find_objects(&s, args->words[0], found);
	if (!n) {
		fprintf(stderr, "idxdctl: show: nothing is called '%s'; see 'idxdctl list'\n",
			args->words[0]);
		return API_EXIT_NOT_FOUND;
	}
	if (args->given & CLI_JSON) {
		r = print_objects_json(&s, found, n);
		return r < 0 ? client_complain(c, "show", r) : API_EXIT_OK;
	}
	print_objects(&s, found, n);
	return API_EXIT_OK;
}

int verb_xml(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_snapshot_done) struct client_snapshot s = { 0 };
	const char *uuid;
	int status;

	status = get_snapshot(c, "xml", &s);
	if (status == API_EXIT_OK)
		status = find_uuid(&s, args->words[0], "xml", &uuid);
	if (status != API_EXIT_OK)
		return status;
	printf("<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>\n"
	       "  <source>\n"
	       "    <address uuid='%s'/>\n"
	       "  </source>\n"
	       "</hostdev>\n", uuid);
	return API_EXIT_OK;
}
