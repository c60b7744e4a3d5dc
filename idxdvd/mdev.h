/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_MDEV_H
#define IDXDVD_MDEV_H

#include "idxdvd/device.h"

#define LEASE_LEN 128

/* A mediated device as the kernel shows it, and whose it is. */
struct mdev {
	char uuid[UUID_LEN];
	char parent[NAME_LEN];		/* PCI address of the parent */
	char type[NAME_LEN];		/* idxd-dsa-1dwq-v1 */
	char wq[NAME_LEN];		/* wq0.1; "" if the module has not said */
	int iommu_group;		/* -1 if none */
	bool in_use;
	struct holder holder;

	/* Filled in by the manager. */
	char accel[NAME_LEN];		/* dsa0; "" if the parent is unknown */
	bool ours;			/* created by us; else by mdevctl or through sysfs */
	char lease[LEASE_LEN];		/* goes with this client of the bus; "": stays */
	unsigned int owner;		/* number of the user it counts for, if it is ours */
	bool persisted;			/* there is a definition of it */
	bool seated;			/* it is counted in its wq */
};

/* An mdev type this daemon can hand out. */
struct mdev_type {
	const char *id;			/* idxd-dsa-1dwq-v1 */
	const char *name;		/* Intel DSA 1DWQ */
	const char *description;
	enum accel_kind kind;
	bool shared;			/* a part of a shared queue, not a queue of its own */
};

const struct mdev_type *mdev_types(size_t *ret_n);
const struct mdev_type *mdev_type_find(const char *id);
/* The type of a kind of accelerator that has parts of queues. */
const struct mdev_type *mdev_type_shared(enum accel_kind kind);

#endif
