/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.idxdvd1.WorkQueue: one object per work queue, with its holder. Read only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-util.h"
#include "idxdvd/bus-workqueue.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/manager.h"

#define AT(member) offsetof(struct bus_wq, member)
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

BUS_GETTER(get_accelerator)
{
	const struct bus_wq *q = userdata;

	return bus_append_path(reply, API_PREFIX_ACCELERATOR, q->accel);
}

BUS_GETTER(get_mode)
{
	const struct bus_wq *q = userdata;

	return sd_bus_message_append(reply, "s", q->wq.dedicated ? "dedicated" : "shared");
}

BUS_GETTER(get_state)
{
	const struct bus_wq *q = userdata;

	return sd_bus_message_append(reply, "s", object_state_name(q->wq.state));
}

BUS_GETTER(get_type)
{
	const struct bus_wq *q = userdata;

	return sd_bus_message_append(reply, "s", wq_type_name(q->wq.type));
}

BUS_GETTER(get_class)
{
	const struct bus_wq *q = userdata;

	return sd_bus_message_append(reply, "s", wq_class_name(q->wq.cls));
}

BUS_GETTER(get_mdev)
{
	const struct bus_wq *q = userdata;

	return bus_append_path(reply, API_PREFIX_MDEV, q->wq.mdev);
}

/* In words: the mdev, the process, or the name that its user gave the queue. */
BUS_GETTER(get_holder)
{
	const struct bus_wq *q = userdata;
	const struct wq *w = &q->wq;
	char text[LABEL_LEN + NAME_LEN + 32];

	switch (w->cls) {
	case WQ_FREE:
		return sd_bus_message_append(reply, "s", w->reserved ? "kept for the host" : "");
	case WQ_POOL:
		return bus_append_text(reply, w->ours ? "idxdvd" : w->label);
	case WQ_MDEV_IDLE:
	case WQ_MDEV_IN_USE:
		if (w->n_mdevs < 2)
			return bus_append_text(reply, w->mdev);
		snprintf(text, sizeof(text), "%u mdevs", w->n_mdevs);
		return bus_append_text(reply, text);
	case WQ_HOST_USER:
		if (!w->holder.pid)
			return bus_append_text(reply, w->label);
		snprintf(text, sizeof(text), "pid %d (%s)", w->holder.pid, w->holder.comm);
		return bus_append_text(reply, text);
	case WQ_HOST_KERNEL:
	case WQ_FOREIGN:
		return bus_append_text(reply, *w->label ? w->label : w->driver_name);
	case WQ_CLASS_COUNT:
		break;
	}

	return bus_append_text(reply, "");
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", bus_get_text, AT(wq.name), CONST),
	SD_BUS_PROPERTY("Accelerator", "o", get_accelerator, 0, CONST),
	SD_BUS_PROPERTY("Index", "u", NULL, AT(wq.id), CONST),
	SD_BUS_PROPERTY("State", "s", get_state, 0, EMITS),
	SD_BUS_PROPERTY("Driver", "s", bus_get_text, AT(wq.driver), EMITS),
	SD_BUS_PROPERTY("Mdev", "o", get_mdev, 0, EMITS),
	SD_BUS_PROPERTY("Sharers", "u", NULL, AT(wq.n_mdevs), EMITS),
	/* Attributes of a disabled queue, and who opens it, change without an event. */
	SD_BUS_PROPERTY("Class", "s", get_class, 0, 0),
	SD_BUS_PROPERTY("Holder", "s", get_holder, 0, 0),
	SD_BUS_PROPERTY("Size", "u", NULL, AT(wq.size), 0),
	SD_BUS_PROPERTY("Mode", "s", get_mode, 0, 0),
	SD_BUS_PROPERTY("Group", "i", NULL, AT(wq.group), 0),
	SD_BUS_PROPERTY("Priority", "u", NULL, AT(wq.priority), 0),
	SD_BUS_PROPERTY("Threshold", "u", NULL, AT(wq.threshold), 0),
	SD_BUS_PROPERTY("MaxTransferSize", "u", NULL, AT(wq.max_transfer), 0),
	SD_BUS_PROPERTY("MaxBatchSize", "u", NULL, AT(wq.max_batch), 0),
	SD_BUS_PROPERTY("Type", "s", get_type, 0, 0),
	SD_BUS_PROPERTY("Label", "s", bus_get_text, AT(wq.label), 0),
	SD_BUS_PROPERTY("DriverName", "s", bus_get_text, AT(wq.driver_name), 0),
	SD_BUS_VTABLE_END
};

static int find(sd_bus *bus, const char *path, const char *iface, void *userdata, void **ret,
		sd_bus_error *err)
{
	struct bus *b = userdata;
	_cleanup_(freep) char *name = NULL;
	const struct accel *a;
	const struct wq *w;
	int r;

	r = bus_path_id(path, API_PREFIX_WORKQUEUE, &name);
	if (r <= 0)
		return r;

	w = manager_find_wq(b->manager, name, &a);
	if (!w || strcmp(w->name, name))
		return 0;

	b->wq.wq = *w;
	snprintf(b->wq.accel, sizeof(b->wq.accel), "%s", a->name);
	*ret = &b->wq;
	return 1;
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
		     sd_bus_error *err)
{
	struct bus *b = userdata;
	size_t i, n_accels = manager_n_accels(b->manager), n = 0;
	unsigned int j;
	char **paths;
	int r;

	for (i = 0; i < n_accels; i++)
		n += manager_accel(b->manager, i)->n_wqs;

	paths = calloc(n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;

	for (i = 0, n = 0; i < n_accels; i++) {
		const struct accel *a = manager_accel(b->manager, i);

		for (j = 0; j < a->n_wqs; j++) {
			r = bus_path_new(API_PREFIX_WORKQUEUE, a->wqs[j].name, &paths[n++]);
			if (r < 0) {
				bus_paths_free(paths);
				return r;
			}
		}
	}

	*ret = paths;
	return 0;
}

int bus_workqueue_export(struct bus *b)
{
	int r;

	r = sd_bus_add_fallback_vtable(b->bus, NULL, API_PREFIX_WORKQUEUE, API_IFACE_WORKQUEUE,
				       vtable, find, b);
	if (r < 0)
		return r;

	return sd_bus_add_node_enumerator(b->bus, NULL, API_PREFIX_WORKQUEUE, enumerate, b);
}
