/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running a plan and taking it back when the world does not play along: a kernel that takes a value
 * and does not keep it, and other programs that change things in between.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/apply.h"
#include "idxdvd/common/log.h"
#include "tests/unit/daemon-test.h"

#define UUID "11111111-1111-4111-8111-111111111111"
#define TYPE "idxd-dsa-1dwq-v1"
#define BDF "0000:6a:01.0"

/* Two wqs that can be claimed, on a device that is on. */
static const char topology[] =
	"{ \"accelerators\": [ { \"enabled\": true, \"engine-groups\": [ 0 ], \"queues\": ["
	"  { \"id\": 0, \"size\": 16, \"group\": 0 }, { \"id\": 1, \"size\": 16, \"group\": 0 } ] } ] }";

static struct backend *machine(void)
{
	struct backend *b;
	char path[4096];

	snprintf(path, sizeof(path), "%s/topology", test_dir());
	test_write_file(path, topology);
	if (backend_fake_new(&b, path, NULL) < 0)
		exit(99);
	return b;
}

static struct plan *create_plan(void)
{
	struct accel a = { .name = "dsa0", .bdf = BDF };
	struct plan *p;

	if (plan_new(&p, PLAN_CREATE, &a) < 0)
		exit(99);
	strcpy(p->uuid, UUID);
	plan_add(p, STEP_SET, "wq0.0", "mode", "shared", "dedicated", "test");
	plan_add(p, STEP_SET, "wq0.0", "priority", "0", "10", "test");
	plan_add(p, STEP_SET, "wq0.0", "type", "none", "user", "test");
	plan_add(p, STEP_SET, "wq0.0", "driver_name", "", "mdev", "test");
	plan_add(p, STEP_SET, "wq0.0", "name", "", "idxdvd", "test");
	plan_add(p, STEP_BIND, "wq0.0", "mdev", "", "", "test");
	plan_add(p, STEP_MDEV_CREATE, UUID, TYPE, "", BDF, "test");
	plan_add(p, STEP_MDEV_WQ, UUID, "wq", "", "wq0.0", "test");
	return p;
}

static void claim_by_hand(struct backend *b, const char *wq)
{
	CHECK(b->ops->set(b, wq, "mode", "dedicated") == 0 &&
	      b->ops->set(b, wq, "priority", "3") == 0 &&
	      b->ops->set(b, wq, "type", "user") == 0 &&
	      b->ops->set(b, wq, "driver_name", "mdev") == 0 &&
	      b->ops->set(b, wq, "name", "theirs") == 0 &&
	      b->ops->bind(b, wq, "mdev") == 0, "somebody claims %s", wq);
}

static void check_attr(struct backend *b, const char *object, const char *attr, const char *want)
{
	char got[LABEL_LEN] = "";

	CHECK(b->ops->get(b, object, attr, got, sizeof(got)) == 0, "%s %s", object, attr);
	CHECK_STR(got, want, attr);
}

/* --- a kernel that does not keep its word ---------------------------------------------------- */

static const struct backend_ops *real_ops;
static const char *ignored_call, *ignored_attr;

static int lying_set(struct backend *b, const char *object, const char *attr, const char *value)
{
	if (!strcmp(ignored_call, "set") && !strcmp(attr, ignored_attr))
		return 0;
	return real_ops->set(b, object, attr, value);
}

static int lying_bind(struct backend *b, const char *object, const char *driver)
{
	return !strcmp(ignored_call, "bind") ? 0 : real_ops->bind(b, object, driver);
}

static int lying_create(struct backend *b, const char *parent, const char *type, const char *uuid)
{
	return !strcmp(ignored_call, "create") ? 0 : real_ops->mdev_create(b, parent, type, uuid);
}

static int lying_set_wq(struct backend *b, const char *uuid, const char *wq)
{
	return !strcmp(ignored_call, "pin") ? 0 : real_ops->mdev_set_wq(b, uuid, wq);
}

static void test_read_back(void)
{
	static const struct {
		const char *call, *attr;
		const char *object;
		bool other_pool;	/* so that the pin has something to do */
	} cases[] = {
		{ "set", "mode", "wq0.0", false }, { "set", "priority", "wq0.0", false },
		{ "set", "type", "wq0.0", false }, { "set", "name", "wq0.0", false },
		{ "set", "driver_name", "wq0.0", false }, { "bind", "", "wq0.0", false },
		{ "create", "", UUID, false }, { "pin", "", UUID, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(plan_freep) struct plan *p = create_plan();
		struct backend *b = machine();
		struct backend_ops ops = *b->ops;
		struct refusal refusal = { 0 };
		struct mdev m;
		size_t acted;
		int r;

		if (cases[i].other_pool)
			claim_by_hand(b, "wq0.1");
		real_ops = b->ops;
		ops.set = lying_set;
		ops.bind = lying_bind;
		ops.mdev_create = lying_create;
		ops.mdev_set_wq = lying_set_wq;
		b->ops = &ops;
		ignored_call = cases[i].call;
		ignored_attr = cases[i].attr;

		r = apply_plan(b, p, &acted, &refusal);
		CHECK(r < 0, "%s %s ignored, and nobody noticed", cases[i].call, cases[i].attr);
		CHECK_STR(refusal.object, cases[i].object, cases[i].call);
		CHECK(refusal.reason[0] && refusal.remedy[0], "%s: a whole refusal", cases[i].call);
		CHECK(apply_undo(b, p, acted) == 0, "%s: undo", cases[i].call);
		b->ops = real_ops;
		check_attr(b, "wq0.0", "driver", "");
		check_attr(b, "wq0.0", "type", "none");
		check_attr(b, "wq0.0", "mode", "shared");
		check_attr(b, "wq0.0", "driver_name", "");
		CHECK(b->ops->read_mdev(b, UUID, &m) == -ENOENT, "%s: the mdev is gone", cases[i].call);
		backend_free(b);
	}
}

/* --- others in between ----------------------------------------------------------------------- */

/* After our death somebody took the wq for himself: it stays as he has it. */
static void test_undo_leaves_foreign(void)
{
	_cleanup_(plan_freep) struct plan *p = create_plan();
	struct backend *b = machine();
	struct refusal refusal;
	size_t acted;

	p->n = 5;		/* died before the bind */
	CHECK(apply_plan(b, p, &acted, &refusal) == 0, "configure");
	CHECK(b->ops->set(b, "wq0.0", "priority", "7") == 0 &&
	      b->ops->set(b, "wq0.0", "driver_name", "user") == 0 &&
	      b->ops->set(b, "wq0.0", "name", "theirs") == 0 &&
	      b->ops->bind(b, "wq0.0", "user") == 0, "somebody takes it");
	p->n = 8;
	CHECK(apply_undo(b, p, p->n) == 0, "undo");
	check_attr(b, "wq0.0", "driver", "user");
	check_attr(b, "wq0.0", "name", "theirs");
	check_attr(b, "wq0.0", "type", "user");
	check_attr(b, "wq0.0", "priority", "7");
	backend_free(b);
}

/* A value that is neither ours nor the old one is somebody's, and so is the wq. */
static void test_undo_leaves_values(void)
{
	_cleanup_(plan_freep) struct plan *p = create_plan();
	struct backend *b = machine();
	struct refusal refusal;
	size_t acted;

	p->n = 5;
	CHECK(apply_plan(b, p, &acted, &refusal) == 0, "configure");
	CHECK(b->ops->set(b, "wq0.0", "name", "theirs") == 0, "somebody renames it");
	CHECK(apply_undo(b, p, p->n) == 0, "undo");
	check_attr(b, "wq0.0", "name", "theirs");
	check_attr(b, "wq0.0", "type", "user");
	backend_free(b);
}

/* The UUID is taken: that mdev is not ours to remove. */
static void test_create_loses_race(void)
{
	_cleanup_(plan_freep) struct plan *p = create_plan();
	struct backend *b = machine();
	struct refusal refusal;
	struct mdev m;
	size_t acted;

	claim_by_hand(b, "wq0.1");
	CHECK(b->ops->mdev_create(b, BDF, TYPE, UUID) == 0, "somebody creates it");
	CHECK(apply_plan(b, p, &acted, &refusal) == -EEXIST, "ours fails");
	CHECK(refusal.kind == REFUSE_EXISTS, "%s", refusal_kind_name(refusal.kind));
	CHECK(apply_undo(b, p, acted) == 0, "undo");
	CHECK(b->ops->read_mdev(b, UUID, &m) == 0, "theirs is still there");
	check_attr(b, "wq0.0", "driver", "");
	check_attr(b, "wq0.1", "driver", "mdev");
	backend_free(b);
}

/* An unbind would take the mdev along. */
static void test_unbind_spares_mdevs(void)
{
	struct accel a = { .name = "dsa0", .bdf = BDF };
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct backend *b = machine();
	struct refusal refusal;
	struct mdev m;
	size_t acted;

	claim_by_hand(b, "wq0.1");
	CHECK(b->ops->mdev_create(b, BDF, TYPE, UUID) == 0, "somebody creates one");
	CHECK(plan_new(&p, PLAN_POOL, &a) == 0, "plan");
	plan_add(p, STEP_UNBIND, "wq0.1", "mdev", "", "", "test");
	CHECK(apply_plan(b, p, &acted, &refusal) == -EBUSY, "refused");
	CHECK(refusal.kind == REFUSE_IN_USE && strstr(refusal.holder, UUID), "names it: %s",
	      refusal.holder);
	CHECK(b->ops->read_mdev(b, UUID, &m) == 0, "it is still there");
	backend_free(b);
}

/* Opened between plan and act: the kernel would wait for the VMM. */
static void test_remove_spares_open(void)
{
	struct accel a = { .name = "dsa0", .bdf = BDF };
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct backend *b = machine();
	struct refusal refusal;
	struct mdev m;
	size_t acted;

	claim_by_hand(b, "wq0.0");
	CHECK(b->ops->mdev_create(b, BDF, TYPE, UUID) == 0, "create");
	CHECK(backend_fake_open_mdev(b, UUID, 5, "qemu") == 0, "open");
	CHECK(plan_new(&p, PLAN_DESTROY, &a) == 0, "plan");
	plan_add(p, STEP_MDEV_REMOVE, UUID, TYPE, "wq0.0", BDF, "test");
	CHECK(apply_plan(b, p, &acted, &refusal) == -EBUSY, "refused");
	CHECK(refusal.kind == REFUSE_IN_USE, "%s", refusal_kind_name(refusal.kind));
	CHECK(apply_undo(b, p, acted) == 0, "undo");
	CHECK(b->ops->read_mdev(b, UUID, &m) == 0 && m.in_use, "it is still there");
	backend_free(b);
}

/* What is undone twice, or never was done, is the same. */
static void test_idempotent(void)
{
	_cleanup_(plan_freep) struct plan *p = create_plan();
	struct backend *b = machine();
	struct refusal refusal;
	struct mdev m;
	size_t acted;

	CHECK(apply_undo(b, p, p->n) == 0, "nothing was done");
	CHECK(apply_plan(b, p, &acted, &refusal) == 0 && acted == p->n, "do");
	CHECK(b->ops->read_mdev(b, UUID, &m) == 0 && !strcmp(m.wq, "wq0.0"), "done");
	CHECK(apply_undo(b, p, p->n) == 0 && apply_undo(b, p, p->n) == 0, "twice");
	CHECK(b->ops->read_mdev(b, UUID, &m) == -ENOENT, "undone");
	check_attr(b, "wq0.0", "type", "none");
	CHECK(apply_plan(b, p, &acted, &refusal) == 0, "and again");
	backend_free(b);
}

int main(void)
{
	log_set_max_level(LOG_CRIT);
	test_read_back();
	test_undo_leaves_foreign();
	test_undo_leaves_values();
	test_create_loses_race();
	test_unbind_spares_mdevs();
	test_remove_spares_open();
	test_idempotent();
	return test_report("daemon-apply");
}
