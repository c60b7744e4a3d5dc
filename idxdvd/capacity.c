/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/capacity.h"
#include "idxdvd/steps.h"

/* What the type may have at all on this device. */
static bool is_open(const struct accel *a, const struct mdev_type *type)
{
	struct refusal why;

	return a->adopted && a->state == STATE_ENABLED &&
	       (type->shared ? alloc_check_shared(a, &why) == 0 : !a->unsafe || a->unsafe_allowed);
}

static unsigned int *place_of(const struct accel *a, const struct mdev_type *type,
			      const struct wq *w, struct capacity *c)
{
	const struct place_request req = { .numa_node = -1, .shared = type->shared };
	bool open = is_open(a, type), counts = alloc_wq_counts(a, w, &req);

	switch (w->cls) {
	case WQ_FREE:
		return w->reserved ? &c->reserved :
		       !open || !alloc_wq_is_fresh(a, w) ? &c->unusable :
		       counts ? &c->creatable : &c->exclusive;
	case WQ_POOL:
		if (w->dedicated == type->shared)	/* bound for the other kind of type */
			return !open || !alloc_wq_is_ready(w) ? &c->unusable :
			       counts ? &c->creatable : &c->exclusive;
		return counts || !alloc_wq_is_ready(w) ? &c->free_now : &c->exclusive;
	case WQ_MDEV_IDLE:
	case WQ_MDEV_IN_USE:
		return &c->mdevs;
	case WQ_HOST_KERNEL:
	case WQ_HOST_USER:
		return &c->host;
	case WQ_FOREIGN:
	case WQ_CLASS_COUNT:
		break;
	}
	return &c->foreign;
}

void capacity_count(const struct accel *a, const struct mdev_type *type, struct capacity *ret)
{
	struct capacity c = {
		.total = a->n_wqs, .room = a->room[type->shared],
		.max_sharers = type->shared ? a->sharers : 1,
	};

	for (unsigned int i = 0; i < a->n_wqs; i++) {
		(*place_of(a, type, &a->wqs[i], &c))++;
		c.mdevs_in_use += a->wqs[i].cls == WQ_MDEV_IN_USE;
	}
	*ret = c;
}

unsigned int capacity_instances(const struct accel *a, const struct mdev_type *type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n_wqs; i++) {
		const struct wq *w = &a->wqs[i];

		if (strcmp(w->driver, ALLOC_DRIVER) || w->dedicated == type->shared)
			continue;
		if (!type->shared)
			n += !w->n_mdevs;
		else if (w->n_mdevs < a->max_sharers)
			n += a->max_sharers - w->n_mdevs;
	}
	return n;
}

/* What would free a queue of each class; NULL: it is not held. */
static const struct {
	enum refusal_kind kind;
	const char *reason, *remedy;
} classes[WQ_CLASS_COUNT] = {
	[WQ_HOST_KERNEL] = { REFUSE_HOST_KERNEL, "a driver of the host's kernel has it",
		"unbind it from that driver, or keep it and use another" },
	[WQ_HOST_USER] = { REFUSE_HOST_USER, "it is a character device of the host",
		"end the process that has it open, then disable the queue" },
	[WQ_MDEV_IDLE] = { REFUSE_MDEV_IDLE, "an mdev has it; nobody has that mdev open",
		"idxdctl destroy that mdev" },
	[WQ_MDEV_IN_USE] = { REFUSE_MDEV_IN_USE, "an mdev has it, and a virtual machine has that open",
		"shut the virtual machine down or unplug the device, then idxdctl destroy the mdev" },
	[WQ_FOREIGN] = { REFUSE_FOREIGN, "somebody else configured it",
		"clear it with accel-config, if it is not wanted" },
};

static void explain_free(const struct accel *a, const struct wq *w, struct refusal *ret)
{
	if (!a->adopted)
		refuse(ret, REFUSE_NOT_ADOPTED, EPERM, w->name, "idxdctl adopt the accelerator",
		       "it is free, but %s is not adopted", a->name);
	else if (w->reserved)
		refuse(ret, REFUSE_NO_CAPACITY, EBUSY, w->name,
		       "release the accelerator and adopt it with fewer host-wqs",
		       "it is free, but one of %u that are kept for the host", a->host_wqs);
	else if (!w->size)
		refuse(ret, REFUSE_NO_CAPACITY, EBUSY, w->name,
		       "disable the device and give its queues a size",
		       "it is free, but has no size, which can be set only while the device is off");
	else if (!accel_group_engines(a, w->group))
		refuse(ret, REFUSE_NO_CAPACITY, EBUSY, w->name,
		       "disable the device and give its group an engine",
		       "it is free, but its group has no engine");
	else if (a->state != STATE_ENABLED)
		refuse(ret, REFUSE_FAILED, ENXIO, w->name, "enable the device",
		       "it is free, but %s is %s", a->name, object_state_name(a->state));
}

static void explain_shut(const struct accel *a, const struct wq *w, struct refusal *ret)
{
	refuse(ret, REFUSE_ENGINES_TAKEN, EBUSY, w->name,
	       "destroy what has them, or take the device out of exclusive-engines in the policy",
	       "it is free, but the %u engines of group %d work for %s, and the policy gives them to one queue only",
	       accel_group_engines(a, w->group), w->group, place_group_user(a, w->group, w)->name);
}

static void explain_mdevs(const struct accel *a, const struct wq *w, struct refusal *ret)
{
	const struct place_request req = { .numa_node = -1, .shared = true };

	if (alloc_wq_is_usable(a, w, &req) && is_open(a, mdev_type_shared(a->kind)))
		snprintf(ret->reason, sizeof(ret->reason),
			 "an mdev of type %s can have a part of it, as %u of at most %u have",
			 mdev_type_shared(a->kind)->id, w->n_mdevs, a->sharers);
	else if (w->n_mdevs > 1)
		refuse(ret, REFUSE_NO_CAPACITY, EBUSY, w->name, "idxdctl destroy one of them",
		       "%u mdevs share it, of at most %u", w->n_mdevs, a->sharers);
	else
		refuse(ret, classes[w->cls].kind, EBUSY, w->name, classes[w->cls].remedy, "%s",
		       classes[w->cls].reason);
}

/* Free or in the pool of a device under the erratum. */
static void explain_unsafe(const struct accel *a, const struct wq *w, struct refusal *ret)
{
	struct refusal why;

	if (alloc_check_shared(a, &why) == 0)
		snprintf(ret->reason, sizeof(ret->reason),
			 "an mdev of type %s can have a part of it; no guest may have it whole, for %s is under an erratum (CVE-2024-21823)",
			 mdev_type_shared(a->kind)->id, a->name);
	else
		refuse(ret, REFUSE_UNSAFE_DEVICE, EPERM, w->name,
		       "use a device without the erratum",
		       "%s is under an erratum (CVE-2024-21823) and not open for guests", a->name);
}

void capacity_explain(const struct accel *a, const struct wq *w, struct refusal *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (w->cls == WQ_FREE)
		explain_free(a, w, ret);
	else if (w->cls == WQ_POOL && !w->ours)
		refuse(ret, REFUSE_FOREIGN, EBUSY, w->name, "unbind it from the driver mdev",
		       "somebody else bound it to our module");
	else if (w->cls == WQ_MDEV_IDLE || w->cls == WQ_MDEV_IN_USE)
		explain_mdevs(a, w, ret);
	else if (classes[w->cls].reason)
		refuse(ret, classes[w->cls].kind, EBUSY, w->name, classes[w->cls].remedy, "%s",
		       classes[w->cls].reason);
	if (ret->kind == REFUSE_NONE && alloc_wq_is_shut(a, w) &&
	    (alloc_wq_is_ready(w) || alloc_wq_is_fresh(a, w)))
		explain_shut(a, w, ret);
	if (ret->kind == REFUSE_NONE && !ret->reason[0] && a->unsafe && !a->unsafe_allowed)
		explain_unsafe(a, w, ret);
}
