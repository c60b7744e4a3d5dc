// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* Birth, resets and halt. */
#include "core.h"

#define VD_EINVAL	22

/*
 * GENCAP bits that a guest sees as the host has them. Not among them: block on
 * fault, inter-domain, the message store and a log that may overflow.
 */
#define GENCAP_COPY	(1ull << 1 | 1ull << 2 | 1ull << 3)	/* overlap, cache control */
#define GENCAP_DSA	(1ull << 5 | 1ull << 7)			/* durable write, fetch stride */
#define GENCAP_READBACK	(1ull << 8 | 1ull << 9)			/* of destination, by drain */
#define GENCAP_OPS	(1ull << 10 | 1ull << 11 | 1ull << 12)	/* fill16, CRC64, fault info */
#define GENCAP_BATCH	(1ull << 15 | GENCAP_BATCH1)		/* continuation, one entry */
#define GENCAP_IAA	(1ull << 40 | 1ull << 41)		/* decompression, indexing */
#define GENCAP_ORDER	(1ull << 53 | 1ull << 54)		/* limits of strict ordering */
#define GENCAP_GUEST	(GENCAP_COPY | GENCAP_DSA | GENCAP_READBACK | GENCAP_OPS | \
			 GENCAP_BATCH | GENCAP_IAA | GENCAP_ORDER)

/* Opcodes 0x21 to 0x26 work on windows of other domains. */
#define OPCAP0_GUEST		(~(0x7eull << 32))

/* DSACAP0: operations that may be inter-domain */
#define DSACAP0_INTERDOMAIN	(0x7full << 8)

static bool is_possible(const struct vd_caps *c)
{
	unsigned int i, total = 0;

	if (c->kind != VD_DSA && c->kind != VD_IAA)
		return false;
	if (!c->nwqs || c->nwqs > VD_MAX_WQS || !c->version || c->version == 0xffffffffu)
		return false;
	for (i = 0; i < c->nwqs; i++) {
		if (!c->wq_size[i])
			return false;
		total += c->wq_size[i];
	}
	return total <= 0xffff;
}

static uint8_t smaller(uint8_t a, uint64_t b)
{
	return a < b ? a : (uint8_t)b;
}

/* From what the host has to what the guest is shown. */
static void limit_caps(struct vd_caps *c)
{
	c->max_xfer_shift = smaller(c->max_xfer_shift, c->gencap >> GENCAP_XFER_SHIFT & 0x1f);
	c->max_batch_shift = smaller(c->max_batch_shift, c->gencap >> GENCAP_BATCH_SHIFT & 0xf);
	if (c->kind == VD_IAA)
		c->max_batch_shift = 0;
	c->gencap &= GENCAP_GUEST;
	c->wqcap &= WQCAP_OPCFG;
	c->opcap[0] &= OPCAP0_GUEST;
	if (c->version < 0x300) {
		c->ext[1] = c->ext[2] = 0;
		if (c->kind == VD_DSA || c->version < 0x200)
			c->ext[0] = 0;
	}
	if (c->kind == VD_DSA)
		c->ext[0] &= ~DSACAP0_INTERDOMAIN;
}

/* Registers and what hangs on them; effects are the caller's. */
void vd_power_on(struct vd *d)
{
	vd_space_reset(d, &vd_config_space, 0);
	vd_space_reset(d, &vd_bar0_space, 0);
	d->cause_later = 0;
	d->live = 0;
}

int vd_init(struct vd *d, const struct vd_caps *caps, const struct vd_ops *ops, void *priv)
{
	if (!is_possible(caps))
		return -VD_EINVAL;
	if (!ops->cmd_start || !ops->stop || !ops->irq || !ops->irq_gate)
		return -VD_EINVAL;

	memset(d, 0, sizeof(*d));
	d->caps = *caps;
	d->ops = ops;
	d->priv = priv;
	limit_caps(&d->caps);
	vd_power_on(d);
	return 0;
}

/* A command in flight is forgotten: CMDSTS is idle again, its number is used up. */
void vd_reset(struct vd *d)
{
	vd_power_on(d);
	d->ops->stop(d->priv, VD_STOP_RESET);
	vd_msix_update(d);
}

/* Reset Device (table 9-3): the rows say what survives it. */
void vd_reset_device(struct vd *d)
{
	vd_space_reset(d, &vd_bar0_space, VD_KEEP_DEV);
	d->live = 0;
}

void vd_halt(struct vd *d)
{
	bool announce;

	if (vd_state(d) == VD_HALTED)
		return;

	announce = vd_cmd_cancel(d);
	vd_state_set(d, VD_HALTED);
	vd_wq_state_set(d, ~0u, VD_DISABLED);
	d->ops->stop(d->priv, VD_STOP_HALT);
	if (announce)
		vd_cause(d, CAUSE_CMD);
	if (vd_get32(d, R_GENCTRL) & GENCTRL_HALT)
		vd_cause(d, CAUSE_HALT);
}
