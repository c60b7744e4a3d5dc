/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The portal pages of BAR2 as the VMM maps them: of each work queue that the
 * guest sees two of four, the unlimited and the limited one for MSI-X.
 */
#ifndef IDXD_MDEV_REGION_H
#define IDXD_MDEV_REGION_H

#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/wait.h>

#include "core/vd.h"

struct address_space;
struct slice;

enum window_show {
	WINDOW_SINK,			/* the queue is disabled: stores reach nothing */
	WINDOW_SHOWN,			/* it is enabled: they reach what follows */
	WINDOW_WAITS,			/* it is enabled: they wait until it is shown */
};

/* The pages of one queue. */
struct window {
	enum window_show show;
	unsigned long pfn;		/* of the first page */
	unsigned int step;		/* to the second one: 1, or 0 when both are the same */
	unsigned int changes;		/* of the above so far */
};

struct portal {
	struct mutex lock;		/* all but sink */
	unsigned int nwqs;
	struct window windows[VD_MAX_WQS];
	bool ram;			/* what is shown is memory, never a device */
	struct page *sink;		/* takes the stores otherwise */
	struct address_space *mapping;	/* of the VFIO device, while open */
	struct mm_struct *mm;		/* that mapped it last; grabbed */
	wait_queue_head_t changed;	/* a window waits no longer; its own lock */
	/* a store is about to reach what window @wq shows, or waits; with the lock held */
	void (*ring)(struct portal *p, unsigned int wq);
};

int portal_init(struct portal *p, unsigned int nwqs);
void portal_free(struct portal *p);
void portal_open(struct portal *p, struct address_space *mapping);
void portal_close(struct portal *p);
void portal_show(struct portal *p, unsigned int wq, unsigned long pfn, unsigned int step);
void portal_park(struct portal *p, unsigned int wq);
void portal_hide(struct portal *p, unsigned int wq);
void portal_clear(struct portal *p, unsigned int wq);
bool portal_is_shown(struct portal *p, unsigned int wq);
int portal_mmap(struct slice *s, struct vm_area_struct *vma);

#endif
