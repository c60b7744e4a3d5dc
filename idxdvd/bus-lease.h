/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_LEASE_H
#define IDXDVD_BUS_LEASE_H

/*
 * Mdevs that go when the client who asked for them leaves the bus. A lease is written down with the
 * mdev as "BUS-ID/:1.7"; neither is ever used again for another, so it outlives a restart of ours.
 */

#include <systemd/sd-bus.h>

#include "idxdvd/mdev.h"

struct bus;

/* The lease that the sender of @msg gets; the name of a client is short enough, or it is refused. */
int bus_lease_name(struct bus *b, sd_bus_message *msg, char ret[LEASE_LEN]);
/* This mdev may have come, changed or gone. */
void bus_lease_look(struct bus *b, const char *uuid);
/* At start: those from before. */
void bus_lease_look_all(struct bus *b);
/* Stops looking; what was leased stays, and the next start looks again. */
void bus_lease_done(struct bus *b);

#endif
