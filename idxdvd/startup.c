/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first operation: what the store, the journal and the machine say, brought together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/log.h"
#include "idxdvd/common/message.h"
#include "idxdvd/op.h"

static void run_start(struct job *job)
{
	struct op *op = op_of(job);

	op->result = execute_start(&op->manager->executor, &op->inventory, &op->res.refusal);
}

/* Forgets in a record of this boot what the machine no longer shows. */
static void forget_lost(struct record *rec, const struct table *mdevs)
{
	for (size_t i = 0; i < rec->n_mdevs;) {
		if (table_get(mdevs, rec->mdevs[i].uuid)) {
			i++;
			continue;
		}
		message_log(&(struct message){
				.kind = MESSAGE_MDEV_LOST, .level = LOG_NOTICE,
				.mdev = rec->mdevs[i].uuid,
			    }, "mdev %s is gone, somebody else removed it", rec->mdevs[i].uuid);
		record_drop_mdev(rec, rec->mdevs[i].uuid);
	}
}

static int take_records(struct ledger *l, struct inventory *inv, const struct table *mdevs,
			const char *boot_id)
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
			record_restart(rec);
		} else {
			forget_lost(rec, mdevs);
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

static int commit_records(struct ledger *l, struct inventory *inv, const char *boot_id)
{
	struct table mdevs = { 0 };
	int r = 0;

	for (size_t i = 0; i < inv->n_mdevs && r >= 0; i++)
		r = table_put(&mdevs, inv->mdevs[i].uuid, &inv->mdevs[i]);
	if (r >= 0)
		r = take_records(l, inv, &mdevs, boot_id);
	table_clear(&mdevs);
	return r;
}

/* What is not there will be new when it comes, and started then. */
static void settle_slot(struct slot *s, bool appeared)
{
	s->appeared = appeared;
	if (!s->accel && s->record)
		record_restart(s->record);
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
	r = manager_take_definitions(op->manager, inv);
	if (r < 0)
		return r;
	r = commit_records(l, inv, op->manager->executor.boot_id);
	if (r < 0)
		return r;

	n = l->n_slots;
	appeared = calloc(n + 1, sizeof(*appeared));
	if (!appeared)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		appeared[i] = l->slots[i]->appeared;
	r = rescan_commit(l, inv);
	for (size_t i = 0; i < l->n_slots; i++)
		settle_slot(l->slots[i], i < n && appeared[i]);
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
		op_finish(op, op->result);
		return;
	}
	r = commit_start(op);
	if (r < 0) {
		op_fail(op, -r, "idxdvd", "out of memory");
		return;
	}
	memcpy(m->ledger.boot_id, m->executor.boot_id, sizeof(m->ledger.boot_id));
	m->started = true;

	/* The answer waits for the upkeep that the start brings; that goes before what is queued. */
	settled = op_new(m, OP_SETTLED, op->done, op->userdata);
	if (settled) {
		op->done = NULL;
		manager_enqueue_first(m, settled);
	}
	if (op->inventory.before)
		apply_recover(m, op->inventory.before, op->inventory.before_same_boot);
	op_finish(op, 0);
}

void startup_begin(struct op *op)
{
	op->job = (struct job) { run_start, start_done };
	worker_submit(op->manager->worker, &op->job);
}
