/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/message.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/op.h"

#define CREATE_ATTEMPTS 3	/* somebody else may take the queue between plan and act */

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

void op_free(struct op *op)
{
	op_drop_readings(op);
	free(op->made);
	free(op->made_results);
	inventory_done(&op->inventory);
	plan_free(op->plan);
	record_free(op->after);
	definition_free(op->definition);
	for (char **l = op->labels; l && *l; l++)
		free(*l);
	free(op->labels);
	free(op->holdings);
	apply_drop(op->apply);
	free(op->document);
	free(op->plan_text);
	free(op->device);
	free(op->uuid);
	free(op->type);
	free(op->wq);
	free(op->lease);
	free(op->candidate);
	free(op);
}

int op_copy_string(char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

struct op *op_new(struct manager *m, enum op_kind kind, manager_done done, void *userdata)
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

void op_describe(const struct op *op, char *buf, size_t size)
{
	static const char *const names[] = {
		[OP_START] = "start of the daemon", [OP_ADOPT] = "adopt", [OP_RELEASE] = "release",
		[OP_CREATE] = "create", [OP_DESTROY] = "destroy", [OP_RESCAN] = "read again",
		[OP_POOL] = "upkeep of the pool", [OP_LAYOUT] = "layout", [OP_DEFINE] = "define",
		[OP_MODIFY] = "modify", [OP_UNDEFINE] = "undefine", [OP_START_MDEV] = "start",
		[OP_AUTOSTART] = "start by itself", [OP_AUTOSTARTED] = "starts by itself",
		[OP_HOLDINGS] = "look for holders", [OP_APPLY] = "apply", [OP_APPLY_END] = "apply",
		[OP_TRUST] = "trust", [OP_DRAIN] = "drain", [OP_SETTLED] = "wait",
	};
	const char *object = op->uuid ? op->uuid : op->kind == OP_DRAIN ? op->wq : op->device;

	snprintf(buf, size, "%s%s%s", names[op->kind], object ? " " : "", object ? object : "");
}

/* --- stage 1: read --------------------------------------------------------------------------- */

int op_read_again(struct op *op, const struct accel *a)
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

	if (executor_is_unsettled(e, NULL))
		execute_retry(e);
	for (size_t i = 0; i < op->n_accels; i++)
		op->accel_results[i] = e->backend->ops->refresh(e->backend, op->accels[i]);
	if (op->uuid && parse_uuid(op->uuid, uuid) == 0)
		op->mdev_result = e->backend->ops->read_mdev(e->backend, op->uuid, &op->mdev);
	if (op->look_outside && !op->holdings)
		e->backend->ops->holdings(e->backend, &op->holdings, &op->n_holdings);
}

static void run_read(struct job *job)
{
	struct op *op = op_of(job);

	read_objects(&op->manager->executor, op);
}

/* Tried once more at once; later from time to time. */
static void unread(struct op *op, const char *name, int error)
{
	log_error("%s cannot be read: %s", name, strerror(-error));
	if (op->kind != OP_RESCAN)
		manager_remember(op->manager, name);
	else
		rescan_ended(op->manager, error);
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
	ledger_begin(l);
	for (size_t i = 0; i < op->n_made && r >= 0; i++)
		if (op->made_results[i] == 0)
			r = ledger_put_mdev(l, &op->made[i]);
		else if (op->made_results[i] != -ENOENT)
			unread(op, op->made[i].uuid, op->made_results[i]);
	ledger_end(l);
	op->n_made = 0;
	if (op->mdev_result == 0 && r >= 0)
		r = ledger_put_mdev(l, &op->mdev);
	else if (op->mdev_result == -ENOENT)
		ledger_drop_mdev(l, op->uuid);
	else if (op->mdev_result < 0)
		unread(op, op->uuid, op->mdev_result);
	op_drop_readings(op);
	return r;
}

/* --- stage 3 and 4: execute, commit ---------------------------------------------------------- */

static void read_made(struct executor *e, struct op *op)
{
	const struct plan *p = op->plan;

	if (p->kind != PLAN_START_ALL)
		return;
	op->made = calloc(p->n + 1, sizeof(*op->made));
	op->made_results = calloc(p->n + 1, sizeof(*op->made_results));
	if (!op->made || !op->made_results)
		return;
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].kind == STEP_MDEV_CREATE) {
			op->made_results[op->n_made] = e->backend->ops->read_mdev(
				e->backend, p->steps[i].object, &op->made[op->n_made]);
			op->n_made++;
		}
}

static void run_plan(struct job *job)
{
	struct op *op = op_of(job);
	struct executor *e = &op->manager->executor;

	op->result = execute_plan(e, op->plan, op->after, &op->res.refusal);
	read_objects(e, op);
	read_made(e, op);
}

static bool is_create(const struct op *op)
{
	return op->kind == OP_CREATE || op->kind == OP_START_MDEV || op->kind == OP_AUTOSTART;
}

static bool is_upkeep(const struct op *op)
{
	return op->kind == OP_POOL || op->kind == OP_LAYOUT || op->kind == OP_AUTOSTARTED;
}

/* So that upkeep does not try the same for ever. */
static void note_failure(const struct op *op, struct slot *s)
{
	if (s && is_upkeep(op))
		s->stalled = true;
	if (s && op->kind == OP_AUTOSTART)
		s->autostart_failed = true;
}

static bool may_try_again(const struct op *op)
{
	/* What is left of this attempt would be in the way of the next. */
	if (op->result == -ESTALE && op->plan->definition && op->attempts < CREATE_ATTEMPTS)
		return true;
	return is_create(op) && op->attempts < CREATE_ATTEMPTS &&
	       !executor_is_unsettled(&op->manager->executor, op->plan->bdf) &&
	       (op->result == -ENOSPC || op->result == -EBUSY || op->result == -EAGAIN ||
		op->result == -ENOENT);
}

/* Our picture was wrong: read all of it before the next attempt. */
static void again(struct op *op)
{
	struct manager *m = op->manager;

	m->rescan_all = m->rescan_definitions = true;
	free(TAKE(op->candidate));
	op->read_all = false;
	m->current = NULL;
	manager_enqueue_first(m, op);
	manager_pump(m);
}

static void log_done(const struct op *op)
{
	const struct plan *p = op->plan;
	const struct message m = {
		.kind = MESSAGE_DONE, .level = LOG_INFO, .operation = plan_kind_name(p->kind),
		.accelerator = p->accel, .mdev = p->uuid,
	};

	if (!p->bdf[0])
		message_log(&m, "%s: %s done", p->uuid, m.operation);
	else if (p->uuid[0])
		message_log(&m, "%s: %s on %s done, %zu steps", p->uuid, m.operation, p->accel, p->n);
	else
		message_log(&m, "%s: %s done, %zu steps", p->accel, m.operation, p->n);
}

static int first_error(int a, int b)
{
	return a < 0 ? a : b;
}

static void plan_executed(struct job *job)
{
	struct op *op = op_of(job);
	struct ledger *l = &op->manager->ledger;
	char bdf[NAME_LEN];
	struct slot *s;
	int r;

	memcpy(bdf, op->plan->bdf, sizeof(bdf));
	/* Without memory for what was made. */
	if (op->plan->kind == PLAN_START_ALL && !op->n_made)
		op->manager->rescan_all = true;
	r = commit_readings(op);
	if (op->result >= 0) {
		int q = bdf[0] ? ledger_put_record(l, bdf, TAKE(op->after)) : 0;

		if (op->definition)
			q = first_error(q, ledger_put_definition(l, TAKE(op->definition)));
		else if (op->plan->definition)
			ledger_drop_definition(l, op->plan->uuid);
		log_done(op);
		r = first_error(r, q);
	}

	s = ledger_slot(l, bdf);
	if (op->result < 0 && may_try_again(op)) {
		op->plan = plan_free(op->plan);
		op->after = record_free(op->after);
		op->definition = definition_free(op->definition);
		free(TAKE(op->plan_text));
		memset(&op->res.refusal, 0, sizeof(op->res.refusal));
		again(op);
		return;
	}
	if (op->result < 0)
		note_failure(op, s);
	if (op->result >= 0 && r < 0)
		op_fail(op, -r, bdf, "it is done, but there is no memory to keep it in mind");
	else
		op_finish(op, op->result);
}

static void start_plan(struct op *op)
{
	const char *bdf = op->plan->bdf;
	const struct accel *a = bdf[0] ? ledger_find_accel(&op->manager->ledger, bdf) : NULL;
	int r;

	/* Read what it touches again afterwards. */
	r = a ? op_read_again(op, a) : bdf[0] ? -ENODEV : 0;
	if (r >= 0 && bdf[0] && op->plan->uuid[0] && (!op->uuid || strcmp(op->uuid, op->plan->uuid))) {
		free(TAKE(op->uuid));
		r = op_copy_string(&op->uuid, op->plan->uuid);
	}
	if (r < 0) {
		op_fail(op, -r, op->plan->accel, strerror(-r));
		return;
	}
	op->job = (struct job) { run_plan, plan_executed };
	worker_submit(op->manager->worker, &op->job);
}

/* It is the place that does not do, not the request. */
static bool may_be_elsewhere(const struct refusal *r)
{
	return r->kind != REFUSE_QUOTA_EXCEEDED && r->kind != REFUSE_EXISTS &&
	       r->kind != REFUSE_INVALID_UUID && r->kind != REFUSE_NO_SUCH_TYPE;
}

static void objects_read(struct job *job)
{
	struct op *op = op_of(job);
	struct manager *m = op->manager;
	int r;

	if (m->executor.retried) {
		m->executor.retried = false;
		m->rescan_all = true;
	}
	r = commit_readings(op);
	if (r < 0) {
		op_fail(op, -r, "idxdvd", "out of memory");
		return;
	}
	if (op->kind == OP_RESCAN) {
		op_finish(op, 0);
		return;
	}
	if (m->stopping) {
		op_finish(op, refuse(&op->res.refusal, REFUSE_SHUTTING_DOWN, ESHUTDOWN, "idxdvd",
				  "try again when it runs", "the daemon is stopping"));
		return;
	}
	r = op_make_plan(op);
	if (r < 0 && op->candidate && may_be_elsewhere(&op->res.refusal)) {
		free(TAKE(op->candidate));
		memset(&op->res.refusal, 0, sizeof(op->res.refusal));
		op->read_all = true;
		op->attempts--;
		op_start_read(op);
		return;
	}
	r = holdings_explain(op, r);
	if (r >= 0 && executor_is_unsettled(&m->executor, op->plan->bdf))
		r = refuse(&op->res.refusal, REFUSE_FAILED, EUCLEAN, op->plan->accel,
			   "see the log; it is tried again before each operation",
			   "an earlier operation on it could not be taken back yet");
	if (r < 0 || op->dry_run || !op->plan->n) {
		struct slot *s = op->device ? ledger_slot(&m->ledger, op->device) : NULL;

		if (r < 0)
			note_failure(op, s);
		/* An adoption or a release without a step is still written down. */
		if (r < 0 || op->dry_run || op->kind == OP_POOL || op->kind == OP_START_ALL) {
			op_finish(op, r);
			return;
		}
	}
	start_plan(op);
}

void op_submit_read(struct op *op)
{
	op->job = (struct job) { run_read, objects_read };
	worker_submit(op->manager->worker, &op->job);
}

void op_start_read(struct op *op)
{
	struct ledger *l = &op->manager->ledger;
	const struct definition *d;
	const struct accel *a;
	struct mdev *m = NULL;
	const char *name;
	int r = 0;

	op->attempts++;
	if (op->kind == OP_DESTROY)
		m = ledger_find_mdev(l, op->uuid);
	if (op->kind == OP_CREATE && !op->device && !op->candidate && !op->read_all)
		r = op_choose_candidate(op);
	/* A definition says where its mdev is to be. */
	d = op->kind == OP_START_MDEV ? ledger_find_definition(l, op->uuid) : NULL;
	if (d && !op->device && r >= 0)
		r = op_copy_string(&op->device, d->parent);
	name = op->device ? op->device : op->candidate ? op->candidate : m ? m->parent : NULL;
	a = name && r >= 0 ? ledger_find_accel(l, name) : NULL;
	if (a)
		r = op_read_again(op, a);
	for (size_t i = 0; !name && op->kind == OP_CREATE && i < l->n_accels && r >= 0; i++)
		if (l->accels[i]->adopted)
			r = op_read_again(op, l->accels[i]);
	if (r < 0) {
		op_fail(op, -r, "idxdvd", "out of memory");
		return;
	}
	op->look_outside = op->device ? !ledger_find_accel(l, op->device) : !l->n_accels;
	op_submit_read(op);
}
