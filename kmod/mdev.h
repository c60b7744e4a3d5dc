/* SPDX-License-Identifier: GPL-2.0-only */
/* One mediated device: what `create` makes and `remove` takes away. */
#ifndef IDXD_MDEV_MDEV_H
#define IDXD_MDEV_MDEV_H

#include <linux/mdev.h>

extern const struct attribute_group *mdev_groups[];

int mdev_probe(struct mdev_device *mdev);
void mdev_remove(struct mdev_device *mdev);

#endif
