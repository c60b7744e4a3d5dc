// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * PCI configuration space: an RCiEP with FLR, MSI-X and power management, and
 * without PASID, ATS and PRI (7.5.3, appendix C).
 */
#include "core.h"

#define C_COMMAND	0x04
#define C_BAR0		0x10
#define C_BAR2		0x18
#define C_CAPPTR	0x34
#define C_PCIE		0x40
#define C_DEVCTL	(C_PCIE + 0x08)
#define C_MSIX		0x80
#define C_MSIXCTL	(C_MSIX + 0x02)
#define C_PM		0x90

#define COMMAND_MASTER	(1u << 2)
#define COMMAND_RW	0x0146u		/* memory, bus master, parity, SERR */
#define BAR_MEM64_PREF	0xcu
#define BAR_ADDR(size)	(0xffffffffu & ~((size) - 1))
#define DEVCTL_FLR	(1u << 15)
#define PMCSR_STATE	0x3u
#define PMCSR_D3HOT	3u

bool vd_is_busmaster(const struct vd *d)
{
	return vd_load(d->config + C_COMMAND, 2) & COMMAND_MASTER;
}

uint16_t vd_msix_control(const struct vd *d)
{
	return (uint16_t)vd_load(d->config + C_MSIXCTL, 2);
}

void vd_msix_control_set(struct vd *d, uint16_t control)
{
	vd_store(d->config + C_MSIXCTL, 2, control);
}

uint64_t vd_bar_size(const struct vd *d, unsigned int bar)
{
	uint64_t size = VD_PORTAL_SIZE;

	if (bar == 0)
		return VD_BAR0_SIZE;
	if (bar != 2)
		return 0;
	while (size < (uint64_t)VD_PORTAL_SIZE * d->caps.nwqs)
		size *= 2;
	return size;
}

/* D1 and D2 do not exist. */
bool vd_pm_is_possible(const struct vd *d)
{
	uint64_t state = vd_load(d->config + C_PM + 4, 2) & PMCSR_STATE;

	return !state || state == PMCSR_D3HOT;
}

/* ---- values and effects ---------------------------------------------------- */

static uint64_t device_value(const struct vd *d, unsigned int idx)
{
	return d->caps.device;
}

static uint64_t revision_value(const struct vd *d, unsigned int idx)
{
	return d->caps.revision;
}

static uint64_t bar2_bits(const struct vd *d, unsigned int idx)
{
	return ~(vd_bar_size(d, 2) - 1);
}

/* Clearing bus master in a device that is not Disabled halts it (appendix C). */
static void command_post(struct vd *d, const struct vd_write *w)
{
	bool lost = w->old & ~w->now & COMMAND_MASTER;

	vd_msix_update(d);
	if (!lost || vd_state(d) == VD_DISABLED || vd_state(d) == VD_HALTED)
		return;
	vd_swerr_code(d, E_PCI_CONFIG);
	vd_halt(d);
}

static void devctl_post(struct vd *d, const struct vd_write *w)
{
	if (w->val & DEVCTL_FLR)
		vd_reset(d);
}

static void msixctl_post(struct vd *d, const struct vd_write *w)
{
	vd_msix_update(d);
}

/* A write of what does not exist is dropped. D3hot keeps the state. */
static void pmcsr_post(struct vd *d, const struct vd_write *w)
{
	if (!vd_pm_is_possible(d))
		vd_store(d->config + C_PM + 4, 2, w->old);
}

/* ---- the table ------------------------------------------------------------- */

static const struct vd_reg config_regs[] = {
	/* name        off           size keep reset       rw          w1c     value */
	/*     unlocked   post */
	{ "VENDOR",    0x00,         2,   0,   0x8086,     0,          0,      NULL,
	       NULL,      NULL },
	{ "DEVICE",    0x02,         2,   0,   0,          0,          0,      device_value,
	       NULL,      NULL },
	{ "COMMAND",   C_COMMAND,    2,   0,   0,          COMMAND_RW, 0,      NULL,
	       NULL,      command_post },
	{ "STATUS",    0x06,         2,   0,   0x0010,     0,          0xf900, NULL,
	       NULL,      NULL },
	{ "REVISION",  0x08,         1,   0,   0,          0,          0,      revision_value,
	       NULL,      NULL },
	{ "CLASS",     0x0a,         2,   0,   0x0880,     0,          0,      NULL,
	       NULL,      NULL },
	{ "CACHELINE", 0x0c,         1,   0,   0,          0xff,       0,      NULL,
	       NULL,      NULL },
	{ "BAR0",      C_BAR0,       4,   0,   BAR_MEM64_PREF, BAR_ADDR(VD_BAR0_SIZE), 0, NULL,
	       NULL,      NULL },
	{ "BAR1",      C_BAR0 + 4,   4,   0,   0,          0xffffffff, 0,      NULL,
	       NULL,      NULL },
	{ "BAR2",      C_BAR2,       4,   0,   BAR_MEM64_PREF, BAR_ADDR(VD_PORTAL_SIZE), 0, NULL,
	       bar2_bits, NULL },
	{ "BAR3",      C_BAR2 + 4,   4,   0,   0,          0xffffffff, 0,      NULL,
	       NULL,      NULL },
	{ "SUBVENDOR", 0x2c,         2,   0,   0x8086,     0,          0,      NULL,
	       NULL,      NULL },
	{ "CAPPTR",    C_CAPPTR,     1,   0,   C_PCIE,     0,          0,      NULL,
	       NULL,      NULL },
	{ "INTLINE",   0x3c,         1,   0,   0,          0xff,       0,      NULL,
	       NULL,      NULL },
	/* PCI Express, version 2, root complex integrated endpoint, FLR */
	{ "PCIECAP",   C_PCIE,       4,   0,   0x00920010 | C_MSIX << 8, 0, 0, NULL,
	       NULL,      NULL },
	{ "DEVCAP",    C_PCIE + 0x4, 4,   0,   0x10008022, 0,          0,      NULL,
	       NULL,      NULL },
	{ "DEVCTL",    C_DEVCTL,     2,   0,   0x2910,     0x79ff,     0,      NULL,
	       NULL,      devctl_post },
	{ "DEVSTS",    C_PCIE + 0xa, 2,   0,   0,          0,          0x000f, NULL,
	       NULL,      NULL },
	/* MSI-X */
	{ "MSIXCAP",   C_MSIX,       2,   0,   0x0011 | C_PM << 8, 0,  0,      NULL,
	       NULL,      NULL },
	{ "MSIXCTL",   C_MSIXCTL,    2,   0,   0,          MSIX_RW,    0,    vd_msix_control_reset,
	       NULL,      msixctl_post },
	{ "MSIXTAB",   C_MSIX + 0x4, 4,   0,   VD_MSIX_TABLE | VD_MSIX_BAR, 0, 0, NULL,
	       NULL,      NULL },
	{ "MSIXPBA",   C_MSIX + 0x8, 4,   0,   VD_MSIX_PBA | VD_MSIX_BAR, 0, 0, NULL,
	       NULL,      NULL },
	/* Power management, version 3; no soft reset on the way back from D3hot */
	{ "PMCAP",     C_PM,         4,   0,   0x00030001, 0,          0,      NULL,
	       NULL,      NULL },
	{ "PMCSR",     C_PM + 0x4,   2,   0,   0x0008,     PMCSR_STATE, 0,     NULL,
	       NULL,      pmcsr_post },
};

static const struct vd_block config_blocks[] = {
	{ "CONFIG", 0, VD_CONFIG_REGS, 1, NULL, config_regs, VD_COUNT(config_regs) },
};

const struct vd_space vd_config_space = {
	.name = "configuration space",
	.blocks = config_blocks,
	.nblocks = VD_COUNT(config_blocks),
	.size = VD_CONFIG_SIZE,
	.nimage = VD_CONFIG_REGS,
	.image = offsetof(struct vd, config),
};

void vd_config_read(struct vd *d, uint32_t off, void *buf, uint32_t len)
{
	vd_space_read(d, &vd_config_space, off, buf, len);
}

void vd_config_write(struct vd *d, uint32_t off, const void *buf, uint32_t len)
{
	vd_space_write(d, &vd_config_space, off, buf, len);
}
