/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_HOLDING_H
#define IDXDVD_HOLDING_H

/* One hold on a work queue or a device, with all that can be said of who has it. Data, and texts of /proc. */

#include <stddef.h>
#include <stdint.h>

#include "idxdvd/device.h"

enum holding_kind {
	HOLDING_KERNEL,		/* a kernel driver; the kernel seldom says for whom */
	HOLDING_CDEV,		/* a process that has the character device open; pid 0: nobody has */
	HOLDING_VFIO,		/* a process that has the mdev or its group open */
	HOLDING_DEVICE,		/* a whole accelerator, which another driver than idxd has, or none */
	HOLDING_CONFIG,		/* nobody; but somebody has configured the queue and not enabled it */
	HOLDING_KIND_COUNT,
};

struct holding {
	char wq[NAME_LEN];		/* "" for a device */
	char device[NAME_LEN];		/* device: its PCI address */
	enum holding_kind kind;
	char mdev[UUID_LEN];		/* vfio: the mdev that was opened */
	char name[LABEL_LEN];		/* kernel, device: the driver */
	char label[LABEL_LEN];		/* what its user called the queue */
	char channel[NAME_LEN];		/* kernel: of dmaengine, where it is certain */
	char client[NAME_LEN];		/* kernel: the device that asked for that channel by name */
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

const char *holding_kind_name(enum holding_kind kind);	/* "kernel", "cdev", ... */
/* Fills in unit, container and domain from what /proc/PID/cgroup says. */
void holding_parse_cgroup(struct holding *h, const char *text);
/*
 * The name that a QEMU was given, as the domain, from the @size bytes of /proc/PID/cmdline. For those
 * whose cgroup does not say it: started by hand, or by a libvirt of a session.
 */
void holding_parse_cmdline(struct holding *h, const char *args, size_t size);
/* "PID COMM", as idxd_mdev writes it; -EINVAL: it is not that. */
int holder_parse(struct holder *h, const char *text);

#endif
