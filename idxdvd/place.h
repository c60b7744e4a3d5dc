/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_PLACE_H
#define IDXDVD_PLACE_H

/* Which of the queues that could be had is the best one for a request that says what it wants. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/device.h"

enum place_policy {
	PLACE_SPREAD,		/* the engines that have least to do */
	PLACE_PACK,		/* the device that has most to do, so that others stay free */
	PLACE_POLICY_COUNT,
};

struct place_request {
	enum place_policy policy;
	int numa_node;			/* -1: any; another one only if this one has none */
	unsigned int min_size;		/* entries */
	unsigned int priority;		/* 1..15; 0: the usual one */
	unsigned int max_transfer, max_batch;	/* powers of two; 0: the usual ones */
	bool shared;			/* a part of a shared queue, not a queue of its own */
};

#define PLACE_WHY_LEN 96

/* -EINVAL: there is no such policy. */
int place_policy_parse(const char *name, enum place_policy *ret);
/* The first queue of the group that somebody uses, @but left out; NULL: there is none. */
const struct wq *place_group_user(const struct accel *a, int group, const struct wq *but);
/* Queues of the group that somebody uses; those of the pool and idle ones have nothing to do. */
unsigned int place_group_load(const struct accel *a, int group);
/*
 * What one more user of the group costs, in units that compare between groups: n users of e engines
 * wait for each other as n * n / e.
 */
unsigned int place_cost(const struct accel *a, int group);

/* -ENOSPC: none fits. @accels are those that may be used. */
int place_choose(struct accel *const *accels, size_t n, const struct place_request *req,
		 const struct accel **ret_accel, const struct wq **ret_wq,
		 char ret_why[PLACE_WHY_LEN]);

#endif
