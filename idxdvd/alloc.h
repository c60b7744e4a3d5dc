/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_ALLOC_H
#define IDXDVD_ALLOC_H

/*
 * Decides, and does nothing: from what there is and what is asked to a plan, or to a refusal that
 * says why not. Pure: no I/O, no clock, no memory of earlier calls.
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/device.h"
#include "idxdvd/mdev.h"
#include "idxdvd/place.h"
#include "idxdvd/plan.h"
#include "idxdvd/refusal.h"

#define ALLOC_DRIVER	"mdev"		/* our module's driver on the dsa bus */
#define ALLOC_UNSAFE	"idxd_mdev_unsafe"	/* attribute of a device under the erratum */
#define ALLOC_LABEL	"idxdvd"	/* name of a wq that we configured */
#define ALLOC_PRIORITY	10
/* What idxd itself gives a queue, as far as the device has it. */
#define ALLOC_MAX_TRANSFER	(2u << 20)
#define ALLOC_MAX_BATCH	32u

struct alloc_create {
	const char *type;
	const char *parent;		/* dsa0 or PCI address, NULL: any adopted */
	const char *wq;			/* NULL: any */
	const char *prefer;		/* this one if it can be had; NULL: none */
	const struct place_request *place;	/* NULL: most room, and what is ready or shared already */
	const char *uuid;
	const struct mdev *existing;	/* the mdev that has this UUID already, or NULL */
};

/* What release must put back, besides what it finds. */
struct alloc_history {
	unsigned int iaa_engines;	/* engines of idxd's IAA defaults before; 0: there were none */
	bool iaa_enabled;		/* the device was on with them */
};

int alloc_adopt(const struct accel *a, unsigned int host_wqs, unsigned int pool_min,
		struct plan **ret, struct refusal *ret_refusal);
int alloc_release(const struct accel *a, const struct alloc_history *history, struct plan **ret,
		  struct refusal *ret_refusal);
int alloc_create(struct accel *const *accels, size_t n, const struct alloc_create *req,
		 struct plan **ret, struct refusal *ret_refusal);
int alloc_find_type(const char *id, const struct mdev_type **ret, struct refusal *ret_refusal);
/* @m NULL: there is no mdev @uuid. @a NULL: its parent is unknown. */
int alloc_destroy(const char *uuid, const struct mdev *m, const struct accel *a, struct plan **ret,
		  struct refusal *ret_refusal);
/* The same by force: also one that is open, or that others made. */
int alloc_evict(const char *uuid, const struct mdev *m, const struct accel *a, struct plan **ret,
		struct refusal *ret_refusal);
/* Opens a device under the erratum for guests, or closes it again. */
int alloc_trust(const struct accel *a, bool on, struct plan **ret, struct refusal *ret_refusal);
/* Fills or shrinks the pool of an adopted accelerator; a plan of no steps when it is right. */
int alloc_pool(const struct accel *a, struct plan **ret);

/* As a wq is after a create without wishes. */
void alloc_settle_wq(const struct accel *a, struct wq *w, bool shared);
/* Marks the wqs that are kept for the host. */
void alloc_reserve(struct accel *a);
/* mdevs that could be created: one for each wq of the pool or fresh one; @shared: sharers of them. */
unsigned int alloc_available(const struct accel *a, bool shared);

#endif
