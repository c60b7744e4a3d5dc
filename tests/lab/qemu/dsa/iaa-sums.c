/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums of an IAA: the CRC and the XOR checksum that come with every operation on data, and the
 * CRC64 operation with a polynomial of the caller's choice.
 */
#include "qemu/osdep.h"
#include "iaa.h"

#define POLY_CRC32	0xedb88320u
#define POLY_CRC32C	0x82f63b78u

static uint32_t tables[2][256];

static const uint32_t *crc_table(bool crc32c)
{
	uint32_t *t = tables[crc32c];
	unsigned int i, bit;

	for (i = 0; !t[255] && i < 256; i++) {
		uint32_t c = i;

		for (bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? (crc32c ? POLY_CRC32C : POLY_CRC32) : 0);
		t[i] = c;
	}
	return t;
}

void iaa_sum(struct iaa_job *j, const uint8_t *p, uint64_t n, uint64_t at)
{
	const uint32_t *t = crc_table(j->flags & IF_CRC32C);
	uint32_t crc = ~j->crc;
	uint64_t i;

	for (i = 0; i < n; i++) {
		crc = crc >> 8 ^ t[(crc ^ p[i]) & 0xff];
		j->xor ^= p[i] << 8 * ((at + i) & 1);
	}
	j->crc = ~crc;
}

static uint64_t reflect64(uint64_t v)
{
	uint64_t r = 0;
	unsigned int i;

	for (i = 0; i < 64; i++)
		r |= (v >> i & 1) << (63 - i);
	return r;
}

/* A narrower polynomial is aligned to the top: ones from there down to its lowest term. */
static uint64_t crc64_ones(uint64_t poly)
{
	return poly ? ~0ull << __builtin_ctzll(poly) : 0;
}

void iaa_crc64(struct iaa_job *j)
{
	bool low = j->mode & RM_REFLECT;
	uint64_t poly = low ? reflect64(j->poly) : j->poly;
	uint64_t ones = j->mode & RM_INVERT ? crc64_ones(j->poly) : 0;
	uint64_t crc, table[256];
	unsigned int i, bit;

	if (low)
		ones = reflect64(ones);
	for (i = 0; i < 256; i++) {
		crc = low ? i : (uint64_t)i << 56;
		for (bit = 0; bit < 8; bit++) {
			if (low)
				crc = crc >> 1 ^ (crc & 1 ? poly : 0);
			else
				crc = crc << 1 ^ (crc >> 63 ? poly : 0);
		}
		table[i] = crc;
	}

	crc = ones;
	for (i = 0; i < j->in_len; i++) {
		if (low)
			crc = crc >> 8 ^ table[(crc ^ j->in[i]) & 0xff];
		else
			crc = crc << 8 ^ table[crc >> 56 ^ j->in[i]];
	}
	j->crc64 = crc ^ ones;
	j->consumed = j->in_len;
	j->status = AS_OK;
}
