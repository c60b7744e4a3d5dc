// SPDX-License-Identifier: GPL-2.0-only
/*
 * A completion record that the device cannot write ends in its event log. For
 * each of them in-tree idxd looks up which process has the PASID, in a table of
 * the queue, and copies the record into that process; when there is none it
 * prints a line, and nothing limits those lines. A guest's PASID has no process.
 * So the queue gets an entry for it whose address space has no memory and never
 * will have: the copy fails at its first byte, without a word, and is counted.
 *
 * That address space is the one of the process that loaded the module, once that
 * process is gone. An address space in use will not do: the guest chooses the
 * address that is written to. Until then no entry is set and idxd prints.
 */
#include <linux/maple_tree.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "fault.h"
#include "layout.h"

static struct mm_struct *grave;

/* From the module's init: the caller is the process that loads it. */
void fault_init(void)
{
	grave = current->mm;
	if (grave)
		mmgrab(grave);
}

/* No queue is bound any more. */
void fault_exit(void)
{
	if (grave)
		mmdrop(grave);
}

/* The last user has left and the teardown is over, which nothing reverses. */
static bool grave_is_empty(void)
{
	return grave && !atomic_read(&grave->mm_users) && mtree_empty(&grave->mm_mt);
}

/* May sleep. Before the queue is enabled with @pasid. -EAGAIN: not possible yet. */
int fault_trap_set(struct fault_trap *t, struct idxd_wq *wq, ioasid_t pasid)
{
	struct idxd_user_context *ctx;
	int r;

	if (t->ctx && t->ctx->pasid == pasid)
		return 0;
	fault_trap_clear(t);
	if (!grave_is_empty())
		return -EAGAIN;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	ctx->wq = wq;
	ctx->pasid = pasid;
	ctx->mm = grave;

	mutex_lock(&wq->uc_lock);
	r = xa_insert(&wq->upasid_xa, pasid, ctx, GFP_KERNEL);
	mutex_unlock(&wq->uc_lock);
	if (r < 0) {
		kfree(ctx);
		return r;
	}
	t->wq = wq;
	t->ctx = ctx;
	return 0;
}

/* May sleep. The queue was drained and disabled. */
void fault_trap_clear(struct fault_trap *t)
{
	if (!t->ctx)
		return;
	mutex_lock(&t->wq->uc_lock);
	xa_erase(&t->wq->upasid_xa, t->ctx->pasid);
	mutex_unlock(&t->wq->uc_lock);
	kfree(t->ctx);
	t->ctx = NULL;
}

/* The queue may still run: what idxd looks up stays for good, without this module. */
void fault_trap_leave(struct fault_trap *t)
{
	if (t->ctx)
		mmgrab(grave);
	t->ctx = NULL;
}

/* Faults of @pasid since it has the queue. */
u64 fault_trap_count(const struct fault_trap *t, ioasid_t pasid)
{
	return t->ctx && t->ctx->pasid == pasid ? t->ctx->counters[0] : 0;
}
