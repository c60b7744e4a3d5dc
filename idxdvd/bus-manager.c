/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.idxdvd1.Manager at the root, the object manager, and the signals for all objects. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-accelerator.h"
#include "idxdvd/bus-authority.h"
#include "idxdvd/bus-definition.h"
#include "idxdvd/bus-lease.h"
#include "idxdvd/bus-manager.h"
#include "idxdvd/bus-mdev.h"
#include "idxdvd/bus-request.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/bus-workqueue.h"
#include "idxdvd/capacity.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/definition.h"
#include "idxdvd/manager.h"

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static int append_type(struct bus *b, sd_bus_message *reply, const struct accel *a,
		       const struct mdev_type *type, int quota_left)
{
	return sd_bus_message_append(reply, "a{sv}", 8,
		"Device", "s", a->name,
		"Parent", "s", a->bdf,
		"Type", "s", type->id,
		"Name", "s", type->name,
		"Description", "s", type->description,
		"DeviceApi", "s", "vfio-pci",
		"AvailableInstances", "u", capacity_instances(a, type),
		"Creatable", "u", manager_type_available(b->manager, type, a));
}

/* One entry for each accelerator and type that it has. */
static int reply_types(struct bus *b, sd_bus_message *msg, int quota_left,
		       int (*append)(struct bus *b, sd_bus_message *reply, const struct accel *a,
				     const struct mdev_type *type, int quota_left))
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
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
			r = append(b, reply, a, &types[j], quota_left);
			if (r < 0)
				return r;
		}
	}

	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;

	return sd_bus_send(b->bus, reply, NULL);
}

static int method_list_types(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	return reply_types(userdata, msg, -1, append_type);
}

static int append_capacity(struct bus *b, sd_bus_message *reply, const struct accel *a,
			   const struct mdev_type *type, int quota_left)
{
	struct capacity c;

	capacity_count(a, type, &c);
	return sd_bus_message_append(reply, "a{sv}", 16,
		"Device", "s", a->name,
		"Type", "s", type->id,
		"NumaNode", "i", (int32_t)a->numa_node,
		"Total", "u", c.total,
		"FreeNow", "u", c.free_now,
		"Creatable", "u", c.creatable,
		"Reserved", "u", c.reserved,
		"Host", "u", c.host,
		"Mdevs", "u", c.mdevs,
		"MdevsInUse", "u", c.mdevs_in_use,
		"Exclusive", "u", c.exclusive,
		"Foreign", "u", c.foreign,
		"Unusable", "u", c.unusable,
		"Room", "u", c.room,
		"MaxSharers", "u", c.max_sharers,
		"QuotaLeft", "i", (int32_t)quota_left);
}

static int method_get_capacity(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	struct bus *b = userdata;
	uid_t uid = 0;
	int r;

	/* Who asks is another call to the bus: only where it matters. */
	r = manager_has_quotas(b->manager) ? bus_sender_uid(msg, &uid) : 0;
	if (r < 0)
		return r;
	return reply_types(b, msg, manager_quota_left(b->manager, uid), append_capacity);
}

/* Why a queue cannot be had; the error's name is empty if it can. */
static int method_explain(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct bus *b = userdata;
	const struct accel *a;
	struct refusal why;
	const struct wq *w;
	const char *name;
	uid_t uid = 0;
	int r;

	r = manager_has_quotas(b->manager) ? bus_sender_uid(msg, &uid) : 0;
	if (r < 0)
		return r;
	r = bus_read_name(msg, "wq", API_DEVICE_MAX, &name, err);
	if (r < 0)
		return r;
	w = manager_find_wq(b->manager, name, &a);
	if (!w) {
		refuse(&why, REFUSE_NO_SUCH_WQ, ENOENT, name, "idxdctl list shows what there is",
		       "there is no such work queue");
		return bus_refuse(err, &why);
	}
	capacity_explain(a, w, &why);
	if (why.kind == REFUSE_NONE)
		manager_check_quota(b->manager, uid, &why);
	r = sd_bus_message_new_method_return(msg, &reply);
	if (r >= 0)
		r = sd_bus_message_append(reply, "ssss", wq_class_name(w->cls),
					  why.kind == REFUSE_NONE ? "" : bus_error_name(why.kind),
					  why.reason, why.remedy);
	return r < 0 ? r : sd_bus_send(b->bus, reply, NULL);
}

static int method_export(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	_cleanup_(freep) char *document = NULL;
	struct bus *b = userdata;
	int r;

	r = manager_export(b->manager, &document);
	return r < 0 ? r : sd_bus_reply_method_return(msg, "s", document);
}

/* Properties */

BUS_GETTER(get_version)
{
	return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

/* What a client may rely on beyond the first version of this interface; names are never reused. */
BUS_GETTER(get_features)
{
	return sd_bus_message_append(reply, "as", 7, "dry-run", "definitions", "holders", "apply",
				     "unsafe", "lease", "policy");
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

BUS_GETTER(get_definition_count)
{
	struct bus *b = userdata;

	return sd_bus_message_append(reply, "u", (uint32_t)manager_n_definitions(b->manager));
}

BUS_GETTER(get_operation)
{
	struct bus *b = userdata;
	char text[128];
	size_t n;

	manager_describe(b->manager, text, sizeof(text), &n);
	return bus_append_text(reply, text);
}

BUS_GETTER(get_waiting)
{
	struct bus *b = userdata;
	char text[128];
	size_t n;

	manager_describe(b->manager, text, sizeof(text), &n);
	return sd_bus_message_append(reply, "u", (uint32_t)n);
}

BUS_GETTER(get_bad_files)
{
	struct bus *b = userdata;
	const struct definition_bad *bad;
	char text[256];
	size_t n;
	int r;

	bad = manager_bad_definitions(b->manager, &n);
	r = sd_bus_message_open_container(reply, 'a', "s");
	for (size_t i = 0; i < n && r >= 0; i++) {
		snprintf(text, sizeof(text), "%s: %s", bad[i].file, bad[i].reason);
		r = bus_append_text(reply, text);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* UNPRIVILEGED rows that change anything are bus_method_act(), which asks who may. */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Adopt",
				SD_BUS_ARGS("s", device, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Release",
				SD_BUS_ARGS("s", device, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("AllowUnsafe",
				SD_BUS_ARGS("s", device, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ForbidUnsafe",
				SD_BUS_ARGS("s", device, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("CreateMdev",
				SD_BUS_ARGS("s", type, "a{sv}", options),
				SD_BUS_RESULT("s", uuid, "o", mdev, "as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("DestroyMdev",
				SD_BUS_ARGS("s", uuid, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Define",
				SD_BUS_ARGS("s", type, "a{sv}", options),
				SD_BUS_RESULT("s", uuid, "o", mdev, "as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Modify",
				SD_BUS_ARGS("s", uuid, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Undefine",
				SD_BUS_ARGS("s", uuid, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Start",
				SD_BUS_ARGS("s", uuid, "a{sv}", options),
				SD_BUS_RESULT("s", uuid, "o", mdev, "as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Stop",
				SD_BUS_ARGS("s", uuid, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Drain",
				SD_BUS_ARGS("s", object, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Refresh",
				SD_BUS_NO_ARGS,
				SD_BUS_NO_RESULT,
				bus_method_refresh, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListTypes",
				SD_BUS_NO_ARGS,
				SD_BUS_RESULT("aa{sv}", types),
				method_list_types, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Apply",
				SD_BUS_ARGS("s", document, "a{sv}", options),
				SD_BUS_RESULT("as", plan),
				bus_method_act, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("CancelApply",
				SD_BUS_NO_ARGS,
				SD_BUS_NO_RESULT,
				bus_method_cancel_apply, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Export",
				SD_BUS_NO_ARGS,
				SD_BUS_RESULT("s", document),
				method_export, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetCapacity",
				SD_BUS_NO_ARGS,
				SD_BUS_RESULT("aa{sv}", capacity),
				method_get_capacity, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Explain",
				SD_BUS_ARGS("s", wq),
				SD_BUS_RESULT("s", class, "s", error, "s", reason, "s", remedy),
				method_explain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListHolders",
				SD_BUS_ARGS("s", wq),
				SD_BUS_RESULT("aa{sv}", holders),
				bus_method_list_holders, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, CONST),
	SD_BUS_PROPERTY("Features", "as", get_features, 0, CONST),
	SD_BUS_PROPERTY("Simulated", "b", get_simulated, 0, CONST),
	SD_BUS_PROPERTY("AcceleratorCount", "u", get_accelerator_count, 0, EMITS),
	SD_BUS_PROPERTY("AdoptedCount", "u", get_adopted_count, 0, EMITS),
	SD_BUS_PROPERTY("WorkQueueCount", "u", get_work_queue_count, 0, EMITS),
	SD_BUS_PROPERTY("MdevCount", "u", get_mdev_count, 0, EMITS),
	SD_BUS_PROPERTY("DefinitionCount", "u", get_definition_count, 0, EMITS),
	/* Change faster than anybody could read. */
	SD_BUS_PROPERTY("Operation", "s", get_operation, 0, 0),
	SD_BUS_PROPERTY("Waiting", "u", get_waiting, 0, 0),
	/* Edited by others; read again by Refresh. */
	SD_BUS_PROPERTY("BadFiles", "as", get_bad_files, 0, 0),
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
	[OBJECT_DEFINITION] = { API_PREFIX_MDEV, API_IFACE_DEFINITION,
				{ "DefinitionCount", NULL } },
};

/* An mdev and its definition share an object. */
static bool has_other(struct bus *b, enum object_kind kind, const char *id)
{
	return (kind == OBJECT_MDEV && manager_find_definition(b->manager, id)) ||
	       (kind == OBJECT_DEFINITION && manager_find_mdev(b->manager, id));
}

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
		/* An object that is there already as the other of the two does not come anew. */
		if (has_other(b, kind, id))
			r = sd_bus_emit_interfaces_added(b->bus, path, kinds[kind].iface, NULL);
		else
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

	if (kind == OBJECT_MDEV)
		bus_lease_look(userdata, id);
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

	r = bus_mdev_export(b);
	if (r < 0)
		return r;

	return bus_definition_export(b);
}
