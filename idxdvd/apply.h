/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_APPLY_H
#define IDXDVD_APPLY_H

/* Runs a plan's steps through a backend. Worker only. */

#include <stddef.h>

#include "idxdvd/backend.h"
#include "idxdvd/plan.h"
#include "idxdvd/refusal.h"

/*
 * Does every step that is not done yet, in order, and reads each back. Returns a negative errno and
 * says in @ret_refusal which step failed and why; *ret_acted is how many steps may have
 * had an effect, for apply_undo().
 */
/* As apply_plan() below, after a crash: what is there already as the plan makes it was made by it. */
int apply_plan_again(struct backend *b, const struct plan *p, size_t *ret_acted,
		     struct refusal *ret_refusal);
int apply_plan(struct backend *b, const struct plan *p, size_t *ret_acted,
	       struct refusal *ret_refusal);

/*
 * Takes back in reverse order what the first @acted steps did, side effects included, each only if
 * it is as the step left it: what somebody else changed meanwhile stays. Goes on after a failure and
 * returns the first one.
 */
int apply_undo(struct backend *b, const struct plan *p, size_t acted);

#endif
