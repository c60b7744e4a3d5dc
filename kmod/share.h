/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One mdev's part in a host queue of mode shared. Its guest sees dedicated queues
 * of one entry each. Behind the portal of each is a door: a page of memory that
 * is absent until the guest stores to it. That fault wakes the queue's consumer,
 * which takes descriptors out of the page, checks them, gives them the mdev's
 * PASID and submits them with ENQCMDS, until nothing came for a while.
 *
 * Only a queue of one entry keeps the meaning of a portal on memory: its driver
 * does not store again before the completion, so no two descriptors meet in a slot.
 */
#ifndef IDXD_MDEV_SHARE_H
#define IDXD_MDEV_SHARE_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "core/vd.h"

struct consumer;
struct portal;
struct slice;

#define SHARE_WQS	4	/* that a guest sees */

/* Mdevs on one host queue. */
extern unsigned int max_sharers;

enum door_state {
	DOOR_OFF,		/* the guest's queue is disabled */
	DOOR_ARMED,		/* absent: the next store faults */
	DOOR_RUNNING,		/* present, or about to be: the consumer looks at it */
	DOOR_LEAVING,		/* nothing came for a while: about to be taken out */
};

struct door {
	enum door_state state;	/* portal.lock */
	struct page *page;
	ktime_t used;		/* when a store was last seen or announced */
	unsigned int next;	/* slot to look at first; consumer->lock, as what follows */
	unsigned int half;	/* slot that is waited for to be whole, or DOOR_SLOTS */
	ktime_t half_seen;
	bool holds;		/* a descriptor that the host's queue had no room for */
	u64 held[8];
};

struct share_stats {
	atomic64_t doorbells;	/* stores that faulted */
	atomic64_t descriptors;	/* submitted */
	atomic64_t retries;	/* of ENQCMDS */
};

struct share {
	struct slice *slice;
	struct consumer *consumer;	/* while the mdev is open and has a queue */
	struct llist_node rung;		/* consumer->rung */
	unsigned long is_rung;		/* bit 0: it is in that list */
	struct list_head node;		/* consumer->busy */
	unsigned int active;		/* bit n: door n is not OFF; slice.lock */
	unsigned long leaving;		/* bit n: door n is LEAVING */
	struct work_struct rearm;
	struct door doors[SHARE_WQS];
	struct share_stats stats;
};

int share_create(struct slice *s, struct share **ret_share);
void share_free(struct share *sh);
void share_post(struct share *sh, unsigned int wq, unsigned int off, const void *desc);

/* consumer.c */
int share_work(struct share *sh);

#endif
