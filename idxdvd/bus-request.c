/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of org.idxdvd1.Manager that the manager carries out, and their answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-authority.h"
#include "idxdvd/bus-fill.h"
#include "idxdvd/bus-lease.h"
#include "idxdvd/bus-request.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/definition.h"
#include "idxdvd/manager.h"

/* --- requests as objects --------------------------------------------------------------------- */

/*
 * A call that is not answered yet; it keeps the message, so that the answer finds its way. Kinds
 * are counted apart: those that everybody may send must not use up the room of the others.
 */
enum request_kind {
	REQUEST_ASKING,			/* polkit has not answered yet */
	REQUEST_CHANGING,
	REQUEST_READING,
	REQUEST_KIND_COUNT,
};

struct request {
	struct request *prev, *next;
	struct bus *b;
	sd_bus_message *msg;
	uid_t uid;
	enum request_kind kind, then;	/* then: what it becomes when it is allowed */
	const struct method *method;
	const char *word;		/* in the message, as the strings of the options */
	struct bus_options options;
	struct bus_details details;	/* what polkit was told */
	struct bus_question *question;
};

/* Methods that polkit is asked for: what the string is called, and what else they take. */
struct method {
	const char *member, *what;
	size_t max;
	unsigned int options;
	const char *action;
	int (*fill)(struct bus *b, sd_bus_message *reply, const struct manager_result *res);
	void (*act)(struct request *q, const char *word, const struct bus_options *o);
};

static struct request *request_free(struct request *q)
{
	if (!q)
		return NULL;

	if (q->prev)
		q->prev->next = q->next;
	else
		q->b->requests = q->next;
	if (q->next)
		q->next->prev = q->prev;
	bus_question_free(q->question);
	bus_options_done(&q->options);
	sd_bus_message_unref(q->msg);
	free(q);
	return NULL;
}

static void request_freep(struct request **q)
{
	request_free(*q);
}

/* Among its kind, and among those of one user, who may not use up the room of all others. */
static int check_room(const struct request *q, sd_bus_error *err)
{
	unsigned int n_kind = 0, n_user = 0;

	for (const struct request *p = q->b->requests; p; p = p->next) {
		n_kind += p != q && p->kind == q->kind;
		n_user += p != q && p->uid == q->uid;
	}
	if (n_kind >= API_PENDING_MAX)
		return sd_bus_error_setf(err, SD_BUS_ERROR_LIMITS_EXCEEDED,
					 "idxdvd: %u requests wait already; try again later", n_kind);
	if (!bus_is_trusted(q->uid) && n_user >= API_PENDING_USER_MAX)
		return sd_bus_error_setf(err, SD_BUS_ERROR_LIMITS_EXCEEDED,
					 "idxdvd: %u requests of user %u wait already; try again later",
					 n_user, (unsigned int)q->uid);
	return 0;
}

/* @m->action NULL: everybody may, so that polkit need not be asked. */
static int request_new(struct bus *b, sd_bus_message *msg, const struct method *m,
		       enum request_kind kind, struct request **ret, sd_bus_error *err)
{
	_cleanup_(request_freep) struct request *q = NULL;
	uid_t uid;
	int r;

	r = bus_sender_uid(msg, &uid);
	if (r < 0)
		return r;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;

	q->b = b;
	q->msg = sd_bus_message_ref(msg);
	q->uid = uid;
	q->then = kind;
	q->kind = m->action && !bus_is_trusted(uid) ? REQUEST_ASKING : kind;
	q->method = m;
	q->next = b->requests;
	if (q->next)
		q->next->prev = q;
	b->requests = q;

	r = check_room(q, err);
	if (r < 0)
		return r;
	*ret = TAKE(q);
	return 0;
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
	r = q->method->fill(q->b, reply, res);
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
	if (o->force)
		manager_release_by_force(q->b->manager, device, o->dry_run, request_done, q);
	else
		manager_release(q->b->manager, device, o->dry_run, request_done, q);
}

#define PLACE_OPTIONS \
	(BUS_PLACEMENT | BUS_NUMA_NODE | BUS_MIN_SIZE | BUS_PRIORITY | BUS_MAX_TRANSFER | \
	 BUS_MAX_BATCH)

static void do_create(struct request *q, const char *type, const struct bus_options *o)
{
	char lease[LEASE_LEN];
	struct create_request req = {
		.type = type, .parent = o->parent, .uuid = o->uuid, .wq = o->wq,
		.flags = (o->dry_run ? CREATE_DRY_RUN : 0) |
			 (o->set & PLACE_OPTIONS ? CREATE_PLACE : 0),
		.placement = o->placement, .min_size = o->min_size,
		.numa_node = o->set & BUS_NUMA_NODE ? o->numa_node : -1,
		.priority = o->priority, .max_transfer = o->max_transfer,
		.max_batch = o->max_batch,
	};

	if (o->lease) {
		struct manager_result res = { .plan = "" };
		int r = bus_lease_name(q->b, q->msg, lease);

		if (r < 0) {
			r = refuse(&res.refusal, REFUSE_FAILED, -r, "lease", "ask without a lease",
				   "this client cannot be followed: %s", strerror(-r));
			request_done(q, r, &res);
			return;
		}
		req.lease = lease;
	}

	manager_create_mdev(q->b->manager, &req, request_done, q);
}

static void do_destroy(struct request *q, const char *uuid, const struct bus_options *o)
{
	if (o->force)
		manager_destroy_by_force(q->b->manager, uuid, o->dry_run, request_done, q);
	else
		manager_destroy_mdev(q->b->manager, uuid, o->dry_run, request_done, q);
}

static void do_drain(struct request *q, const char *object, const struct bus_options *o)
{
	struct drain_request req = { .object = object, .pid = o->pid & INT32_MAX, .pasid = o->pasid,
				     .dry_run = o->dry_run };

	manager_drain(q->b->manager, &req, request_done, q);
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

static void do_allow_unsafe(struct request *q, const char *device, const struct bus_options *o)
{
	manager_trust(q->b->manager, device, true, o->dry_run, request_done, q);
}

static void do_forbid_unsafe(struct request *q, const char *device, const struct bus_options *o)
{
	manager_trust(q->b->manager, device, false, o->dry_run, request_done, q);
}

static void do_apply(struct request *q, const char *document, const struct bus_options *o)
{
	manager_apply(q->b->manager, document, o->dry_run, request_done, q);
}

#define DEFINE_OPTIONS (BUS_WQ | BUS_AUTOSTART | BUS_LABELS | BUS_DRY_RUN)

static void do_list_holders(struct request *q, const char *wq, const struct bus_options *o)
{
	manager_holdings(q->b->manager, *wq ? wq : NULL, request_done, q);
}

static void do_refresh(struct request *q, const char *nothing, const struct bus_options *o)
{
	manager_refresh(q->b->manager, request_done, q);
}

static void do_cancel_apply(struct request *q, const char *nothing, const struct bus_options *o)
{
	struct manager_result res = { .plan = "" };
	int r = manager_cancel_apply(q->b->manager, &res.refusal);

	request_done(q, r, &res);
}

/* Of the signature sa{sv}. */
static const struct method methods[] = {
	{ "Adopt", "device", API_DEVICE_MAX, BUS_HOST_WQS | BUS_POOL_MIN | BUS_DRY_RUN,
	  API_ACTION_MANAGE_WQ, bus_fill_plan, do_adopt },
	{ "Release", "device", API_DEVICE_MAX, BUS_FORCE | BUS_DRY_RUN,
	  API_ACTION_MANAGE_WQ, bus_fill_plan, do_release },
	{ "AllowUnsafe", "device", API_DEVICE_MAX, BUS_DRY_RUN,
	  API_ACTION_OVERRIDE, bus_fill_plan, do_allow_unsafe },
	{ "ForbidUnsafe", "device", API_DEVICE_MAX, BUS_DRY_RUN,
	  API_ACTION_MANAGE_WQ, bus_fill_plan, do_forbid_unsafe },
	{ "CreateMdev", "type", API_TYPE_MAX, BUS_PARENT | BUS_UUID | BUS_WQ |
	  PLACE_OPTIONS | BUS_LEASE | BUS_DRY_RUN,
	  API_ACTION_MANAGE_MDEV, bus_fill_mdev, do_create },
	{ "DestroyMdev", "uuid", API_UUID_MAX, BUS_FORCE | BUS_DRY_RUN,
	  API_ACTION_MANAGE_MDEV, bus_fill_plan, do_destroy },
	{ "Define", "type", API_TYPE_MAX, DEFINE_OPTIONS | BUS_PARENT | BUS_UUID,
	  API_ACTION_DEFINE, bus_fill_mdev, do_define },
	{ "Modify", "uuid", API_UUID_MAX, DEFINE_OPTIONS | BUS_TYPE,
	  API_ACTION_DEFINE, bus_fill_plan, do_modify },
	{ "Undefine", "uuid", API_UUID_MAX, BUS_DRY_RUN,
	  API_ACTION_DEFINE, bus_fill_plan, do_undefine },
	{ "Start", "uuid", API_UUID_MAX, BUS_DRY_RUN,
	  API_ACTION_MANAGE_MDEV, bus_fill_mdev, do_start },
	{ "Apply", "document", API_DOCUMENT_MAX, BUS_DRY_RUN,
	  API_ACTION_APPLY, bus_fill_plan, do_apply },
	{ "Stop", "uuid", API_UUID_MAX, BUS_FORCE | BUS_DRY_RUN,
	  API_ACTION_MANAGE_MDEV, bus_fill_plan, do_destroy },
	{ "Drain", "object", API_UUID_MAX, BUS_PID | BUS_PASID | BUS_DRY_RUN,
	  API_ACTION_DRAIN, bus_fill_plan, do_drain },
};

/* Names processes of others, so not everybody may ask. */
static const struct method list_holders = {
	"ListHolders", "wq", API_DEVICE_MAX, 0, API_ACTION_LIST_HOLDERS, bus_fill_holdings,
	do_list_holders,
};

/* Everybody may ask for it: it only reads. */
static const struct method refresh = {
	.member = "Refresh", .fill = fill_nothing, .act = do_refresh,
};

/* Whoever may apply may cancel; not among the changes, which may have no room left. */
static const struct method cancel_apply = {
	.member = "CancelApply", .what = "nothing", .action = API_ACTION_APPLY, .fill = fill_nothing,
	.act = do_cancel_apply,
};

/* Force is a harm of its own, whatever is done by it. */
static const char *action_of(const struct request *q)
{
	return q->options.force ? API_ACTION_FORCE : q->method->action;
}

static bool is_audited(const char *action)
{
	return action && (!strcmp(action, API_ACTION_OVERRIDE) || !strcmp(action, API_ACTION_FORCE));
}

/* --- access ---------------------------------------------------------------------------------- */

#define COPY(field, text) snprintf(field, sizeof(field), "%s", text)

/* What the request is about, as far as it says; the device of what exists is looked up. */
static void find_details(const struct request *q, struct bus_details *d)
{
	const struct bus_options *o = &q->options;
	const char *device = o->parent;
	const struct accel *a = NULL;
	char word[UUID_LEN];

	memset(d, 0, sizeof(*d));
	COPY(d->method, q->method->member);
	if (!strcmp(q->method->what, "device")) {
		device = q->word;
	} else if (!strcmp(q->method->what, "type")) {
		COPY(d->type, q->word);
		COPY(d->uuid, o->uuid ? o->uuid : "");
	} else if (!strcmp(q->method->what, "wq")) {
		COPY(d->wq, q->word);
		manager_find_wq(q->b->manager, q->word, &a);
	} else if (!strcmp(q->method->what, "object") && parse_uuid(q->word, word) < 0) {
		COPY(d->wq, q->word);
		manager_find_wq(q->b->manager, q->word, &a);
	} else if (!strcmp(q->method->what, "uuid") || !strcmp(q->method->what, "object")) {
		char uuid[UUID_LEN];
		bool valid = parse_uuid(q->word, uuid) == 0;
		const struct mdev *m = valid ? manager_find_mdev(q->b->manager, uuid) : NULL;
		const struct definition *def =
			valid ? manager_find_definition(q->b->manager, uuid) : NULL;

		COPY(d->uuid, valid ? uuid : q->word);
		COPY(d->type, o->type ? o->type : m ? m->type : def ? def->type : "");
		device = m ? m->parent : def ? def->parent : NULL;
	}
	if (o->wq)
		COPY(d->wq, o->wq);
	if (!a && device)
		a = manager_find_accel(q->b->manager, device);
	COPY(d->device, a ? a->name : device ? device : "");
}

/* Allowed: one call inwards, which takes @q over. request_done() replies. */
static void act(struct request *q)
{
	struct manager *m = q->b->manager;

	if (is_audited(action_of(q))) {
		find_details(q, &q->details);
		bus_audit(q->msg, action_of(q), &q->details);
	}
	/* The request may be answered, and gone, when this returns. */
	manager_act_for(m, q->uid);
	q->method->act(q, q->word, &q->options);
	manager_act_for(m, 0);
}

/* What was allowed may mean something else by now, e.g. the same UUID on another device. */
static int check_again(struct request *q, sd_bus_error *err)
{
	struct bus_details now;

	find_details(q, &now);
	if (memcmp(&now, &q->details, sizeof(now)))
		return sd_bus_error_setf(err, SD_BUS_ERROR_ACCESS_DENIED,
					 "%s: what it is about has changed while polkit was asked; try again",
					 action_of(q));
	q->kind = q->then;
	return check_room(q, err);
}

static void on_answer(void *userdata, int r, sd_bus_error *err)
{
	_cleanup_(request_freep) struct request *q = userdata;

	q->question = bus_question_free(q->question);
	if (r == -EPIPE)
		return;
	if (r >= 0)
		r = check_again(q, err);
	if (r >= 0) {
		act(TAKE(q));
		return;
	}
	r = sd_bus_reply_method_error(q->msg, err);
	if (r < 0)
		log_warning("the refusal to %s could not be sent: %s",
			    sd_bus_message_get_sender(q->msg), strerror(-r));
}

/* At once, or when polkit allows it. */
static int act_if_allowed(struct request **q)
{
	int r;

	if ((*q)->kind != REQUEST_ASKING) {
		act(TAKE(*q));
		return 1;
	}
	find_details(*q, &(*q)->details);
	r = bus_ask((*q)->b, (*q)->msg, (*q)->uid, action_of(*q), &(*q)->details, on_answer,
		    *q, &(*q)->question);
	if (r < 0)
		return r;
	TAKE(*q);
	return 1;
}

void bus_drop_requests(struct bus *b)
{
	_cleanup_(sd_bus_error_free) sd_bus_error err = SD_BUS_ERROR_NULL;
	struct refusal why = { 0 };
	struct request *q, *next;

	refuse(&why, REFUSE_SHUTTING_DOWN, ESHUTDOWN, "idxdvd", "try again when it runs",
	       "the daemon is stopping");
	bus_refuse(&err, &why);
	for (q = b->requests; q; q = next) {
		next = q->next;
		if (q->kind != REQUEST_ASKING)
			continue;		/* the manager answers it */
		sd_bus_reply_method_error(q->msg, &err);
		request_free(q);
	}
}

/* --- the methods ----------------------------------------------------------------------------- */

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
	_cleanup_(request_freep) struct request *q = NULL;
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

	r = request_new(userdata, msg, m, REQUEST_CHANGING, &q, err);
	if (r < 0)
		return r;
	q->word = word;
	q->options = o;
	o.labels = NULL;
	return act_if_allowed(&q);
}

int bus_method_refresh(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	_cleanup_(request_freep) struct request *q = NULL;
	int r;

	r = request_new(userdata, msg, &refresh, REQUEST_READING, &q, err);
	if (r < 0)
		return r;
	return act_if_allowed(&q);
}

int bus_method_cancel_apply(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	_cleanup_(request_freep) struct request *q = NULL;
	int r;

	r = request_new(userdata, msg, &cancel_apply, REQUEST_READING, &q, err);
	if (r < 0)
		return r;
	return act_if_allowed(&q);
}

int bus_method_list_holders(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	_cleanup_(request_freep) struct request *q = NULL;
	const char *wq;
	int r;

	r = sd_bus_message_read(msg, "s", &wq);
	if (r < 0)
		return r;
	if (strlen(wq) > API_DEVICE_MAX)
		return bus_refuse_args(err, "wq: no name has more than %d bytes", API_DEVICE_MAX);
	r = request_new(userdata, msg, &list_holders, REQUEST_READING, &q, err);
	if (r < 0)
		return r;
	q->word = wq;
	return act_if_allowed(&q);
}
