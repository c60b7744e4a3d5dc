/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_MONITOR_H
#define IDXDVD_MONITOR_H

/* Kernel events of the dsa, mdev and pci subsystems -> manager_rescan(). Decides nothing. */

typedef struct sd_event sd_event;
struct manager;
struct monitor;

int monitor_new(struct monitor **ret, sd_event *event, struct manager *m);
struct monitor *monitor_free(struct monitor *mon);

#endif
