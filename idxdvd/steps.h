/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_STEPS_H
#define IDXDVD_STEPS_H

/* What alloc and layout have in common: which wqs can be taken, and pieces of plans. Pure. */

#include "idxdvd/device.h"
#include "idxdvd/place.h"
#include "idxdvd/plan.h"
#include "idxdvd/refusal.h"

/* In the pool, and ours. */
bool alloc_wq_is_ready(const struct wq *w);
/* Free, and laid out so that it can be enabled: size and group are fixed while the device is on. */
bool alloc_wq_is_fresh(const struct accel *a, const struct wq *w);
/* Mdevs share it, one more fits, and it is as @req wants it. */
bool alloc_wq_has_seat(const struct accel *a, const struct wq *w, const struct place_request *req);
/* Its group's engines work for another queue, and policy gives them to one only. */
bool alloc_wq_is_shut(const struct accel *a, const struct wq *w);
/* One of those three, and not shut. @req NULL, here and below: a whole queue as usual. */
bool alloc_wq_is_usable(const struct accel *a, const struct wq *w, const struct place_request *req);
/* The same, of those only that can be had together: with exclusive engines one of each group. */
bool alloc_wq_counts(const struct accel *a, const struct wq *w, const struct place_request *req);
/* What the pool of this device is made of. */
const struct place_request *alloc_pool_request(const struct accel *a);
/* Refuses if no wq of an accelerator can be bound to our module. */
int alloc_check_host(const struct accel *a, struct refusal *ret);
/* Refuses if none of its queues can be shared. */
int alloc_check_shared(const struct accel *a, struct refusal *ret);
/* Hands the finished plan over, unless memory ran out while it was made. */
int alloc_done(struct plan **p, struct plan **ret, struct refusal *ret_refusal);

const char *wq_mode_name(const struct wq *w);

/* A step only if there is something to change. */
void plan_set(struct plan *p, const char *object, const char *attr, const char *old,
	      const char *val, const char *reason);
void plan_set_int(struct plan *p, const char *object, const char *attr, int old, int val,
		  const char *reason);
/*
 * For an attribute that may have its value already. Unless that is the one which idxd leaves behind,
 * it gets a step all the same: an unbind on the way back wipes it, and the undo has to know it.
 */
void plan_want(struct plan *p, const char *object, const char *attr, const char *old,
	       const char *val, const char *wiped, const char *reason);
void plan_want_group(struct plan *p, const char *object, int old, int val, const char *reason);

/* It has the mode, the priority and the limits that are asked for. */
bool alloc_wq_is_as_asked(const struct accel *a, const struct wq *w, const struct place_request *req);

/* Configures an unconfigured wq and puts it into the pool. */
void plan_claim(struct plan *p, const struct accel *a, const struct wq *w,
		const struct place_request *req, const char *why);
/*
 * The opposite. idxd wipes most of it at the unbind; the steps say what must hold afterwards. On a
 * device that we laid out its mode is again that of the layout.
 */
void plan_unclaim(struct plan *p, const struct accel *a, const struct wq *w, const char *why);

#endif
