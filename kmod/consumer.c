// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread for each shared host queue. It turns from mdev to mdev, one descriptor
 * of each door at a time, so that a full queue is shared evenly. It runs while a
 * door is open, spins only while descriptors keep coming, and sleeps otherwise.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/special_insns.h>

#include "consumer.h"
#include "hwq.h"
#include "irq.h"
#include "layout.h"
#include "regs.h"
#include "share.h"

/* After the last descriptor: how long it looks without a pause, and the pause then. */
#define SPIN_US		100
#define NAP_US		50

/* consumer->lock. Whoever rang since the last time is looked at from now on. */
static void consumer_collect(struct consumer *c)
{
	struct llist_node *rung = llist_reverse_order(llist_del_all(&c->rung));
	struct share *sh, *next;

	llist_for_each_entry_safe(sh, next, rung, rung) {
		clear_bit(0, &sh->is_rung);
		smp_mb__after_atomic();	/* before its doors are looked at */
		if (list_empty(&sh->node))
			list_add_tail(&sh->node, &c->busy);
	}
}

/* One turn. Whether a descriptor was found. */
static bool consumer_turn(struct consumer *c)
{
	struct share *sh, *next;
	bool found = false;
	int r;

	mutex_lock(&c->lock);
	consumer_collect(c);
	list_for_each_entry_safe(sh, next, &c->busy, node) {
		r = share_work(sh);
		if (r == -ENOENT)
			list_del_init(&sh->node);
		found |= r > 0;
	}
	/* who comes first finds the room that the others left */
	if (!list_empty(&c->busy))
		list_rotate_left(&c->busy);
	mutex_unlock(&c->lock);
	return found;
}

static bool consumer_has_work(struct consumer *c)
{
	return !llist_empty(&c->rung) || !list_empty_careful(&c->busy);
}

static int consumer_run(void *data)
{
	struct consumer *c = data;
	ktime_t found = ktime_get();

	while (!kthread_should_stop()) {
		wait_event_idle(c->wait, consumer_has_work(c) || kthread_should_stop());
		if (consumer_turn(c))
			found = ktime_get();
		if (ktime_us_delta(ktime_get(), found) < SPIN_US) {
			cpu_relax();
			cond_resched();
		} else {
			usleep_range(NAP_US, 2 * NAP_US);
		}
	}
	return 0;
}

/* One ENQCMDS, to the limited portal of the kind of @v. 0, or -EAGAIN when there is no room. */
int consumer_submit(const struct consumer *c, const struct vector *v, const u64 desc[8])
{
	void __iomem *portal = c->portals + (vector_portal_page(v) + 1) * PAGE_SIZE;

	wmb();	/* as idxd does: what the descriptor names is written */
	return enqcmds(portal, desc);
}

/* May sleep. The first user enables the host's queue, which has no PASID of its own. */
int consumer_join(struct consumer *c)
{
	int r = 0;

	mutex_lock(&c->lock);
	if (!c->users)
		r = hwq_enable(c->hwq, 0, &hwq_no_limits);
	if (!r)
		c->users++;
	mutex_unlock(&c->lock);
	return r;
}

void consumer_leave(struct consumer *c)
{
	mutex_lock(&c->lock);
	if (!--c->users)
		hwq_disable(c->hwq);
	mutex_unlock(&c->lock);
}

/* The doors of @sh are off. */
void consumer_forget(struct consumer *c, struct share *sh)
{
	mutex_lock(&c->lock);
	consumer_collect(c);
	list_del_init(&sh->node);
	mutex_unlock(&c->lock);
}

int consumer_create(struct hwq *hwq, struct consumer **ret_consumer)
{
	struct consumer *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int r = -ENOMEM;

	if (!c)
		return -ENOMEM;
	c->hwq = hwq;
	init_waitqueue_head(&c->wait);
	init_llist_head(&c->rung);
	mutex_init(&c->lock);
	INIT_LIST_HEAD(&c->busy);
	c->portals = ioremap(PFN_PHYS(hwq_portal_pfn(hwq, 0)), PORTAL_STRIDE);
	if (!c->portals)
		goto undo_consumer;
	c->task = kthread_run(consumer_run, c, "idxd_mdev/%s", hwq_name(hwq));
	if (IS_ERR(c->task)) {
		r = PTR_ERR(c->task);
		goto undo_map;
	}
	*ret_consumer = c;
	return 0;

undo_map:
	iounmap(c->portals);
undo_consumer:
	kfree(c);
	return r;
}

/* No mdev uses it. */
void consumer_destroy(struct consumer *c)
{
	kthread_stop(c->task);
	iounmap(c->portals);
	kfree(c);
}
