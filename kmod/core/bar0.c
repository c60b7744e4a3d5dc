// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* BAR0: one row per register, and the capabilities that the guest is shown. */
#include "core.h"

uint32_t vd_get32(const struct vd *d, uint32_t off)
{
	return (uint32_t)vd_load(d->bar0 + off, 4);
}

uint64_t vd_get64(const struct vd *d, uint32_t off)
{
	return vd_load(d->bar0 + off, 8);
}

void vd_set32(struct vd *d, uint32_t off, uint32_t val)
{
	vd_store(d->bar0 + off, 4, val);
}

void vd_set64(struct vd *d, uint32_t off, uint64_t val)
{
	vd_store(d->bar0 + off, 8, val);
}

enum vd_state vd_state(const struct vd *d)
{
	return vd_get32(d, R_GENSTS) & GENSTS_STATE;
}

void vd_state_set(struct vd *d, enum vd_state state)
{
	vd_set32(d, R_GENSTS, state | (state == VD_HALTED ? GENSTS_RESET_FLR : 0));
}

unsigned int vd_wqs(const struct vd *d)
{
	return d->caps.nwqs;
}

unsigned int vd_vectors(const struct vd *d)
{
	return d->caps.nwqs + 1u;
}

/* ---- reset values that capabilities decide -------------------------------- */

static uint64_t version_value(const struct vd *d, unsigned int idx)
{
	return d->caps.version;
}

/*
 * vd_init() left only what a guest may have. Configuration is supported although
 * the specification advises against it for virtual devices (7.5.1): without it
 * Linux can enable a queue once and never again.
 * The log entry is 32 << N bytes; IAA's holds a 64-byte record and needs N = 2.
 */
static uint64_t gencap_value(const struct vd *d, unsigned int idx)
{
	return d->caps.gencap | GENCAP_CMDCAP | GENCAP_CONFIG |
	       (d->caps.kind == VD_IAA ? 2ull : 1ull) << GENCAP_EVL_SHIFT |
	       (uint64_t)d->caps.max_xfer_shift << GENCAP_XFER_SHIFT |
	       (uint64_t)d->caps.max_batch_shift << GENCAP_BATCH_SHIFT;
}

static uint64_t wqcap_value(const struct vd *d, unsigned int idx)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < d->caps.nwqs; i++)
		total += d->caps.wq_size[i];
	return total | (uint64_t)d->caps.nwqs << WQCAP_NWQS_SHIFT | WQCAP_CFGSIZE_64 |
	       WQCAP_DEDICATED | WQCAP_PRIORITY | d->caps.wqcap;
}

/* One group; its read buffers belong to the host, so there is no control. */
static uint64_t grpcap_value(const struct vd *d, unsigned int idx)
{
	return 1 | (uint64_t)d->caps.read_buffers << 8;
}

static uint64_t opcap_value(const struct vd *d, unsigned int idx)
{
	return d->caps.opcap[idx];
}

static uint64_t extcap_value(const struct vd *d, unsigned int idx)
{
	return d->caps.ext[idx];
}

static uint64_t gencfg_value(const struct vd *d, unsigned int idx)
{
	return d->caps.read_buffers;
}

static uint64_t grpflags_value(const struct vd *d, unsigned int idx)
{
	return (uint64_t)d->caps.read_buffers << GRPFLAGS_BUFS_SHIFT;
}

static uint64_t opcfg_value(const struct vd *d, unsigned int word)
{
	if (!(d->caps.wqcap & WQCAP_OPCFG))
		return 0;
	return d->caps.opcap[word];
}

static uint64_t opcfg0_value(const struct vd *d, unsigned int idx)
{
	return opcfg_value(d, 0);
}

static uint64_t opcfg1_value(const struct vd *d, unsigned int idx)
{
	return opcfg_value(d, 1);
}

static uint64_t opcfg2_value(const struct vd *d, unsigned int idx)
{
	return opcfg_value(d, 2);
}

static uint64_t opcfg3_value(const struct vd *d, unsigned int idx)
{
	return opcfg_value(d, 3);
}

/* ---- locks: a write to a locked register is dropped silently --------------- */

static uint64_t dev_disabled(const struct vd *d, unsigned int idx)
{
	return vd_state(d) == VD_DISABLED ? ~0ull : 0;
}

static uint64_t wq_disabled(const struct vd *d, unsigned int idx)
{
	return vd_wq_is_locked(d, idx) ? 0 : ~0ull;
}

/* The largest scatter-gather list came with version 3. */
static uint64_t wq_limits(const struct vd *d, unsigned int idx)
{
	uint64_t sgl = d->caps.version >= 0x300 ? 0 : 0xfull << WQ_LIMITS_SGL_SHIFT;

	return wq_disabled(d, idx) & ~sgl;
}

/* The enable bit is always writable, the limit only while it is 0. */
static uint64_t occ_limit(const struct vd *d, unsigned int idx)
{
	uint32_t now = vd_get32(d, R_WQCFG + idx * WQCFG_STRIDE + WQ_OCC_LIMIT);

	return now & WQ_OCC_ENABLE ? WQ_OCC_ENABLE : ~0ull;
}

static uint64_t opcfg_lock(const struct vd *d, unsigned int idx)
{
	return d->caps.wqcap & WQCAP_OPCFG ? wq_disabled(d, idx) : 0;
}

/* ---- the tables ------------------------------------------------------------ */

#define ALL32	0xffffffffull
#define ALL64	(~0ull)
#define DEV	VD_KEEP_DEV
#define WQ	VD_KEEP_WQ

/* Capabilities */
static const struct vd_reg cap_regs[] = {
	/* name      off        size keep reset rw w1c value          unlocked post */
	{ "VERSION", R_VERSION, 4,   0,   0,    0, 0,  version_value, NULL,    NULL },
	{ "GENCAP",  R_GENCAP,  8,   0,   0,    0, 0,  gencap_value,  NULL,    NULL },
	{ "WQCAP",   R_WQCAP,   8,   0,   0,    0, 0,  wqcap_value,   NULL,    NULL },
	{ "GRPCAP",  R_GRPCAP,  8,   0,   0,    0, 0,  grpcap_value,  NULL,    NULL },
	{ "ENGCAP",  R_ENGCAP,  8,   0,   1,    0, 0,  NULL,          NULL,    NULL },
};

static const struct vd_reg opcap_regs[] = {
	{ "OPCAP", 0, 8, 0, 0, 0, 0, opcap_value, NULL, NULL },
};

#define AT(r)		((r) - R_OFFSETS)
#define OFFSETS_LO	(R_GRPCFG / 0x100ull | R_WQCFG / 0x100ull << 16 | \
			 R_MSIXPERM / 0x100ull << 32 | R_IMS / 0x100ull << 48)
#define CMDCAP_ALL	0x7ffeull	/* codes 1 to 14, see cmd.c */

/*
 * Offsets, control and status. CMD has no storage: its effect takes the written value, and it
 * reads 0. The event log registers behave, but no record is ever logged: errors
 * are reported in SWERROR, which Linux reads with or without a log.
 */
static const struct vd_reg ctrl_regs[] = {
	/* name        off                    size keep reset       rw            w1c */
	/*     value         unlocked      post */
	{ "OFFSETS",   AT(R_OFFSETS),         8,   0,   OFFSETS_LO, 0,            0,
	       NULL,         NULL,         NULL },
	{ "OFFSETS1",  AT(R_OFFSETS + 8),     8,   0,   0,          0,            0,
	       NULL,         NULL,         NULL },
	{ "GENCFG",    AT(R_GENCFG),          4,   0,   0,          GENCFG_ALL,   0,
	       gencfg_value, dev_disabled, NULL },
	{ "GENCTRL",   AT(R_GENCTRL),         4,   0,   0,          GENCTRL_ALL,  0,
	       NULL,         NULL,         NULL },
	{ "GENSTS",    AT(R_GENSTS),          4,   0,   0,          0,            0,
	       NULL,         NULL,         NULL },
	{ "INTCAUSE",  AT(R_INTCAUSE),        4,   0,   0,          0,            CAUSE_ALL,
	       NULL,         NULL,         vd_cause_post },
	{ "CMD",       AT(R_CMD),             4,   DEV, 0,          0,            0,
	       NULL,         NULL,         vd_cmd_post },
	{ "CMDSTS",    AT(R_CMDSTS),          4,   DEV, 0,          0,            0,
	       NULL,         NULL,         NULL },
	{ "CMDCAP",    AT(R_CMDCAP),          8,   0,   CMDCAP_ALL, 0,            0,
	       NULL,         NULL,         NULL },
	{ "SWERROR",   AT(R_SWERROR),         8,   DEV, 0,          0, SWERR_VALID | SWERR_OVERFLOW,
	       NULL,         NULL,         NULL },
	{ "SWERROR1",  AT(R_SWERROR + 8),     8,   DEV, 0,          0,            0,
	       NULL,         NULL,         NULL },
	{ "SWERROR2",  AT(R_SWERROR + 16),    8,   DEV, 0,          0,            0,
	       NULL,         NULL,         NULL },
	{ "SWERROR3",  AT(R_SWERROR + 24),    8,   DEV, 0,          0,            0,
	       NULL,         NULL,         NULL },
	{ "EVLCFG",    AT(R_EVLCFG),          8,   0,   0,          EVLCFG_ALL,   0,
	       NULL,         dev_disabled, NULL },
	{ "EVLCFG1",   AT(R_EVLCFG + 8),      8,   0,   0,          0xfffffffffull, 0,
	       NULL,         dev_disabled, NULL },
	{ "EVLSTATUS", AT(R_EVLSTATUS),       8,   DEV, 0,          0xffff,       EVLSTATUS_PENDING,
	       NULL,         NULL,         NULL },
};

/* DSACAP0 to DSACAP2, or IAACAP */
static const struct vd_reg extcap_regs[] = {
	{ "EXTCAP", 0, 8, 0, 0, 0, 0, extcap_value, NULL, NULL },
};

/* MSI-X permissions: stored only; the entry that counts is the host's */
static const struct vd_reg msixperm_regs[] = {
	{ "MSIXPERM", 0, 4, 0, 0, 0xfffff00c, 0, NULL, NULL, NULL },
};

/*
 * Groups. Membership bits beyond what exists can be written: Enable Device is
 * what finds them. Flags of limits that GRPCAP does not offer are read-only.
 */
static const struct vd_reg grpcfg_regs[] = {
	/* name        off           size keep reset rw           w1c value */
	/*     unlocked      post */
	{ "GRPWQ0",    GRP_WQS,      8,   0,   0,    ALL64,       0,  NULL,
	       dev_disabled, NULL },
	{ "GRPWQ1",    GRP_WQS + 8,  8,   0,   0,    ALL64,       0,  NULL,
	       dev_disabled, NULL },
	{ "GRPWQ2",    GRP_WQS + 16, 8,   0,   0,    ALL64,       0,  NULL,
	       dev_disabled, NULL },
	{ "GRPWQ3",    GRP_WQS + 24, 8,   0,   0,    ALL64,       0,  NULL,
	       dev_disabled, NULL },
	{ "GRPENGINE", GRP_ENGINES,  8,   0,   0,    ALL64,       0,  NULL,
	       dev_disabled, NULL },
	{ "GRPFLAGS",  GRP_FLAGS,    8,   0,   0,    GRPFLAGS_RW, 0,  grpflags_value,
	       dev_disabled, NULL },
};

/* Work queues. Everything a guest may not have can be written: Enable WQ refuses it. */
static const struct vd_reg wqcfg_regs[] = {
	/* name         off            size keep reset rw          w1c               value */
	/*     unlocked      post */
	{ "SIZE",       WQ_SIZE,       4,   WQ,  0,    0xffff,     0,                NULL,
	       dev_disabled, NULL },
	{ "THRESHOLD",  WQ_THRESHOLD,  4,   0,   0,    0xffff,     0,                NULL,
	       NULL,         NULL },
	{ "MODE",       WQ_MODE,       4,   0,   0,    0x3fffffff, 0,                NULL,
	       wq_disabled,  NULL },
	{ "LIMITS",     WQ_LIMITS,     4,   0,   0,    0x1fff,     0,                NULL,
	       wq_limits,    NULL },
	{ "OCCHANDLE",  WQ_OCC_HANDLE, 4,   0,   0,    0x1ffff,    0,                NULL,
	       wq_disabled,  NULL },
	{ "OCCLIMIT",   WQ_OCC_LIMIT,  4,   0,   0,    0x1ffff,    0,                NULL,
	       occ_limit,    NULL },
	{ "STATE",      WQ_STATE,      4,   0,   0,    0,          WQ_OCC_GENERATED, NULL,
	       NULL,         NULL },
	{ "OPCFG0",     WQ_OPCFG,      8,   0,   0,    ALL64,      0,                opcfg0_value,
	       opcfg_lock,   NULL },
	{ "OPCFG1",     WQ_OPCFG + 8,  8,   0,   0,    ALL64,      0,                opcfg1_value,
	       opcfg_lock,   NULL },
	{ "OPCFG2",     WQ_OPCFG + 16, 8,   0,   0,    ALL64,      0,                opcfg2_value,
	       opcfg_lock,   NULL },
	{ "OPCFG3",     WQ_OPCFG + 24, 8,   0,   0,    ALL64,      0,                opcfg3_value,
	       opcfg_lock,   NULL },
};

/* PCI Express base specification, MSI-X table and PBA */
static const struct vd_reg msix_regs[] = {
	/* name      off        size keep reset rw              w1c value */
	/*     unlocked      post */
	{ "ADDRLO",  0,         4,   DEV, 0,    ALL32 & ~3ull,  0,  NULL,
	       NULL,         NULL },
	{ "ADDRHI",  4,         4,   DEV, 0,    ALL32,          0,  NULL,
	       NULL,         NULL },
	{ "DATA",    8,         4,   DEV, 0,    ALL32,          0,  NULL,
	       NULL,         NULL },
	{ "VECCTL",  MSIX_CTRL, 4,   DEV, 0,    MSIX_CTRL_MASK, 0,  vd_msix_entry_reset,
	       NULL,         vd_msix_post },
};

static const struct vd_reg pba_regs[] = {
	{ "PBA", 0, 8, 0, 0, 0, 0, NULL, NULL, NULL },
};

#define REGS(t) (t), VD_COUNT(t)

enum {
	B_CAPS, B_OPCAP, B_CTRL, B_EXTCAP, B_MSIXPERM, B_GRPCFG, B_WQCFG, B_MSIX, B_PBA,
};

static const struct vd_block bar0_blocks[] = {
	/* name	off, stride, most, how many, rows */
	[B_CAPS] = { "CAPS", 0, R_OPCAP, 1, NULL, REGS(cap_regs) },
	[B_OPCAP] = { "OPCAP", R_OPCAP, 8, 4, NULL, REGS(opcap_regs) },
	[B_CTRL] = { "CTRL", R_OFFSETS, AT(0x100), 1, NULL, REGS(ctrl_regs) },
	[B_EXTCAP] = { "EXTCAP", R_EXTCAP, 8, 3, NULL, REGS(extcap_regs) },
	[B_MSIXPERM] = { "MSIXPERM", R_MSIXPERM, MSIXPERM_STRIDE, VD_MAX_VECTORS, vd_vectors,
			 REGS(msixperm_regs) },
	[B_GRPCFG] = { "GRPCFG", R_GRPCFG, GRPCFG_STRIDE, 1, NULL, REGS(grpcfg_regs) },
	[B_WQCFG] = { "WQCFG", R_WQCFG, WQCFG_STRIDE, VD_MAX_WQS, vd_wqs, REGS(wqcfg_regs) },
	[B_MSIX] = { "MSIX", R_MSIX, MSIX_STRIDE, VD_MAX_VECTORS, vd_vectors, REGS(msix_regs) },
	[B_PBA] = { "PBA", R_PBA, 8, 1, NULL, REGS(pba_regs) },
};

const struct vd_space vd_bar0_space = {
	.name = "BAR0",
	.blocks = bar0_blocks,
	.nblocks = VD_COUNT(bar0_blocks),
	.size = VD_BAR0_SIZE,
	.nimage = VD_BAR0_REGS,
	.image = offsetof(struct vd, bar0),
};

/* Reset WQ: everything but the size goes back to its reset value. */
void vd_wqcfg_reset(struct vd *d, unsigned int wq)
{
	vd_block_reset(d, &vd_bar0_space, &bar0_blocks[B_WQCFG], wq, VD_KEEP_WQ);
}

void vd_bar0_read(struct vd *d, uint32_t off, void *buf, uint32_t len)
{
	vd_space_read(d, &vd_bar0_space, off, buf, len);
}

void vd_bar0_write(struct vd *d, uint32_t off, const void *buf, uint32_t len)
{
	vd_space_write(d, &vd_bar0_space, off, buf, len);
}
