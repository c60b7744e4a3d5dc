/* SPDX-License-Identifier: GPL-2.0-only */
/* Queues that come back after idxd's own recovery from a halt. */
#ifndef IDXD_MDEV_REBIND_H
#define IDXD_MDEV_REBIND_H

#include <linux/types.h>

struct device;
struct device_driver;

int rebind_init(struct device_driver *driver);
void rebind_exit(void);
bool rebind_is_for(const struct device *dev);

#endif
