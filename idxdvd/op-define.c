/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans that change a definition; none of them touches an mdev. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/op.h"

#define MAX_DEFINITIONS 16384

static const struct accel *best_accel(const struct ledger *l, const struct mdev_type *type)
{
	const struct accel *best = NULL;

	for (size_t i = 0; i < l->n_accels; i++) {
		const struct accel *a = l->accels[i];

		if (a->adopted && a->kind == type->kind &&
		    (!best || a->room[type->shared] > best->room[type->shared]))
			best = a;
	}
	return best;
}

/* A parent need not be there now; then it is named by its address. */
static int choose_parent(struct op *op, const struct mdev_type *type, const char **ret,
			 const struct accel **ret_accel)
{
	const struct ledger *l = &op->manager->ledger;
	const struct mdev *m = ledger_find_mdev(l, op->uuid);
	const char *name = op->device ? op->device : m ? m->parent : NULL;
	const struct accel *a = name ? ledger_find_accel(l, name) : best_accel(l, type);

	if (!a && !name)
		return refuse(&op->res.refusal, REFUSE_NOT_ADOPTED, ENODEV, op->uuid,
			      "name a parent, or adopt an accelerator",
			      "no adopted accelerator could be its parent");
	if (!a && !string_is_pci_address(name))
		return refuse(&op->res.refusal, REFUSE_NO_SUCH_DEVICE, ENODEV, name,
			      "give the PCI address of a parent that is not there now",
			      "there is no such accelerator");
	if (a && a->kind != type->kind)
		return refuse(&op->res.refusal, REFUSE_NO_SUCH_TYPE, EINVAL, type->id,
			      "name a parent of the right kind",
			      "it is not a type of %s, which is an %s device", a->name,
			      accel_kind_name(a->kind));
	if (m && (strcmp(m->parent, a ? a->bdf : name) || strcmp(m->type, type->id)))
		return refuse(&op->res.refusal, REFUSE_EXISTS, EEXIST, op->uuid,
			      "take another UUID, or define it as it is",
			      "an mdev with this UUID runs, of type %s on %s", m->type, m->parent);
	*ret = a ? a->bdf : name;
	*ret_accel = a;
	return 0;
}

static int set_wq(struct op *op, struct definition *d, const struct accel *a)
{
	bool any = !strcmp(op->wq, DEFINITION_ANY_WQ);

	if (!any && a && !accel_find_wq((struct accel *)a, op->wq))
		return refuse(&op->res.refusal, REFUSE_NO_SUCH_WQ, ENOENT, op->wq,
			      "idxdctl list shows what there is",
			      "there is no such work queue on %s", a->name);
	if (strlen(op->wq) >= sizeof(d->wq))
		return refuse(&op->res.refusal, REFUSE_NO_SUCH_WQ, ENOENT, d->uuid,
			      "give a name such as wq0.3", "no work queue has so long a name");
	strcpy(d->wq, any ? "" : op->wq);
	return 0;
}

static int set_labels(struct op *op, struct definition *d)
{
	for (char **l = op->labels; l && *l; l++) {
		int r = definition_set_label(d, *l);

		if (r == -EINVAL)
			return refuse(&op->res.refusal, REFUSE_INVALID_ARGS, EINVAL, d->uuid,
				      "give labels as KEY=VALUE, in printable ASCII",
				      "a label has no key, or is too long");
		if (r == -E2BIG)
			return refuse(&op->res.refusal, REFUSE_INVALID_ARGS, E2BIG, d->uuid,
				      "remove some", "it would have more than %d labels",
				      DEFINITION_MAX_LABELS);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Overlays what was asked for. */
static int set_all(struct op *op, struct definition *d, const struct accel *a)
{
	int r = 0;

	if (op->define_set & DEFINE_AUTOSTART)
		d->autostart = op->autostart;
	if (op->define_set & DEFINE_WQ)
		r = set_wq(op, d, a);
	if (r >= 0 && (op->define_set & DEFINE_LABELS))
		r = set_labels(op, d);
	return r < 0 ? r : definition_render(d);
}

static int make_plan(struct op *op, enum plan_kind kind, const struct definition *before,
		     const struct definition *after)
{
	const char *uuid = before ? before->uuid : after->uuid;
	int r;

	r = plan_new(&op->plan, kind, NULL);
	if (r < 0)
		return r;
	memcpy(op->plan->uuid, uuid, sizeof(op->plan->uuid));
	memcpy(op->res.uuid, uuid, sizeof(op->res.uuid));
	return definition_change_new(&op->plan->definition, before, after);
}

int op_plan_define(struct op *op)
{
	const struct ledger *l = &op->manager->ledger;
	const struct accel *a = NULL;
	const struct mdev_type *type = NULL;
	const char *parent = NULL;
	char uuid[UUID_LEN];
	int r;

	if (parse_uuid(op->uuid, uuid) < 0)
		return refuse(&op->res.refusal, REFUSE_INVALID_UUID, EINVAL, op->uuid,
			      "give 32 hexadecimal digits as 8-4-4-4-12, or none",
			      "this is not a UUID");
	r = alloc_find_type(op->type, &type, &op->res.refusal);
	if (r < 0)
		return r;
	if (ledger_find_definition(l, uuid))
		return refuse(&op->res.refusal, REFUSE_EXISTS, EEXIST, uuid,
			      "modify it, or take another UUID", "it is defined already");
	if (l->definitions.n >= MAX_DEFINITIONS)
		return refuse(&op->res.refusal, REFUSE_FAILED, ENOSPC, uuid, "undefine some",
			      "there are %zu definitions already", l->definitions.n);
	r = choose_parent(op, type, &parent, &a);
	if (r >= 0)
		r = definition_new(&op->definition, uuid, parent);
	if (r < 0)
		return r;
	strcpy(op->definition->type, type->id);
	r = set_all(op, op->definition, a);
	return r < 0 ? r : make_plan(op, PLAN_DEFINE, NULL, op->definition);
}

static int find(struct op *op, struct definition **ret)
{
	*ret = ledger_find_definition(&op->manager->ledger, op->uuid);
	return *ret ? 0 : refuse(&op->res.refusal, REFUSE_NOT_DEFINED, ENOENT, op->uuid,
				 "idxdctl list shows what there is; idxdctl define makes one",
				 "there is no definition of this mdev");
}

int op_plan_modify(struct op *op)
{
	const struct mdev_type *type = NULL;
	struct definition *old;
	const struct accel *a;
	int r;

	r = find(op, &old);
	if (r < 0)
		return r;
	r = definition_copy(old, &op->definition);
	if (r < 0)
		return r;
	a = ledger_find_accel(&op->manager->ledger, old->parent);
	if (op->define_set & DEFINE_TYPE) {
		r = alloc_find_type(op->type, &type, &op->res.refusal);
		if (r < 0)
			return r;
		if (a && a->kind != type->kind)
			return refuse(&op->res.refusal, REFUSE_NO_SUCH_TYPE, EINVAL, type->id,
				      "name a type of the right kind",
				      "it is not a type of %s, which is an %s device", a->name,
				      accel_kind_name(a->kind));
		strcpy(op->definition->type, type->id);
	}
	r = set_all(op, op->definition, a);
	return r < 0 ? r : make_plan(op, PLAN_MODIFY, old, op->definition);
}

int op_plan_undefine(struct op *op)
{
	struct definition *old;
	int r;

	r = find(op, &old);
	return r < 0 ? r : make_plan(op, PLAN_UNDEFINE, old, NULL);
}

int manager_take_definitions(struct manager *m, struct inventory *inv)
{
	const struct definition_bad *old = m->bad_definitions;

	for (size_t i = 0; i < inv->n_bad_definitions; i++) {
		const struct definition_bad *bad = &inv->bad_definitions[i];

		if (i >= m->n_bad_definitions || strcmp(old[i].file, bad->file) ||
		    strcmp(old[i].reason, bad->reason))
			log_warning("%s cannot be used and is left alone: %s", bad->file,
				    bad->reason);
	}
	free(m->bad_definitions);
	m->bad_definitions = TAKE(inv->bad_definitions);
	m->n_bad_definitions = inv->n_bad_definitions;
	return ledger_replace_definitions(&m->ledger, inv->definitions, inv->n_definitions,
					  m->bad_definitions, m->n_bad_definitions);
}
