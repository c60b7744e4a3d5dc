/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_CAPACITY_H
#define IDXDVD_CAPACITY_H

/* Where the work queues of an accelerator are, each in exactly one place; and why one cannot be had. */

#include "idxdvd/device.h"
#include "idxdvd/mdev.h"
#include "idxdvd/refusal.h"

struct capacity {
	unsigned int total;
	unsigned int free_now;		/* in the kernel: available_instances of the type */
	unsigned int creatable;		/* free, and policy would let us bind them */
	unsigned int reserved;		/* free, kept for the host */
	unsigned int host;		/* held by the host's kernel or processes */
	unsigned int mdevs;		/* held by mdevs, of which ... */
	unsigned int mdevs_in_use;	/* ... are open */
	unsigned int exclusive;		/* free, but policy gives its engines to another queue */
	unsigned int foreign;		/* configured by somebody else */
	unsigned int unusable;		/* free, but there is no size or no engine, or no way to use it */

	unsigned int room;		/* mdevs of the type that could be created now */
	unsigned int max_sharers;	/* on one queue; 1 of a type that has queues of its own */
};

/* Queues; those from free_now on, without mdevs_in_use, are total together. */
void capacity_count(const struct accel *a, const struct mdev_type *type, struct capacity *ret);

/* What the kernel says: available_instances. */
unsigned int capacity_instances(const struct accel *a, const struct mdev_type *type);

/*
 * Why a wq cannot be had now, by whom it is held, and what would free it. REFUSE_NONE: it can; the
 * reason says then by which type, unless it is any.
 */
void capacity_explain(const struct accel *a, const struct wq *w, struct refusal *ret);

#endif
