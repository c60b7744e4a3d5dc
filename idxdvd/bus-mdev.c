/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.idxdvd1.Mdev: one object per mdev below our accelerators, whoever made it. Read only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-mdev.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/manager.h"

#define AT(member) offsetof(struct mdev, member)
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

BUS_GETTER(get_accelerator)
{
	const struct mdev *d = userdata;

	return bus_append_path(reply, API_PREFIX_ACCELERATOR, d->accel);
}

BUS_GETTER(get_work_queue)
{
	const struct mdev *d = userdata;

	return bus_append_path(reply, API_PREFIX_WORKQUEUE, d->wq);
}

BUS_GETTER(get_state)
{
	const struct mdev *d = userdata;

	return sd_bus_message_append(reply, "s", d->in_use ? "in-use" : "idle");
}

BUS_GETTER(get_holder)
{
	const struct mdev *d = userdata;
	char text[NAME_LEN + 32];

	if (!d->holder.pid)
		return bus_append_text(reply, "");

	snprintf(text, sizeof(text), "pid %d (%s)", d->holder.pid, d->holder.comm);
	return bus_append_text(reply, text);
}

/* The client that it goes with. */
BUS_GETTER(get_lease)
{
	const struct mdev *d = userdata;
	const char *client = strchr(d->lease, ':');

	return bus_append_text(reply, client ? client : "");
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Uuid", "s", bus_get_text, AT(uuid), CONST),
	SD_BUS_PROPERTY("Type", "s", bus_get_text, AT(type), CONST),
	SD_BUS_PROPERTY("Parent", "s", bus_get_text, AT(parent), CONST),
	SD_BUS_PROPERTY("Accelerator", "o", get_accelerator, 0, CONST),
	SD_BUS_PROPERTY("IommuGroup", "i", NULL, AT(iommu_group), CONST),
	SD_BUS_PROPERTY("WorkQueue", "o", get_work_queue, 0, EMITS),
	SD_BUS_PROPERTY("Managed", "b", bus_get_bool, AT(ours), EMITS),
	SD_BUS_PROPERTY("Persisted", "b", bus_get_bool, AT(persisted), EMITS),
	SD_BUS_PROPERTY("Owner", "u", NULL, AT(owner), EMITS),
	SD_BUS_PROPERTY("Lease", "s", get_lease, 0, EMITS),
	/* A VMM opens and closes an mdev without an event. */
	SD_BUS_PROPERTY("State", "s", get_state, 0, 0),
	SD_BUS_PROPERTY("Holder", "s", get_holder, 0, 0),
	SD_BUS_VTABLE_END
};

static int find(sd_bus *bus, const char *path, const char *iface, void *userdata, void **ret,
		sd_bus_error *err)
{
	struct bus *b = userdata;
	_cleanup_(freep) char *uuid = NULL;
	const struct mdev *d;
	int r;

	r = bus_path_id(path, API_PREFIX_MDEV, &uuid);
	if (r <= 0)
		return r;

	d = manager_find_mdev(b->manager, uuid);
	if (!d || strcmp(d->uuid, uuid))		/* one object, one path */
		return 0;

	*ret = (void *)d;
	return 1;
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
		     sd_bus_error *err)
{
	struct bus *b = userdata;
	const struct mdev *d;
	char **paths;
	size_t n = 0;
	int r;

	paths = calloc(manager_n_mdevs(b->manager) + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;

	for (d = manager_next_mdev(b->manager, NULL); d; d = manager_next_mdev(b->manager, d)) {
		r = bus_path_new(API_PREFIX_MDEV, d->uuid, &paths[n++]);
		if (r < 0) {
			bus_paths_free(paths);
			return r;
		}
	}

	*ret = paths;
	return 0;
}

int bus_mdev_export(struct bus *b)
{
	int r;

	r = sd_bus_add_fallback_vtable(b->bus, NULL, API_PREFIX_MDEV, API_IFACE_MDEV, vtable, find,
				       b);
	if (r < 0)
		return r;

	return sd_bus_add_node_enumerator(b->bus, NULL, API_PREFIX_MDEV, enumerate, b);
}
