/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_HOLDER_H
#define IDXDVD_HOLDER_H

/* Who has a VFIO group open, from /proc: of a group the kernel does not say it otherwise. */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/holding.h"
#include "idxdvd/mdev.h"

/*
 * Fills holder and in_use of all @n mdevs in one pass over the processes, except where they are known
 * already.
 */
void holder_find(struct mdev *mdevs, size_t n);
/* The name of a process; "" if it is gone. */
void holder_read_comm(struct holder *h);
/* Everything about the process h->pid that can be seen. */
void holder_describe(struct holding *h);
/* A group, and what a holding of it looks like. */
struct holder_group {
	int group;			/* -1: none, so that nobody can have it open */
	struct holding as;
	bool found;			/* some process has it open */
};
/* One more holding for each process that has one of these groups open. */
int holder_list_groups(struct holder_group *groups, size_t n, struct holding **list,
		       size_t *n_list);
/* Appends; *ret is zeroed. */
int holding_grow(struct holding **list, size_t *n, struct holding **ret);

/* A group can be opened once: -EBUSY if somebody has it open, seen or not. */
int holder_probe_group(int group);

#endif
