/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mdevs that take turns on one dedicated host queue. Whose turn it is has the queue
 * with its own PASID, its portal mapped and full speed. A store of another one
 * faults, asks for a turn and waits for it. A turn ends when somebody waits and the
 * quantum is over: the portal is taken out, the queue drained and reset. Whoever is
 * alone keeps the queue, and nothing runs in the host.
 */
#ifndef IDXD_MDEV_TURN_H
#define IDXD_MDEV_TURN_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct hwq;
struct slice;
struct turn;

/* Mdevs on one host queue. */
extern unsigned int max_turns;

/* Of one host queue. */
struct turns {
	struct hwq *hwq;
	struct mutex lock;		/* the queue's hardware, and the next two */
	struct turn *on;		/* who has the queue, or NULL */
	ktime_t begun;
	spinlock_t wait_lock;
	struct list_head waiting;	/* who asked for a turn, oldest first; wait_lock, as the next */
	ktime_t used;			/* its first store in this turn, or 0 */
	struct delayed_work work;
};

/* One mdev's. */
struct turn {
	struct slice *slice;
	struct turns *turns;		/* while the mdev is open and has a queue; slice.lock */
	struct list_head node;		/* turns->waiting */
	bool active;			/* the guest enabled its queue; slice.lock and turns->lock */
	bool lost;			/* the host's queue could not be switched to it, or from it */
	atomic64_t count;		/* turns that it had */
	u64 time_us;			/* that those which are over took; turns->lock */
};

int turns_create(struct hwq *hwq, struct turns **ret_turns);
void turns_destroy(struct turns *t);

int turn_create(struct slice *s, struct turn **ret_turn);

#endif
