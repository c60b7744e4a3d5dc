/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BAR0: the fixed registers as a table of access rules, and the dispatch of accesses. All rules are
 * per dword; a wider access is two of them, a narrower one carries a lane mask.
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "model.h"

#define GENCFG_RW	(GENCFG_LIMIT | GENCFG_USER_INT | GENCFG_EVL)
#define EVL_INT_PENDING	(1u << 30)

enum when { ALWAYS, WHILE_DISABLED };

struct reg {
	uint16_t off;
	enum when when;
	uint32_t rw;
	uint32_t w1c;
	bool evl;			/* exists only with an event log */
};

/* What is not named here is read-only (constants) or reserved (zero). */
static const struct reg rules[] = {
	{ R_GENCFG,		WHILE_DISABLED,	GENCFG_RW,	0,	false },
	{ R_GENCTRL,		ALWAYS,		0x7,		0,	false },
	{ R_INTCAUSE,		ALWAYS,		0,		CAUSE_ALL, false },
	{ R_SWERROR,		ALWAYS,		0,		0x3,	false },
	{ R_EVLCFG,		WHILE_DISABLED,	0xfffff003,	0,	true },
	{ R_EVLCFG + 4,		WHILE_DISABLED,	~0u,		0,	true },
	{ R_EVLCFG + 8,		WHILE_DISABLED,	~0u,		0,	true },
	{ R_EVLCFG + 12,	WHILE_DISABLED,	0xf,		0,	true },
	{ R_EVLSTATUS,		ALWAYS,		0xffff,		0,	true },
	{ R_EVLSTATUS + 4,	ALWAYS,		0,		EVL_INT_PENDING, true },
};

/* @full: power-on, bus reset and FLR; otherwise the Reset Device command, which spares some. */
void regs_reset(IdxdLab *d, bool full)
{
	static const struct { uint16_t off, len; } spared[] = {
		{ R_CMDSTATUS, 4 }, { R_SWERROR, 32 }, { R_EVLSTATUS, 8 },
	};
	uint32_t keep[ARRAY_SIZE(spared)][8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(spared); i++)
		memcpy(keep[i], &d->regs[spared[i].off / 4], spared[i].len);
	memset(d->regs, 0, sizeof(d->regs));
	for (i = 0; !full && i < ARRAY_SIZE(spared); i++)
		memcpy(&d->regs[spared[i].off / 4], keep[i], spared[i].len);

	caps_reset(d);
	d->regs[R_GENCFG / 4] = d->iaa ? 0 : d->read_buffers;
	memset(d->cmdparam, 0, sizeof(d->cmdparam));
	perfmon_reset(d);
	table_reset(d);

	/* unverified: that handles do not outlive a Reset Device command */
	memset(d->msix_handle, 0, sizeof(d->msix_handle));
	memset(d->ims_handle, 0, sizeof(d->ims_handle));
	for (i = 0; !full && i <= d->nwqs; i++)
		msix_clr_pending(&d->parent_obj, i);
}

static uint32_t dword_read(IdxdLab *d, uint32_t off)
{
	if (off >= T_PERFMON && off < T_PERFMON_END)
		return perfmon_read(d, off - T_PERFMON);
	if (off >= T_LAB && off < T_CMDPARAM)
		return labpage_read(d, off - T_LAB);
	if (off == T_CMDPARAM || off == T_CMDPARAM + 4)
		return d->cmdparam[off / 4 % 2];
	if (off == R_CMDSTATUS)
		cmd_poll(d);
	if (off >= T_TABLES)
		return table_read(d, off);
	return d->regs[off / 4];
}

static void dword_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	unsigned int i;
	uint32_t *r, rw;

	if (off == R_CMD) {
		/* unverified: a command needs all four byte lanes */
		if (lanes == ~0u)
			cmd_write(d, val);
		return;
	}
	if (off >= T_PERFMON && off < T_PERFMON_END) {
		perfmon_write(d, off - T_PERFMON, lanes, val);
		return;
	}
	if (off >= T_LAB && off < T_CMDPARAM) {
		labpage_write(d, off - T_LAB, val);
		return;
	}
	if (off == T_CMDPARAM || off == T_CMDPARAM + 4) {
		uint32_t *p = &d->cmdparam[off / 4 % 2];

		*p = (*p & ~lanes) | (val & lanes);
		return;
	}
	if (off >= T_TABLES) {
		table_write(d, off, lanes, val);
		return;
	}

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].off == off)
			break;
	}
	if (i == ARRAY_SIZE(rules) || (rules[i].evl && !d->evl))
		return;
	if (rules[i].when == WHILE_DISABLED && dev_state(d) != DEV_DISABLED)
		return;

	rw = rules[i].rw;
	if (!d->evl && off == R_GENCFG)
		rw &= ~GENCFG_EVL;
	if (!d->evl && off == R_GENCTRL)
		rw &= ~GENCTRL_EVL;
	rw &= lanes;
	r = &d->regs[off / 4];
	*r = (*r & ~rw) | (val & rw);
	*r &= ~(val & lanes & rules[i].w1c);
}

static uint64_t bar0_read(void *opaque, hwaddr addr, unsigned int size)
{
	IdxdLab *d = opaque;
	uint64_t v = dword_read(d, addr & ~3ull);

	if (size == 8)
		return v | (uint64_t)dword_read(d, addr + 4) << 32;
	v >>= 8 * (addr & 3);
	return size == 4 ? v : v & ((1u << 8 * size) - 1);
}

static void bar0_write(void *opaque, hwaddr addr, uint64_t val, unsigned int size)
{
	IdxdLab *d = opaque;
	unsigned int shift = 8 * (addr & 3);

	if (size == 8) {
		dword_write(d, addr, ~0u, val);
		dword_write(d, addr + 4, ~0u, val >> 32);
	} else if (size == 4) {
		dword_write(d, addr, ~0u, val);
	} else {
		dword_write(d, addr & ~3ull, ((1u << 8 * size) - 1) << shift,
			    (uint32_t)val << shift);
	}
}

const MemoryRegionOps bar0_ops = {
	.read = bar0_read,
	.write = bar0_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8 },
	.impl = { .min_access_size = 1, .max_access_size = 8 },
};
