/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Enable Device and Enable WQ refuse. Which check fires first is the implementation's choice;
 * tests must not depend on the order here.
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "model.h"

#define GRP_ENGINES	0x20
#define GRP_FLAGS	0x28

/* TC-A, TC-B, global limit, reserved and allowed read buffers; what newer versions add. */
#define GRP_FLAG_BITS	0x0ff0ffbfull
#define GRP_PROGRESS	0x3300000000ull
#define GRP_BANDWIDTH	0xff0000000000ull
#define GRP_BAND_READ(f)	((f) >> 40 & 0xf)
#define GRP_BAND_WRITE(f)	((f) >> 44 & 0xf)
#define BAND_MAX	3

struct group {
	uint64_t wqs[4];
	uint64_t engines;
	uint64_t flags;
};

static void group_load(IdxdLab *d, unsigned int n, struct group *ret)
{
	uint32_t base = T_GRPCFG + n * GRPCFG_STRIDE;
	unsigned int i;

	for (i = 0; i < 4; i++)
		ret->wqs[i] = reg64(d, base + 8 * i);
	ret->engines = reg64(d, base + GRP_ENGINES);
	ret->flags = reg64(d, base + GRP_FLAGS);
}

static bool below(uint64_t mask, unsigned int bits)
{
	return bits >= 64 || !(mask >> bits);
}

static enum cmd_error check_groups(IdxdLab *d)
{
	uint64_t wqs = 0, engines = 0;
	uint64_t flag_bits = GRP_FLAG_BITS;
	unsigned int i;
	struct group g;

	if (reg32(d, R_GRPCAP) & GRPCAP_PROGRESS)
		flag_bits |= GRP_PROGRESS;
	if (reg32(d, R_GRPCAP) & GRPCAP_BANDWIDTH)
		flag_bits |= GRP_BANDWIDTH;

	for (i = 0; i < d->ngroups; i++) {
		group_load(d, i, &g);
		if (!below(g.wqs[0], d->nwqs) || g.wqs[1] || g.wqs[2] || g.wqs[3] || wqs & g.wqs[0])
			return CE_GROUP_WQ;
		if (!below(g.engines, d->nengines) || engines & g.engines)
			return CE_GROUP_ENGINE;
		if (!g.wqs[0] != !g.engines)
			return CE_GROUP;
		if (g.flags & ~flag_bits)
			return CE_CONFIG;
		if (GRP_BAND_READ(g.flags) > BAND_MAX || GRP_BAND_WRITE(g.flags) > BAND_MAX)
			return CE_READ_BUFFERS;
		wqs |= g.wqs[0];
		engines |= g.engines;
	}

	for (i = 0; i < d->nwqs; i++) {
		if (!(wqcfg(d, i)[WQ_SIZE] & 0xffff) != !(wqs >> i & 1))
			return CE_GROUP_WQ;
	}
	return CE_OK;
}

static enum cmd_error check_read_buffers(IdxdLab *d)
{
	uint32_t limit = reg32(d, R_GENCFG) & GENCFG_LIMIT;
	unsigned int reserved = 0, limited = 0;
	unsigned int i;
	struct group g;

	for (i = 0; i < d->ngroups; i++) {
		group_load(d, i, &g);
		reserved += g.flags >> 8 & 0xff;
		if (g.flags & 1 << 7)
			limited += ctpop64(g.engines);
	}
	if (reserved > d->read_buffers || limit > d->read_buffers || limit < 4 * limited)
		return CE_READ_BUFFERS;

	for (i = 0; i < d->ngroups; i++) {
		unsigned int own, allowed;

		group_load(d, i, &g);
		own = g.flags >> 8 & 0xff;
		allowed = g.flags >> 20 & 0xff;
		if (!g.engines)
			continue;
		if (4 * ctpop64(g.engines) > allowed || own > allowed ||
		    allowed > own + d->read_buffers - reserved)
			return CE_READ_BUFFERS;
	}
	return CE_OK;
}

static enum cmd_error check_evl(IdxdLab *d)
{
	uint64_t base = reg64(d, R_EVLCFG);
	uint64_t size = reg32(d, R_EVLCFG + 8) & 0xffff;
	uint64_t bytes = size * (d->iaa ? 128 : 64);

	if (!(reg32(d, R_GENCFG) & GENCFG_EVL))
		return CE_OK;
	if (size < 64 || (base & ~0xfffull) + bytes < bytes)
		return CE_EVL;
	if ((base & 1 && !pcicfg_pasid(d)) || (base & 2 && !(base & 1 && pcicfg_priv(d))))
		return CE_EVL_PASID;
	return CE_OK;
}

enum cmd_error check_device(IdxdLab *d)
{
	unsigned int i, sum = 0;
	enum cmd_error e;

	if (dev_state(d) != DEV_DISABLED)
		return CE_NOT_DISABLED;
	if (!pcicfg_bus_master(d))
		return CE_BUS_MASTER;
	if (pcicfg_pri(d) && !pcicfg_pri_alloc_ok(d))
		return CE_PRI;

	for (i = 0; i < d->nwqs; i++)
		sum += wqcfg(d, i)[WQ_SIZE] & 0xffff;
	if (sum > d->total_size)
		return CE_WQ_SIZE;

	e = check_groups(d);
	if (e == CE_OK && !d->iaa)
		e = check_read_buffers(d);
	if (e == CE_OK)
		e = check_evl(d);
	return e;
}

static bool opcfg_ok(IdxdLab *d, const uint32_t *cfg)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		uint64_t ops = cfg[WQ_OPCFG + 2 * i] | (uint64_t)cfg[WQ_OPCFG + 2 * i + 1] << 32;

		if (ops & ~opcap_word(d, i))
			return false;
	}
	return true;
}

/* unverified: with interrupt handles a vector nobody asked for is still accepted here. */
static bool occupancy_vector_ok(IdxdLab *d, uint32_t vec)
{
	if (vec & WQO_IMS)
		return (vec & 0xffff) < d->ims_units * 256;
	return (vec & 0xffff) <= d->nwqs;
}

enum cmd_error check_wq(IdxdLab *d, unsigned int wq)
{
	const uint32_t *cfg;
	uint32_t mode;

	if (dev_state(d) != DEV_ENABLED)
		return CE_NOT_ENABLED;
	if (wq >= d->nwqs)
		return CE_WQ;

	cfg = wqcfg(d, wq);
	mode = cfg[WQ_MODE];
	if (wq_state(d, wq) != WQ_DISABLED)
		return CE_WQ_NOT_DISABLED;
	if (!(cfg[WQ_SIZE] & 0xffff))
		return CE_WQ_NO_SIZE;
	if (!WQM_PRIORITY(mode))
		return CE_PRIORITY;
	if (!(mode & WQM_DEDICATED ? d->dedicated : d->shared))
		return CE_MODE;
	if (mode & WQM_BOF && (!d->bof || !pcicfg_pri(d)))
		return CE_BOF;
	if (!(mode & WQM_DEDICATED) && !(mode & WQM_PASID_EN))
		return CE_PASID;
	if (mode & WQM_PASID_EN && !pcicfg_pasid(d))
		return CE_PASID;
	if (mode & WQM_DEDICATED && mode & WQM_PASID_EN && mode & WQM_PRIV && !pcicfg_priv(d))
		return CE_PRIV;
	if (WQL_XFER(cfg[WQ_LIMITS]) > d->xfer_shift)
		return CE_XFER;
	/* A shift of 0 is a batch of one, which is a capability of its own. */
	if (!d->iaa && ((!WQL_BATCH(cfg[WQ_LIMITS]) && !d->batch1) ||
			WQL_BATCH(cfg[WQ_LIMITS]) > d->batch_shift))
		return CE_BATCH;
	if (WQL_SGL(cfg[WQ_LIMITS]) > d->sgl_shift)
		return CE_BATCH;
	if (mode & WQM_ATS_OFF && !d->ats_disable)
		return CE_ATS;
	if (!occupancy_vector_ok(d, cfg[WQ_OCC_VEC]))
		return CE_OCC_HANDLE;
	if (!opcfg_ok(d, cfg))
		return CE_OPCFG;
	if (mode & WQM_PRS_OFF && (!d->evl || !(reg32(d, R_GENCFG) & GENCFG_EVL) || mode & WQM_BOF))
		return CE_PRS;
	return CE_OK;
}
