/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_HOST_HOLDER_H
#define IDXDVD_HOST_HOLDER_H

/* Who holds what on the real machine. */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/device.h"
#include "idxdvd/holding.h"
#include "idxdvd/sysfs.h"

/* The directory of a user wq's character device: wq0.1/dsa!wq0.1. */
bool host_find_cdev(const char *wq, char cdev[SYSFS_PATH_LEN]);
/* Everybody who holds a queue of these, an mdev of ours, or an accelerator that idxd does not have. */
int host_list_holdings(struct accel *const *accels, size_t n_accels, struct holding **ret,
		       size_t *ret_n);

#endif
