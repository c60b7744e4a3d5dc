/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRC Generation and Copy with CRC: the 32-bit polynomial 0x11EDC6F41 or the 64-bit polynomial
 * 0x1AD93D23594C93659, most significant bit first, with the inversions and reflections that the
 * flags can switch off. The remainder is kept at the top of 64 bits for both.
 */
#include "qemu/osdep.h"
#include "ops.h"

#define POLY32		(0x1edc6f41ull << 32)
#define POLY64		0xad93d23594c93659ull
#define PAGE		4096u
#define F_SEED_MEM	F_OP(0)
#define F_RAW_CRC	F_OP(1)
#define F_RAW_DATA	F_OP(2)
#define F_CRC64		F_OP(3)

static uint64_t crc_table[2][256];

static void crc_table_init(uint64_t *table, uint64_t poly)
{
	unsigned int i, bit;

	for (i = 0; i < 256 && !table[255]; i++) {
		uint64_t c = (uint64_t)i << 56;

		for (bit = 0; bit < 8; bit++)
			c = c & 1ull << 63 ? c << 1 ^ poly : c << 1;
		table[i] = c;
	}
}

static unsigned int crc_bits(const struct work *w)
{
	return w->flags & F_CRC64 ? 64 : 32;
}

static uint64_t reflect(uint64_t v, unsigned int bits)
{
	uint64_t r = 0;
	unsigned int i;

	for (i = 0; i < bits; i++)
		r |= (v >> i & 1) << (bits - 1 - i);
	return r;
}

/* Between the value software sees and the one the division works on; its own inverse. */
static uint64_t crc_convert(const struct work *w, uint64_t v)
{
	unsigned int bits = crc_bits(w);

	return w->flags & F_RAW_CRC ? v : reflect(~v, bits);
}

static uint64_t crc_update(const struct work *w, uint64_t crc, const uint8_t *buf, uint64_t n)
{
	const uint64_t *table = crc_table[crc_bits(w) == 64];

	crc <<= 64 - crc_bits(w);
	while (n--) {
		uint8_t b = w->flags & F_RAW_DATA ? *buf : reflect(*buf, 8);

		crc = crc << 8 ^ table[crc >> 56 ^ b];
		buf++;
	}
	return crc >> (64 - crc_bits(w));
}

uint8_t check_crc(struct work *w)
{
	uint64_t seed_addr = ldq_le_p(w->raw + 48);

	if (crc_bits(w) == 32 && ldl_le_p(w->raw + 44))
		return ST_RESERVED;
	if (!(w->flags & F_SEED_MEM) && seed_addr)
		return ST_RESERVED;
	if (w->flags & F_SEED_MEM && seed_addr & (crc_bits(w) / 8 - 1))
		return ST_ALIGN;
	if (w->opcode == OP_COPY_CRC && spans_overlap(w->src, w->size, w->dst, w->size))
		return ST_OVERLAP;
	return 0;
}

static enum step crc_seed(struct work *w)
{
	uint8_t seed[8] = { 0 };
	uint32_t len = crc_bits(w) / 8;
	enum step s = STEP_OK;

	memcpy(seed, w->raw + 40, len);
	if (w->flags & F_SEED_MEM)
		s = work_read(w, ldq_le_p(w->raw + 48), seed, len, OPND_SRC2);
	if (s != STEP_OK)
		return s;
	crc_table_init(crc_table[0], POLY32);
	crc_table_init(crc_table[1], POLY64);
	w->aux = crc_convert(w, ldq_le_p(seed));
	w->seeded = true;
	return STEP_OK;
}

enum step step_crc(struct work *w)
{
	bool copy = w->opcode == OP_COPY_CRC;
	enum step s = w->seeded ? STEP_OK : crc_seed(w);
	uint8_t buf[PAGE];

	if (s != STEP_OK)
		return s;
	while (w->done < w->size) {
		uint64_t from = w->src + w->done;
		uint64_t to = copy ? w->dst + w->done : from;
		uint64_t n = work_chunk(w, from, to);

		s = work_read(w, from, buf, n, OPND_SRC1);
		if (s == STEP_OK && copy)
			s = work_write(w, to, buf, n, OPND_DST);
		if (s != STEP_OK)
			return s;
		w->aux = crc_update(w, w->aux, buf, n);
		w->done += n;
		if (w->d->budget <= 0 && w->done < w->size)
			return STEP_MORE;
	}
	return work_success(w, ST_OK);
}

void fill_crc(struct work *w)
{
	if (w->seeded)
		stq_le_p(w->record + 16, crc_convert(w, w->aux));
}
