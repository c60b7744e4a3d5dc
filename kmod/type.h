/* SPDX-License-Identifier: GPL-2.0-only */
/* The mdev types that a parent offers. */
#ifndef IDXD_MDEV_TYPE_H
#define IDXD_MDEV_TYPE_H

#include <linux/mdev.h>

/* How an mdev has a host queue: all of it, a part of a shared one, a dedicated one by turns. */
enum type_kind {
	TYPE_1DWQ,
	TYPE_1SWQ,
	TYPE_1TWQ,
	TYPE_MAX,
};

struct idxd_device;
struct parent;

extern struct mdev_driver type_driver;

void type_fill(struct parent *parent, const struct idxd_device *idxd);
bool type_is_unsafe(const struct parent *parent);

#endif
