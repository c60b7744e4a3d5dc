// SPDX-License-Identifier: GPL-2.0-only
/*
 * idxd tells a queue's driver neither of software errors nor of entries in the
 * event log nor of a halt. Errors: whoever waits on the queue's err_queue is
 * woken with the record at hand, so an entry with a function of our own is put
 * there. Log and halt: looked at while the queue is enabled.
 */
#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include "hwq.h"
#include "layout.h"
#include "parent.h"
#include "regs.h"
#include "slice.h"
#include "vdev.h"
#include "watch.h"

#define POLL_MS	100

/* Records in SWERROR and in the event log begin alike. */
#define RECORD_WQ_VALID	BIT_ULL(3)
#define RECORD_WQ	GENMASK_ULL(23, 16)
#define RECORD_PASID	GENMASK_ULL(59, 40)

/* The mdev that holds the queue, referenced, or NULL. */
static struct slice *watch_slice(const struct watch *w)
{
	struct slice *s;

	mutex_lock(&parents_lock);
	s = w->hwq->slice;
	if (s)
		kref_get(&s->ref);
	mutex_unlock(&parents_lock);
	return s;
}

static bool is_ours(const struct watch *w, u64 first)
{
	return (first & RECORD_WQ_VALID) && FIELD_GET(RECORD_WQ, first) == w->hwq->wq->id;
}

/* To the guest; its only queue has number 0. */
static void watch_tell(const struct watch *w, const u64 rec[4])
{
	u64 guest[4] = { rec[0] & ~RECORD_WQ, rec[1], rec[2], rec[3] };
	struct slice *s = watch_slice(w);

	if (!s)
		return;
	slice_event(s, guest);
	slice_put(s);
}

static void watch_report(struct work_struct *work)
{
	struct watch *w = container_of(work, struct watch, report);
	u64 rec[4];

	spin_lock_irq(&w->lock);
	memcpy(rec, w->record, sizeof(rec));
	spin_unlock_irq(&w->lock);
	watch_tell(w, rec);
}

/* From idxd's interrupt thread, with dev_lock held, which guards sw_err. */
static int watch_wake(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	struct watch *w = container_of(entry, struct watch, entry);
	unsigned long flags;
	u64 rec[4];

	memcpy(rec, w->hwq->wq->idxd->sw_err, sizeof(rec));
	if (!is_ours(w, rec[0]))
		return 0;
	spin_lock_irqsave(&w->lock, flags);
	memcpy(w->record, rec, sizeof(rec));
	spin_unlock_irqrestore(&w->lock, flags);
	queue_work(vdev_workers, &w->report);
	return 0;
}

/* evl->lock. Where the device writes its next entry. */
static unsigned int log_tail(const struct idxd_device *idxd)
{
	return FIELD_GET(EVLSTATUS_TAIL,
			 ioread64((void __iomem __force *)idxd->reg_base + REG_EVLSTATUS));
}

/*
 * Entries since the last look. More than the log holds may have come since: the
 * guest gets one record and its overflow bit in any case.
 */
static void watch_log(struct watch *w, bool report)
{
	struct idxd_device *idxd = w->hwq->wq->idxd;
	struct idxd_evl *evl = idxd->evl;
	unsigned int tail, left, size;
	u64 found[4] = { };
	const u64 *rec;

	if (!evl)
		return;
	size = 32u << FIELD_GET(GENCAP_EVL,
				ioread64((void __iomem __force *)idxd->reg_base + REG_GENCAP));
	mutex_lock(&evl->lock);
	if (!evl->log || !evl->size || evl->log_size / size < evl->size)
		goto out;
	tail = log_tail(idxd) % evl->size;
	for (left = evl->size; report && left && w->seen != tail; left--) {
		w->seen %= evl->size;
		rec = evl->log + w->seen * size;
		if (is_ours(w, READ_ONCE(rec[0])) && !found[0] &&
		    FIELD_GET(RECORD_PASID, rec[0]) == w->hwq->pasid)
			memcpy(found, rec, sizeof(found));
		w->seen = (w->seen + 1) % evl->size;
	}
	w->seen = tail;
out:
	mutex_unlock(&evl->lock);
	if (found[0])
		watch_tell(w, found);
}

static void watch_poll(struct work_struct *work)
{
	struct watch *w = container_of(to_delayed_work(work), struct watch, poll);
	struct slice *s;

	if (!READ_ONCE(w->hwq->enabled)) {
		watch_log(w, true);	/* what came before it was disabled */
		return;
	}
	if (!hwq_is_alive(w->hwq)) {
		s = watch_slice(w);
		if (s) {
			slice_halt(s, w->hwq);
			slice_put(s);
		}
		return;
	}
	watch_log(w, true);
	queue_delayed_work(vdev_workers, &w->poll, msecs_to_jiffies(POLL_MS));
}

/* The queue is about to be enabled. What the log holds now is not a new user's. */
void watch_start(struct watch *w)
{
	if (w->pasid != w->hwq->pasid)
		watch_log(w, false);
	w->pasid = w->hwq->pasid;
	queue_delayed_work(vdev_workers, &w->poll, msecs_to_jiffies(POLL_MS));
}

/* The user left; the next one of the same mdev has the same PASID. */
void watch_forget(struct watch *w)
{
	w->pasid = 0;
}

void watch_init(struct watch *w, struct hwq *hwq)
{
	w->hwq = hwq;
	spin_lock_init(&w->lock);
	INIT_DELAYED_WORK(&w->poll, watch_poll);
	INIT_WORK(&w->report, watch_report);
	init_waitqueue_func_entry(&w->entry, watch_wake);
	add_wait_queue(&hwq->wq->err_queue, &w->entry);
}

/* May sleep. The queue has no holder any more and is disabled. */
void watch_exit(struct watch *w)
{
	remove_wait_queue(&w->hwq->wq->err_queue, &w->entry);
	cancel_delayed_work_sync(&w->poll);
	cancel_work_sync(&w->report);
}
