// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The device as bytes, for migration. What was saved is loaded whole or not at all,
 * and nothing is loaded that a guest could not have brought about by itself.
 *
 * All fields are little-endian. Masks of vectors are not saved: they follow the
 * eventfds that the VMM connects at the destination.
 */
#include "core.h"

#define MAGIC		0x56444d2d44584449ull	/* "IDXD-MDV" */
#define VERSION		1u

#define I_MAGIC		0
#define I_VERSION	8
#define I_SIZE		12
#define I_SUM		16			/* over all that follows it */
#define I_CAPS		24
#define I_LATER		128
#define I_LIVE		132
#define I_ZERO		134
#define I_CONFIG	136
#define I_BAR0		(I_CONFIG + VD_CONFIG_REGS)
#define I_END		(I_BAR0 + VD_BAR0_REGS)

_Static_assert(I_END == VD_IMAGE_SIZE, "an image of version 1 never changes its size");

/* FNV-1a */
static uint64_t checksum(const uint8_t *at, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325ull;

	while (len--)
		sum = (sum ^ *at++) * 0x100000001b3ull;
	return sum;
}

static uint8_t *put(uint8_t *at, unsigned int n, uint64_t val)
{
	vd_store(at, n, val);
	return at + n;
}

/* What the guest was promised, which the destination must promise too. */
static void put_caps(uint8_t *at, const struct vd_caps *c)
{
	unsigned int i;

	at = put(at, 1, c->kind);
	at = put(at, 1, c->nwqs);
	at = put(at, 1, c->revision);
	at = put(at, 1, c->max_xfer_shift);
	at = put(at, 1, c->max_batch_shift);
	at = put(at, 1, c->read_buffers);
	at = put(at, 2, c->device);
	at = put(at, 8, c->version);
	at = put(at, 8, c->gencap);
	at = put(at, 8, c->wqcap);
	for (i = 0; i < 4; i++)
		at = put(at, 8, c->opcap[i]);
	for (i = 0; i < 3; i++)
		at = put(at, 8, c->ext[i]);
	for (i = 0; i < VD_MAX_WQS; i++)
		at = put(at, 2, i < c->nwqs ? c->wq_size[i] : 0);
}

int vd_save(const struct vd *d, void *ret_image)
{
	uint8_t *at = ret_image;
	unsigned int v;

	if (vd_cmd_is_active(d))
		return VD_IMAGE_BUSY;

	memset(at, 0, VD_IMAGE_SIZE);
	vd_store(at + I_MAGIC, 8, MAGIC);
	vd_store(at + I_VERSION, 4, VERSION);
	vd_store(at + I_SIZE, 4, VD_IMAGE_SIZE);
	put_caps(at + I_CAPS, &d->caps);
	vd_store(at + I_LATER, 4, d->cause_later);
	vd_store(at + I_LIVE, 2, d->live);
	memcpy(at + I_CONFIG, d->config, VD_CONFIG_REGS);
	memcpy(at + I_BAR0, d->bar0, VD_BAR0_REGS);
	for (v = 0; v < vd_vectors(d); v++)
		vd_store(at + I_BAR0 + R_MSIX + v * MSIX_STRIDE + MSIX_CTRL, 4, MSIX_CTRL_MASK);
	vd_store(at + I_SUM, 8, checksum(at + I_CAPS, VD_IMAGE_SIZE - I_CAPS));
	return 0;
}

/* ---- is it an image, whole, and of a device like this one? -------------------- */

static int check_head(const struct vd *d, const uint8_t *at, size_t len)
{
	uint8_t caps[I_LATER - I_CAPS] = { 0 };
	uint64_t size;

	if (len < I_CAPS)
		return VD_IMAGE_TRUNCATED;
	if (vd_load(at + I_MAGIC, 8) != MAGIC || !vd_load(at + I_VERSION, 4))
		return VD_IMAGE_FOREIGN;
	if (vd_load(at + I_VERSION, 4) > VERSION)
		return VD_IMAGE_NEWER;

	size = vd_load(at + I_SIZE, 4);
	if (size > VD_IMAGE_SIZE || len > VD_IMAGE_SIZE)
		return VD_IMAGE_LARGER;
	if (size < VD_IMAGE_SIZE)
		return VD_IMAGE_CORRUPT;
	if (len < size)
		return VD_IMAGE_TRUNCATED;
	if (vd_load(at + I_SUM, 8) != checksum(at + I_CAPS, len - I_CAPS))
		return VD_IMAGE_CORRUPT;

	put_caps(caps, &d->caps);
	return memcmp(caps, at + I_CAPS, sizeof(caps)) ? VD_IMAGE_CAPS : 0;
}

/* ---- could a guest have brought it about? ------------------------------------- */

#define CAUSES	(CAUSE_SWERR | CAUSE_CMD | CAUSE_HALT | CAUSE_REVOKED)
#define ALL64	(~0ull)

/* Bits of BAR0 that only the device changes. */
static const struct {
	uint32_t off, stride, count;
	uint64_t bits;
} device_bits[] = {
	{ R_GENSTS, 0, 1, GENSTS_STATE | GENSTS_RESET_FLR },
	{ R_INTCAUSE, 0, 1, CAUSES },
	{ R_CMDSTS, 0, 1, 0xffffff },
	{ R_SWERROR, 0, 1, SWERR_RECORD0 | SWERR_VALID | SWERR_OVERFLOW },
	{ R_SWERROR + 8, 0, 1, SWERR_RECORD1 },
	{ R_SWERROR + 16, 0, 1, ALL64 },
	{ R_WQCFG + WQ_STATE, WQCFG_STRIDE, VD_MAX_WQS, 1ull << WQ_STATE_SHIFT },
	{ R_PBA, 0, 1, (1ull << VD_MAX_VECTORS) - 1 },
};

static uint64_t bar0_device_bits(uint32_t off)
{
	unsigned int i, n;

	for (i = 0; i < VD_COUNT(device_bits); i++)
		for (n = 0; n < device_bits[i].count; n++)
			if (off == device_bits[i].off + n * device_bits[i].stride)
				return device_bits[i].bits;
	return 0;
}

static uint64_t config_device_bits(uint32_t off)
{
	return 0;
}

/* One interrupt waits for the guest's answer to the other, or none waits. */
static bool causes_are_possible(const struct vd *d)
{
	uint32_t now = vd_get32(d, R_INTCAUSE);

	switch (d->cause_later) {
	case 0:
		return (now & (CAUSE_CMD | CAUSE_HALT)) != (CAUSE_CMD | CAUSE_HALT);
	case CAUSE_CMD:
		return (now & (CAUSE_CMD | CAUSE_HALT)) == CAUSE_HALT;
	case CAUSE_HALT:
		return (now & (CAUSE_CMD | CAUSE_HALT)) == CAUSE_CMD;
	}
	return false;
}

static bool reports_are_possible(const struct vd *d)
{
	uint32_t sts = vd_get32(d, R_CMDSTS);

	if (sts & 0xff && sts >> CMDSTS_RESULT_SHIFT)
		return false;
	if ((vd_get64(d, R_SWERROR) >> SWERR_WQ_SHIFT & 0xff) >= d->caps.nwqs)
		return false;
	return !(vd_get64(d, R_PBA) >> vd_vectors(d)) && vd_pm_is_possible(d) &&
	       !(d->live & 1) && !(d->live >> vd_vectors(d));
}

/* Both enable commands would succeed once more. Puts the states back. */
static bool states_are_possible(struct vd *d)
{
	uint32_t on = vd_wqs_enabled(d), gensts = vd_get32(d, R_GENSTS);
	bool possible = true;
	unsigned int wq;

	if (gensts == VD_ENABLED)
		possible = vd_dev_check(d) == E_OK;
	else if (gensts != VD_DISABLED && gensts != (VD_HALTED | GENSTS_RESET_FLR))
		return false;
	if (on && gensts != VD_ENABLED)
		return false;

	vd_wq_state_set(d, on, VD_DISABLED);
	for (wq = 0; wq < d->caps.nwqs; wq++)
		if (on & 1u << wq && vd_wq_check(d, wq) != E_OK)
			possible = false;
	vd_wq_state_set(d, on, VD_ENABLED);
	return possible;
}

/* @d is in its power-on state, and becomes the device of the image if that is one. */
static bool try(struct vd *d, const uint8_t *at)
{
	if (!vd_space_fits(d, &vd_config_space, at + I_CONFIG, config_device_bits) ||
	    !vd_space_fits(d, &vd_bar0_space, at + I_BAR0, bar0_device_bits) ||
	    vd_load(at + I_ZERO, 2))
		return false;

	memcpy(d->config, at + I_CONFIG, VD_CONFIG_REGS);
	memcpy(d->bar0, at + I_BAR0, VD_BAR0_REGS);
	d->cause_later = (uint32_t)vd_load(at + I_LATER, 4);
	d->live = (uint16_t)vd_load(at + I_LIVE, 2);
	return causes_are_possible(d) && reports_are_possible(d) && states_are_possible(d);
}

/*
 * The host's handles are gone: the guest must ask for new ones. An interrupt that
 * was on its way when the device was saved may be lost, and one too many does no
 * harm: whatever could have been on its way is sent again.
 */
static void arrive(struct vd *d)
{
	uint64_t again = d->live | (vd_get32(d, R_INTCAUSE) ? 1 : 0);
	bool revoked = d->live && vd_state(d) != VD_HALTED;

	d->live = 0;
	vd_set64(d, R_PBA, vd_get64(d, R_PBA) | again);
	vd_msix_follow(d);
	vd_msix_update(d);
	if (revoked)
		vd_cause(d, CAUSE_REVOKED);
}

int vd_image_check(const struct vd *d, struct vd *spare, const void *image, size_t len)
{
	int r = check_head(d, image, len);

	if (r < 0)
		return r;

	*spare = *d;
	spare->connected = 0;
	vd_power_on(spare);
	return try(spare, image) ? 0 : VD_IMAGE_STATE;
}

int vd_restore(struct vd *d, struct vd *spare, const void *image, size_t len)
{
	int r;

	if (vd_cmd_is_active(d))
		return VD_IMAGE_BUSY;
	r = vd_image_check(d, spare, image, len);
	if (r < 0)
		return r;

	memcpy(d->config, spare->config, VD_CONFIG_REGS);
	memcpy(d->bar0, spare->bar0, VD_BAR0_REGS);
	d->cause_later = spare->cause_later;
	d->live = spare->live;
	arrive(d);
	return 0;
}
