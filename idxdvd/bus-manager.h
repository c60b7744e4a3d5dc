/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_MANAGER_H
#define IDXDVD_BUS_MANAGER_H

struct bus;
struct manager_observer;

/* Puts every interface on b->bus; b->manager must be there before the loop runs. */
int bus_export(struct bus *b);
/* Turns the manager's changes into D-Bus signals. */
struct manager_observer bus_observer(struct bus *b);

#endif
