/* SPDX-License-Identifier: GPL-2.0-only */
/* The portal pages of BAR2 as the VMM maps them. */
#ifndef IDXD_MDEV_REGION_H
#define IDXD_MDEV_REGION_H

#include <linux/mm_types.h>
#include <linux/mutex.h>

struct address_space;
struct slice;

struct portal {
	struct mutex lock;		/* all but sink; nothing is taken inside it */
	bool shown;			/* the queue is enabled: stores reach it */
	unsigned long pfn;		/* of the first host portal page */
	struct page *sink;		/* takes the stores otherwise */
	struct address_space *mapping;	/* of the VFIO device, while open */
	struct mm_struct *mm;		/* that mapped it last; grabbed */
};

int portal_init(struct portal *p);
void portal_free(struct portal *p);
void portal_open(struct portal *p, struct address_space *mapping);
void portal_close(struct portal *p);
void portal_show(struct portal *p, unsigned long pfn);
void portal_hide(struct portal *p);
int portal_mmap(struct slice *s, struct vm_area_struct *vma);

#endif
