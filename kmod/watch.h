/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to a bound queue that nobody tells a driver of. */
#ifndef IDXD_MDEV_WATCH_H
#define IDXD_MDEV_WATCH_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct hwq;
struct log;
struct slice;

/* A completion that the device left in its log: software has to deliver it. */
struct watch_record {
	u64 addr;
	bool irq;			/* the guest wants its interrupt */
	u16 handle;			/* which */
	u8 vector;			/* the guest's, of this handle; slice.c */
	u8 len;				/* 0: it wants no record */
	u8 data[64];
};

#define WATCH_RECORDS	64u

struct watch {
	struct hwq *hwq;
	struct slice *slice;		/* one of several that share the queue, or NULL: whoever has it */
	struct log *log;		/* NULL: not attached */
	struct list_head node;		/* of the log */
	wait_queue_entry_t entry;	/* in idxd's queue of those who wait for errors */
	struct work_struct work;
	spinlock_t lock;		/* all below */
	ioasid_t pasid;			/* whose entries are taken; 0: nobody's */
	u64 error[4];			/* the first one, as in SWERROR */
	bool has_error;
	struct watch_record records[WATCH_RECORDS];
	unsigned int first, count;
};

void watch_setup(struct watch *w, struct slice *slice);
int watch_attach(struct watch *w, struct hwq *hwq);
void watch_detach(struct watch *w);
void watch_settle(struct watch *w);
void watch_start(struct watch *w, ioasid_t pasid);
void watch_forget(struct watch *w);

void watch_look(struct watch *w);
void watch_check(struct watch *w);
bool watch_take(struct watch *w, struct watch_record *ret_rec);

bool watch_is_for(const struct watch *w, const u64 *entry);
void watch_entry(struct watch *w, const u64 *entry);

#endif
