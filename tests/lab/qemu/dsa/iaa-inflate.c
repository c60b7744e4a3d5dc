/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decompress: DEFLATE with a history of 4 KiB, one job at a time. Where input or output ends before
 * the stream does, everything needed to go on is put into the AECS.
 */
#include "qemu/osdep.h"
#include "iaa.h"

/* AECS of Decompress. unverified: where code lengths and the rest of a match are. */
#define IN_ACCUM	184		/* 32 qwords				*/
#define IN_ACCUM_BITS	440		/* a byte for each: how many bits	*/
#define LENGTHS		808		/* a nibble for each code		*/
#define STATE		1076
#define STORED_LEFT	1080
#define COPY_LEFT	1084
#define COPY_DISTANCE	1086
#define HISTORY_POS	1252		/* bit 15: has been full		*/
#define HISTORY_DATA	1256

#define MAX_LEN		15
#define LL_ALL		288u		/* the fixed code has two that are never used */
#define LL_MAX		286u
#define D_MAX		30u
#define EOB		256

/* Parser states as the AECS has them; bit 2 says that the block is the last one */
enum { AT_TOKEN = 0, AT_HEADER = 1, AT_STORED = 2, FINAL = 4, ENDED = 8 };

/* What a part of the parser ended with */
enum { GO_ON, NEED_INPUT, NEED_OUTPUT, FAILED, STOPPED };

struct code {
	uint16_t count[MAX_LEN + 1];
	uint16_t symbol[288];
};

struct inflate {
	struct iaa_job *j;
	const uint8_t *in;
	uint64_t before, pos, end;	/* bits; before: left by an earlier job	*/
	bool short_input;
	unsigned int state;
	uint8_t lengths[LL_ALL + D_MAX];
	struct code ll, d;
	uint32_t stored_left;
	uint32_t copy_left, copy_distance;
	uint8_t history[HISTORY];
	uint64_t total;			/* bytes that went through the history	*/
	uint64_t made;			/* bytes of this job			*/
};

static int fail(struct inflate *s, enum iaa_error error)
{
	iaa_fail(s->j, error);
	return FAILED;
}

/* Running out of input is noticed once, after a whole token or header was tried. */
static uint32_t bits(struct inflate *s, unsigned int n)
{
	uint32_t v = 0;
	unsigned int i;

	if (s->end - s->pos < n) {
		s->short_input = true;
		s->pos = s->end;
		return 0;
	}
	for (i = 0; i < n; i++, s->pos++)
		v |= (s->in[s->pos / 8] >> s->pos % 8 & 1u) << i;
	return v;
}

/* False if the lengths claim more codes than there are. */
static bool code_make(struct code *c, const uint8_t *lengths, unsigned int n)
{
	uint16_t start[MAX_LEN + 2] = { 0 };
	unsigned int i;
	int left = 1;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < n; i++)
		c->count[lengths[i]]++;
	c->count[0] = 0;
	for (i = 1; i <= MAX_LEN; i++) {
		left = 2 * left - c->count[i];
		if (left < 0)
			return false;
		start[i + 1] = start[i] + c->count[i];
	}
	for (i = 0; i < n; i++) {
		if (lengths[i])
			c->symbol[start[lengths[i]]++] = i;
	}
	return true;
}

/* The next symbol; -1 for a code that has none. */
static int decode(struct inflate *s, const struct code *c)
{
	unsigned int n, first = 0, index = 0, v = 0;

	for (n = 1; n <= MAX_LEN; n++) {
		v |= bits(s, 1);
		if (s->short_input)
			return 0;
		if (v - first < c->count[n])
			return c->symbol[index + v - first];
		index += c->count[n];
		first = (first + c->count[n]) << 1;
		v <<= 1;
	}
	return -1;
}

static void fixed_lengths(struct inflate *s)
{
	unsigned int i;

	for (i = 0; i < LL_ALL; i++)
		s->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	memset(s->lengths + LL_ALL, 5, D_MAX);
}

static int codes_from_lengths(struct inflate *s)
{
	if (!code_make(&s->ll, s->lengths, LL_ALL))
		return fail(s, AE_LL_LENGTHS);
	if (!code_make(&s->d, s->lengths + LL_ALL, D_MAX))
		return fail(s, AE_D_LENGTHS);
	return GO_ON;
}

/* The lengths of one table, themselves coded. Repetitions must stay within it. */
static int read_lengths(struct inflate *s, const struct code *cl, uint8_t *out, unsigned int count,
			bool ll)
{
	static const uint8_t base[] = { 3, 3, 11 }, extra[] = { 2, 3, 7 };
	unsigned int n = 0;

	while (n < count) {
		int symbol = decode(s, cl);
		unsigned int repeat = 1, value = symbol;

		if (s->short_input)
			return NEED_INPUT;
		if (symbol < 0)
			return fail(s, AE_CL_CODE);
		if (symbol >= 16) {
			if (symbol == 16 && !n)
				return fail(s, ll ? AE_LL_FIRST_16 : AE_D_FIRST_16);
			value = symbol == 16 ? out[n - 1] : 0;
			repeat = base[symbol - 16] + bits(s, extra[symbol - 16]);
		}
		if (s->short_input)
			return NEED_INPUT;
		if (n + repeat > count)
			return fail(s, ll ? AE_LL_COUNT : AE_D_COUNT);
		memset(out + n, value, repeat);
		n += repeat;
	}
	return GO_ON;
}

static int dynamic_header(struct inflate *s)
{
	static const uint8_t order[] = {
		16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
	};
	unsigned int nll = bits(s, 5) + 257, nd = bits(s, 5) + 1, ncl = bits(s, 4) + 4, i;
	uint8_t lengths[19] = { 0 };
	struct code cl;
	int r;

	for (i = 0; i < ncl; i++)
		lengths[order[i]] = bits(s, 3);
	if (s->short_input)
		return NEED_INPUT;
	if (nll > LL_MAX)
		return fail(s, AE_LL_TOO_MANY);
	if (nd > D_MAX)
		return fail(s, AE_D_TOO_MANY);
	if (!code_make(&cl, lengths, 19))
		return fail(s, AE_CL_LENGTHS);
	memset(s->lengths, 0, sizeof(s->lengths));
	r = read_lengths(s, &cl, s->lengths, nll, true);
	if (r == GO_ON)
		r = read_lengths(s, &cl, s->lengths + LL_ALL, nd, false);
	if (r != GO_ON)
		return r;
	for (i = 0; i < LL_MAX && !s->lengths[i]; i++)
		;
	return i == LL_MAX ? fail(s, AE_NO_LL_CODE) : codes_from_lengths(s);
}

static int stored_header(struct inflate *s)
{
	uint32_t len, inverse;

	bits(s, (s->before - s->pos) & 7);
	len = bits(s, 16);
	inverse = bits(s, 16);
	if (s->short_input)
		return NEED_INPUT;
	if ((len ^ inverse) != 0xffff)
		return fail(s, AE_STORED_LENGTH);
	s->stored_left = len;
	return GO_ON;
}

static int header(struct inflate *s)
{
	bool final = bits(s, 1);
	unsigned int type = bits(s, 2);
	int r = GO_ON;

	if (s->short_input)
		return NEED_INPUT;
	switch (type) {
	case 0:
		r = stored_header(s);
		break;
	case 1:
		fixed_lengths(s);
		r = codes_from_lengths(s);
		break;
	case 2:
		r = dynamic_header(s);
		break;
	default:
		return fail(s, AE_BLOCK_TYPE);
	}
	if (r == GO_ON)
		s->state = (type ? AT_TOKEN : AT_STORED) | (final ? FINAL : 0);
	return r;
}

/* False when the output is full. */
static bool emit(struct inflate *s, uint8_t byte)
{
	struct iaa_job *j = s->j;

	if (!(j->mode & DM_SUPPRESS)) {
		if (j->out_len == j->out_max)
			return false;
		j->out[j->out_len++] = byte;
	}
	iaa_sum(j, &byte, 1, s->made++);
	s->history[s->total++ % HISTORY] = byte;
	return true;
}

static int copy(struct inflate *s)
{
	for (; s->copy_left; s->copy_left--) {
		if (!emit(s, s->history[(s->total - s->copy_distance) % HISTORY]))
			return NEED_OUTPUT;
	}
	return GO_ON;
}

static int block_end(struct inflate *s)
{
	bool final = s->state & FINAL;

	s->state = AT_HEADER;
	if (!(s->j->mode & DM_STOP_EOB) || (s->j->mode & DM_FINAL_EOB && !final))
		return GO_ON;
	s->state = ENDED;
	return STOPPED;
}

static int match(struct inflate *s, unsigned int symbol)
{
	unsigned int l = symbol - 257, e = l < 8 || l == 28 ? 0 : l / 4 - 1, len, d;
	int dsymbol;

	if (l == 28)
		len = 258;
	else
		len = 3 + (l < 8 ? l : (4 + l % 4) << e) + bits(s, e);
	dsymbol = decode(s, &s->d);
	if (s->short_input)
		return NEED_INPUT;
	if (dsymbol < 0)
		return fail(s, AE_D_CODE);
	e = dsymbol < 4 ? 0 : dsymbol / 2 - 1;
	d = 1 + (dsymbol < 4 ? dsymbol : (2 + dsymbol % 2) << e) + bits(s, e);
	if (s->short_input)
		return NEED_INPUT;
	if (d > HISTORY)
		return fail(s, AE_DISTANCE);
	if (d > s->total)
		return fail(s, AE_BEFORE_START);
	s->copy_left = len;
	s->copy_distance = d;
	return copy(s);
}

static int token(struct inflate *s)
{
	int symbol = decode(s, &s->ll);

	if (s->short_input)
		return NEED_INPUT;
	if (symbol < 0 || symbol >= (int)LL_MAX)
		return fail(s, AE_LL_CODE);
	if (symbol < EOB)
		return emit(s, symbol) ? GO_ON : NEED_OUTPUT;
	return symbol == EOB ? block_end(s) : match(s, symbol);
}

static int stored(struct inflate *s)
{
	uint64_t start = s->pos;
	uint8_t byte;

	if (!s->stored_left)
		return block_end(s);
	byte = bits(s, 8);
	if (s->short_input)
		return NEED_INPUT;
	if (!emit(s, byte)) {
		s->pos = start;
		return NEED_OUTPUT;
	}
	s->stored_left--;
	return GO_ON;
}

/* One token, header or stored byte; when it is not complete, nothing of it was taken. */
static int advance(struct inflate *s)
{
	uint64_t start = s->pos;
	int r = copy(s);

	if (r != GO_ON)
		return r;
	if (s->state == AT_HEADER)
		r = header(s);
	else
		r = s->state & AT_STORED ? stored(s) : token(s);
	if (r == NEED_INPUT || (r == NEED_OUTPUT && !s->copy_left))
		s->pos = start;
	s->short_input = false;
	return r;
}

/* The bits that an earlier job left, followed by the input of this one. */
static uint8_t *join_input(struct inflate *s)
{
	struct iaa_job *j = s->j;
	uint8_t *buf = g_malloc0(j->in_len + 8 * 32 + 1);
	uint64_t n = 0;
	unsigned int i, b;

	for (i = 0; i < 32; i++) {
		for (b = 0; b < MIN(j->aecs[IN_ACCUM_BITS + i], 64); b++, n++)
			buf[n / 8] |= (j->aecs[IN_ACCUM + 8 * i + b / 8] >> b % 8 & 1) << n % 8;
	}
	s->before = n;
	for (i = 0; i < j->in_len; i++) {
		buf[n / 8 + i] |= j->in[i] << n % 8;
		buf[n / 8 + i + 1] |= j->in[i] >> (8 - n % 8);
	}
	return buf;
}

static bool load(struct inflate *s)
{
	const uint8_t *aecs = s->j->aecs;
	uint16_t pos = get16(aecs + HISTORY_POS);
	unsigned int i;

	s->state = AT_HEADER;
	if (s->j->aecs_len <= AECS_FILTER_MAX)
		return true;
	s->state = aecs[STATE] & 15;
	for (i = 0; i < LL_ALL + D_MAX; i++)
		s->lengths[i] = aecs[LENGTHS + i / 2] >> 4 * (i % 2) & 15;
	s->stored_left = get32(aecs + STORED_LEFT);
	s->copy_left = get16(aecs + COPY_LEFT);
	s->copy_distance = get16(aecs + COPY_DISTANCE);
	s->total = (pos & 0x7fff) + (pos & 0x8000 ? HISTORY : 0);
	memcpy(s->history, aecs + HISTORY_DATA, HISTORY);
	if (s->state & AT_STORED || s->state & AT_HEADER)
		return true;
	return s->lengths[EOB] && codes_from_lengths(s) == GO_ON;
}

static bool save(struct inflate *s)
{
	uint8_t *aecs = s->j->aecs;
	uint64_t left = s->end - s->pos;
	unsigned int i;

	if (left > 8 * 256)
		return false;
	put32(aecs + AECS_CRC, s->j->crc);
	put32(aecs + AECS_XOR, s->j->xor);
	memset(aecs + IN_ACCUM, 0, 8 * 32 + 32);
	for (i = 0; i < left; i++, s->pos++) {
		aecs[IN_ACCUM + i / 8] |= (s->in[s->pos / 8] >> s->pos % 8 & 1) << i % 8;
		aecs[IN_ACCUM_BITS + i / 64]++;
	}
	memset(aecs + LENGTHS, 0, (LL_ALL + D_MAX) / 2);
	for (i = 0; i < LL_ALL + D_MAX; i++)
		aecs[LENGTHS + i / 2] |= s->lengths[i] << 4 * (i % 2);
	put16(aecs + STATE, s->state);
	put32(aecs + STORED_LEFT, s->stored_left);
	put16(aecs + COPY_LEFT, s->copy_left);
	put16(aecs + COPY_DISTANCE, s->copy_distance);
	put16(aecs + HISTORY_POS, s->total % HISTORY | (s->total >= HISTORY ? 0x8000 : 0));
	memcpy(aecs + HISTORY_DATA, s->history, HISTORY);
	s->j->aecs_state = AECS_MAX;
	return true;
}

static void finish(struct inflate *s, int how)
{
	struct iaa_job *j = s->j;
	uint64_t taken = s->pos > s->before ? (s->pos - s->before + 7) / 8 : 0;
	bool stopped = how == STOPPED;
	bool at_eob = stopped || (!(j->mode & DM_STOP_EOB) && s->state == AT_HEADER);

	j->status = AS_OK;
	if (how == NEED_OUTPUT)
		j->status = AS_OVERFLOW;
	else if (!at_eob && j->mode & DM_CHECK_EOB)
		iaa_fail(j, AE_NO_EOB);

	/* what is left of the last byte taken, or of the whole input, goes along */
	if (stopped || how == NEED_OUTPUT)
		s->end = MAX(s->pos, s->before + 8 * taken);
	if (stopped)
		s->end = s->pos;
	else if (how == NEED_INPUT)
		taken = j->in_len;
	j->consumed = taken;
	if (j->status != AS_ERROR && !save(s))
		iaa_fail(j, AE_BIG_HEADER);
}

void iaa_decompress(struct iaa_job *j)
{
	struct inflate *s = g_new0(struct inflate, 1);
	uint8_t *joined = NULL;
	int r = GO_ON;

	s->j = j;
	s->in = j->in;
	if (j->aecs[IN_ACCUM_BITS])
		s->in = joined = join_input(s);
	s->end = s->before + 8ull * j->in_len;
	s->end -= MIN(s->end, DM_IGNORE_BITS(j->mode));

	if (!load(s))
		r = fail(s, AE_AECS);
	while (r == GO_ON)
		r = s->state == ENDED ? STOPPED : advance(s);
	if (r != FAILED)
		finish(s, r);
	g_free(joined);
	g_free(s);
}
