// SPDX-License-Identifier: GPL-2.0-or-later
/* The migration image: saved in any state, damaged in any way, loaded. */
#include <string.h>

#include "../unit/core-image.h"
#include "fuzz.h"

static uint8_t image[VD_IMAGE_SIZE + 8];

static uint32_t damage(struct owner *o)
{
	unsigned int n = (unsigned int)take(o, 1) & 7;
	uint32_t len = VD_IMAGE_SIZE;

	if (!n)
		return (uint32_t)take(o, 2) % sizeof(image);
	while (n--)
		image[take(o, 2) % VD_IMAGE_SIZE] = (uint8_t)take(o, 1);
	if (take(o, 1) & 7)
		seal(image);
	return len;
}

/* What loading changes, in a register's bits, is taken away. */
static void blank(uint8_t *img)
{
	unsigned int v;

	memset(img + SUM, 0, 8);
	memset(img + LIVE, 0, 2);
	img[CONFIG + 0x83] &= 0x7f;
	img[BAR0 + R_INTCAUSE + 3] &= 0x7f;
	memset(img + BAR0 + R_PBA, 0, 8);
	for (v = 0; v < VD_MAX_VECTORS; v++)
		img[BAR0 + R_MSIX + 16 * v + 12] = 0;
}

/* What is accepted is what one gets. */
static void compare(struct owner *o)
{
	static uint8_t again[VD_IMAGE_SIZE];

	MUST(!vd_save(&o->d, again));
	blank(image);
	blank(again);
	MUST(!memcmp(again, image, sizeof(again)));
}

/* Guest and VMM go on with the device where the image is loaded: this one, after a reset. */
static void migrate(struct owner *o, bool whole)
{
	static struct vd was, spare;
	uint32_t len = VD_IMAGE_SIZE;
	unsigned int wq;
	int r;

	r = vd_save(&o->d, image);
	MUST(r == (o->pending ? VD_IMAGE_BUSY : 0));
	if (r < 0) {
		was = o->d;
		MUST(vd_restore(&o->d, &spare, image, 0) < 0);
		MUST(!memcmp(&was, &o->d, sizeof(was)));
		return;
	}
	if (!whole)
		len = damage(o);
	vd_reset(&o->d);
	was = o->d;
	r = vd_restore(&o->d, &spare, image, len);
	MUST(!whole || !r);
	if (r < 0) {
		MUST(!memcmp(&was, &o->d, sizeof(was)));
		return;
	}
	for (wq = 0; wq < vd_wqs(&o->d); wq++)
		if (vd_wq_state(&o->d, wq) != VD_DISABLED)
			o->wqs |= 1u << wq;
	MUST(!o->d.live);
	compare(o);
}

static void migrates(struct owner *o)
{
	migrate(o, true);
}

static void migrates_damaged(struct owner *o)
{
	migrate(o, false);
}

/* Bytes that never were an image. */
static void loads_noise(struct owner *o)
{
	static struct vd was, spare;
	unsigned int i, n = (unsigned int)take(o, 1);

	if (o->pending)
		return;
	for (i = 0; i < n; i++)
		image[i] = (uint8_t)take(o, 1);
	was = o->d;
	MUST(vd_restore(&o->d, &spare, image, n) == (n < 24 ? VD_IMAGE_TRUNCATED :
						     vd_load(image, 8) != 0x56444d2d44584449ull ||
						     !vd_load(image + 8, 4) ? VD_IMAGE_FOREIGN :
						     vd_load(image + 8, 4) > 1 ? VD_IMAGE_NEWER :
						     vd_load(image + 12, 4) > VD_IMAGE_SIZE ?
						     VD_IMAGE_LARGER :
						     vd_load(image + 12, 4) < VD_IMAGE_SIZE ?
						     VD_IMAGE_CORRUPT : VD_IMAGE_TRUNCATED));
	MUST(!memcmp(&was, &o->d, sizeof(was)));
}

/* A device of another kind, or with one queue more, refuses it. */
static void migrates_elsewhere(struct owner *o)
{
	static struct owner other;
	static struct vd spare, was;
	struct vd_caps caps = o->caps;

	if (vd_save(&o->d, image) < 0)
		return;
	if (take(o, 1) & 1)
		caps.nwqs = (uint8_t)(caps.nwqs % VD_MAX_WQS + 1);
	else
		caps.kind = caps.kind == VD_DSA ? VD_IAA : VD_DSA;
	memset(&other, 0, sizeof(other));
	owner_init(&other, &caps);
	was = other.d;
	MUST(vd_restore(&other.d, &spare, image, VD_IMAGE_SIZE) == VD_IMAGE_CAPS);
	MUST(!memcmp(&was, &other.d, sizeof(was)));
}

const struct fuzz_step fuzz_steps[] = {
	{ 28, migrates },
	{ 48, migrates_damaged },
	{ 4, loads_noise },
	{ 4, migrates_elsewhere },
	{ 24, guest_bar0 },
	{ 48, guest_command },
	{ 12, guest_config },
	{ 8, guest_acknowledges },
	{ 4, guest_masks },
	{ 24, guest_sets_up },
	{ 24, host_completes },
	{ 8, host_connects },
	{ 8, host_interrupts },
	{ 4, host_swerr },
	{ 4, host_halts },
	{ 4, host_pauses },
};

const unsigned int fuzz_nsteps = VD_COUNT(fuzz_steps);
