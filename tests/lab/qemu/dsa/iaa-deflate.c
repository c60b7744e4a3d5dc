/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compress: finds repetitions within the last 4 KiB and writes them and the literals with the
 * Huffman codes of the AECS, or counts the symbols in statistics mode. The block's header is in the
 * AECS as well, as the first bits of the output.
 */
#include "qemu/osdep.h"
#include "iaa.h"

/* AECS of Compress */
#define ACCUM_BITS	28
#define ACCUM		32
#define ACCUM_MAX	256u
#define LL_CODES	288
#define D_CODES		(LL_CODES + 4 * 288)
#define CODE(v)		((v) & 0x7fff)
#define CODE_LEN(v)	((v) >> 15 & 15)

#define EOB		256
#define MIN_MATCH	3u
#define MAX_MATCH	258u
#define CHAIN		32
#define HASH_SIZE	4096u

struct writer {
	struct iaa_job *j;
	uint64_t bits;
	unsigned int count;
	bool full;
	bool no_code;
	uint32_t ll[288];		/* codes, or counts in statistics mode	*/
	uint32_t d[32];
	uint32_t head[HASH_SIZE];	/* position + 1 of the last occurrence	*/
	uint32_t prev[HISTORY];
};

static void put_bits(struct writer *w, uint32_t value, unsigned int n)
{
	w->bits |= (uint64_t)value << w->count;
	w->count += n;
	while (w->count >= 8) {
		if (w->j->out_len == w->j->out_max)
			w->full = true;
		else
			w->j->out[w->j->out_len++] = w->bits;
		w->bits >>= 8;
		w->count -= 8;
	}
}

/* Huffman codes go out with their highest bit first. */
static void put_symbol(struct writer *w, uint32_t *table, unsigned int symbol)
{
	unsigned int n = CODE_LEN(table[symbol]);
	uint32_t code = CODE(table[symbol]);

	if (w->j->mode & CM_STATS) {
		table[symbol]++;
		return;
	}
	if (!n)
		w->no_code = true;
	while (n--)
		put_bits(w, code >> n & 1, 1);
}

static void put_extra(struct writer *w, uint32_t value, unsigned int n)
{
	if (!(w->j->mode & CM_STATS))
		put_bits(w, value & ((1u << n) - 1), n);
}

static unsigned int top_bit(uint32_t v)
{
	return 31 - __builtin_clz(v);
}

static void put_match(struct writer *w, uint32_t len, uint32_t distance)
{
	uint32_t l = len - MIN_MATCH, d = distance - 1;
	unsigned int e = l < 4 ? 0 : top_bit(l) - 2;

	if (len == MAX_MATCH) {
		put_symbol(w, w->ll, 285);
	} else {
		put_symbol(w, w->ll, 257 + 4 * e + (l >> e));
		put_extra(w, l, e);
	}
	e = d < 2 ? 0 : top_bit(d) - 1;
	put_symbol(w, w->d, 2 * e + (d >> e));
	put_extra(w, d, e);
}

static unsigned int hash(const uint8_t *p)
{
	return (p[0] | p[1] << 8 | (uint32_t)p[2] << 16) * 0x9e3779b1u >> 20;
}

static void remember(struct writer *w, uint32_t pos)
{
	unsigned int h;

	if (w->j->in_len - pos < MIN_MATCH)
		return;
	h = hash(w->j->in + pos);
	w->prev[pos % HISTORY] = w->head[h];
	w->head[h] = pos + 1;
}

/* The longest earlier occurrence of what is at @pos; 0 if none is worth it. */
static uint32_t find_match(struct writer *w, uint32_t pos, uint32_t *distance)
{
	const uint8_t *in = w->j->in;
	uint32_t max = MIN(w->j->in_len - pos, MAX_MATCH);
	uint32_t best = 0, at;
	unsigned int tries;

	if (max < MIN_MATCH || w->j->mode & CM_LITERALS)
		return 0;
	at = w->head[hash(in + pos)];
	for (tries = 0; at && pos - (at - 1) <= HISTORY && tries < CHAIN; tries++) {
		uint32_t n = 0;

		while (n < max && in[at - 1 + n] == in[pos + n])
			n++;
		if (n > best) {
			best = n;
			*distance = pos - (at - 1);
		}
		at = w->prev[(at - 1) % HISTORY];
		if (at > pos)
			break;
	}
	return best < MIN_MATCH ? 0 : best;
}

static void put_data(struct writer *w)
{
	uint32_t pos = 0, distance = 0, n;

	while (pos < w->j->in_len && !w->full && !w->no_code) {
		n = find_match(w, pos, &distance);
		if (n)
			put_match(w, n, distance);
		else
			put_symbol(w, w->ll, w->j->in[pos]);
		for (n = MAX(n, 1); n; n--)
			remember(w, pos++);
	}
}

/* The end of the block, and a stored block without content if asked for. */
static void put_end(struct writer *w)
{
	unsigned int end = CM_END(w->j->mode);

	if (end != END_NOTHING)
		put_symbol(w, w->ll, EOB);
	if (end < END_EOB_STORED || w->j->mode & CM_STATS)
		return;
	put_bits(w, end == END_EOB_STORED_FINAL, 3);
	put_bits(w, 0, -w->count & 7);
	put_bits(w, 0x0000, 16);
	put_bits(w, 0xffff, 16);
}

static bool load(struct writer *w)
{
	const uint8_t *aecs = w->j->aecs;
	uint32_t bits = get32(aecs + ACCUM_BITS);
	unsigned int i;

	if (bits > 8 * ACCUM_MAX)
		return false;
	for (i = 0; i < 288; i++)
		w->ll[i] = get32(aecs + LL_CODES + 4 * i);
	for (i = 0; i < 32; i++)
		w->d[i] = get32(aecs + D_CODES + 4 * i);
	for (i = 0; i < bits; i += 8)
		put_bits(w, aecs[ACCUM + i / 8] & (0xff >> (8 - MIN(8, bits - i))),
			 MIN(8, bits - i));
	return true;
}

/* unverified: that less than a byte stays behind when the output is not flushed. */
static void save(struct writer *w)
{
	uint8_t *aecs = w->j->aecs;

	put32(aecs + AECS_CRC, w->j->crc);
	put32(aecs + AECS_XOR, w->j->xor);
	memset(aecs + 8, 0, AECS_COMPRESS_STATE - 8);
	put32(aecs + ACCUM_BITS, w->count);
	aecs[ACCUM] = w->bits;
	w->j->aecs_state = AECS_COMPRESS_STATE;
}

static void put_histogram(struct writer *w)
{
	struct iaa_job *j = w->j;
	unsigned int i;

	for (i = 0; i < 288; i++)
		put32(j->out + 4 * i, w->ll[i]);
	for (i = 0; i < 32; i++)
		put32(j->out + 4 * (288 + i), w->d[i]);
	j->out_len = HISTOGRAM_BYTES;
}

void iaa_compress(struct iaa_job *j)
{
	struct writer *w = g_new0(struct writer, 1);

	w->j = j;
	j->status = AS_OK;
	iaa_sum(j, j->in, j->in_len, 0);
	if (!(j->mode & CM_STATS) && !load(w)) {
		iaa_fail(j, AE_AECS);
		goto out;
	}
	put_data(w);
	put_end(w);
	if (j->mode & CM_FLUSH) {
		j->out_bits = w->count;
		put_bits(w, 0, -w->count & 7);
	}
	if (j->mode & CM_STATS)
		put_histogram(w);
	j->consumed = j->in_len;
	save(w);
	if (w->no_code)
		iaa_fail(j, AE_HUFFMAN);
	else if (w->full)
		iaa_fail(j, AE_OUTPUT_FULL);
out:
	g_free(w);
}
