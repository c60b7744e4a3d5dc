/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_DEFINITION_H
#define IDXDVD_BUS_DEFINITION_H

struct bus;

int bus_definition_export(struct bus *b);

#endif
