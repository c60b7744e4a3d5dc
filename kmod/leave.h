/* SPDX-License-Identifier: GPL-2.0-only */
/* Learning that the PCI driver leaves a function, before it does. */
#ifndef IDXD_MDEV_LEAVE_H
#define IDXD_MDEV_LEAVE_H

struct parent;
struct platform_device;

/* Calls parent_leave() before idxd leaves the function of @parent, until it is unregistered. */
struct platform_device *leave_watch(struct parent *parent);

int leave_init(void);
void leave_exit(void);

#endif
