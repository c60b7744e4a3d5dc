/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second stage of an operation: what is known and what is asked, handed to alloc. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/op.h"
#include "idxdvd/quota.h"

#define DEFAULT_HOST_WQS	1
#define DEFAULT_POOL_MIN	1

static const struct accel *require_accel(struct op *op, int *ret_error)
{
	const struct accel *a = ledger_find_accel(&op->manager->ledger, op->device);

	if (!a)
		*ret_error = refuse(&op->res.refusal, REFUSE_NO_SUCH_DEVICE, ENODEV, op->device,
				    "load idxd; idxdctl list shows what there is",
				    "there is no such accelerator");
	return a;
}

/* The number of engines that idxd's IAA defaults put into group 0, if that is what there is. */
static unsigned int iaa_default_engines(const struct accel *a)
{
	bool is_default = accel_is_unconfigured(a) && a->n_wqs && wq_is_iaa_default(a, &a->wqs[0]);

	return is_default ? accel_group_engines(a, 0) : 0;
}

/* What the release of @a will have to know of it. */
static void note_history(struct record *rec, const struct accel *a)
{
	rec->laid_out = accel_is_unconfigured(a);
	rec->iaa_engines = iaa_default_engines(a);
	rec->iaa_enabled = rec->iaa_engines && a->state == STATE_ENABLED;
}

/* Saves a write where nothing is to run from the start. */
static bool has_autostart(const struct op *op, const char *bdf)
{
	const struct ledger *l = &op->manager->ledger;

	for (const struct definition *d = ledger_next_definition(l, NULL); d;
	     d = ledger_next_definition(l, d))
		if (d->autostart && !strcmp(d->parent, bdf))
			return true;
	return false;
}

static int plan_adopt(struct op *op)
{
	struct adopt_options *o = &op->options;
	const struct accel *a;
	int r = 0;

	a = require_accel(op, &r);
	if (!a)
		return r;
	if (!(o->set & ADOPT_HOST_WQS))
		o->host_wqs = a->n_wqs > 1 ? DEFAULT_HOST_WQS : 0;
	if (!(o->set & ADOPT_POOL_MIN))
		o->pool_min = a->n_wqs > o->host_wqs ? DEFAULT_POOL_MIN : 0;
	r = alloc_adopt(a, o->host_wqs, o->pool_min, &op->plan, &op->res.refusal);
	if (r < 0)
		return r;
	r = record_new(&op->after, a->bdf);
	if (r < 0)
		return r;
	op->after->host_wqs = o->host_wqs;
	op->after->pool_min = o->pool_min;
	op->after->autostarted = !has_autostart(op, a->bdf);
	note_history(op->after, a);
	return 0;
}

/* As adopt, for a device that is adopted already and came back unconfigured. */
static int plan_layout(struct op *op)
{
	struct slot *s = ledger_slot(&op->manager->ledger, op->device);
	_cleanup_(accel_freep) struct accel *a = NULL;
	int r;

	if (!s || !s->accel || !s->record)
		return refuse(&op->res.refusal, REFUSE_NO_SUCH_DEVICE, ENODEV, op->device,
			      "idxdctl list shows what there is", "it went away again");
	r = accel_copy(s->accel, &a);
	if (r < 0)
		return r;
	a->adopted = false;
	r = alloc_adopt(a, s->record->host_wqs, s->record->pool_min, &op->plan, &op->res.refusal);
	if (r < 0)
		return r;
	r = record_copy(s->record, &op->after);
	if (r < 0)
		return r;
	op->after->autostarted = !has_autostart(op, a->bdf);
	note_history(op->after, a);
	return 0;
}

static int plan_release(struct op *op)
{
	struct alloc_history history = { 0 };
	const struct accel *a;
	struct slot *s;
	int r = 0;

	a = require_accel(op, &r);
	if (!a)
		return r;
	s = ledger_slot(&op->manager->ledger, a->bdf);
	if (s->record) {
		history.iaa_engines = s->record->iaa_engines;
		history.iaa_enabled = s->record->iaa_enabled;
	}
	return alloc_release(a, &history, &op->plan, &op->res.refusal);
}

static bool is_defined(void *userdata, const char *uuid)
{
	return ledger_find_definition(userdata, uuid);
}

static int copy_record(struct op *op, const char *bdf)
{
	struct slot *s = ledger_slot(&op->manager->ledger, bdf);
	int r;

	r = record_copy(s->record, &op->after);
	if (r >= 0)
		record_prune(op->after, is_defined, &op->manager->ledger);
	return r;
}

/* After all that could be wrong with the request itself. */
static int check_quota(struct op *op)
{
	return op->unbound ? 0 : quota_check(&op->manager->ledger, op->owner, &op->res.refusal);
}

/* Where a place that fits is known to be; without one the plan says why. */
static const struct accel *known_place(const struct ledger *l, const struct op *op)
{
	const struct mdev_type *type = mdev_type_find(op->type);
	struct place_request place = { .numa_node = -1 };
	const struct accel *a = NULL;
	struct accel **usable;
	char why[PLACE_WHY_LEN];
	const struct wq *w;
	size_t n = 0;

	if (op->has_place)
		place = op->place;
	place.shared = type && type->shared;
	usable = type ? calloc(l->n_accels + 1, sizeof(*usable)) : NULL;
	for (size_t i = 0; usable && i < l->n_accels; i++)
		if (l->accels[i]->kind == type->kind && l->accels[i]->room[type->shared])
			usable[n++] = l->accels[i];
	if (usable && place_choose(usable, n, &place, &a, &w, why) < 0)
		a = NULL;
	free(usable);
	return a;
}

/* The same that alloc_create() chooses if nothing has changed: most room, the first of equals. */
static const struct accel *known_room(const struct ledger *l, const struct op *op)
{
	const struct mdev_type *type = mdev_type_find(op->type);
	const struct accel *best = NULL;

	for (size_t i = 0; type && i < l->n_accels; i++) {
		const struct accel *a = l->accels[i];

		if (a->kind == type->kind && a->room[0] && (!best || a->room[0] > best->room[0]))
			best = a;
	}
	return best;
}

int op_choose_candidate(struct op *op)
{
	const struct mdev_type *type = mdev_type_find(op->type);
	const struct ledger *l = &op->manager->ledger;
	struct accel *of_wq = NULL;
	const struct accel *a;

	if (op->wq)
		a = ledger_find_wq(l, op->wq, &of_wq) ? of_wq : NULL;
	else
		a = op->has_place || (type && type->shared) ? known_place(l, op) : known_room(l, op);
	return a ? op_copy_string(&op->candidate, a->bdf) : 0;
}

/* One UUID is one mdev: not here by hand, and there by its definition. */
static int check_definition(struct op *op)
{
	const struct definition *d = ledger_find_definition(&op->manager->ledger, op->plan->uuid);

	if (!d || (!strcmp(d->parent, op->plan->bdf) && !strcmp(d->type, op->type)))
		return 0;
	return refuse(&op->res.refusal, REFUSE_EXISTS, EEXIST, d->uuid,
		      "start it, name that parent, or take another UUID",
		      "it is defined, as type %s on %s", d->type, d->parent);
}

static int plan_create(struct op *op)
{
	struct accel *candidate = op->candidate ?
				  ledger_find_accel(&op->manager->ledger, op->candidate) : NULL;
	struct ledger *l = &op->manager->ledger;
	struct alloc_create req = {
		.type = op->type, .parent = op->device, .wq = op->wq, .uuid = op->uuid,
		.existing = ledger_find_mdev(l, op->uuid),
		.place = op->has_place ? &op->place : NULL,
	};
	int r;

	/* Only where it was read again just now. */
	if (candidate)
		r = alloc_create(&candidate, 1, &req, &op->plan, &op->res.refusal);
	else
		r = alloc_create(l->accels, l->n_accels, &req, &op->plan, &op->res.refusal);
	if (r >= 0)
		r = check_definition(op);
	if (r >= 0)
		r = check_quota(op);
	if (r < 0)
		return r;
	memcpy(op->res.uuid, op->plan->uuid, sizeof(op->res.uuid));
	return copy_record(op, op->plan->bdf);
}

/* What was wq0.3 is wq1.3 when the device comes back under another number. */
static const char *number_as_now(const struct accel *a, const char *name, char buf[NAME_LEN])
{
	const char *dot = name ? strchr(name, '.') : NULL;

	if (!dot || !a)
		return name;
	snprintf(buf, NAME_LEN, "wq%u%.16s", a->id, dot);
	return buf;
}

/* As create, from a definition; the queue that it had last is taken if it can be. */
static int plan_start(struct op *op)
{
	struct ledger *l = &op->manager->ledger;
	const struct definition *d = ledger_find_definition(l, op->uuid);
	struct alloc_create req = { .uuid = op->uuid, .existing = ledger_find_mdev(l, op->uuid) };
	const struct record_binding *binding;
	char wq[NAME_LEN], prefer[NAME_LEN];
	const struct slot *s;
	struct accel *a;
	int r;

	if (!d)
		return refuse(&op->res.refusal, REFUSE_NOT_DEFINED, ENOENT, op->uuid,
			      "idxdctl list shows what there is; idxdctl define makes one",
			      "there is no definition of this mdev");
	if (d->attr[0])
		return refuse(&op->res.refusal, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, op->uuid,
			      "remove it with mdevctl modify --delattr",
			      "its definition sets the attribute %s, which these mdevs do not have",
			      d->attr);
	s = ledger_slot(l, d->parent);
	req.type = d->type;
	req.parent = d->parent;
	a = op->planned_on ? op->planned_on : ledger_find_accel(l, d->parent);
	req.wq = number_as_now(a, d->wq[0] ? d->wq : NULL, wq);
	binding = s && s->record ? record_binding(s->record, op->uuid) : NULL;
	req.prefer = number_as_now(a, binding ? binding->wq : NULL, prefer);
	/* What starts by itself is whose it was. */
	if (op->kind == OP_AUTOSTART)
		op->owner = binding ? binding->owner : 0;
	r = alloc_create(&a, a ? 1 : 0, &req, &op->plan, &op->res.refusal);
	if (r >= 0)
		r = check_quota(op);
	if (r < 0)
		return r;
	memcpy(op->res.uuid, op->plan->uuid, sizeof(op->res.uuid));
	return copy_record(op, op->plan->bdf);
}

/* The same queue, or the same seat, is not given twice. */
static void occupy(struct accel *a, const char *uuid, const struct mdev_type *type,
		   const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct wq *w = p->steps[i].kind == STEP_MDEV_WQ ?
			       accel_find_wq(a, p->steps[i].val) : NULL;

		if (!w)
			continue;
		w->cls = WQ_MDEV_IDLE;
		w->ours = true;
		w->n_mdevs++;
		memcpy(w->mdev, uuid, UUID_LEN);
		alloc_settle_wq(a, w, type->shared);
	}
}

/* One that cannot be started is left to a start of its own, which says why. */
static int add_start(struct op *op, struct accel *a, const char *uuid)
{
	const struct definition *d = ledger_find_definition(&op->manager->ledger, uuid);
	struct op one = { .kind = OP_AUTOSTART, .manager = op->manager, .uuid = (char *)uuid,
			  .planned_on = a };
	int r;

	r = plan_start(&one);
	if (r >= 0)
		r = plan_append(op->plan, one.plan);
	if (r >= 0)
		occupy(a, uuid, mdev_type_find(d->type), one.plan);
	plan_free(one.plan);
	record_free(one.after);
	return r == -ENOMEM ? r : 0;
}

static int plan_start_all(struct op *op)
{
	struct slot *s = ledger_slot(&op->manager->ledger, op->device);
	_cleanup_(accel_freep) struct accel *a = NULL;
	int r;

	if (!s || !s->accel || !s->record)
		return refuse(&op->res.refusal, REFUSE_NOT_ADOPTED, ENODEV, op->device,
			      "idxdctl adopt it first", "it is no longer adopted");
	r = accel_copy(s->accel, &a);
	if (r >= 0)
		r = plan_new(&op->plan, PLAN_START_ALL, a);
	for (size_t i = s->next_start; i < s->n_starts && r >= 0; i++)
		r = add_start(op, a, s->starts[i]);
	return r < 0 ? r : copy_record(op, s->bdf);
}

static int plan_autostarted(struct op *op)
{
	const struct accel *a;
	int r = 0;

	a = require_accel(op, &r);
	if (a)
		r = plan_new(&op->plan, PLAN_AUTOSTART, a);
	if (r >= 0)
		r = copy_record(op, a->bdf);
	if (r >= 0)
		op->after->autostarted = true;
	return r;
}

static int plan_destroy(struct op *op)
{
	struct ledger *l = &op->manager->ledger;
	const struct mdev *m = ledger_find_mdev(l, op->uuid);
	const struct accel *a = m ? ledger_find_accel(l, m->parent) : NULL;
	int r;

	r = (op->force ? alloc_evict : alloc_destroy)(op->uuid, m, a, &op->plan, &op->res.refusal);
	if (r < 0)
		return r;
	memcpy(op->res.uuid, op->plan->uuid, sizeof(op->res.uuid));
	/* By force also where nothing is ours. */
	if (!ledger_slot(l, op->plan->bdf)->record)
		return 0;
	return copy_record(op, op->plan->bdf);
}

static int plan_trust(struct op *op)
{
	const struct accel *a;
	int r = 0;

	a = require_accel(op, &r);
	if (!a)
		return r;
	r = alloc_trust(a, op->trust, &op->plan, &op->res.refusal);
	return r < 0 ? r : copy_record(op, a->bdf);
}

static int plan_pool(struct op *op)
{
	const struct accel *a = ledger_find_accel(&op->manager->ledger, op->device);
	int r;

	if (!a || !a->adopted)
		return refuse(&op->res.refusal, REFUSE_NOT_ADOPTED, ENODEV, op->device,
			      "idxdctl adopt it first", "it is no longer adopted");
	r = alloc_pool(a, &op->plan);
	if (r < 0)
		return r;
	return copy_record(op, a->bdf);
}

/* What starts by itself is whose it was. */
static void keep_owners(struct record *rec, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].kind == STEP_MDEV_CREATE) {
			const struct record_binding *b = record_binding(rec, p->steps[i].object);

			record_set_owner(rec, p->steps[i].object, b ? b->owner : 0);
		}
}

int op_make_plan(struct op *op)
{
	int r = -EINVAL;

	switch (op->kind) {
	case OP_ADOPT:
		r = plan_adopt(op);
		break;
	case OP_LAYOUT:
		r = plan_layout(op);
		break;
	case OP_RELEASE:
		r = plan_release(op);
		break;
	case OP_CREATE:
		r = plan_create(op);
		break;
	case OP_DESTROY:
		r = plan_destroy(op);
		break;
	case OP_POOL:
		r = plan_pool(op);
		break;
	case OP_DEFINE:
		r = op_plan_define(op);
		break;
	case OP_MODIFY:
		r = op_plan_modify(op);
		break;
	case OP_UNDEFINE:
		r = op_plan_undefine(op);
		break;
	case OP_START_MDEV:
	case OP_AUTOSTART:
		r = plan_start(op);
		break;
	case OP_START_ALL:
		r = plan_start_all(op);
		break;
	case OP_AUTOSTARTED:
		r = plan_autostarted(op);
		break;
	case OP_TRUST:
		r = plan_trust(op);
		break;
	case OP_HOLDINGS:
	case OP_DRAIN:
	case OP_APPLY:
	case OP_APPLY_END:
	case OP_START:
	case OP_RESCAN:
	case OP_SETTLED:
		break;
	}
	if (r >= 0)
		r = plan_format(op->plan, &op->plan_text);
	if (r >= 0 && op->after)
		r = record_apply(op->after, op->plan);
	if (r >= 0 && op->after && op->plan->kind == PLAN_CREATE)
		record_set_owner(op->after, op->plan->uuid, op->owner);
	if (r >= 0 && op->after && op->plan->kind == PLAN_START_ALL)
		keep_owners(op->after, op->plan);
	if (r >= 0 && op->after && op->lease)
		record_set_lease(op->after, op->plan->uuid, op->lease);
	if (r < 0 && op->res.refusal.kind == REFUSE_NONE)
		r = refuse(&op->res.refusal, REFUSE_FAILED, -r, op->device ? op->device : "idxdvd",
			   "see the kernel log and journalctl -u idxdvd",
			   "no plan could be made: %s", strerror(-r));
	return r;
}
