/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function per bus call; a reply becomes plain structs here and goes no further as a message. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "cli/cli.h"
#include "cli/client-record.h"
#include "cli/client.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

#define USEC_PER_SEC 1000000u

struct client {
	sd_bus *bus;
	sd_bus_error err;
	uint64_t timeout_usec;
	bool connected;
};

struct client *client_free(struct client *c)
{
	if (!c)
		return NULL;

	sd_bus_error_free(&c->err);
	sd_bus_flush_close_unref(c->bus);
	free(c);
	return NULL;
}

void client_freep(struct client **c)
{
	client_free(*c);
}

/*
 * Without a bus the client is still made: the first call fails and client_complain() has the words
 * for it.
 */
int client_new(uint64_t timeout_usec, struct client **ret)
{
	struct client *c;
	int r;

	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;

	c->timeout_usec = timeout_usec;
	r = sd_bus_open_system(&c->bus);
	c->connected = r >= 0;
	if (r < 0)
		sd_bus_error_set_errno(&c->err, r);

	*ret = c;
	return 0;
}

/* Refusals */

/* The exit status for an error that the daemon, or the bus on its behalf, has given; -1: unknown. */
static int exit_by_name(const char *name)
{
	static const struct {
		const char *name;
		enum api_exit status;
	} map[] = {
#define ROW(kind, error, err, status) { error, status },
		API_ERRORS(ROW)
#undef ROW
		{ SD_BUS_ERROR_ACCESS_DENIED, API_EXIT_PERMISSION },
		{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, API_EXIT_PERMISSION },
		{ SD_BUS_ERROR_LIMITS_EXCEEDED, API_EXIT_FAILURE },
		{ SD_BUS_ERROR_UNKNOWN_OBJECT, API_EXIT_NOT_FOUND },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(map); i++)
		if (!strcmp(map[i].name, name))
			return map[i].status;

	return -1;
}

/* A failed start has many error names, so the bus is asked what matters. */
static bool is_running(const struct client *c)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r, owned = 0;

	r = sd_bus_call_method(c->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
			       "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s",
			       API_BUS_NAME);
	if (r < 0)
		return false;

	r = sd_bus_message_read(reply, "b", &owned);
	return r >= 0 && owned;
}

int client_complain(const struct client *c, const char *what, int r)
{
	const char *name = c->err.name ? c->err.name : "";
	const char *text = c->err.message ? c->err.message : strerror(-r);
	int status = exit_by_name(name);

	if (!c->connected) {
		fprintf(stderr, "idxdctl: %s: cannot reach the system bus (%s); idxdvd is spoken to "
			"over D-Bus: start dbus.service, then 'systemctl start idxdvd'\n", what, text);
		return API_EXIT_FAILURE;
	}

	if (!strcmp(name, SD_BUS_ERROR_TIMEOUT)) {
		fprintf(stderr, "idxdctl: %s: no answer from idxdvd within %" PRIu64 " s; the request "
			"may still be carried out: see 'idxdctl list', or wait longer with "
			"--timeout\n", what, c->timeout_usec / USEC_PER_SEC);
		return API_EXIT_TIMEOUT;
	}

	if (!strcmp(name, SD_BUS_ERROR_NO_REPLY)) {
		fprintf(stderr, "idxdctl: %s: idxdvd went away before it answered (%s); its next start "
			"finishes or undoes the request: see 'idxdctl list' and 'journalctl -u "
			"idxdvd'\n", what, text);
		return API_EXIT_FAILURE;
	}

	if (status < 0 && !is_running(c)) {
		fprintf(stderr, "idxdctl: %s: idxdvd is not running and the bus could not start it "
			"(%s); try 'systemctl start idxdvd', then 'systemctl status idxdvd'\n",
			what, text);
		return API_EXIT_FAILURE;
	}

	/* The bus itself refuses strangers, in words that do not say what would help. */
	if (status == API_EXIT_PERMISSION && !strstr(text, "become root"))
		text = "this user may not do that; become root, e.g. with sudo";

	fprintf(stderr, "idxdctl: %s: %s\n", what, text);
	return status < 0 ? API_EXIT_FAILURE : status;
}

/* Calls */

static int method_new(struct client *c, const char *method, sd_bus_message **ret)
{
	if (!c->connected)
		return -ENOTCONN;

	return sd_bus_message_new_method_call(c->bus, ret, API_BUS_NAME, API_ROOT,
					      API_IFACE_MANAGER, method);
}

static int call(struct client *c, sd_bus_message *m, sd_bus_message **ret)
{
	sd_bus_error_free(&c->err);
	return sd_bus_call(c->bus, m, c->timeout_usec, &c->err, ret);
}

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
		{ CLI_HOST_WQS, "host-wqs", NULL, args->host_wqs },
		{ CLI_POOL_MIN, "pool-min", NULL, args->pool_min },
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

	r = method_new(c, method, &m);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "s", name);
	if (r < 0)
		return r;
	r = append_options(m, name, args);
	if (r < 0)
		return r;

	return call(c, m, ret);
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

/* Replies into records */

int client_refresh(struct client *c)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = method_new(c, "Refresh", &m);
	if (r < 0)
		return r;

	return call(c, m, NULL);
}

int client_get_manager(struct client *c, struct client_manager *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	_cleanup_(client_manager_done) struct client_manager manager = { 0 };
	int r;

	if (!c->connected)
		return -ENOTCONN;

	r = sd_bus_message_new_method_call(c->bus, &m, API_BUS_NAME, API_ROOT,
					   "org.freedesktop.DBus.Properties", "GetAll");
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "s", API_IFACE_MANAGER);
	if (r < 0)
		return r;
	r = call(c, m, &reply);
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

	if (!c->connected)
		return -ENOTCONN;

	r = sd_bus_message_new_method_call(c->bus, &m, API_BUS_NAME, API_ROOT,
					   "org.freedesktop.DBus.ObjectManager",
					   "GetManagedObjects");
	if (r < 0)
		return r;
	r = call(c, m, &reply);
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

	r = method_new(c, method, &m);
	if (r >= 0 && word)
		r = sd_bus_message_append(m, "s", word);
	if (r < 0)
		return r;
	r = call(c, m, &reply);
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

	r = method_new(c, "Explain", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", wq);
	if (r >= 0)
		r = call(c, m, &reply);
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

	r = method_new(c, "Export", &m);
	if (r >= 0)
		r = call(c, m, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &document);
	if (r < 0)
		return r;
	*ret = strdup(document);
	return *ret ? 0 : -ENOMEM;
}
