/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: what the log says of batches and drains, and what the lab's page brings about (full
 * queues, halts, revoked handles, errors on demand).
 */
#include <string.h>
#include <unistd.h>
#include "pf.h"

#define INFO_RECORD	(1u << 18)
#define INFO_FIRST	(1u << 19)

static uint32_t occupancy(struct pf *pf, unsigned int wq)
{
	return rd32(pf, wq_reg(pf, wq) + 24) & 0xffff;
}

static bool without_page(struct pf *pf)
{
	if (pf->lab_page)
		return false;
	EXPECT(rd32(pf, LAB), 0);
	return true;
}

static uint64_t *log_entry(struct pf *pf, unsigned int n)
{
	return (uint64_t *)(pf_log(pf) + n * (pf->iaa ? 128 : 64));
}

static void expect_entry(struct pf *pf, unsigned int n, uint8_t code, uint8_t op, uint32_t info,
			 uint64_t addr, uint8_t status)
{
	uint64_t *e = log_entry(pf, n);

	EXPECT(e[0] >> 8 & 0xff, code);
	EXPECT(e[0] >> 32 & 0xff, op);
	EXPECT(e[0] >> 16 & 0xff, 0);
	EXPECT(e[1] >> 32, info);
	EXPECT(e[2], addr);
	EXPECT(e[pf->iaa ? 8 : 4] & 0xff, status);
}

/* Two members whose records are nowhere, of three; in which order they end is not said. */
static void log_of_batch(struct pf *pf, struct desc *list, struct record *r)
{
	struct desc batch = { .flags_op = OP(1) | CRAV | RCR, .src = (uintptr_t)list, .size = 3 };
	uint64_t first, second, *last = log_entry(pf, 2);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		list[i].flags_op = OP(0) | CRAV | RCR;
		list[i].record = i < 2 ? pf_unmapped(pf) + 32 * i : (uintptr_t)&r[2];
	}
	batch.record = (uintptr_t)&r[0];
	pf_submit(pf, 0, &batch);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	EXPECT(rd64(pf, 0xf0) >> 32 & 0xffff, 3);
	first = log_entry(pf, 0)[1] & 0xffff;
	second = log_entry(pf, 1)[1] & 0xffff;
	EXPECT(first + second, 1);
	expect_entry(pf, 0, 0x1a, 0, INFO_RECORD | INFO_FIRST, pf_unmapped(pf) + 32 * first, 1);
	expect_entry(pf, 1, 0x1a, 0, INFO_RECORD, pf_unmapped(pf) + 32 * second, 1);
	EXPECT(log_entry(pf, 0)[0] >> 4 & 1, 1);
	expect_entry(pf, 2, 0x27, 1, INFO_RECORD, (uintptr_t)&r[0], 1);
	EXPECT(last[4] >> 32, 3);
	EXPECT(log_entry(pf, 0)[0] >> 24 & 0xff, last[0] >> 24 & 0xff);
	EXPECT(r[0].status, 0);
	EXPECT(r[2].status, 1);
}

/* A record that is lost puts what ends after it into the log as well, so that order is kept. */
static void log_of_batches(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc *list = pf_mem(pf, 4096);
	struct desc drain = { .flags_op = OP(2) | CRAV | RCR, .record = (uintptr_t)&r[3] };
	struct desc batch = { .flags_op = OP(1) | CRAV | RCR, .src = (uintptr_t)list, .size = 3,
			      .record = (uintptr_t)&r[0] };

	if (!pf->evl || pf->iaa) {
		EXPECT(pf->evl && !pf->iaa, 0);
		return;
	}
	pf_configure(pf, true);
	wr32(pf, wq_reg(pf, 0) + 8, 0xa9);	/* no page requests */
	EXPECT(pf_cmd(pf, 1, 0), 0);
	EXPECT(pf_cmd(pf, 6, 0), 0);
	log_of_batch(pf, list, r);

	pf_submit(pf, 0, &drain);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	EXPECT(rd64(pf, 0xf0) >> 32 & 0xffff, 4);
	expect_entry(pf, 3, 0x26, 2, INFO_RECORD, (uintptr_t)&r[3], 1);
	EXPECT(r[3].status, 0);
	/* the next one follows nothing that was lost */
	pf_submit(pf, 0, &drain);
	EXPECT(pf_wait(&r[3], 5000), 1);
	EXPECT(rd64(pf, 0xf0) >> 32 & 0xffff, 4);

	/* behind a fence a lost record ends the batch */
	list[1].flags_op |= FENCE;
	pf_submit(pf, 0, &batch);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	EXPECT(rd64(pf, 0xf0) >> 32 & 0xffff, 6);
	expect_entry(pf, 5, 0x27, 1, INFO_RECORD, (uintptr_t)&r[0], 5);
	EXPECT(log_entry(pf, 5)[4] >> 32, 1);
	pf_stop(pf);
}

/* Held back, a queue fills to the last place and not further; nothing of it is lost. */
static void full_queue(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0) | CRAV | RCR };
	unsigned int i;

	if (without_page(pf) || pf_start(pf, false) < 0)
		return;
	wr32(pf, LAB_HOLD, 1);
	for (i = 0; i < WQ_SIZE; i++) {
		d.record = (uintptr_t)r + 64 * i;
		pf_submit(pf, 0, &d);
		EXPECT(occupancy(pf, 0), i + 1);
	}
	EXPECT(rd32(pf, 0xc0) & 1, 0);
	d.record = (uintptr_t)r + 64 * i;
	pf_submit(pf, 0, &d);
	EXPECT(pf_swerror(pf), 0x53);
	EXPECT(occupancy(pf, 0), WQ_SIZE);
	EXPECT(r[0].status, 0);
	wr32(pf, LAB_HOLD, 0);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	for (i = 0; i < WQ_SIZE; i++)
		EXPECT(r[2 * i].status, 1);
	EXPECT(r[2 * i].status, 0);
	EXPECT(occupancy(pf, 0), 0);

	/* a drain of a held queue waits, an abort does not and leaves nothing behind */
	memset((void *)r, 0, 4096);
	wr32(pf, LAB_HOLD, 1);
	d.record = (uintptr_t)r;
	pf_submit(pf, 0, &d);
	wr32(pf, 0xa0, 8 << 20 | 1);
	usleep(20000);
	EXPECT(rd32(pf, 0xa8), 1u << 31);
	wr32(pf, LAB_HOLD, 0);
	for (i = 0; i < 1000 && rd32(pf, 0xa8) >> 31; i++)
		usleep(1000);
	EXPECT(r[0].status, 1);
	wr32(pf, LAB_HOLD, 1);
	r[0].status = 0;
	pf_submit(pf, 0, &d);
	EXPECT(pf_cmd(pf, 9, 1), 0);
	wr32(pf, LAB_HOLD, 0);
	usleep(20000);
	EXPECT(r[0].status, 0);
	EXPECT(rd32(pf, wq_reg(pf, 0) + 24) >> 30, 1);
	pf_stop(pf);
}

static void revoked_handles(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0) | RCI };
	uint16_t old;

	if (without_page(pf) || pf_start(pf, false) < 0)
		return;
	d.handle = old = pf_handle(pf, 2);
	EXPECT(pf_run(pf, &d, r), 1);
	wr32(pf, 0x98, ~0u);
	pf_vector_clear(pf, 0);
	if (!pf->handles) {
		wr32(pf, LAB_REVOKE, 1);
		EXPECT(rd32(pf, 0x98), 0);
		EXPECT(pf_run(pf, &d, r), 1);
		pf_stop(pf);
		return;
	}

	/* one that is in the queue then fails as well */
	wr32(pf, LAB_HOLD, 1);
	memset((void *)r, 0, 64);
	d.record = (uintptr_t)r;
	d.flags_op |= CRAV | RCR;
	pf_submit(pf, 0, &d);
	wr32(pf, LAB_REVOKE, 1);
	EXPECT(rd32(pf, 0x98), 1u << 31);
	EXPECT(pf_vector_wait(pf, 0, 1000), 1);
	wr32(pf, LAB_HOLD, 0);
	EXPECT(pf_wait(r, 5000), 0x19);
	EXPECT(pf_run(pf, &d, r), 0x19);
	d.handle = pf_handle(pf, 2);
	EXPECT(d.handle != old, 1);
	pf_vector_clear(pf, 2);
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(pf_vector_wait(pf, 2, 1000), 1);
	EXPECT(pf_cmd(pf, 14, d.handle), 0);
	EXPECT(pf_cmd(pf, 14, d.handle), 0x41);
	EXPECT(pf_cmd(pf, 14, old), 0x41);
	pf_stop(pf);
}

static void halts(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0) };
	unsigned int kind;

	if (without_page(pf))
		return;
	for (kind = 0; kind < 4; kind++) {
		if (pf_start(pf, false) < 0)
			return;
		wr32(pf, LAB_HOLD, 1);
		memset((void *)r, 0, 64);
		d.record = (uintptr_t)r;
		d.flags_op |= CRAV | RCR;
		pf_submit(pf, 0, &d);
		wr32(pf, 0x98, ~0u);
		pf_vector_clear(pf, 0);
		wr32(pf, LAB_HALT, kind);
		EXPECT(rd32(pf, 0x90), 3 | kind << 2);
		EXPECT(rd32(pf, 0x98), 1 << 4);
		EXPECT(pf_vector_wait(pf, 0, 1000), 1);
		wr32(pf, LAB_HOLD, 0);
		pf_submit(pf, 0, &d);
		usleep(20000);
		EXPECT(r->status, 0);
		EXPECT(pf_cmd(pf, 6, 0), 0x05);
		EXPECT(pf_cmd(pf, 5, 0), kind ? 0x05 : 0);
		if (kind)
			pf_flr_restore(pf);
		EXPECT(rd32(pf, 0x90), 0);
	}
	if (pf_start(pf, false) < 0)
		return;
	EXPECT(pf_run(pf, &d, r), 1);
	pf_stop(pf);
}

static void statuses_on_demand(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0) };

	if (without_page(pf) || pf_start(pf, false) < 0)
		return;
	wr32(pf, LAB_STATUS, 0x22);
	wr32(pf, LAB_STATUSES, 2);
	EXPECT(pf_run(pf, &d, r), 0x22);
	EXPECT(pf_run(pf, &d, r), 0x22);
	EXPECT(pf_run(pf, &d, r), 1);

	/* a command that takes its time */
	wr32(pf, LAB_CMD_DELAY, 100 * 1000 * 1000);
	wr32(pf, 0xa0, 3 << 20);
	EXPECT(rd32(pf, 0xa8), 1u << 31);
	wr32(pf, LAB_CMD_DELAY, 0);
	EXPECT(pf_cmd(pf, 3, 0), 0);
	EXPECT(pf_swerror(pf), 0x52);
	pf_stop(pf);
}

/* Counters of the first queue only, of all, and one that overflows. */
static void counters(struct pf *pf)
{
	uint32_t p = (rd64(pf, 0x68) & 0xffff) * 0x100;
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0) };
	unsigned int i, width;

	if (!p) {
		EXPECT(rd32(pf, 0x2000), 0);
		return;
	}
	if (pf_start(pf, false) < 0)
		return;
	width = rd64(pf, p) >> 8 & 0xff;
	EXPECT((rd64(pf, p) & 0x3f) >= 2, 1);
	EXPECT(rd32(pf, p + 0x300), ~0u);
	wr64(pf, p + 0x100, 1ull << 32 | 1);
	wr64(pf, p + 0x108, 1ull << 32 | 1);
	wr32(pf, p + 0x320, ~1u);
	for (i = 0; i < 5; i++)
		EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	EXPECT(rd64(pf, p + 0x200), 5);
	EXPECT(rd64(pf, p + 0x208), 0);
	wr32(pf, p + 0x20, 1);
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	EXPECT(rd64(pf, p + 0x200), 5);
	wr32(pf, p + 0x10, 2);
	EXPECT(rd64(pf, p + 0x200), 0);
	wr32(pf, p + 0x10, 1);
	EXPECT(rd64(pf, p + 0x100), 0);
	EXPECT(rd32(pf, p + 0x320), ~0u);

	if (width <= 8) {
		wr32(pf, 0x98, ~0u);
		pf_vector_clear(pf, 0);
		wr64(pf, p + 0x100, 1ull << 32 | 7);
		for (i = 0; i < 1u << width; i++)
			pf_run(pf, &d, r);
		EXPECT(pf_cmd(pf, 8, 1), 0);
		EXPECT(pf_vector_wait(pf, 0, 1000), 1);
		EXPECT(rd32(pf, 0x98), 1 << 3);
		EXPECT(rd32(pf, p + 0x30), 1);
		EXPECT(rd32(pf, p + 0x20), ~0u);
		wr32(pf, p + 0x30, 1);
		EXPECT(rd32(pf, p + 0x30), 0);
	}
	pf_stop(pf);
}

const struct test event_tests[] = {
	{ "performance counters", counters },
	{ "batches and drains in the log", log_of_batches },
	{ "queue filled to the last place", full_queue },
	{ "revoked handles", revoked_handles },
	{ "halts of every kind", halts },
	{ "statuses and delays on demand", statuses_on_demand },
	{ 0 }
};
