// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest, a VMM and the host can do to the device, one step each. */
#include <string.h>

#include "fuzz.h"

static void write32(struct owner *o, uint32_t off, uint32_t val)
{
	uint8_t buf[4];

	vd_store(buf, 4, val);
	vd_bar0_write(&o->d, off, buf, 4);
}

/*
 * One access: what it does not cover stays as it was, but for the registers that
 * report what the device does. A command may change more, and so may an end of one.
 */
static void write_and_compare(struct owner *o, uint32_t off, const uint8_t *buf, uint32_t len)
{
	static const struct {
		uint32_t from, to;
	} quiet[] = {
		{ 0x000, R_GENSTS }, { 0x094, R_INTCAUSE }, { 0x09c, R_CMDSTS },
		{ 0x0ac, R_SWERROR }, { R_EVLCFG, R_WQCFG }, { R_WQCFG, R_PBA },
	};
	static struct vd was;
	unsigned long changes = o->changes;
	unsigned int i;
	uint32_t at;

	was = o->d;
	vd_bar0_write(&o->d, off, buf, len);
	if (o->changes != changes || (off < R_CMD + 4 && off + len > R_CMD))
		return;
	for (i = 0; i < VD_COUNT(quiet); i++)
		for (at = quiet[i].from; at < quiet[i].to; at++)
			MUST((at >= off && at < off + len) || o->d.bar0[at] == was.bar0[at]);
	MUST(!memcmp(o->d.config, was.config, sizeof(was.config)));
}

/* Each width that a processor has, at any offset, aligned or not. */
void guest_bar0(struct owner *o)
{
	uint32_t off = (uint32_t)take(o, 2) & 0xfff, len = 1u << (take(o, 1) & 3);
	uint8_t buf[8];

	vd_store(buf, 8, take(o, len));
	write_and_compare(o, off, buf, len);
}

/* What a VMM may pass on: any length, also across registers and over the end. */
void guest_bar0_wide(struct owner *o)
{
	uint32_t off = (uint32_t)take(o, 2) & 0x3fff, len = (uint32_t)take(o, 1) & 63, i;
	uint8_t buf[64];

	for (i = 0; i < len; i++)
		buf[i] = (uint8_t)take(o, 1);
	write_and_compare(o, off, buf, len);
}

void guest_command(struct owner *o)
{
	uint32_t code = take(o, 1) & 31, operand = (uint32_t)take(o, 2);

	if (code > 15)
		code -= 15;
	operand &= take(o, 1) & 1 ? 0xffff : code < 6 ? 0 : vd_vectors(&o->d);
	write32(o, R_CMD, code << 20 | operand | (uint32_t)(take(o, 1) & 1) << 31);
}

/* A well-meaning guest, so that enabled queues are common. */
void guest_sets_up(struct owner *o)
{
	unsigned int wq, n = vd_wqs(&o->d);
	const uint8_t master[2] = { 6 }, enable[2] = { 0, 0x80 };

	vd_config_write(&o->d, 0x04, master, 2);
	vd_config_write(&o->d, 0x82, enable, 2);
	write32(o, R_GENCTRL, take(o, 1) & 7);
	for (wq = 0; wq < n; wq++) {
		write32(o, R_WQCFG + 64 * wq, o->d.caps.wq_size[wq]);
		write32(o, R_WQCFG + 64 * wq + WQ_MODE, 0xa1);
		write32(o, R_WQCFG + 64 * wq + WQ_LIMITS, 21 | 5 << 5);
		write32(o, R_WQCFG + 64 * wq + WQ_OCC_HANDLE, 0);
	}
	for (wq = 0; wq < 12; wq++)
		write32(o, R_GRPCFG + 4 * wq, 0);
	write32(o, R_GRPCFG, (1u << n) - 1);
	write32(o, R_GRPCFG + GRP_ENGINES, 1);
	write32(o, R_EVLCFG, 0);
	write32(o, R_EVLCFG + 8, 64);
	write32(o, R_CMD, 1u << 20);
	write32(o, R_CMD, 6u << 20 | (uint32_t)(take(o, 1) % n));
}

/* An access to configuration space never touches BAR0, unless it stops the device. */
void guest_config(struct owner *o)
{
	uint32_t off = (uint32_t)take(o, 2) & 0x11ff, len = (uint32_t)take(o, 1) & 15, i;
	unsigned long changes = o->changes;
	static struct vd was;
	uint8_t buf[16];

	for (i = 0; i < len; i++)
		buf[i] = (uint8_t)take(o, 1);
	was = o->d;
	vd_config_write(&o->d, off, buf, len);
	if (o->changes != changes)
		return;
	MUST(!memcmp(o->d.bar0, was.bar0, R_PBA));
	for (i = 0; i < VD_CONFIG_REGS; i++)
		MUST((i >= off && i < off + len) || o->d.config[i] == was.config[i]);
}

/* Reading has no effect, stays in its buffer, and is the same in any width. */
void guest_reads(struct owner *o)
{
	uint32_t off = (uint32_t)take(o, 2) & 0x3fff, len = (uint32_t)take(o, 1) & 63, i;
	uint8_t buf[65], byte;
	static struct vd was;

	was = o->d;
	memset(buf, 0xa5, sizeof(buf));
	vd_bar0_read(&o->d, off, buf, len);
	MUST(buf[len] == 0xa5);
	for (i = 0; i < len; i++) {
		vd_bar0_read(&o->d, off + i, &byte, 1);
		MUST(byte == buf[i]);
		MUST(off + i < VD_BAR0_SIZE || byte == 0xff);
	}
	vd_config_read(&o->d, off, buf, len);
	MUST(buf[len] == 0xa5);
	for (i = 0; i < len; i++) {
		vd_config_read(&o->d, off + i, &byte, 1);
		MUST(byte == buf[i]);
		MUST(off + i < VD_CONFIG_SIZE || byte == 0xff);
	}
	MUST(!memcmp(&was, &o->d, sizeof(was)));
}

void guest_acknowledges(struct owner *o)
{
	write32(o, R_INTCAUSE, bar32(o, R_INTCAUSE));
	write32(o, R_SWERROR, bar32(o, R_SWERROR) & 3);
}

void guest_masks(struct owner *o)
{
	uint32_t vector = (uint32_t)(take(o, 1) % vd_vectors(&o->d));

	write32(o, VD_MSIX_TABLE + 12 + 16 * vector, take(o, 1) & 1);
}

void host_completes(struct owner *o)
{
	if (o->pending)
		owner_complete(o);
}

/* An owner that is late, or confused: never the number of the active command. */
void host_completes_late(struct owner *o)
{
	uint32_t seq = (uint32_t)take(o, 2);
	static struct vd was;

	was = o->d;
	if (o->pending && seq == o->cmd.seq)
		return;
	vd_cmd_done(&o->d, seq, (uint8_t)take(o, 1), 7);
	MUST(!memcmp(&was, &o->d, sizeof(was)));
}

void host_connects(struct owner *o)
{
	vd_irq_connect(&o->d, (unsigned int)take(o, 1) & 15, take(o, 1) & 3);
}

void host_interrupts(struct owner *o)
{
	vd_irq_pending(&o->d, (unsigned int)take(o, 1) & 15);
}

void host_swerr(struct owner *o)
{
	uint64_t rec[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		rec[i] = take(o, 8);
	vd_swerr(&o->d, rec);
	MUST(bar32(o, R_SWERROR) & SWERR_VALID);
}

void host_resets(struct owner *o)
{
	vd_reset(&o->d);
}

void host_halts(struct owner *o)
{
	vd_halt(&o->d);
	MUST(bar32(o, R_GENSTS) == 7);
}

void host_pauses(struct owner *o)
{
	vd_pause(&o->d, !(take(o, 1) & 7));
}
