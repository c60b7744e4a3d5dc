/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With the property lab-page=on, page 0xd000 of BAR0 lets the software that drives the function
 * cause what it could not otherwise. Hardware has no such page. Writes take effect at once.
 */
#include "qemu/osdep.h"
#include "model.h"

#define MAGIC	0x4442414c	/* "LABD" */

enum {
	L_MAGIC = 0x00,
	L_REVOKE = 0x04,	/* W: all interrupt handles are revoked				*/
	L_HALT = 0x08,		/* W: halt, asking for reset 0..3				*/
	L_HOLD = 0x0c,		/* RW: 1: no descriptor leaves its queue			*/
	L_DELAY = 0x10,		/* RW: nanoseconds that each descriptor is held back		*/
	L_CMD_ERROR = 0x14,	/* RW: the next command only ends with this code, once		*/
	L_CMD_DELAY = 0x18,	/* RW: nanoseconds that each command takes at least		*/
	L_STATUS = 0x1c,	/* RW: [7:0] status of the next descriptors instead of running	*/
	L_STATUS_COUNT = 0x20,	/* RW: of how many						*/
	L_END = 0x24,
};

uint32_t labpage_read(IdxdLab *d, uint32_t off)
{
	if (!d->lab_page || off >= L_END)
		return 0;
	return off == L_MAGIC ? MAGIC : d->lab[off / 4];
}

void labpage_write(IdxdLab *d, uint32_t off, uint32_t val)
{
	if (!d->lab_page || off == L_MAGIC || off >= L_END)
		return;

	switch (off) {
	case L_REVOKE:
		if (d->handles)
			inject_revoke(d);
		return;
	case L_HALT:
		device_halt(d, val & 3);
		return;
	}
	d->lab[off / 4] = val;
	engine_kick(d);
}

/* FLR and power-on; the command Reset Device leaves the page alone. */
void labpage_reset(IdxdLab *d)
{
	memset(d->lab, 0, sizeof(d->lab));
}

bool labpage_holds(const IdxdLab *d)
{
	return d->lab[L_HOLD / 4] & 1;
}

uint64_t labpage_delay_ns(const IdxdLab *d)
{
	return d->lab[L_DELAY / 4];
}

uint64_t labpage_cmd_delay_ns(const IdxdLab *d)
{
	return d->lab[L_CMD_DELAY / 4];
}

uint8_t labpage_cmd_error(IdxdLab *d)
{
	uint8_t e = d->lab[L_CMD_ERROR / 4];

	d->lab[L_CMD_ERROR / 4] = 0;
	return e;
}

/* The status that a descriptor about to be checked shall end with, or 0. */
uint8_t labpage_status(IdxdLab *d)
{
	if (!d->lab[L_STATUS_COUNT / 4])
		return 0;
	d->lab[L_STATUS_COUNT / 4]--;
	return d->lab[L_STATUS / 4];
}
