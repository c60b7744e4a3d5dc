/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_QUOTA_H
#define IDXDVD_QUOTA_H

/* How many mdevs a user may have made at one time, and how many he has. */

#include "idxdvd/ledger.h"
#include "idxdvd/refusal.h"

/* How many more @uid may make; -1: no quota binds him. */
int quota_left(const struct ledger *l, unsigned int uid);
/* Refuses, and names what he has, if that is none. */
int quota_check(const struct ledger *l, unsigned int uid, struct refusal *ret);

#endif
