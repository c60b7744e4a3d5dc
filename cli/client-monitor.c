/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's signals, as events with properties in JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>
#include <systemd/sd-bus.h>

#include "cli/client-call.h"
#include "cli/client.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"

struct monitor {
	int (*handle)(const struct client_event *e, void *userdata);
	void *userdata;
	int result;
};

static const struct kind {
	const struct client_class *class;
	const char *name, *prefix;
} kinds[] = {
	{ &client_accelerator_class, "accelerator", API_PREFIX_ACCELERATOR },
	{ &client_work_queue_class, "work_queue", API_PREFIX_WORKQUEUE },
	{ &client_mdev_class, "mdev", API_PREFIX_MDEV },
	{ &client_definition_class, "definition", API_PREFIX_MDEV },
	{ &client_manager_class, "manager", NULL },
};

static const struct kind *find_kind(const char *iface)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].class->iface, iface))
			return &kinds[i];
	return NULL;
}

/* The part of an object's path that tells it from others, as it was before it was escaped. */
static char *object_name(const char *path)
{
	char *name = NULL;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].prefix && sd_bus_path_decode(path, kinds[i].prefix, &name) > 0)
			return name;
	return strdup("");
}

static int send_event(struct monitor *m, const char *event, const struct kind *k, const char *path,
		      struct json_object *properties)
{
	_cleanup_(freep) char *object = object_name(path);
	struct client_event e = { event, k->name, object, properties };

	if (!object)
		return -ENOMEM;
	m->result = m->handle(&e, m->userdata);
	return m->result;
}

/* --- properties ------------------------------------------------------------------------------ */

static const char *key_of(const struct client_class *class, const char *property)
{
	for (size_t i = 0; i < class->n_fields; i++)
		if (class->fields[i].property && !strcmp(class->fields[i].property, property))
			return class->fields[i].key;
	return NULL;
}

static int read_strings(sd_bus_message *m, struct json_object **ret)
{
	struct json_object *array = json_object_new_array();
	const char *s;
	int r;

	r = array ? sd_bus_message_enter_container(m, 'a', "s") : -ENOMEM;
	while (r >= 0 && (r = sd_bus_message_read(m, "s", &s)) > 0)
		if (json_object_array_add(array, json_object_new_string(s)) < 0)
			r = -ENOMEM;
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0) {
		json_object_put(array);
		return r;
	}
	*ret = array;
	return 0;
}

/* *@ret stays NULL for a type that no property of ours has. */
static int read_variant(sd_bus_message *m, struct json_object **ret)
{
	_cleanup_(freep) char *name = NULL;
	const char *contents, *s;
	uint64_t t;
	uint32_t u;
	int32_t i;
	int r, b;

	r = sd_bus_message_peek_type(m, NULL, &contents);
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(m, 'v', contents);
	if (r < 0)
		return r;

	if (!strcmp(contents, "s") && (r = sd_bus_message_read(m, "s", &s)) >= 0) {
		*ret = json_object_new_string(s);
	} else if (!strcmp(contents, "o") && (r = sd_bus_message_read(m, "o", &s)) >= 0) {
		name = object_name(s);
		*ret = json_object_new_string(name ? name : "");
	} else if (!strcmp(contents, "b") && (r = sd_bus_message_read(m, "b", &b)) >= 0) {
		*ret = json_object_new_boolean(b);
	} else if (!strcmp(contents, "u") && (r = sd_bus_message_read(m, "u", &u)) >= 0) {
		*ret = json_object_new_int64(u);
	} else if (!strcmp(contents, "i") && (r = sd_bus_message_read(m, "i", &i)) >= 0) {
		*ret = json_object_new_int(i);
	} else if (!strcmp(contents, "t") && (r = sd_bus_message_read(m, "t", &t)) >= 0) {
		*ret = json_object_new_int64(t);
	} else if (!strcmp(contents, "as")) {
		r = read_strings(m, ret);
	} else if (r >= 0) {
		r = sd_bus_message_skip(m, contents);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_properties(sd_bus_message *m, const struct client_class *class,
			   struct json_object **ret)
{
	_cleanup_(json_putp) struct json_object *o = json_object_new_object();
	int r;

	r = o ? sd_bus_message_enter_container(m, 'a', "{sv}") : -ENOMEM;
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		struct json_object *value = NULL;
		const char *property, *key;

		r = sd_bus_message_read(m, "s", &property);
		if (r >= 0)
			r = read_variant(m, &value);
		if (r < 0)
			return r;
		key = key_of(class, property);
		if (!key || !value || json_object_object_add(o, key, value) < 0)
			json_object_put(value);
		r = sd_bus_message_exit_container(m);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0)
		return r;
	*ret = TAKE(o);
	return 0;
}

/* --- signals --------------------------------------------------------------------------------- */

static int on_added(sd_bus_message *m, void *userdata, sd_bus_error *err)
{
	const char *path, *iface;
	int r;

	r = sd_bus_message_read(m, "o", &path);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		_cleanup_(json_putp) struct json_object *properties = NULL;
		const struct kind *k;

		r = sd_bus_message_read(m, "s", &iface);
		if (r < 0)
			return r;
		k = find_kind(iface);
		r = k ? read_properties(m, k->class, &properties) : sd_bus_message_skip(m, "a{sv}");
		if (r >= 0 && k)
			r = send_event(userdata, "added", k, path, properties);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *err)
{
	_cleanup_(json_putp) struct json_object *nothing = json_object_new_object();
	const char *path, *iface;
	int r;

	r = sd_bus_message_read(m, "o", &path);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(m, "s", &iface)) > 0) {
		const struct kind *k = find_kind(iface);

		if (k)
			r = send_event(userdata, "removed", k, path, nothing);
	}
	return r < 0 ? r : 0;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *err)
{
	_cleanup_(json_putp) struct json_object *properties = NULL;
	const struct kind *k;
	const char *iface;
	int r;

	r = sd_bus_message_read(m, "s", &iface);
	if (r < 0)
		return r;
	k = find_kind(iface);
	if (!k)
		return 0;
	r = read_properties(m, k->class, &properties);
	return r < 0 ? r : send_event(userdata, "changed", k, sd_bus_message_get_path(m), properties);
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *err)
{
	_cleanup_(json_putp) struct json_object *nothing = json_object_new_object();
	static const struct kind daemon = { NULL, "daemon", NULL };
	const char *name, *was, *is;
	int r;

	r = sd_bus_message_read(m, "sss", &name, &was, &is);
	return r < 0 ? r : send_event(userdata, *is ? "started" : "stopped", &daemon, "/", nothing);
}

int client_monitor(struct client *c, int (*handle)(const struct client_event *e, void *userdata),
		   void *userdata)
{
	static const struct {
		const char *match;
		sd_bus_message_handler_t handler;
	} matches[] = {
#define FROM "type='signal',sender='" API_BUS_NAME "',path_namespace='" API_ROOT "',member="
		{ FROM "'InterfacesAdded'", on_added },
		{ FROM "'InterfacesRemoved'", on_removed },
		{ FROM "'PropertiesChanged'", on_changed },
#undef FROM
		{ "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='"
		  API_BUS_NAME "'", on_owner },
	};
	struct monitor m = { handle, userdata, 0 };
	sd_bus *bus = client_bus(c);
	int r = bus ? 0 : -ENOTCONN;

	for (size_t i = 0; i < ARRAY_LEN(matches) && r >= 0; i++)
		r = sd_bus_add_match(bus, NULL, matches[i].match, matches[i].handler, &m);
	while (r >= 0 && m.result >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	return r < 0 ? r : m.result;
}
