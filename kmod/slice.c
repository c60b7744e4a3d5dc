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
#include "share.h"
#include "slice.h"
#include "trace.h"
#include "vdev.h"

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

/* s->lock. Which of the guest's queues are enabled. */
static unsigned int slice_running(const struct slice *s)
{
	return s->hwq ? s->mode->running(s) : 0;
}

/* Has it the queue for itself? Then what is said of the queue is said of it. */
static bool slice_is_alone(const struct slice *s)
{
	return s->kind == TYPE_1DWQ;
}

/* s->lock. Records that were not writable while it had the queue that it has now. */
static u64 slice_faults_here(const struct slice *s)
{
	if (!s->hwq)
		return 0;
	return fault_trap_count(slice_is_alone(s) ? &s->hwq->trap : &s->trap, s->pasid);
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
	else if (slice_running(s))
		state = "enabled";
	mutex_unlock(&s->lock);
	return sysfs_emit(buf, "%s\n", state);
}

/* Completion records that the device could not write, as far as idxd counted them for us. */
u64 slice_faults(struct slice *s)
{
	u64 n;

	mutex_lock(&s->lock);
	n = s->stats.faults + slice_faults_here(s);
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

/* s->lock, with a queue. Who hears of its errors. */
static struct watch *slice_watch(struct slice *s)
{
	return slice_is_alone(s) ? &s->hwq->watch : &s->watch;
}

/* s->lock. One of several on a queue hears of the errors of its PASID. */
int slice_watch_own(struct slice *s)
{
	int r;

	/* without it idxd is loud about the guest's faults, and nothing worse */
	fault_trap_set(&s->trap, s->hwq->wq, s->pasid);
	r = watch_attach(&s->watch, s->hwq);
	if (r < 0)
		fault_trap_clear(&s->trap);
	return r;
}

/* s->lock, stopped. */
void slice_unwatch_own(struct slice *s)
{
	watch_detach(&s->watch);
	synchronize_irq(pci_irq_vector(s->parent->pdev, 0));
	flush_workqueue(s->hwq->faults);
	s->stats.faults += slice_faults_here(s);
	fault_trap_clear(&s->trap);
}

/* s->lock. After this nothing of the guest's queues reaches the hardware, nor the other way. */
static void slice_stop(struct slice *s, unsigned int wqs, bool abandon)
{
	s->cut &= ~wqs;
	s->mode->stop(s, wqs, abandon);
}

/*
 * s->lock, queue disabled. A PASID leaves its domain only after it was drained,
 * and is never given to another when the hardware did not let go of it.
 */
static void slice_unmap(struct slice *s)
{
	if (!s->domain)
		return;
	if (!s->hwq || slice_running(s) ||
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

/* s->lock, queue @wq disabled. */
static int slice_start(struct slice *s, unsigned int wq)
{
	int r;

	if (!s->hwq || !s->domain)
		return -ENXIO;
	r = vector_program(&s->vectors[wq], s->hwq, s->pasid);
	if (r < 0)
		return r;
	return s->mode->start(s, wq);
}

/*
 * From the proxy IOMMU driver, with the child's group mutex held. A domain that
 * replaces another one finds the queue running, and leaves it so; when it cannot
 * be attached the other one still is.
 */
int slice_attach(struct slice *s, struct proxy_domain *pd)
{
	struct proxy_domain *old;
	unsigned int wq, running;
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
	running = slice_running(s) | s->cut;
	slice_stop(s, SLICE_ALL_WQS, !running);
	slice_unmap(s);
	s->wanted = NULL;
	r = slice_map(s, pd);
	if (!r || (old && !slice_map(s, old)))
		s->wanted = s->domain;
	for (wq = 0; wq < s->nwqs; wq++)
		if (running & BIT(wq) && slice_start(s, wq) < 0) {
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
	unsigned int cut;

	mutex_lock(&s->lock);
	cut = s->opener ? slice_running(s) | s->cut : 0;
	slice_stop(s, SLICE_ALL_WQS, true);
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
	unsigned int wq;
	bool has;

	mutex_lock(&s->lock);
	has = s->hwq && watch_take(slice_watch(s), ret_rec);
	for (wq = 0; has && wq < s->nwqs; wq++)
		if (!wq || s->vectors[wq].handle == ret_rec->handle)
			ret_rec->vector = wq + 1;
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

/* Without s->lock. What the host's queue still had to say is said, before that may go. */
static void slice_settle(struct slice *s)
{
	if (!slice_is_alone(s))
		watch_settle(&s->watch);
}

/* s->lock. */
static void slice_disconnect(struct slice *s)
{
	unsigned int wq;

	for (wq = 0; wq < s->nwqs; wq++)
		vector_close(&s->vectors[wq], s->hwq, s->parent->ims);
	s->mode->part(s);
}

/*
 * s->lock. A vector for each queue; the same ones again when the mdev was given
 * its queue back. An MSI-X vector has room for one PASID, so those who are several
 * on a queue need an interrupt message store.
 */
static int slice_connect(struct slice *s)
{
	unsigned int wq;
	int r;

	if (!slice_is_alone(s) && !s->parent->ims)
		return -EOPNOTSUPP;
	r = s->mode->join(s);
	for (wq = 0; !r && wq < s->nwqs; wq++)
		r = vector_open(&s->vectors[wq], s->hwq, s->parent->ims, s->pasid,
				s->vectors[wq].fn, s->vectors[wq].priv);
	if (r < 0)
		slice_disconnect(s);
	return r;
}

/* The VMM opened the device: from now on the queue is fixed and has its vectors. */
int slice_open(struct slice *s, const struct slice_user *user)
{
	unsigned int wq;
	int r;

	mutex_lock(&s->lock);
	if (!s->hwq) {
		r = -ENODEV;
		goto out;
	}
	for (wq = 0; wq < s->nwqs; wq++) {
		s->vectors[wq].fn = user->fn;
		s->vectors[wq].priv = user->priv[wq];
	}
	r = slice_connect(s);
	if (r < 0) {
		dev_err(&s->parent->pdev->dev, "%s: no completion interrupt: %d\n",
			hwq_name(s->hwq), r);
		goto out;
	}
	hwq_caps(s->hwq, s->nwqs, &s->caps);
	portal_open(&s->portal, user->mapping);
	s->opened = true;
	slice_opened_by(s, current);
	slice_listen(s, user->gone_work);
out:
	mutex_unlock(&s->lock);
	return r;
}

void slice_close(struct slice *s)
{
	mutex_lock(&s->lock);
	slice_stop(s, SLICE_ALL_WQS, true);
	if (s->hwq) {
		watch_forget(slice_watch(s));
		slice_disconnect(s);
	}
	portal_close(&s->portal);
	slice_listen(s, NULL);
	s->gone = !s->hwq;
	s->opener = 0;
	mutex_unlock(&s->lock);
	slice_settle(s);
}

int slice_enable(struct slice *s, unsigned int wq, const struct hwq_limits *limits)
{
	int r;

	mutex_lock(&s->lock);
	s->limits = *limits;
	r = wq < s->nwqs ? slice_start(s, wq) : -EINVAL;
	mutex_unlock(&s->lock);
	return r;
}

void slice_disable(struct slice *s, unsigned int wqs, bool abandon)
{
	mutex_lock(&s->lock);
	slice_stop(s, wqs, abandon);
	mutex_unlock(&s->lock);
}

int slice_drain(struct slice *s)
{
	int r;

	mutex_lock(&s->lock);
	if (!s->hwq)
		r = -ENODEV;
	else
		r = s->mode->drain(s);
	mutex_unlock(&s->lock);
	return r;
}

int slice_abort(struct slice *s)
{
	int r;

	mutex_lock(&s->lock);
	if (!s->hwq)
		r = -ENODEV;
	else
		r = s->mode->abort(s);
	mutex_unlock(&s->lock);
	return r;
}

/* A store by write(), of 64 bytes at an aligned offset of BAR2: only memory can take it. */
void slice_post(struct slice *s, u64 off, const void *desc)
{
	unsigned int wq = off / PORTAL_STRIDE;

	if (!s->share || wq >= s->nwqs || off % PORTAL_STRIDE >= PORTAL_PAGES * PAGE_SIZE)
		return;
	share_post(s->share, wq, off % PAGE_SIZE, desc);
}

/* The interrupt handle that descriptors must name. */
int slice_handle(struct slice *s, unsigned int wq, u16 *ret_handle)
{
	int r = 0;

	mutex_lock(&s->lock);
	if (wq >= s->nwqs || s->vectors[wq].kind == VECTOR_NONE)
		r = -ENODEV;
	else
		*ret_handle = s->vectors[wq].handle;
	mutex_unlock(&s->lock);
	return r;
}

void slice_bypass(struct slice *s, unsigned int wq, struct eventfd_ctx *ctx)
{
	mutex_lock(&s->lock);
	if (wq < s->nwqs)
		vector_bypass(&s->vectors[wq], ctx);
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
	slice_stop(s, SLICE_ALL_WQS, true);
	slice_unmap(s);
	if (slice_is_alone(s))
		s->stats.faults += slice_faults_here(s);
	slice_disconnect(s);
	s->lost = hwq->wq->id;
	s->hwq = NULL;
	s->gone = true;
	trace_idxd_mdev_alive(s->pasid, false);
	if (s->gone_work)
		queue_work(vdev_workers, s->gone_work);
out:
	mutex_unlock(&s->lock);
	slice_settle(s);
}

/* The device of @hwq halted, or idxd recovered it and forgot the queue's configuration. */
void slice_halt(struct slice *s, const struct hwq *hwq)
{
	mutex_lock(&s->lock);
	if (s->hwq != hwq || s->gone)
		goto out;
	slice_stop(s, SLICE_ALL_WQS, true);
	s->gone = true;
	trace_idxd_mdev_alive(s->pasid, false);
	if (s->gone_work)
		queue_work(vdev_workers, s->gone_work);
out:
	mutex_unlock(&s->lock);
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
	closed = s->vectors[0].kind == VECTOR_NONE;
	if (closed && slice_connect(s) < 0)
		goto out;
	if (!s->domain && s->wanted && slice_map(s, s->wanted) < 0) {
		if (closed)
			slice_disconnect(s);
		goto out;
	}
	s->gone = false;
	done = true;
out:
	mutex_unlock(&s->lock);
	return done;
}
