/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_ACCFGDOC_H
#define IDXDVD_ACCFGDOC_H

/*
 * A file of accel-config (save-config) as a document of ours. Pure. Such a file knows devices,
 * groups, engines and work queues, but no mdevs: those stay as they are. Of a device that is adopted
 * its queues for the driver mdev become pool-min, together with those that mdevs have, its other user
 * and kernel queues host-wqs: so many, not these. What cannot be changed while a device is on, sizes
 * and groups, has to be as it is.
 */

#include <stdbool.h>

#include "idxdvd/ledger.h"
#include "idxdvd/refusal.h"

/* By its shape: an array, where ours is an object. */
bool accfgdoc_is(const char *text);
/* The caller frees the document. */
int accfgdoc_convert(const struct ledger *l, const char *text, char **ret,
		     struct refusal *ret_refusal);

#endif
