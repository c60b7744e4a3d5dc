/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_ACCELERATOR_H
#define IDXDVD_BUS_ACCELERATOR_H

struct bus;

int bus_accelerator_export(struct bus *b);

#endif
