/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations and what they make of the data. */
#include <string.h>
#include "pf.h"

#define BYTES	20000u

static void pattern(uint8_t *p, size_t n, unsigned int seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = i * 13 + (i >> 8) * 5 + seed;
}

static void noop(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0) };

	if (pf_start(pf, false) < 0)
		return;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(r->bytes, 0);
	/* the unlimited page is as good, other offsets inside the page too */
	r->status = 0;
	movdir64b(pf->bar2 + 0xfc0, &d);
	EXPECT(pf_wait(r, 5000), 1);
	/* the page is there for 64 byte writes only */
	r->status = 0;
	memcpy(pf->bar2 + 0x1000, &d, sizeof(d));
	EXPECT(pf_wait(r, 50), 0);
	EXPECT(*(volatile uint32_t *)(pf->bar2 + 0x1000), 0);
	/* nor does a queue that is not enabled, or the dummy portal, take anything */
	pf_submit(pf, 1, &d);
	movdir64b((void *)(pf->bar0 + 0xf000), &d);
	EXPECT(pf_wait(r, 50), 0);
	pf_stop(pf);
}

static void memmove_one(struct pf *pf, uint32_t from, uint32_t to, uint32_t n)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536), *want = pf_mem(pf, 65536);
	struct desc d = { .flags_op = OP(3), .size = n };

	pattern(a, 65536, 3);
	memcpy(want, a, 65536);
	memmove(want + to, want + from, n);
	d.src = (uintptr_t)a + from;
	d.dst = (uintptr_t)a + to;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(memcmp(a, want, 65536), 0);
	EXPECT(r->bytes, 0);
	EXPECT(r->result, 0);
}

static void memmoves(struct pf *pf)
{
	static const uint32_t sizes[] = { 1, 7, 64, 4095, 4096, 4097, BYTES };
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		pf_mem_reset(pf);
		memmove_one(pf, 11, 40000, sizes[i]);
		memmove_one(pf, 100, 101, sizes[i]);
		memmove_one(pf, 101, 100, sizes[i]);
		memmove_one(pf, 0, 5000, sizes[i]);
		memmove_one(pf, 4096, 4096, sizes[i]);
	}
	pf_stop(pf);
}

static void large_move(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 1 << 20), *b = pf_mem(pf, 1 << 20);
	struct desc d = { .flags_op = OP(3), .size = 1 << 20 };

	if (pf_start(pf, false) < 0)
		return;
	pattern(a, 1 << 20, 9);
	d.src = (uintptr_t)a;
	d.dst = (uintptr_t)b;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(memcmp(a, b, 1 << 20), 0);
	d.size++;
	EXPECT(pf_run(pf, &d, r), 0x13);
	pf_stop(pf);
}

static void fills(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536);
	struct desc d = { .flags_op = OP(4), .src = 0x1122334455667788ull, .size = BYTES };
	uint64_t pat[2] = { 0x1122334455667788ull, 0x99aabbccddeeff00ull };
	unsigned int i, bad = 0;

	if (pf_start(pf, false) < 0)
		return;
	d.dst = (uintptr_t)a + 5;
	EXPECT(pf_run(pf, &d, r), 1);
	for (i = 0; i < BYTES; i++)
		bad += a[5 + i] != ((uint8_t *)pat)[i % 8];
	EXPECT(bad, 0);
	EXPECT(a[4] | a[5 + BYTES], 0);

	d.op[0] = pat[1];
	EXPECT(pf_run(pf, &d, r), 0x12);
	d.flags_op |= FL(2);
	if (!(pf->gencap >> 10 & 1)) {
		EXPECT(pf_run(pf, &d, r), 0x11);
		pf_stop(pf);
		return;
	}
	EXPECT(pf_run(pf, &d, r), 1);
	for (i = 0; i < BYTES; i++)
		bad += a[5 + i] != ((uint8_t *)pat)[i % 16];
	EXPECT(bad, 0);
	pf_stop(pf);
}

static void compares(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536), *b = pf_mem(pf, 65536);
	struct desc d = { .flags_op = OP(5), .size = BYTES };
	struct desc v = { .flags_op = OP(6), .size = 4096 + 24 };
	uint64_t word = 0x0102030405060708ull;
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	pattern(a, 65536, 1);
	memcpy(b + 3, a, 60000);
	d.src = (uintptr_t)a;
	d.dst = (uintptr_t)b + 3;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(r->result, 0);
	b[3 + 17777] ^= 1;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(r->result, 1);
	EXPECT(r->bytes, 17777);
	d.flags_op |= CHECK;
	EXPECT(pf_run(pf, &d, r), 2);
	d.op[0] = 1;
	EXPECT(pf_run(pf, &d, r), 1);
	b[3 + 17777] ^= 1;
	EXPECT(pf_run(pf, &d, r), 2);
	d.op[0] = 2;
	EXPECT(pf_run(pf, &d, r), 0x12);

	for (i = 0; i < 1000; i++)
		memcpy(a + 8 * i, &word, 8);
	v.src = (uintptr_t)a;
	v.dst = word;
	EXPECT(pf_run(pf, &v, r), 1);
	EXPECT(r->result, 0);
	a[4099] ^= 0x80;
	EXPECT(pf_run(pf, &v, r), 1);
	EXPECT(r->result, 1);
	EXPECT(r->bytes, 4099);
	pf_stop(pf);
}

static void deltas(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536), *b = pf_mem(pf, 65536), *rec = pf_mem(pf, 65536);
	struct desc c = { .flags_op = OP(7), .size = 16384 };
	struct desc p = { .flags_op = OP(8), .size = 16384 };
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	pattern(a, 65536, 1);
	memcpy(b, a, 65536);
	c.src = (uintptr_t)a;
	c.dst = (uintptr_t)b;
	c.op[0] = (uintptr_t)rec;
	c.op[1] = 4000;
	EXPECT(pf_run(pf, &c, r), 1);
	EXPECT(r->result, 0);
	EXPECT(r->op[0], 0);

	for (i = 0; i < 100; i++)
		b[i * 160 + 3] ^= 0xff;
	EXPECT(pf_run(pf, &c, r), 1);
	EXPECT(r->result, 1);
	EXPECT(r->op[0], 1000);
	EXPECT(rec[10] | rec[11] << 8, 20);
	c.op[1] = 990;
	EXPECT(pf_run(pf, &c, r), 1);
	EXPECT(r->result, 2);
	c.flags_op |= CHECK;
	c.op[2] = 3;
	EXPECT(pf_run(pf, &c, r), 2);
	c.op[1] = 70;
	EXPECT(pf_run(pf, &c, r), 0x15);
	c.op[1] = 4000;
	c.src += 4;
	EXPECT(pf_run(pf, &c, r), 0x1c);

	p.src = (uintptr_t)rec;
	p.dst = (uintptr_t)a;
	p.op[0] = 1000;
	EXPECT(pf_run(pf, &p, r), 1);
	EXPECT(memcmp(a, b, 65536), 0);
	rec[20] = 1;
	EXPECT(pf_run(pf, &p, r), 0x07);
	rec[0] = 0xff;
	rec[1] = 0xff;
	EXPECT(pf_run(pf, &p, r), 0x08);
	pf_stop(pf);
}

static void dualcast(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536), *b = pf_mem(pf, 65536), *c = pf_mem(pf, 65536);
	struct desc d = { .flags_op = OP(9), .size = BYTES };

	if (pf_start(pf, false) < 0)
		return;
	pattern(a, 65536, 77);
	d.src = (uintptr_t)a + 1;
	d.dst = (uintptr_t)b + 9;
	d.op[0] = (uintptr_t)c + 9;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(memcmp(b + 9, a + 1, BYTES) | memcmp(c + 9, a + 1, BYTES), 0);
	d.op[0]++;
	EXPECT(pf_run(pf, &d, r), 0x17);
	d.op[0] = d.dst + 4096;
	EXPECT(pf_run(pf, &d, r), 0x16);
	pf_stop(pf);
}

static void crcs(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536), *b = pf_mem(pf, 65536);
	uint32_t *seed = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0x10), .size = 9 };
	uint32_t whole;

	if (pf_start(pf, false) < 0)
		return;
	memcpy(a, "123456789", 9);
	d.src = (uintptr_t)a;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(r->op[0], 0xe3069283);			/* the CRC-32C check value */

	pattern(a, 65536, 5);
	d.size = BYTES;
	EXPECT(pf_run(pf, &d, r), 1);
	whole = r->op[0];
	/* in two parts, the second seeded from memory, and copying */
	d.size = 777;
	EXPECT(pf_run(pf, &d, r), 1);
	*seed = r->op[0];
	d.flags_op = OP(0x11) | FL(0);
	d.src += 777;
	d.dst = (uintptr_t)b + 3;
	d.size = BYTES - 777;
	d.op[1] = (uintptr_t)seed;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(r->op[0], whole);
	EXPECT(memcmp(a + 777, b + 3, BYTES - 777), 0);

	/* no inversion: the CRC of zeroes from zero is zero */
	memset(a, 0, 4096);
	memset(&d, 0, sizeof(d));
	d.flags_op = OP(0x10) | FL(1);
	d.src = (uintptr_t)a;
	d.size = 4096;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(r->op[0], 0);
	d.op[1] = 8;
	EXPECT(pf_run(pf, &d, r), 0x12);
	pf_stop(pf);
}

/* 64 bits: the check value, and in two parts with the seed from memory. */
static void crcs64(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(0x10) | FL(3), .size = 9 };
	const uint64_t *value = (const uint64_t *)r->op;

	if (pf_start(pf, false) < 0)
		return;
	memcpy(a, "123456789", 9);
	d.src = (uintptr_t)a;
	if (!(pf->gencap >> 11 & 1)) {
		EXPECT(pf_run(pf, &d, r), 0x11);
		pf_stop(pf);
		return;
	}
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(*value, 0xae8b14860a799888ull);
	d.size = 4;
	EXPECT(pf_run(pf, &d, r), 1);
	memcpy(a + 64, value, 8);
	d.flags_op = OP(0x10) | FL(3) | FL(0);
	d.op[1] = (uintptr_t)a + 64;
	d.src += 4;
	d.size = 5;
	EXPECT(pf_run(pf, &d, r), 1);
	EXPECT(*value, 0xae8b14860a799888ull);
	d.op[1] += 4;
	EXPECT(pf_run(pf, &d, r), 0x1c);
	pf_stop(pf);
}

static void touches(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536);
	struct desc d = { .flags_op = OP(0x20), .size = 65536 };

	if (pf_start(pf, false) < 0)
		return;
	d.dst = (uintptr_t)a;
	EXPECT(pf_run(pf, &d, r), 1);
	d.flags_op = OP(0x0a);
	d.dst = 0;
	d.src = (uintptr_t)a;
	EXPECT(pf_run(pf, &d, r), pf_has_op(pf, 0x0a) ? 1 : 0x10);
	if (pf_has_op(pf, 0x0a)) {
		/* in strides: only the fifth page is not there */
		d.flags_op = OP(0x0a) | FL(0);
		d.op[1] = 8192;
		d.src = pf_unmapped(pf) - 32768;
		EXPECT(pf_run(pf, &d, r), 0x03);
		EXPECT(r->bytes, 32768);
		EXPECT(r->fault_addr, pf_unmapped(pf));
	}
	pf_stop(pf);
}

const struct test op_tests[] = {
	{ "No-op and portals", noop },
	{ "Memory Move", memmoves },
	{ "Memory Move of 1 MiB", large_move },
	{ "Fill", fills },
	{ "Compare, Compare Pattern", compares },
	{ "Create and Apply Delta", deltas },
	{ "Dualcast", dualcast },
	{ "CRC", crcs },
	{ "CRC of 64 bits", crcs64 },
	{ "Cache Flush, Translation Fetch", touches },
	{ 0 }
};
