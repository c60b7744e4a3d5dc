/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_WORKQUEUE_H
#define IDXDVD_BUS_WORKQUEUE_H

struct bus;

int bus_workqueue_export(struct bus *b);

#endif
