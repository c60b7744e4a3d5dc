/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls that only read: each reply becomes records and goes no further as a message. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "cli/client-call.h"
#include "cli/client-record.h"
#include "cli/client.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

static int call_alone(struct client *c, const char *method)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = client_call_new(c, API_IFACE_MANAGER, method, &m);
	if (r < 0)
		return r;

	return client_call(c, m, NULL);
}

int client_refresh(struct client *c)
{
	return call_alone(c, "Refresh");
}

int client_cancel_apply(struct client *c)
{
	return call_alone(c, "CancelApply");
}

int client_get_manager(struct client *c, struct client_manager *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	_cleanup_(client_manager_done) struct client_manager manager = { 0 };
	int r;

	r = client_call_new(c, "org.freedesktop.DBus.Properties", "GetAll", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", API_IFACE_MANAGER);
	if (r < 0)
		return r;
	r = client_call(c, m, &reply);
	if (r < 0)
		return r;
	r = client_record_read(reply, &client_manager_class, &manager);
	if (r < 0)
		return r;

	*ret = manager;
	manager = (struct client_manager){ 0 };
	return 0;
}

/* One {sa{sv}} of an object: ours goes to the list of its class, a standard one is skipped. */
static int read_interface(sd_bus_message *m, const char *path, struct client_snapshot *s)
{
	struct client_list *lists[] = {
		&s->accelerators, &s->work_queues, &s->mdevs, &s->definitions,
	};
	const char *iface;
	void *record;
	size_t i;
	int r;

	r = sd_bus_message_read(m, "s", &iface);
	if (r < 0)
		return r;

	for (i = 0; i < ARRAY_LEN(lists); i++) {
		if (strcmp(lists[i]->class->iface, iface))
			continue;

		r = client_list_grow(lists[i], &record);
		if (r < 0)
			return r;
		*(char **)record = strdup(path);	/* path is the first member of each class */
		if (!*(char **)record)
			return -ENOMEM;
		return client_record_read(m, lists[i]->class, record);
	}

	return sd_bus_message_skip(m, "a{sv}");
}

static int read_object(sd_bus_message *m, struct client_snapshot *s)
{
	const char *path;
	int r;

	r = sd_bus_message_read(m, "o", &path);
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	if (r < 0)
		return r;

	while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = read_interface(m, path, s);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;

	return sd_bus_message_exit_container(m);
}

static int compare_accelerators(const void *a, const void *b)
{
	const struct client_accelerator *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int compare_work_queues(const void *a, const void *b)
{
	const struct client_work_queue *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int compare_mdevs(const void *a, const void *b)
{
	const struct client_mdev *x = a, *y = b;

	return strcmp(x->uuid, y->uuid);
}

static int compare_definitions(const void *a, const void *b)
{
	const struct client_definition *x = a, *y = b;

	return strcmp(x->uuid, y->uuid);
}

static int compare_types(const void *a, const void *b)
{
	const struct client_type *x = a, *y = b;
	int d = strverscmp(x->device, y->device);

	return d ? d : strcmp(x->type, y->type);
}

static int compare_capacity(const void *a, const void *b)
{
	const struct client_capacity *x = a, *y = b;
	int d = strverscmp(x->device, y->device);

	return d ? d : strcmp(x->type, y->type);
}

static int compare_holders(const void *a, const void *b)
{
	const struct client_holder *x = a, *y = b;
	int d = strverscmp(x->wq, y->wq);

	return d ? d : (x->pid > y->pid) - (x->pid < y->pid);
}

static void list_sort(struct client_list *l, int (*compare)(const void *a, const void *b))
{
	if (l->n)
		qsort(l->items, l->n, l->class->size, compare);
}

int client_get_snapshot(struct client *c, struct client_snapshot *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	_cleanup_(client_snapshot_done) struct client_snapshot s = {
		.accelerators.class = &client_accelerator_class,
		.work_queues.class = &client_work_queue_class,
		.mdevs.class = &client_mdev_class,
		.definitions.class = &client_definition_class,
	};
	int r;

	r = client_call_new(c, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &m);
	if (r < 0)
		return r;
	r = client_call(c, m, &reply);
	if (r < 0)
		return r;

	r = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}")) > 0) {
		r = read_object(reply, &s);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(reply);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;

	list_sort(&s.accelerators, compare_accelerators);
	list_sort(&s.work_queues, compare_work_queues);
	list_sort(&s.mdevs, compare_mdevs);
	list_sort(&s.definitions, compare_definitions);

	*ret = s;
	s.accelerators = (struct client_list){ .class = &client_accelerator_class };
	s.work_queues = (struct client_list){ .class = &client_work_queue_class };
	s.mdevs = (struct client_list){ .class = &client_mdev_class };
	s.definitions = (struct client_list){ .class = &client_definition_class };
	return 0;
}

/* A method that answers with an array of a{sv}; @word NULL: it takes no argument. */
static int get_list(struct client *c, const char *method, const char *word,
		    int (*compare)(const void *a, const void *b), struct client_list *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	_cleanup_(client_list_done) struct client_list l = { .class = ret->class };
	void *record;
	int r;

	r = client_call_new(c, API_IFACE_MANAGER, method, &m);
	if (r >= 0 && word)
		r = sd_bus_message_append(m, "s", word);
	if (r < 0)
		return r;
	r = client_call(c, m, &reply);
	if (r < 0)
		return r;

	r = sd_bus_message_enter_container(reply, 'a', "a{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_at_end(reply, 0)) == 0) {
		r = client_list_grow(&l, &record);
		if (r < 0)
			return r;
		r = client_record_read(reply, l.class, record);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;

	list_sort(&l, compare);
	*ret = l;
	l = (struct client_list){ .class = ret->class };
	return 0;
}

int client_get_types(struct client *c, struct client_list *ret)
{
	return get_list(c, "ListTypes", NULL, compare_types, ret);
}

int client_get_capacity(struct client *c, struct client_list *ret)
{
	return get_list(c, "GetCapacity", NULL, compare_capacity, ret);
}

int client_get_holders(struct client *c, const char *wq, struct client_list *ret)
{
	return get_list(c, "ListHolders", wq, compare_holders, ret);
}

void client_reason_done(struct client_reason *r)
{
	free(r->class);
	free(r->error);
	free(r->reason);
	free(r->remedy);
}

int client_explain(struct client *c, const char *wq, struct client_reason *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	const char *class, *error, *reason, *remedy;
	int r;

	r = client_call_new(c, API_IFACE_MANAGER, "Explain", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", wq);
	if (r >= 0)
		r = client_call(c, m, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "ssss", &class, &error, &reason, &remedy);
	if (r < 0)
		return r;
	*ret = (struct client_reason) {
		strdup(class), strdup(error), strdup(reason), strdup(remedy),
	};
	if (ret->class && ret->error && ret->reason && ret->remedy)
		return 0;
	client_reason_done(ret);
	return -ENOMEM;
}

int client_export(struct client *c, char **ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	const char *document;
	int r;

	r = client_call_new(c, API_IFACE_MANAGER, "Export", &m);
	if (r >= 0)
		r = client_call(c, m, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &document);
	if (r < 0)
		return r;
	*ret = strdup(document);
	return *ret ? 0 : -ENOMEM;
}
