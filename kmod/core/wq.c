// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* Work queues: states, and the configuration rules of both enable commands. */
#include "core.h"

static uint32_t wq_reg(unsigned int wq, uint32_t reg)
{
	return R_WQCFG + wq * WQCFG_STRIDE + reg;
}

static uint32_t wq_get(const struct vd *d, unsigned int wq, uint32_t reg)
{
	return vd_get32(d, wq_reg(wq, reg));
}

enum vd_state vd_wq_state(const struct vd *d, unsigned int wq)
{
	if (wq >= d->caps.nwqs)
		return VD_DISABLED;
	return wq_get(d, wq, WQ_STATE) >> WQ_STATE_SHIFT;
}

void vd_wq_state_set(struct vd *d, uint32_t wqs, enum vd_state state)
{
	unsigned int wq;
	uint32_t now;

	for (wq = 0; wq < d->caps.nwqs; wq++) {
		if (!(wqs & 1u << wq))
			continue;
		now = wq_get(d, wq, WQ_STATE) & ((1u << WQ_STATE_SHIFT) - 1);
		vd_set32(d, wq_reg(wq, WQ_STATE), now | (uint32_t)state << WQ_STATE_SHIFT);
	}
}

uint32_t vd_wqs_enabled(const struct vd *d)
{
	uint32_t wqs = 0;
	unsigned int wq;

	for (wq = 0; wq < d->caps.nwqs; wq++)
		if (vd_wq_state(d, wq) == VD_ENABLED)
			wqs |= 1u << wq;
	return wqs;
}

/* A queue that is being enabled reads Disabled, but what was checked must hold. */
bool vd_wq_is_locked(const struct vd *d, unsigned int wq)
{
	if (vd_wq_state(d, wq) != VD_DISABLED)
		return true;
	return vd_cmd_is_active(d) && d->cmd_wqs & 1u << wq;
}

void vd_wq_cfg(const struct vd *d, unsigned int wq, struct vd_wqcfg *ret_cfg)
{
	uint32_t mode, limits;
	unsigned int i;

	if (wq >= d->caps.nwqs) {
		*ret_cfg = (struct vd_wqcfg){ 0 };
		return;
	}
	mode = wq_get(d, wq, WQ_MODE);
	limits = wq_get(d, wq, WQ_LIMITS);

	*ret_cfg = (struct vd_wqcfg){
		.size = (uint16_t)wq_get(d, wq, WQ_SIZE),
		.threshold = (uint16_t)wq_get(d, wq, WQ_THRESHOLD),
		.dedicated = mode & WQ_MODE_DEDICATED,
		.priority = mode >> WQ_MODE_PRIO_SHIFT & 0xf,
		.max_xfer_shift = limits & 0x1f,
		.max_batch_shift = limits >> WQ_LIMITS_BATCH_SHIFT & 0xf,
		.max_sgl_shift = limits >> WQ_LIMITS_SGL_SHIFT & 0xf,
	};
	if (!(d->caps.opcap[0] & 1u << OP_BATCH))
		ret_cfg->max_batch_shift = 0;
	for (i = 0; i < 4; i++)
		ret_cfg->opcfg[i] = d->caps.wqcap & WQCAP_OPCFG ?
			vd_get64(d, wq_reg(wq, WQ_OPCFG + 8 * i)) : d->caps.opcap[i];
}

/* ---- Enable WQ (5.2): each rule says when it is broken ----------------------- */

struct wq_view {
	const struct vd *d;
	unsigned int wq;
	uint32_t size, mode, limits, occ;
};

static bool wq_is_not_disabled(const struct wq_view *v)
{
	return vd_wq_state(v->d, v->wq) != VD_DISABLED;
}

static bool wq_is_empty(const struct wq_view *v)
{
	return !v->size;
}

static bool wq_is_shared(const struct wq_view *v)
{
	return !(v->mode & WQ_MODE_DEDICATED);
}

static bool wq_is_without_priority(const struct wq_view *v)
{
	return !(v->mode >> WQ_MODE_PRIO_SHIFT & 0xf);
}

static bool wq_blocks_on_fault(const struct wq_view *v)
{
	return v->mode & WQ_MODE_BOF;
}

static bool wq_has_pasid(const struct wq_view *v)
{
	return v->mode & WQ_MODE_PASID_EN;
}

static bool wq_batch_is_bad(const struct wq_view *v)
{
	uint32_t batch = v->limits >> WQ_LIMITS_BATCH_SHIFT & 0xf;

	if (!(v->d->caps.opcap[0] & 1u << OP_BATCH))
		return false;
	if (!batch)
		return !(v->d->caps.gencap & GENCAP_BATCH1);
	return batch > v->d->caps.max_batch_shift;
}

static bool wq_sgl_is_bad(const struct wq_view *v)
{
	uint32_t sgl = v->limits >> WQ_LIMITS_SGL_SHIFT & 0xf;

	return sgl > (v->d->caps.ext[0] & 0xf);
}

static bool wq_xfer_is_bad(const struct wq_view *v)
{
	return (v->limits & 0x1f) > v->d->caps.max_xfer_shift;
}

/* No message store, so only a handle in the MSI-X table is one. 0 is the default. */
static bool wq_occupancy_is_bad(const struct wq_view *v)
{
	return v->occ & WQ_OCC_IMS || (v->occ & 0xffff) >= vd_vectors(v->d);
}

static bool wq_turns_ats_off(const struct wq_view *v)
{
	return v->mode & WQ_MODE_ATS_OFF;
}

static bool wq_opcfg_is_bad(const struct wq_view *v)
{
	struct vd_wqcfg cfg;
	uint64_t beyond = 0;
	unsigned int i;

	vd_wq_cfg(v->d, v->wq, &cfg);
	for (i = 0; i < 4; i++)
		beyond |= cfg.opcfg[i] & ~v->d->caps.opcap[i];
	return beyond;
}

static bool wq_turns_prs_off(const struct wq_view *v)
{
	return v->mode & WQ_MODE_PRS_OFF;
}

/*
 * BOF, ATS and PRS control and a PASID are never offered, so asking is the error.
 * The privilege bit means something only with a PASID (0x2a cannot happen).
 */
static const struct {
	uint8_t error;
	bool (*broken)(const struct wq_view *v);
} wq_rules[] = {
	{ E_WQ_NOT_DISABLED, wq_is_not_disabled },
	{ E_WQ_SIZE,         wq_is_empty },
	{ E_WQ_MODE,         wq_is_shared },
	{ E_WQ_PRIORITY,     wq_is_without_priority },
	{ E_WQ_BOF,          wq_blocks_on_fault },
	{ E_WQ_PASID,        wq_has_pasid },
	{ E_WQ_BATCH,        wq_batch_is_bad },
	{ E_WQ_BATCH,        wq_sgl_is_bad },
	{ E_WQ_XFER,         wq_xfer_is_bad },
	{ E_WQ_OCCUPANCY,    wq_occupancy_is_bad },
	{ E_WQ_ATS,          wq_turns_ats_off },
	{ E_WQ_OPCFG,        wq_opcfg_is_bad },
	{ E_WQ_PRS,          wq_turns_prs_off },
};

uint8_t vd_wq_check(const struct vd *d, unsigned int wq)
{
	struct wq_view v = {
		.d = d,
		.wq = wq,
		.size = wq_get(d, wq, WQ_SIZE),
		.mode = wq_get(d, wq, WQ_MODE),
		.limits = wq_get(d, wq, WQ_LIMITS),
		.occ = wq_get(d, wq, WQ_OCC_HANDLE),
	};
	unsigned int i;

	for (i = 0; i < VD_COUNT(wq_rules); i++)
		if (wq_rules[i].broken(&v))
			return wq_rules[i].error;
	return E_OK;
}

/* ---- Enable Device (5.1) ------------------------------------------------------ */

static uint64_t group_wqs(const struct vd *d)
{
	return vd_get64(d, R_GRPCFG + GRP_WQS);
}

static uint64_t group_engines(const struct vd *d)
{
	return vd_get64(d, R_GRPCFG + GRP_ENGINES);
}

static bool dev_is_not_master(const struct vd *d)
{
	return !vd_is_busmaster(d);
}

/* No queue may be larger than the host's own, which bounds the sum as well. */
static bool dev_sizes_are_bad(const struct vd *d)
{
	unsigned int wq;

	for (wq = 0; wq < d->caps.nwqs; wq++)
		if (wq_get(d, wq, WQ_SIZE) > d->caps.wq_size[wq])
			return true;
	return false;
}

static bool dev_group_is_bad(const struct vd *d)
{
	return !group_wqs(d) != !group_engines(d);
}

/* Only queues that exist, all that have a size, and none that has not. */
static bool dev_group_wqs_are_bad(const struct vd *d)
{
	uint64_t sized = 0, beyond = 0;
	unsigned int i;

	for (i = 0; i < d->caps.nwqs; i++)
		if (wq_get(d, i, WQ_SIZE))
			sized |= 1ull << i;
	for (i = 1; i < 4; i++)
		beyond |= vd_get64(d, R_GRPCFG + GRP_WQS + 8 * i);
	return beyond || group_wqs(d) != sized;
}

static bool dev_group_engines_are_bad(const struct vd *d)
{
	return group_engines(d) & ~1ull;
}

static bool dev_log_is_bad(const struct vd *d)
{
	uint64_t base = vd_get64(d, R_EVLCFG) & EVLCFG_BASE;
	uint64_t entries = vd_get64(d, R_EVLCFG + 8) & 0xffff;
	uint64_t bytes = entries * (d->caps.kind == VD_IAA ? 128 : 64);

	if (!(vd_get32(d, R_GENCFG) & GENCFG_EVL))
		return false;
	return entries < 64 || base + bytes < base;
}

static bool dev_log_has_pasid(const struct vd *d)
{
	return vd_get64(d, R_EVLCFG) & (EVLCFG_PASID_EN | EVLCFG_PRIV);
}

/*
 * Read-buffer and bandwidth control (0x18), page requests (0x13) and ATS (0x1a)
 * are not offered and have no field that could be wrong.
 */
static const struct {
	uint8_t error;
	bool (*broken)(const struct vd *d);
} dev_rules[] = {
	{ E_NO_BUSMASTER,  dev_is_not_master },
	{ E_TOTAL_SIZE,    dev_sizes_are_bad },
	{ E_GROUP,         dev_group_is_bad },
	{ E_GROUP_WQS,     dev_group_wqs_are_bad },
	{ E_GROUP_ENGINES, dev_group_engines_are_bad },
	{ E_EVL,           dev_log_is_bad },
	{ E_EVL_PASID,     dev_log_has_pasid },
};

uint8_t vd_dev_check(const struct vd *d)
{
	unsigned int i;

	for (i = 0; i < VD_COUNT(dev_rules); i++)
		if (dev_rules[i].broken(d))
			return dev_rules[i].error;
	return E_OK;
}
