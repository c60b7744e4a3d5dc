/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits until a work queue has nothing in flight, whoever has it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/op.h"

static const struct {
	int error;
	enum refusal_kind kind;
	const char *reason, *remedy;
} meanings[] = {
	{ ENOENT, REFUSE_NO_MODULE, "the module idxd_mdev is not loaded, or too old to drain",
	  "modprobe idxd_mdev" },
	{ ENODEV, REFUSE_NO_SUCH_WQ, "it went away", "idxdctl list shows what there is" },
	{ ESRCH, REFUSE_INVALID_ARGS, "that process does not have it open",
	  "idxdctl holders shows who has it" },
	{ EINVAL, REFUSE_INVALID_ARGS, "there cannot be such a PASID", "leave it out" },
	{ ETIMEDOUT, REFUSE_FAILED, "the device has not ended it in time",
	  "stop whoever submits to it, then try again" },
};

/* It is not enabled: then nothing is in flight. */
static bool is_idle(int r)
{
	return r == -ENXIO;
}

static void run_drain(struct job *job)
{
	struct op *op = op_of(job);
	struct backend *b = op->manager->executor.backend;

	op->result = b->ops->holdings(b, &op->holdings, &op->n_holdings);
	if (op->result >= 0 && !op->dry_run)
		op->result = b->ops->drain(b, op->wq, op->drain_pid, op->drain_pasid);
}

static void describe(FILE *f, const struct holding *h)
{
	if (h->pid)
		fprintf(f, "pid %d (%s)", h->pid, h->comm);
	else
		fprintf(f, "%s", h->name[0] ? h->name : holding_kind_name(h->kind));
	if (h->unit[0])
		fprintf(f, ", unit %s", h->unit);
	if (h->container[0])
		fprintf(f, ", container %s", h->container);
	if (h->domain[0])
		fprintf(f, ", domain %s", h->domain);
}

static int format(struct op *op)
{
	size_t size, n = 0;
	FILE *f = open_memstream(&op->plan_text, &size);

	if (!f)
		return -ENOMEM;
	fprintf(f, "1. drain %s", op->wq);
	if (op->drain_pid)
		fprintf(f, " of pid %d", op->drain_pid);
	if (op->drain_pasid)
		fprintf(f, " of PASID %u", op->drain_pasid);
	fprintf(f, "  (");
	for (size_t i = 0; i < op->n_holdings; i++) {
		const struct holding *h = &op->holdings[i];

		if (strcmp(h->wq, op->wq) || (op->drain_pid && h->pid != op->drain_pid))
			continue;
		fprintf(f, "%s", n++ ? "; " : "");
		describe(f, h);
	}
	fprintf(f, "%s)\n", n ? "" : "nobody is seen to have it");
	return fclose(f) ? -ENOMEM : 0;
}

static int explain(struct op *op)
{
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (op->result == -meanings[i].error)
			return refuse(&op->res.refusal, meanings[i].kind, meanings[i].error, op->wq,
				      meanings[i].remedy, "%s", meanings[i].reason);
	return refuse(&op->res.refusal, REFUSE_FAILED, -op->result, op->wq,
		      "see the kernel log", "it cannot be drained: %s", strerror(-op->result));
}

static void drained(struct job *job)
{
	struct op *op = op_of(job);
	int r = op->result < 0 && !is_idle(op->result) ? explain(op) : format(op);

	if (r == -ENOMEM && op->res.refusal.kind == REFUSE_NONE)
		op_fail(op, ENOMEM, op->wq, "it is drained, but there is no memory to say so");
	else
		op_finish(op, r);
}

/* An mdev is drained with its queue. */
static int find_queue(struct op *op)
{
	const struct mdev *m;
	char uuid[UUID_LEN];

	if (parse_uuid(op->wq, uuid) < 0)
		return manager_find_wq(op->manager, op->wq, NULL) ? 0 :
		       refuse(&op->res.refusal, REFUSE_NO_SUCH_WQ, ENOENT, op->wq,
			      "idxdctl list shows what there is", "there is no such work queue");
	m = ledger_find_mdev(&op->manager->ledger, uuid);
	if (!m || !m->wq[0])
		return refuse(&op->res.refusal, REFUSE_NO_SUCH_MDEV, ENOENT, uuid,
			      "idxdctl list shows what there is",
			      m ? "it has no work queue" : "there is no such mdev");
	free(TAKE(op->wq));
	return op_copy_string(&op->wq, m->wq);
}

void drain_begin(struct op *op)
{
	int r = find_queue(op);

	if (r == -ENOMEM) {
		op_fail(op, ENOMEM, "idxdvd", "out of memory");
		return;
	}
	if (r < 0) {
		op_finish(op, r);
		return;
	}
	op->job = (struct job) { run_drain, drained };
	worker_submit(op->manager->worker, &op->job);
}

void manager_drain(struct manager *m, const struct drain_request *req, manager_done done,
		   void *userdata)
{
	struct op *op = op_new(m, OP_DRAIN, done, userdata);

	if (op) {
		op->drain_pid = req->pid;
		op->drain_pasid = req->pasid;
		op->dry_run = req->dry_run;
	}
	m->rescan_all = true;
	manager_submit_request(m, op, op && op_copy_string(&op->wq, req->object) == 0, done,
			       userdata);
}
