/* SPDX-License-Identifier: GPL-2.0-only */
/* A physical function that has at least one work queue bound to us. */
#ifndef IDXD_MDEV_PARENT_H
#define IDXD_MDEV_PARENT_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mdev.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "type.h"

struct hwq;
struct idxd_device;
struct ims;
struct pci_dev;
struct platform_device;
struct slice;

struct parent;

struct parent_type {
	struct mdev_type mdev;
	struct parent *parent;
	enum type_kind kind;
};

struct parent {
	struct kref ref;
	struct list_head node;		/* parents */
	struct idxd_device *idxd;	/* good while a wq is bound */
	struct pci_dev *pdev;		/* referenced */
	struct mdev_parent mdev;
	struct parent_type types[TYPE_MAX];
	struct mdev_type *mdev_types[TYPE_MAX];
	struct list_head hwqs;		/* bound work queues, parents_lock */
	struct list_head slices;	/* existing mdevs, parents_lock */
	bool going;			/* unregistered or about to be, parents_lock */
	bool unsafe;			/* opened in spite of the erratum */
	struct ims *ims;		/* NULL: completion vectors are MSI-X */
	struct platform_device *watch;	/* learns that idxd leaves, register_lock */
	struct work_struct reap;
};

static inline struct parent_type *to_parent_type(struct mdev_type *mtype)
{
	return container_of(mtype, struct parent_type, mdev);
}

/* Guards the list of parents, hwqs, slices, and which slice holds which hwq. */
extern struct mutex parents_lock;

int parent_bind(struct idxd_device *idxd, struct hwq *hwq, bool back);
void parent_unbind(struct hwq *hwq);
void parent_leave(struct parent *parent);
void parent_put(struct parent *parent);
void parent_slice_added(struct parent *parent, struct slice *slice);
void parent_slice_removed(struct parent *parent, struct slice *slice);
void parent_changed(struct parent *parent);

int parent_init(void);
void parent_exit(void);

#endif
