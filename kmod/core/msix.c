// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * Vectors. A vector is open when it may be sent: an eventfd is connected, its
 * entry and the function are unmasked, MSI-X is enabled, the function is bus master
 * and the device is not paused. What arrives for a closed vector waits in the PBA,
 * even while MSI-X is disabled: VMMs switch everything off for a moment to change
 * their eventfds.
 */
#include "core.h"

static uint32_t entry_ctrl(unsigned int vector)
{
	return R_MSIX + vector * MSIX_STRIDE + MSIX_CTRL;
}

static bool may_send(const struct vd *d, unsigned int vector)
{
	if (d->paused)
		return false;
	if ((vd_msix_control(d) & (MSIX_ENABLE | MSIX_MASKALL)) != MSIX_ENABLE)
		return false;
	if (!vd_is_busmaster(d) || !(d->connected & 1u << vector))
		return false;
	return !(vd_get32(d, entry_ctrl(vector)) & MSIX_CTRL_MASK);
}

bool vd_irq_open(const struct vd *d, unsigned int vector)
{
	return vector < vd_vectors(d) && d->open & 1u << vector;
}

/* Tells the owner which vectors opened or closed, then sends what was waiting. */
void vd_msix_update(struct vd *d)
{
	uint16_t was = d->open;
	uint64_t send;
	unsigned int v;

	d->open = 0;
	for (v = 0; v < vd_vectors(d); v++)
		if (may_send(d, v))
			d->open |= (uint16_t)(1u << v);
	send = vd_get64(d, R_PBA) & d->open;
	vd_set64(d, R_PBA, vd_get64(d, R_PBA) & ~send);

	for (v = 1; v < vd_vectors(d); v++)
		if ((was ^ d->open) & 1u << v)
			d->ops->irq_gate(d->priv, v, d->open & 1u << v);
	for (v = 0; v < vd_vectors(d); v++)
		if (send & 1u << v)
			d->ops->irq(d->priv, v);
}

void vd_msix_post(struct vd *d, const struct vd_write *w)
{
	vd_msix_update(d);
}

void vd_irq_pending(struct vd *d, unsigned int vector)
{
	if (vector >= vd_vectors(d))
		return;
	if (vd_irq_open(d, vector))
		d->ops->irq(d->priv, vector);
	else
		vd_set64(d, R_PBA, vd_get64(d, R_PBA) | 1ull << vector);
}

/*
 * Enable follows the connections, too: an owner without a guest (a user space
 * driver) never writes the capability, because for a physical device the host
 * kernel does that.
 */
void vd_irq_connect(struct vd *d, unsigned int vector, bool on)
{
	uint16_t bit, control = vd_msix_control(d);

	if (vector >= vd_vectors(d))
		return;

	bit = (uint16_t)(1u << vector);
	d->connected = (uint16_t)(on ? d->connected | bit : d->connected & ~bit);
	vd_set32(d, entry_ctrl(vector), on ? 0 : MSIX_CTRL_MASK);
	vd_msix_control_set(d, (uint16_t)(d->connected ? control | MSIX_ENABLE :
							 control & ~MSIX_ENABLE));
	vd_msix_update(d);
}

/* What the host side has set up survives a reset of the guest's side. */
uint64_t vd_msix_entry_reset(const struct vd *d, unsigned int idx)
{
	return d->connected & 1u << idx ? 0 : MSIX_CTRL_MASK;
}

uint64_t vd_msix_control_reset(const struct vd *d, unsigned int idx)
{
	return (vd_vectors(d) - 1) | (d->connected ? MSIX_ENABLE : 0);
}

/* Registers came from elsewhere: what hangs on connections is made to fit them. */
void vd_msix_follow(struct vd *d)
{
	uint16_t enable = d->connected ? MSIX_ENABLE : 0;
	unsigned int v;

	for (v = 0; v < vd_vectors(d); v++)
		vd_set32(d, entry_ctrl(v), (uint32_t)vd_msix_entry_reset(d, v));
	vd_msix_control_set(d, (uint16_t)(vd_msix_control(d) | enable));
}

void vd_pause(struct vd *d, bool on)
{
	d->paused = on;
	vd_msix_update(d);
}
