/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_HOLDING_H
#define IDXDVD_HOLDING_H

/* One hold on a work queue, with all that can be said of who has it. Data, and the text of a cgroup. */

#include <stdint.h>

#include "idxdvd/device.h"

enum holding_kind {
	HOLDING_KERNEL,		/* a kernel driver; the kernel seldom says for whom */
	HOLDING_CDEV,		/* a process that has the character device open */
	HOLDING_VFIO,		/* a process that has the mdev's group open */
	HOLDING_KIND_COUNT,
};

struct holding {
	char wq[NAME_LEN];
	enum holding_kind kind;
	char mdev[UUID_LEN];		/* vfio: the mdev that was opened */
	char name[LABEL_LEN];		/* kernel: the driver */
	unsigned int clients;		/* kernel: how many times it is in use */

	/* Of a process; "" and 0 where it cannot be seen. */
	int pid;
	char comm[NAME_LEN];
	char exe[128];
	char unit[96];
	char container[96];
	char domain[96];
	uint64_t since_usec;		/* the process began, since the epoch */
};

const char *holding_kind_name(enum holding_kind kind);	/* "kernel", "cdev", "vfio" */
/* Fills in unit, container and domain from what /proc/PID/cgroup says. */
void holding_parse_cgroup(struct holding *h, const char *text);

#endif
