/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Placement, against all other ways: on random small machines every choice is compared with every
 * queue, and every row of choices with every set of queues.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/place.h"
#include "idxdvd/steps.h"
#include "tests/unit/daemon-test.h"

#define MACHINES 10000
#define MAX_QUEUES 12

static unsigned int seed = 1;

static unsigned int dice(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

struct machine {
	struct accel *accels[2];
	size_t n;
};

static struct accel *random_accel(unsigned int id)
{
	struct accel *a;

	if (accel_new(&a, 2 + dice(5), 1 + dice(4)) < 0)
		exit(99);
	snprintf(a->name, sizeof(a->name), "dsa%u", id);
	snprintf(a->bdf, sizeof(a->bdf), "0000:6%c:01.0", 'a' + (int)id);
	a->id = id;
	a->kind = ACCEL_DSA;
	a->state = STATE_ENABLED;
	a->adopted = a->iommu = a->pasid = a->module = true;
	a->numa_node = dice(2);
	a->exclusive = !dice(3);
	for (unsigned int i = 0; i < a->n_engines; i++)
		a->engines[i].group = i ? (int)dice(3) : 0;
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		static const enum wq_class classes[] = {
			WQ_FREE, WQ_FREE, WQ_FREE, WQ_POOL, WQ_MDEV_IDLE, WQ_HOST_KERNEL,
		};
		struct wq *w = &a->wqs[i];

		snprintf(w->name, sizeof(w->name), "wq%u.%u", id, i);
		w->id = i;
		w->size = 4u << dice(3);
		w->group = dice(3);
		w->cls = classes[dice(ARRAY_LEN(classes))];
		w->ours = w->dedicated = w->cls == WQ_POOL;
	}
	return a;
}

static void random_machine(struct machine *mc)
{
	mc->n = 1 + dice(2);
	for (size_t i = 0; i < mc->n; i++)
		mc->accels[i] = random_accel(i);
}

static void free_machine(struct machine *mc)
{
	for (size_t i = 0; i < mc->n; i++)
		accel_free(mc->accels[i]);
}

static bool can_have(const struct accel *a, const struct wq *w, const struct place_request *req)
{
	bool engine = false, alone = true;

	for (unsigned int i = 0; i < a->n_engines; i++)
		engine = engine || a->engines[i].group == w->group;
	for (unsigned int i = 0; i < a->n_wqs; i++)
		alone = alone && (a->wqs[i].group != w->group || a->wqs[i].cls == WQ_FREE ||
				  a->wqs[i].cls == WQ_POOL);
	return w->size >= req->min_size && engine && (alone || !a->exclusive) &&
	       ((w->cls == WQ_POOL && w->ours) || (w->cls == WQ_FREE && w->size));
}

/* How much all users wait for each other, times 840. */
static unsigned long waiting(const struct machine *mc)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < mc->n; i++)
		for (int g = 0; g < 3; g++) {
			unsigned long load = place_group_load(mc->accels[i], g);
			unsigned long engines = accel_group_engines(mc->accels[i], g);

			if (engines)
				sum += load * load * 840 / engines;
		}
	return sum;
}

struct queue {
	const struct accel *a;
	struct wq *w;
};

/* Least waiting of all ways to use @k of the queues from @first on; false: there is none. */
static bool best_of_all(struct machine *mc, const struct place_request *req,
			const struct queue *queues, size_t n, size_t first, unsigned int k,
			unsigned long *best)
{
	bool found = false;

	if (!k) {
		unsigned long sum = waiting(mc);

		*best = sum < *best ? sum : *best;
		return true;
	}
	for (size_t i = first; i + k <= n; i++) {
		enum wq_class cls = queues[i].w->cls;

		/* One that was taken before may have the engines to itself. */
		if (!can_have(queues[i].a, queues[i].w, req))
			continue;
		queues[i].w->cls = WQ_MDEV_IDLE;
		found = best_of_all(mc, req, queues, n, i + 1, k - 1, best) || found;
		queues[i].w->cls = cls;
	}
	return found;
}

static size_t list_queues(const struct machine *mc, const struct place_request *req,
			  struct queue queues[MAX_QUEUES])
{
	size_t n = 0;

	for (size_t i = 0; i < mc->n; i++)
		for (unsigned int k = 0; k < mc->accels[i]->n_wqs; k++)
			if (can_have(mc->accels[i], &mc->accels[i]->wqs[k], req))
				queues[n++] = (struct queue) { mc->accels[i],
							       &mc->accels[i]->wqs[k] };
	return n;
}

static struct {
	unsigned long rows, exact, refused, exclusive;
	double worst;
} seen = { .worst = 1 };

/* Several alike, one after the other, without knowing of the next. */
static void check_row(struct machine *mc, unsigned int k)
{
	struct place_request req = { .policy = PLACE_SPREAD, .numa_node = -1,
				     .min_size = dice(2) ? 0 : 8 };
	struct queue queues[MAX_QUEUES];
	size_t n = list_queues(mc, &req, queues);
	unsigned long best = -1, got;
	char why[PLACE_WHY_LEN];
	double ratio;
	bool possible = best_of_all(mc, &req, queues, n, 0, k, &best);

	for (unsigned int i = 0; i < k; i++) {
		const struct accel *a;
		const struct wq *w;
		int r = place_choose(mc->accels, mc->n, &req, &a, &w, why);

		if (!possible && r == -ENOSPC) {
			seen.refused++;
			return;
		}
		if (!CHECK(r == 0, "row of %u: %d at %u", k, r, i))
			return;
		((struct wq *)w)->cls = WQ_MDEV_IDLE;
	}
	got = waiting(mc);
	ratio = best ? (double)got / best : 1;
	seen.worst = ratio > seen.worst ? ratio : seen.worst;
	seen.rows++;
	seen.exclusive += mc->accels[0]->exclusive;
	seen.exact += got == best;
	CHECK(possible && ratio <= 1.05, "row of %u: %lu, the best is %lu", k, got, best);
}

/* One: no other queue is better in what counts first. */
static void check_one(struct machine *mc)
{
	struct place_request req = { .policy = dice(2), .numa_node = (int)dice(3) - 1,
				     .min_size = 4u << dice(4) };
	const struct accel *a = NULL;
	const struct wq *w = NULL;
	struct queue queues[MAX_QUEUES];
	char why[PLACE_WHY_LEN];
	size_t n = list_queues(mc, &req, queues);
	int r = place_choose(mc->accels, mc->n, &req, &a, &w, why);

	if (!CHECK((r == 0) == (n > 0), "%d of %zu", r, n) || r < 0)
		return;
	CHECK(can_have(a, w, &req) && strstr(why, "best of"), "%s: %s", w->name, why);
	for (size_t i = 0; i < mc->n; i++)
		for (unsigned int k = 0; k < mc->accels[i]->n_wqs; k++) {
			const struct accel *b = mc->accels[i];
			const struct wq *v = &b->wqs[k];

			if (!can_have(b, v, &req))
				continue;
			CHECK(req.numa_node < 0 || a->numa_node == req.numa_node ||
			      b->numa_node != req.numa_node, "%s is on the node", v->name);
			if (req.policy == PLACE_SPREAD && a->numa_node == b->numa_node)
				CHECK(place_cost(a, w->group) <= place_cost(b, v->group),
				      "%s costs less than %s", v->name, w->name);
		}
}

static void test_random(void)
{
	for (int i = 0; i < MACHINES; i++) {
		struct machine mc;

		random_machine(&mc);
		check_one(&mc);
		check_row(&mc, 1 + dice(4));
		free_machine(&mc);
	}
	printf("%d random machines: %lu rows of 1 to 4, %lu of them the best there is, the worst %.3f of it; %lu do not fit; in %lu engines are exclusive\n",
	       MACHINES, seen.rows, seen.exact, seen.worst, seen.refused, seen.exclusive);
	CHECK(seen.rows > MACHINES / 4, "few rows could be placed: %lu", seen.rows);
	CHECK(seen.exclusive > MACHINES / 20, "few of them exclusive: %lu", seen.exclusive);
}

/* --- parts of shared queues --- */

static struct accel *random_sharing_accel(unsigned int id)
{
	struct accel *a = random_accel(id);

	a->enqcmd = a->shared_mode = a->ims = true;
	a->max_sharers = a->sharers = 1 + dice(4);
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		struct wq *w = &a->wqs[i];

		w->n_mdevs = w->cls == WQ_MDEV_IDLE;
		/* What is on is in a group with an engine. */
		if (w->cls != WQ_FREE && !accel_group_engines(a, w->group))
			w->group = 0;
		if (dice(3) && w->n_mdevs) {
			w->ours = true;
			w->priority = ALLOC_PRIORITY;
			w->n_mdevs = 1 + dice(a->sharers);
		}
	}
	return a;
}

static bool joins(const struct accel *a, const struct wq *w)
{
	return w->cls == WQ_MDEV_IDLE && w->ours && w->n_mdevs < a->sharers;
}

static bool can_share(const struct accel *a, const struct wq *w)
{
	bool engine = false, alone = true;

	for (unsigned int i = 0; i < a->n_engines; i++)
		engine = engine || a->engines[i].group == w->group;
	for (unsigned int i = 0; i < a->n_wqs; i++)
		alone = alone && (&a->wqs[i] == w || a->wqs[i].group != w->group ||
				  a->wqs[i].cls == WQ_FREE || a->wqs[i].cls == WQ_POOL);
	return engine && (alone || !a->exclusive) &&
	       ((w->cls == WQ_POOL && w->ours) || (w->cls == WQ_FREE && w->size) || joins(a, w));
}

/* Against every other queue: one that is shared already comes first, then the policy decides. */
static unsigned int check_shared(const struct machine *mc, const struct place_request *req)
{
	const struct accel *a = NULL;
	const struct wq *w = NULL;
	char why[PLACE_WHY_LEN];
	unsigned int n = 0;
	int r = place_choose(mc->accels, mc->n, req, &a, &w, why);

	for (size_t i = 0; i < mc->n; i++)
		for (unsigned int k = 0; k < mc->accels[i]->n_wqs; k++) {
			const struct accel *b = mc->accels[i];
			const struct wq *v = &b->wqs[k];

			if (!can_share(b, v))
				continue;
			n++;
			if (r < 0 || (req->numa_node >= 0 && a->numa_node != b->numa_node))
				continue;
			CHECK(joins(a, w) || !joins(b, v), "%s is new, and %s has a seat", w->name,
			      v->name);
			if (!joins(a, w) || !joins(b, v))
				continue;
			CHECK(req->policy == PLACE_PACK || w->n_mdevs <= v->n_mdevs,
			      "spread: %s has %u, %s %u", w->name, w->n_mdevs, v->name, v->n_mdevs);
			CHECK(req->policy == PLACE_SPREAD || a != b || w->n_mdevs >= v->n_mdevs,
			      "pack: %s has %u, %s %u", w->name, w->n_mdevs, v->name, v->n_mdevs);
		}
	CHECK((r == 0) == (n > 0), "%d of %u", r, n);
	return r == 0 && joins(a, w);
}

/* As many as are said to fit, the next is refused; none is on a queue with more than may be. */
static unsigned long fill_shared(struct accel *a)
{
	struct alloc_create req = { .type = "idxd-dsa-1swq-v1",
				    .uuid = "11111111-1111-4111-8111-111111111111" };
	unsigned int n = alloc_available(a, true);
	struct refusal why = { 0 };
	unsigned long made = 0;
	struct plan *p;

	while (alloc_create(&a, 1, &req, &p, &why) == 0) {
		struct wq *w = accel_find_wq(a, p->steps[p->n - 1].val);
		bool joined = joins(a, w), claims = p->n > 2;

		CHECK(joined == !claims || alloc_wq_is_ready(w), "%s: %zu steps", w->name, p->n);
		w->cls = WQ_MDEV_IDLE;
		w->ours = true;
		w->n_mdevs++;
		alloc_settle_wq(a, w, true);
		plan_free(p);
		made++;
		CHECK(w->n_mdevs <= a->sharers, "%s: %u", w->name, w->n_mdevs);
		n--;
		CHECK(alloc_available(a, true) == n, "%u are left, not %u",
		      alloc_available(a, true), n);
	}
	CHECK(!n, "%u left, but %s: %s", n, refusal_kind_name(why.kind), why.reason);
	return made;
}

static void test_shared(void)
{
	unsigned long joined = 0, made = 0;

	for (int i = 0; i < MACHINES / 4; i++) {
		struct place_request req = { .policy = dice(2), .numa_node = (int)dice(3) - 1,
					     .shared = true };
		struct machine mc = { .n = 1 + dice(2) };

		for (size_t k = 0; k < mc.n; k++)
			mc.accels[k] = random_sharing_accel(k);
		joined += check_shared(&mc, &req);
		made += fill_shared(mc.accels[0]);
		free_machine(&mc);
	}
	printf("%d random machines that share: %lu joined, %lu made until they were full\n",
	       MACHINES / 4, joined, made);
	CHECK(joined > MACHINES / 40 && made > MACHINES / 2, "%lu joined, %lu made", joined, made);
}

/* Through the allocator: the plan says why, a refusal who is in the way. */
static void test_plan(void)
{
	struct place_request place = { .policy = PLACE_PACK, .numa_node = 1, .min_size = 8 };
	struct alloc_create req = { .type = "idxd-dsa-1dwq-v1",
				    .uuid = "11111111-1111-4111-8111-111111111111", .place = &place };
	struct machine mc = { .n = 1 };
	struct refusal why;
	struct plan *p;

	mc.accels[0] = random_accel(0);
	mc.accels[0]->numa_node = 0;
	for (unsigned int i = 0; i < mc.accels[0]->n_wqs; i++) {
		mc.accels[0]->wqs[i].cls = WQ_FREE;
		mc.accels[0]->wqs[i].group = 0;
		mc.accels[0]->wqs[i].size = i == 1 ? 8 : 4;
	}
	if (CHECK(alloc_create(mc.accels, 1, &req, &p, &why) == 0, "create")) {
		CHECK_STR(p->steps[p->n - 1].val, "wq0.1", "the only one of that size");
		CHECK(strstr(p->steps[p->n - 1].reason, "pack, best of 1: node 0 for want of better"),
		      "%s", p->steps[p->n - 1].reason);
		plan_free(p);
	}
	place.min_size = 16;
	CHECK(alloc_create(mc.accels, 1, &req, &p, &why) < 0 && why.kind == REFUSE_NO_CAPACITY &&
	      strstr(why.reason, "16 entries"), "too large");
	mc.accels[0]->adopted = false;
	CHECK(alloc_create(mc.accels, 1, &req, &p, &why) < 0 && why.kind == REFUSE_NOT_ADOPTED,
	      "not adopted");
	CHECK(place_policy_parse("heap", &place.policy) == -EINVAL &&
	      place_policy_parse("spread", &place.policy) == 0, "policies");
	free_machine(&mc);
}

/* As many as alloc_available() says can be made, one after the other, and the next is refused. */
static void test_available(void)
{
	unsigned long made = 0, taken = 0;

	for (int i = 0; i < MACHINES / 10; i++) {
		struct alloc_create req = { .type = "idxd-dsa-1dwq-v1",
					    .uuid = "11111111-1111-4111-8111-111111111111" };
		struct accel *a = random_accel(0);
		unsigned int n = alloc_available(a, false);
		struct refusal why = { 0 };
		struct plan *p;

		while (alloc_create(&a, 1, &req, &p, &why) == 0) {
			struct wq *w = accel_find_wq(a, p->steps[p->n - 1].val);
			bool said = strstr(p->steps[p->n - 1].reason, "exclusive-engines");

			CHECK(said == a->exclusive, "%s", p->steps[p->n - 1].reason);
			w->cls = WQ_MDEV_IDLE;
			plan_free(p);
			n--;
			made++;
			CHECK(alloc_available(a, false) == n, "%u are left, not %u", alloc_available(a, false), n);
		}
		CHECK(!n && (why.kind == REFUSE_NO_CAPACITY ||
			     (a->exclusive && why.kind == REFUSE_ENGINES_TAKEN)),
		      "%u left, but %s", n, refusal_kind_name(why.kind));
		taken += why.kind == REFUSE_ENGINES_TAKEN;
		accel_free(a);
	}
	CHECK(made > MACHINES / 10 && taken > MACHINES / 100, "%lu made, %lu engines taken", made,
	      taken);
}

int main(void)
{
	test_random();
	test_shared();
	test_plan();
	test_available();
	return test_report("daemon-place");
}
