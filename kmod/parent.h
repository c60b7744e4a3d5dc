/* SPDX-License-Identifier: GPL-2.0-only */
/* A physical function that has at least one work queue bound to us. */
#ifndef IDXD_MDEV_PARENT_H
#define IDXD_MDEV_PARENT_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mdev.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

struct hwq;
struct idxd_device;
struct ims;
struct pci_dev;
struct slice;

struct parent {
	struct kref ref;
	struct list_head node;		/* parents */
	struct idxd_device *idxd;	/* good while a wq is bound */
	struct pci_dev *pdev;		/* referenced */
	struct mdev_parent mdev;
	struct mdev_type type;
	struct mdev_type *types[1];
	struct list_head hwqs;		/* bound work queues, parents_lock */
	struct list_head slices;	/* existing mdevs, parents_lock */
	bool going;			/* unregistered or about to be, parents_lock */
	bool unsafe;			/* opened in spite of the erratum */
	struct ims *ims;		/* NULL: completion vectors are MSI-X */
	struct work_struct reap;
};

/* Guards the list of parents, hwqs, slices, and which slice holds which hwq. */
extern struct mutex parents_lock;

int parent_bind(struct idxd_device *idxd, struct hwq *hwq, bool back);
void parent_unbind(struct hwq *hwq);
void parent_put(struct parent *parent);
void parent_slice_added(struct parent *parent, struct slice *slice);
void parent_slice_removed(struct parent *parent, struct slice *slice);
void parent_changed(struct parent *parent);

int parent_init(void);
void parent_exit(void);

#endif
