/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_REQUEST_H
#define IDXDVD_BUS_REQUEST_H

#include <systemd/sd-bus.h>

struct bus;

/* Handler of every method with the signature sa{sv}; the member's name says which it is. */
int bus_method_act(sd_bus_message *msg, void *userdata, sd_bus_error *err);
int bus_method_list_holders(sd_bus_message *msg, void *userdata, sd_bus_error *err);
int bus_method_cancel_apply(sd_bus_message *msg, void *userdata, sd_bus_error *err);
int bus_method_refresh(sd_bus_message *msg, void *userdata, sd_bus_error *err);
/* Refuses what waits for polkit, because the daemon stops. */
void bus_drop_requests(struct bus *b);

#endif
