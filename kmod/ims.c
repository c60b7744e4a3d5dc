// SPDX-License-Identifier: GPL-2.0-only
/*
 * A private irq domain above the interrupt-remapping domain of the physical
 * function. Its interrupts are messages that the device keeps in its IMS table
 * instead of its MSI-X table; to the remapping unit both look the same, they
 * carry the function's requester id.
 *
 * Context of the callbacks: mask, unmask, set_affinity and set_vcpu_affinity run
 * under the interrupt descriptor's raw lock and must not sleep; activate too
 * (from request_irq() it may be called with that lock held); alloc and free run
 * in process context under the domain's mutex.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/slab.h>
#include <asm/hw_irq.h>

#include "ims.h"
#include "layout.h"
#include "regs.h"

/* Vectors of the host are a shared good: one function never takes more. */
#define IMS_MAX_SLOTS 256u

struct ims {
	struct irq_domain *domain;
	struct fwnode_handle *fwnode;
	void __iomem *table;
	unsigned int slots;
	struct msi_desc desc;		/* tells the remapping unit whose messages these are */
	struct mutex lock;		/* used */
	DECLARE_BITMAP(used, IMS_MAX_SLOTS);
	u32 ctrl[IMS_MAX_SLOTS];	/* PASID part of each control word */
};

struct ims_request {
	struct irq_alloc_info info;
	u32 slot;
};

static void __iomem *ims_entry(const struct irq_data *data)
{
	const struct ims *ims = data->domain->host_data;

	return ims->table + data->hwirq * IMS_STRIDE;
}

/* Each write of the control word ends with a read: it is in force on return. */
static void ims_control(const struct irq_data *data, u32 mask)
{
	const struct ims *ims = data->domain->host_data;
	void __iomem *entry = ims_entry(data);

	iowrite32(ims->ctrl[data->hwirq] | mask, entry + IMS_CTRL);
	ioread32(entry + IMS_CTRL);
}

static void ims_mask(struct irq_data *data)
{
	ims_control(data, IMS_CTRL_MASK);
}

static void ims_unmask(struct irq_data *data)
{
	ims_control(data, 0);
}

/* The message comes from the first level below that can compose one. */
static int ims_write_msg(struct irq_data *data)
{
	void __iomem *entry = ims_entry(data);
	struct msi_msg msg = { };
	struct irq_data *d;

	for (d = data->parent_data; d; d = d->parent_data)
		if (d->chip && d->chip->irq_compose_msi_msg)
			break;
	if (!d)
		return -ENXIO;
	d->chip->irq_compose_msi_msg(d, &msg);
	iowrite32(msg.address_lo, entry + IMS_ADDR);
	iowrite32(msg.address_hi, entry + IMS_ADDR + 4);
	iowrite32(msg.data, entry + IMS_DATA);
	ioread32(entry + IMS_DATA);
	return 0;
}

static int ims_set_affinity(struct irq_data *data, const struct cpumask *mask, bool force)
{
	struct irq_data *parent = data->parent_data;
	int r;

	r = parent->chip->irq_set_affinity(parent, mask, force);
	if (r >= 0 && r != IRQ_SET_MASK_OK_DONE)
		ims_write_msg(data);
	return r;
}

static struct irq_chip ims_chip = {
	.name = "idxd-IMS",
	.irq_mask = ims_mask,
	.irq_unmask = ims_unmask,
	.irq_ack = irq_chip_ack_parent,
	.irq_retrigger = irq_chip_retrigger_hierarchy,
	.irq_set_affinity = ims_set_affinity,
	.irq_set_vcpu_affinity = irq_chip_set_vcpu_affinity_parent,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static int ims_domain_alloc(struct irq_domain *domain, unsigned int virq, unsigned int nr,
			    void *arg)
{
	struct ims_request *req = arg;
	int r;

	if (nr != 1)
		return -EINVAL;
	r = irq_domain_alloc_irqs_parent(domain, virq, 1, &req->info);
	if (r < 0)
		return r;
	irq_domain_set_info(domain, virq, req->slot, &ims_chip, domain->host_data,
			    handle_edge_irq, NULL, "edge");
	return 0;
}

static int ims_domain_activate(struct irq_domain *domain, struct irq_data *data, bool reserve)
{
	ims_mask(data);
	return ims_write_msg(data);
}

static void ims_domain_deactivate(struct irq_domain *domain, struct irq_data *data)
{
	ims_mask(data);
}

static const struct irq_domain_ops ims_domain_ops = {
	.alloc = ims_domain_alloc,
	.free = irq_domain_free_irqs_common,
	.activate = ims_domain_activate,
	.deactivate = ims_domain_deactivate,
};

/* NULL when the function has no IMS. */
struct ims *ims_create(struct idxd_device *idxd)
{
	void __iomem *regs = (void __iomem __force *)idxd->reg_base;
	struct pci_dev *pdev = idxd->pdev;
	struct irq_domain *parent = dev_get_msi_domain(&pdev->dev);
	unsigned int slots, offset;
	struct ims *ims;

	slots = FIELD_GET(GENCAP_IMS, ioread64(regs + REG_GENCAP)) * 256;
	offset = FIELD_GET(OFFSETS_IMS, ioread64(regs + REG_OFFSETS)) * 0x100;
	if (!slots || !offset || !parent)
		return NULL;
	slots = min(slots, IMS_MAX_SLOTS);
	if (offset + slots * IMS_STRIDE > pci_resource_len(pdev, 0))
		return NULL;

	ims = kzalloc(sizeof(*ims), GFP_KERNEL);
	if (!ims)
		return ERR_PTR(-ENOMEM);
	mutex_init(&ims->lock);
	ims->table = regs + offset;
	ims->slots = slots;
	ims->desc.dev = &pdev->dev;
	ims->desc.nvec_used = 1;

	ims->fwnode = irq_domain_alloc_named_id_fwnode("idxd-IMS", pci_dev_id(pdev));
	if (!ims->fwnode)
		goto undo_ims;
	ims->domain = irq_domain_create_hierarchy(parent, 0, slots, ims->fwnode, &ims_domain_ops,
						  ims);
	if (!ims->domain)
		goto undo_fwnode;
	return ims;

undo_fwnode:
	irq_domain_free_fwnode(ims->fwnode);
undo_ims:
	kfree(ims);
	return ERR_PTR(-ENOMEM);
}

void ims_destroy(struct ims *ims)
{
	if (!ims)
		return;
	irq_domain_remove(ims->domain);
	irq_domain_free_fwnode(ims->fwnode);
	kfree(ims);
}

/* The PASID of a slot is fixed before its interrupt exists. */
int ims_alloc(struct ims *ims, ioasid_t pasid, unsigned int *ret_irq, u32 *ret_slot)
{
	struct ims_request req = { };
	int virq;

	if (pasid == IOMMU_PASID_INVALID || !pasid)
		return -EINVAL;

	mutex_lock(&ims->lock);
	req.slot = find_first_zero_bit(ims->used, ims->slots);
	if (req.slot < ims->slots)
		__set_bit(req.slot, ims->used);
	mutex_unlock(&ims->lock);
	if (req.slot >= ims->slots)
		return -ENOSPC;

	ims->ctrl[req.slot] = FIELD_PREP(PERM_PASID, pasid) | PERM_PASID_EN;
	req.info.type = X86_IRQ_ALLOC_TYPE_PCI_MSIX;
	req.info.desc = &ims->desc;
	virq = irq_domain_alloc_irqs(ims->domain, 1, dev_to_node(ims->desc.dev), &req);
	if (virq < 0) {
		mutex_lock(&ims->lock);
		__clear_bit(req.slot, ims->used);
		mutex_unlock(&ims->lock);
		return virq;
	}
	*ret_irq = virq;
	*ret_slot = req.slot;
	return 0;
}

void ims_free(struct ims *ims, unsigned int irq, u32 slot)
{
	void __iomem *entry = ims->table + slot * IMS_STRIDE;

	irq_dispose_mapping(irq);
	ims->ctrl[slot] = 0;
	iowrite32(IMS_CTRL_MASK, entry + IMS_CTRL);
	ioread32(entry + IMS_CTRL);
	mutex_lock(&ims->lock);
	__clear_bit(slot, ims->used);
	mutex_unlock(&ims->lock);
}
