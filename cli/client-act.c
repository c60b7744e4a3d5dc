/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls that change something: options in, a plan out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "cli/cli.h"
#include "cli/client-call.h"
#include "cli/client.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

static int append_labels(sd_bus_message *m, const struct cli_args *args)
{
	int r;

	r = sd_bus_message_open_container(m, 'e', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", "labels");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "as");
	if (r >= 0)
		r = sd_bus_message_append_strv(m, (char **)args->labels);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The command line has let pass only options that the verb takes; their names are the D-Bus ones. */
static int append_options(sd_bus_message *m, const char *word, const struct cli_args *args)
{
	const struct {
		unsigned int bit;
		const char *key, *text;
		uint32_t number;
	} table[] = {
		/* A type that is the method's first argument is no option as well. */
		{ word == args->type ? 0 : CLI_TYPE, "type", args->type, 0 },
		{ CLI_PARENT, "parent", args->parent, 0 },
		{ CLI_UUID, "uuid", args->uuid, 0 },
		{ CLI_WQ, "wq", args->wq, 0 },
		{ CLI_PLACEMENT, "placement", args->placement, 0 },
		{ CLI_MIN_SIZE, "min-size", NULL, args->min_size },
		{ CLI_PRIORITY, "priority", NULL, args->priority },
		{ CLI_MAX_TRANSFER, "max-transfer-size", NULL, args->max_transfer },
		{ CLI_MAX_BATCH, "max-batch-size", NULL, args->max_batch },
		{ CLI_HOST_WQS, "host-wqs", NULL, args->host_wqs },
		{ CLI_POOL_MIN, "pool-min", NULL, args->pool_min },
		{ CLI_PID, "pid", NULL, args->pid },
		{ CLI_PASID, "pasid", NULL, args->pasid },
	};
	size_t i;
	int r;

	r = sd_bus_message_open_container(m, 'a', "{sv}");
	if (r < 0)
		return r;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		if (!(args->given & table[i].bit))
			continue;
		if (table[i].text)
			r = sd_bus_message_append(m, "{sv}", table[i].key, "s", table[i].text);
		else
			r = sd_bus_message_append(m, "{sv}", table[i].key, "u", table[i].number);
		if (r < 0)
			return r;
	}

	if (args->given & CLI_DRY_RUN) {
		r = sd_bus_message_append(m, "{sv}", "dry-run", "b", 1);
		if (r < 0)
			return r;
	}
	if (args->given & CLI_FORCE) {
		r = sd_bus_message_append(m, "{sv}", "force", "b", 1);
		if (r < 0)
			return r;
	}
	if (args->given & CLI_NUMA_NODE) {
		r = sd_bus_message_append(m, "{sv}", "numa-node", "i", (int32_t)args->numa_node);
		if (r < 0)
			return r;
	}
	if (args->given & (CLI_AUTO | CLI_MANUAL)) {
		r = sd_bus_message_append(m, "{sv}", "autostart", "b",
					  (int)!!(args->given & CLI_AUTO));
		if (r < 0)
			return r;
	}
	if (args->given & CLI_LABEL) {
		r = append_labels(m, args);
		if (r < 0)
			return r;
	}

	return sd_bus_message_close_container(m);
}

static int act(struct client *c, const char *method, const char *name,
	       const struct cli_args *args, sd_bus_message **ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = client_call_new(c, API_IFACE_MANAGER, method, &m);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "s", name);
	if (r < 0)
		return r;
	r = append_options(m, name, args);
	if (r < 0)
		return r;

	return client_call(c, m, ret);
}

int client_act(struct client *c, const char *method, const char *word,
	       const struct cli_args *args, char ***ret_plan)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r;

	r = act(c, method, word, args, &reply);
	if (r < 0)
		return r;

	r = sd_bus_message_read_strv(reply, ret_plan);
	return r < 0 ? r : 0;
}

int client_make(struct client *c, const char *method, const char *word,
		const struct cli_args *args, char **ret_uuid, char ***ret_plan)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(freep) char *copy = NULL;
	const char *uuid, *path;
	int r;

	r = act(c, method, word, args, &reply);
	if (r < 0)
		return r;

	r = sd_bus_message_read(reply, "so", &uuid, &path);
	if (r < 0)
		return r;
	copy = strdup(uuid);
	if (!copy)
		return -ENOMEM;
	r = sd_bus_message_read_strv(reply, ret_plan);
	if (r < 0)
		return r;

	*ret_uuid = TAKE(copy);
	return 0;
}

void client_plan_freep(char ***plan)
{
	char **p;

	for (p = *plan; p && *p; p++)
		free(*p);
	free(*plan);
	*plan = NULL;
}
