/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_HOLDER_H
#define IDXDVD_HOLDER_H

/* Who has a VFIO group open, from /proc: the kernel does not say it otherwise. */

#include <stddef.h>

#include "idxdvd/holding.h"
#include "idxdvd/mdev.h"

/* Fills holder and in_use of all @n mdevs in one pass over the processes. */
void holder_find(struct mdev *mdevs, size_t n);
/* The name of a process; "" if it is gone. */
void holder_read_comm(struct holder *h);
/* Everything about the process h->pid that can be seen. */
void holder_describe(struct holding *h);
/* One more holding for each process that has the group of one of these mdevs open. */
int holder_list_vfio(const struct mdev *mdevs, size_t n, struct holding **list, size_t *n_list);
/* Appends; *ret is zeroed. */
int holding_grow(struct holding **list, size_t *n, struct holding **ret);

/* A group can be opened once: -EBUSY if somebody has it open, seen or not. */
int holder_probe_group(int group);

#endif
