/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue of operations. Each goes through the same stages: read what it concerns (worker), plan
 * (loop), execute (worker), commit to memory and tell (loop).
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/execute.h"
#include "idxdvd/ledger.h"
#include "idxdvd/manager.h"
#include "idxdvd/worker.h"

#define DEFAULT_HOST_WQS	1
#define DEFAULT_POOL_MIN	1
#define CREATE_ATTEMPTS		3	/* somebody else may take the queue between plan and act */
#define MAX_QUEUED		1024
#define MAX_PENDING		64	/* names of changed objects; more means read everything */

enum op_kind {
	OP_START,
	OP_ADOPT,
	OP_RELEASE,
	OP_CREATE,
	OP_DESTROY,
	OP_RESCAN,
	OP_POOL,		/* upkeep: fill or shrink the pool */
	OP_LAYOUT,		/* upkeep: an adopted device is back without its configuration */
	OP_SETTLED,		/* does nothing: whoever waits for what was queued before it */
};

struct op {
	enum op_kind kind;
	struct manager *manager;
	struct job job;
	struct op *next;
	manager_done done;
	void *userdata;

	/* The request. */
	char *device, *uuid, *type, *wq;
	struct adopt_options options;
	bool dry_run;
	unsigned int attempts;

	/* Shared with the worker, of whoever has the turn. */
	struct accel **accels;		/* copies that are read again */
	int *accel_results;
	size_t n_accels;
	struct mdev mdev;
	int mdev_result;		/* -ENOENT: there is none; 1: not asked for */
	struct inventory inventory;
	struct plan *plan;
	struct record *after;
	int result;
	struct manager_result res;
	char *plan_text;
};

struct manager {
	struct executor executor;	/* the worker's while a job is under way */
	struct worker *worker;
	struct ledger ledger;
	struct manager_observer observer;
	struct op *current, *first, **last;
	size_t n_queued;
	bool started, stopping, pumping;

	/* What a rescan has to read. */
	bool rescan_queued, rescan_all;
	char pending[MAX_PENDING][UUID_LEN];
	size_t n_pending;
};

static void pump(struct manager *m);

static struct op *op_of(struct job *job)
{
	return (struct op *)((char *)job - offsetof(struct op, job));
}

/* --- operations as objects ------------------------------------------------------------------- */

static void op_drop_readings(struct op *op)
{
	for (size_t i = 0; i < op->n_accels; i++)
		accel_free(op->accels[i]);
	free(TAKE(op->accels));
	free(TAKE(op->accel_results));
	op->n_accels = 0;
	op->mdev_result = 1;
}

static void op_free(struct op *op)
{
	op_drop_readings(op);
	inventory_done(&op->inventory);
	plan_free(op->plan);
	record_free(op->after);
	free(op->plan_text);
	free(op->device);
	free(op->uuid);
	free(op->type);
	free(op->wq);
	free(op);
}

static int copy_string(char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

static struct op *op_new(struct manager *m, enum op_kind kind, manager_done done, void *userdata)
{
	struct op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->kind = kind;
	op->manager = m;
	op->done = done;
	op->userdata = userdata;
	op->mdev_result = 1;
	return op;
}

static void op_answer(struct op *op, int r)
{
	op->res.plan = op->plan_text ? op->plan_text : "";
	if (op->done)
		op->done(op->userdata, r, &op->res);
}

/* An answer without an operation: there was no memory, or no more room. */
static void answer_at_once(manager_done done, void *userdata, int error, const char *reason)
{
	struct manager_result res = { .plan = "" };
	int r;

	r = refuse(&res.refusal, REFUSE_FAILED, error, "idxdvd", "try again later", "%s", reason);
	if (done)
		done(userdata, r, &res);
}

static void tell(struct manager *m)
{
	struct change *changes;
	size_t n = ledger_take_changes(&m->ledger, &changes);

	for (size_t i = 0; i < n && m->observer.object; i++)
		m->observer.object(m->observer.userdata, changes[i].kind, changes[i].change,
				   changes[i].id);
	free(changes);
}

static void enqueue(struct manager *m, struct op *op)
{
	op->next = NULL;
	*m->last = op;
	m->last = &op->next;
	m->n_queued++;
}

/* Before what is queued already. */
static void enqueue_first(struct manager *m, struct op *op)
{
	op->next = m->first;
	if (!m->first)
		m->last = &op->next;
	m->first = op;
	m->n_queued++;
}

/* --- upkeep ---------------------------------------------------------------------------------- */

static bool slot_needs_layout(const struct slot *s)
{
	return s->appeared && s->accel->state == STATE_DISABLED &&
	       accel_is_unconfigured(s->accel);
}

static bool slot_needs_pool(const struct slot *s)
{
	_cleanup_(plan_freep) struct plan *p = NULL;

	return alloc_pool(s->accel, &p) == 0 && p->n > 0;
}

static int upkeep_slot(struct manager *m, struct slot *s)
{
	struct op *op;
	bool layout;

	if (!s->accel || !s->record || s->stalled)
		return 0;
	layout = slot_needs_layout(s);
	s->appeared = false;
	if (!layout && !slot_needs_pool(s))
		return 0;

	op = op_new(m, layout ? OP_LAYOUT : OP_POOL, NULL, NULL);
	if (!op || copy_string(&op->device, s->bdf) < 0) {
		if (op)
			op_free(op);
		return -ENOMEM;
	}
	enqueue_first(m, op);
	return 1;
}

/* One upkeep at a time, before anything else that waits. */
static void upkeep(struct manager *m)
{
	for (size_t i = 0; m->started && !m->stopping && i < m->ledger.n_slots; i++)
		if (upkeep_slot(m, &m->ledger.slots[i]) != 0)
			return;
}

/* --- the end of an operation ----------------------------------------------------------------- */

static void finish(struct op *op, int r)
{
	struct manager *m = op->manager;
	char text[1024];

	tell(m);
	if (r < 0 && !op->done) {
		refusal_format(&op->res.refusal, text, sizeof(text));
		log_warning("%s", text);
	}
	op_answer(op, r);
	m->current = NULL;
	op_free(op);
	pump(m);
}

static void fail(struct op *op, int error, const char *object, const char *reason)
{
	finish(op, refuse(&op->res.refusal, REFUSE_FAILED, error, object, "", "%s", reason));
}

/* --- stage 1: read --------------------------------------------------------------------------- */

static int read_again(struct op *op, const struct accel *a)
{
	struct accel **accels;
	int *results;
	int r;

	for (size_t i = 0; i < op->n_accels; i++)
		if (!strcmp(op->accels[i]->bdf, a->bdf))
			return 0;
	accels = realloc(op->accels, (op->n_accels + 1) * sizeof(*accels));
	if (!accels)
		return -ENOMEM;
	op->accels = accels;
	results = realloc(op->accel_results, (op->n_accels + 1) * sizeof(*results));
	if (!results)
		return -ENOMEM;
	op->accel_results = results;
	r = accel_copy(a, &accels[op->n_accels]);
	if (r < 0)
		return r;
	results[op->n_accels++] = 0;
	return 0;
}

static void read_objects(struct executor *e, struct op *op)
{
	char uuid[UUID_LEN];

	if (e->unsettled)
		execute_recover(e);
	for (size_t i = 0; i < op->n_accels; i++)
		op->accel_results[i] = e->backend->ops->refresh(e->backend, op->accels[i]);
	if (op->uuid && parse_uuid(op->uuid, uuid) == 0)
		op->mdev_result = e->backend->ops->read_mdev(e->backend, op->uuid, &op->mdev);
}

static void run_read(struct job *job)
{
	struct op *op = op_of(job);

	read_objects(&op->manager->executor, op);
}

static void remember(struct manager *m, const char *name)
{
	for (size_t i = 0; i < m->n_pending; i++)
		if (!strcmp(m->pending[i], name))
			return;
	if (m->n_pending == MAX_PENDING || strlen(name) >= UUID_LEN)
		m->rescan_all = true;
	else
		strcpy(m->pending[m->n_pending++], name);
}

/* Tried once more; not for ever. */
static void unread(struct op *op, const char *name, int error)
{
	log_error("%s cannot be read: %s", name, strerror(-error));
	if (op->kind != OP_RESCAN)
		remember(op->manager, name);
}

/* What was read becomes what is known. A read that failed leaves what was known before. */
static int commit_readings(struct op *op)
{
	struct ledger *l = &op->manager->ledger;
	int r = 0;

	for (size_t i = 0; i < op->n_accels; i++) {
		if (op->accel_results[i] == -ENODEV)
			ledger_drop_accel(l, op->accels[i]->bdf);
		else if (op->accel_results[i] == 0)
			r = ledger_put_accel(l, TAKE(op->accels[i]));
		else
			unread(op, op->accels[i]->bdf, op->accel_results[i]);
		if (r < 0)
			break;
	}
	if (op->mdev_result == 0 && r >= 0)
		r = ledger_put_mdev(l, &op->mdev);
	else if (op->mdev_result == -ENOENT)
		ledger_drop_mdev(l, op->uuid);
	else if (op->mdev_result < 0)
		unread(op, op->uuid, op->mdev_result);
	op_drop_readings(op);
	return r;
}

/* --- stage 2: plan --------------------------------------------------------------------------- */

static const struct accel *require_accel(struct op *op, int *ret_error)
{
	const struct accel *a = ledger_find_accel(&op->manager->ledger, op->device);

	if (!a)
		*ret_error = refuse(&op->res.refusal, REFUSE_NO_SUCH_DEVICE, ENODEV, op->device,
				    "load idxd; idxdctl list shows what there is",
				    "there is no such accelerator");
	return a;
}

/* The number of engines that idxd's IAA defaults put into group 0, if that is what there is. */
static unsigned int iaa_default_engines(const struct accel *a)
{
	bool is_default = a->state == STATE_DISABLED && a->n_wqs &&
			  wq_is_iaa_default(a, &a->wqs[0]);

	return is_default ? accel_group_engines(a, 0) : 0;
}

static int plan_adopt(struct op *op)
{
	struct adopt_options *o = &op->options;
	const struct accel *a;
	int r = 0;

	a = require_accel(op, &r);
	if (!a)
		return r;
	if (!(o->set & ADOPT_HOST_WQS))
		o->host_wqs = a->n_wqs > 1 ? DEFAULT_HOST_WQS : 0;
	if (!(o->set & ADOPT_POOL_MIN))
		o->pool_min = a->n_wqs > o->host_wqs ? DEFAULT_POOL_MIN : 0;
	r = alloc_adopt(a, o->host_wqs, o->pool_min, &op->plan, &op->res.refusal);
	if (r < 0)
		return r;
	r = record_new(&op->after, a->bdf);
	if (r < 0)
		return r;
	op->after->host_wqs = o->host_wqs;
	op->after->pool_min = o->pool_min;
	op->after->laid_out = a->state == STATE_DISABLED;
	op->after->iaa_engines = iaa_default_engines(a);
	return 0;
}

/* As adopt, for a device that is adopted already and came back unconfigured. */
static int plan_layout(struct op *op)
{
	struct slot *s = ledger_slot(&op->manager->ledger, op->device);
	_cleanup_(accel_freep) struct accel *a = NULL;
	int r;

	if (!s || !s->accel || !s->record)
		return refuse(&op->res.refusal, REFUSE_NO_SUCH_DEVICE, ENODEV, op->device, "",
			      "it went away again");
	r = accel_copy(s->accel, &a);
	if (r < 0)
		return r;
	a->adopted = false;
	r = alloc_adopt(a, s->record->host_wqs, s->record->pool_min, &op->plan, &op->res.refusal);
	if (r < 0)
		return r;
	r = record_copy(s->record, &op->after);
	if (r < 0)
		return r;
	op->after->laid_out = true;
	op->after->iaa_engines = iaa_default_engines(a);
	return 0;
}

static int plan_release(struct op *op)
{
	struct alloc_history history = { 0 };
	const struct accel *a;
	struct slot *s;
	int r = 0;

	a = require_accel(op, &r);
	if (!a)
		return r;
	s = ledger_slot(&op->manager->ledger, a->bdf);
	if (s->record)
		history.iaa_engines = s->record->iaa_engines;
	return alloc_release(a, &history, &op->plan, &op->res.refusal);
}

static int copy_record(struct op *op, const char *bdf)
{
	struct slot *s = ledger_slot(&op->manager->ledger, bdf);

	return record_copy(s->record, &op->after);
}

static int plan_create(struct op *op)
{
	struct ledger *l = &op->manager->ledger;
	struct alloc_create req = {
		.type = op->type, .parent = op->device, .wq = op->wq, .uuid = op->uuid,
		.existing = ledger_find_mdev(l, op->uuid),
	};
	int r;

	r = alloc_create(l->accels, l->n_accels, &req, &op->plan, &op->res.refusal);
	if (r < 0)
		return r;
	memcpy(op->res.uuid, op->plan->uuid, sizeof(op->res.uuid));
	return copy_record(op, op->plan->bdf);
}

static int plan_destroy(struct op *op)
{
	struct ledger *l = &op->manager->ledger;
	const struct mdev *m = ledger_find_mdev(l, op->uuid);
	const struct accel *a = m ? ledger_find_accel(l, m->parent) : NULL;
	int r;

	r = alloc_destroy(op->uuid, m, a, &op->plan, &op->res.refusal);
	if (r < 0)
		return r;
	memcpy(op->res.uuid, op->plan->uuid, sizeof(op->res.uuid));
	return copy_record(op, op->plan->bdf);
}

static int plan_pool(struct op *op)
{
	const struct accel *a = ledger_find_accel(&op->manager->ledger, op->device);
	int r;

	if (!a || !a->adopted)
		return refuse(&op->res.refusal, REFUSE_NOT_ADOPTED, ENODEV, op->device, "",
			      "it is no longer adopted");
	r = alloc_pool(a, &op->plan);
	if (r < 0)
		return r;
	return copy_record(op, a->bdf);
}

static int make_plan(struct op *op)
{
	int r = -EINVAL;

	switch (op->kind) {
	case OP_ADOPT:
		r = plan_adopt(op);
		break;
	case OP_LAYOUT:
		r = plan_layout(op);
		break;
	case OP_RELEASE:
		r = plan_release(op);
		break;
	case OP_CREATE:
		r = plan_create(op);
		break;
	case OP_DESTROY:
		r = plan_destroy(op);
		break;
	case OP_POOL:
		r = plan_pool(op);
		break;
	case OP_START:
	case OP_RESCAN:
	case OP_SETTLED:
		break;
	}
	if (r >= 0)
		r = plan_format(op->plan, &op->plan_text);
	if (r >= 0 && op->after)
		r = record_apply(op->after, op->plan);
	if (r < 0 && op->res.refusal.kind == REFUSE_NONE)
		r = refuse(&op->res.refusal, REFUSE_FAILED, -r, op->device ? op->device : "idxdvd",
			   "", "no plan could be made: %s", strerror(-r));
	return r;
}

/* --- stage 3 and 4: execute, commit ---------------------------------------------------------- */

static void run_plan(struct job *job)
{
	struct op *op = op_of(job);
	struct executor *e = &op->manager->executor;

	op->result = execute_plan(e, op->plan, op->after, &op->res.refusal);
	read_objects(e, op);
}

static bool may_try_again(const struct op *op)
{
	return op->kind == OP_CREATE && op->attempts < CREATE_ATTEMPTS &&
	       (op->result == -ENOSPC || op->result == -EBUSY || op->result == -EAGAIN ||
		op->result == -ENOENT);
}

/* Our picture was wrong: read all of it before the next attempt. */
static void again(struct op *op)
{
	struct manager *m = op->manager;

	m->rescan_all = true;
	m->current = NULL;
	enqueue_first(m, op);
	pump(m);
}

static void log_done(const struct op *op)
{
	const struct plan *p = op->plan;

	if (p->uuid[0])
		log_info("%s: %s on %s done, %zu steps", p->uuid, plan_kind_name(p->kind), p->accel,
			 p->n);
	else
		log_info("%s: %s done, %zu steps", p->accel, plan_kind_name(p->kind), p->n);
}

static void plan_executed(struct job *job)
{
	struct op *op = op_of(job);
	struct ledger *l = &op->manager->ledger;
	char bdf[NAME_LEN];
	struct slot *s;
	int r;

	memcpy(bdf, op->plan->bdf, sizeof(bdf));
	r = commit_readings(op);
	if (op->result >= 0) {
		int q = ledger_put_record(l, bdf, TAKE(op->after));

		log_done(op);
		r = r < 0 ? r : q;
	}

	s = ledger_slot(l, bdf);
	if (op->result < 0 && may_try_again(op)) {
		op->plan = plan_free(op->plan);
		op->after = record_free(op->after);
		free(TAKE(op->plan_text));
		memset(&op->res.refusal, 0, sizeof(op->res.refusal));
		again(op);
		return;
	}
	if (op->result < 0 && s && (op->kind == OP_POOL || op->kind == OP_LAYOUT))
		s->stalled = true;
	if (op->result >= 0 && r < 0)
		fail(op, -r, bdf, "it is done, but there is no memory to keep it in mind");
	else
		finish(op, op->result);
}

static void start_plan(struct op *op)
{
	const struct accel *a = ledger_find_accel(&op->manager->ledger, op->plan->bdf);
	int r;

	/* Read what it touches again afterwards. */
	r = a ? read_again(op, a) : -ENODEV;
	if (r >= 0 && op->plan->uuid[0] && (!op->uuid || strcmp(op->uuid, op->plan->uuid))) {
		free(TAKE(op->uuid));
		r = copy_string(&op->uuid, op->plan->uuid);
	}
	if (r < 0) {
		fail(op, -r, op->plan->accel, strerror(-r));
		return;
	}
	op->job = (struct job) { run_plan, plan_executed };
	worker_submit(op->manager->worker, &op->job);
}

static void objects_read(struct job *job)
{
	struct op *op = op_of(job);
	struct manager *m = op->manager;
	int r;

	r = commit_readings(op);
	if (r < 0) {
		fail(op, -r, "idxdvd", "out of memory");
		return;
	}
	if (op->kind == OP_RESCAN) {
		finish(op, 0);
		return;
	}
	if (m->stopping) {
		finish(op, refuse(&op->res.refusal, REFUSE_SHUTTING_DOWN, ESHUTDOWN, "idxdvd",
				  "try again when it runs", "the daemon is stopping"));
		return;
	}
	if (m->executor.unsettled) {
		fail(op, EUCLEAN, "journal", "an earlier operation could not be taken back yet");
		return;
	}

	r = make_plan(op);
	if (r < 0 || op->dry_run || !op->plan->n) {
		struct slot *s = op->device ? ledger_slot(&m->ledger, op->device) : NULL;

		if (r < 0 && s && (op->kind == OP_POOL || op->kind == OP_LAYOUT))
			s->stalled = true;
		/* An adoption or a release without a step is still written down. */
		if (r < 0 || op->dry_run || op->kind == OP_POOL) {
			finish(op, r);
			return;
		}
	}
	start_plan(op);
}

static void start_read(struct op *op)
{
	struct ledger *l = &op->manager->ledger;
	struct mdev *m = NULL;
	int r = 0;

	op->attempts++;
	if (op->kind == OP_DESTROY)
		m = ledger_find_mdev(l, op->uuid);
	for (size_t i = 0; i < l->n_accels && r >= 0; i++) {
		const struct accel *a = l->accels[i];

		if (op->device ? !strcmp(a->name, op->device) || !strcmp(a->bdf, op->device) :
		    op->kind == OP_CREATE ? a->adopted : m && !strcmp(m->parent, a->bdf))
			r = read_again(op, a);
	}
	if (r < 0) {
		fail(op, -r, "idxdvd", "out of memory");
		return;
	}
	op->job = (struct job) { run_read, objects_read };
	worker_submit(op->manager->worker, &op->job);
}

/* --- start ----------------------------------------------------------------------------------- */

static void run_start(struct job *job)
{
	struct op *op = op_of(job);

	op->result = execute_start(&op->manager->executor, &op->inventory, &op->res.refusal);
}

/* Forgets in a record of this boot what the machine no longer shows. */
static void forget_lost(struct record *rec, const struct inventory *inv)
{
	for (size_t i = 0; i < rec->n_mdevs;) {
		bool found = false;

		for (size_t k = 0; k < inv->n_mdevs; k++)
			found = found || !strcmp(inv->mdevs[k].uuid, rec->mdevs[i].uuid);
		if (found) {
			i++;
			continue;
		}
		log_notice("mdev %s is gone, somebody else removed it", rec->mdevs[i].uuid);
		record_drop_mdev(rec, rec->mdevs[i].uuid);
	}
}

static int commit_records(struct ledger *l, struct inventory *inv, const char *boot_id)
{
	for (size_t i = 0; i < inv->n_records; i++) {
		struct record *rec = TAKE(inv->records[i]);
		bool other_boot = strcmp(rec->boot_id, boot_id);
		struct slot *s;
		char bdf[NAME_LEN];
		int r;

		/* Nothing that we bound or created outlives the kernel. */
		if (other_boot) {
			memset(rec->wqs, 0, sizeof(rec->wqs));
			rec->n_mdevs = 0;
			rec->laid_out = false;
		} else {
			forget_lost(rec, inv);
		}
		memcpy(bdf, rec->bdf, sizeof(bdf));
		r = ledger_put_record(l, bdf, rec);
		if (r < 0)
			return r;
		s = ledger_slot(l, bdf);
		s->appeared = other_boot;
	}
	return 0;
}

static int commit_scan(struct ledger *l, struct inventory *inv)
{
	int r = 0;

	for (size_t i = 0; i < inv->n_accels && r >= 0; i++)
		r = ledger_put_accel(l, TAKE(inv->accels[i]));
	for (size_t i = 0; i < inv->n_mdevs && r >= 0; i++)
		r = ledger_put_mdev(l, &inv->mdevs[i]);
	return r;
}

/* At the start a device counts as new only if the machine booted since. */
static int commit_start(struct op *op)
{
	struct ledger *l = &op->manager->ledger;
	struct inventory *inv = &op->inventory;
	bool *appeared;
	size_t n;
	int r;

	for (size_t i = 0; i < inv->n_bad; i++)
		log_error("%s cannot be used and is left alone: %s", inv->bad[i].file,
			  strerror(-inv->bad[i].error));
	r = commit_records(l, inv, op->manager->executor.boot_id);
	if (r < 0)
		return r;

	n = l->n_slots;
	appeared = calloc(n + 1, sizeof(*appeared));
	if (!appeared)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		appeared[i] = l->slots[i].appeared;
	r = commit_scan(l, inv);
	for (size_t i = 0; i < l->n_slots; i++)
		l->slots[i].appeared = i < n && appeared[i];
	free(appeared);
	return r;
}

static void start_done(struct job *job)
{
	struct op *op = op_of(job);
	struct manager *m = op->manager;
	struct op *settled;
	int r;

	if (op->result < 0) {
		finish(op, op->result);
		return;
	}
	r = commit_start(op);
	if (r < 0) {
		fail(op, -r, "idxdvd", "out of memory");
		return;
	}
	memcpy(m->ledger.boot_id, m->executor.boot_id, sizeof(m->ledger.boot_id));
	m->started = true;

	/* The answer waits for the upkeep that the start brings; that goes before what is queued. */
	settled = op_new(m, OP_SETTLED, op->done, op->userdata);
	if (settled) {
		op->done = NULL;
		enqueue_first(m, settled);
	}
	finish(op, 0);
}

/* --- rescan ---------------------------------------------------------------------------------- */

static void run_scan(struct job *job)
{
	struct op *op = op_of(job);

	op->result = execute_scan(&op->manager->executor, &op->inventory);
}

static bool inventory_has_accel(const struct inventory *inv, const char *bdf)
{
	for (size_t i = 0; i < inv->n_accels; i++)
		if (!strcmp(inv->accels[i]->bdf, bdf))
			return true;
	return false;
}

static bool inventory_has_mdev(const struct inventory *inv, const char *uuid)
{
	for (size_t i = 0; i < inv->n_mdevs; i++)
		if (!strcmp(inv->mdevs[i].uuid, uuid))
			return true;
	return false;
}

static void drop_lost(struct ledger *l, const struct inventory *inv)
{
	for (size_t i = l->n_accels; i-- > 0;)
		if (i < l->n_accels && !inventory_has_accel(inv, l->accels[i]->bdf))
			ledger_drop_accel(l, l->accels[i]->bdf);
	for (struct mdev *m = ledger_next_mdev(l, NULL), *next; m; m = next) {
		next = ledger_next_mdev(l, m);
		if (!inventory_has_mdev(inv, m->uuid))
			ledger_drop_mdev(l, m->uuid);
	}
}

static void scan_done(struct job *job)
{
	struct op *op = op_of(job);
	struct ledger *l = &op->manager->ledger;
	int r = op->result;

	if (r >= 0) {
		drop_lost(l, &op->inventory);
		r = commit_scan(l, &op->inventory);
	}
	if (r < 0)
		fail(op, -r, "rescan", strerror(-r));
	else
		finish(op, 0);
}

static void start_rescan(struct op *op)
{
	struct manager *m = op->manager;
	char uuid[UUID_LEN];
	bool all = m->rescan_all;
	int r = 0;

	/* One mdev is read with the accelerators that changed; the others wait for the next turn. */
	m->rescan_queued = m->rescan_all = false;
	for (size_t i = m->n_pending; i-- > 0 && !all && r >= 0;) {
		const struct accel *a = ledger_find_accel(&m->ledger, m->pending[i]);

		bool mdev = parse_uuid(m->pending[i], uuid) == 0;

		if (mdev && op->uuid)
			continue;
		if (a)
			r = read_again(op, a);
		else if (mdev)
			r = copy_string(&op->uuid, uuid);
		memmove(m->pending[i], m->pending[--m->n_pending], UUID_LEN);
	}
	if (r < 0) {
		fail(op, -r, "rescan", "out of memory");
		return;
	}
	if (all) {
		m->n_pending = 0;
		op->job = (struct job) { run_scan, scan_done };
	} else {
		op->job = (struct job) { run_read, objects_read };
	}
	worker_submit(m->worker, &op->job);
}

static void queue_rescan(struct manager *m)
{
	struct op *op;

	if (m->rescan_queued || (!m->rescan_all && !m->n_pending))
		return;
	op = op_new(m, OP_RESCAN, NULL, NULL);
	if (!op)
		return;
	m->rescan_queued = true;
	enqueue_first(m, op);
}

/* dsa0, wq0.1, engine0.2 and group0.3 are all read with their accelerator. */
static const struct accel *accel_of_event(const struct manager *m, const char *name)
{
	unsigned int id;

	for (size_t i = 0; i < m->ledger.n_accels; i++) {
		const struct accel *a = m->ledger.accels[i];

		if (!strcmp(a->name, name) || !strcmp(a->bdf, name) ||
		    ((sscanf(name, "wq%u.", &id) == 1 || sscanf(name, "engine%u.", &id) == 1 ||
		      sscanf(name, "group%u.", &id) == 1) && id == a->id))
			return a;
	}
	return NULL;
}

void manager_rescan(struct manager *m, const char *subsystem, const char *name)
{
	const struct accel *a = subsystem ? accel_of_event(m, name) : NULL;
	char uuid[UUID_LEN];

	if (!subsystem)
		m->rescan_all = true;
	else if (a)
		remember(m, a->bdf);
	else if (!strcmp(subsystem, "mdev") && parse_uuid(name, uuid) == 0)
		remember(m, uuid);
	else if (!strcmp(subsystem, "dsa") &&
		 (!strncmp(name, "dsa", 3) || !strncmp(name, "iax", 3)))
		m->rescan_all = true;
	else
		log_debug("event of %s %s concerns nothing that is known", subsystem, name);
	pump(m);
}

/* --- the queue ------------------------------------------------------------------------------- */

static void start(struct op *op)
{
	struct manager *m = op->manager;

	if (m->stopping) {
		finish(op, refuse(&op->res.refusal, REFUSE_SHUTTING_DOWN, ESHUTDOWN, "idxdvd",
				  "try again when it runs", "the daemon is stopping"));
		return;
	}

	switch (op->kind) {
	case OP_START:
		op->job = (struct job) { run_start, start_done };
		worker_submit(m->worker, &op->job);
		break;
	case OP_ADOPT:
	case OP_RELEASE:
	case OP_CREATE:
	case OP_DESTROY:
	case OP_POOL:
	case OP_LAYOUT:
		if (m->started)
			start_read(op);
		else
			fail(op, EAGAIN, "idxdvd", "it has not started");
		break;
	case OP_RESCAN:
		start_rescan(op);
		break;
	case OP_SETTLED:
		finish(op, 0);
		break;
	}
}

static void pump(struct manager *m)
{
	/* finish() ends here too: one loop instead of ever deeper calls. */
	if (m->pumping)
		return;
	m->pumping = true;
	while (!m->current) {
		if (m->started && !m->stopping) {
			queue_rescan(m);
			if (!m->rescan_queued)
				upkeep(m);
		}
		if (!m->first)
			break;
		m->current = m->first;
		m->first = m->current->next;
		if (!m->first)
			m->last = &m->first;
		m->n_queued--;
		start(m->current);
	}
	m->pumping = false;
}

static void submit(struct manager *m, struct op *op)
{
	if (m->n_queued >= MAX_QUEUED) {
		answer_at_once(op->done, op->userdata, EBUSY, "too many operations are waiting");
		op_free(op);
		return;
	}
	enqueue(m, op);
	pump(m);
}

/* --- what others call ------------------------------------------------------------------------ */

int manager_new(struct manager **ret, const struct manager_config *config)
{
	struct manager *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->last = &m->first;
	m->observer = config->observer;
	ledger_init(&m->ledger);
	r = executor_init(&m->executor, config->backend, config->state_dir);
	if (r >= 0)
		r = worker_new(&m->worker, config->event);
	if (r < 0) {
		m->executor.backend = NULL;
		executor_done(&m->executor);
		free(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct manager *manager_free(struct manager *m)
{
	if (!m)
		return NULL;
	m->stopping = true;
	m->worker = worker_free(m->worker);
	pump(m);
	assert(!m->current && !m->first);
	ledger_done(&m->ledger);
	executor_done(&m->executor);
	free(m);
	return NULL;
}

void manager_freep(struct manager **m)
{
	manager_free(*m);
}

bool manager_is_idle(const struct manager *m)
{
	return !m->current && !m->first;
}

void manager_start(struct manager *m, manager_done done, void *userdata)
{
	struct op *op = op_new(m, OP_START, done, userdata);

	if (!op)
		answer_at_once(done, userdata, ENOMEM, "out of memory");
	else
		submit(m, op);
}

/* Checks that the strings could be copied, and submits. */
static void submit_request(struct manager *m, struct op *op, bool copied, manager_done done,
			   void *userdata)
{
	if (op && copied) {
		submit(m, op);
		return;
	}
	if (op)
		op_free(op);
	answer_at_once(done, userdata, ENOMEM, "out of memory");
}

void manager_adopt(struct manager *m, const char *device, const struct adopt_options *opts,
		   manager_done done, void *userdata)
{
	struct op *op = op_new(m, OP_ADOPT, done, userdata);
	bool copied = op && copy_string(&op->device, device) == 0;

	if (op && opts) {
		op->options = *opts;
		op->dry_run = opts->set & ADOPT_DRY_RUN;
	}
	submit_request(m, op, copied, done, userdata);
}

void manager_release(struct manager *m, const char *device, bool dry_run, manager_done done,
		     void *userdata)
{
	struct op *op = op_new(m, OP_RELEASE, done, userdata);
	bool copied = op && copy_string(&op->device, device) == 0;

	if (op)
		op->dry_run = dry_run;
	submit_request(m, op, copied, done, userdata);
}

/* A UUID in its canonical form; one that is none is kept as it is, to be refused. */
static int copy_uuid(char **ret, const char *s)
{
	char uuid[UUID_LEN];

	if (s)
		return copy_string(ret, parse_uuid(s, uuid) == 0 ? uuid : s);
	return uuid_random(uuid) < 0 ? -EIO : copy_string(ret, uuid);
}

void manager_create_mdev(struct manager *m, const struct create_request *req, manager_done done,
			 void *userdata)
{
	struct op *op = op_new(m, OP_CREATE, done, userdata);
	bool copied = op && copy_string(&op->type, req->type) == 0 &&
		      copy_string(&op->device, req->parent) == 0 &&
		      copy_string(&op->wq, req->wq) == 0 && copy_uuid(&op->uuid, req->uuid) == 0;

	if (op)
		op->dry_run = req->flags & CREATE_DRY_RUN;
	submit_request(m, op, copied, done, userdata);
}

void manager_destroy_mdev(struct manager *m, const char *uuid, bool dry_run, manager_done done,
			  void *userdata)
{
	struct op *op = op_new(m, OP_DESTROY, done, userdata);
	bool copied = op && copy_uuid(&op->uuid, uuid) == 0;

	if (op)
		op->dry_run = dry_run;
	submit_request(m, op, copied, done, userdata);
}

void manager_refresh(struct manager *m, manager_done done, void *userdata)
{
	struct op *op = op_new(m, OP_SETTLED, done, userdata);

	m->rescan_all = true;
	submit_request(m, op, true, done, userdata);
}

size_t manager_n_accels(const struct manager *m)
{
	return m->ledger.n_accels;
}

const struct accel *manager_accel(const struct manager *m, size_t i)
{
	return m->ledger.accels[i];
}

const struct accel *manager_find_accel(const struct manager *m, const char *name_or_bdf)
{
	return ledger_find_accel(&m->ledger, name_or_bdf);
}

const struct wq *manager_find_wq(const struct manager *m, const char *name,
				 const struct accel **ret_accel)
{
	for (size_t i = 0; i < m->ledger.n_accels; i++) {
		struct wq *w = accel_find_wq(m->ledger.accels[i], name);

		if (!w)
			continue;
		if (ret_accel)
			*ret_accel = m->ledger.accels[i];
		return w;
	}
	return NULL;
}

const struct mdev *manager_next_mdev(const struct manager *m, const struct mdev *prev)
{
	return ledger_next_mdev(&m->ledger, prev);
}

const struct mdev *manager_find_mdev(const struct manager *m, const char *uuid)
{
	return ledger_find_mdev(&m->ledger, uuid);
}

size_t manager_n_mdevs(const struct manager *m)
{
	return m->ledger.n_mdevs;
}

unsigned int manager_type_available(const struct manager *m, const struct mdev_type *type,
				    const struct accel *a)
{
	unsigned int n = 0;

	for (size_t i = 0; i < m->ledger.n_accels; i++) {
		const struct accel *b = m->ledger.accels[i];

		if (b->kind == type->kind && (!a || a == b))
			n += alloc_available(b);
	}
	return n;
}
