/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_CLIENT_CALL_H
#define IDXDCTL_CLIENT_CALL_H

typedef struct sd_bus sd_bus;
typedef struct sd_bus_message sd_bus_message;
struct client;

/* A call to the root object, to be filled and sent; -ENOTCONN without a bus. */
int client_call_new(struct client *c, const char *iface, const char *method, sd_bus_message **ret);
/* Waits for the answer; what the daemon refused is kept for client_complain(). */
int client_call(struct client *c, sd_bus_message *m, sd_bus_message **ret);

/* NULL without a bus. */
sd_bus *client_bus(const struct client *c);

#endif
