/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the manager has done, as the body of an answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-fill.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/holding.h"
#include "idxdvd/manager.h"

/* One string for each line of the plan. */
int bus_fill_plan(struct bus *b, sd_bus_message *reply, const struct manager_result *res)
{
	_cleanup_(freep) char *copy = NULL;
	char *line, *rest;
	int r;

	copy = strdup(res->plan);
	if (!copy)
		return -ENOMEM;

	r = sd_bus_message_open_container(reply, 'a', "s");
	if (r < 0)
		return r;

	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		r = bus_append_text(reply, line);
		if (r < 0)
			return r;
	}

	return sd_bus_message_close_container(reply);
}

/* The path is "/" after a dry run: there is no such object. */
int bus_fill_mdev(struct bus *b, sd_bus_message *reply, const struct manager_result *res)
{
	int r;

	r = sd_bus_message_append(reply, "s", res->uuid);
	if (r < 0)
		return r;
	r = bus_append_path(reply, API_PREFIX_MDEV,
			    manager_find_mdev(b->manager, res->uuid) ||
			    manager_find_definition(b->manager, res->uuid) ? res->uuid : "");
	if (r < 0)
		return r;

	return bus_fill_plan(b, reply, res);
}

static int append_holding(sd_bus_message *reply, const struct holding *h)
{
	const struct {
		const char *key, *text;
	} texts[] = {
		{ "WorkQueue", h->wq }, { "Device", h->device },
		{ "Kind", holding_kind_name(h->kind) }, { "Mdev", h->mdev }, { "Driver", h->name },
		{ "Label", h->label }, { "Channel", h->channel }, { "Client", h->client },
		{ "Command", h->comm }, { "Executable", h->exe },
		{ "Unit", h->unit }, { "Container", h->container }, { "Domain", h->domain },
	};
	int r;

	r = sd_bus_message_open_container(reply, 'a', "{sv}");
	for (size_t i = 0; i < ARRAY_LEN(texts) && r >= 0; i++)
		r = bus_append_text_entry(reply, texts[i].key, texts[i].text);
	if (r >= 0)
		r = sd_bus_message_append(reply, "{sv}{sv}{sv}", "Pid", "u", (uint32_t)h->pid,
					  "Clients", "u", h->clients, "Since", "t", h->since_usec);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_fill_holdings(struct bus *b, sd_bus_message *reply, const struct manager_result *res)
{
	int r;

	r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; i < res->n_holdings && r >= 0; i++)
		r = append_holding(reply, &res->holdings[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}
