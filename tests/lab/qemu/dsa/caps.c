/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capability registers: what the function says it can do, from its version, its kind and its
 * properties.
 */
#include "qemu/osdep.h"
#include "ops.h"

/* unverified: which of these a first generation lacks, other than by one report of its GENCAP. */
#define GENCAP_ALWAYS	(GENCAP_CACHE | GENCAP_READBACK | GENCAP_CONFIG)
#define GENCAP_SINCE_V2	GENCAP_FAULTINFO
#define GENCAP_DSA	GENCAP_OVERLAP
#define GENCAP_DSA_V2	(GENCAP_STRIDE | GENCAP_DRAIN_RB | GENCAP_FILL16 | GENCAP_CRC64 | \
			 GENCAP_BATCH_CONT)

#define COMMANDS	0x1ffeu		/* 1 to 12 */
#define COMMANDS_HANDLE	0x6000u

/* OPCAP says what the operation table can do, not the other way round. */
uint64_t opcap_word(IdxdLab *d, unsigned int n)
{
	uint64_t word = 0;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		if (op_find(d, n * 64 + i))
			word |= 1ull << i;
	}
	return word;
}

uint32_t caps_commands(const IdxdLab *d)
{
	return COMMANDS | (d->handles ? COMMANDS_HANDLE : 0);
}

static uint64_t gencap(const IdxdLab *d)
{
	uint64_t v = GENCAP_ALWAYS | (d->iaa ? iaa_gencap(d) : GENCAP_DSA);

	if (d->version >= V2)
		v |= GENCAP_SINCE_V2 | (d->iaa ? 0 : GENCAP_DSA_V2);
	if (d->bof)
		v |= GENCAP_BOF;
	if (d->cmdcap)
		v |= GENCAP_CMDCAP;
	if (d->evl)
		v |= (d->iaa ? 2ull : 1ull) << GENCAP_EVL_SHIFT | GENCAP_EVL_DROP;
	if (d->batch1 && !d->iaa)
		v |= GENCAP_BATCH1;
	if (!d->iaa)
		v |= (uint64_t)d->batch_shift << GENCAP_BATCH_SHIFT;
	v |= (uint64_t)d->xfer_shift << GENCAP_XFER_SHIFT;
	v |= (uint64_t)d->ims_units << GENCAP_IMS_SHIFT;
	return v;
}

static uint64_t wqcap(const IdxdLab *d)
{
	uint64_t v = d->total_size | (uint64_t)d->nwqs << 16;

	v |= WQCAP_PRIORITY | WQCAP_OCCUPANCY | WQCAP_OCC_INT;
	if (d->shared)
		v |= WQCAP_SHARED;
	if (d->dedicated)
		v |= WQCAP_DEDICATED;
	if (d->ats_disable)
		v |= WQCAP_ATS_OFF;
	if (d->op_config)
		v |= WQCAP_OPCFG | WQCAP_CFG_SIZE;
	if (d->evl)
		v |= WQCAP_PRS_OFF;
	return v;
}

/* An IAA has no read buffers to control. */
static uint64_t grpcap(const IdxdLab *d)
{
	uint64_t v = d->ngroups;

	if (!d->iaa)
		v |= d->read_buffers << 8 | GRPCAP_BUFFERS | GRPCAP_LIMIT;
	if (d->version >= V2)
		v |= GRPCAP_PROGRESS;
	if (d->version >= V3)
		v |= GRPCAP_BANDWIDTH;
	return v;
}

static uint64_t offsets(const IdxdLab *d)
{
	uint64_t v = T_GRPCFG / 0x100 | T_WQCFG / 0x100 << 16;

	v |= (uint64_t)(T_MSIXPERM / 0x100) << 32;
	if (d->ims_units)
		v |= (uint64_t)(T_IMS / 0x100) << 48;
	return v;
}

/* One list format when lists may be longer than nothing; no operation of this model uses them. */
static uint64_t dsacap0(const IdxdLab *d)
{
	return d->sgl_shift ? d->sgl_shift | 1ull << 32 : 0;
}

void caps_reset(IdxdLab *d)
{
	unsigned int i;

	d->regs[R_VERSION / 4] = d->version;
	reg64_set(d, R_GENCAP, gencap(d));
	reg64_set(d, R_WQCAP, wqcap(d));
	reg64_set(d, R_GRPCAP, grpcap(d));
	reg64_set(d, R_ENGCAP, d->nengines | ENGINE_WORKS << 8 | ENGINE_WORKS << 16);
	for (i = 0; i < 4; i++)
		reg64_set(d, R_OPCAP + 8 * i, opcap_word(d, i));
	reg64_set(d, R_OFFSETS, offsets(d));
	reg64_set(d, R_OFFSETS + 8, d->counters ? T_PERFMON / 0x100 : 0);
	if (d->iaa && d->version >= V2)
		reg64_set(d, R_IAACAP, iaa_cap(d));
	if (!d->iaa && d->version >= V3)
		reg64_set(d, R_DSACAP0, dsacap0(d));
	if (d->cmdcap)
		d->regs[R_CMDCAP / 4] = caps_commands(d);
}
