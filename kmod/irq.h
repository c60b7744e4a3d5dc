/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts towards the guest (eventfds) and from the device (one vector). */
#ifndef IDXD_MDEV_IRQ_H
#define IDXD_MDEV_IRQ_H

#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/irqbypass.h>
#include <linux/spinlock.h>

struct hwq;
struct ims;

enum vector_kind {
	VECTOR_NONE,
	VECTOR_MSIX,
	VECTOR_IMS,
};

/* The physical interrupt behind a completion vector. */
struct vector {
	enum vector_kind kind;
	unsigned int irq;
	u32 index;		/* MSI-X entry or IMS slot */
	u16 handle;		/* what descriptors name */
	irq_handler_t fn;
	void *priv;
	struct irq_bypass_producer producer;
	bool bypass;		/* KVM may deliver it without us */
};

int vector_open(struct vector *v, const struct hwq *hwq, struct ims *ims, ioasid_t pasid,
		irq_handler_t fn, void *priv);
int vector_program(const struct vector *v, const struct hwq *hwq, ioasid_t pasid);
void vector_close(struct vector *v, const struct hwq *hwq, struct ims *ims);
void vector_bypass(struct vector *v, struct eventfd_ctx *ctx);
unsigned int vector_portal_page(const struct vector *v);

/* What the VMM listens on for one vector of the virtual device. */
struct trigger {
	spinlock_t lock;
	struct eventfd_ctx *ctx;
	bool open;
};

void trigger_init(struct trigger *t);
void trigger_connect(struct trigger *t, struct eventfd_ctx *ctx);
void trigger_gate(struct trigger *t, bool open);
void trigger_send(struct trigger *t);
bool trigger_fire(struct trigger *t);

#endif
