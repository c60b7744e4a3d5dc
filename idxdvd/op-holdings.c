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
