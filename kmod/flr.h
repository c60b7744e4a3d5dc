/* SPDX-License-Identifier: GPL-2.0-only */
/* Resets of a function that its driver is not told of. */
#ifndef IDXD_MDEV_FLR_H
#define IDXD_MDEV_FLR_H

void flr_init(void);
void flr_exit(void);

#endif
