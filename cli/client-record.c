/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables that say which D-Bus property lands where, and how records are read and freed by them. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "cli/client-record.h"
#include "cli/client.h"
#include "idxdvd/common/api.h"

#define FIELD(record, member, prop, json, sig) \
	{ .property = (prop), .key = (json), .type = (sig), .offset = offsetof(struct record, member) }
#define CLASS(record, interface, table) \
	{ .iface = (interface), .fields = (table), .n_fields = sizeof(table) / sizeof((table)[0]), \
	  .size = sizeof(struct record) }

static const struct client_field manager_fields[] = {
	FIELD(client_manager, version, "Version", "version", 's'),
	FIELD(client_manager, module_loaded, "ModuleLoaded", "module_loaded", 'b'),
	FIELD(client_manager, simulated, "Simulated", "simulated", 'b'),
	FIELD(client_manager, n_accelerators, "AcceleratorCount", "accelerators", 'u'),
	FIELD(client_manager, n_adopted, "AdoptedCount", "adopted", 'u'),
	FIELD(client_manager, n_work_queues, "WorkQueueCount", "work_queues", 'u'),
	FIELD(client_manager, n_mdevs, "MdevCount", "mdevs", 'u'),
	FIELD(client_manager, n_definitions, "DefinitionCount", "definitions", 'u'),
	FIELD(client_manager, bad_files, "BadFiles", "bad_files", 'a'),
};

/* The path of an object comes before its properties, not as one of them. */
static const struct client_field accelerator_fields[] = {
	FIELD(client_accelerator, path, NULL, NULL, 'o'),
	FIELD(client_accelerator, name, "Name", "name", 's'),
	FIELD(client_accelerator, pci, "PciAddress", "pci_address", 's'),
	FIELD(client_accelerator, kind, "Kind", "kind", 's'),
	FIELD(client_accelerator, device_id, "DeviceId", "device_id", 's'),
	FIELD(client_accelerator, numa_node, "NumaNode", "numa_node", 'i'),
	FIELD(client_accelerator, state, "State", "state", 's'),
	FIELD(client_accelerator, adopted, "Adopted", "adopted", 'b'),
	FIELD(client_accelerator, iommu, "Iommu", "iommu", 'b'),
	FIELD(client_accelerator, pasid, "Pasid", "pasid", 'b'),
	FIELD(client_accelerator, unsafe, "Unsafe", "unsafe", 'b'),
	FIELD(client_accelerator, erratum, "Erratum", "erratum", 's'),
	FIELD(client_accelerator, max_work_queues, "MaxWorkQueues", "max_work_queues", 'u'),
	FIELD(client_accelerator, host_work_queues, "HostWorkQueues", "host_work_queues", 'u'),
	FIELD(client_accelerator, pool_min, "PoolMin", "pool_min", 'u'),
	FIELD(client_accelerator, pool_size, "PoolSize", "pool_size", 'u'),
	FIELD(client_accelerator, max_groups, "MaxGroups", "max_groups", 'u'),
	FIELD(client_accelerator, max_engines, "MaxEngines", "max_engines", 'u'),
	FIELD(client_accelerator, total_size, "TotalSize", "total_size", 'u'),
};

static const struct client_field work_queue_fields[] = {
	FIELD(client_work_queue, path, NULL, NULL, 'o'),
	FIELD(client_work_queue, name, "Name", "name", 's'),
	FIELD(client_work_queue, accelerator, "Accelerator", "accelerator", 'o'),
	FIELD(client_work_queue, size, "Size", "size", 'u'),
	FIELD(client_work_queue, mode, "Mode", "mode", 's'),
	FIELD(client_work_queue, group, "Group", "group", 'i'),
	FIELD(client_work_queue, priority, "Priority", "priority", 'u'),
	FIELD(client_work_queue, label, "Label", "label", 's'),
	FIELD(client_work_queue, driver, "Driver", "driver", 's'),
	FIELD(client_work_queue, mdev, "Mdev", "mdev", 'o'),
	FIELD(client_work_queue, sharers, "Sharers", "sharers", 'u'),
	FIELD(client_work_queue, type, "Type", "type", 's'),
	FIELD(client_work_queue, driver_name, "DriverName", "driver_name", 's'),
	FIELD(client_work_queue, state, "State", "state", 's'),
	FIELD(client_work_queue, class, "Class", "class", 's'),
	FIELD(client_work_queue, holder, "Holder", "holder", 's'),
};

static const struct client_field mdev_fields[] = {
	FIELD(client_mdev, path, NULL, NULL, 'o'),
	FIELD(client_mdev, uuid, "Uuid", "uuid", 's'),
	FIELD(client_mdev, type, "Type", "type", 's'),
	FIELD(client_mdev, iommu_group, "IommuGroup", "iommu_group", 'i'),
	FIELD(client_mdev, managed, "Managed", "managed", 'b'),
	FIELD(client_mdev, persisted, "Persisted", "persisted", 'b'),
	FIELD(client_mdev, owner, "Owner", "owner", 'u'),
	FIELD(client_mdev, parent, "Parent", "parent", 's'),
	FIELD(client_mdev, accelerator, "Accelerator", "accelerator", 'o'),
	FIELD(client_mdev, work_queue, "WorkQueue", "wq", 'o'),
	FIELD(client_mdev, state, "State", "state", 's'),
	FIELD(client_mdev, holder, "Holder", "holder", 's'),
};

static const struct client_field definition_fields[] = {
	FIELD(client_definition, path, NULL, NULL, 'o'),
	FIELD(client_definition, uuid, "Uuid", "uuid", 's'),
	FIELD(client_definition, parent, "Parent", "parent", 's'),
	FIELD(client_definition, type, "Type", "type", 's'),
	FIELD(client_definition, work_queue, "WorkQueue", "wq", 's'),
	FIELD(client_definition, autostart, "Autostart", "autostart", 'b'),
	FIELD(client_definition, labels, "Labels", "labels", 'a'),
};

static const struct client_field type_fields[] = {
	FIELD(client_type, device, "Device", "device", 's'),
	FIELD(client_type, parent, "Parent", "parent", 's'),
	FIELD(client_type, type, "Type", "type", 's'),
	FIELD(client_type, name, "Name", "name", 's'),
	FIELD(client_type, device_api, "DeviceApi", "device_api", 's'),
	FIELD(client_type, available, "AvailableInstances", "available", 'u'),
	FIELD(client_type, creatable, "Creatable", "creatable", 'u'),
	FIELD(client_type, description, "Description", "description", 's'),
};

static const struct client_field capacity_fields[] = {
	FIELD(client_capacity, device, "Device", "device", 's'),
	FIELD(client_capacity, type, "Type", "type", 's'),
	FIELD(client_capacity, numa_node, "NumaNode", "numa_node", 'i'),
	FIELD(client_capacity, total, "Total", "total", 'u'),
	FIELD(client_capacity, free_now, "FreeNow", "free_now", 'u'),
	FIELD(client_capacity, creatable, "Creatable", "creatable", 'u'),
	FIELD(client_capacity, reserved, "Reserved", "reserved", 'u'),
	FIELD(client_capacity, host, "Host", "host", 'u'),
	FIELD(client_capacity, mdevs, "Mdevs", "mdevs", 'u'),
	FIELD(client_capacity, in_use, "MdevsInUse", "mdevs_in_use", 'u'),
	FIELD(client_capacity, exclusive, "Exclusive", "exclusive", 'u'),
	FIELD(client_capacity, foreign, "Foreign", "foreign", 'u'),
	FIELD(client_capacity, unusable, "Unusable", "unusable", 'u'),
	FIELD(client_capacity, room, "Room", "room", 'u'),
	FIELD(client_capacity, max_sharers, "MaxSharers", "max_sharers", 'u'),
	FIELD(client_capacity, quota_left, "QuotaLeft", "quota_left", 'i'),
};

static const struct client_field holder_fields[] = {
	FIELD(client_holder, wq, "WorkQueue", "wq", 's'),
	FIELD(client_holder, device, "Device", "device", 's'),
	FIELD(client_holder, kind, "Kind", "kind", 's'),
	FIELD(client_holder, driver, "Driver", "driver", 's'),
	FIELD(client_holder, label, "Label", "label", 's'),
	FIELD(client_holder, channel, "Channel", "channel", 's'),
	FIELD(client_holder, client, "Client", "client", 's'),
	FIELD(client_holder, clients, "Clients", "clients", 'u'),
	FIELD(client_holder, mdev, "Mdev", "mdev", 's'),
	FIELD(client_holder, pid, "Pid", "pid", 'u'),
	FIELD(client_holder, command, "Command", "command", 's'),
	FIELD(client_holder, exe, "Executable", "executable", 's'),
	FIELD(client_holder, unit, "Unit", "unit", 's'),
	FIELD(client_holder, container, "Container", "container", 's'),
	FIELD(client_holder, domain, "Domain", "domain", 's'),
	FIELD(client_holder, since, "Since", "since_usec", 't'),
};

const struct client_class client_manager_class =
	CLASS(client_manager, API_IFACE_MANAGER, manager_fields);
const struct client_class client_accelerator_class =
	CLASS(client_accelerator, API_IFACE_ACCELERATOR, accelerator_fields);
const struct client_class client_work_queue_class =
	CLASS(client_work_queue, API_IFACE_WORKQUEUE, work_queue_fields);
const struct client_class client_mdev_class =
	CLASS(client_mdev, API_IFACE_MDEV, mdev_fields);
const struct client_class client_definition_class =
	CLASS(client_definition, API_IFACE_DEFINITION, definition_fields);
const struct client_class client_capacity_class =
	CLASS(client_capacity, NULL, capacity_fields);
const struct client_class client_holder_class =
	CLASS(client_holder, NULL, holder_fields);
const struct client_class client_type_class =
	CLASS(client_type, NULL, type_fields);

static bool is_string(const struct client_field *f)
{
	return f->type == 's' || f->type == 'o' || f->type == 'a';
}

void client_record_done(const struct client_class *class, void *record)
{
	size_t i;

	for (i = 0; i < class->n_fields; i++) {
		char **s = (char **)((char *)record + class->fields[i].offset);

		if (!is_string(&class->fields[i]))
			continue;
		free(*s);
		*s = NULL;
	}
}

void client_list_done(struct client_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		client_record_done(l->class, (char *)l->items + i * l->class->size);
	free(l->items);
	*l = (struct client_list){ .class = l->class };
}

void client_manager_done(struct client_manager *m)
{
	client_record_done(&client_manager_class, m);
}

void client_snapshot_done(struct client_snapshot *s)
{
	client_list_done(&s->accelerators);
	client_list_done(&s->work_queues);
	client_list_done(&s->mdevs);
	client_list_done(&s->definitions);
}

/* The strings of an array, each with a newline behind it. */
static int read_lines(sd_bus_message *m, char **place)
{
	char *text = NULL;
	const char *s;
	size_t size;
	FILE *f;
	int r;

	r = sd_bus_message_enter_container(m, 'v', "as");
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "s");
	if (r < 0)
		return r;
	f = open_memstream(&text, &size);
	if (!f)
		return -ENOMEM;
	while ((r = sd_bus_message_read(m, "s", &s)) > 0)
		fprintf(f, "%s\n", s);
	if (fclose(f) && r >= 0)
		r = -ENOMEM;
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0) {
		free(text);
		return r;
	}
	free(*place);
	*place = text;
	return 0;
}

/* Reads the variant that comes next; a property of another type than the table's is an error. */
static int read_field(sd_bus_message *m, const struct client_field *f, void *record)
{
	char sig[2] = { f->type, '\0' };
	void *place = (char *)record + f->offset;
	const char *s;
	char *copy;
	int b, r;

	switch (f->type) {
	case 's':
	case 'o':
		r = sd_bus_message_read(m, "v", sig, &s);
		if (r < 0)
			return r;
		copy = strdup(s);
		if (!copy)
			return -ENOMEM;
		free(*(char **)place);
		*(char **)place = copy;
		return 0;
	case 'a':
		return read_lines(m, place);
	case 'b':
		r = sd_bus_message_read(m, "v", sig, &b);
		if (r < 0)
			return r;
		*(bool *)place = b;
		return 0;
	default:
		return sd_bus_message_read(m, "v", sig, place);
	}
}

static const struct client_field *find_field(const struct client_class *class, const char *name)
{
	size_t i;

	for (i = 0; i < class->n_fields; i++)
		if (class->fields[i].property && !strcmp(class->fields[i].property, name))
			return &class->fields[i];

	return NULL;
}

/* Gives every string that the daemon did not send the value "". */
static int fill_strings(const struct client_class *class, void *record)
{
	size_t i;

	for (i = 0; i < class->n_fields; i++) {
		char **s = (char **)((char *)record + class->fields[i].offset);

		if (!is_string(&class->fields[i]))
			continue;
		if (*s)
			continue;
		*s = strdup("");
		if (!*s)
			return -ENOMEM;
	}

	return 0;
}

int client_record_read(sd_bus_message *m, const struct client_class *class, void *record)
{
	const struct client_field *f;
	const char *name;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;

	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = sd_bus_message_read(m, "s", &name);
		if (r < 0)
			return r;

		f = find_field(class, name);
		r = f ? read_field(m, f, record) : sd_bus_message_skip(m, "v");
		if (r < 0)
			return r;

		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;

	r = sd_bus_message_exit_container(m);
	if (r < 0)
		return r;

	return fill_strings(class, record);
}

int client_list_grow(struct client_list *l, void **ret)
{
	size_t size = l->class->size;
	void *items;

	items = reallocarray(l->items, l->n + 1, size);
	if (!items)
		return -ENOMEM;

	l->items = items;
	*ret = memset((char *)items + l->n * size, 0, size);
	l->n++;
	return 0;
}

/* The name a person knows an object by; the empty string for the path "/", which is "none". */
const char *client_snapshot_name(const struct client_snapshot *s, const char *path)
{
	const struct client_accelerator *a = s->accelerators.items;
	const struct client_work_queue *q = s->work_queues.items;
	const struct client_mdev *d = s->mdevs.items;
	size_t i;

	for (i = 0; i < s->accelerators.n; i++)
		if (!strcmp(a[i].path, path))
			return a[i].name;
	for (i = 0; i < s->work_queues.n; i++)
		if (!strcmp(q[i].path, path))
			return q[i].name;
	for (i = 0; i < s->mdevs.n; i++)
		if (!strcmp(d[i].path, path))
			return d[i].uuid;

	return "";
}
