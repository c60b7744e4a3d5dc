/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_MDEV_H
#define IDXDVD_BUS_MDEV_H

struct bus;

int bus_mdev_export(struct bus *b);

#endif
