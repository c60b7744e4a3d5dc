/* SPDX-License-Identifier: GPL-2.0-only */
/* Work queues of any holder, drained for an administrator. */
#ifndef IDXD_MDEV_DRAIN_H
#define IDXD_MDEV_DRAIN_H

struct device_driver;

int drain_init(struct device_driver *driver);
void drain_exit(void);

#endif
