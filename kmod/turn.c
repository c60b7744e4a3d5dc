// SPDX-License-Identifier: GPL-2.0-only
/*
 * Only the work switches, so turns are in the order in which they were asked for.
 * A switch takes the portal from one mdev, waits until the device has done what was
 * stored, and gives the queue with another PASID to the next one. Locks: LOCKING.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "cmd.h"
#include "hwq.h"
#include "layout.h"
#include "parent.h"
#include "slice.h"
#include "trace.h"
#include "turn.h"
#include "vdev.h"

#define MAX_TURN_MS	1000u

unsigned int max_turns = 16;
module_param(max_turns, uint, 0444);
MODULE_PARM_DESC(max_turns, "mdevs that take turns on one dedicated work queue (16)");

static unsigned int turn_ms = 5;
module_param(turn_ms, uint, 0644);
MODULE_PARM_DESC(turn_ms, "length of a turn while others wait, for weight 1, in ms (5, at most 1000)");

static u64 turn_quantum_us(const struct turn *turn)
{
	return 1000ull * clamp(READ_ONCE(turn_ms), 1u, MAX_TURN_MS) * READ_ONCE(turn->slice->weight);
}

/* ---- who waits --------------------------------------------------------------- */

static void turns_kick(struct turns *t, u64 after_us)
{
	queue_delayed_work(vdev_workers, &t->work, usecs_to_jiffies(after_us));
}

/* portal.lock. From a fault. If the work is queued already it is because others wait too. */
static void turn_ring(struct portal *p, unsigned int wq)
{
	struct turn *turn = container_of(p, struct slice, portal)->turn;
	bool waits = p->windows[wq].show == WINDOW_WAITS;
	struct turns *t = turn->turns;

	spin_lock(&t->wait_lock);
	if (!waits && !t->used)
		t->used = ktime_get();
	if (waits && list_empty(&turn->node))
		list_add_tail(&turn->node, &t->waiting);
	spin_unlock(&t->wait_lock);
	if (waits)
		turns_kick(t, 0);
}

/*
 * turns.lock, with somebody on. How long its turn may last still: its quantum counts
 * from its first store, for which it has as long.
 */
static s64 turns_left_us(struct turns *t)
{
	u64 quantum = turn_quantum_us(t->on);
	ktime_t used;

	spin_lock(&t->wait_lock);
	used = t->used;
	spin_unlock(&t->wait_lock);
	return quantum - ktime_us_delta(ktime_get(), used ?: t->begun);
}

static struct turn *turns_next(struct turns *t)
{
	struct turn *turn;

	spin_lock(&t->wait_lock);
	turn = list_first_entry_or_null(&t->waiting, struct turn, node);
	spin_unlock(&t->wait_lock);
	return turn;
}

static void turn_unqueue(struct turn *turn)
{
	spin_lock(&turn->turns->wait_lock);
	list_del_init(&turn->node);
	spin_unlock(&turn->turns->wait_lock);
}

/* ---- whose turn it is ---------------------------------------------------------- */

/* turns.lock, its turn. What it stored is done when this returns. */
static int turn_end(struct turn *turn, bool abandon)
{
	struct turns *t = turn->turns;

	if (abandon)
		hwq_abort(t->hwq);
	hwq_disable(t->hwq);
	turn->time_us += ktime_us_delta(ktime_get(), t->begun);
	trace_idxd_mdev_queue(hwq_name(t->hwq), turn->slice->pasid, false,
			      t->hwq->enabled ? -EIO : 0);
	if (t->hwq->enabled)
		return -EIO;	/* the hardware still has its PASID */
	t->on = NULL;
	return 0;
}

/* turns.lock, nobody's turn. */
static int turn_begin(struct turn *turn)
{
	struct turns *t = turn->turns;
	struct slice *s = turn->slice;
	int r = hwq_enable(t->hwq, s->pasid, &s->limits);

	trace_idxd_mdev_queue(hwq_name(t->hwq), s->pasid, true, r);
	if (r < 0)
		return r;
	t->on = turn;
	t->begun = ktime_get();
	spin_lock(&t->wait_lock);
	t->used = 0;
	spin_unlock(&t->wait_lock);
	atomic64_inc(&turn->count);
	portal_show(&s->portal, 0, hwq_portal_pfn(t->hwq, vector_portal_page(&s->vectors[0])), 1);
	return 0;
}

/* turns.lock. Whoever waits shall not wait for what does not come; it is told of a halt. */
static void turn_fail(struct turn *turn)
{
	turn_unqueue(turn);
	portal_hide(&turn->slice->portal, 0);
	WRITE_ONCE(turn->lost, true);
	watch_check(&turn->slice->watch);
}

static void turns_work(struct work_struct *work)
{
	struct turns *t = container_of(to_delayed_work(work), struct turns, work);
	struct turn *next;
	s64 left;
	int r = 0;

	mutex_lock(&t->lock);
	next = turns_next(t);
	if (!next)
		goto out;
	if (t->on == next) {
		/* it asked just before it was shown, or could not be ended */
		if (portal_is_shown(&next->slice->portal, 0))
			turn_unqueue(next);
		else
			turn_fail(next);
		goto more;
	}
	if (t->on) {
		left = turns_left_us(t);
		if (left > 0) {
			turns_kick(t, left);
			goto out;
		}
		portal_park(&t->on->slice->portal, 0);
		r = turn_end(t->on, false);
	}
	if (!r) {
		turn_unqueue(next);
		r = turn_begin(next);
	}
	if (r < 0)
		turn_fail(next);
more:
	if (turns_next(t))
		turns_kick(t, t->on ? turn_quantum_us(t->on) : 0);
out:
	mutex_unlock(&t->lock);
}

/* ---- the guest's side ---------------------------------------------------------- */

static unsigned int turn_running(const struct slice *s)
{
	return s->turn->active;
}

/* The hardware learns of it with the first turn. */
static int turn_start(struct slice *s, unsigned int wq)
{
	struct turns *t = s->turn->turns;

	if (!t || !hwq_is_alive(s->hwq))
		return -EIO;
	mutex_lock(&t->lock);
	if (!s->turn->active)
		watch_start(&s->watch, s->pasid);
	s->turn->active = true;
	s->turn->lost = false;
	portal_park(&s->portal, wq);
	mutex_unlock(&t->lock);
	trace_idxd_mdev_portal(s->pasid, true);
	return 0;
}

/* Nothing that is the others' is touched: when it is not its turn the hardware is not. */
static int turn_stop(struct slice *s, unsigned int wqs, bool abandon)
{
	struct turn *turn = s->turn;
	struct turns *t = turn->turns;
	int r = 0;

	if (!t || !turn->active)
		return 0;
	mutex_lock(&t->lock);
	portal_hide(&s->portal, 0);
	turn_unqueue(turn);
	if (t->on == turn)
		r = turn_end(turn, abandon);
	turn->active = r < 0;
	if (turns_next(t))
		turns_kick(t, 0);
	mutex_unlock(&t->lock);
	if (abandon && !r)
		watch_forget(&s->watch);
	return r;
}

/* Only whose turn it is has something in the queue. */
static int turn_command(struct slice *s, int (*command)(struct hwq *hwq))
{
	struct turns *t = s->turn->turns;
	int r = 0;

	if (!t)
		return -ENODEV;
	mutex_lock(&t->lock);
	if (t->on == s->turn)
		r = command(t->hwq);
	mutex_unlock(&t->lock);
	return r;
}

static int turn_drain(struct slice *s)
{
	return turn_command(s, hwq_drain);
}

static int turn_abort(struct slice *s)
{
	return turn_command(s, hwq_abort);
}

static int turn_join(struct slice *s)
{
	int r = slice_watch_own(s);

	if (!r)
		s->turn->turns = s->hwq->turns;
	return r;
}

/* Stopped before. */
static void turn_part(struct slice *s)
{
	if (!s->turn->turns)
		return;
	slice_unwatch_own(s);
	s->turn->turns = NULL;
}

const struct slice_mode turn_mode = {
	.join = turn_join,
	.part = turn_part,
	.running = turn_running,
	.start = turn_start,
	.stop = turn_stop,
	.drain = turn_drain,
	.abort = turn_abort,
};

/* ---- life ------------------------------------------------------------------------ */

int turn_create(struct slice *s, struct turn **ret_turn)
{
	struct turn *turn = kzalloc(sizeof(*turn), GFP_KERNEL);

	if (!turn)
		return -ENOMEM;
	turn->slice = s;
	INIT_LIST_HEAD(&turn->node);
	s->portal.ring = turn_ring;
	*ret_turn = turn;
	return 0;
}

int turns_create(struct hwq *hwq, struct turns **ret_turns)
{
	struct turns *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	t->hwq = hwq;
	mutex_init(&t->lock);
	spin_lock_init(&t->wait_lock);
	INIT_LIST_HEAD(&t->waiting);
	INIT_DELAYED_WORK(&t->work, turns_work);
	*ret_turns = t;
	return 0;
}

/* No mdev uses it. */
void turns_destroy(struct turns *t)
{
	cancel_delayed_work_sync(&t->work);
	kfree(t);
}
