/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters: operations on a column of numbers of 1 to 32 bits, packed without gaps. Each reads
 * elements, and either a second column or limits from the AECS, and produces bits or elements.
 */
#include "qemu/osdep.h"
#include "iaa.h"

/* AECS of the filters */
#define LOW		8
#define HIGH		12
#define FIRST_INDEX	16
#define DROP_BYTES	20

#define NO_END		UINT64_MAX
#define UNIQUE_BITS	15

/* A column to read from. */
struct column {
	const uint8_t *p;
	uint64_t pos, end;		/* bits */
	unsigned int width;
	bool be;
	/* repetitions and packed runs, in the encoding of Parquet */
	bool prle;
	bool repeat;
	uint64_t run;
	uint32_t value;
};

struct filter {
	struct iaa_job *j;
	struct column a, b;
	/* output */
	uint64_t out_pos;		/* bits					*/
	uint64_t index;			/* elements or bits so far		*/
	unsigned int width;		/* of an element, 1 for bits		*/
	bool full;
	bool narrow;
	bool any;
};

static uint32_t read_bits(struct column *c, unsigned int n)
{
	uint32_t v = 0;
	unsigned int i;

	for (i = 0; i < n; i++, c->pos++) {
		if (c->be)
			v = v << 1 | (c->p[c->pos / 8] >> (7 - c->pos % 8) & 1);
		else
			v |= (c->p[c->pos / 8] >> c->pos % 8 & 1u) << i;
	}
	return v;
}

static bool has_bits(const struct column *c, uint64_t n)
{
	return c->end - c->pos >= n;
}

/* The next run: its length and kind in groups of seven bits, then the value if it repeats. */
static bool next_run(struct column *c)
{
	unsigned int shift = 0, bytes = (c->width + 7) / 8;
	uint64_t head = 0;
	uint32_t byte;

	do {
		if (!has_bits(c, 8) || shift > 28)
			return false;
		byte = read_bits(c, 8);
		head |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	c->repeat = !(head & 1);
	c->run = c->repeat ? head >> 1 : (head >> 1) * 8;
	if (!c->repeat)
		return true;
	if (!has_bits(c, 8 * bytes))
		return false;
	c->value = read_bits(c, 8 * bytes);
	return true;
}

/* False when the column is over, or with an error in the job when it is broken. */
static bool next(struct iaa_job *j, struct column *c, uint32_t *v)
{
	while (c->prle && !c->run) {
		if (c->pos == c->end)
			return false;
		if (!next_run(c)) {
			iaa_fail(j, AE_PRLE);
			return false;
		}
	}
	if (c->prle)
		c->run--;
	if (c->prle && c->repeat) {
		*v = c->value;
		return true;
	}
	if (!has_bits(c, c->width))
		return false;
	*v = read_bits(c, c->width);
	return true;
}

static bool need(struct filter *f, struct column *c, uint32_t *v)
{
	if (next(f->j, c, v))
		return true;
	if (f->j->status != AS_ERROR)
		iaa_fail(f->j, c == &f->a ? AE_SRC1_SHORT : AE_SRC2_SHORT);
	return false;
}

static void write_bits(struct filter *f, uint32_t v, unsigned int n)
{
	struct iaa_job *j = f->j;
	unsigned int i;

	if (f->out_pos + n > 8ull * j->out_max) {
		f->full = true;
		return;
	}
	for (i = 0; i < n; i++, f->out_pos++) {
		uint8_t *p = j->out + f->out_pos / 8;
		bool be = j->filter & FF_OUT_BE;
		unsigned int bit = v >> (be ? n - 1 - i : i) & 1;

		if (!(f->out_pos % 8))
			*p = 0;
		*p |= bit << (be ? 7 - f->out_pos % 8 : f->out_pos % 8);
	}
}

static void aggregate_element(struct filter *f, uint32_t v)
{
	f->j->first = MIN(f->j->first, v);
	f->j->last = MAX(f->j->last, v);
	f->j->sum += v;
}

/* Bits as they are, or the indices of those that are set. */
static void put_bit(struct filter *f, bool bit)
{
	static const uint8_t widths[] = { 1, 8, 16, 32 };
	struct iaa_job *j = f->j;
	unsigned int width = widths[FF_OUT_WIDTH(j->filter)];
	uint64_t index = f->index++;

	bit ^= !!(j->filter & FF_INVERT);
	if (bit) {
		index += get32(j->aecs + FIRST_INDEX);
		j->first = MIN(j->first, index);
		j->last = index;
		j->sum++;
	}
	if (width == 1) {
		write_bits(f, bit, 1);
	} else if (bit) {
		f->narrow |= index >> width != 0;
		write_bits(f, index, width);
	}
}

static void put_element(struct filter *f, uint32_t v)
{
	static const uint8_t widths[] = { 0, 8, 16, 32 };
	unsigned int width = widths[FF_OUT_WIDTH(f->j->filter)];

	if (f->width == 1 && !(f->j->filter & FF_FORCE_ARRAY)) {
		put_bit(f, v);
		return;
	}
	aggregate_element(f, v);
	if (!width)
		width = f->width;
	f->narrow |= (uint64_t)v >> width != 0;
	write_bits(f, v, width);
}

static bool stop(const struct filter *f)
{
	return f->full || f->narrow || f->j->status == AS_ERROR;
}

/* unverified: that limits are cut to the width of an element. */
static void scan(struct filter *f)
{
	uint32_t mask = ~0u >> (32 - f->a.width), v, n;
	uint32_t low = get32(f->j->aecs + LOW) & mask, high = get32(f->j->aecs + HIGH) & mask;

	for (n = 0; n < f->j->elements && !stop(f) && need(f, &f->a, &v); n++)
		put_bit(f, v >= low && v <= high);
}

static void extract(struct filter *f)
{
	uint32_t low = get32(f->j->aecs + LOW), high = get32(f->j->aecs + HIGH), v, n;

	for (n = 0; n < f->j->elements && !stop(f) && need(f, &f->a, &v); n++) {
		if (n >= low && n <= high)
			put_element(f, v);
	}
}

static void select_marked(struct filter *f)
{
	uint32_t v, mark, n;

	for (n = 0; n < f->j->elements && !stop(f); n++) {
		if (!need(f, &f->a, &v) || !need(f, &f->b, &mark))
			return;
		if (mark)
			put_element(f, v);
	}
}

/* The count is the number of marks, set or not; each set one takes an element. */
static void expand(struct filter *f)
{
	uint32_t v, mark, n;

	for (n = 0; n < f->j->elements && !stop(f); n++) {
		v = 0;
		if (!need(f, &f->b, &mark) || (mark && !need(f, &f->a, &v)))
			return;
		put_element(f, v);
	}
}

static uint32_t trimmed(const struct filter *f, uint32_t v)
{
	unsigned int low = FF_DROP_LOW(f->j->filter), high = FF_DROP_HIGH(f->j->filter);

	return (v & (~0u >> (32 - (f->a.width - high)))) >> low;
}

static void set_membership(struct filter *f)
{
	uint32_t v, n;

	for (n = 0; n < f->j->elements && !stop(f) && need(f, &f->a, &v); n++) {
		struct column set = f->b;

		set.pos = trimmed(f, v);
		if (set.pos >= set.end) {
			iaa_fail(f->j, AE_SRC2_SHORT);
			return;
		}
		put_bit(f, read_bits(&set, 1));
	}
}

static void find_unique(struct filter *f)
{
	unsigned int bits = f->a.width - FF_DROP_LOW(f->j->filter) - FF_DROP_HIGH(f->j->filter);
	bool *seen = g_new0(bool, 1u << UNIQUE_BITS);
	uint32_t v, n, i;

	for (n = 0; n < f->j->elements && need(f, &f->a, &v); n++)
		seen[trimmed(f, v)] = true;
	for (i = 0; i < 1u << bits && !stop(f); i++)
		put_bit(f, seen[i]);
	g_free(seen);
}

/* Counts of 8 or 16 bits; of 32 bits they are running totals, the first where to start. */
static void rle_burst(struct filter *f)
{
	bool totals = f->a.width == 32;
	uint32_t v, value, last = 0, n = 0, count;

	if (totals && !need(f, &f->a, &last))
		return;
	for (n = totals; n < f->j->elements && !stop(f); n++) {
		if (!need(f, &f->a, &v) || !need(f, &f->b, &value))
			return;
		count = totals ? v - last : v;
		last = v;
		while (count-- && !stop(f))
			put_element(f, value);
	}
}

static void run(struct filter *f)
{
	switch (f->j->opcode) {
	case IAA_SCAN:
		scan(f);
		break;
	case IAA_EXTRACT:
		extract(f);
		break;
	case IAA_SELECT:
		select_marked(f);
		break;
	case IAA_EXPAND:
		expand(f);
		break;
	case IAA_SET_MEMBERSHIP:
		set_membership(f);
		break;
	case IAA_FIND_UNIQUE:
		find_unique(f);
		break;
	case IAA_RLE_BURST:
		rle_burst(f);
		break;
	}
}

/* A column of runs says its width in its first byte. */
static bool open_first(struct filter *f, const uint8_t *p, uint32_t len)
{
	struct column *c = &f->a;

	c->p = p;
	c->end = 8ull * len;
	c->width = FF_WIDTH1(f->j->filter);
	c->be = FF_PARSE(f->j->filter) == PARSE_BE;
	c->prle = FF_PARSE(f->j->filter) == PARSE_PRLE;
	if (!c->prle)
		return true;
	if (!len) {
		iaa_fail(f->j, AE_PRLE);
		return false;
	}
	c->width = read_bits(c, 8);
	if (c->width >= 1 && c->width <= 32)
		return true;
	iaa_fail(f->j, c->width ? AE_PRLE_WIDTH : AE_PRLE);
	return false;
}

static void filter_run(struct iaa_job *j, const uint8_t *p, uint32_t len)
{
	struct filter f = { .j = j };

	j->first = UINT32_MAX;
	if (!open_first(&f, p, len))
		return;
	f.b.p = j->in2;
	f.b.end = 8ull * j->in2_len;
	f.b.width = j->opcode == IAA_SET_MEMBERSHIP ? 1 : FF_WIDTH2(j->filter);
	f.b.be = j->filter & FF_SRC2_BE;
	f.width = j->opcode == IAA_RLE_BURST ? f.b.width : f.a.width;
	run(&f);

	if (j->status != AS_ERROR && f.narrow)
		iaa_fail(j, AE_OUTPUT_WIDTH);
	else if (j->status != AS_ERROR && f.full)
		iaa_fail(j, AE_OUTPUT_FULL);
	j->out_len = (f.out_pos + 7) / 8;
	j->out_bits = f.out_pos % 8;
}

/* Decompresses into memory of its own, as much as @elements can need. */
static void filter_compressed(struct iaa_job *j)
{
	uint32_t max = MIN(16u * 1024 * 1024, 8ull * j->elements + 4096 + 65536), drop;
	struct iaa_job *inner = g_memdup2(j, sizeof(*j));

	inner->out = g_malloc(max);
	inner->out_max = max;
	iaa_decompress(inner);
	j->crc = inner->crc;
	j->xor = inner->xor;
	j->consumed = inner->consumed;
	if (inner->status == AS_ERROR) {
		iaa_fail(j, inner->error);
	} else {
		drop = MIN(get16(j->aecs + DROP_BYTES), inner->out_len);
		filter_run(j, inner->out + drop, inner->out_len - drop);
	}
	g_free(inner->out);
	g_free(inner);
}

/*
 * unverified: that the checksums cover all of the input and not just the elements used, that an
 * output that does not fit is the error it is here, and the order of bytes in wide elements.
 */
void iaa_filter(struct iaa_job *j)
{
	j->status = AS_OK;
	if (j->mode & DM_ENABLE) {
		filter_compressed(j);
		return;
	}
	iaa_sum(j, j->in, j->in_len, 0);
	j->consumed = j->in_len;
	filter_run(j, j->in, j->in_len);
}
