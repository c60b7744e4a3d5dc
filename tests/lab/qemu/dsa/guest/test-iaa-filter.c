/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other operations of an IAA: filters, zero compression, a cipher, and what is refused. */
#include "iaa-bench.h"

/* A filter of one column of bytes, maybe with a second one, and what it gives. */
static const struct filter_case {
	const char *what;
	uint8_t op;
	uint32_t filter;
	uint8_t elements;
	uint8_t src[8], src_len;
	uint8_t src2[16], src2_len;	/* of an AECS: low, high, first index	*/
	uint8_t out[8], out_len;
	uint32_t first, last, sum;
	uint8_t error;
} filters[] = {
	{ "scan", SCAN, WIDTH(8), 5, { 1, 5, 9, 5, 200 }, 5, { 5, 100, 0 }, 0,
	  { 0x0e }, 1, 1, 3, 3, 0 },
	{ "scan, inverted", SCAN, WIDTH(8) | 1 << 16, 5, { 1, 5, 9, 5, 200 }, 5, { 5, 100, 0 }, 0,
	  { 0x11 }, 1, 0, 4, 2, 0 },
	{ "scan of 4 bits, high first", SCAN, WIDTH(4) | 1, 4, { 0x15, 0x95 }, 2, { 5, 9, 0 }, 0,
	  { 0x0e }, 1, 1, 3, 3, 0 },
	{ "scan to indices", SCAN, WIDTH(8) | 1 << 13, 5, { 1, 5, 9, 5, 200 }, 5, { 5, 100, 10 }, 0,
	  { 11, 12, 13 }, 3, 11, 13, 3, 0 },
	{ "scan of runs", SCAN, 2, 11, { 8, 3 << 1, 7, 1 << 1 | 1, 1, 7, 2, 7 }, 8, { 7, 7, 0 }, 0,
	  { 0 }, 0, 0, 0, 0, 23 },
	{ "too few elements", SCAN, WIDTH(8), 6, { 1, 5, 9, 5, 200 }, 5, { 5, 100, 0 }, 0,
	  { 0 }, 0, 0, 0, 0, 23 },
	{ "extract", EXTRACT, WIDTH(8), 5, { 1, 5, 9, 5, 200 }, 5, { 1, 3, 0 }, 0,
	  { 5, 9, 5 }, 3, 5, 9, 19, 0 },
	{ "extract to 16 bits, high first", EXTRACT, WIDTH(8) | 2 << 13 | 1 << 15, 5,
	  { 1, 5, 9, 5, 200 }, 5, { 1, 2, 0 }, 0, { 0, 5, 0, 9 }, 4, 5, 9, 14, 0 },
	{ "extract to too few bits", EXTRACT, WIDTH(16) | 1 << 13, 2, { 1, 0, 0, 1 }, 4,
	  { 0, 1, 0 }, 0, { 0 }, 0, 0, 0, 0, 21 },
	{ "select", SELECT, WIDTH(8), 5, { 1, 5, 9, 5, 200 }, 5, { 0x15 }, 1,
	  { 1, 9, 200 }, 3, 1, 200, 210, 0 },
	{ "select, high bit first", SELECT, WIDTH(8) | 1 << 12, 5, { 1, 5, 9, 5, 200 }, 5,
	  { 0xc0 }, 1, { 1, 5 }, 2, 1, 5, 6, 0 },
	{ "too few marks", SELECT, WIDTH(8), 9, { 1, 5, 9, 5, 200, 0, 0, 0 }, 8, { 0x15 }, 1,
	  { 0 }, 0, 0, 0, 0, 23 },
	{ "expand", EXPAND, WIDTH(8), 6, { 7, 8, 9 }, 3, { 0x2a }, 1,
	  { 0, 7, 0, 8, 0, 9 }, 6, 0, 9, 24, 0 },
	{ "set membership", SET_MEMBERSHIP, WIDTH(4), 6, { 0x10, 0x32, 0xf4 }, 3, { 0x14, 0x80 }, 2,
	  { 0x34 }, 1, 2, 5, 3, 0 },
	{ "find unique", FIND_UNIQUE, WIDTH(4) | 1 << 17, 4, { 0x10, 0x54 }, 2, { 0 }, 0,
	  { 0x05 }, 1, 0, 2, 2, 0 },
	{ "bursts of bits", RLE_BURST, WIDTH(8), 3, { 3, 2, 4 }, 3, { 0x05 }, 1,
	  { 0xe7, 0x01 }, 2, 0, 8, 7, 0 },
	{ "bursts between totals", RLE_BURST, WIDTH(32), 2, { 4, 0, 0, 0, 9, 0, 0, 0 }, 8, { 1 }, 1,
	  { 0x1f }, 1, 0, 4, 5, 0 },
};

static void filter_one(struct bench *b, const struct filter_case *c)
{
	bool column = c->op != SCAN && c->op != EXTRACT;

	memcpy(b->src, c->src, sizeof(c->src));
	memset(b->src2, 0, 64);
	memset(b->dst, 0xee, 64);
	bench_set(b, c->op, column ? (c->src2_len ? READ_INPUT : 0) : READ_AECS, 0, c->src_len, 64);
	if (column) {
		memcpy(b->src2, c->src2, c->src2_len);
	} else {
		put32(b->src2 + 8, c->src2[0]);
		put32(b->src2 + 12, c->src2[1]);
		put32(b->src2 + 16, c->src2[2]);
	}
	if (!column || c->src2_len)
		bench_src2(b, column ? c->src2_len : 32);
	bench_filter(b, c->filter, c->elements);
	EXPECT_NAMED(c->what, run(b), c->error ? 0x0a : 1);
	EXPECT_NAMED(c->what, b->r->result, c->error);
	if (c->error)
		return;
	EXPECT_NAMED(c->what, result(b, 0), c->out_len);
	EXPECT_NAMED(c->what, memcmp(b->dst, c->out, c->out_len), 0);
	EXPECT_NAMED(c->what, b->dst[c->out_len], 0xee);
	EXPECT_NAMED(c->what, result(b, 3), c->first);
	EXPECT_NAMED(c->what, result(b, 4), c->last);
	EXPECT_NAMED(c->what, result(b, 5), c->sum);
}

static void filter_list(struct pf *pf)
{
	struct bench b;
	uint32_t n;
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		filter_one(&b, &filters[i]);

	/* a compressed column */
	for (i = 0; i < TEXT; i++)
		b.src[i] = i % 50;
	n = compress_in_place(&b, TEXT);
	memset(b.src2, 0, 64);
	put32(b.src2 + 8, 10);
	put32(b.src2 + 12, 19);
	bench_set(&b, SCAN, READ_AECS, 0x1f, n, 4096);
	bench_src2(&b, 32);
	bench_filter(&b, WIDTH(8), TEXT);
	EXPECT(run(&b), 1);
	EXPECT(result(&b, 0), TEXT / 8);
	EXPECT(result(&b, 3), 10);
	EXPECT(result(&b, 5), TEXT / 5);
	pf_stop(pf);
}

static void zero_compress(struct pf *pf)
{
	static const uint8_t packed[] = { 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 7, 9 };
	struct bench b;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	b.src[1] = 7;
	b.src[127] = 9;
	bench_set(&b, ZCOMPRESS8, 0, 0, 128, 64);
	EXPECT(run(&b), 1);
	EXPECT(result(&b, 0), sizeof(packed));
	EXPECT(memcmp(b.dst, packed, sizeof(packed)), 0);
	memcpy(b.src, packed, sizeof(packed));
	bench_set(&b, ZDECOMPRESS8, 0, 0, sizeof(packed), 128);
	EXPECT(run(&b), 1);
	EXPECT(result(&b, 0), 128);
	EXPECT(b.dst[1] | b.dst[127] << 8, 7 | 9 << 8);
	b.d.size = 15;
	EXPECT(run(&b), 0x0a);
	EXPECT(b.r->result, 34);
	bench_set(&b, ZCOMPRESS16, 0, 0, 127, 128);
	EXPECT(run(&b), 0x32);
	pf_stop(pf);
}

static void cipher(struct pf *pf)
{
	static const uint8_t key[] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
				       0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
	static const uint8_t plain[] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d,
					 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a };
	static const uint8_t secret[] = { 0x3b, 0x3f, 0xd9, 0x2e, 0xb7, 0x2d, 0xad, 0x20, 0x33,
					  0x34, 0x49, 0xf8, 0xe8, 0x3c, 0xfb, 0x4a };
	struct bench b;
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	memcpy(b.src, plain, 16);
	b.src2[24] = 1;
	memcpy(b.src2 + 72, key, 16);
	for (i = 0; i < 16; i++)
		b.src2[120 + i] = i;
	bench_set(&b, ENCRYPT, READ_AECS, 0x2, 16, 16);
	bench_src2(&b, 192);
	EXPECT(run(&b), 1);
	EXPECT(result(&b, 0), 16);
	EXPECT(memcmp(b.dst, secret, 16), 0);
	memcpy(b.src, secret, 16);
	b.d.flags_op = OP(DECRYPT) | READ_AECS;
	EXPECT(run(&b), 1);
	EXPECT(memcmp(b.dst, plain, 16), 0);
	b.src2[24] = 0;
	EXPECT(run(&b), 0x0a);
	EXPECT(b.r->result, 22);
	pf_stop(pf);
}

#define BIG	((1u << 20) + 1)	/* what the queue takes, and one more */

/* A descriptor each, and the status it must end with. Address of source 2: an offset, ~0 for 0. */
static const struct {
	const char *what;
	uint8_t op;
	uint32_t flags;
	uint16_t mode;
	uint32_t size, max_dst, src2, src2_size, filter, elements;
	uint8_t status;
} refusals[] = {
	{ "batch", 1, 0, 0, 2, 0, ~0u, 0, 0, 0, 0x10 },
	{ "memory move", 3, 0, 0, 8, 0, ~0u, 0, 0, 0, 0x10 },
	{ "fence", DECOMPRESS, FENCE, 0xf, 64, 64, ~0u, 0, 0, 0, 0x11 },
	{ "reserved flag", DECOMPRESS, FL(4), 0xf, 64, 64, ~0u, 0, 0, 0, 0x11 },
	{ "source 2 read as 3", DECOMPRESS, FL(0) | FL(1), 0xf, 64, 64, 0, 32, 0, 0, 0x11 },
	{ "source 2 written as 3", DECOMPRESS, FL(2) | FL(3), 0xf, 64, 64, 0, 32, 0, 0, 0x11 },
	{ "second column of Compress", COMPRESS, READ_INPUT, 6, 64, 64, 0, 32, 0, 0, 0x11 },
	{ "Compress written on overflow", COMPRESS, READ_AECS | WRITE_OVERFLOW, 6, 64, 64, 0, 1568,
	  0, 0, 0x11 },
	{ "Select without marks", SELECT, 0, 0, 64, 64, ~0u, 0, WIDTH(8), 8, 0x11 },
	{ "Scan without limits", SCAN, 0, 0, 64, 64, ~0u, 0, WIDTH(8), 8, 0x11 },
	{ "CRC64 with CRC select", CRC64, CRC32C, 0, 64, 0, ~0u, 0, 0, 0, 0x11 },
	{ "source 2 not used", DECOMPRESS, 0, 0xf, 64, 64, 0, 0, 0, 0, 0x12 },
	{ "size of source 2 not used", DECOMPRESS, 0, 0xf, 64, 64, ~0u, 32, 0, 0, 0x12 },
	{ "elements of Decompress", DECOMPRESS, 0, 0xf, 64, 64, ~0u, 0, 0, 1, 0x12 },
	{ "size 0", DECOMPRESS, 0, 0xf, 0, 64, ~0u, 0, 0, 0, 0x13 },
	{ "size over the limit", DECOMPRESS, 0, 0xf, BIG, 64, ~0u, 0, 0, 0, 0x13 },
	{ "no destination", DECOMPRESS, 0, 0xf, 64, 0, ~0u, 0, 0, 0, 0x13 },
	{ "destination over the limit", DECOMPRESS, 0, 0xf, 64, BIG, ~0u, 0, 0, 0, 0x13 },
	{ "AECS too large", COMPRESS, READ_AECS, 6, 64, 64, 0, 1600, 0, 0, 0x13 },
	{ "AECS of no bytes", COMPRESS, READ_AECS, 6, 64, 64, 0, 0, 0, 0, 0x13 },
	{ "AECS address", COMPRESS, READ_AECS, 6, 64, 64, 16, 1568, 0, 0, 0x1c },
	{ "AECS size", COMPRESS, READ_AECS, 6, 64, 64, 0, 1560, 0, 0, 0x1c },
	{ "Decompress that does not", DECOMPRESS, 0, 0xe, 64, 64, ~0u, 0, 0, 0, 0x30 },
	{ "Decompress mode bit 15", DECOMPRESS, 0, 0x800f, 64, 64, ~0u, 0, 0, 0, 0x30 },
	{ "indexing, which it lacks", DECOMPRESS, 0, 0x40f, 64, 64, ~0u, 0, 0, 0, 0x30 },
	{ "Compress mode bit 9", COMPRESS, READ_AECS, 0x206, 64, 64, 0, 1568, 0, 0, 0x30 },
	{ "headers, which it lacks", COMPRESS, READ_AECS, 0x3006, 64, 64, 0, 1568, 0, 0, 0x30 },
	{ "CRC64 mode", CRC64, 0, 1, 64, 0, ~0u, 0, 0, 0, 0x30 },
	{ "flags of a stream that is none", SCAN, READ_AECS, 2, 64, 64, 0, 32, WIDTH(8), 8, 0x30 },
	{ "parser 3", SCAN, READ_AECS, 0, 64, 64, 0, 32, WIDTH(8) | 3, 8, 0x31 },
	{ "filter bit 28", SCAN, READ_AECS, 0, 64, 64, 0, 32, WIDTH(8) | 1 << 28, 8, 0x31 },
	{ "dropped bits of Scan", SCAN, READ_AECS, 0, 64, 64, 0, 32, WIDTH(8) | 1 << 17, 8, 0x31 },
	{ "marks of two bits", SELECT, READ_INPUT, 0, 64, 64, 0, 8, WIDTH(8) | 1 << 7, 8, 0x31 },
	{ "no elements", SCAN, READ_AECS, 0, 64, 64, 0, 32, WIDTH(8), 0, 0x33 },
	{ "bursts of 9 bits", RLE_BURST, READ_INPUT, 0, 64, 64, 0, 8, WIDTH(9), 8, 0x34 },
	{ "unique of 16 bits", FIND_UNIQUE, 0, 0, 64, 64, ~0u, 0, WIDTH(16), 8, 0x34 },
	{ "inverted numbers", EXTRACT, READ_AECS, 0, 64, 64, 0, 32, WIDTH(8) | 1 << 16, 8, 0x35 },
};

static void refusal_list(struct pf *pf)
{
	struct bench b;
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		bench_set(&b, refusals[i].op, refusals[i].flags, refusals[i].mode,
			  refusals[i].size, refusals[i].max_dst);
		bench_src2(&b, refusals[i].src2_size);
		b.d.op[0] = refusals[i].src2 == ~0u ? 0 : b.d.op[0] + refusals[i].src2;
		bench_filter(&b, refusals[i].filter, refusals[i].elements);
		if (refusals[i].op == CRC64)
			b.d.dst = 0;
		EXPECT_NAMED(refusals[i].what, run(&b), refusals[i].status);
		if (refusals[i].status == 0x11)
			EXPECT_NAMED(refusals[i].what, b.r->op[0] != 0, 1);
	}

	/* overlap, and a record that is not aligned */
	bench_set(&b, DECOMPRESS, 0, 0xf, 64, 64);
	b.d.dst = b.d.src + 63;
	EXPECT(run(&b), 0x16);
	b.d.dst = b.d.src + 64;
	EXPECT(run(&b) != 0x16, 1);
	bench_set(&b, CRC64, 0, 0, 64, 0);
	b.d.op[2] = 1;
	EXPECT(run(&b), 0x12);
	pf_stop(pf);
}

/* What cannot be reached is named by its operand: 1 and 2 are the sources, 3 the destination. */
static void faults(struct pf *pf)
{
	struct bench b;
	uint8_t status;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	fixed_aecs(b.src2, true);
	bench_set(&b, COMPRESS, READ_AECS, 0x6, 64, 4096);
	bench_src2(&b, COMPRESS_AECS);
	b.d.src = pf_unmapped(pf);
	status = run(&b);
	EXPECT(status == 0x03 || status == 0x20, 1);
	EXPECT(b.r->info >> 1, 1);
	EXPECT(b.r->fault_addr, pf_unmapped(pf));
	b.d.src = (uintptr_t)b.src;
	b.d.op[0] = pf_unmapped(pf);
	status = run(&b);
	EXPECT(status == 0x03 || status == 0x20, 1);
	EXPECT(b.r->info >> 1, 2);
	EXPECT(b.r->fault_addr, pf_unmapped(pf));
	pf_stop(pf);
}

const struct test iaa_filter_tests[] = {
	{ "filters", filter_list },
	{ "zero compression", zero_compress },
	{ "Encrypt, Decrypt", cipher },
	{ "analytics refused", refusal_list },
	{ "analytics faults", faults },
	{ 0 }
};
