/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/steps.h"

/* --- create ---------------------------------------------------------------------------------- */

/* Says in a few words why a wq cannot be taken; "" if it can. */
static void wq_obstacle(const struct accel *a, const struct wq *w, const struct place_request *req,
			char *buf, size_t size)
{
	char holder[64] = "";

	if (w->holder.pid)
		snprintf(holder, sizeof(holder), " (pid %d %s)", w->holder.pid, w->holder.comm);

	buf[0] = '\0';
	switch (w->cls) {
	case WQ_FREE:
		if (alloc_wq_is_fresh(a, w) && alloc_wq_is_shut(a, w))
			snprintf(buf, size, "engines are %s's",
				 place_group_user(a, w->group, w)->name);
		else if (w->reserved)
			snprintf(buf, size, "kept for the host");
		else if (!w->size)
			snprintf(buf, size, "no size");
		else if (!accel_group_engines(a, w->group))
			snprintf(buf, size, "no engine in its group");
		break;
	case WQ_HOST_KERNEL:
		snprintf(buf, size, "host kernel, %u clients", w->clients);
		break;
	case WQ_HOST_USER:
		snprintf(buf, size, "host user%s", holder);
		break;
	case WQ_POOL:
		if (!w->ours)
			snprintf(buf, size, "bound to our module by somebody else");
		else if (alloc_wq_is_shut(a, w))
			snprintf(buf, size, "engines are %s's",
				 place_group_user(a, w->group, w)->name);
		break;
	case WQ_MDEV_IDLE:
	case WQ_MDEV_IN_USE:
		if (alloc_wq_is_usable(a, w, req))
			break;
		if (w->n_mdevs > 1)
			snprintf(buf, size, "%u mdevs", w->n_mdevs);
		else
			snprintf(buf, size, "mdev %s%s", w->mdev, holder);
		break;
	case WQ_FOREIGN:
		snprintf(buf, size, "configured by somebody else");
		break;
	case WQ_CLASS_COUNT:
		break;
	}
}

static bool accel_has_unsized(const struct accel *a)
{
	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (a->wqs[i].cls == WQ_FREE && !a->wqs[i].size)
			return true;
	return false;
}

/* Something is left of @min_size entries or more, but policy gives its engines to another. */
static bool accel_has_shut(const struct accel *a, unsigned int min_size)
{
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		const struct wq *w = &a->wqs[i];

		if (w->size >= min_size && (alloc_wq_is_ready(w) || alloc_wq_is_fresh(a, w)) &&
		    alloc_wq_is_shut(a, w))
			return true;
	}
	return false;
}

static int refuse_engines(const char *object, struct refusal *ret)
{
	return refuse(ret, REFUSE_ENGINES_TAKEN, EBUSY, object,
		      "destroy an mdev, or take the device out of exclusive-engines in the policy",
		      "the engines of what is left work for another queue, and the policy (exclusive-engines) gives them to one only");
}

static void list_obstacles(const struct accel *a, const struct place_request *req, char *buf,
			   size_t size)
{
	char why[128];
	size_t len = strlen(buf);

	for (unsigned int i = 0; i < a->n_wqs && len < size; i++) {
		wq_obstacle(a, &a->wqs[i], req, why, sizeof(why));
		if (why[0])
			len += snprintf(buf + len, size - len, "%s%s: %s", len ? ", " : "",
					a->wqs[i].name, why);
	}
}

static int refuse_capacity(struct accel *const *accels, size_t n, const struct mdev_type *type,
			   const char *object, struct refusal *ret)
{
	char holders[sizeof(ret->holder)] = "";
	bool unsized = false, shut = false;
	int r;

	for (size_t i = 0; i < n; i++)
		if (accels[i]->adopted && accels[i]->kind == type->kind) {
			list_obstacles(accels[i], NULL, holders, sizeof(holders));
			unsized = unsized || accel_has_unsized(accels[i]);
			shut = shut || accel_has_shut(accels[i], 0);
		}

	r = shut ? refuse_engines(object, ret) :
	    refuse(ret, REFUSE_NO_CAPACITY, ENOSPC, object,
		   unsized ? "destroy an mdev, or disable the device and give its queues a size" :
			     "destroy an mdev, or release the device and adopt it with fewer host-wqs",
		   "all work queues are taken%s",
		   unsized ? ", and one without a size cannot be used while the device is on" : "");
	refusal_set_holder(ret, "%s", holders);
	return r;
}

/* Reasons for which an accelerator hands none of its wqs out. */
static int check_guest(const struct accel *a, const struct mdev_type *type, struct refusal *ret)
{
	struct refusal why;
	int r;

	r = alloc_check_host(a, ret);
	if (r == 0 && type->shared)
		r = alloc_check_shared(a, ret);
	else if (r == 0 && a->unsafe && !a->unsafe_allowed)
		r = refuse(ret, REFUSE_UNSAFE_DEVICE, EPERM, a->name,
			   alloc_check_shared(a, &why) < 0 ?
			   "use a device without the erratum, or idxdctl trust this one if you trust all its guests" :
			   "create a 1swq type on it, use a device without the erratum, or idxdctl trust this one if you trust all its guests",
			   "PCI id %04x:%04x is under an erratum (CVE-2024-21823): a guest with a work queue of its own could harm the host",
			   a->pci_vendor, a->pci_device);
	return r;
}

static const struct accel *find_accel(struct accel *const *accels, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(accels[i]->name, name) || !strcmp(accels[i]->bdf, name))
			return accels[i];
	return NULL;
}

static int check_create(const struct accel *a, const struct mdev_type *type, struct refusal *ret)
{
	int r;

	if (a->kind != type->kind)
		return refuse(ret, REFUSE_NO_SUCH_TYPE, EINVAL, type->id,
			      "name a parent of the right kind",
			      "it is not a type of %s, which is an %s device", a->name,
			      accel_kind_name(a->kind));
	if (!a->adopted)
		return refuse(ret, REFUSE_NOT_ADOPTED, EPERM, a->name, "idxdctl adopt it first",
			      "it is not adopted, so its work queues are the host's");
	/* First what would keep the device from being enabled. */
	r = check_guest(a, type, ret);
	if (r < 0)
		return r;
	if (a->state != STATE_ENABLED)
		return refuse(ret, REFUSE_FAILED, ENXIO, a->name, "enable it, or release and adopt it",
			      "the device is %s", object_state_name(a->state));
	return 0;
}

/* Without a parent: the adopted accelerator with most room; the first of equals. */
static int choose_accel(struct accel *const *accels, size_t n, const struct mdev_type *type,
			const struct accel **ret, struct refusal *ret_refusal)
{
	const struct accel *best = NULL, *of_kind = NULL;
	unsigned int most = 0;
	bool adopted = false;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		const struct accel *a = accels[i];
		unsigned int room;

		if (a->kind != type->kind)
			continue;
		if (!of_kind || (a->adopted && !of_kind->adopted))
			of_kind = a;
		if (!a->adopted)
			continue;
		adopted = true;
		if (check_create(a, type, ret_refusal) < 0)
			continue;
		room = alloc_available(a, type->shared);
		if (room > most) {
			most = room;
			best = a;
		}
	}

	if (best)
		*ret = best;
	else if (!of_kind)
		r = refuse(ret_refusal, REFUSE_NO_SUCH_DEVICE, ENODEV, type->id,
			   "load idxd, or check that the device is not given to another driver",
			   "there is no %s accelerator in this machine", accel_kind_name(type->kind));
	else if (!adopted)
		r = check_create(of_kind, type, ret_refusal);
	else if (check_create(of_kind, type, ret_refusal) < 0)
		r = -EPERM;
	else
		r = refuse_capacity(accels, n, type, type->id, ret_refusal);
	return r;
}

/* One that is ready as it is, else a fresh one, else one that has to be made another first. */
static const struct wq *choose_wq(const struct accel *a)
{
	const struct wq *fresh = NULL, *other = NULL;

	for (unsigned int i = 0; i < a->n_wqs; i++) {
		const struct wq *w = &a->wqs[i];

		if (!alloc_wq_is_usable(a, w, NULL))
			continue;
		if (alloc_wq_is_ready(w) && alloc_wq_is_as_asked(a, w, NULL))
			return w;
		if (alloc_wq_is_ready(w))
			other = other ? other : w;
		else
			fresh = fresh ? fresh : w;
	}
	return fresh ? fresh : other;
}

/* Whoever has a queue gives the refusal its name. */
static const enum refusal_kind class_refusals[WQ_CLASS_COUNT] = {
	[WQ_FREE] = REFUSE_NO_CAPACITY,
	[WQ_HOST_KERNEL] = REFUSE_HOST_KERNEL,
	[WQ_HOST_USER] = REFUSE_HOST_USER,
	[WQ_POOL] = REFUSE_FOREIGN,
	[WQ_MDEV_IDLE] = REFUSE_MDEV_IDLE,
	[WQ_MDEV_IN_USE] = REFUSE_MDEV_IN_USE,
	[WQ_FOREIGN] = REFUSE_FOREIGN,
};

static int check_wq(const struct accel *a, const struct wq *w, const struct place_request *req,
		    struct refusal *ret)
{
	char why[128];
	int r;

	wq_obstacle(a, w, req, why, sizeof(why));
	if (!why[0])
		return 0;
	if (req && req->shared && w->n_mdevs && !w->dedicated && w->ours)
		r = refuse(ret, REFUSE_NO_CAPACITY, EBUSY, w->name,
			   "name another work queue, or none", "%u of at most %u mdevs share it%s",
			   w->n_mdevs, a->sharers,
			   w->n_mdevs < a->sharers ? ", with other settings" : "");
	else if (alloc_wq_is_ready(w) || alloc_wq_is_fresh(a, w))
		r = refuse_engines(w->name, ret);
	else
		r = refuse(ret, class_refusals[w->cls], EBUSY, w->name,
			   "name another work queue, or none",
			   "it cannot be used (%s)", wq_class_name(w->cls));
	refusal_set_holder(ret, "%s", why);
	return r;
}

/* Of @only, or of all that may be used; @only NULL: that there is one is known. */
static int choose_place(struct accel *const *accels, size_t n, const struct accel *only,
			const struct mdev_type *type, const struct place_request *place,
			const struct accel **ret_accel, const struct wq **ret_wq,
			char why[PLACE_WHY_LEN], struct refusal *ret)
{
	_cleanup_(freep) struct accel **usable = calloc(n + 1, sizeof(*usable));
	char holders[sizeof(ret->holder)] = "";
	bool shut = false;
	size_t k = 0;
	int r;

	if (!usable)
		return refuse(ret, REFUSE_FAILED, ENOMEM, type->id,
			      "free some memory, then try again", "out of memory");
	for (size_t i = 0; i < n; i++)
		if ((!only || accels[i] == only) && check_create(accels[i], type, ret) == 0)
			usable[k++] = accels[i];
	if (place_choose(usable, k, place, ret_accel, ret_wq, why) == 0)
		return 0;
	for (size_t i = 0; i < k; i++) {
		list_obstacles(usable[i], place, holders, sizeof(holders));
		shut = shut || accel_has_shut(usable[i], place->min_size);
	}
	if (shut)
		r = refuse_engines(only ? only->name : type->id, ret);
	else if (place->min_size)
		r = refuse(ret, REFUSE_NO_CAPACITY, ENOSPC, only ? only->name : type->id,
			   "ask for fewer entries, or destroy an mdev",
			   "no work queue of %u entries or more can be had", place->min_size);
	else
		r = refuse(ret, REFUSE_NO_CAPACITY, ENOSPC, only ? only->name : type->id,
			   "destroy an mdev, or release the device and adopt it with fewer host-wqs",
			   "no work queue can be %s", place->shared ? "shared by one more" : "had");
	refusal_set_holder(ret, "%s", holders);
	return r;
}

/* None of the devices that could be used goes that far. */
static int check_limits(struct accel *const *accels, size_t n, const struct accel *only,
			const struct mdev_type *type, const struct place_request *place,
			struct refusal *ret)
{
	unsigned int transfer = 0, batch = 0;

	for (size_t i = 0; i < n; i++) {
		const struct accel *a = accels[i];

		if (a->kind != type->kind || !a->adopted || (only && a != only))
			continue;
		transfer = a->max_transfer > transfer ? a->max_transfer : transfer;
		batch = a->max_batch > batch ? a->max_batch : batch;
	}
	if (place->max_transfer <= transfer && place->max_batch <= batch)
		return 0;
	return refuse(ret, REFUSE_INVALID_ARGS, EINVAL, only ? only->name : type->id, "ask for less",
		      "transfers of %u bytes and batches of %u descriptors are the most there are",
		      transfer, batch);
}

/* The queue that the request names or that the mdev had last; without a name of either, NULL. */
static int choose_named(const struct accel *a, const struct wq *w, const struct alloc_create *req,
			const struct place_request *place, const struct wq **ret,
			struct refusal *ret_refusal)
{
	const struct wq *last = req->prefer ? accel_find_wq((struct accel *)a, req->prefer) : NULL;
	int r = w ? check_wq(a, w, place, ret_refusal) : 0;

	if (r < 0)
		return r;
	*ret = w ? w : last && alloc_wq_is_usable(a, last, place) ? last : NULL;
	return 0;
}

static int choose(struct accel *const *accels, size_t n, const struct alloc_create *req,
		  const struct mdev_type *type, const struct place_request *place,
		  const struct accel **ret_accel, const struct wq **ret_wq,
		  char why[PLACE_WHY_LEN], struct refusal *ret)
{
	const struct accel *only;
	const struct accel *a = NULL;
	const struct wq *w = NULL;
	int r;

	if (req->parent) {
		a = find_accel(accels, n, req->parent);
		if (!a)
			return refuse(ret, REFUSE_NO_SUCH_DEVICE, ENODEV, req->parent,
				      "idxdctl list shows what there is",
				      "there is no such accelerator");
	}
	for (size_t i = 0; req->wq && i < n && !w; i++)
		if (!a || a == accels[i])
			w = accel_find_wq(accels[i], req->wq), a = w ? accels[i] : a;
	if (req->wq && !w)
		return refuse(ret, REFUSE_NO_SUCH_WQ, ENOENT, req->wq,
			      "idxdctl list shows what there is",
			      "there is no such work queue%s%s", req->parent ? " on " : "",
			      req->parent ? req->parent : "");

	only = a;
	r = a ? check_create(a, type, ret) : choose_accel(accels, n, type, &a, ret);
	if (r >= 0 && place)
		r = check_limits(accels, n, only, type, place, ret);
	if (r >= 0)
		r = choose_named(a, w, req, place, &w, ret);
	if (r < 0)
		return r;
	if (!w && place)
		return choose_place(accels, n, only, type, place, ret_accel, ret_wq, why, ret);
	if (!w) {
		struct accel *one[] = { (struct accel *)a };

		w = choose_wq(a);
		if (!w)
			return refuse_capacity(one, 1, type, a->name, ret);
	}

	*ret_accel = a;
	*ret_wq = w;
	return 0;
}

static int refuse_type(const char *id, struct refusal *ret)
{
	char known[sizeof(ret->remedy)] = "";
	const struct mdev_type *types;
	size_t n, len = 0;

	types = mdev_types(&n);
	for (size_t i = 0; i < n && len < sizeof(known); i++)
		len += snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "idxdctl types lists them: ",
				types[i].id);
	return refuse(ret, REFUSE_NO_SUCH_TYPE, EINVAL, id, known, "there is no such mdev type");
}

int alloc_find_type(const char *id, const struct mdev_type **ret, struct refusal *ret_refusal)
{
	const struct mdev_type *type = mdev_type_find(id);

	if (!type)
		return refuse_type(id, ret_refusal);
	*ret = type;
	return 0;
}

/* A queue of the pool that is to be another one has to be disabled for that. */
static void plan_settings(struct plan *p, const struct accel *a, const struct wq *w,
			  const struct place_request *req)
{
	struct wq wiped = *w;

	if (alloc_wq_has_seat(a, w, req))
		return;
	if (!alloc_wq_is_ready(w)) {
		plan_claim(p, a, w, req, "the pool has none to spare");
	} else if (!alloc_wq_is_as_asked(a, w, req)) {
		plan_unclaim(p, a, w, "its mode, its priority or its limits are other ones");
		wiped.priority = wiped.threshold = 0;
		wiped.driver_name[0] = '\0';
		wiped.dedicated = true;
		plan_claim(p, a, &wiped, req, "with those that were asked for");
	}
}

int alloc_create(struct accel *const *accels, size_t n, const struct alloc_create *req,
		 struct plan **ret, struct refusal *ret_refusal)
{
	struct place_request place = { .numa_node = -1 };
	const struct place_request *want = req->place ? &place : NULL;
	_cleanup_(plan_freep) struct plan *p = NULL;
	const struct mdev_type *type = NULL;
	const struct accel *a = NULL;
	const struct wq *w = NULL;
	char uuid[UUID_LEN], why[PLACE_WHY_LEN] = "so that it is this queue and no other";
	int r;

	if (parse_uuid(req->uuid, uuid) < 0)
		return refuse(ret_refusal, REFUSE_INVALID_UUID, EINVAL, req->uuid,
			      "give 32 hexadecimal digits as 8-4-4-4-12, or none",
			      "this is not a UUID");
	r = alloc_find_type(req->type, &type, ret_refusal);
	if (r < 0)
		return r;
	if (req->existing) {
		r = refuse(ret_refusal, REFUSE_EXISTS, EEXIST, uuid, "take another UUID, or none",
			   "an mdev with this UUID exists, of type %s on %s", req->existing->type,
			   req->existing->parent);
		refusal_set_holder(ret_refusal, "%s", req->existing->wq);
		return r;
	}

	if (req->place)
		place = *req->place;
	place.shared = type->shared;
	if (type->shared)
		want = &place;
	r = choose(accels, n, req, type, want, &a, &w, why, ret_refusal);
	if (r < 0)
		return r;
	if (plan_new(&p, PLAN_CREATE, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, uuid,
			      "free some memory, then try again", "out of memory");

	memcpy(p->uuid, uuid, sizeof(uuid));
	plan_settings(p, a, w, want);
	plan_add(p, STEP_MDEV_CREATE, uuid, type->id, "", a->bdf, "asked for");
	plan_add(p, STEP_MDEV_WQ, uuid, "wq", "", w->name, "%s%s",
		 a->exclusive ? "exclusive-engines; " : "", why);
	return alloc_done(&p, ret, ret_refusal);
}

/* --- destroy --------------------------------------------------------------------------------- */

int alloc_destroy(const char *uuid, const struct mdev *m, const struct accel *a, struct plan **ret,
		  struct refusal *ret_refusal)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	int r;

	if (!m)
		return refuse(ret_refusal, REFUSE_NO_SUCH_MDEV, ENOENT, uuid,
			      "idxdctl list shows what there is", "there is no such mdev");
	if (!m->ours || !a)
		return refuse(ret_refusal, REFUSE_FOREIGN, EPERM, uuid,
			      "remove it the way it was made, for example mdevctl stop",
			      "it was not created by idxdvd");
	if (m->in_use) {
		r = refuse(ret_refusal, REFUSE_MDEV_IN_USE, EBUSY, uuid,
			   "shut the virtual machine down, or unplug the device from it",
			   "it is open");
		if (m->holder.pid)
			refusal_set_holder(ret_refusal, "pid %d (%s)", m->holder.pid,
					   m->holder.comm);
		else
			refusal_set_holder(ret_refusal, "a process that cannot be seen from here");
		return r;
	}

	if (plan_new(&p, PLAN_DESTROY, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, uuid,
			      "free some memory, then try again", "out of memory");
	memcpy(p->uuid, m->uuid, sizeof(p->uuid));
	plan_add(p, STEP_MDEV_REMOVE, m->uuid, m->type, m->wq, m->parent, "asked for");
	return alloc_done(&p, ret, ret_refusal);
}

int alloc_evict(const char *uuid, const struct mdev *m, const struct accel *a, struct plan **ret,
		struct refusal *ret_refusal)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	char who[64] = "its user, who cannot be seen from here,";

	if (!m || !a || (m->ours && !m->in_use))
		return alloc_destroy(uuid, m, a, ret, ret_refusal);
	if (plan_new(&p, PLAN_DESTROY, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, uuid,
			      "free some memory, then try again", "out of memory");
	memcpy(p->uuid, m->uuid, sizeof(p->uuid));
	if (m->holder.pid)
		snprintf(who, sizeof(who), "pid %d (%s)", m->holder.pid, m->holder.comm);
	plan_add(p, m->in_use ? STEP_MDEV_EVICT : STEP_MDEV_REMOVE, m->uuid, m->type, m->wq,
		 m->parent, "by force: %s%s%s", m->in_use ? who : "",
		 m->in_use ? " is asked to let go" : "",
		 m->ours ? "" : m->in_use ? "; not made by idxdvd" : "not made by idxdvd");
	return alloc_done(&p, ret, ret_refusal);
}

int alloc_trust(const struct accel *a, bool on, struct plan **ret, struct refusal *ret_refusal)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	bool bound = false;
	int r;

	if (!a->unsafe)
		return refuse(ret_refusal, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name,
			      "create mdevs on it as it is",
			      "PCI id %04x:%04x is under no erratum", a->pci_vendor,
			      a->pci_device);
	if (!a->adopted)
		return refuse(ret_refusal, REFUSE_NOT_ADOPTED, EPERM, a->name,
			      "idxdctl adopt it first",
			      "it is not adopted, so its work queues are the host's");
	r = alloc_check_host(a, ret_refusal);
	if (r < 0)
		return r;
	/* The module keeps it with the device that it serves, and serves one whose queue it has. */
	for (unsigned int i = 0; i < a->n_wqs; i++)
		bound = bound || !strcmp(a->wqs[i].driver, ALLOC_DRIVER);
	if (!bound)
		return refuse(ret_refusal, REFUSE_FAILED, ENXIO, a->name,
			      "release it and adopt it with a pool-min of 1 or more",
			      "idxd_mdev serves none of its queues yet");
	if (plan_new(&p, PLAN_TRUST, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, a->name,
			      "free some memory, then try again", "out of memory");
	plan_set(p, a->name, ALLOC_UNSAFE, a->unsafe_allowed ? "1" : "0", on ? "1" : "0",
		 on ? "CVE-2024-21823: a guest could harm the host" : "asked for");
	return alloc_done(&p, ret, ret_refusal);
}
