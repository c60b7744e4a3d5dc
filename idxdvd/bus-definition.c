/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.idxdvd1.Definition: on the object of each mdev that is defined, whether it runs or not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-definition.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/definition.h"
#include "idxdvd/manager.h"

#define AT(member) offsetof(struct definition, member)
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

BUS_GETTER(get_labels)
{
	const struct definition *d = userdata;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "s");
	for (size_t i = 0; i < d->n_labels && r >= 0; i++)
		r = bus_append_text(reply, d->labels[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Uuid", "s", bus_get_text, AT(uuid), CONST),
	SD_BUS_PROPERTY("Parent", "s", bus_get_text, AT(parent), CONST),
	SD_BUS_PROPERTY("Type", "s", bus_get_text, AT(type), EMITS),
	SD_BUS_PROPERTY("WorkQueue", "s", bus_get_text, AT(wq), EMITS),
	SD_BUS_PROPERTY("Autostart", "b", bus_get_bool, AT(autostart), EMITS),
	SD_BUS_PROPERTY("Labels", "as", get_labels, 0, EMITS),
	SD_BUS_VTABLE_END
};

static int find(sd_bus *bus, const char *path, const char *iface, void *userdata, void **ret,
		sd_bus_error *err)
{
	struct bus *b = userdata;
	_cleanup_(freep) char *uuid = NULL;
	const struct definition *d;
	int r;

	r = bus_path_id(path, API_PREFIX_MDEV, &uuid);
	if (r <= 0)
		return r;

	d = manager_find_definition(b->manager, uuid);
	if (!d)
		return 0;

	*ret = (void *)d;
	return 1;
}

/* Those that are no mdev; the others are named by org.idxdvd1.Mdev. */
static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
		     sd_bus_error *err)
{
	struct bus *b = userdata;
	const struct definition *d = NULL;
	char **paths;
	size_t n = 0;
	int r;

	paths = calloc(manager_n_definitions(b->manager) + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;

	while ((d = manager_next_definition(b->manager, d))) {
		if (manager_find_mdev(b->manager, d->uuid))
			continue;
		r = bus_path_new(API_PREFIX_MDEV, d->uuid, &paths[n++]);
		if (r < 0) {
			bus_paths_free(paths);
			return r;
		}
	}

	*ret = paths;
	return 0;
}

int bus_definition_export(struct bus *b)
{
	int r;

	r = sd_bus_add_fallback_vtable(b->bus, NULL, API_PREFIX_MDEV, API_IFACE_DEFINITION, vtable,
				       find, b);
	if (r < 0)
		return r;

	return sd_bus_add_node_enumerator(b->bus, NULL, API_PREFIX_MDEV, enumerate, b);
}
