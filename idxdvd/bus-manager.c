/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.idxdvd1.Manager at the root, the object manager, and the signals for all objects. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-accelerator.h"
#include "idxdvd/bus-manager.h"
#include "idxdvd/bus-mdev.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/bus-workqueue.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/manager.h"

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

/*
 * A call that waits for the manager; it keeps the message, so that the answer finds its way. Calls
 * that everybody may make are counted apart: they must not use up the room of the others.
 */
struct request {
	struct bus *b;
	sd_bus_message *msg;
	unsigned int *n_waiting;
	int (*fill)(struct bus *b, sd_bus_message *reply, const struct manager_result *res);
};

static struct request *request_free(struct request *q)
{
	if (!q)
		return NULL;

	(*q->n_waiting)--;
	sd_bus_message_unref(q->msg);
	free(q);
	return NULL;
}

static void request_freep(struct request **q)
{
	request_free(*q);
}

static int request_new(struct bus *b, sd_bus_message *msg, unsigned int *n_waiting,
		       struct request **ret, sd_bus_error *err)
{
	struct request *q;

	if (*n_waiting >= API_PENDING_MAX) {
		sd_bus_error_setf(err, SD_BUS_ERROR_LIMITS_EXCEEDED,
				  "idxdvd: %u requests wait already; try again later", *n_waiting);
		return -EBUSY;
	}

	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;

	q->b = b;
	q->msg = sd_bus_message_ref(msg);
	q->n_waiting = n_waiting;
	(*n_waiting)++;
	*ret = q;
	return 0;
}

/* One string for each line of the plan. */
static int fill_plan(struct bus *b, sd_bus_message *reply, const struct manager_result *res)
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
static int fill_mdev(struct bus *b, sd_bus_message *reply, const struct manager_result *res)
{
	int r;

	r = sd_bus_message_append(reply, "s", res->uuid);
	if (r < 0)
		return r;
	r = bus_append_path(reply, API_PREFIX_MDEV,
			    manager_find_mdev(b->manager, res->uuid) ? res->uuid : "");
	if (r < 0)
		return r;

	return fill_plan(b, reply, res);
}

static int fill_nothing(struct bus *b, sd_bus_message *reply, const struct manager_result *res)
{
	return 0;
}

static int reply_success(struct request *q, const struct manager_result *res)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_message_new_method_return(q->msg, &reply);
	if (r < 0)
		return r;
	r = q->fill(q->b, reply, res);
	if (r < 0)
		return r;

	return sd_bus_send(q->b->bus, reply, NULL);
}

static int reply_failure(struct request *q, const struct manager_result *res)
{
	_cleanup_(sd_bus_error_free) sd_bus_error err = SD_BUS_ERROR_NULL;

	bus_refuse(&err, &res->refusal);
	return sd_bus_reply_method_error(q->msg, &err);
}

/* The manager's answer; may come before the call into the manager returns. */
static void request_done(void *userdata, int r, const struct manager_result *res)
{
	_cleanup_(request_freep) struct request *q = userdata;

	r = r < 0 ? reply_failure(q, res) : reply_success(q, res);
	if (r < 0)
		log_warning("%s: the answer to %s could not be sent: %s",
			    sd_bus_message_get_member(q->msg), sd_bus_message_get_sender(q->msg),
			    strerror(-r));
}

/* Methods: decode and bound, authorise, one call inwards; request_done() replies. */

static int method_adopt(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	struct bus *b = userdata;
	struct adopt_options opts = { 0 };
	struct bus_options o;
	struct request *q;
	const char *device;
	int r;

	r = bus_read_name(msg, "device", API_DEVICE_MAX, &device, err);
	if (r < 0)
		return r;
	r = bus_read_options(msg, BUS_HOST_WQS | BUS_POOL_MIN | BUS_DRY_RUN, &o, err);
	if (r < 0)
		return r;

	r = bus_authorize(msg, API_ACTION_MANAGE_WQ, err);
	if (r <= 0)
		return r;
	r = request_new(b, msg, &b->n_changing, &q, err);
	if (r < 0)
		return r;
	q->fill = fill_plan;

	opts.host_wqs = o.host_wqs;
	opts.pool_min = o.pool_min;
	opts.set = (o.set & BUS_HOST_WQS ? ADOPT_HOST_WQS : 0) |
		   (o.set & BUS_POOL_MIN ? ADOPT_POOL_MIN : 0) |
		   (o.dry_run ? ADOPT_DRY_RUN : 0);
	manager_adopt(b->manager, device, &opts, request_done, q);
	return 1;
}

static int method_release(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	struct bus *b = userdata;
	struct bus_options o;
	struct request *q;
	const char *device;
	int r;

	r = bus_read_name(msg, "device", API_DEVICE_MAX, &device, err);
	if (r < 0)
		return r;
	r = bus_read_options(msg, BUS_DRY_RUN, &o, err);
	if (r < 0)
		return r;

	r = bus_authorize(msg, API_ACTION_MANAGE_WQ, err);
	if (r <= 0)
		return r;
	r = request_new(b, msg, &b->n_changing, &q, err);
	if (r < 0)
		return r;
	q->fill = fill_plan;

	manager_release(b->manager, device, o.dry_run, request_done, q);
	return 1;
}

static int method_create_mdev(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	struct bus *b = userdata;
	struct create_request req = { 0 };
	struct bus_options o;
	struct request *q;
	int r;

	r = bus_read_name(msg, "type", API_TYPE_MAX, &req.type, err);
	if (r < 0)
		return r;
	r = bus_read_options(msg, BUS_PARENT | BUS_UUID | BUS_WQ | BUS_DRY_RUN, &o, err);
	if (r < 0)
		return r;

	r = bus_authorize(msg, API_ACTION_MANAGE_MDEV, err);
	if (r <= 0)
		return r;
	r = request_new(b, msg, &b->n_changing, &q, err);
	if (r < 0)
		return r;
	q->fill = fill_mdev;

	req.parent = o.parent;
	req.uuid = o.uuid;
	req.wq = o.wq;
	req.flags = o.dry_run ? CREATE_DRY_RUN : 0;
	manager_create_mdev(b->manager, &req, request_done, q);
	return 1;
}

static int method_destroy_mdev(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	struct bus *b = userdata;
	struct bus_options o;
	struct request *q;
	const char *uuid;
	int r;

	r = bus_read_name(msg, "uuid", API_UUID_MAX, &uuid, err);
	if (r < 0)
		return r;
	r = bus_read_options(msg, BUS_DRY_RUN, &o, err);
	if (r < 0)
		return r;

	r = bus_authorize(msg, API_ACTION_MANAGE_MDEV, err);
	if (r <= 0)
		return r;
	r = request_new(b, msg, &b->n_changing, &q, err);
	if (r < 0)
		return r;
	q->fill = fill_plan;

	manager_destroy_mdev(b->manager, uuid, o.dry_run, request_done, q);
	return 1;
}

/* Everybody may ask for it: it only reads. */
static int method_refresh(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	struct bus *b = userdata;
	struct request *q;
	int r;

	r = request_new(b, msg, &b->n_refreshing, &q, err);
	if (r < 0)
		return r;
	q->fill = fill_nothing;

	manager_refresh(b->manager, request_done, q);
	return 1;
}

/* What the module's available_instances counts too: queues that are bound to it and free. */
static unsigned int count_pool(const struct accel *a)
{
	unsigned int i, n = 0;

	for (i = 0; i < a->n_wqs; i++)
		n += a->wqs[i].cls == WQ_POOL && a->wqs[i].dedicated;

	return n;
}

static int append_type(struct bus *b, sd_bus_message *reply, const struct accel *a,
		       const struct mdev_type *type)
{
	return sd_bus_message_append(reply, "a{sv}", 8,
		"Device", "s", a->name,
		"Parent", "s", a->bdf,
		"Type", "s", type->id,
		"Name", "s", type->name,
		"Description", "s", type->description,
		"DeviceApi", "s", "vfio-pci",
		"AvailableInstances", "u", count_pool(a),
		"Creatable", "u", manager_type_available(b->manager, type, a));
}

static int method_list_types(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct bus *b = userdata;
	const struct mdev_type *types;
	size_t i, j, n_types, n_accels = manager_n_accels(b->manager);
	int r;

	r = sd_bus_message_new_method_return(msg, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	if (r < 0)
		return r;

	types = mdev_types(&n_types);
	for (i = 0; i < n_accels; i++) {
		const struct accel *a = manager_accel(b->manager, i);

		for (j = 0; j < n_types; j++) {
			if (types[j].kind != a->kind)
				continue;
			r = append_type(b, reply, a, &types[j]);
			if (r < 0)
				return r;
		}
	}

	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;

	return sd_bus_send(b->bus, reply, NULL);
}

/* Properties */

BUS_GETTER(get_version)
{
	return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

/* What a client may rely on beyond the first version of this interface; names are never reused. */
BUS_GETTER(get_features)
{
	return sd_bus_message_append(reply, "as", 1, "dry-run");
}

BUS_GETTER(get_module_loaded)
{
	struct bus *b = userdata;
	size_t i, n = manager_n_accels(b->manager);
	int loaded = 0;

	for (i = 0; i < n; i++)
		loaded |= manager_accel(b->manager, i)->module;

	return sd_bus_message_append(reply, "b", loaded);
}

BUS_GETTER(get_simulated)
{
	struct bus *b = userdata;

	return sd_bus_message_append(reply, "b", (int)b->simulated);
}

BUS_GETTER(get_accelerator_count)
{
	struct bus *b = userdata;

	return sd_bus_message_append(reply, "u", (uint32_t)manager_n_accels(b->manager));
}

BUS_GETTER(get_adopted_count)
{
	struct bus *b = userdata;
	size_t i, n = manager_n_accels(b->manager);
	uint32_t count = 0;

	for (i = 0; i < n; i++)
		count += manager_accel(b->manager, i)->adopted;

	return sd_bus_message_append(reply, "u", count);
}

BUS_GETTER(get_work_queue_count)
{
	struct bus *b = userdata;
	size_t i, n = manager_n_accels(b->manager);
	uint32_t count = 0;

	for (i = 0; i < n; i++)
		count += manager_accel(b->manager, i)->n_wqs;

	return sd_bus_message_append(reply, "u", count);
}

BUS_GETTER(get_mdev_count)
{
	struct bus *b = userdata;

	return sd_bus_message_append(reply, "u", (uint32_t)manager_n_mdevs(b->manager));
}

/* UNPRIVILEGED rows that change anything call bus_authorize(). */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Adopt",
				SD_BUS_ARGS("s", device, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				method_adopt, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Release",
				SD_BUS_ARGS("s", device, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				method_release, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("CreateMdev",
				SD_BUS_ARGS("s", type, "a{sv}", options),
				SD_BUS_RESULT("s", uuid, "o", mdev, "as", plan),
				method_create_mdev, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("DestroyMdev",
				SD_BUS_ARGS("s", uuid, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				method_destroy_mdev, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Refresh",
				SD_BUS_NO_ARGS,
				SD_BUS_NO_RESULT,
				method_refresh, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListTypes",
				SD_BUS_NO_ARGS,
				SD_BUS_RESULT("aa{sv}", types),
				method_list_types, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, CONST),
	SD_BUS_PROPERTY("Features", "as", get_features, 0, CONST),
	SD_BUS_PROPERTY("Simulated", "b", get_simulated, 0, CONST),
	SD_BUS_PROPERTY("AcceleratorCount", "u", get_accelerator_count, 0, EMITS),
	SD_BUS_PROPERTY("AdoptedCount", "u", get_adopted_count, 0, EMITS),
	SD_BUS_PROPERTY("WorkQueueCount", "u", get_work_queue_count, 0, EMITS),
	SD_BUS_PROPERTY("MdevCount", "u", get_mdev_count, 0, EMITS),
	/* The state of the module reaches us with that of the accelerators, without an event. */
	SD_BUS_PROPERTY("ModuleLoaded", "b", get_module_loaded, 0, 0),
	SD_BUS_VTABLE_END
};

/* Signals */

static const struct {
	const char *prefix, *iface;
	const char *counts[3];		/* properties of the Manager that may change with it */
} kinds[] = {
	[OBJECT_ACCEL] = { API_PREFIX_ACCELERATOR, API_IFACE_ACCELERATOR,
			   { "AcceleratorCount", "AdoptedCount", NULL } },
	[OBJECT_WQ] = { API_PREFIX_WORKQUEUE, API_IFACE_WORKQUEUE, { "WorkQueueCount", NULL } },
	[OBJECT_MDEV] = { API_PREFIX_MDEV, API_IFACE_MDEV, { "MdevCount", NULL } },
};

static int emit_change(struct bus *b, enum object_kind kind, enum object_change change,
		       const char *id)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	r = bus_path_new(kinds[kind].prefix, id, &path);
	if (r < 0)
		return r;

	switch (change) {
	case OBJECT_ADDED:
		r = sd_bus_emit_object_added(b->bus, path);
		break;
	case OBJECT_REMOVED:
		/* Named, because the object can no longer be asked what it was. */
		r = sd_bus_emit_interfaces_removed(b->bus, path, kinds[kind].iface, NULL);
		break;
	case OBJECT_CHANGED:
		r = sd_bus_emit_properties_changed_strv(b->bus, path, kinds[kind].iface, NULL);
		break;
	}
	if (r < 0)
		return r;

	if (change == OBJECT_CHANGED && kind != OBJECT_ACCEL)
		return 0;

	return sd_bus_emit_properties_changed_strv(b->bus, API_ROOT, API_IFACE_MANAGER,
						   (char **)kinds[kind].counts);
}

static void observe(void *userdata, enum object_kind kind, enum object_change change,
		    const char *id)
{
	int r;

	r = emit_change(userdata, kind, change, id);
	if (r < 0 && r != -ENOTCONN)		/* without a bus there is nobody to tell */
		log_warning("%s: the change could not be signalled: %s", id, strerror(-r));
}

struct manager_observer bus_observer(struct bus *b)
{
	return (struct manager_observer){ .object = observe, .userdata = b };
}

int bus_export(struct bus *b)
{
	int r;

	r = sd_bus_add_object_manager(b->bus, NULL, API_ROOT);
	if (r < 0)
		return r;
	r = sd_bus_add_object_vtable(b->bus, NULL, API_ROOT, API_IFACE_MANAGER, vtable, b);
	if (r < 0)
		return r;
	r = bus_accelerator_export(b);
	if (r < 0)
		return r;
	r = bus_workqueue_export(b);
	if (r < 0)
		return r;

	return bus_mdev_export(b);
}
