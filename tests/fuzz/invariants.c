// SPDX-License-Identifier: GPL-2.0-or-later
/* What must hold after each step, whatever the step was. */
#include <string.h>

#include "fuzz.h"

uint32_t bar32(const struct owner *o, uint32_t off)
{
	return (uint32_t)vd_load(o->d.bar0 + off, 4);
}

/* May this vector be sent? Asked of the registers, not of the core. */
static bool is_deliverable(const struct owner *o, unsigned int v)
{
	uint32_t control = (uint32_t)vd_load(o->d.config + 0x82, 2);
	uint32_t command = (uint32_t)vd_load(o->d.config + 0x04, 2);

	return !o->d.paused && (control & 0xc000) == 0x8000 && command & 4 &&
	       o->d.connected >> v & 1 && !(bar32(o, VD_MSIX_TABLE + 16 * v + 12) & 1);
}

static void check_vectors(const struct owner *o)
{
	uint64_t pba = vd_load(o->d.bar0 + VD_MSIX_PBA, 8);
	unsigned int v;

	MUST(!(pba >> vd_vectors(&o->d)));
	for (v = 0; v < vd_vectors(&o->d); v++) {
		MUST(is_deliverable(o, v) == vd_irq_open(&o->d, v));
		MUST(!v || (o->gate >> v & 1) == vd_irq_open(&o->d, v));
		MUST(!vd_irq_open(&o->d, v) || !(pba >> v & 1));
	}
}

static void check_states(const struct owner *o)
{
	uint32_t cmdsts = bar32(o, R_CMDSTS), gensts = bar32(o, R_GENSTS);
	uint32_t cause = bar32(o, R_INTCAUSE), on = 0;
	unsigned int wq;

	MUST(!(cmdsts & 0x7f000000));
	MUST(!(cmdsts >> 31) || cmdsts == CMDSTS_ACTIVE);
	MUST((cmdsts >> 31) == o->pending);
	MUST((cmdsts & 0xff) == 0 || (cmdsts & 0xffff00) == 0);
	MUST(!(gensts & ~7u) && (gensts >> 2 == (gensts == 7)));
	MUST((gensts & 3) != VD_BUSY || o->pending);
	MUST(!(cause & ~CAUSE_ALL));
	MUST(!(cause & CAUSE_HALT) || !(cause & CAUSE_CMD));
	MUST(!(o->d.cause_later & ~(CAUSE_HALT | CAUSE_CMD)));
	MUST(!(o->d.cause_later & cause));

	for (wq = 0; wq < vd_wqs(&o->d); wq++) {
		enum vd_state s = vd_wq_state(&o->d, wq);

		MUST(s != VD_HALTED && (s != VD_BUSY || o->pending));
		if (s != VD_DISABLED)
			on |= 1u << wq;
	}
	/* What the guest believes to be enabled is what the owner has enabled. */
	MUST(on == o->wqs);
	MUST(!on || (gensts & 3) == VD_ENABLED || (gensts & 3) == VD_BUSY);
	/* No DMA without bus master. */
	MUST(!on || vd_load(o->d.config + 0x04, 2) & 4);
}

/* An enabled queue has a configuration that the host's limits allow. */
static void check_wqs(const struct owner *o)
{
	const struct vd_caps *c = &o->d.caps;
	struct vd_wqcfg cfg;
	unsigned int wq, i;

	MUST(vd_state(&o->d) != VD_ENABLED || vd_dev_check(&o->d) == E_OK);
	for (wq = 0; wq < vd_wqs(&o->d); wq++) {
		if (vd_wq_state(&o->d, wq) != VD_ENABLED)
			continue;
		vd_wq_cfg(&o->d, wq, &cfg);
		MUST(cfg.size && cfg.size <= c->wq_size[wq] && cfg.dedicated && cfg.priority);
		MUST(cfg.max_xfer_shift <= c->max_xfer_shift);
		MUST(cfg.max_batch_shift <= c->max_batch_shift);
		for (i = 0; i < 4; i++)
			MUST(!(cfg.opcfg[i] & ~c->opcap[i]));
		/* neither PASID nor block on fault, neither ATS nor PRS control */
		MUST(!(bar32(o, R_WQCFG + wq * WQCFG_STRIDE + WQ_MODE) & 0x1000000e));
	}
}

/* Bits that no row lets a guest write, and the holes between rows. */
static void check_read_only(const struct owner *o)
{
	static const struct {
		uint32_t from, to;
	} same[] = {
		{ 0x000, 0x080 }, { 0x084, 0x088 }, { 0x09c, 0x0a8 }, { 0x0ac, 0x0c0 },
		{ 0x0d8, 0x0e0 }, { 0x0f8, 0x300 }, { 0x348, 0x400 }, { 0x430, 0x500 },
		{ 0x700, 0x800 }, { 0x890, 0xa00 }, { 0xa08, VD_BAR0_REGS },
	}, same_config[] = {
		{ 0x00, 0x04 }, { 0x06, 0x0c }, { 0x0d, 0x10 }, { 0x20, 0x3c }, { 0x3d, 0x48 },
		{ 0x4a, 0x82 }, { 0x84, 0x94 }, { 0x96, 0x100 },
	};
	/* Reserved bits, by offset; they read 0. */
	static const struct {
		uint32_t off, stride, count, zero;
	} reserved[] = {
		{ R_GENCFG, 0, 1, 0xffffcf00 },
		{ R_GENCTRL, 0, 1, 0xfffffff8 },
		{ R_GENSTS, 0, 1, 0xfffffff8 },
		{ R_CMD, 0, 1, 0xffffffff },
		{ R_SWERROR, 0, 1, 0xff000040 },	/* privilege */
		{ R_SWERROR + 4, 0, 1, 0xffffff00 },	/* PASID */
		{ R_EVLCFG, 0, 1, 0x00000ffc },
		{ R_MSIXPERM, 8, 9, 0x00000ff3 },
		{ R_MSIXPERM + 4, 8, 9, 0xffffffff },
		{ R_GRPCFG + GRP_FLAGS + 4, 0, 1, 0xffffffff },
		{ R_WQCFG + WQ_SIZE, 64, 8, 0xffff0000 },
		{ R_WQCFG + WQ_THRESHOLD, 64, 8, 0xffff0000 },
		{ R_WQCFG + WQ_MODE, 64, 8, 0xc0000000 },
		{ R_WQCFG + WQ_LIMITS, 64, 8, 0xffffe000 },
		{ R_WQCFG + WQ_OCC_HANDLE, 64, 8, 0xfffe0000 },
		{ R_WQCFG + WQ_OCC_LIMIT, 64, 8, 0xfffe0000 },
		{ R_WQCFG + WQ_STATE, 64, 8, 0x3fffffff },
	};
	const struct vd *d = &o->d;
	unsigned int i, n;

	for (i = 0; i < VD_COUNT(same); i++)
		MUST(!memcmp(d->bar0 + same[i].from, o->born.bar0 + same[i].from,
			     same[i].to - same[i].from));
	for (i = 0; i < VD_COUNT(same_config); i++)
		MUST(!memcmp(d->config + same_config[i].from,
			     o->born.config + same_config[i].from,
			     same_config[i].to - same_config[i].from));
	for (i = 0; i < VD_COUNT(reserved); i++)
		for (n = 0; n < reserved[i].count; n++)
			MUST(!(bar32(o, reserved[i].off + n * reserved[i].stride) &
			       reserved[i].zero));
	MUST((bar32(o, R_SWERROR) >> SWERR_WQ_SHIFT & 0xff) < vd_wqs(d));
	MUST((vd_load(d->config + 0x10, 4) & 0x1fff) == 0xc);
	MUST((vd_load(d->config + 0x18, 4) & (vd_bar_size(d, 2) - 1)) == 0xc);
	MUST((vd_load(d->config + 0x82, 2) & 0x3fff) == vd_vectors(d) - 1);
	MUST(!memcmp(&d->caps, &o->born.caps, sizeof(d->caps)) && d->ops == o->born.ops);
}

static bool same(const struct owner *o, const struct vd *before, uint32_t off, uint32_t len)
{
	return !memcmp(o->d.bar0 + off, before->bar0 + off, len);
}

/*
 * While nothing was begun, ended or stopped, a device that was not disabled kept its
 * configuration, and so did each queue that was not. (SIZE is the device's.)
 */
static void check_locks(const struct owner *o, const struct vd *before)
{
	unsigned int wq;
	uint32_t at;

	if (vd_state(before) != VD_DISABLED && vd_state(&o->d) != VD_DISABLED) {
		MUST(same(o, before, R_GENCFG, 4));
		MUST(same(o, before, R_EVLCFG, 16));
		MUST(same(o, before, R_GRPCFG, GRPCFG_STRIDE));
		for (wq = 0; wq < vd_wqs(&o->d); wq++)
			MUST(same(o, before, R_WQCFG + wq * WQCFG_STRIDE + WQ_SIZE, 4));
	}
	for (wq = 0; wq < vd_wqs(&o->d); wq++) {
		if (!vd_wq_is_locked(before, wq) || vd_state(&o->d) == VD_DISABLED)
			continue;
		at = R_WQCFG + wq * WQCFG_STRIDE;
		MUST(same(o, before, at + WQ_MODE, 4));
		MUST(same(o, before, at + WQ_LIMITS, 4));
		MUST(same(o, before, at + WQ_OCC_HANDLE, 4));
		MUST(same(o, before, at + WQ_OPCFG, 32));
	}
}

void check_all(struct owner *o, const struct vd *before, unsigned long changes_before)
{
	check_states(o);
	check_vectors(o);
	check_wqs(o);
	check_read_only(o);
	if (o->changes == changes_before)
		check_locks(o, before);
}
