// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doors: from a store of the guest to a descriptor that was checked. A slot of a
 * door is copied once; what is checked is what is submitted, whatever the guest
 * does to the slot meanwhile.
 */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "cmd.h"
#include "consumer.h"
#include "core/desc.h"
#include "hwq.h"
#include "layout.h"
#include "parent.h"
#include "share.h"
#include "slice.h"
#include "trace.h"
#include "vdev.h"

#define DOOR_SLOTS	(PAGE_SIZE / 64)

/*
 * The first and the last quadword of a slot that nothing was stored to. The first
 * one is no descriptor's: its reserved bits are set.
 */
#define EMPTY		(~0ull)

/* A door that nothing came to for this long waits for a fault again. */
#define IDLE_MS		20

/* How long a descriptor may take from its first to its last quadword. */
#define HALF_MS		100

/* How long a queue that is being disabled may wait for room in the host's. */
#define FINISH_MS	1000

unsigned int max_sharers = 128;
module_param(max_sharers, uint, 0444);
MODULE_PARM_DESC(max_sharers, "mdevs on one shared work queue (128)");

/* ---- one door ----------------------------------------------------------------- */

static u64 *door_slot(const struct door *d, unsigned int i)
{
	return (u64 *)page_address(d->page) + 8 * i;
}

static void door_clear(struct door *d)
{
	memset(page_address(d->page), 0xff, PAGE_SIZE);
	d->next = 0;
	d->half = DOOR_SLOTS;
	d->holds = false;
}

static bool door_is_empty(const struct door *d)
{
	unsigned int i;

	for (i = 0; i < DOOR_SLOTS; i++)
		if (READ_ONCE(*door_slot(d, i)) != EMPTY)
			return false;
	return true;
}

static bool slot_is_half(const struct door *d, unsigned int i)
{
	const u64 *slot = door_slot(d, i);

	return READ_ONCE(slot[0]) != EMPTY && READ_ONCE(slot[7]) == EMPTY;
}

/*
 * MOVDIR64B arrives whole, but other stores do not, nor does the emulation of it. A
 * slot whose end is still empty is taken a while later: then it is all there, or
 * the guest does not want it to be. One such slot at a time is waited for.
 */
static bool door_is_ready(struct door *d, unsigned int i)
{
	ktime_t now;

	if (READ_ONCE(*door_slot(d, i)) == EMPTY)
		return false;
	if (slot_is_half(d, i)) {
		now = ktime_get();
		if (d->half == DOOR_SLOTS || !slot_is_half(d, d->half)) {
			d->half = i;
			d->half_seen = now;
		}
		if (d->half != i || ktime_ms_delta(now, d->half_seen) < HALF_MS)
			return false;
	}
	d->half = DOOR_SLOTS;
	return true;
}

/* consumer->lock. Moves one descriptor from the page to d->held. */
static bool door_copy(struct door *d)
{
	unsigned int n, i, k;
	u64 *slot;

	for (n = 0; n < DOOR_SLOTS; n++) {
		i = (d->next + n) % DOOR_SLOTS;
		if (!door_is_ready(d, i))
			continue;
		slot = door_slot(d, i);
		smp_rmb();
		for (k = 0; k < 8; k++)
			d->held[k] = READ_ONCE(slot[k]);
		WRITE_ONCE(slot[7], EMPTY);
		WRITE_ONCE(slot[0], EMPTY);
		smp_wmb();	/* the slot is free before the guest sees a completion */
		d->next = (i + 1) % DOOR_SLOTS;
		return true;
	}
	return false;
}

/* ---- the consumer's side --------------------------------------------------------- */

/* The guest learns of it as of an error that the device found. */
static void share_refuse(struct share *sh, unsigned int wq, u8 error, const u64 desc[8])
{
	u64 rec[4];

	vd_desc_error(desc, wq, error, rec);
	slice_event(sh->slice, rec);
}

/* consumer->lock. 1: one descriptor less; 0: there is none; -EAGAIN: no room for it. */
static int door_take(struct share *sh, unsigned int wq)
{
	struct door *d = &sh->doors[wq];
	u8 error;

	if (!d->holds) {
		if (!door_copy(d))
			return 0;
		WRITE_ONCE(d->used, ktime_get());
		error = vd_desc_check(&sh->slice->caps, d->held);
		if (error) {
			share_refuse(sh, wq, error, d->held);
			return 1;
		}
		vd_desc_own(d->held, sh->slice->pasid);
		d->holds = true;
	}
	if (consumer_submit(sh->consumer, &sh->slice->vectors[wq], d->held) < 0) {
		atomic64_inc(&sh->stats.retries);
		return -EAGAIN;
	}
	d->holds = false;
	atomic64_inc(&sh->stats.descriptors);
	return 1;
}

/* consumer->lock. A door that nothing comes to is taken out, by a worker: that may wait. */
static void door_rest(struct share *sh, unsigned int wq)
{
	struct door *d = &sh->doors[wq];
	struct portal *p = &sh->slice->portal;

	if (ktime_ms_delta(ktime_get(), READ_ONCE(d->used)) < IDLE_MS)
		return;
	mutex_lock(&p->lock);
	if (d->state == DOOR_RUNNING) {
		d->state = DOOR_LEAVING;
		set_bit(wq, &sh->leaving);
		queue_work(vdev_workers, &sh->rearm);
	}
	mutex_unlock(&p->lock);
}

/*
 * consumer->lock. One look at each door of the mdev, at most as many descriptors of
 * each as its weight says.
 * How many it submitted, -EAGAIN if only the host's queue stopped it, -ENOENT when
 * no door needs to be looked at again.
 */
int share_work(struct share *sh)
{
	bool running = false, full = false;
	unsigned int wq, n;
	int r = 0, done = 0;

	for (wq = 0; wq < SHARE_WQS; wq++) {
		if (READ_ONCE(sh->doors[wq].state) != DOOR_RUNNING)
			continue;
		for (n = 0; n < READ_ONCE(sh->slice->weight); n++) {
			r = door_take(sh, wq);
			if (r <= 0)
				break;
			done++;
		}
		if (!r && !n)
			door_rest(sh, wq);
		full |= r < 0;
		running |= READ_ONCE(sh->doors[wq].state) == DOOR_RUNNING;
	}
	if (!running)
		return -ENOENT;
	return !done && full ? -EAGAIN : done;
}

/* ---- the guest's side --------------------------------------------------------------- */

static void share_wake(struct share *sh)
{
	if (test_and_set_bit(0, &sh->is_rung))
		return;
	llist_add(&sh->rung, &sh->consumer->rung);
	wake_up(&sh->consumer->wait);
}

/* portal.lock. */
static void share_ring(struct portal *p, unsigned int wq)
{
	struct share *sh = container_of(p, struct slice, portal)->share;
	struct door *d = &sh->doors[wq];

	if (d->state == DOOR_OFF)
		return;
	atomic64_inc(&sh->stats.doorbells);
	WRITE_ONCE(d->used, ktime_get());
	if (d->state == DOOR_RUNNING)
		return;
	WRITE_ONCE(d->state, DOOR_RUNNING);
	share_wake(sh);
}

/*
 * A store that came before the page was out is found by the look after it; one that
 * comes later faults. The state is changed first, so that a fault in between counts.
 */
static void share_rearm(struct work_struct *work)
{
	struct share *sh = container_of(work, struct share, rearm);
	struct portal *p = &sh->slice->portal;
	struct door *d;
	unsigned int wq;
	bool leaves;

	for (wq = 0; wq < SHARE_WQS; wq++) {
		if (!test_and_clear_bit(wq, &sh->leaving))
			continue;
		d = &sh->doors[wq];
		mutex_lock(&p->lock);
		leaves = d->state == DOOR_LEAVING;
		if (leaves)
			d->state = DOOR_ARMED;
		mutex_unlock(&p->lock);
		if (!leaves)
			continue;
		portal_clear(p, wq);
		if (door_is_empty(d))
			continue;
		mutex_lock(&p->lock);
		share_ring(p, wq);
		mutex_unlock(&p->lock);
	}
}

/* A store by write(): 64 bytes at an offset of a portal page, aligned. */
void share_post(struct share *sh, unsigned int wq, unsigned int off, const void *desc)
{
	struct portal *p = &sh->slice->portal;
	const u64 *from = desc;
	unsigned int i;
	u64 *slot;

	mutex_lock(&p->lock);
	if (sh->doors[wq].state != DOOR_OFF) {
		slot = door_slot(&sh->doors[wq], off % PAGE_SIZE / 64);
		for (i = 8; i--;)	/* what makes it count comes last */
			WRITE_ONCE(slot[i], from[i]);
		share_ring(p, wq);
	}
	mutex_unlock(&p->lock);
}

/* slice.lock. */
static void share_enable(struct share *sh, unsigned int wq)
{
	struct portal *p = &sh->slice->portal;
	struct door *d = &sh->doors[wq];

	if (!sh->active)
		watch_start(&sh->slice->watch, sh->slice->pasid);
	door_clear(d);
	mutex_lock(&p->lock);
	WRITE_ONCE(d->state, DOOR_ARMED);
	mutex_unlock(&p->lock);
	sh->active |= BIT(wq);
	portal_show(p, wq, page_to_pfn(d->page), 0);
}

/* consumer->lock. What was stored before the portal went away was accepted. */
static void share_finish(struct share *sh, unsigned int wq)
{
	unsigned long end = jiffies + msecs_to_jiffies(FINISH_MS);
	int r;

	while ((r = door_take(sh, wq)) && time_before(jiffies, end))
		if (r < 0)
			usleep_range(20, 50);
}

static void share_door_off(struct share *sh, unsigned int wq, bool abandon)
{
	struct portal *p = &sh->slice->portal;
	struct consumer *c = sh->consumer;

	portal_hide(p, wq);
	mutex_lock(&c->lock);
	mutex_lock(&p->lock);
	WRITE_ONCE(sh->doors[wq].state, DOOR_OFF);
	mutex_unlock(&p->lock);
	if (!abandon)
		share_finish(sh, wq);
	sh->doors[wq].holds = false;
	mutex_unlock(&c->lock);
}

static int share_command(const struct share *sh, enum cmd_code code)
{
	return cmd_exec(sh->consumer->hwq->wq->idxd, code, sh->slice->pasid, NULL);
}

/*
 * slice.lock. The device knows of PASIDs, not of our queues: what one of several
 * queues still has to do is done, not abandoned.
 */
static int share_disable(struct share *sh, unsigned int wqs, bool abandon)
{
	unsigned int wq;

	for (wq = 0; wq < SHARE_WQS; wq++)
		if (wqs & BIT(wq))
			share_door_off(sh, wq, abandon);
	sh->active &= ~wqs;
	return share_command(sh, abandon && !sh->active ? CMD_ABORT_PASID : CMD_DRAIN_PASID);
}

/* ---- what the slice asks for ---------------------------------------------------------- */

static unsigned int share_running(const struct slice *s)
{
	return s->share->active;
}

static int share_start(struct slice *s, unsigned int wq)
{
	if (!hwq_is_alive(s->hwq))
		return -EIO;
	share_enable(s->share, wq);
	trace_idxd_mdev_portal(s->pasid, true);
	return 0;
}

/* One mdev's end is no other's: the host's queue goes on. */
static int share_stop(struct slice *s, unsigned int wqs, bool abandon)
{
	struct share *sh = s->share;
	int r;

	wqs &= sh->active;
	if (!wqs)
		return 0;
	r = share_disable(sh, wqs, abandon);
	if (abandon && !sh->active)
		watch_forget(&s->watch);
	trace_idxd_mdev_queue(hwq_name(s->hwq), s->pasid, sh->active, r);
	return r;
}

/* Waits for all that the mdev has in the host's queue. */
static int share_drain(struct slice *s)
{
	return s->share->active ? share_command(s->share, CMD_DRAIN_PASID) : 0;
}

/* The host's queue runs from its first user to its last. */
static int share_join(struct slice *s)
{
	struct consumer *c = s->hwq->consumer;
	int r;

	r = consumer_join(c);
	if (r < 0)
		return r;
	r = slice_watch_own(s);
	if (r < 0)
		consumer_leave(c);
	else
		s->share->consumer = c;
	return r;
}

/* The PASID is drained. */
static void share_part(struct slice *s)
{
	struct share *sh = s->share;
	struct consumer *c = sh->consumer;

	if (!c)
		return;
	cancel_work_sync(&sh->rearm);
	consumer_forget(c, sh);
	slice_unwatch_own(s);
	sh->consumer = NULL;
	consumer_leave(c);
}

const struct slice_mode share_mode = {
	.join = share_join,
	.part = share_part,
	.running = share_running,
	.start = share_start,
	.stop = share_stop,
	.drain = share_drain,
	.abort = share_drain,	/* of one of several queues nothing is abandoned */
};

/* ---- life --------------------------------------------------------------------------- */

void share_free(struct share *sh)
{
	unsigned int wq;

	if (!sh)
		return;
	for (wq = 0; wq < SHARE_WQS; wq++)
		if (sh->doors[wq].page)
			__free_page(sh->doors[wq].page);
	kfree(sh);
}

int share_create(struct slice *s, struct share **ret_share)
{
	struct share *sh = kzalloc(sizeof(*sh), GFP_KERNEL);
	unsigned int wq;

	if (!sh)
		return -ENOMEM;
	sh->slice = s;
	INIT_LIST_HEAD(&sh->node);
	INIT_WORK(&sh->rearm, share_rearm);
	for (wq = 0; wq < SHARE_WQS; wq++) {
		sh->doors[wq].page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!sh->doors[wq].page) {
			share_free(sh);
			return -ENOMEM;
		}
	}
	s->portal.ram = true;
	s->portal.ring = share_ring;
	*ret_share = sh;
	return 0;
}
