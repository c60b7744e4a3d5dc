/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers, locks, and what the administrative commands refuse. */
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
		EXPECT(rd64(pf, pf->wqcfg + 64 * i), 0);
		EXPECT(rd64(pf, pf->wqcfg + 64 * i + 8), 0);
		EXPECT(rd64(pf, pf->wqcfg + 64 * i + 24), 0);
		EXPECT(rd64(pf, pf->wqcfg + 64 * i + 32), rd64(pf, 0x40));
	}
	/* the vector table has one entry per queue and one more */
	EXPECT((pf_config_read16(pf, 0x82) & 0x7ff) + 1, wqs + 1);
}

static void access_widths(struct pf *pf)
{
	pf_cmd(pf, 5, 0);
	*(volatile uint8_t *)(pf->bar0 + 0x88) = 0xff;
	EXPECT(rd32(pf, 0x88), 7);
	*(volatile uint16_t *)(pf->bar0 + 0x8a) = 0xffff;
	EXPECT(rd32(pf, 0x88), 7);
	wr64(pf, 0xe0, 0x123456789abcdfffull);
	EXPECT(rd64(pf, 0xe0), 0x123456789abcd003ull);
	EXPECT(*(volatile uint8_t *)(pf->bar0 + 0xe7), 0x12);
	EXPECT(*(volatile uint16_t *)(pf->bar0 + 0xe4), 0x5678);
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
	wr32(pf, w + 32, 0);
	EXPECT(rd32(pf, w + 32), rd32(pf, 0x40));
	EXPECT(rd32(pf, w + 24) >> 30, 1);
	/* a queue that is not enabled may still change its mode, but not its size */
	wr32(pf, w + 64 + 8, 0xb1);
	EXPECT(rd32(pf, w + 64 + 8), 0xb1);
	wr32(pf, w + 64, 3);
	EXPECT(rd32(pf, w + 64), WQ_SIZE);
	wr64(pf, pf->grpcfg, 0);
	EXPECT(rd64(pf, pf->grpcfg), 3);
	wr32(pf, 0x80, 0);
	EXPECT(rd32(pf, 0x80) >> 13 & 1, 1);
	wr64(pf, 0xe8, 128);
	EXPECT(rd64(pf, 0xe8), 64);

	/* Reset WQ leaves the size alone */
	EXPECT(pf_cmd(pf, 10, 1), 0);
	EXPECT(rd32(pf, w), WQ_SIZE);
	EXPECT(rd32(pf, w + 4), 0);
	EXPECT(rd32(pf, w + 8), 0);
	EXPECT(rd32(pf, w + 12), 0);
	EXPECT(rd32(pf, w + 24) >> 30, 0);
	EXPECT(rd32(pf, w + 32), rd32(pf, 0x40));
	pf_stop(pf);
	EXPECT(rd32(pf, w), 0);
}

static void command_errors(struct pf *pf)
{
	pf_cmd(pf, 5, 0);
	wr32(pf, 0xc0, 3);
	EXPECT(pf_cmd(pf, 0, 0), 0x01);
	EXPECT(pf_cmd(pf, 15, 0), 0x01);
	EXPECT(pf_cmd(pf, 31, 0), 0x01);
	EXPECT(pf_cmd(pf, 1, 1), 0x04);
	EXPECT(pf_cmd(pf, 2, 0), 0x31);
	EXPECT(pf_cmd(pf, 6, 0), 0x20);
	EXPECT(pf_cmd(pf, 6, 0xff), 0x02);
	EXPECT(pf_cmd(pf, 8, 1), 0x32);
	EXPECT(pf_cmd(pf, 7, 1), 0x32);
	EXPECT(pf_cmd(pf, 10, 1), 0);
	EXPECT(pf_cmd(pf, 10, 0x80000), 0x02);
	EXPECT(pf_cmd(pf, 3, 0), 0);
	EXPECT(pf_cmd(pf, 4, 0), 0);
	EXPECT(pf_cmd(pf, 11, 5), 0);
	wr32(pf, 0xa0, 0x02500000);
	EXPECT(rd32(pf, 0xa8), 0x04);
	EXPECT(rd64(pf, 0xc0), 0);
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

/* One wrong thing each, and the error it must give. */
static const struct {
	const char *what;
	char table;			/* register, group, queue	*/
	uint32_t off;
	uint64_t val;
	uint32_t error;
} device_cases[] = {
	{ "sum of sizes", 'q', 0, 0xffff, 0x14 },
	{ "group without engines", 'g', 0x20, 0, 0x15 },
	{ "engines without queues", 'g', 0x40 + 0x20, 2, 0x15 },
	{ "active queue in no group", 'g', 0, 1, 0x16 },
	{ "queue in two groups", 'g', 0x40, 1, 0x16 },
	{ "size 0 in a group", 'q', 0, 0, 0x16 },
	{ "queue that does not exist", 'g', 0x8, 1, 0x16 },
	{ "engine that does not exist", 'g', 0x20, 1ull << 40, 0x17 },
	{ "too few read buffers allowed", 'g', 0x28, 3ull << 20, 0x18 },
	{ "more reserved than there are", 'g', 0x28, 0xffull << 8 | 96ull << 20, 0x18 },
	{ "log too small", 'r', 0xe8, 32, 0x19 },
	{ "log with privilege but no PASID", 'r', 0xe0, 0x1002, 0x1b },
};

static uint32_t table_of(struct pf *pf, char t)
{
	return t == 'q' ? pf->wqcfg : t == 'g' ? pf->grpcfg : 0;
}

static void device_errors(struct pf *pf)
{
	unsigned int i;

	for (i = 0; i < sizeof(device_cases) / sizeof(device_cases[0]); i++) {
		uint32_t off = table_of(pf, device_cases[i].table) + device_cases[i].off;

		pf_configure(pf, true);
		if (device_cases[i].table == 'q')
			wr32(pf, off, device_cases[i].val);
		else
			wr64(pf, off, device_cases[i].val);
		EXPECT_NAMED(device_cases[i].what, pf_cmd(pf, 1, 0), device_cases[i].error);
		EXPECT(rd32(pf, 0x90) & 3, 0);
	}
	pf_configure(pf, true);
	EXPECT(pf_cmd(pf, 1, 0), 0);
	EXPECT(pf_cmd(pf, 1, 0), 0x10);
	EXPECT(pf_cmd(pf, 2, 0), 0);
	pf_stop(pf);
}

static const struct {
	const char *what;
	unsigned int dword;
	uint32_t val, error;
} wq_cases[] = {
	{ "priority 0", 2, 0x01, 0x23 },
	{ "shared without PASID", 2, 0xa0, 0x26 },
	{ "batch shift 0", 3, 20, 0x27 },
	{ "batch too large", 3, 20 | 15 << 5, 0x27 },
	{ "occupancy vector", 4, 0xffff, 0x2b },
	{ "occupancy vector in IMS", 4, 1 << 16 | 0xffff, 0x2b },
	{ "operation that does not exist", 9, ~0u, 0x2d },
	{ "PRS off without log", 2, 0xa9, 0x2e },
};

static void wq_errors(struct pf *pf)
{
	unsigned int i;

	for (i = 0; i < sizeof(wq_cases) / sizeof(wq_cases[0]); i++) {
		pf_configure(pf, false);
		EXPECT(pf_cmd(pf, 1, 0), 0);
		wr32(pf, pf->wqcfg + 4 * wq_cases[i].dword, wq_cases[i].val);
		EXPECT_NAMED(wq_cases[i].what, pf_cmd(pf, 6, 0), wq_cases[i].error);
		EXPECT(rd32(pf, pf->wqcfg + 24) >> 30, 0);
	}

	/* these two depend on what the kernel switched on */
	pf_configure(pf, false);
	EXPECT(pf_cmd(pf, 1, 0), 0);
	wr32(pf, pf->wqcfg + 8, 0xa1 | 1 << 28);
	EXPECT(pf_cmd(pf, 6, 0), pf_pasid_on(pf) ? 0 : 0x26);
	wr32(pf, pf->wqcfg + 64 + 8, 0xa3);
	EXPECT(pf_cmd(pf, 6, 1), pf_pri_on(pf) ? 0 : 0x25);
	pf_start(pf, false);
	EXPECT(pf_cmd(pf, 6, 0), 0x21);
	EXPECT(pf_cmd(pf, 6, 2), 0x22);
	EXPECT(pf_cmd(pf, 8, 3), 0x32);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	EXPECT(pf_cmd(pf, 7, 1), 0);
	EXPECT(rd32(pf, pf->wqcfg + 8), 0xa1);
	EXPECT(pf_cmd(pf, 6, 0), 0);
	pf_stop(pf);
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
	{ "command errors", command_errors },
	{ "command interrupt", command_interrupt },
	{ "Enable Device errors", device_errors },
	{ "Enable WQ errors", wq_errors },
	{ "bus master off, halt, FLR", bus_master_off },
	{ "IMS table", ims_table },
	{ 0 }
};
