/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random accesses, commands and descriptors, at full speed. No single answer is checked; a machine
 * that dies fails the run, and afterwards the function must still pass a plain copy after an FLR.
 */
#include <string.h>
#include "pf.h"

#define ROUNDS	20000u

uint64_t test_seed = 1;

static uint64_t state;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint32_t below(uint32_t n)
{
	return rnd() % n;
}

/* Mostly few bits, now and then anything. */
static uint64_t value(void)
{
	switch (below(4)) {
	case 0:
		return rnd();
	case 1:
		return below(64);
	case 2:
		return 1ull << below(64);
	}
	return rnd() & rnd() & rnd();
}

static uint32_t offset(struct pf *pf)
{
	switch (below(6)) {
	case 0:
		return below(0x18000);
	case 1:
		return pf->wqcfg + below(64 * 8);
	case 2:
		return pf->grpcfg + below(64 * 4);
	case 3:
		return pf->msixperm + below(8 * 9);
	case 4:
		return pf->ims ? pf->ims + below(4096) : 0x8000;
	}
	return below(0x200);
}

static void mmio(struct pf *pf)
{
	uint32_t off = offset(pf);
	volatile uint8_t *p = pf->bar0 + off;
	uint64_t v = value();

	/* the vectors' own table belongs to the kernel, holding the queues would last */
	if ((off >= 0x4000 && off < 0x6000) || (off >= LAB && off < 0xe000))
		return;
	switch (below(8)) {
	case 0:
		*p = v;
		break;
	case 1:
		*(volatile uint16_t *)(pf->bar0 + (off & ~1u)) = v;
		break;
	case 2:
	case 3:
		*(volatile uint32_t *)(pf->bar0 + (off & ~3u)) = v;
		break;
	case 4:
		*(volatile uint64_t *)(pf->bar0 + (off & ~7u)) = v;
		break;
	case 5:
		(void)*(volatile uint32_t *)(pf->bar0 + (off & ~3u));
		break;
	case 6:
		(void)*(volatile uint64_t *)(pf->bar0 + (off & ~7u));
		break;
	case 7:
		(void)*p;
		break;
	}
}

static uint64_t address(struct pf *pf)
{
	switch (below(8)) {
	case 0:
		return value();
	case 1:
		return pf_unmapped(pf) - below(8192);
	case 2:
		return (uintptr_t)pf->mem + below(PF_MEM) / 64 * 64;
	}
	return (uintptr_t)pf->mem + 65536 + below(1 << 20);
}

static void descriptor(struct pf *pf, struct desc *d)
{
	static const uint8_t ops[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 17, 18, 19, 20, 21, 23,
				       32 };
	uint32_t flags = below(3) ? CRAV | RCR : 0;

	if (!below(4))
		flags |= rnd() & 0xffffff;
	if (!below(4))
		flags |= RCI;
	memset(d, 0, sizeof(*d));
	d->ids = value();
	d->flags_op = flags | (uint32_t)(below(8) ? ops[below(sizeof(ops))] : below(256)) << 24;
	d->record = address(pf) & (below(8) ? ~31ull : ~0ull);
	d->src = address(pf);
	d->dst = address(pf);
	d->size = below(4) ? below(20000) : value();
	if (d->flags_op >> 24 == 1) {
		d->src &= ~63ull;
		d->size = below(40);
	}
	if (d->flags_op >> 24 == 7 || d->flags_op >> 24 == 8) {
		d->src &= ~7ull;
		d->dst &= ~7ull;
		d->size &= ~7u;
	}
	d->handle = below(4) ? below(10) : value();
	if (below(2)) {
		d->op[0] = below(2) ? address(pf) & ~7ull : below(100) * 10;
		d->op[1] = below(2) ? below(1000) * 10 : 0;
	}
	if (!below(16))
		d->op[below(3)] = value();
}

static void submission(struct pf *pf)
{
	struct desc d;
	unsigned int i;

	descriptor(pf, &d);
	/* leave lists of descriptors lying about for batches to find */
	for (i = 0; i < 4; i++)
		descriptor(pf, (struct desc *)(pf->mem + 65536 + (below(1 << 20) & ~63u)));
	if (below(16))
		movdir64b(pf->bar2 + below(2) * 0x4000 + below(4) * 0x1000 + below(64) * 64, &d);
	else
		*(volatile uint64_t *)(pf->bar2 + below(0x20000) / 8 * 8) = rnd();
}

static void wake_up(struct pf *pf, bool with_log)
{
	unsigned int i;

	pf_cmd(pf, 5, 0);
	if (rd32(pf, 0x90) & 3) {
		pf_flr(pf);
		pf_config_write16(pf, 4, pf_config_read16(pf, 4) | 6);
	}
	pf_start(pf, with_log);
	for (i = 0; i < 8; i++) {
		pf_cmd(pf, 13, i);
		pf_cmd(pf, 13, 1 << 16 | i);
	}
	pf_cmd(pf, 6, 1);
}

static void random_accesses(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(3), .size = 4096 };
	unsigned int i;

	state = 0x9e3779b97f4a7c15ull * (2 * test_seed + 1);
	for (i = 0; i < ROUNDS; i++) {
		if (!(i % 200))
			wake_up(pf, i / 200 % 2);
		if (below(4))
			submission(pf);
		else if (below(3))
			mmio(pf);
		else if (!below(4))
			wr32(pf, 0xa0, below(20) << 20 |
			     (below(2) ? below(4) : (value() & 0xfffff)));
	}

	pf_flr(pf);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) | 6);
	EXPECT(rd32(pf, 0x90), 0);
	pf_mem_reset(pf);
	r = pf_mem(pf, 4096);
	if (pf_start(pf, true) < 0)
		return;
	if (!(rd32(pf, 0x40) >> 3 & 1)) {
		struct desc noop = { .flags_op = OP(0) };

		EXPECT(pf_run(pf, &noop, r), 1);
		pf_stop(pf);
		return;
	}
	d.src = (uintptr_t)pf_mem(pf, 4096);
	d.dst = (uintptr_t)pf_mem(pf, 4096);
	memset((void *)(uintptr_t)d.src, 0x3c, 4096);
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(memcmp((void *)(uintptr_t)d.src, (void *)(uintptr_t)d.dst, 4096), 0);
	pf_stop(pf);
}

const struct test fuzz_tests[] = {
	{ "random accesses", random_accesses },
	{ 0 }
};
