/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what is to what a document wants, all or nothing. Each step is an operation like any other,
 * safe against a crash by itself. What was before is kept in a file until the last one is done; after
 * a failure, or at the next start, the way back is the way from what is to that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/accfgdoc.h"
#include "idxdvd/common/log.h"
#include "idxdvd/hostdoc.h"
#include "idxdvd/op.h"

/* More than the way is long: autostart and others may undo a step meanwhile, but not for ever. */
#define MAX_DETOURS 32

struct apply {
	struct manager *m;
	manager_done done;
	void *userdata;
	struct hostdoc *want, *before;
	bool back;			/* it failed: on the way to what was before */
	bool stuck;			/* the way back failed too */
	size_t left;			/* steps that may still be tried */
	size_t n_done, n_steps;		/* for whoever waits */
	bool cancelled;
	struct refusal refusal;
	char *plan;
	char *accfg;			/* accel-config's file, until what there is has been read */
};

static void apply_free(struct apply *a)
{
	hostdoc_free(a->want);
	hostdoc_free(a->before);
	free(a->plan);
	free(a->accfg);
	free(a);
}

static void next(struct apply *a);

/* --- the end --------------------------------------------------------------------------------- */

static void answer(struct apply *a)
{
	struct manager_result res = { .plan = a->plan ? a->plan : "", .refusal = a->refusal };
	size_t n = strlen(res.refusal.reason);

	if (a->back)
		snprintf(res.refusal.reason + n, sizeof(res.refusal.reason) - n, "; %s",
			 a->stuck ? "not all of what was done before it could be taken back; it is tried again at the next start" :
				    "all was taken back");
	if (a->m->apply == a)
		a->m->apply = NULL;
	if (a->done)
		a->done(a->userdata, a->back ? -EIO : 0, &res);
	apply_free(a);
}

static void run_forget(struct job *job)
{
	struct op *op = op_of(job);

	op->result = execute_forget_before(&op->manager->executor);
}

static void forgotten(struct job *job)
{
	struct op *op = op_of(job);

	if (op->result < 0)
		log_error("what was before cannot be forgotten: %s", strerror(-op->result));
	op_finish(op, op->result < 0 ? refuse(&op->res.refusal, REFUSE_FAILED, -op->result, "apply",
					      "see that the state directory can be written",
					      "its end cannot be written down") : 0);
}

void apply_end_begin(struct op *op)
{
	op->job = (struct job) { run_forget, forgotten };
	worker_submit(op->manager->worker, &op->job);
}

static void ended(void *userdata, int r, const struct manager_result *res)
{
	struct apply *a = userdata;

	/* Done, but the next start would take it back: then rather now. */
	if (r < 0 && !a->back) {
		a->back = true;
		a->refusal = res->refusal;
		next(a);
		return;
	}
	a->stuck = a->stuck || r < 0;
	answer(a);
}

/* --- one step after the other ---------------------------------------------------------------- */

static void step_done(void *userdata, int r, const struct manager_result *res)
{
	struct apply *a = userdata;
	char text[1024];

	a->n_done++;
	if (r >= 0 && a->cancelled && !a->back) {
		a->back = true;
		a->left = 0;
		refuse(&a->refusal, REFUSE_CANCELLED, ECANCELED, "apply", "apply it again",
		       "it was cancelled");
	} else if (r < 0 && !a->back) {
		a->back = true;
		a->left = 0;
		a->refusal = res->refusal;
	} else if (r < 0) {
		refusal_format(&res->refusal, text, sizeof(text));
		log_error("apply cannot be taken back: %s", text);
		a->stuck = true;
	}
	next(a);
}

/* What a definition has to be told so that its labels are those of @d. */
static int copy_labels(struct op *op, const struct definition *d)
{
	const struct definition *old = ledger_find_definition(&op->manager->ledger, d->uuid);
	size_t n_old = old ? old->n_labels : 0, n = 0;

	op->labels = calloc(n_old + d->n_labels + 1, sizeof(*op->labels));
	if (!op->labels)
		return -ENOMEM;
	for (size_t i = 0; i < n_old; i++, n++) {
		op->labels[n] = strdup(old->labels[i]);
		if (!op->labels[n])
			return -ENOMEM;
		strchr(op->labels[n], '=')[1] = '\0';
	}
	for (size_t i = 0; i < d->n_labels; i++, n++)
		if (op_copy_string(&op->labels[n], d->labels[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int fill_define(struct op *op, const struct hostdoc_mdev *m)
{
	op->define_set = DEFINE_TYPE | DEFINE_WQ | DEFINE_AUTOSTART | DEFINE_LABELS;
	op->autostart = m->d->autostart;
	if (op->kind == OP_DEFINE && op_copy_string(&op->device, m->d->parent) < 0)
		return -ENOMEM;
	if (op_copy_string(&op->type, m->d->type) < 0 ||
	    op_copy_string(&op->wq, m->d->wq[0] ? m->d->wq : DEFINITION_ANY_WQ) < 0)
		return -ENOMEM;
	return copy_labels(op, m->d);
}

/* What a whole host is to be is not bound by quotas, nor is the way back. */
static int fill_start(struct op *op, const struct hostdoc_mdev *m)
{
	op->owner = m->owner;
	op->unbound = true;
	if (op->kind == OP_START_MDEV)
		return 0;
	if (op_copy_string(&op->type, m->d->type) < 0 ||
	    op_copy_string(&op->device, m->d->parent) < 0)
		return -ENOMEM;
	return m->on[0] ? op_copy_string(&op->wq, m->on) : 0;
}

static enum op_kind op_kind_of(const struct hostdoc_step *s)
{
	static const enum op_kind kinds[HOSTDOC_KIND_COUNT] = {
		[HOSTDOC_STOP] = OP_DESTROY,
		[HOSTDOC_UNDEFINE] = OP_UNDEFINE,
		[HOSTDOC_RELEASE] = OP_RELEASE,
		[HOSTDOC_ADOPT] = OP_ADOPT,
		[HOSTDOC_DEFINE] = OP_DEFINE,
		[HOSTDOC_MODIFY] = OP_MODIFY,
		[HOSTDOC_START] = OP_CREATE,
	};

	/* Where it was last, as start does. */
	if (s->kind == HOSTDOC_START && s->mdev->defined && !s->mdev->on[0])
		return OP_START_MDEV;
	return kinds[s->kind];
}

static int make_op(struct apply *a, const struct hostdoc_step *s, struct op **ret)
{
	struct op *op = op_new(a->m, op_kind_of(s), step_done, a);
	bool device = s->kind == HOSTDOC_RELEASE || s->kind == HOSTDOC_ADOPT;
	int r;

	if (!op)
		return -ENOMEM;
	r = op_copy_string(device ? &op->device : &op->uuid, s->object);
	if (s->accel)
		op->options = (struct adopt_options) {
			.set = ADOPT_HOST_WQS | ADOPT_POOL_MIN,
			.host_wqs = s->accel->host_wqs, .pool_min = s->accel->pool_min,
		};
	if (r >= 0 && (s->kind == HOSTDOC_DEFINE || s->kind == HOSTDOC_MODIFY))
		r = fill_define(op, s->mdev);
	if (r >= 0 && s->kind == HOSTDOC_START)
		r = fill_start(op, s->mdev);
	if (r < 0) {
		op_free(op);
		return r;
	}
	*ret = op;
	return 0;
}

/* The first step of what is left of the way; 0: there is none. */
static int first_step(struct apply *a, struct op **ret)
{
	_cleanup_(freep) struct hostdoc_step *steps = NULL;
	size_t n = 0;
	int r;

	r = hostdoc_diff(&a->m->ledger, a->back ? a->before : a->want, &steps, &n);
	if (r < 0 || !n)
		return r;
	if (!a->left)
		a->left = n + MAX_DETOURS;
	else if (--a->left == 0)
		return -ELOOP;
	r = make_op(a, &steps[0], ret);
	return r < 0 ? r : 1;
}

static void next(struct apply *a)
{
	struct op *op = NULL;
	int r = a->stuck ? 0 : first_step(a, &op);

	if (r < 0 && !a->back) {
		a->back = true;
		a->left = 0;
		refuse(&a->refusal, REFUSE_FAILED, -r, "apply", "see journalctl -u idxdvd",
		       "the way could not be walked to its end: %s", strerror(-r));
		r = first_step(a, &op);
	}
	a->stuck = a->stuck || r < 0;
	if (a->stuck) {
		answer(a);
		return;
	}
	if (!op)
		op = op_new(a->m, OP_APPLY_END, ended, a);
	if (!op) {
		a->stuck = a->back = true;
		answer(a);
		return;
	}
	manager_enqueue_first(a->m, op);
}

/* --- the beginning --------------------------------------------------------------------------- */

static int format_steps(const struct hostdoc_step *steps, size_t n, char **ret)
{
	char line[256];
	size_t size;
	FILE *f;

	f = open_memstream(ret, &size);
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		hostdoc_step_format(&steps[i], line, sizeof(line));
		fprintf(f, "%zu. %s\n", i + 1, line);
	}
	return fclose(f) ? -ENOMEM : 0;
}

/* Before anything is done: what somebody has open is not taken from him. */
static int check_steps(struct op *op, const struct hostdoc_step *steps, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		const struct mdev *m = ledger_find_mdev(&op->manager->ledger, steps[i].object);

		if (steps[i].kind != HOSTDOC_STOP || !m || !m->in_use)
			continue;
		r = refuse(&op->res.refusal, REFUSE_IN_USE, EBUSY, m->uuid,
			   "shut the virtual machine down, or keep this mdev in the document",
			   "the document would stop it, and it is open");
		refusal_set_holder(&op->res.refusal, "pid %d (%s)", m->holder.pid, m->holder.comm);
	}
	return r;
}

static void run_remember(struct job *job)
{
	struct op *op = op_of(job);

	op->result = execute_remember_before(&op->manager->executor, op->document);
}

static void remembered(struct job *job)
{
	struct op *op = op_of(job);
	struct apply *a = op->apply;

	if (op->result < 0) {
		op_finish(op, refuse(&op->res.refusal, REFUSE_FAILED, -op->result, "apply",
				     "see that the state directory can be written",
				     "what is now cannot be written down, so nothing was done: %s",
				     strerror(-op->result)));
		return;
	}
	op->apply = NULL;
	a->m->apply = a;
	a->done = op->done;
	a->userdata = op->userdata;
	a->plan = TAKE(op->plan_text);
	op->done = NULL;
	next(a);
	op_finish(op, 0);
}

/* Such a file says nothing of mdevs: what there is now belongs to what it wants. */
static int convert(struct op *op)
{
	_cleanup_(freep) char *text = NULL;
	struct apply *a = op->apply;
	int r;

	r = accfgdoc_convert(&op->manager->ledger, a->accfg, &text, &op->res.refusal);
	return r < 0 ? r : hostdoc_parse(&a->want, text, &op->res.refusal);
}

static int prepare(struct op *op)
{
	_cleanup_(freep) struct hostdoc_step *steps = NULL;
	struct apply *a = op->apply;
	size_t n = 0;
	int r;

	r = a->accfg ? convert(op) : 0;
	if (r >= 0)
		r = hostdoc_diff(&op->manager->ledger, a->want, &steps, &n);
	a->n_steps = n;
	if (r >= 0)
		r = format_steps(steps, n, &op->plan_text);
	if (r >= 0)
		r = check_steps(op, steps, n);
	if (r < 0 || op->dry_run || !n)
		return r;
	r = hostdoc_export(&op->manager->ledger, &op->document);
	if (r >= 0)
		r = hostdoc_parse(&a->before, op->document, &op->res.refusal);
	return r < 0 ? r : 1;
}

void apply_begin(struct op *op)
{
	int r = prepare(op);

	if (r < 0 && op->res.refusal.kind == REFUSE_NONE)
		op_fail(op, -r, "apply", strerror(-r));
	else if (r <= 0)
		op_finish(op, r);
	else {
		op->job = (struct job) { run_remember, remembered };
		worker_submit(op->manager->worker, &op->job);
	}
}

int apply_new(struct manager *m, const char *text, struct apply **ret, struct refusal *ret_refusal)
{
	struct apply *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->m = m;
	if (accfgdoc_is(text))
		r = op_copy_string(&a->accfg, text);
	else
		r = hostdoc_parse(&a->want, text, ret_refusal);
	if (r < 0) {
		apply_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void apply_drop(struct apply *a)
{
	if (a)
		apply_free(a);
}

void apply_describe(const struct apply *a, char *buf, size_t size)
{
	if (a->back)
		snprintf(buf, size, "apply, on the way back");
	else if (a->n_done >= a->n_steps)
		snprintf(buf, size, "apply, at its end");
	else
		snprintf(buf, size, "apply, step %zu of %zu%s", a->n_done + 1, a->n_steps,
			 a->cancelled ? ", cancelled" : "");
}

int manager_cancel_apply(struct manager *m, struct refusal *ret)
{
	if (!m->apply || m->apply->back)
		return refuse(ret, REFUSE_NOT_RUNNING, ENOENT, "apply",
			      "idxdctl status says what runs", "none is under way");
	m->apply->cancelled = true;
	return 0;
}

/* A crash left it half done. What ran in another boot does not count. */
void apply_recover(struct manager *m, const char *before, bool same_boot)
{
	struct refusal refusal;
	struct apply *a;

	if (apply_new(m, before, &a, &refusal) < 0) {
		log_error("what was before an apply that was interrupted cannot be read: %s",
			  refusal.reason);
		return;
	}
	log_notice("an apply was interrupted, it is taken back");
	m->apply = a;
	a->before = TAKE(a->want);
	a->back = true;
	if (!same_boot)
		hostdoc_forget_running(a->before, &m->ledger);
	next(a);
}
