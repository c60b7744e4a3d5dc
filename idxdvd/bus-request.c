/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of org.idxdvd1.Manager that the manager carries out, and their answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-request.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/holding.h"
#include "idxdvd/manager.h"

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
			    manager_find_mdev(b->manager, res->uuid) ||
			    manager_find_definition(b->manager, res->uuid) ? res->uuid : "");
	if (r < 0)
		return r;

	return fill_plan(b, reply, res);
}

static int append_holding(sd_bus_message *reply, const struct holding *h)
{
	const struct {
		const char *key, *text;
	} texts[] = {
		{ "WorkQueue", h->wq }, { "Kind", holding_kind_name(h->kind) }, { "Mdev", h->mdev },
		{ "Driver", h->name }, { "Command", h->comm }, { "Executable", h->exe },
		{ "Unit", h->unit }, { "Container", h->container }, { "Domain", h->domain },
	};
	int r;

	r = sd_bus_message_open_container(reply, 'a', "{sv}");
	for (size_t i = 0; i < ARRAY_LEN(texts) && r >= 0; i++)
		r = bus_append_text_entry(reply, texts[i].key, texts[i].text);
	if (r >= 0)
		r = sd_bus_message_append(reply, "{sv}{sv}{sv}", "Pid", "u", (uint32_t)h->pid,
					  "Clients", "u", h->clients, "Since", "t", h->since_usec);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int fill_holdings(struct bus *b, sd_bus_message *reply, const struct manager_result *res)
{
	int r;

	r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; i < res->n_holdings && r >= 0; i++)
		r = append_holding(reply, &res->holdings[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
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

/* --- one call inwards; request_done() replies ------------------------------------------------ */

static void do_adopt(struct request *q, const char *device, const struct bus_options *o)
{
	struct adopt_options opts = { .host_wqs = o->host_wqs, .pool_min = o->pool_min };

	opts.set = (o->set & BUS_HOST_WQS ? ADOPT_HOST_WQS : 0) |
		   (o->set & BUS_POOL_MIN ? ADOPT_POOL_MIN : 0) |
		   (o->dry_run ? ADOPT_DRY_RUN : 0);
	manager_adopt(q->b->manager, device, &opts, request_done, q);
}

static void do_release(struct request *q, const char *device, const struct bus_options *o)
{
	manager_release(q->b->manager, device, o->dry_run, request_done, q);
}

#define PLACE_OPTIONS (BUS_PLACEMENT | BUS_NUMA_NODE | BUS_MIN_SIZE)

static void do_create(struct request *q, const char *type, const struct bus_options *o)
{
	struct create_request req = {
		.type = type, .parent = o->parent, .uuid = o->uuid, .wq = o->wq,
		.flags = (o->dry_run ? CREATE_DRY_RUN : 0) |
			 (o->set & PLACE_OPTIONS ? CREATE_PLACE : 0),
		.placement = o->placement, .min_size = o->min_size,
		.numa_node = o->set & BUS_NUMA_NODE ? o->numa_node : -1,
	};

	manager_create_mdev(q->b->manager, &req, request_done, q);
}

static void do_destroy(struct request *q, const char *uuid, const struct bus_options *o)
{
	manager_destroy_mdev(q->b->manager, uuid, o->dry_run, request_done, q);
}

static struct define_request define_request(const struct bus_options *o)
{
	return (struct define_request) {
		.set = (o->set & BUS_TYPE ? DEFINE_TYPE : 0) | (o->set & BUS_WQ ? DEFINE_WQ : 0) |
		       (o->set & BUS_AUTOSTART ? DEFINE_AUTOSTART : 0) |
		       (o->set & BUS_LABELS ? DEFINE_LABELS : 0) |
		       (o->dry_run ? DEFINE_DRY_RUN : 0),
		.uuid = o->uuid, .parent = o->parent, .type = o->type, .wq = o->wq,
		.autostart = o->autostart, .labels = o->labels,
	};
}

static void do_define(struct request *q, const char *type, const struct bus_options *o)
{
	struct define_request req = define_request(o);

	req.type = type;
	manager_define(q->b->manager, &req, request_done, q);
}

static void do_modify(struct request *q, const char *uuid, const struct bus_options *o)
{
	struct define_request req = define_request(o);

	req.uuid = uuid;
	manager_modify(q->b->manager, &req, request_done, q);
}

static void do_undefine(struct request *q, const char *uuid, const struct bus_options *o)
{
	manager_undefine(q->b->manager, uuid, o->dry_run, request_done, q);
}

static void do_start(struct request *q, const char *uuid, const struct bus_options *o)
{
	manager_start_mdev(q->b->manager, uuid, o->dry_run, request_done, q);
}

static void do_apply(struct request *q, const char *document, const struct bus_options *o)
{
	manager_apply(q->b->manager, document, o->dry_run, request_done, q);
}

#define DEFINE_OPTIONS (BUS_WQ | BUS_AUTOSTART | BUS_LABELS | BUS_DRY_RUN)

/* Methods of the signature sa{sv}: what the string is called, and what else they take. */
static const struct method {
	const char *member, *what;
	size_t max;
	unsigned int options;
	const char *action;
	int (*fill)(struct bus *b, sd_bus_message *reply, const struct manager_result *res);
	void (*act)(struct request *q, const char *word, const struct bus_options *o);
} methods[] = {
	{ "Adopt", "device", API_DEVICE_MAX, BUS_HOST_WQS | BUS_POOL_MIN | BUS_DRY_RUN,
	  API_ACTION_MANAGE_WQ, fill_plan, do_adopt },
	{ "Release", "device", API_DEVICE_MAX, BUS_DRY_RUN,
	  API_ACTION_MANAGE_WQ, fill_plan, do_release },
	{ "CreateMdev", "type", API_TYPE_MAX, BUS_PARENT | BUS_UUID | BUS_WQ |
	  PLACE_OPTIONS | BUS_DRY_RUN,
	  API_ACTION_MANAGE_MDEV, fill_mdev, do_create },
	{ "DestroyMdev", "uuid", API_UUID_MAX, BUS_DRY_RUN,
	  API_ACTION_MANAGE_MDEV, fill_plan, do_destroy },
	{ "Define", "type", API_TYPE_MAX, DEFINE_OPTIONS | BUS_PARENT | BUS_UUID,
	  API_ACTION_DEFINE, fill_mdev, do_define },
	{ "Modify", "uuid", API_UUID_MAX, DEFINE_OPTIONS | BUS_TYPE,
	  API_ACTION_DEFINE, fill_plan, do_modify },
	{ "Undefine", "uuid", API_UUID_MAX, BUS_DRY_RUN,
	  API_ACTION_DEFINE, fill_plan, do_undefine },
	{ "Start", "uuid", API_UUID_MAX, BUS_DRY_RUN,
	  API_ACTION_MANAGE_MDEV, fill_mdev, do_start },
	{ "Apply", "document", API_DOCUMENT_MAX, BUS_DRY_RUN,
	  API_ACTION_APPLY, fill_plan, do_apply },
	{ "Stop", "uuid", API_UUID_MAX, BUS_DRY_RUN,
	  API_ACTION_MANAGE_MDEV, fill_plan, do_destroy },
};

static const struct method *find_method(const char *member)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (!strcmp(methods[i].member, member))
			return &methods[i];
	return NULL;
}

/* Decode and bound, authorise, one call inwards. */
int bus_method_act(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	const struct method *m = find_method(sd_bus_message_get_member(msg));
	_cleanup_(bus_options_done) struct bus_options o = { 0 };
	struct bus *b = userdata;
	struct request *q;
	const char *word;
	int r;

	if (!m)
		return -ENOSYS;
	r = bus_read_name(msg, m->what, m->max, &word, err);
	if (r < 0)
		return r;
	r = bus_read_options(msg, m->options, &o, err);
	if (r < 0)
		return r;

	r = bus_authorize(msg, m->action, err);
	if (r <= 0)
		return r;
	r = request_new(b, msg, &b->n_changing, &q, err);
	if (r < 0)
		return r;
	q->fill = m->fill;
	m->act(q, word, &o);
	return 1;
}

/* Everybody may ask for it: it only reads. */
int bus_method_refresh(sd_bus_message *msg, void *userdata, sd_bus_error *err)
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

/* Names processes of others, so not everybody may ask. */
int bus_method_list_holders(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	struct bus *b = userdata;
	struct request *q;
	const char *wq;
	int r;

	r = sd_bus_message_read(msg, "s", &wq);
	if (r < 0)
		return r;
	if (strlen(wq) > API_DEVICE_MAX)
		return bus_refuse_args(err, "wq: no name has more than %d bytes", API_DEVICE_MAX);
	r = bus_authorize(msg, API_ACTION_LIST_HOLDERS, err);
	if (r <= 0)
		return r;
	r = request_new(b, msg, &b->n_refreshing, &q, err);
	if (r < 0)
		return r;
	q->fill = fill_holdings;

	manager_holdings(b->manager, *wq ? wq : NULL, request_done, q);
	return 1;
}
