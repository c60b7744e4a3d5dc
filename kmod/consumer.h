/* SPDX-License-Identifier: GPL-2.0-only */
/* Who submits for all mdevs on one shared host queue: a thread that sleeps without work. */
#ifndef IDXD_MDEV_CONSUMER_H
#define IDXD_MDEV_CONSUMER_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

struct hwq;
struct share;
struct task_struct;
struct vector;

struct consumer {
	struct hwq *hwq;
	void __iomem *portals;		/* of the host's queue, all four pages */
	struct task_struct *task;
	wait_queue_head_t wait;
	struct llist_head rung;		/* mdevs whose doors somebody stored to */
	struct mutex lock;		/* all below, and what a share says so of */
	struct list_head busy;		/* mdevs with doors that must be looked at */
	unsigned int users;		/* open mdevs; the queue is enabled for them */
};

int consumer_create(struct hwq *hwq, struct consumer **ret_consumer);
void consumer_destroy(struct consumer *c);
int consumer_join(struct consumer *c);
void consumer_leave(struct consumer *c);
void consumer_forget(struct consumer *c, struct share *sh);
int consumer_submit(const struct consumer *c, const struct vector *v, const u64 desc[8]);

#endif
