// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vector 0 of a function says that the event log grew, that the device halted or
 * that a command ended, and belongs to idxd, which tells nobody. So while a queue
 * is bound, a function of ours runs in the interrupt's thread around idxd's own: it
 * reads the log before idxd lets the device overwrite it, and once more after that.
 *
 * What else was weighed. Another handler on the vector: idxd did not ask for a
 * shared one, so the kernel refuses. A timer: wakes an idle host, and is late. A
 * kretprobe or fprobe on idxd_misc_thread(): needs a kernel with them, patches code,
 * runs where nothing may sleep, so it cannot take the log's lock. Here one pointer
 * of the kernel's irqaction is exchanged, under the lock that guards it, and the
 * kernel's synchronize_irq() says when nobody is in our function any more.
 */
#include <linux/bitfield.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "layout.h"
#include "log.h"
#include "regs.h"
#include "vdev.h"
#include "watch.h"

struct log {
	struct list_head node;		/* logs */
	struct idxd_device *idxd;
	unsigned int irq;
	irq_handler_t thread_fn;	/* idxd's */
	struct mutex lock;		/* all below; idxd's thread waits for it */
	struct list_head watches;	/* also attach_lock */
	struct work_struct check;
	unsigned int seen;		/* index in the log of what is looked at next */
};

static LIST_HEAD(logs);
static DEFINE_SPINLOCK(logs_lock);
static DEFINE_MUTEX(attach_lock);

static void __iomem *log_regs(const struct idxd_device *idxd)
{
	return (void __iomem __force *)idxd->reg_base;
}

/* Does the device have a log, and writes to it? */
bool log_is_on(const struct idxd_device *idxd)
{
	return idxd->evl && (ioread32(log_regs(idxd) + REG_GENCFG) & GENCFG_EVL);
}

/* ---- entries --------------------------------------------------------------- */

/* l->lock. */
static void log_entry(struct log *l, const u64 *entry)
{
	struct watch *w;

	list_for_each_entry(w, &l->watches, node)
		if (watch_is_for(w, entry))
			watch_entry(w, entry);
}

static unsigned int log_between(unsigned int from, unsigned int to, unsigned int size)
{
	return (to + size - from) % size;
}

/*
 * l->lock. Looks at all entries up to the one that the device writes next. @first:
 * idxd has not read them yet, so its own index must be behind ours; if it is not,
 * the device was reset and counts from the beginning. @skip: nobody wants them.
 */
static void log_scan(struct log *l, bool first, bool skip)
{
	struct idxd_evl *evl = l->idxd->evl;
	unsigned int bytes, head, tail;
	u64 status;

	if (!evl)
		return;
	mutex_lock(&evl->lock);
	bytes = 32u << FIELD_GET(GENCAP_EVL, ioread64(log_regs(l->idxd) + REG_GENCAP));
	if (!evl->log || !evl->size || evl->log_size / bytes < evl->size)
		goto out;
	status = ioread64(log_regs(l->idxd) + REG_EVLSTATUS);
	head = FIELD_GET(EVLSTATUS_HEAD, status) % evl->size;
	tail = FIELD_GET(EVLSTATUS_TAIL, status) % evl->size;
	l->seen %= evl->size;
	if (first && log_between(head, l->seen, evl->size) > log_between(head, tail, evl->size))
		l->seen = head;
	if (skip)
		l->seen = tail;
	for (; l->seen != tail; l->seen = (l->seen + 1) % evl->size)
		log_entry(l, evl->log + l->seen * bytes);
out:
	mutex_unlock(&evl->lock);
}

/* What the log holds by now has reached the watches when this returns. May sleep. */
void log_look(struct log *l)
{
	mutex_lock(&l->lock);
	log_scan(l, false, false);
	mutex_unlock(&l->lock);
}

/* ---- the interrupt ----------------------------------------------------------- */

static struct log *log_of(unsigned int irq)
{
	struct log *l, *found = NULL;

	spin_lock(&logs_lock);
	list_for_each_entry(l, &logs, node)
		if (l->irq == irq)
			found = l;
	spin_unlock(&logs_lock);
	return found;
}

static void log_check_work(struct work_struct *work)
{
	struct log *l = container_of(work, struct log, check);
	struct watch *w;

	mutex_lock(&l->lock);
	list_for_each_entry(w, &l->watches, node)
		watch_check(w);
	mutex_unlock(&l->lock);
}

/* Any context of a process. Somebody reset @pdev. */
void log_check(const struct pci_dev *pdev)
{
	struct log *l;

	spin_lock(&logs_lock);
	list_for_each_entry(l, &logs, node)
		if (l->idxd->pdev == pdev)
			queue_work(vdev_workers, &l->check);
	spin_unlock(&logs_lock);
}

/* In the interrupt's thread, instead of idxd's function. Ours ends before its log does. */
static irqreturn_t log_thread(int irq, void *data)
{
	struct log *l = log_of(irq);
	struct watch *w;
	irqreturn_t r;

	if (WARN_ON_ONCE(!l))
		return IRQ_NONE;
	mutex_lock(&l->lock);
	log_scan(l, true, false);
	mutex_unlock(&l->lock);

	r = l->thread_fn(irq, data);

	mutex_lock(&l->lock);
	log_scan(l, false, false);
	if (FIELD_GET(GENSTS_STATE, ioread32(log_regs(l->idxd) + REG_GENSTS)) != GENSTS_ENABLED)
		list_for_each_entry(w, &l->watches, node)
			watch_check(w);
	mutex_unlock(&l->lock);
	return r;
}

/* Exchanges the function of the only action of @irq if it is @from. */
static irq_handler_t log_exchange(unsigned int irq, irq_handler_t from, irq_handler_t to)
{
	struct irqaction *action;
	struct irq_data *data;
	struct irq_desc *desc;
	irq_handler_t old = NULL;
	unsigned long flags;

	rcu_read_lock();
	data = irq_get_irq_data(irq);
	desc = data ? irq_data_to_desc(data) : NULL;
	if (!desc)
		goto out;
	raw_spin_lock_irqsave(&desc->lock, flags);
	action = desc->action;
	if (action && !action->next && action->thread_fn &&
	    (!from || action->thread_fn == from)) {
		old = action->thread_fn;
		WRITE_ONCE(action->thread_fn, to);
	}
	raw_spin_unlock_irqrestore(&desc->lock, flags);
out:
	rcu_read_unlock();
	return old;
}

/* attach_lock. */
static struct log *log_create(struct idxd_device *idxd)
{
	int irq = pci_irq_vector(idxd->pdev, 0);
	struct log *l;

	if (irq < 0)
		return ERR_PTR(irq);
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return ERR_PTR(-ENOMEM);
	mutex_init(&l->lock);
	INIT_LIST_HEAD(&l->watches);
	INIT_WORK(&l->check, log_check_work);
	l->idxd = idxd;
	l->irq = irq;
	mutex_lock(&l->lock);
	log_scan(l, false, true);
	spin_lock(&logs_lock);
	list_add(&l->node, &logs);
	spin_unlock(&logs_lock);
	/* whoever interrupts from here on waits for l->lock */
	l->thread_fn = log_exchange(irq, NULL, log_thread);
	mutex_unlock(&l->lock);
	if (l->thread_fn)
		return l;

	dev_err(&idxd->pdev->dev, "cannot serve mdevs: its misc interrupt has no thread of idxd's\n");
	spin_lock(&logs_lock);
	list_del(&l->node);
	spin_unlock(&logs_lock);
	kfree(l);
	return ERR_PTR(-EOPNOTSUPP);
}

/* attach_lock. idxd still has the interrupt: it gives it back after its last queue. */
static void log_destroy(struct log *l)
{
	log_exchange(l->irq, log_thread, l->thread_fn);
	synchronize_irq(l->irq);
	spin_lock(&logs_lock);
	list_del(&l->node);
	spin_unlock(&logs_lock);
	cancel_work_sync(&l->check);
	kfree(l);
}

/* From now on @w hears of its queue. May sleep. */
struct log *log_attach(struct idxd_device *idxd, struct watch *w)
{
	struct log *l, *found = NULL;

	mutex_lock(&attach_lock);
	list_for_each_entry(l, &logs, node)
		if (l->idxd == idxd)
			found = l;
	if (!found)
		found = log_create(idxd);
	if (!IS_ERR(found)) {
		mutex_lock(&found->lock);
		list_add(&w->node, &found->watches);
		mutex_unlock(&found->lock);
	}
	mutex_unlock(&attach_lock);
	return found;
}

/* @w hears of nothing any more. May sleep. */
void log_detach(struct log *l, struct watch *w)
{
	mutex_lock(&attach_lock);
	mutex_lock(&l->lock);
	list_del(&w->node);
	mutex_unlock(&l->lock);
	if (list_empty(&l->watches))
		log_destroy(l);
	mutex_unlock(&attach_lock);
}
