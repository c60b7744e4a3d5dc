/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The portal pages of BAR2 as the VMM maps them: of each work queue that the
 * guest sees two of four, the unlimited and the limited one for MSI-X.
 */
#ifndef IDXD_MDEV_REGION_H
#define IDXD_MDEV_REGION_H

#include <linux/mm_types.h>
#include <linux/mutex.h>

#include "core/vd.h"

struct address_space;
struct slice;

/* The pages of one queue. */
struct window {
	bool shown;			/* the queue is enabled: stores reach what follows */
	unsigned long pfn;		/* of the first page */
	unsigned int step;		/* to the second one: 1, or 0 when both are the same */
};

struct portal {
	struct mutex lock;		/* all but sink; nothing is taken inside it */
	unsigned int nwqs;
	struct window windows[VD_MAX_WQS];
	bool ram;			/* what is shown is memory, never a device */
	struct page *sink;		/* takes the stores otherwise */
	struct address_space *mapping;	/* of the VFIO device, while open */
	struct mm_struct *mm;		/* that mapped it last; grabbed */
	/* a store is about to reach what window @wq shows; with the lock held */
	void (*ring)(struct portal *p, unsigned int wq);
};

int portal_init(struct portal *p, unsigned int nwqs);
void portal_free(struct portal *p);
void portal_open(struct portal *p, struct address_space *mapping);
void portal_close(struct portal *p);
void portal_show(struct portal *p, unsigned int wq, unsigned long pfn, unsigned int step);
void portal_hide(struct portal *p, unsigned int wq);
void portal_clear(struct portal *p, unsigned int wq);
bool portal_is_shown(struct portal *p, unsigned int wq);
int portal_mmap(struct slice *s, struct vm_area_struct *vma);

#endif
