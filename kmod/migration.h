/* SPDX-License-Identifier: GPL-2.0-only */
/* VFIO migration, version 2: the image of the core through a file. */
#ifndef IDXD_MDEV_MIGRATION_H
#define IDXD_MDEV_MIGRATION_H

struct vdev;

void migration_init(struct vdev *v);	/* before the device is registered */
void migration_open(struct vdev *v);
void migration_close(struct vdev *v);
void migration_reset(struct vdev *v);	/* after vd_reset(): it runs, in any case */

#endif
