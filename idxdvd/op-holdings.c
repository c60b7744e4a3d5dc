/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds what, looked up when somebody asks: most of it changes without an event. */
#include <errno.h>
#include <string.h>

#include "idxdvd/op.h"

static void run_holdings(struct job *job)
{
	struct op *op = op_of(job);
	struct backend *b = op->manager->executor.backend;

	op->result = b->ops->holdings(b, &op->holdings, &op->n_holdings);
}

/* Keeps those of the one queue that was asked for. */
static void filter(struct op *op)
{
	size_t n = 0;

	for (size_t i = 0; i < op->n_holdings; i++)
		if (!strcmp(op->holdings[i].wq, op->wq))
			op->holdings[n++] = op->holdings[i];
	op->n_holdings = n;
}

static void holdings_read(struct job *job)
{
	struct op *op = op_of(job);

	if (op->result < 0) {
		op_fail(op, -op->result, "the holders", strerror(-op->result));
		return;
	}
	if (op->wq)
		filter(op);
	op->res.holdings = op->holdings;
	op->res.n_holdings = op->n_holdings;
	op_finish(op, 0);
}

int holdings_explain(struct op *op, int r)
{
	const struct holding *h = op->holdings;
	size_t i = 0;

	if (r >= 0 || op->res.refusal.kind != REFUSE_NO_SUCH_DEVICE)
		return r;
	while (i < op->n_holdings &&
	       (h[i].kind != HOLDING_DEVICE || (op->device && strcmp(h[i].device, op->device))))
		i++;
	if (i == op->n_holdings)
		return r;
	r = refuse(&op->res.refusal, REFUSE_DEVICE_TAKEN, EBUSY, h[i].device,
		   h[i].name[0] ? "unbind it from that driver and bind it to idxd" :
				  "bind it to idxd",
		   h[i].name[0] ? "it is an accelerator, but the driver %s has it, not idxd" :
				  "it is an accelerator, but no driver has it%s", h[i].name);
	if (h[i].pid)
		refusal_set_holder(&op->res.refusal, "pid %d (%s)", h[i].pid, h[i].comm);
	return r;
}

void holdings_begin(struct op *op)
{
	if (op->wq && !manager_find_wq(op->manager, op->wq, NULL)) {
		op_finish(op, refuse(&op->res.refusal, REFUSE_NO_SUCH_WQ, ENOENT, op->wq,
				     "idxdctl list shows what there is",
				     "there is no such work queue"));
		return;
	}
	op->job = (struct job) { run_holdings, holdings_read };
	worker_submit(op->manager->worker, &op->job);
}
