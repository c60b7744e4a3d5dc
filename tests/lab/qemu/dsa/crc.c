/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRC Generation and Copy with CRC: the 32-bit polynomial 0x11EDC6F41, most significant bit first,
 * with the inversions and reflections that the flags can switch off.
 */
#include "qemu/osdep.h"
#include "ops.h"

#define POLY		0x1edc6f41u
#define PAGE		4096u
#define F_SEED_MEM	F_OP(0)
#define F_RAW_CRC	F_OP(1)
#define F_RAW_DATA	F_OP(2)

static uint32_t crc_table[256];

static void crc_table_init(void)
{
	unsigned int i, bit;

	for (i = 0; i < 256 && !crc_table[255]; i++) {
		uint32_t c = i << 24;

		for (bit = 0; bit < 8; bit++)
			c = c & 1u << 31 ? c << 1 ^ POLY : c << 1;
		crc_table[i] = c;
	}
}

static uint32_t reflect(uint32_t v, unsigned int bits)
{
	uint32_t r = 0;
	unsigned int i;

	for (i = 0; i < bits; i++)
		r |= (v >> i & 1) << (bits - 1 - i);
	return r;
}

/* Between the value software sees and the one the division works on; its own inverse. */
static uint32_t crc_convert(const struct work *w, uint32_t v)
{
	return w->flags & F_RAW_CRC ? v : reflect(~v, 32);
}

static uint32_t crc_update(const struct work *w, uint32_t crc, const uint8_t *buf, uint64_t n)
{
	while (n--) {
		uint8_t b = w->flags & F_RAW_DATA ? *buf : reflect(*buf, 8);

		crc = crc << 8 ^ crc_table[crc >> 24 ^ b];
		buf++;
	}
	return crc;
}

uint8_t check_crc(struct work *w)
{
	uint64_t seed_addr = ldq_le_p(w->raw + 48);

	if (!(w->flags & F_SEED_MEM) && seed_addr)
		return ST_RESERVED;
	if (w->flags & F_SEED_MEM && seed_addr & 3)
		return ST_ALIGN;
	if (w->opcode == OP_COPY_CRC && spans_overlap(w->src, w->size, w->dst, w->size))
		return ST_OVERLAP;
	return 0;
}

static enum step crc_seed(struct work *w)
{
	uint8_t seed[4];
	enum step s = STEP_OK;

	memcpy(seed, w->raw + 40, sizeof(seed));
	if (w->flags & F_SEED_MEM)
		s = work_read(w, ldq_le_p(w->raw + 48), seed, sizeof(seed), OPND_SRC2);
	if (s != STEP_OK)
		return s;
	crc_table_init();
	w->aux = crc_convert(w, ldl_le_p(seed));
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
