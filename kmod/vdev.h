/* SPDX-License-Identifier: GPL-2.0-only */
/* The VFIO device on the platform child of an mdev. */
#ifndef IDXD_MDEV_VDEV_H
#define IDXD_MDEV_VDEV_H

#include <linux/mutex.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>

#include "core/vd.h"
#include "irq.h"

#define VDEV_DRIVER "idxd-vdev"

struct platform_device;
struct slice;

/* What the handler of a completion interrupt is given. */
struct vdev_irq {
	struct vdev *vdev;
	unsigned int vector;
};

struct vdev {
	struct vfio_device vfio;	/* first: the VFIO core frees what it is in */
	struct slice *slice;		/* referenced */
	struct mutex mig_lock;		/* the two below; outside of irq_lock and lock */
	enum vfio_device_mig_state mig_state;
	struct file *mig_file;		/* in STOP_COPY and RESUMING */
	struct mutex irq_lock;		/* which eventfds are connected; outside of lock */
	struct mutex lock;		/* vd and all below */
	struct vd vd;
	bool open;
	bool stop;			/* abandon and disable before anything else */
	bool reset;			/* the stop is part of a reset */
	bool halted;			/* the core knows that the queue is gone */
	struct vd_cmd cmd;		/* the last one that the core started */
	bool cmd_new;			/* the worker has not taken it yet */
	bool cmd_owed;			/* the core waits for its end */
	unsigned long cmd_due;		/* jiffies at which the watchdog ends it */
	struct work_struct work;
	struct delayed_work watchdog;	/* ends a command that the hardware does not */
	unsigned long pending;		/* vectors the handler could not send, atomic */
	struct trigger triggers[VD_MAX_VECTORS];
	struct vdev_irq irqs[VD_MAX_VECTORS];
	struct trigger request;
};

static inline struct vdev *to_vdev(struct vfio_device *vfio)
{
	return container_of(vfio, struct vdev, vfio);
}

struct hwq_limits;

void vdev_limits(struct vdev *v, unsigned int wq, struct hwq_limits *ret_limits);

/* Guest commands run here, off the vCPU that wrote the register. */
extern struct workqueue_struct *vdev_workers;

int vdev_region_info(struct vfio_device *vfio, struct vfio_region_info *info,
		     struct vfio_info_cap *caps);
void vdev_complete(struct vdev *v, unsigned int vector);
long vdev_ioctl(struct vfio_device *vfio, unsigned int cmd, unsigned long arg);

struct kobject *vdev_cdev_dir(struct platform_device *child);

int vdev_init(void);
void vdev_exit(void);

#endif
