// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order that isolation depends on:
 *
 *   PASID attached -> WQCFG PASID -> MSIXPERM or IMS -> queue enabled -> portal shown
 *
 * and exactly the reverse on the way down, whoever starts it: the guest, the
 * VMM closing or dying, VFIO detaching the domain, or the host unbinding the
 * queue. The requester id of the physical function is never used instead.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "cmd.h"
#include "core/vd.h"
#include "hwq.h"
#include "iommu.h"
#include "layout.h"
#include "parent.h"
#include "slice.h"
#include "trace.h"
#include "vdev.h"

/* parents_lock. A free queue of @parent, or NULL. @name picks one. */
static struct hwq *find_free(struct parent *parent, const char *name)
{
	struct hwq *hwq;

	list_for_each_entry(hwq, &parent->hwqs, node)
		if (!hwq->slice && (!name || sysfs_streq(hwq_name(hwq), name)) &&
		    hwq_is_usable(hwq))
			return hwq;
	return NULL;
}

/* Claims any free queue of @parent and a PASID. */
int slice_create(struct parent *parent, struct slice **ret_slice)
{
	struct device *pf = &parent->pdev->dev;
	struct slice *s;
	int r;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	kref_init(&s->ref);
	mutex_init(&s->lock);
	spin_lock_init(&s->event_lock);
	s->lost = -1;
	r = portal_init(&s->portal);
	if (r < 0)
		goto undo_slice;

	s->pasid = iommu_alloc_global_pasid(pf);
	if (s->pasid == IOMMU_PASID_INVALID) {
		dev_err(pf, "no mdev created: the host has no PASID left for it\n");
		r = -ENOSPC;
		goto undo_portal;
	}

	mutex_lock(&parents_lock);
	s->hwq = parent->going ? NULL : find_free(parent, NULL);
	if (s->hwq) {
		s->hwq->slice = s;
		parent_slice_added(parent, s);
		s->parent = parent;
	}
	mutex_unlock(&parents_lock);
	if (!s->hwq) {
		dev_err(pf, "no mdev created: no free work queue is bound to the driver mdev\n");
		r = -ENOSPC;
		goto undo_pasid;
	}
	parent_changed(parent);
	*ret_slice = s;
	return 0;

undo_pasid:
	iommu_free_global_pasid(s->pasid);
undo_portal:
	portal_free(&s->portal);
undo_slice:
	kfree(s);
	return r;
}

static void slice_free(struct kref *ref)
{
	struct slice *s = container_of(ref, struct slice, ref);

	portal_free(&s->portal);
	kfree(s);
}

void slice_put(struct slice *s)
{
	kref_put(&s->ref, slice_free);
}

/* The mdev is gone: closed, detached. Gives the queue and the PASID back. */
void slice_destroy(struct slice *s)
{
	struct parent *parent = s->parent;

	slice_detach(s);
	mutex_lock(&parents_lock);
	mutex_lock(&s->lock);
	if (s->hwq) {
		hwq_forget(s->hwq);
		s->hwq->slice = NULL;
	}
	s->hwq = NULL;
	mutex_unlock(&s->lock);
	mutex_unlock(&parents_lock);

	if (s->undrained)
		dev_err(&parent->pdev->dev,
			"PASID %u stays reserved: the device did not confirm that it drained\n",
			s->pasid);
	else
		iommu_free_global_pasid(s->pasid);
	parent_slice_removed(parent, s);
	slice_put(s);
}

ssize_t slice_show_wq(struct slice *s, char *buf)
{
	ssize_t r;

	mutex_lock(&s->lock);
	r = s->hwq ? sysfs_emit(buf, "%s\n", hwq_name(s->hwq)) : sysfs_emit(buf, "\n");
	mutex_unlock(&s->lock);
	return r;
}

/* A line "PID COMM" of the process that opened the device; nothing while it is closed. */
ssize_t slice_show_opener(struct slice *s, char *buf)
{
	ssize_t r = 0;

	mutex_lock(&s->lock);
	if (s->opener)
		r = sysfs_emit(buf, "%d %s\n", s->opener, s->opener_comm);
	mutex_unlock(&s->lock);
	return r;
}

/* What the mdev is to its user: closed, disabled, enabled, or lost its queue or device. */
ssize_t slice_show_state(struct slice *s, char *buf)
{
	const char *state = "disabled";

	mutex_lock(&s->lock);
	if (s->gone || !s->hwq)
		state = "lost";
	else if (!s->opener)
		state = "closed";
	else if (s->hwq->enabled)
		state = "enabled";
	mutex_unlock(&s->lock);
	return sysfs_emit(buf, "%s\n", state);
}

/* Completion records that the device could not write, as far as idxd counted them for us. */
u64 slice_faults(struct slice *s)
{
	u64 n;

	mutex_lock(&s->lock);
	n = s->stats.faults + (s->hwq ? fault_trap_count(&s->hwq->trap, s->pasid) : 0);
	mutex_unlock(&s->lock);
	return n;
}

/* s->lock. The descriptor may be handed on later; this says who asked for it. */
static void slice_opened_by(struct slice *s, struct task_struct *task)
{
	s->opener = task_tgid_nr(task);
	get_task_comm(s->opener_comm, task->group_leader);
	strreplace(s->opener_comm, '\n', '?');
}

/* Moves the mdev to another free queue of its parent, until it was opened. */
int slice_pin(struct slice *s, const char *name)
{
	struct hwq *hwq;
	int r = 0;

	mutex_lock(&parents_lock);
	mutex_lock(&s->lock);
	if (s->hwq && sysfs_streq(hwq_name(s->hwq), name))
		goto out;
	if (s->opened || !s->hwq) {
		r = -EBUSY;
		goto out;
	}
	hwq = find_free(s->parent, name);
	if (!hwq) {
		r = -ENOENT;
		goto out;
	}
	s->hwq->slice = NULL;
	s->hwq = hwq;
	hwq->slice = s;
out:
	mutex_unlock(&s->lock);
	mutex_unlock(&parents_lock);
	return r;
}

/* s->lock. After this nothing of the guest reaches the hardware, nor the other way. */
static void slice_stop(struct slice *s, bool abandon)
{
	if (s->portal.shown)
		trace_idxd_mdev_portal(s->pasid, false);
	portal_hide(&s->portal);
	s->cut = false;
	if (!s->hwq || !s->hwq->enabled)
		return;
	if (abandon)
		hwq_abort(s->hwq);
	hwq_disable(s->hwq);
	if (abandon)
		watch_forget(&s->hwq->watch);
	trace_idxd_mdev_queue(hwq_name(s->hwq), s->pasid, false, s->hwq->enabled ? -EIO : 0);
}

/*
 * s->lock, queue disabled. A PASID leaves its domain only after it was drained,
 * and is never given to another when the hardware did not let go of it.
 */
static void slice_unmap(struct slice *s)
{
	if (!s->domain)
		return;
	if (!s->hwq || s->hwq->enabled ||
	    cmd_exec(s->hwq->wq->idxd, CMD_DRAIN_PASID, s->pasid, NULL) < 0)
		s->undrained = true;
	iommu_detach_device_pasid(s->domain->real, &s->parent->pdev->dev, s->pasid);
	trace_idxd_mdev_domain(s->pasid, false);
	s->domain = NULL;
}

/* s->lock. */
static int slice_map(struct slice *s, struct proxy_domain *pd)
{
	struct device *pf = &s->parent->pdev->dev;
	int r = iommu_attach_device_pasid(pd->real, pf, s->pasid, NULL);

	if (r < 0)
		dev_err(pf, "PASID %u cannot get an address space: %d; is VT-d in scalable mode?\n",
			s->pasid, r);
	else
		s->domain = pd;
	trace_idxd_mdev_domain(s->pasid, !r);
	return r;
}

/* s->lock, queue disabled. */
static int slice_start(struct slice *s)
{
	int r;

	if (!s->hwq || !s->domain)
		return -ENXIO;
	r = vector_program(&s->vector, s->hwq, s->pasid);
	if (r < 0)
		return r;
	r = hwq_enable(s->hwq, s->pasid, &s->limits);
	trace_idxd_mdev_queue(hwq_name(s->hwq), s->pasid, true, r);
	if (r < 0)
		return r;
	trace_idxd_mdev_portal(s->pasid, true);
	portal_show(&s->portal, hwq_portal_pfn(s->hwq, vector_portal_page(&s->vector)));
	return 0;
}

/*
 * From the proxy IOMMU driver, with the child's group mutex held. A domain that
 * replaces another one finds the queue running, and leaves it so; when it cannot
 * be attached the other one still is.
 */
int slice_attach(struct slice *s, struct proxy_domain *pd)
{
	struct proxy_domain *old;
	bool running;
	int r = 0;

	mutex_lock(&s->lock);
	if (s->domain == pd)
		goto out;
	if (pd->pdev != s->parent->pdev) {
		r = -EINVAL;	/* VFIO then makes a domain of its own for this function */
		goto out;
	}
	if (!s->hwq) {
		r = -ENODEV;
		goto out;
	}
	old = s->domain;
	running = s->hwq->enabled || s->cut;
	slice_stop(s, !running);
	slice_unmap(s);
	s->wanted = NULL;
	r = slice_map(s, pd);
	if (!r || (old && !slice_map(s, old)))
		s->wanted = s->domain;
	if (running && slice_start(s) < 0) {
		s->gone = true;
		if (s->gone_work)
			queue_work(vdev_workers, s->gone_work);
	}
out:
	mutex_unlock(&s->lock);
	return r;
}

/*
 * With iommufd a user may detach while the queue is enabled. To the guest it stays
 * so: what it stores meanwhile is dropped.
 */
void slice_detach(struct slice *s)
{
	bool cut;

	mutex_lock(&s->lock);
	cut = s->cut || (s->opener && s->hwq && s->hwq->enabled);
	slice_stop(s, true);
	s->cut = cut;
	slice_unmap(s);
	s->wanted = NULL;
	mutex_unlock(&s->lock);
}

/* s->lock. Whom to tell of errors and of the queue's loss; NULL: nobody. */
static void slice_listen(struct slice *s, struct work_struct *gone_work)
{
	spin_lock(&s->event_lock);
	s->gone_work = gone_work;
	s->has_event = false;
	spin_unlock(&s->event_lock);
}

/* An error that the guest caused: the first counts, of others it learns that there were some. */
void slice_event(struct slice *s, const u64 rec[4])
{
	atomic64_inc(&s->stats.errors);
	trace_idxd_mdev_error(s->pasid, rec[0] >> 8, rec[0] >> 32, rec[2]);
	spin_lock(&s->event_lock);
	if (s->has_event)
		s->event[0] |= RECORD_OVERFLOW;
	else
		memcpy(s->event, rec, sizeof(s->event));
	s->has_event = true;
	spin_unlock(&s->event_lock);
	slice_wake(s);
}

/* There is something for the user's worker to do. Any context that may not sleep will do. */
void slice_wake(struct slice *s)
{
	spin_lock(&s->event_lock);
	if (s->gone_work)
		queue_work(vdev_workers, s->gone_work);
	spin_unlock(&s->event_lock);
}

bool slice_take_record(struct slice *s, struct watch_record *ret_rec)
{
	bool has;

	mutex_lock(&s->lock);
	has = s->hwq && watch_take(&s->hwq->watch, ret_rec);
	mutex_unlock(&s->lock);
	return has;
}

bool slice_take_event(struct slice *s, u64 ret_rec[4])
{
	bool has;

	spin_lock(&s->event_lock);
	has = s->has_event;
	s->has_event = false;
	if (has)
		memcpy(ret_rec, s->event, sizeof(s->event));
	spin_unlock(&s->event_lock);
	return has;
}

/* The VMM opened the device: from now on the queue is fixed and has a vector. */
int slice_open(struct slice *s, irq_handler_t fn, void *priv, struct work_struct *gone_work,
	       struct address_space *mapping, struct vd_caps *ret_caps)
{
	int r;

	mutex_lock(&s->lock);
	if (!s->hwq) {
		r = -ENODEV;
		goto out;
	}
	r = vector_open(&s->vector, s->hwq, s->parent->ims, s->pasid, fn, priv);
	if (r < 0) {
		dev_err(&s->parent->pdev->dev, "%s: no completion interrupt: %d\n",
			hwq_name(s->hwq), r);
		goto out;
	}
	hwq_caps(s->hwq, ret_caps);
	portal_open(&s->portal, mapping);
	s->opened = true;
	slice_opened_by(s, current);
	slice_listen(s, gone_work);
out:
	mutex_unlock(&s->lock);
	return r;
}

void slice_close(struct slice *s)
{
	mutex_lock(&s->lock);
	slice_stop(s, true);
	if (s->hwq) {
		vector_close(&s->vector, s->hwq, s->parent->ims);
		watch_forget(&s->hwq->watch);
	}
	portal_close(&s->portal);
	slice_listen(s, NULL);
	s->gone = !s->hwq;
	s->opener = 0;
	mutex_unlock(&s->lock);
}

int slice_enable(struct slice *s, const struct hwq_limits *limits)
{
	int r;

	mutex_lock(&s->lock);
	s->limits = *limits;
	r = slice_start(s);
	mutex_unlock(&s->lock);
	return r;
}

void slice_disable(struct slice *s, bool abandon)
{
	mutex_lock(&s->lock);
	slice_stop(s, abandon);
	mutex_unlock(&s->lock);
}

int slice_drain(struct slice *s)
{
	int r;

	mutex_lock(&s->lock);
	r = s->hwq ? hwq_drain(s->hwq) : -ENODEV;
	mutex_unlock(&s->lock);
	return r;
}

int slice_abort(struct slice *s)
{
	int r;

	mutex_lock(&s->lock);
	r = s->hwq ? hwq_abort(s->hwq) : -ENODEV;
	mutex_unlock(&s->lock);
	return r;
}

/* The interrupt handle that descriptors must name. */
int slice_handle(struct slice *s, u16 *ret_handle)
{
	int r = 0;

	mutex_lock(&s->lock);
	if (s->vector.kind == VECTOR_NONE)
		r = -ENODEV;
	else
		*ret_handle = s->vector.handle;
	mutex_unlock(&s->lock);
	return r;
}

void slice_bypass(struct slice *s, struct eventfd_ctx *ctx)
{
	mutex_lock(&s->lock);
	vector_bypass(&s->vector, ctx);
	mutex_unlock(&s->lock);
}

/*
 * The host unbinds @hwq, which the mdev may have open. Everything that needs the
 * queue or its device ends here and now; the guest is told to halt. Nothing
 * happens if the mdev was removed or moved to another queue meanwhile.
 */
void slice_orphan(struct slice *s, const struct hwq *hwq)
{
	mutex_lock(&s->lock);
	if (s->hwq != hwq)
		goto out;
	slice_stop(s, true);
	vector_close(&s->vector, s->hwq, s->parent->ims);
	slice_unmap(s);
	s->stats.faults += fault_trap_count(&hwq->trap, s->pasid);
	s->lost = hwq->wq->id;
	s->hwq = NULL;
	s->gone = true;
	trace_idxd_mdev_alive(s->pasid, false);
	if (s->gone_work)
		queue_work(vdev_workers, s->gone_work);
out:
	mutex_unlock(&s->lock);
}

/* The device of @hwq halted, or idxd recovered it and forgot the queue's configuration. */
void slice_halt(struct slice *s, const struct hwq *hwq)
{
	mutex_lock(&s->lock);
	if (s->hwq != hwq || s->gone)
		goto out;
	slice_stop(s, true);
	s->gone = true;
	trace_idxd_mdev_alive(s->pasid, false);
	if (s->gone_work)
		queue_work(vdev_workers, s->gone_work);
out:
	mutex_unlock(&s->lock);
}

/*
 * parents_lock. The queue that was taken away is back after a reset of its device.
 * A user that has the mdev open goes on with it when it resets the mdev.
 */
bool slice_give_back(struct slice *s, struct hwq *hwq)
{
	bool mine;

	mutex_lock(&s->lock);
	mine = !s->hwq && s->lost == hwq->wq->id;
	if (mine) {
		s->hwq = hwq;
		s->lost = -1;
		s->gone = s->opener != 0;
		trace_idxd_mdev_alive(s->pasid, true);
	}
	mutex_unlock(&s->lock);
	return mine;
}

/*
 * The user reset the mdev: if its queue runs again, or was given back, that serves it
 * from now on. Until a reset it does not, whatever happens to the device.
 */
bool slice_revive(struct slice *s)
{
	bool closed, done = false;

	mutex_lock(&s->lock);
	if (!s->gone || !s->hwq || !s->opener || !hwq_is_alive(s->hwq))
		goto out;
	closed = s->vector.kind == VECTOR_NONE;
	if (closed && vector_open(&s->vector, s->hwq, s->parent->ims, s->pasid, s->vector.fn,
				  s->vector.priv) < 0)
		goto out;
	if (!s->domain && s->wanted && slice_map(s, s->wanted) < 0) {
		if (closed)
			vector_close(&s->vector, s->hwq, s->parent->ims);
		goto out;
	}
	s->gone = false;
	done = true;
out:
	mutex_unlock(&s->lock);
	return done;
}
