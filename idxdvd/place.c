/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/place.h"
#include "idxdvd/steps.h"

static const char *const policy_names[PLACE_POLICY_COUNT] = {
	[PLACE_SPREAD] = "spread",
	[PLACE_PACK] = "pack",
};

/* Divisible by any number of engines that a group has. */
#define COST_UNIT 840u

/* Compared member by member, the first that differs decides; less is better. */
enum {
	COST_NODE, COST_JOIN, COST_DEVICE, COST_SHARERS, COST_ENGINES, COST_FRESH, COST_SIZE, COST_COUNT
};

struct candidate {
	const struct accel *a;
	const struct wq *w;
	unsigned int cost[COST_COUNT];
};

int place_policy_parse(const char *name, enum place_policy *ret)
{
	for (int i = 0; i < PLACE_POLICY_COUNT; i++)
		if (!strcmp(policy_names[i], name)) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

static bool is_busy(const struct wq *w)
{
	return w->cls == WQ_HOST_KERNEL || w->cls == WQ_HOST_USER || w->cls == WQ_MDEV_IDLE ||
	       w->cls == WQ_MDEV_IN_USE;
}

const struct wq *place_group_user(const struct accel *a, int group, const struct wq *but)
{
	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (a->wqs[i].group == group && is_busy(&a->wqs[i]) && &a->wqs[i] != but)
			return &a->wqs[i];
	return NULL;
}

unsigned int place_group_load(const struct accel *a, int group)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		n += a->wqs[i].group == group && is_busy(&a->wqs[i]);
	return n;
}

unsigned int place_cost(const struct accel *a, int group)
{
	unsigned int engines = accel_group_engines(a, group);

	return engines ? (2 * place_group_load(a, group) + 1) * COST_UNIT / engines : UINT32_MAX;
}

static unsigned int accel_idle(const struct accel *a)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		n += !is_busy(&a->wqs[i]);
	return n;
}

static bool fits(const struct accel *a, const struct wq *w, const struct place_request *req)
{
	return w->size >= req->min_size && req->max_transfer <= a->max_transfer &&
	       req->max_batch <= a->max_batch && accel_group_engines(a, w->group) &&
	       alloc_wq_is_usable(a, w, req);
}

static struct candidate judge(const struct accel *a, const struct wq *w,
			      const struct place_request *req)
{
	bool joins = alloc_wq_has_seat(a, w, req), pack = req->policy == PLACE_PACK;
	struct candidate c = { a, w, { 0 } };

	c.cost[COST_NODE] = req->numa_node >= 0 && a->numa_node != req->numa_node;
	c.cost[COST_JOIN] = req->shared && !joins;
	c.cost[COST_DEVICE] = pack ? accel_idle(a) : 0;
	c.cost[COST_SHARERS] = !joins ? 0 : pack ? a->sharers - w->n_mdevs : w->n_mdevs;
	c.cost[COST_ENGINES] = place_cost(a, w->group);
	c.cost[COST_FRESH] = joins ? 0 : !alloc_wq_is_ready(w) ? 1 :
			     alloc_wq_is_as_asked(a, w, req) ? 0 : 2;
	c.cost[COST_SIZE] = w->size;
	return c;
}

static bool is_better(const struct candidate *c, const struct candidate *best)
{
	for (int i = 0; i < COST_COUNT; i++)
		if (c->cost[i] != best->cost[i])
			return c->cost[i] < best->cost[i];
	return false;
}

static void describe(const struct candidate *c, const struct place_request *req,
		     unsigned int n_fit, char why[PLACE_WHY_LEN])
{
	const char *want = c->cost[COST_NODE] ? " for want of better" : "";

	if (alloc_wq_has_seat(c->a, c->w, req))
		snprintf(why, PLACE_WHY_LEN, "%s, best of %u: node %d%s, %u of %u are on it",
			 policy_names[req->policy], n_fit, c->a->numa_node, want, c->w->n_mdevs,
			 c->a->sharers);
	else
		snprintf(why, PLACE_WHY_LEN,
			 "%s, best of %u: node %d%s, %u busy on %u engines, size %u",
			 policy_names[req->policy], n_fit, c->a->numa_node, want,
			 place_group_load(c->a, c->w->group),
			 accel_group_engines(c->a, c->w->group), c->w->size);
}

int place_choose(struct accel *const *accels, size_t n, const struct place_request *req,
		 const struct accel **ret_accel, const struct wq **ret_wq,
		 char ret_why[PLACE_WHY_LEN])
{
	struct candidate best = { 0 };
	unsigned int n_fit = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned int k = 0; k < accels[i]->n_wqs; k++) {
			struct candidate c;

			if (!fits(accels[i], &accels[i]->wqs[k], req))
				continue;
			c = judge(accels[i], &accels[i]->wqs[k], req);
			if (!n_fit++ || is_better(&c, &best))
				best = c;
		}
	if (!n_fit)
		return -ENOSPC;

	describe(&best, req, n_fit, ret_why);
	*ret_accel = best.a;
	*ret_wq = best.w;
	return 0;
}
