/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of an IAA and the capabilities that only it has. An analytics operation is fetched
 * whole, computed at once and stored: software that resolves a fault submits the descriptor again
 * from its start, so nothing of an interrupted one has to be kept.
 */
#include "qemu/osdep.h"
#include "ops.h"
#include "iaa.h"

#define PAGE		4096u

/* GENCAP and IAACAP */
#define GENCAP_DECOMPRESS	(1ull << 40)
#define IAACAP_FORCE_ARRAY	(1ull << 3)
#define IAACAP_CFB		(1ull << 10)

/* Bytes of the descriptor */
#define D_MODE		38
#define D_SRC2		40
#define D_MAX_DST	48
#define D_SRC2_SIZE	52
#define D_FILTER	56
#define D_ELEMENTS	60

#define F_DATA	(F_BOF | F_CACHE | F_TC1 | F_TC2 | F_TC3 | F_READBACK)
#define F_SRC2	(F_OP(0) | F_OP(1) | F_OP(2) | F_OP(3) | IF_TOGGLE)

/* What a kind of operation may do with source 2, how large its AECS is, how it computes. */
struct kind {
	uint16_t mode;			/* bits of bytes 38-39 it knows		*/
	uint8_t read;			/* set of values it knows		*/
	uint8_t must;			/* value it must have, 0 for any	*/
	uint8_t write;
	uint32_t aecs_max;
	bool no_output;
	void (*compute)(struct iaa_job *j);
};

#define ONE(v)	(1u << (v))

static const struct kind decompress = {
	DM_KNOWN, ONE(SRC2_NONE) | ONE(SRC2_AECS), 0,
	ONE(AECS_KEEP) | ONE(AECS_WRITE) | ONE(AECS_ON_OVERFLOW), AECS_MAX, false, iaa_decompress,
};
static const struct kind compress = {
	CM_KNOWN, ONE(SRC2_NONE) | ONE(SRC2_AECS), 0, ONE(AECS_KEEP) | ONE(AECS_WRITE),
	AECS_COMPRESS_MAX, false, iaa_compress,
};
static const struct kind crc64 = {
	RM_KNOWN, ONE(SRC2_NONE), 0, ONE(AECS_KEEP), 0, true, iaa_crc64,
};
static const struct kind zcompress = {
	0, ONE(SRC2_NONE), 0, ONE(AECS_KEEP), 0, false, iaa_zcompress,
};
static const struct kind zdecompress = {
	0, ONE(SRC2_NONE), 0, ONE(AECS_KEEP), 0, false, iaa_zdecompress,
};
static const struct kind cipher = {
	EM_FLUSH, ONE(SRC2_AECS), SRC2_AECS, ONE(AECS_KEEP), AECS_CIPHER_MAX, false, iaa_cipher,
};
/* Limits come in an AECS, ... */
static const struct kind filter_limits = {
	DM_KNOWN, ONE(SRC2_AECS), SRC2_AECS, ONE(AECS_KEEP), AECS_MAX, false, iaa_filter,
};
/* ... a second column as input. */
static const struct kind filter_column = {
	DM_KNOWN, ONE(SRC2_INPUT), SRC2_INPUT, ONE(AECS_KEEP), 0, false, iaa_filter,
};
static const struct kind filter_alone = {
	DM_KNOWN, ONE(SRC2_NONE) | ONE(SRC2_AECS), 0, ONE(AECS_KEEP), AECS_MAX, false, iaa_filter,
};

static const struct kind *kind_of(unsigned int opcode)
{
	switch (opcode) {
	case IAA_DECRYPT:
	case IAA_ENCRYPT:
		return &cipher;
	case IAA_DECOMPRESS:
		return &decompress;
	case IAA_COMPRESS:
		return &compress;
	case IAA_CRC64:
		return &crc64;
	case IAA_ZCOMP8:
	case IAA_ZCOMP16:
	case IAA_ZCOMP32:
		return &zcompress;
	case IAA_ZDECOMP8:
	case IAA_ZDECOMP16:
	case IAA_ZDECOMP32:
		return &zdecompress;
	case IAA_SCAN:
	case IAA_EXTRACT:
		return &filter_limits;
	case IAA_FIND_UNIQUE:
		return &filter_alone;
	default:
		return &filter_column;
	}
}

/* The operation in work, with its buffers behind it. */
struct task {
	struct iaa_job job;
	enum { FETCH_AECS, FETCH_SRC2, FETCH_SRC1, COMPUTE, STORE_OUT, STORE_AECS, FINISHED } part;
	uint32_t at;			/* bytes of this part that are over	*/
	uint32_t src2_len;
	uint8_t data[];			/* source 1, source 2, output		*/
};

static uint32_t max_dst(const struct work *w)
{
	return ldl_le_p(w->raw + D_MAX_DST);
}

static uint32_t src2_size(const struct work *w)
{
	return ldl_le_p(w->raw + D_SRC2_SIZE);
}

static uint16_t mode_of(const struct work *w)
{
	return lduw_le_p(w->raw + D_MODE);
}

static bool is_filter(const struct work *w)
{
	return w->opcode >= IAA_SCAN;
}

/*
 * Of two copies of the AECS one is read, the other written; the flag says which.
 * unverified: that Scan and Extract, which write none, follow the flag.
 */
static uint64_t aecs_addr(const struct work *w, bool write)
{
	bool second = !!(w->flags & IF_TOGGLE) != write;

	return w->third + (second ? src2_size(w) : 0);
}

static bool suppressed(const struct work *w)
{
	return (w->opcode == IAA_DECOMPRESS || is_filter(w)) && mode_of(w) & DM_SUPPRESS;
}

static uint8_t check_src2(struct work *w, const struct kind *k)
{
	unsigned int read = IF_READ_SRC2(w->flags), write = IF_WRITE_SRC2(w->flags);
	uint32_t size = src2_size(w);

	w->aux = 0;
	if (!(k->read & ONE(read)))
		w->aux |= F_OP(0) | F_OP(1);
	if (!(k->write & ONE(write)))
		w->aux |= F_OP(2) | F_OP(3);
	if (w->flags & IF_TOGGLE && read != SRC2_AECS && !write)
		w->aux |= IF_TOGGLE;
	if (w->aux)
		return ST_FLAGS;

	if (!read && !write)
		return w->third || size ? ST_RESERVED : 0;
	if (read == SRC2_INPUT)
		return size ? 0 : ST_SIZE;
	if ((w->third | size) & 31)
		return ST_ALIGN;
	return !size || size > k->aecs_max ? ST_SIZE : 0;
}

static uint8_t check_mode(const struct work *w, const struct kind *k)
{
	uint16_t mode = mode_of(w);

	if (mode & ~k->mode)
		return AS_BAD_MODE;
	if (w->opcode == IAA_DECOMPRESS && !(mode & DM_ENABLE))
		return AS_BAD_MODE;
	if (is_filter(w) && !(mode & DM_ENABLE) && mode)
		return AS_BAD_MODE;
	if (w->opcode == IAA_COMPRESS && mode & CM_STATS && mode & CM_LITERALS)
		return AS_BAD_MODE;
	/* Compress without an AECS has no codes to compress with */
	if (w->opcode == IAA_COMPRESS && !(mode & CM_STATS) && !IF_READ_SRC2(w->flags))
		return AS_BAD_MODE;
	return 0;
}

/* Which elements exist: of 8, 16 or 32 bits, of few enough, or of any width. */
static uint8_t check_width(const struct work *w, uint32_t f)
{
	unsigned int width = FF_WIDTH1(f), drop = FF_DROP_LOW(f) + FF_DROP_HIGH(f);
	bool sets = w->opcode == IAA_SET_MEMBERSHIP || w->opcode == IAA_FIND_UNIQUE;

	if (FF_PARSE(f) == PARSE_PRLE)
		return width == 1 && !drop && !sets && w->opcode != IAA_RLE_BURST ? 0 :
		       AS_BAD_FILTER;
	if (drop && !sets)
		return AS_BAD_FILTER;
	if (sets && (drop >= width || width - drop > 15))
		return AS_BAD_WIDTH;
	if (w->opcode == IAA_RLE_BURST && width != 8 && width != 16 && width != 32)
		return AS_BAD_WIDTH;
	return 0;
}

static uint8_t check_filter(const struct work *w)
{
	uint32_t f = ldl_le_p(w->raw + D_FILTER);
	bool bits = w->opcode == IAA_SCAN || w->opcode == IAA_SET_MEMBERSHIP ||
		    w->opcode == IAA_FIND_UNIQUE || (FF_WIDTH1(f) == 1 && !FF_PARSE(f));
	bool marks = w->opcode == IAA_SELECT || w->opcode == IAA_EXPAND;
	uint8_t status;

	if (w->opcode == IAA_RLE_BURST)
		bits = FF_WIDTH2(f) == 1;
	if (f & ~FF_KNOWN || FF_PARSE(f) > PARSE_PRLE)
		return AS_BAD_FILTER;
	if (f & FF_FORCE_ARRAY && w->d->version < 0x200)
		return AS_BAD_FILTER;
	if (marks && FF_WIDTH2(f) != 1)
		return AS_BAD_FILTER;
	status = check_width(w, f);
	if (status)
		return status;
	if (!ldl_le_p(w->raw + D_ELEMENTS))
		return AS_BAD_ELEMENTS;
	return f & FF_INVERT && !bits ? AS_BAD_INVERT : 0;
}

static uint8_t check_sizes(const struct work *w, const struct kind *k)
{
	uint64_t max = 1ull << WQL_XFER(wqcfg(w->d, w->wq)[WQ_LIMITS]);
	uint32_t unit = 1;

	/* unverified: that the destination's and the second source's size have this limit too */
	if (max_dst(w) > max || src2_size(w) > max || (!k->no_output && !max_dst(w)))
		return ST_SIZE;
	if (w->opcode == IAA_COMPRESS && mode_of(w) & CM_STATS && max_dst(w) < HISTOGRAM_BYTES)
		return ST_SIZE;
	/* unverified: the code for a size that is no multiple of the unit */
	if (w->opcode == IAA_ZCOMP16 || w->opcode == IAA_ZDECOMP16)
		unit = 2;
	if (w->opcode == IAA_ZCOMP32 || w->opcode == IAA_ZDECOMP32)
		unit = 4;
	return w->size % unit ? AS_BAD_INPUT_SIZE : 0;
}

static uint8_t check_overlap(const struct work *w, const struct kind *k)
{
	uint32_t copies = IF_WRITE_SRC2(w->flags) ? 2 : 1;
	uint64_t src2 = (uint64_t)src2_size(w) * copies;

	if (k->no_output || suppressed(w))
		return 0;
	if (spans_overlap(w->src, w->size, w->dst, max_dst(w)))
		return ST_OVERLAP;
	return src2 && (spans_overlap(w->dst, max_dst(w), w->third, src2) ||
			spans_overlap(w->third, src2, w->dst, max_dst(w))) ? ST_OVERLAP : 0;
}

/* unverified: in which order the checks are made. */
static uint8_t check_analytics(struct work *w)
{
	const struct kind *k = kind_of(w->opcode);
	uint8_t status = check_src2(w, k);

	if (!status)
		status = check_sizes(w, k);
	if (!status)
		status = check_mode(w, k);
	if (!status && is_filter(w))
		status = check_filter(w);
	return status ? status : check_overlap(w, k);
}

static struct task *task_new(struct work *w)
{
	const struct kind *k = kind_of(w->opcode);
	bool input = IF_READ_SRC2(w->flags) == SRC2_INPUT;
	uint32_t in2 = input ? src2_size(w) : 0, out = k->no_output ? 0 : max_dst(w);
	struct task *t = g_try_malloc0(sizeof(*t) + (uint64_t)w->size + in2 + out);
	struct iaa_job *j;

	if (!t)
		return NULL;
	j = &t->job;
	j->opcode = w->opcode;
	j->flags = w->flags;
	j->mode = mode_of(w);
	j->filter = ldl_le_p(w->raw + D_FILTER);
	j->elements = ldl_le_p(w->raw + D_ELEMENTS);
	j->poly = ldq_le_p(w->raw + D_FILTER);
	j->in = t->data;
	j->in_len = w->size;
	j->in2 = t->data + w->size;
	j->in2_len = in2;
	j->out = t->data + w->size + in2;
	j->out_max = out;
	j->aecs_len = IF_READ_SRC2(w->flags) == SRC2_AECS ? src2_size(w) : 0;
	return t;
}

/* Moves the rest of one buffer, page by page, so that a fault repeats no more than a page. */
static enum step transfer(struct work *w, uint64_t addr, uint8_t *buf, uint32_t len,
			  enum operand which, bool write)
{
	struct task *t = w->extra;

	while (t->at < len) {
		uint64_t to = addr + t->at;
		uint32_t n = MIN(len - t->at, PAGE - (uint32_t)(to & (PAGE - 1)));
		enum step s = write ? work_write(w, to, buf + t->at, n, which) :
				      work_read(w, to, buf + t->at, n, which);

		if (s != STEP_OK)
			return s;
		t->at += n;
		if (w->d->budget <= 0 && t->at < len)
			return STEP_MORE;
	}
	t->at = 0;
	t->part++;
	return STEP_OK;
}

/* unverified: that an error leaves the AECS alone, and that it is written after the output. */
static uint32_t aecs_to_write(const struct work *w, const struct iaa_job *j)
{
	unsigned int write = IF_WRITE_SRC2(w->flags);

	if (write == AECS_KEEP || (write == AECS_ON_OVERFLOW && j->status != AS_OVERFLOW))
		return 0;
	return j->status == AS_ERROR ? 0 : MIN(j->aecs_state, src2_size(w));
}

static void compute(struct work *w, struct task *t)
{
	struct iaa_job *j = &t->job;

	j->crc = get32(j->aecs + AECS_CRC);
	j->xor = get16(j->aecs + AECS_XOR);
	kind_of(w->opcode)->compute(j);
	w->d->budget -= w->size;
	t->part++;
}

static enum step step_analytics(struct work *w)
{
	struct task *t = w->extra;
	enum step s = STEP_OK;
	struct iaa_job *j;

	if (!t) {
		w->extra = t = task_new(w);
		if (!t)
			return work_success(w, ST_HW_READ);
	}
	j = &t->job;
	while (s == STEP_OK && t->part != FINISHED) {
		switch (t->part) {
		case FETCH_AECS:
			s = transfer(w, aecs_addr(w, false), j->aecs, j->aecs_len, OPND_SRC2,
				     false);
			break;
		case FETCH_SRC2:
			s = transfer(w, w->third, (uint8_t *)j->in2, j->in2_len, OPND_SRC2, false);
			break;
		case FETCH_SRC1:
			s = transfer(w, w->src, t->data, w->size, OPND_SRC1, false);
			break;
		case COMPUTE:
			compute(w, t);
			break;
		case STORE_OUT:
			s = transfer(w, w->dst, j->out, j->out_len, OPND_DST, true);
			break;
		case STORE_AECS:
			s = transfer(w, aecs_addr(w, true), j->aecs, aecs_to_write(w, j),
				     OPND_SRC2, true);
			break;
		case FINISHED:
			break;
		}
	}
	if (s != STEP_OK)
		return s;
	w->result = j->error;
	return work_success(w, j->status);
}

/* Nothing but the fault is known of an operation that did not come to its end. */
static void fill_analytics(struct work *w)
{
	struct task *t = w->extra;
	struct iaa_job *j = t ? &t->job : NULL;
	uint8_t *r = w->record;

	if (!t || t->part != FINISHED)
		return;
	stl_le_p(r + 4, j->consumed);
	if (w->opcode == IAA_CRC64) {
		stq_le_p(r + 40, j->crc64);
		return;
	}
	stl_le_p(r + 24, j->out_len);
	r[28] = j->out_bits;
	stw_le_p(r + 30, j->xor);
	stl_le_p(r + 32, j->crc);
	stl_le_p(r + 36, j->first);
	stl_le_p(r + 40, j->last);
	stl_le_p(r + 44, j->sum);
}

#define ANALYTICS(name, flags, reserved, since) \
	{ name, F_DATA | (flags), F_RECORD, reserved, true, check_analytics, step_analytics, \
	  fill_analytics, since }
#define FILTER(name)	ANALYTICS(name, F_SRC2 | IF_CRC32C, 0, 0)
#define ZERO(name)	ANALYTICS(name, IF_CRC32C, BYTES(38, 47) | BYTES(52, 63), 0)

static const struct op ops[256] = {
	[OP_NOOP] = { "No-op", 0, 0, BYTES(16, 35) | TAIL, false, NULL, step_noop },
	[OP_DRAIN] = { "Drain", 0, 0, BYTES(16, 35) | TAIL, false, check_drain, step_drain },
	[OP_TRANSLATE] = { "Translation Fetch", F_BOF | F_TC1, 0, BYTES(24, 31) | TAIL, true, NULL,
			   step_touch },
	[IAA_DECRYPT] = ANALYTICS("Decrypt", F_SRC2, BYTES(56, 63), 0x200),
	[IAA_ENCRYPT] = ANALYTICS("Encrypt", F_SRC2, BYTES(56, 63), 0x200),
	[IAA_DECOMPRESS] = ANALYTICS("Decompress", F_SRC2 | IF_CRC32C, BYTES(56, 63), 0),
	[IAA_COMPRESS] = ANALYTICS("Compress", F_SRC2 | IF_CRC32C, BYTES(56, 63), 0),
	[IAA_CRC64] = ANALYTICS("CRC64", 0, BYTES(24, 31) | BYTES(40, 55), 0),
	[IAA_ZDECOMP32] = ZERO("Zero Decompress 32"),
	[IAA_ZDECOMP16] = ZERO("Zero Decompress 16"),
	[IAA_ZDECOMP8] = ZERO("Zero Decompress 8"),
	[IAA_ZCOMP32] = ZERO("Zero Compress 32"),
	[IAA_ZCOMP16] = ZERO("Zero Compress 16"),
	[IAA_ZCOMP8] = ZERO("Zero Compress 8"),
	[IAA_SCAN] = FILTER("Scan"),
	[IAA_SET_MEMBERSHIP] = FILTER("Set Membership"),
	[IAA_EXTRACT] = FILTER("Extract"),
	[IAA_SELECT] = FILTER("Select"),
	[IAA_RLE_BURST] = FILTER("RLE Burst"),
	[IAA_FIND_UNIQUE] = FILTER("Find Unique"),
	[IAA_EXPAND] = FILTER("Expand"),
};

const struct op *iaa_op(unsigned int opcode)
{
	return opcode < ARRAY_SIZE(ops) && ops[opcode].step ? &ops[opcode] : NULL;
}

/* Bits of GENCAP beyond those that both kinds have. */
uint64_t iaa_gencap(const IdxdLab *d)
{
	return GENCAP_DECOMPRESS;
}

uint64_t iaa_cap(const IdxdLab *d)
{
	return IAACAP_FORCE_ARRAY | IAACAP_CFB;
}
