/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/steps.h"

bool alloc_wq_is_ready(const struct wq *w)
{
	return w->cls == WQ_POOL && w->ours;
}

/* Free, and laid out so that it can be enabled: size and group are fixed while the device is on. */
bool alloc_wq_is_fresh(const struct accel *a, const struct wq *w)
{
	return w->cls == WQ_FREE && !w->reserved && w->size && accel_group_engines(a, w->group) > 0;
}

bool alloc_wq_has_seat(const struct accel *a, const struct wq *w, const struct place_request *req)
{
	return req && req->shared && w->ours && !w->dedicated &&
	       (w->cls == WQ_MDEV_IDLE || w->cls == WQ_MDEV_IN_USE) && w->n_mdevs < a->sharers &&
	       alloc_wq_is_as_asked(a, w, req);
}

bool alloc_wq_is_shut(const struct accel *a, const struct wq *w)
{
	return a->exclusive && place_group_user(a, w->group, w);
}

bool alloc_wq_is_usable(const struct accel *a, const struct wq *w, const struct place_request *req)
{
	return (alloc_wq_is_ready(w) || alloc_wq_is_fresh(a, w) || alloc_wq_has_seat(a, w, req)) &&
	       !alloc_wq_is_shut(a, w);
}

/* Of one group a ready one comes first, then the one with the lowest number. */
bool alloc_wq_counts(const struct accel *a, const struct wq *w, const struct place_request *req)
{
	if (!alloc_wq_is_usable(a, w, req))
		return false;
	for (unsigned int i = 0; a->exclusive && i < a->n_wqs; i++) {
		const struct wq *v = &a->wqs[i];
		bool first = alloc_wq_is_ready(v) != alloc_wq_is_ready(w) ? alloc_wq_is_ready(v) :
			     v->id < w->id;

		if (v->group == w->group && first && alloc_wq_is_usable(a, v, req))
			return false;
	}
	return true;
}

static const struct place_request usual_shared = { .numa_node = -1, .shared = true };

unsigned int alloc_available(const struct accel *a, bool shared)
{
	const struct place_request *req = shared ? &usual_shared : NULL;
	struct refusal why;
	unsigned int n = 0;

	if (!a->adopted || a->state != STATE_ENABLED)
		return 0;
	if (shared ? alloc_check_shared(a, &why) < 0 : a->unsafe && !a->unsafe_allowed)
		return 0;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (alloc_wq_counts(a, &a->wqs[i], req))
			n += shared ? a->sharers - a->wqs[i].n_mdevs : 1;
	return n;
}

/*
 * Whole queues, except under the erratum, where no guest may have one. If it was trusted since, the
 * pool stays: the module forgets the trust with the last queue that it is bound to.
 */
const struct place_request *alloc_pool_request(const struct accel *a)
{
	struct refusal why;

	return a->unsafe && alloc_check_shared(a, &why) == 0 ? &usual_shared : NULL;
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
int alloc_check_host(const struct accel *a, struct refusal *ret)
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
		r = refuse(ret, REFUSE_NO_IOMMU, ENODEV, a->name, "boot with intel_iommu=on,sm_on",
			   "its IOMMU has no scalable mode with PASID, which isolates a guest");
	}
	return r;
}

int alloc_check_shared(const struct accel *a, struct refusal *ret)
{
	if (!a->enqcmd)
		return refuse(ret, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name,
			      "create an mdev of a 1dwq type",
			      "this processor has no ENQCMDS, with which the host submits to a shared queue");
	if (!a->shared_mode)
		return refuse(ret, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name,
			      "boot with intel_iommu=on,sm_on; idxd's pasid_enabled has to read 1",
			      "idxd has no shared queues on it, for want of a PASID of the host");
	if (!a->ims)
		return refuse(ret, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name,
			      "create an mdev of a 1dwq type, or load idxd_mdev without irq_backend=msix",
			      "it has no IMS, or idxd_mdev may not use it, and a shared queue needs it for interrupts");
	if (!a->sharers)
		return refuse(ret, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name,
			      a->max_sharers ? "raise max-sharers in the policy" :
			      "load the idxd_mdev of this version, with max_sharers above 0",
			      "%s lets no mdevs share a queue",
			      a->max_sharers ? "the policy" : "idxd_mdev");
	return 0;
}

void plan_set(struct plan *p, const char *object, const char *attr, const char *old,
	      const char *val, const char *reason)
{
	if (strcmp(old, val))
		plan_add(p, STEP_SET, object, attr, old, val, "%s", reason);
}

void plan_set_int(struct plan *p, const char *object, const char *attr, int old, int val,
		  const char *reason)
{
	char o[16], v[16];

	snprintf(o, sizeof(o), "%d", old);
	snprintf(v, sizeof(v), "%d", val);
	plan_set(p, object, attr, o, v, reason);
}

/*
 * An attribute that has its value already. Unless that is the one which idxd leaves behind, it gets
 * a step all the same: an unbind on the way back wipes it, and the undo has to know it.
 */
void plan_want(struct plan *p, const char *object, const char *attr, const char *old,
	       const char *val, const char *wiped, const char *reason)
{
	if (strcmp(old, val))
		plan_set(p, object, attr, old, val, reason);
	else if (strcmp(old, wiped))
		plan_add(p, STEP_SET, object, attr, old, val, "right already");
}

void plan_want_group(struct plan *p, const char *object, int old, int val, const char *reason)
{
	char o[16], v[16];

	snprintf(o, sizeof(o), "%d", old);
	snprintf(v, sizeof(v), "%d", val);
	plan_want(p, object, "group_id", o, v, "-1", reason);
}

const char *wq_mode_name(const struct wq *w)
{
	return w->dedicated ? "dedicated" : "shared";
}

struct settings {
	unsigned int priority, max_transfer, max_batch;
};

static unsigned int usual(unsigned int asked, unsigned int by_idxd, unsigned int most)
{
	return asked ? asked : by_idxd < most ? by_idxd : most;
}

static struct settings settings_for(const struct accel *a, const struct place_request *req)
{
	return (struct settings) {
		.priority = req && req->priority ? req->priority : ALLOC_PRIORITY,
		.max_transfer = usual(req ? req->max_transfer : 0, ALLOC_MAX_TRANSFER, a->max_transfer),
		.max_batch = usual(req ? req->max_batch : 0, ALLOC_MAX_BATCH, a->max_batch),
	};
}

bool alloc_wq_is_as_asked(const struct accel *a, const struct wq *w, const struct place_request *req)
{
	struct settings s = settings_for(a, req);

	return w->dedicated == !(req && req->shared) && w->priority == s.priority &&
	       w->max_transfer == s.max_transfer && w->max_batch == s.max_batch;
}

void alloc_settle_wq(const struct accel *a, struct wq *w, bool shared)
{
	struct settings s = settings_for(a, NULL);

	w->dedicated = !shared;
	w->priority = s.priority;
	w->max_transfer = s.max_transfer;
	w->max_batch = s.max_batch;
}

static void plan_limit(struct plan *p, const struct wq *w, const char *attr, unsigned int old,
		       unsigned int val)
{
	char o[16], v[16];

	snprintf(o, sizeof(o), "%u", old);
	snprintf(v, sizeof(v), "%u", val);
	plan_set(p, w->name, attr, o, v, "the limit of what one user may ask of the engines");
}

/*
 * The kernel takes no threshold of 0; it goes back to that with the mode dedicated alone, which the
 * way back has to pass.
 */
static void plan_mode(struct plan *p, const struct wq *w, bool shared)
{
	if (!shared) {
		plan_want(p, w->name, "mode", wq_mode_name(w), "dedicated", "shared",
			  "the type hands out a whole queue");
		return;
	}
	if (!w->dedicated)
		plan_set(p, w->name, "mode", "shared", "dedicated", "so that its threshold is 0");
	plan_set(p, w->name, "mode", "dedicated", "shared", "the type hands out parts of a queue");
	plan_set_int(p, w->name, "threshold", w->threshold, w->size, "all of its entries");
}

/* Configures an unconfigured wq and puts it into the pool. */
void plan_claim(struct plan *p, const struct accel *a, const struct wq *w,
		const struct place_request *req, const char *why)
{
	struct settings s = settings_for(a, req);
	char old[16], priority[16];

	snprintf(old, sizeof(old), "%u", w->priority);
	snprintf(priority, sizeof(priority), "%u", s.priority);
	plan_mode(p, w, req && req->shared);
	plan_want(p, w->name, "priority", old, priority, "0", "hardware wants 1..15");
	plan_limit(p, w, "max_transfer_size", w->max_transfer, s.max_transfer);
	plan_limit(p, w, "max_batch_size", w->max_batch, s.max_batch);
	plan_set(p, w->name, "type", wq_type_name(WQ_TYPE_NONE), "user",
		 "so that our driver may bind it");
	plan_set(p, w->name, "driver_name", w->driver_name, ALLOC_DRIVER,
		 "so that our driver may bind it");
	plan_set(p, w->name, "name", "", ALLOC_LABEL, "idxd demands a name");
	plan_add(p, STEP_BIND, w->name, ALLOC_DRIVER, "", "", "%s", why);
}

/*
 * The opposite. idxd wipes most of it at the unbind; the steps say what must hold afterwards. A queue
 * that has a size and a group, is shared and of no type, as idxd leaves it, would be in the way of
 * everybody: with such a one idxd enables no other queue of the device.
 */
void plan_unclaim(struct plan *p, const struct accel *a, const struct wq *w, const char *why)
{
	static const char wiped[] = "left as idxd leaves an unconfigured queue";
	char old[16];

	snprintf(old, sizeof(old), "%u", w->priority);
	plan_add(p, STEP_UNBIND, w->name, ALLOC_DRIVER, "", "", "%s", why);
	plan_set(p, w->name, "name", w->label, "", wiped);
	plan_set(p, w->name, "driver_name", w->driver_name, "", wiped);
	plan_set(p, w->name, "type", wq_type_name(w->type), "none", wiped);
	plan_set(p, w->name, "priority", old, "0", wiped);
	plan_set_int(p, w->name, "threshold", w->threshold, 0, wiped);
	plan_want(p, w->name, "mode", wq_mode_name(w), "dedicated", "shared",
		  "a shared queue of no type keeps idxd from enabling others");
}

int alloc_done(struct plan **p, struct plan **ret, struct refusal *ret_refusal)
{
	if ((*p)->error)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, (*p)->accel,
			      "free some memory, then try again", "out of memory");
	*ret = TAKE(*p);
	return 0;
}
