// SPDX-License-Identifier: GPL-2.0-only
/* irq_bypass_register_producer() takes the eventfd and the interrupt. */
#include <linux/irqbypass.h>
int probe(struct irq_bypass_producer *producer, struct eventfd_ctx *ctx, int irq);
int probe(struct irq_bypass_producer *producer, struct eventfd_ctx *ctx, int irq)
{
	return irq_bypass_register_producer(producer, ctx, irq);
}
