/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts: vector 0 with its causes, completion interrupts through MSI-X or IMS entries with
 * their permission words, and interrupt handles.
 */
#include "qemu/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "bug.h"

#define OPERAND_IMS	(1u << 16)

void irq_misc(IdxdLab *d, uint32_t cause)
{
	d->regs[R_INTCAUSE / 4] |= cause;
	msix_notify(&d->parent_obj, 0);
}

static unsigned int table_size(IdxdLab *d, bool ims)
{
	return ims ? d->ims_units * 256 : d->nwqs + 1;
}

/* The entry a handle stands for, or -1. Without the handle commands the index is the handle. */
static int handle_entry(IdxdLab *d, bool ims, uint16_t handle)
{
	int n = d->handles ? (int)handle - (int)d->handle_base : handle;

	if (n < 0 || n >= table_size(d, ims))
		return -1;
	if (d->handles && !(ims ? d->ims_handle[n] : d->msix_handle[n]))
		return -1;
	return n;
}

static uint32_t permission(IdxdLab *d, bool ims, int n)
{
	return ims ? d->ims[n].ctrl : reg32(d, T_MSIXPERM + n * MSIXPERM_STRIDE);
}

/* Whether the work may raise the interrupt its handle names. */
bool irq_permitted(const struct work *w)
{
	int n = handle_entry(w->d, w->ims, w->handle);
	uint32_t perm;

	if (n < 0)
		return false;
	perm = permission(w->d, w->ims, n);
	if (!(perm & PERM_PASID_EN) != !w->pasid_en)
		return false;
	return !w->pasid_en || PERM_PASID(perm) == w->pasid;
}

static void ims_send(IdxdLab *d, int n)
{
	const struct ims_entry *e = &d->ims[n];
	MSIMessage msg = { .address = e->addr, .data = e->data };

	msi_send_message(&d->parent_obj, msg);
}

static void irq_entry(IdxdLab *d, bool ims, int n)
{
	if (permission(d, ims, n) & PERM_IGNORE)
		return;
	if (!ims)
		msix_notify(&d->parent_obj, n);
	else if (d->ims[n].ctrl & PERM_MASKED)
		d->ims[n].ctrl |= PERM_PENDING;
	else
		ims_send(d, n);
}

void irq_complete(const struct work *w)
{
	/* The handle may have been released while the work ran. */
	if (w->irq_ok && irq_permitted(w) && !bug_work(w, BUG_DROP_INTERRUPT))
		irq_entry(w->d, w->ims, handle_entry(w->d, w->ims, w->handle));
}

void irq_ims_unmasked(IdxdLab *d, unsigned int n)
{
	if (!(d->ims[n].ctrl & PERM_PENDING))
		return;
	d->ims[n].ctrl &= ~PERM_PENDING;
	ims_send(d, n);
}

/* unverified: the occupancy interrupt is not subject to the PASID permission. */
void irq_occupancy(IdxdLab *d, unsigned int wq)
{
	uint32_t vec = wqcfg(d, wq)[WQ_OCC_VEC];
	bool ims = vec & WQO_IMS;
	int n = handle_entry(d, ims, vec & 0xffff);

	/* Nobody can ask for a handle of entry 0's events, so the reset value 0 means vector 0. */
	if (!ims && !(vec & 0xffff))
		irq_misc(d, CAUSE_OCC);
	else if (n >= 0)
		irq_entry(d, ims, n);
}

static unsigned int handles_out(const IdxdLab *d)
{
	unsigned int i, n = 0;

	for (i = 0; i <= d->nwqs; i++)
		n += d->msix_handle[i];
	for (i = 0; i < d->ims_units * 256; i++)
		n += d->ims_handle[i];
	return n;
}

enum cmd_error irq_handle_get(IdxdLab *d, uint32_t operand, uint16_t *ret_handle)
{
	bool ims = operand & OPERAND_IMS;
	uint16_t n = operand;

	if (n >= table_size(d, ims))
		return CE_HANDLE;
	if (d->handle_limit && handles_out(d) >= d->handle_limit &&
	    !(ims ? d->ims_handle[n] : d->msix_handle[n]))
		return CE_NO_HANDLE;
	if (ims)
		d->ims_handle[n] = true;
	else
		d->msix_handle[n] = true;
	*ret_handle = n + d->handle_base;
	return CE_OK;
}

/* The specification says index, Linux passes the handle: either will do where they differ. */
enum cmd_error irq_handle_put(IdxdLab *d, uint32_t operand)
{
	bool ims = operand & OPERAND_IMS;
	uint16_t index = operand;
	int n = handle_entry(d, ims, index);

	if (n < 0 && index < table_size(d, ims) && (ims ? d->ims_handle[index] :
						    d->msix_handle[index]))
		n = index;
	if (n < 0)
		return CE_HANDLE;
	if (ims)
		d->ims_handle[n] = false;
	else
		d->msix_handle[n] = false;
	return CE_OK;
}
