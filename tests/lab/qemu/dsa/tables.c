/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of BAR0 that repeat: MSI-X permissions, group and work queue configuration, IMS. Which
 * bits may change depends on the state of the device and of the work queue.
 */
#include "qemu/osdep.h"
#include "bug.h"

#define GRPFLAGS	0x28
#define GRP_USED	0x30

/* Bits of each WQCFG dword that may be written, by the lock that guards them. */
static const struct {
	uint32_t always;
	uint32_t wq_disabled;
	uint32_t dev_disabled;
} wqcfg_bits[WQ_OPCFG] = {
	[WQ_SIZE]	= { .dev_disabled = 0xffff },
	[WQ_THRESHOLD]	= { .always = 0xffff },
	[WQ_MODE]	= { .wq_disabled = WQM_MASK },
	[WQ_LIMITS]	= { .wq_disabled = WQL_MASK },
	[WQ_OCC_VEC]	= { .wq_disabled = 0xffff | WQO_IMS },
	[WQ_OCC_LIMIT]	= { .always = WQO_ENABLE },
};

/* Without a choice of operations per queue an entry ends before them. */
static uint32_t wqcfg_stride(const IdxdLab *d)
{
	return d->op_config ? WQCFG_STRIDE : WQCFG_STRIDE / 2;
}

static uint32_t wqcfg_writable(IdxdLab *d, unsigned int wq, unsigned int dword)
{
	uint32_t bits;

	if (dword >= WQ_OPCFG)
		return wq_state(d, wq) == WQ_DISABLED ? ~0u : 0;

	bits = wqcfg_bits[dword].always;
	if (wq_state(d, wq) == WQ_DISABLED || bug_device(d, BUG_UNLOCKED_REGISTER))
		bits |= dword == WQ_LIMITS && d->version >= V3 && !d->iaa ? WQL_MASK_V3 :
									    wqcfg_bits[dword].wq_disabled;
	if (dev_state(d) == DEV_DISABLED || bug_device(d, BUG_UNLOCKED_REGISTER))
		bits |= wqcfg_bits[dword].dev_disabled;
	if (dword == WQ_OCC_LIMIT && !(wqcfg(d, wq)[WQ_OCC_LIMIT] & WQO_ENABLE))
		bits |= 0xffff;
	return bits;
}

static void wqcfg_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	unsigned int wq = off / wqcfg_stride(d);
	unsigned int dword = off % wqcfg_stride(d) / 4;
	uint32_t *r = wqcfg(d, wq) + dword;
	uint32_t bits;

	if (wq >= d->nwqs)
		return;

	if (dword == WQ_STATUS) {
		*r &= ~(val & lanes & WQS_OCC_FIRED);
		wq_occupancy_check(d, wq);
		return;
	}

	bits = wqcfg_writable(d, wq, dword) & lanes;
	*r = (*r & ~bits) | (val & bits);
	if (dword == WQ_OCC_LIMIT)
		wq_occupancy_check(d, wq);
}

static uint32_t wqcfg_read(IdxdLab *d, uint32_t off)
{
	unsigned int wq = off / wqcfg_stride(d);
	unsigned int dword = off % wqcfg_stride(d) / 4;

	if (wq >= d->nwqs)
		return 0;
	return wqcfg(d, wq)[dword] | (dword == WQ_STATUS ? d->wq[wq].occupancy : 0);
}

static void grpcfg_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	uint32_t *r = &d->regs[(T_GRPCFG + off) / 4];

	if (off / GRPCFG_STRIDE >= d->ngroups || off % GRPCFG_STRIDE >= GRP_USED)
		return;
	/* Reserved bits are kept: Enable Device is what refuses them. */
	if (dev_state(d) == DEV_DISABLED || bug_device(d, BUG_UNLOCKED_REGISTER))
		*r = (*r & ~lanes) | (val & lanes);
}

static void msixperm_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	uint32_t *r = &d->regs[(T_MSIXPERM + off) / 4];
	uint32_t bits = PERM_MSIX_BITS & lanes;

	if (off / MSIXPERM_STRIDE > d->nwqs || off % MSIXPERM_STRIDE)
		return;
	*r = (*r & ~bits) | (val & bits);
}

/* The address must stay inside the interrupt range; anything else is dropped (bits 63:20 count). */
static void ims_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	struct ims_entry *e = &d->ims[off / IMS_STRIDE];
	uint32_t low = e->addr;
	uint32_t ctrl;

	switch (off % IMS_STRIDE) {
	case 0:
		low = (low & ~lanes) | (val & lanes);
		if (low >> 20 == 0xfee)
			e->addr = low & ~3u;
		break;
	case 8:
		e->data = (e->data & ~lanes) | (val & lanes);
		break;
	case 12:
		lanes &= PERM_IMS_BITS;
		ctrl = e->ctrl;
		e->ctrl = (ctrl & ~lanes) | (val & lanes);
		if (ctrl & PERM_MASKED && !(e->ctrl & PERM_MASKED))
			irq_ims_unmasked(d, off / IMS_STRIDE);
		break;
	}
}

static uint32_t ims_read(IdxdLab *d, uint32_t off)
{
	const struct ims_entry *e = &d->ims[off / IMS_STRIDE];

	switch (off % IMS_STRIDE) {
	case 0:
		return e->addr;
	case 8:
		return e->data;
	case 12:
		return e->ctrl;
	}
	return 0;
}

static bool in_ims(IdxdLab *d, uint32_t off)
{
	return off >= T_IMS && off < T_IMS + d->ims_units * 256 * IMS_STRIDE;
}

uint32_t table_read(IdxdLab *d, uint32_t off)
{
	if (in_ims(d, off))
		return ims_read(d, off - T_IMS);
	if (off >= T_REGS_END)
		return 0;
	if (off >= T_WQCFG)
		return wqcfg_read(d, off - T_WQCFG);
	return d->regs[off / 4];
}

void table_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	if (in_ims(d, off))
		ims_write(d, off - T_IMS, lanes, val);
	else if (off >= T_REGS_END)
		return;
	else if (off >= T_WQCFG)
		wqcfg_write(d, off - T_WQCFG, lanes, val);
	else if (off >= T_MSIXPERM)
		msixperm_write(d, off - T_MSIXPERM, lanes, val);
	else
		grpcfg_write(d, off - T_GRPCFG, lanes, val);
}

/* Reset WQ: everything but the size. */
void table_reset_wq(IdxdLab *d, unsigned int wq)
{
	uint32_t *cfg = wqcfg(d, wq);
	uint32_t size = cfg[WQ_SIZE];
	unsigned int i;

	memset(cfg, 0, WQCFG_STRIDE);
	cfg[WQ_SIZE] = size;
	d->wq[wq].record_logged = false;
	for (i = 0; i < 4; i++) {
		uint64_t caps = opcap_word(d, i);

		cfg[WQ_OPCFG + 2 * i] = caps;
		cfg[WQ_OPCFG + 2 * i + 1] = caps >> 32;
	}
}

/* The registers were zeroed just before. */
void table_reset(IdxdLab *d)
{
	unsigned int i;

	for (i = 0; i < d->nwqs; i++)
		table_reset_wq(d, i);
	for (i = 0; i < d->ngroups && !d->iaa; i++)
		reg64_set(d, T_GRPCFG + i * GRPCFG_STRIDE + GRPFLAGS,
			  (uint64_t)d->read_buffers << 20);
	for (i = 0; i < MAX_IMS; i++)
		d->ims[i] = (struct ims_entry){ .addr = 0xfee00000, .ctrl = PERM_MASKED };
}
