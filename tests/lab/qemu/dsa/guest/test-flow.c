/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes beyond one descriptor: batches, draining, faults, interrupts, the log, resets. */
#include <string.h>
#include <unistd.h>
#include "pf.h"

static void batches(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096), *m = pf_mem(pf, 4096);
	struct desc *list = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536), *b = pf_mem(pf, 65536);
	struct desc d = { .flags_op = OP(1), .size = 32 };
	unsigned int i, bad = 0;

	if (pf_start(pf, false) < 0)
		return;
	memset(a, 0x77, 65536);
	for (i = 0; i < 32; i++) {
		list[i].flags_op = OP(3) | CRAV | RCR;
		list[i].record = (uintptr_t)&m[i];
		list[i].src = (uintptr_t)a;
		list[i].dst = (uintptr_t)b + 1024 * i;
		list[i].size = 1024;
	}
	d.src = (uintptr_t)list;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(r->bytes, 32);
	for (i = 0; i < 32; i++)
		bad += m[i].status != 1;
	EXPECT(bad, 0);
	EXPECT(memcmp(a, b, 32768), 0);

	/* one member fails; a Batch inside a batch is not an operation */
	memset(m, 0, 4096);
	list[3].size = 0;
	list[4].flags_op = OP(1) | CRAV | RCR;
	list[5].flags_op = OP(2) | CRAV | RCR;
	EXPECT(pf_run(pf, &d, r), 5);
	EXPECT(m[3].status, 0x13);
	EXPECT(m[4].status, 0x10);
	EXPECT(m[5].status, 0x10);
	EXPECT(m[31].status, 1);
	EXPECT(r->bytes, 32);

	/* with a fence after it the rest is abandoned */
	memset(m, 0, 4096);
	list[8].flags_op |= FENCE;
	EXPECT(pf_run(pf, &d, r), 5);
	EXPECT(r->bytes, 8);
	EXPECT(m[7].status, 1);
	EXPECT(m[8].status, 0);
	EXPECT(m[31].status, 0);

	/* a fence after success orders: each copies what the one before wrote */
	memset(m, 0, 4096);
	memset(b, 0, 65536);
	for (i = 0; i < 32; i++) {
		list[i].flags_op = OP(3) | CRAV | RCR | FENCE;
		list[i].src = (uintptr_t)(i ? b + 1024 * (i - 1) : a);
		list[i].size = 1024;
	}
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(memcmp(a, b, 32768), 0);

	d.src = pf_unmapped(pf) - 64;
	memset((void *)(uintptr_t)d.src, 0, 64);
	d.flags_op = OP(1);
	EXPECT(pf_run(pf, &d, r), 6);
	EXPECT(r->bytes, 1);
	EXPECT(r->fault_addr, pf_unmapped(pf));
	pf_stop(pf);
}

static void drains(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 1 << 20), *b = pf_mem(pf, 1 << 20);
	struct desc d = { .flags_op = OP(3) | CRAV | RCR, .size = 1 << 20 };
	struct desc drain = { .flags_op = OP(2) | CRAV | RCR };
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	d.src = (uintptr_t)a;
	d.dst = (uintptr_t)b;
	for (i = 0; i < 8; i++) {
		d.record = (uintptr_t)&r[i];
		pf_submit(pf, 0, &d);
	}
	drain.record = (uintptr_t)&r[8];
	pf_submit(pf, 0, &drain);
	EXPECT(pf_wait(&r[8], 5000), 1);
	for (i = 0; i < 8; i++)
		EXPECT(r[i].status, 1);

	/* the command waits likewise */
	memset(r, 0, 4096);
	for (i = 0; i < 8; i++) {
		d.record = (uintptr_t)&r[i];
		pf_submit(pf, 0, &d);
	}
	EXPECT(pf_cmd(pf, 8, 1), 0);
	for (i = 0; i < 8; i++)
		EXPECT(r[i].status, 1);

	/* and a reset lets nothing through afterwards */
	memset(r, 0, 4096);
	for (i = 0; i < 16; i++) {
		d.record = (uintptr_t)&r[i];
		pf_submit(pf, 0, &d);
	}
	EXPECT(pf_cmd(pf, 10, 1), 0);
	for (i = 0; i < 16 && r[i].status; i++)
		;
	memset(r, 0, 4096);
	usleep(100000);
	EXPECT(r[0].status | r[i].status | r[15].status, 0);
	EXPECT(rd32(pf, pf->wqcfg + 24), 0);

	/* a Drain nobody hears of makes no sense; it goes to the software error register */
	EXPECT(rd32(pf, 0xc0) & 1, 0);
	wr32(pf, pf->wqcfg + 8, 0xa1);
	wr32(pf, pf->wqcfg + 12, 20 | 5 << 5);
	EXPECT(pf_cmd(pf, 6, 0), 0);
	memset(&drain, 0, sizeof(drain));
	drain.flags_op = OP(2);
	pf_submit(pf, 0, &drain);
	for (i = 0; i < 1000 && !(rd32(pf, 0xc0) & 1); i++)
		usleep(1000);
	EXPECT(rd32(pf, 0xc0) >> 8 & 0xff, 0x11);
	EXPECT(rd64(pf, 0xc8) >> 32, 0x18);
	pf_stop(pf);
}

/* The second of two commands is dropped and reported, and does not disturb the first. */
static void command_while_active(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 1 << 20), *b = pf_mem(pf, 1 << 20);
	struct desc d = { .flags_op = OP(3) | CRAV | RCR, .size = 1 << 20 };
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	pf_vector_clear(pf, 0);
	d.src = (uintptr_t)a;
	d.dst = (uintptr_t)b;
	for (i = 0; i < WQ_SIZE; i++) {
		d.record = (uintptr_t)&r[i];
		pf_submit(pf, 0, &d);
	}
	wr32(pf, 0xa0, 8 << 20 | 1);
	wr32(pf, 0xa0, 1 << 20);
	EXPECT(rd32(pf, 0xa8), 1u << 31);
	EXPECT(rd32(pf, 0xc0), 1 | 0x52 << 8);
	EXPECT(rd32(pf, 0x98), 1);
	EXPECT(pf_vector_wait(pf, 0, 1000), 1);
	for (i = 0; i < 5000 && rd32(pf, 0xa8); i++)
		usleep(1000);
	EXPECT(rd32(pf, 0xa8), 0);
	for (i = 0; i < WQ_SIZE; i++)
		EXPECT(r[i].status, 1);
	pf_stop(pf);
}

static void faults(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536);
	struct desc d = { .flags_op = OP(3), .size = 8192 };

	if (pf_start(pf, false) < 0)
		return;
	d.src = (uintptr_t)a;
	d.dst = pf_unmapped(pf) - 4096;
	EXPECT(pf_run(pf, &d, r), 0x83);
	EXPECT(r->bytes, 4096);
	EXPECT(r->fault_addr, pf_unmapped(pf));
	EXPECT(r->info, pf->gencap >> 12 & 1 ? 3 << 1 : 0);
	d.dst = (uintptr_t)a;
	d.src = pf_unmapped(pf) - 4096;
	EXPECT(pf_run(pf, &d, r), 0x03);
	EXPECT(r->bytes, 4096);
	EXPECT(r->info, pf->gencap >> 12 & 1 ? 1 << 1 : 0);
	d.src = 0xfee00000;
	EXPECT(pf_run(pf, &d, r), 0x03);
	d.src = (uintptr_t)a;
	d.dst = 0xfffffffffffff800ull;
	EXPECT(pf_run(pf, &d, r), 0x83);
	pf_stop(pf);
}

static void lost_records(struct pf *pf)
{
	struct desc d = { .flags_op = OP(0) | CRAV | RCR };
	uint64_t *entry = (uint64_t *)pf_log(pf);

	/* without a log: the software error register */
	if (pf_start(pf, false) < 0)
		return;
	pf_vector_clear(pf, 0);
	d.record = pf_unmapped(pf);
	pf_submit(pf, 0, &d);
	EXPECT(pf_swerror(pf), 0x1a);
	EXPECT(rd64(pf, 0xd0), pf_unmapped(pf));
	EXPECT(rd32(pf, 0xc0) & 0xd, 0xd);
	EXPECT(rd32(pf, 0x98), 1);
	EXPECT(pf_vector_wait(pf, 0, 1000), 1);
	pf_submit(pf, 0, &d);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	EXPECT(rd32(pf, 0xc0) & 3, 3);
	wr32(pf, 0xc0, 3);
	EXPECT(rd32(pf, 0xc0) & 3, 0);
	d.record = pf_unmapped(pf) - 16;
	pf_submit(pf, 0, &d);
	EXPECT(pf_swerror(pf), 0x1b);
	EXPECT(pf_vector_wait(pf, 0, 1000), 1);

	/* with one: an entry that carries the record */
	if (!pf->evl || pf_start(pf, true) < 0)
		return;
	pf_vector_clear(pf, 0);
	d.record = pf_unmapped(pf);
	pf_submit(pf, 0, &d);
	EXPECT(pf_vector_wait(pf, 0, 1000), 1);
	EXPECT(rd32(pf, 0x98), 1 << 5);
	EXPECT(rd64(pf, 0xf0), 1ull << 62 | 1ull << 32);
	EXPECT(rd32(pf, 0xc0) & 1, 0);
	EXPECT(entry[0] >> 8 & 0xff, 0x1a);
	EXPECT(entry[1] >> 32, 1 << 18);
	EXPECT(entry[2], pf_unmapped(pf));
	EXPECT(entry[4], 1);
	wr32(pf, 0x98, 1 << 5);
	wr32(pf, 0xf4, 1 << 30);
	wr32(pf, 0xf0, 1);
	EXPECT(rd64(pf, 0xf0), 1ull << 32 | 1);
	pf_stop(pf);
}

static void log_overflow(struct pf *pf)
{
	struct desc d = { .flags_op = OP(0) | CRAV | RCR };
	unsigned int i;

	if (!pf->evl) {
		EXPECT(rd64(pf, 0xf0), 0);
		return;
	}
	if (pf_start(pf, true) < 0)
		return;
	d.record = pf_unmapped(pf);
	for (i = 0; i < 70; i++) {
		pf_submit(pf, 0, &d);
		pf_cmd(pf, 8, 1);
	}
	EXPECT(rd64(pf, 0xf0) >> 32 & 0xffff, 63);
	EXPECT(pf_swerror(pf), 0x54);
	pf_stop(pf);
}

static void interrupts(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0) | RCI, .handle = 2 };
	bool handles = rd32(pf, 0xb0) >> 13 & 1;
	uint32_t s;

	if (pf_start(pf, false) < 0)
		return;
	if (handles) {
		EXPECT(pf_run(pf, &d, r), 0x19);
		EXPECT(pf_cmd(pf, 13, 0xffff), 0x41);
		EXPECT(pf_cmd(pf, 14, 2), 0x41);
		s = pf_cmd(pf, 13, 2);
		EXPECT(s & 0xff, 0);
		d.handle = s >> 8;
	}
	pf_vector_clear(pf, 2);
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(pf_vector_wait(pf, 2, 1000), 1);

	/* failures interrupt as well */
	d.flags_op = OP(3) | RCI;
	EXPECT(pf_run(pf, &d, r), 0x13);
	EXPECT(pf_vector_wait(pf, 2, 1000), 1);
	d.flags_op = OP(0) | RCI;

	/* the permission entry must say what the queue says */
	wr32(pf, pf->msixperm + 8 * 2, 5 << 12 | 8);
	EXPECT(pf_run(pf, &d, r), 0x19);
	wr32(pf, pf->msixperm + 8 * 2, 4);
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(pf_vector_wait(pf, 2, 50), 0);
	wr32(pf, pf->msixperm + 8 * 2, 0);
	if (handles) {
		EXPECT(pf_cmd(pf, 14, d.handle), 0);
		EXPECT(pf_run(pf, &d, r), 0x19);
		EXPECT(pf_vector_wait(pf, 2, 50), 0);
	}
	pf_stop(pf);
}

static void ims_interrupts(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0) | RCI | CRAV | RCR };
	bool handles = rd32(pf, 0xb0) >> 13 & 1;
	uint32_t e = pf->ims + 16 * 7;

	if (pf_start(pf, false) < 0)
		return;
	d.record = (uintptr_t)r;
	d.handle = 7;
	if (!pf->ims) {
		/* no table, no portals: written into the void */
		movdir64b(pf->bar2 + 0x3000, &d);
		EXPECT(pf_wait(r, 50), 0);
		pf_stop(pf);
		return;
	}
	if (handles) {
		uint32_t s = pf_cmd(pf, 13, 1 << 16 | 7);

		EXPECT(s & 0xff, 0);
		d.handle = s >> 8;
	}
	/* masked, as after reset: the message is remembered */
	movdir64b(pf->bar2 + 0x3000, &d);
	EXPECT(pf_wait(r, 5000), 1);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	EXPECT(rd32(pf, e + 12), 3);
	wr32(pf, e + 12, 4);
	EXPECT(rd32(pf, e + 12), 4);
	/* a handle is one of the portal's table */
	r->status = 0;
	movdir64b(pf->bar2 + 0x1000, &d);
	EXPECT(pf_wait(r, 5000), handles ? 0x19 : 1);
	wr32(pf, e + 12, 9 << 12 | 8 | 1);
	r->status = 0;
	movdir64b(pf->bar2 + 0x2000, &d);
	EXPECT(pf_wait(r, 5000), 0x19);
	pf_stop(pf);
}

static void overfull(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 1 << 20), *b = pf_mem(pf, 1 << 20);
	struct desc d = { .flags_op = OP(3) | CRAV | RCR, .size = 1 << 20 };
	unsigned int i;

	if (pf_start(pf, true) < 0)
		return;
	d.src = (uintptr_t)a;
	d.dst = (uintptr_t)b;
	d.record = (uintptr_t)r;
	pf_vector_clear(pf, 0);
	for (i = 0; i < 400; i++)
		pf_submit(pf, 0, &d);
	EXPECT(rd32(pf, 0xc0) >> 8 & 0xff, 0x53);
	EXPECT(rd32(pf, 0xc0) >> 16 & 0xff, 0);
	EXPECT(rd32(pf, 0xc0) & 0xd, 0x9);
	EXPECT(rd32(pf, 0x98) & 1, 1);
	EXPECT(pf_vector_wait(pf, 0, 1000) != 0, 1);
	EXPECT((rd32(pf, pf->wqcfg + 24) & 0xffff) <= WQ_SIZE, 1);
	EXPECT(pf_cmd(pf, 9, 1), 0);
	EXPECT(rd32(pf, pf->wqcfg + 24) & 0xffff, 0);
	EXPECT(rd32(pf, pf->wqcfg + 24) >> 30, 1);
	pf_stop(pf);
}

static void occupancy_interrupt(struct pf *pf)
{
	if (pf_start(pf, false) < 0)
		return;
	wr32(pf, 0x98, ~0u);
	pf_vector_clear(pf, 0);
	wr32(pf, pf->wqcfg + 20, 1 << 16 | 4);
	EXPECT(pf_vector_wait(pf, 0, 1000), 1);
	EXPECT(rd32(pf, 0x98), 4);
	EXPECT(rd32(pf, pf->wqcfg + 24) >> 16 & 1, 1);
	/* the limit is fixed while armed */
	wr32(pf, pf->wqcfg + 20, 1 << 16 | 9);
	EXPECT(rd32(pf, pf->wqcfg + 20), 1 << 16 | 4);
	EXPECT(pf_vector_wait(pf, 0, 50), 0);
	pf_stop(pf);
}

static void function_level_reset(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 1 << 20), *b = pf_mem(pf, 1 << 20);
	struct desc d = { .flags_op = OP(3) | CRAV | RCR, .size = 1 << 20 };
	unsigned int i;

	if (pf_start(pf, true) < 0)
		return;
	d.src = (uintptr_t)a;
	d.dst = (uintptr_t)b;
	d.record = (uintptr_t)r;
	for (i = 0; i < 100; i++)
		pf_submit(pf, 0, &d);
	pf_flr(pf);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) | 6);
	memset(r, 0, 4096);
	EXPECT(rd32(pf, 0x90), 0);
	EXPECT(rd64(pf, 0xc0), 0);
	EXPECT(rd64(pf, 0xe0), 0);
	EXPECT(rd64(pf, pf->wqcfg), 0);
	EXPECT(rd64(pf, pf->wqcfg + 8), 0);
	usleep(50000);
	EXPECT(r->status, 0);
	if (pf_start(pf, true) < 0)
		return;
	EXPECT(pf_run(pf, &d, r), 1);
	pf_stop(pf);
}

const struct test flow_tests[] = {
	{ "Batch", batches },
	{ "Drain, Drain WQ, Reset WQ", drains },
	{ "command while another is active", command_while_active },
	{ "page faults", faults },
	{ "records that cannot be written", lost_records },
	{ "event log full", log_overflow },
	{ "MSI-X completions, handles, permissions", interrupts },
	{ "IMS completions", ims_interrupts },
	{ "queue overfull", overfull },
	{ "occupancy interrupt", occupancy_interrupt },
	{ "function level reset under load", function_level_reset },
	{ 0 }
};
