/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_HOST_MDEV_H
#define IDXDVD_HOST_MDEV_H

/* The calls of struct backend_ops of the real machine that concern mdevs. */

#include <stddef.h>

#include "idxdvd/mdev.h"

struct backend;

int host_scan_mdevs(struct backend *b, struct mdev **ret, size_t *ret_n);
int host_read_mdev(struct backend *b, const char *uuid, struct mdev *ret);
int host_mdev_create(struct backend *b, const char *parent, const char *type, const char *uuid);
int host_mdev_remove(struct backend *b, const char *uuid);
int host_mdev_evict(struct backend *b, const char *uuid);
int host_wq_mdev(struct backend *b, const char *parent, const char *wq, char ret[UUID_LEN]);
int host_mdev_set_wq(struct backend *b, const char *uuid, const char *wq);

#endif
