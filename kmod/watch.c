// SPDX-License-Identifier: GPL-2.0-only
/*
 * idxd tells a queue's driver neither of software errors nor of entries in the
 * event log nor of a halt. Errors: whoever waits on the queue's err_queue is
 * woken with the record at hand, so an entry with a function of our own is put
 * there. Log and halt: from log.c. Nothing here runs while nothing happens.
 *
 * Most entries are errors, and the guest's SWERROR shows one of them. Two kinds
 * stand for a completion that the device did not deliver because an earlier record
 * could not be written, or, for a Drain, because page requests are off: those are
 * kept until the mdev's worker has written the record (record.c).
 */
#include <linux/bitfield.h>

#include "hwq.h"
#include "layout.h"
#include "log.h"
#include "parent.h"
#include "regs.h"
#include "slice.h"
#include "turn.h"
#include "vdev.h"
#include "watch.h"

/* The mdev that it is for, referenced, or NULL. */
static struct slice *watch_slice(const struct watch *w)
{
	struct slice *s;

	mutex_lock(&parents_lock);
	s = w->slice ?: w->hwq->slice;
	if (s)
		kref_get(&s->ref);
	mutex_unlock(&parents_lock);
	return s;
}

static void watch_work(struct work_struct *work)
{
	struct watch *w = container_of(work, struct watch, work);
	struct slice *s = watch_slice(w);
	bool has_error, has_record;
	u64 rec[4];

	if (!s)
		return;
	spin_lock_irq(&w->lock);
	has_error = w->has_error;
	has_record = w->count;
	memcpy(rec, w->error, sizeof(rec));
	w->has_error = false;
	spin_unlock_irq(&w->lock);
	if (has_error)
		slice_event(s, rec);
	if (has_record)
		slice_wake(s);
	if ((READ_ONCE(w->hwq->enabled) && !hwq_is_alive(w->hwq)) ||
	    (s->turn && READ_ONCE(s->turn->lost)))
		slice_halt(s, w->hwq);
	slice_put(s);
}

/* Any context. Does the queue's device still run? */
void watch_check(struct watch *w)
{
	queue_work(vdev_workers, &w->work);
}

/*
 * w->lock. To the guest, whose only queue has number 0 and which knows of no PASID. Which
 * of several queues it was nobody knows.
 */
static void watch_error(struct watch *w, const u64 *rec)
{
	if (w->has_error) {
		w->error[0] |= RECORD_OVERFLOW;
		return;
	}
	memcpy(w->error, rec, sizeof(w->error));
	w->error[0] &= ~(RECORD_WQ | RECORD_OVERFLOW);
	if (w->slice && w->slice->nwqs > 1)
		w->error[0] &= ~RECORD_WQ_VALID;
	w->has_error = true;
}

/* From idxd's interrupt thread, with dev_lock held, which guards sw_err. */
static int watch_wake(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	struct watch *w = container_of(entry, struct watch, entry);
	unsigned long flags;
	u64 rec[4];

	memcpy(rec, w->hwq->wq->idxd->sw_err, sizeof(rec));
	if (!(rec[0] & RECORD_WQ_VALID) || FIELD_GET(RECORD_WQ, rec[0]) != w->hwq->wq->id)
		return 0;
	if (w->slice && FIELD_GET(RECORD_PASID, rec[0]) != w->slice->pasid)
		return 0;
	spin_lock_irqsave(&w->lock, flags);
	watch_error(w, rec);
	spin_unlock_irqrestore(&w->lock, flags);
	watch_check(w);
	return 0;
}

/* ---- entries of the log ------------------------------------------------------- */

/* The log's lock, as in watch_entry(). */
bool watch_is_for(const struct watch *w, const u64 *entry)
{
	u64 first = READ_ONCE(entry[0]);

	return (first & RECORD_WQ_VALID) && FIELD_GET(RECORD_WQ, first) == w->hwq->wq->id &&
	       w->pasid && FIELD_GET(RECORD_PASID, first) == w->pasid;
}

/* w->lock. A batch whose members' records are lost did not succeed. */
static void watch_record(struct watch *w, const u64 *entry)
{
	bool is_iaa = w->hwq->wq->idxd->idxd_dev.type == IDXD_DEV_IAX;
	struct watch_record *r = &w->records[(w->first + w->count) % WATCH_RECORDS];

	r->addr = entry[2];
	r->irq = entry[1] & RECORD_INTERRUPT;
	r->handle = FIELD_GET(RECORD_HANDLE, entry[1]);
	r->len = !(entry[1] & RECORD_WANTED) ? 0 : is_iaa ? 64 : 32;
	memcpy(r->data, (u8 *)entry + (is_iaa ? 64 : 32), r->len);
	if (FIELD_GET(RECORD_CODE, entry[0]) == CODE_LOG_BATCH) {
		if (r->data[0] == STATUS_SUCCESS)
			r->data[0] = STATUS_BATCH_FAIL;
		r->data[1] = 1;
	}
	w->count++;
}

/*
 * A guest that does not wait for its drains loses what is more than we keep, and is
 * told of a record that could not be written.
 */
void watch_entry(struct watch *w, const u64 *entry)
{
	u8 code = FIELD_GET(RECORD_CODE, entry[0]);
	unsigned long flags;

	spin_lock_irqsave(&w->lock, flags);
	if ((code == CODE_LOG_DRAIN || code == CODE_LOG_BATCH) && w->count < WATCH_RECORDS)
		watch_record(w, entry);
	else
		watch_error(w, entry);
	spin_unlock_irqrestore(&w->lock, flags);
	watch_check(w);
}

bool watch_take(struct watch *w, struct watch_record *ret_rec)
{
	bool has;

	spin_lock_irq(&w->lock);
	has = w->count;
	if (has) {
		*ret_rec = w->records[w->first];
		w->first = (w->first + 1) % WATCH_RECORDS;
		w->count--;
	}
	spin_unlock_irq(&w->lock);
	return has;
}

/* ---- life --------------------------------------------------------------------- */

/* May sleep. What the device logged so far is known when this returns. */
void watch_look(struct watch *w)
{
	if (w->log)
		log_look(w->log);
}

static void watch_set(struct watch *w, ioasid_t pasid)
{
	spin_lock_irq(&w->lock);
	w->pasid = pasid;
	w->count = 0;
	w->has_error &= pasid != 0;
	spin_unlock_irq(&w->lock);
}

/* The queue is about to be enabled. What the log holds now is not of this use. */
void watch_start(struct watch *w, ioasid_t pasid)
{
	watch_look(w);
	watch_set(w, pasid);
}

/* Nobody waits for what was logged up to now. */
void watch_forget(struct watch *w)
{
	watch_look(w);
	watch_set(w, 0);
}

/* Once. */
void watch_setup(struct watch *w, struct slice *slice)
{
	w->slice = slice;
	spin_lock_init(&w->lock);
	INIT_WORK(&w->work, watch_work);
	init_waitqueue_func_entry(&w->entry, watch_wake);
}

/* May sleep. */
int watch_attach(struct watch *w, struct hwq *hwq)
{
	struct log *l;

	w->hwq = hwq;
	l = log_attach(hwq->wq->idxd, w);
	if (IS_ERR(l))
		return PTR_ERR(l);
	w->log = l;
	add_wait_queue(&hwq->wq->err_queue, &w->entry);
	return 0;
}

/* May sleep. The queue is disabled, or its holder does not use it any more. */
void watch_detach(struct watch *w)
{
	if (!w->log)
		return;
	remove_wait_queue(&w->hwq->wq->err_queue, &w->entry);
	log_detach(w->log, w);
	w->log = NULL;
}

/* May sleep, without any lock of a slice. Detached before; nothing of the queue is used after. */
void watch_settle(struct watch *w)
{
	cancel_work_sync(&w->work);
}
