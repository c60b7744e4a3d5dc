/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/parse.h"

/* --- what can be used ------------------------------------------------------------------------ */

static bool wq_is_ready(const struct wq *w)
{
	return w->cls == WQ_POOL && w->ours;
}

/* Free, and laid out so that it can be enabled: size and group are fixed while the device is on. */
static bool wq_is_fresh(const struct accel *a, const struct wq *w)
{
	return w->cls == WQ_FREE && !w->reserved && w->size &&
	       accel_group_engines(a, w->group) > 0;
}

unsigned int alloc_available(const struct accel *a)
{
	unsigned int n = 0;

	if (!a->adopted || a->state != STATE_ENABLED || (a->unsafe && !a->unsafe_allowed))
		return 0;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		n += wq_is_ready(&a->wqs[i]) || wq_is_fresh(a, &a->wqs[i]);
	return n;
}

void alloc_reserve(struct accel *a)
{
	unsigned int left = a->adopted ? a->host_wqs : 0;

	for (unsigned int i = a->n_wqs; i-- > 0;) {
		struct wq *w = &a->wqs[i];

		w->reserved = left && w->size && !w->ours;
		left -= w->reserved;
	}
}

/* Reasons for which no wq of an accelerator can be bound to our module. */
static int check_host(const struct accel *a, struct refusal *ret)
{
	int r = 0;

	if (!a->module) {
		r = refuse(ret, REFUSE_NO_MODULE, ENXIO, a->name, "modprobe idxd_mdev",
			   "the kernel module idxd_mdev is not loaded");
	} else if (!a->iommu) {
		r = refuse(ret, REFUSE_NO_IOMMU, ENODEV, a->name,
			   "boot with intel_iommu=on,sm_on and VT-d on in the firmware",
			   "it is not behind an IOMMU, so a guest could reach all memory");
	} else if (!a->pasid) {
		r = refuse(ret, REFUSE_NO_IOMMU, ENODEV, a->name,
			   "boot with intel_iommu=on,sm_on",
			   "its IOMMU has no scalable mode with PASID, which isolates a guest");
	}
	return r;
}

/* And for which none may be handed out. */
static int check_guest(const struct accel *a, struct refusal *ret)
{
	int r;

	r = check_host(a, ret);
	if (r == 0 && a->unsafe && !a->unsafe_allowed)
		r = refuse(ret, REFUSE_UNSAFE_DEVICE, EPERM, a->name,
			   "use a device without the erratum, or open this one for trusted guests only",
			   "PCI id %04x:%04x is under an erratum (CVE-2024-21823): a guest with a work queue of its own could harm the host",
			   a->pci_vendor, a->pci_device);
	return r;
}

/* --- pieces of plans ------------------------------------------------------------------------- */

static void plan_set_str(struct plan *p, const char *object, const char *attr, const char *old,
			 const char *val, const char *reason)
{
	if (strcmp(old, val))
		plan_add(p, STEP_SET, object, attr, old, val, "%s", reason);
}

static void plan_set_int(struct plan *p, const char *object, const char *attr, int old, int val,
			 const char *reason)
{
	char o[16], v[16];

	snprintf(o, sizeof(o), "%d", old);
	snprintf(v, sizeof(v), "%d", val);
	plan_set_str(p, object, attr, o, v, reason);
}

/*
 * An attribute that has its value already. Unless that is the one which idxd leaves behind, it gets
 * a step all the same: an unbind on the way back wipes it, and the undo has to know it.
 */
static void plan_want_str(struct plan *p, const char *object, const char *attr, const char *old,
			  const char *val, const char *wiped, const char *reason)
{
	if (strcmp(old, val))
		plan_set_str(p, object, attr, old, val, reason);
	else if (strcmp(old, wiped))
		plan_add(p, STEP_SET, object, attr, old, val, "stays as it is");
}

static void plan_want_group(struct plan *p, const char *object, int old, int val,
			    const char *reason)
{
	char o[16], v[16];

	snprintf(o, sizeof(o), "%d", old);
	snprintf(v, sizeof(v), "%d", val);
	plan_want_str(p, object, "group_id", o, v, "-1", reason);
}

static const char *mode_name(const struct wq *w)
{
	return w->dedicated ? "dedicated" : "shared";
}

/* Configures an unconfigured wq and puts it into the pool. */
static void plan_claim(struct plan *p, const struct wq *w, const char *why)
{
	char old[16];

	snprintf(old, sizeof(old), "%u", w->priority);
	plan_want_str(p, w->name, "mode", mode_name(w), "dedicated", "shared",
		      "the type hands out a whole queue");
	plan_want_str(p, w->name, "priority", old, ALLOC_PRIORITY, "0", "hardware wants 1..15");
	plan_set_str(p, w->name, "type", wq_type_name(WQ_TYPE_NONE), "user",
		     "so that our driver may bind it");
	plan_set_str(p, w->name, "driver_name", w->driver_name, ALLOC_DRIVER,
		     "so that our driver may bind it");
	plan_set_str(p, w->name, "name", "", ALLOC_LABEL, "idxd demands a name");
	plan_add(p, STEP_BIND, w->name, ALLOC_DRIVER, "", "", "%s", why);
}

/*
 * The opposite. idxd wipes most of it at the unbind; the steps say what must hold afterwards. On a
 * device that we laid out its mode is again that of the layout.
 */
static void plan_unclaim(struct plan *p, const struct accel *a, const struct wq *w,
			 const char *why)
{
	static const char wiped[] = "left as idxd leaves an unconfigured queue";
	char old[16];

	snprintf(old, sizeof(old), "%u", w->priority);
	plan_add(p, STEP_UNBIND, w->name, ALLOC_DRIVER, "", "", "%s", why);
	plan_set_str(p, w->name, "name", w->label, "", wiped);
	plan_set_str(p, w->name, "driver_name", w->driver_name, "", wiped);
	plan_set_str(p, w->name, "type", wq_type_name(w->type), "none", wiped);
	plan_set_str(p, w->name, "priority", old, "0", wiped);
	plan_want_str(p, w->name, "mode", mode_name(w), a->laid_out ? "dedicated" : "shared",
		      "shared", wiped);
}

static int plan_done(struct plan **p, struct plan **ret, struct refusal *ret_refusal)
{
	if ((*p)->error)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, (*p)->accel, "", "out of memory");
	*ret = TAKE(*p);
	return 0;
}

/* --- adopt ----------------------------------------------------------------------------------- */

/* How an unconfigured device is divided: equal sizes, as many groups as have an engine. */
struct layout {
	unsigned int n_wqs, n_groups, size;
};

static struct layout layout_for(const struct accel *a)
{
	struct layout l = { .n_wqs = a->n_wqs, .n_groups = a->max_groups };

	if (l.n_wqs > a->max_size)
		l.n_wqs = a->max_size;
	if (l.n_groups > a->n_engines)
		l.n_groups = a->n_engines;
	if (l.n_groups > l.n_wqs)
		l.n_groups = l.n_wqs;
	if (l.n_wqs)
		l.size = a->max_size / l.n_wqs;
	return l;
}

static void plan_clear_iaa_default(struct plan *p, const struct wq *w)
{
	static const char why[] = "idxd's own default, not the host's choice";

	plan_set_str(p, w->name, "name", w->label, "", why);
	plan_set_str(p, w->name, "driver_name", w->driver_name, "", why);
	plan_set_str(p, w->name, "type", wq_type_name(w->type), "none", why);
	plan_set_int(p, w->name, "priority", w->priority, 0, why);
	plan_set_str(p, w->name, "mode", "dedicated", "shared", why);
}

/* @after is @a as it will be after these steps. */
static void plan_layout(struct plan *p, const struct accel *a, struct accel *after)
{
	struct layout l = layout_for(a);

	if (a->n_wqs && wq_is_iaa_default(a, &a->wqs[0])) {
		struct wq *w = &after->wqs[0];

		plan_clear_iaa_default(p, &a->wqs[0]);
		w->label[0] = w->driver_name[0] = '\0';
		w->type = WQ_TYPE_NONE;
		w->priority = 0;
		w->dedicated = false;
	}

	for (unsigned int i = 0; i < a->n_engines; i++) {
		after->engines[i].group = i % l.n_groups;
		plan_want_group(p, a->engines[i].name, a->engines[i].group,
				after->engines[i].group, "a group works only with an engine");
	}

	for (unsigned int i = 0; i < l.n_wqs; i++) {
		struct wq *w = &after->wqs[i];

		w->group = i % l.n_groups;
		w->size = l.size;
		w->cls = WQ_FREE;
		plan_want_group(p, w->name, a->wqs[i].group, w->group,
				"groups share the engines evenly");
		plan_set_int(p, w->name, "size", a->wqs[i].size, l.size,
			     "sizes can be set only while the device is off");
		plan_set_str(p, w->name, "mode", mode_name(w), "dedicated",
			     "a CPU without ENQCMD has no shared queues, and idxd insists");
		w->dedicated = true;
	}

	plan_add(p, STEP_BIND, a->name, "idxd", "", "", "enable the device");
	after->state = STATE_ENABLED;
}

static int check_adopt(const struct accel *a, unsigned int host_wqs, unsigned int pool_min,
		       struct refusal *ret)
{
	struct layout l = layout_for(a);
	int r;

	if (a->adopted)
		return refuse(ret, REFUSE_EXISTS, EEXIST, a->name, "",
			      "it is adopted already, with host-wqs %u and pool-min %u",
			      a->host_wqs, a->pool_min);
	r = check_host(a, ret);
	if (r < 0)
		return r;
	if (!a->configurable)
		return refuse(ret, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name,
			      "use a device that the host may configure",
			      "its configuration is fixed by firmware or by a hypervisor");
	if (a->state != STATE_ENABLED && a->state != STATE_DISABLED)
		return refuse(ret, REFUSE_FAILED, EIO, a->name, "reset the device",
			      "its state is %s", object_state_name(a->state));
	if (host_wqs > a->n_wqs || pool_min > a->n_wqs - host_wqs)
		return refuse(ret, REFUSE_INVALID_ARGS, EINVAL, a->name,
			      "ask for fewer",
			      "host-wqs %u and pool-min %u together exceed its %u work queues",
			      host_wqs, pool_min, a->n_wqs);
	if (a->state == STATE_DISABLED && !accel_is_unconfigured(a))
		return refuse(ret, REFUSE_FOREIGN, EBUSY, a->name,
			      "enable it, or clear it with accel-config, then adopt it",
			      "it is disabled but somebody configured it, and we change nothing that is not ours");
	if (a->state == STATE_DISABLED && (!l.n_groups || !l.size))
		return refuse(ret, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name, "",
			      "it has no engine, no group or no work queue to lay out");
	return 0;
}

int alloc_adopt(const struct accel *a, unsigned int host_wqs, unsigned int pool_min,
		struct plan **ret, struct refusal *ret_refusal)
{
	_cleanup_(accel_freep) struct accel *after = NULL;
	_cleanup_(plan_freep) struct plan *p = NULL;
	int r;

	r = check_adopt(a, host_wqs, pool_min, ret_refusal);
	if (r < 0)
		return r;

	if (accel_copy(a, &after) < 0 || plan_new(&p, PLAN_ADOPT, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, a->name, "", "out of memory");

	if (a->state == STATE_DISABLED)
		plan_layout(p, a, after);

	after->adopted = true;
	after->host_wqs = host_wqs;
	alloc_reserve(after);
	for (unsigned int i = 0; i < after->n_wqs && pool_min; i++) {
		if (!wq_is_fresh(after, &after->wqs[i]))
			continue;
		plan_claim(p, &after->wqs[i], "ready for the first mdev");
		pool_min--;
	}
	return plan_done(&p, ret, ret_refusal);
}

/* --- release --------------------------------------------------------------------------------- */

static void list_mdevs(const struct accel *a, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < a->n_wqs && len < size; i++)
		if (a->wqs[i].mdev[0])
			len += snprintf(buf + len, size - len, "%smdev %s (%s)", len ? ", " : "",
					a->wqs[i].mdev, a->wqs[i].name);
}

static void plan_unlayout(struct plan *p, const struct accel *a)
{
	static const char wiped[] = "left as idxd leaves an unconfigured device";

	plan_add(p, STEP_UNBIND, a->name, "idxd", "", "", "we enabled it when we adopted it");
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		plan_set_int(p, a->wqs[i].name, "size", a->wqs[i].size, 0, wiped);
		plan_set_int(p, a->wqs[i].name, "group_id", a->wqs[i].group, -1, wiped);
		plan_set_str(p, a->wqs[i].name, "mode", mode_name(&a->wqs[i]), "shared", wiped);
	}
	for (unsigned int i = 0; i < a->n_engines; i++)
		plan_set_int(p, a->engines[i].name, "group_id", a->engines[i].group, -1, wiped);
}

static void plan_restore_iaa_default(struct plan *p, const struct accel *a, unsigned int engines)
{
	static const char why[] = "as idxd's own default was";
	const char *wq = a->wqs[0].name;

	plan_set_int(p, wq, "size", 0, a->max_size, why);
	plan_set_int(p, wq, "group_id", -1, 0, why);
	plan_set_str(p, wq, "mode", "shared", "dedicated", why);
	plan_set_int(p, wq, "priority", 0, 10, why);
	plan_set_str(p, wq, "type", "none", "kernel", why);
	plan_set_str(p, wq, "driver_name", "", "crypto", why);
	plan_set_str(p, wq, "name", "", "iaa_crypto", why);
	for (unsigned int i = 0; i < engines && i < a->n_engines; i++)
		plan_set_int(p, a->engines[i].name, "group_id", -1, 0, why);
}

/* A wq in somebody else's hands keeps the device on. */
static bool accel_has_others(const struct accel *a)
{
	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (!a->wqs[i].ours && a->wqs[i].cls != WQ_FREE)
			return true;
	return false;
}

int alloc_release(const struct accel *a, const struct alloc_history *history, struct plan **ret,
		  struct refusal *ret_refusal)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	char mdevs[sizeof(ret_refusal->holder)];
	int r;

	if (!a->adopted)
		return refuse(ret_refusal, REFUSE_NOT_ADOPTED, ENOENT, a->name, "",
			      "it is not adopted");
	if (a->n_mdevs) {
		list_mdevs(a, mdevs, sizeof(mdevs));
		r = refuse(ret_refusal, REFUSE_IN_USE, EBUSY, a->name, "destroy them first",
			   "%u mdev%s on it", a->n_mdevs, a->n_mdevs == 1 ? " is" : "s are");
		refusal_set_holder(ret_refusal, "%s", mdevs);
		return r;
	}

	if (plan_new(&p, PLAN_RELEASE, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, a->name, "", "out of memory");

	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (wq_is_ready(&a->wqs[i]))
			plan_unclaim(p, a, &a->wqs[i], "given back to the host");

	if (a->laid_out && a->state == STATE_ENABLED && !accel_has_others(a)) {
		plan_unlayout(p, a);
		if (history->iaa_engines)
			plan_restore_iaa_default(p, a, history->iaa_engines);
	}
	return plan_done(&p, ret, ret_refusal);
}

/* --- create ---------------------------------------------------------------------------------- */

/* Says in a few words why a wq cannot be taken; "" if it can. */
static void wq_obstacle(const struct accel *a, const struct wq *w, char *buf, size_t size)
{
	char holder[64] = "";

	if (w->holder.pid)
		snprintf(holder, sizeof(holder), " (pid %d %s)", w->holder.pid, w->holder.comm);

	buf[0] = '\0';
	switch (w->cls) {
	case WQ_FREE:
		if (w->reserved)
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
		break;
	case WQ_MDEV_IDLE:
	case WQ_MDEV_IN_USE:
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

static void list_obstacles(const struct accel *a, char *buf, size_t size)
{
	char why[128];
	size_t len = strlen(buf);

	for (unsigned int i = 0; i < a->n_wqs && len < size; i++) {
		wq_obstacle(a, &a->wqs[i], why, sizeof(why));
		if (why[0])
			len += snprintf(buf + len, size - len, "%s%s: %s", len ? ", " : "",
					a->wqs[i].name, why);
	}
}

static int refuse_capacity(struct accel *const *accels, size_t n, const struct mdev_type *type,
			   const char *object, struct refusal *ret)
{
	char holders[sizeof(ret->holder)] = "";
	bool unsized = false;
	int r;

	for (size_t i = 0; i < n; i++)
		if (accels[i]->adopted && accels[i]->kind == type->kind) {
			list_obstacles(accels[i], holders, sizeof(holders));
			unsized = unsized || accel_has_unsized(accels[i]);
		}

	r = refuse(ret, REFUSE_NO_CAPACITY, ENOSPC, object,
		   unsized ? "destroy an mdev, or disable the device and give its queues a size" :
			     "destroy an mdev, or adopt with fewer host-wqs",
		   "all work queues are taken%s",
		   unsized ? ", and one without a size cannot be used while the device is on" : "");
	refusal_set_holder(ret, "%s", holders);
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
	if (a->kind != type->kind)
		return refuse(ret, REFUSE_NO_SUCH_TYPE, EINVAL, type->id,
			      "name a parent of the right kind",
			      "it is not a type of %s, which is an %s device", a->name,
			      accel_kind_name(a->kind));
	if (!a->adopted)
		return refuse(ret, REFUSE_NOT_ADOPTED, EPERM, a->name, "idxdctl adopt it first",
			      "it is not adopted, so its work queues are the host's");
	if (a->state != STATE_ENABLED)
		return refuse(ret, REFUSE_FAILED, ENXIO, a->name, "enable it, or release and adopt it",
			      "the device is %s", object_state_name(a->state));
	return check_guest(a, ret);
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
		room = alloc_available(a);
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

static const struct wq *choose_wq(const struct accel *a)
{
	const struct wq *fresh = NULL;

	for (unsigned int i = 0; i < a->n_wqs; i++) {
		if (wq_is_ready(&a->wqs[i]))
			return &a->wqs[i];
		if (!fresh && wq_is_fresh(a, &a->wqs[i]))
			fresh = &a->wqs[i];
	}
	return fresh;
}

static int check_wq(const struct accel *a, const struct wq *w, struct refusal *ret)
{
	char why[128];
	int r;

	wq_obstacle(a, w, why, sizeof(why));
	if (!why[0])
		return 0;
	r = refuse(ret, w->cls == WQ_FREE ? REFUSE_NO_CAPACITY : REFUSE_IN_USE, EBUSY, w->name,
		   "name another work queue, or none", "it cannot be used (%s)",
		   wq_class_name(w->cls));
	refusal_set_holder(ret, "%s", why);
	return r;
}

static int choose(struct accel *const *accels, size_t n, const struct alloc_create *req,
		  const struct mdev_type *type, const struct accel **ret_accel,
		  const struct wq **ret_wq, struct refusal *ret)
{
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

	r = a ? check_create(a, type, ret) : choose_accel(accels, n, type, &a, ret);
	if (r < 0)
		return r;
	if (w) {
		r = check_wq(a, w, ret);
		if (r < 0)
			return r;
	} else {
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

int alloc_create(struct accel *const *accels, size_t n, const struct alloc_create *req,
		 struct plan **ret, struct refusal *ret_refusal)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	const struct mdev_type *type;
	const struct accel *a = NULL;
	const struct wq *w = NULL;
	char uuid[UUID_LEN];
	int r;

	if (parse_uuid(req->uuid, uuid) < 0)
		return refuse(ret_refusal, REFUSE_INVALID_UUID, EINVAL, req->uuid,
			      "give 32 hexadecimal digits as 8-4-4-4-12, or none",
			      "this is not a UUID");
	type = mdev_type_find(req->type);
	if (!type)
		return refuse_type(req->type, ret_refusal);
	if (req->existing) {
		r = refuse(ret_refusal, REFUSE_EXISTS, EEXIST, uuid, "take another UUID, or none",
			   "an mdev with this UUID exists, of type %s on %s", req->existing->type,
			   req->existing->parent);
		refusal_set_holder(ret_refusal, "%s", req->existing->wq);
		return r;
	}

	r = choose(accels, n, req, type, &a, &w, ret_refusal);
	if (r < 0)
		return r;
	if (plan_new(&p, PLAN_CREATE, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, uuid, "", "out of memory");

	memcpy(p->uuid, uuid, sizeof(uuid));
	if (!wq_is_ready(w))
		plan_claim(p, w, "the pool has none to spare");
	plan_add(p, STEP_MDEV_CREATE, uuid, type->id, "", a->bdf, "asked for");
	plan_add(p, STEP_MDEV_WQ, uuid, "wq", "", w->name, "so that it is this queue and no other");
	return plan_done(&p, ret, ret_refusal);
}

/* --- destroy and pool ------------------------------------------------------------------------ */

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
		r = refuse(ret_refusal, REFUSE_IN_USE, EBUSY, uuid,
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
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, uuid, "", "out of memory");
	memcpy(p->uuid, m->uuid, sizeof(p->uuid));
	plan_add(p, STEP_MDEV_REMOVE, m->uuid, m->type, m->wq, m->parent, "asked for");
	return plan_done(&p, ret, ret_refusal);
}

int alloc_pool(const struct accel *a, struct plan **ret)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct refusal refusal;
	unsigned int have = 0;
	int r;

	r = plan_new(&p, PLAN_POOL, a);
	if (r < 0)
		return r;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		have += wq_is_ready(&a->wqs[i]);

	if (a->adopted && a->state == STATE_ENABLED && check_host(a, &refusal) == 0) {
		for (unsigned int i = 0; i < a->n_wqs && have < a->pool_min; i++)
			if (wq_is_fresh(a, &a->wqs[i])) {
				plan_claim(p, &a->wqs[i], "the pool is below pool-min");
				have++;
			}
		for (unsigned int i = a->n_wqs; i-- > 0 && have > a->pool_min;)
			if (wq_is_ready(&a->wqs[i])) {
				plan_unclaim(p, a, &a->wqs[i], "the pool is above pool-min");
				have--;
			}
	}

	if (p->error)
		return p->error;
	*ret = TAKE(p);
	return 0;
}
