/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/apply.h"
#include "idxdvd/common/log.h"

/* What idxd itself leaves in an attribute when it disables a wq or a device. */
static const struct {
	const char *attr;
	const char *value;
} wiped[] = {
	{ "mode", "shared" },
	{ "priority", "0" },
	{ "type", "none" },
	{ "name", "" },
	{ "size", "0" },
	{ "group_id", "-1" },
	{ "threshold", "0" },
};

static bool is_wiped(const char *attr, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(wiped); i++)
		if (!strcmp(wiped[i].attr, attr))
			return !strcmp(wiped[i].value, value);
	return false;
}

static bool is_wq(const char *object)
{
	return !strncmp(object, "wq", 2);
}

/* --- doing ----------------------------------------------------------------------------------- */

/* @ret_seen is what was read back when that is what was wrong. */
static int do_set(struct backend *b, const struct step *s, const char *value, char *ret_seen)
{
	int r;

	r = b->ops->get(b, s->object, s->attr, ret_seen, LABEL_LEN);
	if (r < 0 || !strcmp(ret_seen, value))
		return r;
	r = b->ops->set(b, s->object, s->attr, value);
	if (r < 0)
		return r;
	r = b->ops->get(b, s->object, s->attr, ret_seen, LABEL_LEN);
	if (r < 0)
		return r;
	return strcmp(ret_seen, value) ? -EREMOTEIO : 0;
}

static int do_bind(struct backend *b, const struct step *s, char *ret_seen)
{
	int r;

	r = b->ops->get(b, s->object, "driver", ret_seen, LABEL_LEN);
	if (r < 0 || !strcmp(ret_seen, s->attr))
		return r;
	if (ret_seen[0])
		return -EBUSY;
	r = b->ops->bind(b, s->object, s->attr);
	if (r < 0)
		return r;
	r = b->ops->get(b, s->object, "driver", ret_seen, LABEL_LEN);
	if (r < 0)
		return r;
	return strcmp(ret_seen, s->attr) ? -EREMOTEIO : 0;
}

/* The kernel cannot refuse an unbind; it would take the mdev along that has the wq. */
static int check_no_mdev(struct backend *b, const struct plan *p, const struct step *s,
			 char *ret_seen)
{
	char uuid[UUID_LEN];
	int r;

	if (!is_wq(s->object) || strcmp(s->attr, ALLOC_DRIVER))
		return 0;
	r = b->ops->wq_mdev(b, p->bdf, s->object, uuid);
	if (r < 0 || !uuid[0])
		return r;
	snprintf(ret_seen, LABEL_LEN, "mdev %s", uuid);
	return -EBUSY;
}

static int do_unbind(struct backend *b, const struct plan *p, const struct step *s,
		     char *ret_seen)
{
	int r;

	r = b->ops->get(b, s->object, "driver", ret_seen, LABEL_LEN);
	if (r < 0 || !ret_seen[0])
		return r;
	if (strcmp(ret_seen, s->attr))
		return -EBUSY;
	r = check_no_mdev(b, p, s, ret_seen);
	if (r < 0)
		return r;
	r = b->ops->unbind(b, s->object, s->attr);
	if (r < 0)
		return r;
	r = b->ops->get(b, s->object, "driver", ret_seen, LABEL_LEN);
	if (r < 0)
		return r;
	return ret_seen[0] ? -EREMOTEIO : 0;
}

static int check_mdev(struct backend *b, const struct step *s, char *ret_seen)
{
	struct mdev m;
	int r;

	r = b->ops->read_mdev(b, s->object, &m);
	if (r < 0)
		return r;
	if (!strcmp(m.parent, s->val) && !strcmp(m.type, s->attr))
		return 0;
	snprintf(ret_seen, LABEL_LEN, "%s on %s", m.type, m.parent);
	return -EREMOTEIO;
}

static int do_mdev_wq(struct backend *b, const char *uuid, const char *wq, char *ret_seen)
{
	struct mdev m;
	int r;

	r = b->ops->read_mdev(b, uuid, &m);
	if (r < 0)
		return r;
	if (!strcmp(m.wq, wq))
		return 0;
	r = b->ops->mdev_set_wq(b, uuid, wq);
	if (r < 0)
		return r;
	r = b->ops->read_mdev(b, uuid, &m);
	if (r < 0)
		return r;
	snprintf(ret_seen, LABEL_LEN, "%s", m.wq);
	return strcmp(m.wq, wq) ? -EREMOTEIO : 0;
}

static int do_mdev_remove(struct backend *b, const struct step *s, bool evict)
{
	struct mdev m;
	int r;

	r = b->ops->read_mdev(b, s->object, &m);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	/* The kernel would wait until the VMM lets go, and we with it. */
	if (m.in_use && !evict)
		return -EBUSY;
	r = m.in_use ? b->ops->mdev_evict(b, s->object) : b->ops->mdev_remove(b, s->object);
	if (r < 0)
		return r;
	r = b->ops->read_mdev(b, s->object, &m);
	/* An eviction has no way back: what cannot be seen of it does not undo it. */
	return r == -ENOENT || (r < 0 && evict) ? 0 : r < 0 ? r : -EREMOTEIO;
}

static int do_step(struct backend *b, const struct plan *p, const struct step *s, char *ret_seen)
{
	int r = -EINVAL;

	switch (s->kind) {
	case STEP_SET:
		r = do_set(b, s, s->val, ret_seen);
		break;
	case STEP_BIND:
		r = do_bind(b, s, ret_seen);
		break;
	case STEP_UNBIND:
		r = do_unbind(b, p, s, ret_seen);
		break;
	case STEP_MDEV_CREATE:
		r = b->ops->mdev_create(b, s->val, s->attr, s->object);
		break;
	case STEP_MDEV_REMOVE:
	case STEP_MDEV_EVICT:
		r = do_mdev_remove(b, s, s->kind == STEP_MDEV_EVICT);
		break;
	case STEP_MDEV_WQ:
		r = do_mdev_wq(b, s->object, s->val, ret_seen);
		break;
	case STEP_KIND_COUNT:
		break;
	}
	return r;
}

/* Errors of the kernel that have a meaning of their own for somebody who reads the refusal. */
static const struct {
	enum step_kind kind;
	int error;
	const char *attr;		/* NULL: any */
	enum refusal_kind refusal;
	const char *reason, *remedy;
} meanings[] = {
	{ STEP_BIND, EOPNOTSUPP, NULL, REFUSE_NO_IOMMU,
	  "idxd_mdev found no isolation by PASID or no isolated interrupts",
	  "boot with intel_iommu=on,sm_on and interrupt remapping; the kernel log says more" },
	{ STEP_BIND, EPERM, NULL, REFUSE_UNSAFE_DEVICE,
	  "idxd_mdev refuses a device under the erratum", "use a device without it" },
	{ STEP_MDEV_CREATE, EPERM, NULL, REFUSE_UNSAFE_DEVICE,
	  "idxd_mdev refuses a device under the erratum", "use a device without it" },
	{ STEP_MDEV_CREATE, EOPNOTSUPP, NULL, REFUSE_NO_IOMMU,
	  "idxd_mdev found no isolation by PASID or no isolated interrupts",
	  "boot with intel_iommu=on,sm_on and interrupt remapping; the kernel log says more" },
	{ STEP_MDEV_CREATE, ENOENT, NULL, REFUSE_NO_MODULE,
	  "idxd_mdev does not offer this type on the device",
	  "check that a queue is bound to the driver mdev and that the module is not too old" },
	{ STEP_MDEV_CREATE, EEXIST, NULL, REFUSE_EXISTS,
	  "the kernel has an mdev with this UUID already", "take another UUID" },
	{ STEP_MDEV_CREATE, ENOSPC, NULL, REFUSE_NO_CAPACITY,
	  "somebody else took the queue in the same moment", "try again" },
	{ STEP_UNBIND, EBUSY, NULL, REFUSE_IN_USE,
	  "it was taken in the same moment", "destroy the mdev that has it" },
	{ STEP_MDEV_REMOVE, EBUSY, NULL, REFUSE_IN_USE,
	  "it was opened in the same moment", "shut the virtual machine down" },
	{ STEP_MDEV_REMOVE, ETIMEDOUT, NULL, REFUSE_IN_USE,
	  "it was opened in the same moment; the kernel has asked for it back, and removes it as soon as it is closed",
	  "shut the virtual machine down, or unplug the device from it" },
	{ STEP_MDEV_EVICT, ETIMEDOUT, NULL, REFUSE_MDEV_IN_USE,
	  "its user was asked to let go and has not yet; the kernel removes it as soon as it is closed",
	  "shut the virtual machine down, or unplug the device from it" },
	{ STEP_SET, EPERM, ALLOC_UNSAFE, REFUSE_UNSAFE_DEVICE,
	  "idxd_mdev was loaded without allow_unsafe=1", "load it with allow_unsafe=1 first" },
};

static int explain(struct backend *b, const struct plan *p, const struct step *s, int r,
		   const char *seen, struct refusal *ret)
{
	char step[384], status[32] = "";

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (meanings[i].kind == s->kind && meanings[i].error == -r &&
		    (!meanings[i].attr || !strcmp(meanings[i].attr, s->attr))) {
			refuse(ret, meanings[i].refusal, -r, s->object, meanings[i].remedy,
			       "%s (%s)", meanings[i].reason, strerror(-r));
			/* What an attribute reads is no holder. */
			if (s->kind != STEP_SET)
				refusal_set_holder(ret, "%s", seen);
			return r;
		}

	step_format(s, step, sizeof(step));
	if (r == -EREMOTEIO)
		return refuse(ret, REFUSE_FAILED, -r, s->object,
			      "see whether another program changes it at the same time",
			      "%s: it reads \"%s\" afterwards", step, seen);

	if (s->kind == STEP_BIND && b->ops->get(b, p->accel, "cmd_status", status, sizeof(status)) < 0)
		status[0] = '\0';
	return refuse(ret, REFUSE_FAILED, -r, s->object, "the kernel log may say more",
		      "%s: %s%s%s%s", step, strerror(-r), status[0] ? " (cmd_status " : "", status,
		      status[0] ? ")" : "");
}

static int apply(struct backend *b, const struct plan *p, bool again, size_t *ret_acted,
		 struct refusal *ret_refusal)
{
	char seen[LABEL_LEN];

	for (size_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];
		bool creates = s->kind == STEP_MDEV_CREATE;
		int r;

		/* A create that failed made nothing; what has that UUID then is somebody else's. */
		*ret_acted = creates ? i : i + 1;
		seen[0] = '\0';
		if (creates && again && check_mdev(b, s, seen) == 0) {
			*ret_acted = i + 1;
			continue;
		}
		seen[0] = '\0';
		r = do_step(b, p, s, seen);
		*ret_acted = r < 0 ? *ret_acted : i + 1;
		if (r == 0 && creates)
			r = check_mdev(b, s, seen);
		if (r < 0)
			return explain(b, p, s, r, seen, ret_refusal);
	}
	return 0;
}

int apply_plan(struct backend *b, const struct plan *p, size_t *ret_acted,
	       struct refusal *ret_refusal)
{
	return apply(b, p, false, ret_acted, ret_refusal);
}

int apply_plan_again(struct backend *b, const struct plan *p, size_t *ret_acted,
		     struct refusal *ret_refusal)
{
	return apply(b, p, true, ret_acted, ret_refusal);
}

/* --- undoing --------------------------------------------------------------------------------- */

/* A positive return of an undo: it is somebody else's now. */
static int leave(const struct step *s, const char *seen)
{
	char step[384];

	step_format(s, step, sizeof(step));
	log_warning("not taken back, somebody changed it meanwhile: %s (now \"%s\")", step, seen);
	return 1;
}

/* A plan may set an attribute twice; what another of its steps knows is nobody else's value. */
static bool is_of_plan(const struct plan *p, const struct step *s, const char *seen)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct step *t = &p->steps[i];

		if (t->kind == STEP_SET && !strcmp(t->object, s->object) &&
		    !strcmp(t->attr, s->attr) && (!strcmp(t->old, seen) || !strcmp(t->val, seen)))
			return true;
	}
	return false;
}

static int undo_set(struct backend *b, const struct plan *p, const struct step *s)
{
	char seen[LABEL_LEN], driver[LABEL_LEN] = "";
	int r;

	r = b->ops->get(b, s->object, s->attr, seen, sizeof(seen));
	if (r < 0 || !strcmp(seen, s->old))
		return r;
	/* The kernel takes no 0; a step before this one sets the mode, and that sets it. */
	if (!strcmp(s->attr, "threshold") && !strcmp(s->old, "0"))
		return 0;
	if (is_wq(s->object)) {
		r = b->ops->get(b, s->object, "driver", driver, sizeof(driver));
		if (r < 0)
			return r;
	}
	if (driver[0])
		return leave(s, seen);
	if (strcmp(seen, s->val) && !is_wiped(s->attr, seen))
		return is_of_plan(p, s, seen) ? 0 : leave(s, seen);
	return do_set(b, s, s->old, seen);
}

static int undo_bind(struct backend *b, const struct plan *p, const struct step *s)
{
	char seen[LABEL_LEN];
	int r;

	r = b->ops->get(b, s->object, "driver", seen, sizeof(seen));
	if (r < 0 || !seen[0])
		return r;
	if (strcmp(seen, s->attr))
		return leave(s, seen);
	r = do_unbind(b, p, s, seen);
	return r == -EBUSY ? leave(s, seen) : r;
}

static int undo_unbind(struct backend *b, const struct step *s)
{
	char seen[LABEL_LEN];
	int r;

	r = b->ops->get(b, s->object, "driver", seen, sizeof(seen));
	if (r < 0 || !strcmp(seen, s->attr))
		return r;
	if (seen[0])
		return leave(s, seen);
	return do_bind(b, s, seen);
}

static int undo_mdev_create(struct backend *b, const struct step *s)
{
	char seen[LABEL_LEN];
	int r;

	r = check_mdev(b, s, seen);
	if (r == -ENOENT)
		return 0;
	if (r == -EREMOTEIO)
		return leave(s, seen);
	return r < 0 ? r : do_mdev_remove(b, s, false);
}

static int undo_mdev_remove(struct backend *b, const struct step *s)
{
	char seen[LABEL_LEN];
	int r;

	r = check_mdev(b, s, seen);
	if (r == -EREMOTEIO)
		return leave(s, seen);
	if (r == -ENOENT && s->kind == STEP_MDEV_EVICT)
		return leave(s, "gone, and with it the hold of its user");
	if (r == -ENOENT) {
		r = b->ops->mdev_create(b, s->val, s->attr, s->object);
		/* It is on its way out, which nothing can stop. */
		if (r == -EEXIST)
			return leave(s, "being removed");
	}
	return r < 0 ? r : do_mdev_wq(b, s->object, s->old, seen);
}

static int undo_step(struct backend *b, const struct plan *p, const struct step *s)
{
	int r = 0;

	switch (s->kind) {
	case STEP_SET:
		r = undo_set(b, p, s);
		break;
	case STEP_BIND:
		r = undo_bind(b, p, s);
		break;
	case STEP_UNBIND:
		r = undo_unbind(b, s);
		break;
	case STEP_MDEV_CREATE:
		r = undo_mdev_create(b, s);
		break;
	case STEP_MDEV_REMOVE:
	case STEP_MDEV_EVICT:
		r = undo_mdev_remove(b, s);
		break;
	case STEP_MDEV_WQ:
		/* Goes with the mdev. */
		break;
	case STEP_KIND_COUNT:
		break;
	}
	return r;
}

/* Somebody took the object over: what a later step found says it for the earlier ones. */
static bool is_left(const struct plan *p, const bool *left, size_t i)
{
	for (size_t k = i + 1; k < p->n; k++)
		if (left[k] && !strcmp(p->steps[k].object, p->steps[i].object))
			return true;
	return false;
}

int apply_undo(struct backend *b, const struct plan *p, size_t acted)
{
	_cleanup_(freep) bool *left = calloc(p->n + 1, sizeof(*left));
	char step[384];
	int r = 0;

	if (!left)
		return -ENOMEM;

	for (size_t i = p->n; i-- > 0;) {
		const struct step *s = &p->steps[i];
		int q;

		/* A value can be gone before its own step: an unbind wipes what later steps name. */
		if (i >= acted && s->kind != STEP_SET)
			continue;
		if (is_left(p, left, i))
			continue;
		q = undo_step(b, p, s);
		left[i] = q > 0;
		if (q >= 0)
			continue;
		step_format(s, step, sizeof(step));
		log_error("cannot take back: %s: %s", step, strerror(-q));
		if (r == 0)
			r = q;
	}
	return r;
}
