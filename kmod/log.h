/* SPDX-License-Identifier: GPL-2.0-only */
/* The misc interrupt of a function that idxd serves, and its event log. */
#ifndef IDXD_MDEV_LOG_H
#define IDXD_MDEV_LOG_H

#include <linux/types.h>

struct idxd_device;
struct log;
struct pci_dev;
struct watch;

struct log *log_attach(struct idxd_device *idxd, struct watch *w);
void log_detach(struct log *l, struct watch *w);
void log_look(struct log *l);
void log_check(const struct pci_dev *pdev);
bool log_is_on(const struct idxd_device *idxd);

#endif
