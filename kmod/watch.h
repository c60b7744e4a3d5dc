/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to a bound queue that nobody tells a driver of. */
#ifndef IDXD_MDEV_WATCH_H
#define IDXD_MDEV_WATCH_H

#include <linux/iommu.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct hwq;

struct watch {
	struct hwq *hwq;
	struct delayed_work poll;
	wait_queue_entry_t entry;	/* in idxd's queue of those who wait for errors */
	struct work_struct report;
	spinlock_t lock;		/* record */
	u64 record[4];
	unsigned int seen;		/* index in the event log, its lock */
	ioasid_t pasid;			/* whose entries are looked for; 0: nobody's */
};

void watch_init(struct watch *w, struct hwq *hwq);
void watch_start(struct watch *w);
void watch_forget(struct watch *w);
void watch_exit(struct watch *w);

#endif
