/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of an IAA's operations have in common: descriptors, buffers, a Huffman code. */
#ifndef IDXD_LAB_GUEST_IAA_BENCH_H
#define IDXD_LAB_GUEST_IAA_BENCH_H

#include <string.h>
#include "pf.h"

#define DECRYPT		0x40
#define ENCRYPT		0x41
#define DECOMPRESS	0x42
#define COMPRESS	0x43
#define CRC64		0x44
#define ZDECOMPRESS8	0x4a
#define ZCOMPRESS16	0x4d
#define ZCOMPRESS8	0x4e
#define SCAN		0x50
#define SET_MEMBERSHIP	0x51
#define EXTRACT		0x52
#define SELECT		0x53
#define RLE_BURST	0x54
#define FIND_UNIQUE	0x55
#define EXPAND		0x56

#define READ_AECS	FL(0)
#define READ_INPUT	FL(1)
#define WRITE_AECS	FL(2)
#define WRITE_OVERFLOW	FL(3)
#define CRC32C		FL(5)
#define TOGGLE		FL(6)

#define WIDTH(n)	((uint32_t)((n) - 1) << 2)
#define COMPRESS_AECS	1568u
#define DECOMPRESS_AECS	5376u
#define TEXT		20000u

/* What a test works with: descriptor, record, one page or more of each operand. */
struct bench {
	struct pf *pf;
	struct desc d;
	struct record *r;
	uint8_t *src, *dst, *src2;
};

static inline void bench_open(struct bench *b, struct pf *pf)
{
	pf_mem_reset(pf);
	memset(b, 0, sizeof(*b));
	b->pf = pf;
	b->r = pf_mem(pf, 4096);
	b->src = pf_mem(pf, 1 << 18);
	b->dst = pf_mem(pf, 1 << 18);
	b->src2 = pf_mem(pf, 1 << 16);
}

static inline void bench_set(struct bench *b, unsigned int op, uint32_t flags, uint16_t mode,
		      uint32_t size, uint32_t max_dst)
{
	memset(&b->d, 0, sizeof(b->d));
	b->d.flags_op = OP(op) | flags;
	b->d.src = (uintptr_t)b->src;
	b->d.dst = (uintptr_t)b->dst;
	b->d.size = size;
	b->d.rsvd = mode;
	b->d.op[1] = max_dst;
}

static inline void bench_src2(struct bench *b, uint32_t size)
{
	b->d.op[0] = (uintptr_t)b->src2;
	b->d.op[1] |= (uint64_t)size << 32;
}

static inline void bench_filter(struct bench *b, uint32_t filter, uint32_t elements)
{
	b->d.op[2] = filter | (uint64_t)elements << 32;
}

static inline uint8_t run(struct bench *b)
{
	memset((void *)b->r, 0, 64);
	return pf_run(b->pf, &b->d, b->r);
}

/* Dwords of the record from byte 24 on: size, bits and XOR, CRC, first, last, sum */
static inline uint32_t result(struct bench *b, unsigned int n)
{
	return ((uint32_t *)b->r)[6 + n];
}

static inline void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static inline void text(uint8_t *p, uint32_t n, unsigned int seed)
{
	static const char words[] = "what goes out must come back, ";
	uint32_t i;

	for (i = 0; i < n; i++)
		p[i] = words[(i + seed) % 30] ^ (i % 97 == 0 ? i >> 7 : 0);
}

/* The fixed Huffman code of DEFLATE: code in bits 14:0, length above. */
static inline void fixed_aecs(uint8_t *aecs, bool final)
{
	unsigned int i;

	memset(aecs, 0, COMPRESS_AECS);
	put32(aecs + 28, 3);
	aecs[32] = 2 | final;
	for (i = 0; i < 286; i++) {
		uint32_t code = i < 144 ? 0x30 + i : i < 256 ? 0x100 + i : i < 280 ? i - 256 :
				0xc0 + i - 280;
		uint32_t len = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;

		put32(aecs + 288 + 4 * i, code | len << 15);
	}
	for (i = 0; i < 30; i++)
		put32(aecs + 288 + 4 * 288 + 4 * i, i | 5 << 15);
}

/* Compresses the source and leaves the stream there; returns its length. */
static inline uint32_t compress_in_place(struct bench *b, uint32_t n)
{
	fixed_aecs(b->src2, true);
	bench_set(b, COMPRESS, READ_AECS, 0x6, n, 1 << 17);
	bench_src2(b, COMPRESS_AECS);
	EXPECT(run(b), 1);
	n = result(b, 0);
	memcpy(b->src, b->dst, n);
	return n;
}

#endif
