// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's side: a completion interrupt of a dedicated queue, either the
 * queue's own MSI-X vector, which idxd leaves idle for a queue that is not of
 * type `kernel`, or an IMS slot. The guest's side: one eventfd per vector.
 */
#include <linux/bitfield.h>
#include <linux/io.h>

#include "cmd.h"
#include "compat.h"
#include "hwq.h"
#include "ims.h"
#include "irq.h"
#include "layout.h"

static void __iomem *msixperm(const struct vector *v, const struct hwq *hwq)
{
	const struct idxd_device *idxd = hwq->wq->idxd;

	return (void __iomem __force *)idxd->reg_base + idxd->msix_perm_offset +
	       v->index * MSIXPERM_STRIDE;
}

/*
 * Lets the vector be used by @pasid and nobody else; again before each enable,
 * because a reset of the device clears the table. Fails if it did not stick.
 */
int vector_program(const struct vector *v, const struct hwq *hwq, ioasid_t pasid)
{
	u32 perm = pasid ? FIELD_PREP(PERM_PASID, pasid) | PERM_PASID_EN : 0;

	if (v->kind != VECTOR_MSIX)
		return 0;	/* an IMS entry holds its PASID from allocation to free */
	iowrite32(perm, msixperm(v, hwq));
	return ioread32(msixperm(v, hwq)) == perm ? 0 : -EIO;
}

unsigned int vector_portal_page(const struct vector *v)
{
	return v->kind == VECTOR_IMS ? PORTAL_PAGE_IMS : PORTAL_PAGE_MSIX;
}

/*
 * Pairs the vector with the eventfd that KVM listens on, or with none; before
 * the eventfd or the interrupt goes away. A failure only means that each
 * interrupt takes the long way. May sleep.
 */
void vector_bypass(struct vector *v, struct eventfd_ctx *ctx)
{
	if (v->bypass)
		irq_bypass_unregister_producer(&v->producer);
	v->bypass = false;
	if (!ctx || v->kind == VECTOR_NONE)
		return;
	memset(&v->producer, 0, sizeof(v->producer));
	v->bypass = !compat_bypass_register(&v->producer, ctx, v->irq);
}

static u32 vector_operand(const struct vector *v, u32 index)
{
	return index | (v->kind == VECTOR_IMS ? CMD_HANDLE_IMS : 0);
}

/* May sleep. @hwq is not enabled yet. */
int vector_open(struct vector *v, const struct hwq *hwq, struct ims *ims, ioasid_t pasid,
		irq_handler_t fn, void *priv)
{
	struct idxd_device *idxd = hwq->wq->idxd;
	int r;

	if (ims) {
		r = ims_alloc(ims, pasid, &v->irq, &v->index);
		if (r < 0)
			return r;
		v->kind = VECTOR_IMS;
	} else {
		v->index = hwq->wq->id + 1;
		r = pci_irq_vector(idxd->pdev, v->index);
		if (r < 0)
			return r;
		v->irq = r;
		v->kind = VECTOR_MSIX;
	}
	v->fn = fn;
	v->priv = priv;

	r = vector_program(v, hwq, pasid);
	if (r < 0)
		goto undo_vector;
	r = request_irq(v->irq, fn, 0, "idxd-mdev", priv);
	if (r < 0)
		goto undo_program;

	v->handle = v->index;
	if (idxd->request_int_handles) {
		r = cmd_exec(idxd, CMD_REQUEST_HANDLE, vector_operand(v, v->index), &v->handle);
		if (r < 0)
			goto undo_irq;
	}
	return 0;

undo_irq:
	free_irq(v->irq, priv);
undo_program:
	vector_program(v, hwq, 0);
undo_vector:
	if (v->kind == VECTOR_IMS)
		ims_free(ims, v->irq, v->index);
	v->kind = VECTOR_NONE;
	return r;
}

/* May sleep. @hwq is disabled, so nothing raises the vector any more. */
void vector_close(struct vector *v, const struct hwq *hwq, struct ims *ims)
{
	struct idxd_device *idxd = hwq->wq->idxd;

	if (v->kind == VECTOR_NONE)
		return;
	vector_bypass(v, NULL);
	if (idxd->request_int_handles)
		cmd_exec(idxd, CMD_RELEASE_HANDLE, vector_operand(v, v->handle), NULL);
	free_irq(v->irq, v->priv);
	vector_program(v, hwq, 0);
	if (v->kind == VECTOR_IMS)
		ims_free(ims, v->irq, v->index);
	v->kind = VECTOR_NONE;
}

void trigger_init(struct trigger *t)
{
	spin_lock_init(&t->lock);
	t->ctx = NULL;
	t->open = false;
}

/* Replaces the eventfd; takes over the reference. May sleep. */
void trigger_connect(struct trigger *t, struct eventfd_ctx *ctx)
{
	struct eventfd_ctx *old;

	spin_lock_irq(&t->lock);
	old = t->ctx;
	t->ctx = ctx;
	spin_unlock_irq(&t->lock);
	if (old)
		eventfd_ctx_put(old);
}

/* After this returned with @open false, nothing is sent. */
void trigger_gate(struct trigger *t, bool open)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	t->open = open;
	spin_unlock_irqrestore(&t->lock, flags);
}

void trigger_send(struct trigger *t)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	if (t->ctx)
		eventfd_signal(t->ctx);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* From the interrupt handler: sends if that is allowed now; else returns false. */
bool trigger_fire(struct trigger *t)
{
	unsigned long flags;
	bool sent;

	spin_lock_irqsave(&t->lock, flags);
	sent = t->open && t->ctx;
	if (sent)
		eventfd_signal(t->ctx);
	spin_unlock_irqrestore(&t->lock, flags);
	return sent;
}
