/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_FILL_H
#define IDXDVD_BUS_FILL_H

#include <systemd/sd-bus.h>

struct bus;
struct manager_result;

int bus_fill_plan(struct bus *b, sd_bus_message *reply, const struct manager_result *res);
int bus_fill_mdev(struct bus *b, sd_bus_message *reply, const struct manager_result *res);
int bus_fill_holdings(struct bus *b, sd_bus_message *reply, const struct manager_result *res);

#endif
