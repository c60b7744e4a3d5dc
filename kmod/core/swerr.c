// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* The software error record and the interrupt cause register. */
#include "core.h"

/*
 * Linux handles a halt and nothing else when both are set in one read, and then
 * whoever waits for the command hangs. So the second one waits for the first.
 */
static uint32_t rival(uint32_t cause)
{
	switch (cause) {
	case CAUSE_HALT:
		return CAUSE_CMD;
	case CAUSE_CMD:
		return CAUSE_HALT;
	}
	return 0;
}

void vd_cause(struct vd *d, uint32_t cause)
{
	uint32_t now = vd_get32(d, R_INTCAUSE);

	if (now & rival(cause)) {
		d->cause_later |= cause;
		return;
	}
	vd_set32(d, R_INTCAUSE, now | cause);
	vd_irq_pending(d, 0);
}

void vd_cause_post(struct vd *d, const struct vd_write *w)
{
	uint32_t later = d->cause_later;

	d->cause_later = 0;
	if (later & CAUSE_CMD)
		vd_cause(d, CAUSE_CMD);
	if (later & CAUSE_HALT)
		vd_cause(d, CAUSE_HALT);
}

/* One record: while it is valid, a new error only sets the overflow bit. */
static void record(struct vd *d, const uint64_t rec[4])
{
	uint64_t now = vd_get64(d, R_SWERROR);
	unsigned int i;

	if (now & SWERR_VALID) {
		vd_set64(d, R_SWERROR, now | SWERR_OVERFLOW);
		return;
	}
	for (i = 1; i < 4; i++)
		vd_set64(d, R_SWERROR + 8 * i, rec[i]);
	vd_set64(d, R_SWERROR, rec[0] | SWERR_VALID);
	if (vd_get32(d, R_GENCTRL) & GENCTRL_SWERR)
		vd_cause(d, CAUSE_SWERR);
}

void vd_swerr_code(struct vd *d, uint8_t code)
{
	const uint64_t rec[4] = { (uint64_t)code << SWERR_CODE_SHIFT };

	record(d, rec);
}

void vd_swerr(struct vd *d, const uint64_t rec[4])
{
	uint64_t clean[4] = { rec[0] & SWERR_RECORD0, rec[1] & SWERR_RECORD1, rec[2], 0 };

	if ((clean[0] >> SWERR_WQ_SHIFT & 0xff) >= d->caps.nwqs)
		clean[0] &= ~(0xffull << SWERR_WQ_SHIFT | SWERR_WQ_VALID);
	record(d, clean);
}
