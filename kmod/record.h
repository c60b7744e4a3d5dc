/* SPDX-License-Identifier: GPL-2.0-only */
/* Completions that software has to deliver. */
#ifndef IDXD_MDEV_RECORD_H
#define IDXD_MDEV_RECORD_H

struct vdev;

void record_deliver(struct vdev *v);

#endif
