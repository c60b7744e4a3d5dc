/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers and their locks, the halt. */
#include <string.h>
#include "pf.h"

static void reset_values(struct pf *pf)
{
	unsigned int wqs, i;

	EXPECT(pf_cmd(pf, 5, 0), 0);
	EXPECT(rd32(pf, 0x90), 0);
	EXPECT(rd32(pf, 0x98), 0);
	EXPECT(rd32(pf, 0x80) & 0xff, rd32(pf, 0x30) >> 8 & 0xff);
	EXPECT(rd32(pf, 0x88), 0);
	EXPECT(rd64(pf, 0xe0), 0);
	wqs = rd64(pf, 0x20) >> 16 & 0xff;
	for (i = 0; i < wqs; i++) {
		EXPECT(rd64(pf, wq_reg(pf, i)), 0);
		EXPECT(rd64(pf, wq_reg(pf, i) + 8), 0);
		EXPECT(rd64(pf, wq_reg(pf, i) + 24), 0);
		if (pf->wqcfg_size > 32)
			EXPECT(rd64(pf, wq_reg(pf, i) + 32), rd64(pf, 0x40));
	}
	/* the vector table has one entry per queue and one more */
	EXPECT((pf_config_read16(pf, 0x82) & 0x7ff) + 1, wqs + 1);
}

static void access_widths(struct pf *pf)
{
	pf_cmd(pf, 5, 0);
	*(volatile uint8_t *)(pf->bar0 + 0x88) = 0xff;
	EXPECT(rd32(pf, 0x88), pf->evl ? 7 : 3);
	*(volatile uint16_t *)(pf->bar0 + 0x8a) = 0xffff;
	EXPECT(rd32(pf, 0x88), pf->evl ? 7 : 3);
	wr64(pf, 0xe0, 0x123456789abcdfffull);
	EXPECT(rd64(pf, 0xe0), pf->evl ? 0x123456789abcd003ull : 0);
	EXPECT(*(volatile uint8_t *)(pf->bar0 + 0xe7), pf->evl ? 0x12 : 0);
	EXPECT(*(volatile uint16_t *)(pf->bar0 + 0xe4), pf->evl ? 0x5678 : 0);
	wr64(pf, 0xe000, 0x123456789abcdef0ull);
	EXPECT(rd64(pf, 0xe000), 0x123456789abcdef0ull);
	wr32(pf, 0x00, ~0u);
	wr64(pf, 0x10, ~0ull);
	EXPECT(rd32(pf, 0x00) & ~0xfffu, 0);
	EXPECT(rd32(pf, 0xa0), 0);
}

static void locks(struct pf *pf)
{
	uint32_t w = pf->wqcfg;

	if (pf_start(pf, true) < 0)
		return;
	wr32(pf, w, 1);
	EXPECT(rd32(pf, w), WQ_SIZE);
	wr32(pf, w + 4, 5);
	EXPECT(rd32(pf, w + 4), 5);
	wr32(pf, w + 8, 0xb0);
	EXPECT(rd32(pf, w + 8), 0xa1);
	wr32(pf, w + 12, 0);
	EXPECT(rd32(pf, w + 12), 20 | 5 << 5);
	if (pf->wqcfg_size > 32) {
		wr32(pf, w + 32, 0);
		EXPECT(rd32(pf, w + 32), rd32(pf, 0x40));
	}
	EXPECT(rd32(pf, w + 24) >> 30, 1);
	/* a queue that is not enabled may still change its mode, but not its size */
	wr32(pf, wq_reg(pf, 1) + 8, 0xb1);
	EXPECT(rd32(pf, wq_reg(pf, 1) + 8), 0xb1);
	wr32(pf, wq_reg(pf, 1), 3);
	EXPECT(rd32(pf, wq_reg(pf, 1)), WQ_SIZE);
	wr64(pf, pf->grpcfg, 0);
	EXPECT(rd64(pf, pf->grpcfg), 3);
	wr32(pf, 0x80, 0);
	EXPECT(rd32(pf, 0x80) >> 13 & 1, pf->evl);
	wr64(pf, 0xe8, 128);
	EXPECT(rd64(pf, 0xe8), pf->evl ? 64 : 0);

	/* Reset WQ leaves the size alone */
	EXPECT(pf_cmd(pf, 10, 1), 0);
	EXPECT(rd32(pf, w), WQ_SIZE);
	EXPECT(rd32(pf, w + 4), 0);
	EXPECT(rd32(pf, w + 8), 0);
	EXPECT(rd32(pf, w + 12), 0);
	EXPECT(rd32(pf, w + 24) >> 30, 0);
	if (pf->wqcfg_size > 32)
		EXPECT(rd32(pf, w + 32), rd32(pf, 0x40));
	pf_stop(pf);
	EXPECT(rd32(pf, w), 0);
}

static void command_interrupt(struct pf *pf)
{
	pf_cmd(pf, 5, 0);
	wr32(pf, 0x98, ~0u);
	pf_vector_clear(pf, 0);
	wr32(pf, 0xa0, 0x80400000);
	EXPECT(pf_vector_wait(pf, 0, 5000), 1);
	EXPECT(rd32(pf, 0xa8), 0);
	EXPECT(rd32(pf, 0x98), 2);
	wr32(pf, 0x98, 2);
	EXPECT(rd32(pf, 0x98), 0);
	EXPECT(pf_cmd(pf, 4, 0), 0);
	EXPECT(pf_vector_wait(pf, 0, 50), 0);
}

static void bus_master_off(struct pf *pf)
{
	pf_configure(pf, false);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) & ~4);
	EXPECT(pf_cmd(pf, 1, 0), 0x12);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) | 4);

	/* under a running device it is a halt, which only an FLR ends */
	EXPECT(pf_cmd(pf, 1, 0), 0);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) & ~4);
	EXPECT(rd32(pf, 0x90), 3 | 1 << 2);
	EXPECT(rd32(pf, 0xc0) >> 8 & 0xff, 0x51);
	EXPECT(pf_cmd(pf, 5, 0), 0x05);
	pf_flr(pf);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) | 6);
	EXPECT(rd32(pf, 0x90), 0);
	EXPECT(rd64(pf, 0xc0), 0);
	EXPECT(rd32(pf, 0xa8), 0);
}

static void ims_table(struct pf *pf)
{
	uint32_t e = pf->ims + 16 * 3;

	if (!(rd64(pf, 0x10) >> 25 & 0x3f)) {
		EXPECT(pf->ims, 0);
		return;
	}
	pf_cmd(pf, 5, 0);
	EXPECT(rd64(pf, e), 0xfee00000);
	EXPECT(rd32(pf, e + 12), 1);
	wr32(pf, e, 0x12345000);
	EXPECT(rd64(pf, e), 0xfee00000);
	wr32(pf, e, 0xfee01234);
	wr32(pf, e + 4, 1);
	EXPECT(rd64(pf, e), 0xfee01234);
	wr32(pf, e + 8, 0x4321);
	EXPECT(rd32(pf, e + 8), 0x4321);
	wr32(pf, e + 12, 0xabcde00f);
	EXPECT(rd32(pf, e + 12), 0xabcde00d);
	pf_cmd(pf, 5, 0);
	EXPECT(rd32(pf, e + 12), 1);
}

const struct test reg_tests[] = {
	{ "registers after reset", reset_values },
	{ "access widths", access_widths },
	{ "locks of an enabled device", locks },
	{ "command interrupt", command_interrupt },
	{ "bus master off, halt, FLR", bus_master_off },
	{ "IMS table", ims_table },
	{ 0 }
};
