/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.idxdvd1.Accelerator: one object per accelerator that idxd drives. Read only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-accelerator.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/manager.h"

#define AT(member) offsetof(struct accel, member)
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

BUS_GETTER(get_kind)
{
	const struct accel *a = userdata;

	return sd_bus_message_append(reply, "s", accel_kind_name(a->kind));
}

BUS_GETTER(get_device_id)
{
	const struct accel *a = userdata;
	char id[16];

	snprintf(id, sizeof(id), "%04x:%04x", a->pci_vendor, a->pci_device);
	return sd_bus_message_append(reply, "s", id);
}

BUS_GETTER(get_state)
{
	const struct accel *a = userdata;

	return sd_bus_message_append(reply, "s", object_state_name(a->state));
}

BUS_GETTER(get_erratum)
{
	const struct accel *a = userdata;

	return sd_bus_message_append(reply, "s", a->unsafe ? "CVE-2024-21823" : "");
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", bus_get_text, AT(name), CONST),
	SD_BUS_PROPERTY("PciAddress", "s", bus_get_text, AT(bdf), CONST),
	SD_BUS_PROPERTY("Kind", "s", get_kind, 0, CONST),
	SD_BUS_PROPERTY("DeviceId", "s", get_device_id, 0, CONST),
	SD_BUS_PROPERTY("NumaNode", "i", NULL, AT(numa_node), CONST),
	SD_BUS_PROPERTY("MaxWorkQueues", "u", NULL, AT(n_wqs), CONST),
	SD_BUS_PROPERTY("MaxEngines", "u", NULL, AT(n_engines), CONST),
	SD_BUS_PROPERTY("MaxGroups", "u", NULL, AT(max_groups), CONST),
	SD_BUS_PROPERTY("TotalSize", "u", NULL, AT(max_size), CONST),
	SD_BUS_PROPERTY("Configurable", "b", bus_get_bool, AT(configurable), CONST),
	SD_BUS_PROPERTY("Unsafe", "b", bus_get_bool, AT(unsafe), CONST),
	SD_BUS_PROPERTY("Erratum", "s", get_erratum, 0, CONST),
	SD_BUS_PROPERTY("State", "s", get_state, 0, EMITS),
	SD_BUS_PROPERTY("Adopted", "b", bus_get_bool, AT(adopted), EMITS),
	SD_BUS_PROPERTY("HostWorkQueues", "u", NULL, AT(host_wqs), EMITS),
	SD_BUS_PROPERTY("PoolMin", "u", NULL, AT(pool_min), EMITS),
	SD_BUS_PROPERTY("PoolSize", "u", NULL, AT(n_pool), EMITS),
	SD_BUS_PROPERTY("MdevCount", "u", NULL, AT(n_mdevs), EMITS),
	/* The kernel sends no event when one of these changes. */
	SD_BUS_PROPERTY("Iommu", "b", bus_get_bool, AT(iommu), 0),
	SD_BUS_PROPERTY("Pasid", "b", bus_get_bool, AT(pasid), 0),
	SD_BUS_PROPERTY("ModuleLoaded", "b", bus_get_bool, AT(module), 0),
	SD_BUS_PROPERTY("UnsafeAllowed", "b", bus_get_bool, AT(unsafe_allowed), 0),
	SD_BUS_VTABLE_END
};

static int find(sd_bus *bus, const char *path, const char *iface, void *userdata, void **ret,
		sd_bus_error *err)
{
	struct bus *b = userdata;
	_cleanup_(freep) char *name = NULL;
	const struct accel *a;
	int r;

	r = bus_path_id(path, API_PREFIX_ACCELERATOR, &name);
	if (r <= 0)
		return r;

	a = manager_find_accel(b->manager, name);
	if (!a || strcmp(a->name, name))		/* it may be found by its PCI address too */
		return 0;

	*ret = (void *)a;
	return 1;
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
		     sd_bus_error *err)
{
	struct bus *b = userdata;
	size_t i, n = manager_n_accels(b->manager);
	char **paths;
	int r;

	paths = calloc(n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;

	for (i = 0; i < n; i++) {
		const char *name = manager_accel(b->manager, i)->name;

		r = bus_path_new(API_PREFIX_ACCELERATOR, name, &paths[i]);
		if (r < 0) {
			bus_paths_free(paths);
			return r;
		}
	}

	*ret = paths;
	return 0;
}

int bus_accelerator_export(struct bus *b)
{
	int r;

	r = sd_bus_add_fallback_vtable(b->bus, NULL, API_PREFIX_ACCELERATOR, API_IFACE_ACCELERATOR,
				       vtable, find, b);
	if (r < 0)
		return r;

	return sd_bus_add_node_enumerator(b->bus, NULL, API_PREFIX_ACCELERATOR, enumerate, b);
}
