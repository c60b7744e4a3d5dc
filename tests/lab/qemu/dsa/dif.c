/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data integrity fields: 8 bytes behind each block, big-endian: a 16-bit guard (CRC of the block),
 * a 16-bit application tag, a 32-bit reference tag. DIF Check, Insert, Strip and Update; DIX
 * Generate writes the fields alone. One block at a time, so a partial completion ends between two.
 */
#include "qemu/osdep.h"
#include "ops.h"

#define GUARD_POLY	0x8bb7u
#define DIF_FIELD		8u
#define BLOCK_MAX	4104u

/* byte 42, for both sides */
#define DIF_BLOCK(v)	((v) & 3)
#define DIF_SEED_ONES	(1u << 2)
#define DIF_INVERT	(1u << 3)
#define DIF_RESERVED	0xf0u

/* byte 40, source */
#define SRC_ALL_F_ERROR	(1u << 0)
#define SRC_ALL_F	(1u << 1)
#define SRC_APP_F	(1u << 2)
#define SRC_TAGS_F	(1u << 3)
#define SRC_NO_GUARD	(1u << 5)
#define SRC_NO_REF	(1u << 6)

/* byte 41, destination */
#define DST_PASS_APP	(1u << 3)
#define DST_PASS_GUARD	(1u << 5)
#define DST_PASS_REF	(1u << 6)
#define DST_PASS	(DST_PASS_APP | DST_PASS_GUARD | DST_PASS_REF)
#define DST_RESERVED	0x07u

/* both sides */
#define TAG_APP_COUNTS	(1u << 4)
#define TAG_REF_FIXED	(1u << 7)

/* completion record, byte 1 */
#define WRONG_GUARD	(1u << 0)
#define WRONG_APP	(1u << 1)
#define WRONG_REF	(1u << 2)
#define WRONG_ALL_F	(1u << 3)

/* Where in the descriptor the tags of a side are; its record has them 32 bytes earlier. */
#define SRC_TAGS	48
#define DST_TAGS	56
#define RECORD_SHIFT	32

struct field {
	uint16_t guard;
	uint16_t app;
	uint32_t ref;
};

/* Which sides have fields, by opcode; DIX Generate has them without the data. */
static bool has_source_fields(const struct work *w)
{
	return w->opcode == OP_DIF_CHECK || w->opcode == OP_DIF_STRIP || w->opcode == OP_DIF_UPDATE;
}

static bool has_dest_fields(const struct work *w)
{
	return w->opcode == OP_DIF_INSERT || w->opcode == OP_DIF_UPDATE || w->opcode == OP_DIX;
}

static bool has_dest_data(const struct work *w)
{
	return w->opcode != OP_DIF_CHECK && w->opcode != OP_DIX;
}

static uint32_t block_size(const struct work *w)
{
	static const uint32_t sizes[] = { 512, 520, 4096, BLOCK_MAX };

	return sizes[DIF_BLOCK(w->raw[42])];
}

static uint32_t source_step(const struct work *w)
{
	return block_size(w) + (has_source_fields(w) ? DIF_FIELD : 0);
}

static uint32_t dest_step(const struct work *w)
{
	return (has_dest_data(w) ? block_size(w) : 0) + (has_dest_fields(w) ? DIF_FIELD : 0);
}

/*
 * unverified: the status of a size that is no multiple of the block, and that Insert and DIX
 * Generate, which have no source fields, take no flag that passes one on.
 */
uint8_t check_dif(struct work *w)
{
	uint8_t dst = w->raw[41];
	uint64_t dest_len = (uint64_t)w->size / source_step(w) * dest_step(w);

	if (w->raw[42] & DIF_RESERVED)
		return ST_RESERVED;
	if (has_dest_fields(w) && (dst & DST_RESERVED ||
				   (dst & DST_PASS && !has_source_fields(w))))
		return ST_RESERVED;
	if (w->size % source_step(w))
		return ST_ALIGN;
	if (w->opcode == OP_DIX && w->dst & (DIF_FIELD - 1))
		return ST_ALIGN;
	if (dest_len && spans_overlap(w->src, w->size, w->dst, dest_len))
		return ST_OVERLAP;
	return 0;
}

static uint16_t guard_of(const struct work *w, const uint8_t *data)
{
	uint16_t crc = w->raw[42] & DIF_SEED_ONES ? 0xffff : 0;
	uint32_t i;
	unsigned int bit;

	for (i = 0; i < block_size(w); i++) {
		crc ^= data[i] << 8;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ GUARD_POLY : crc << 1;
	}
	return w->raw[42] & DIF_INVERT ? ~crc : crc;
}

/* The tags that block number @n has by the descriptor; @at is SRC_TAGS or DST_TAGS. */
static struct field tags_of(const struct work *w, unsigned int at, uint32_t n)
{
	uint8_t flags = w->raw[at == SRC_TAGS ? 40 : 41];

	return (struct field){
		.ref = ldl_le_p(w->raw + at) + (flags & TAG_REF_FIXED ? 0 : n),
		.app = lduw_le_p(w->raw + at + 6) + (flags & TAG_APP_COUNTS ? n : 0),
	};
}

static uint16_t app_mask(const struct work *w, unsigned int at)
{
	return lduw_le_p(w->raw + at + 4);
}

static struct field field_load(const uint8_t *p)
{
	return (struct field){ lduw_be_p(p), lduw_be_p(p + 2), ldl_be_p(p + 4) };
}

static void field_store(uint8_t *p, struct field f)
{
	stw_be_p(p, f.guard);
	stw_be_p(p + 2, f.app);
	stl_be_p(p + 4, f.ref);
}

/* What is wrong with the source's field of block @n: WRONG_* bits. Ones may mean "no check". */
static uint8_t source_wrong(const struct work *w, uint32_t n, struct field have, uint16_t guard)
{
	uint8_t flags = w->raw[40];
	struct field want = tags_of(w, SRC_TAGS, n);
	bool app_f = have.app == 0xffff, ref_f = have.ref == 0xffffffff;
	uint8_t wrong = 0;

	if (flags & SRC_ALL_F && app_f && ref_f && have.guard == 0xffff)
		return flags & SRC_ALL_F_ERROR ? WRONG_ALL_F : 0;
	if ((flags & SRC_APP_F && app_f) || (flags & SRC_TAGS_F && app_f && ref_f))
		return 0;

	if (!(flags & SRC_NO_GUARD) && have.guard != guard)
		wrong |= WRONG_GUARD;
	if ((have.app ^ want.app) & ~app_mask(w, SRC_TAGS))
		wrong |= WRONG_APP;
	if (!(flags & SRC_NO_REF) && have.ref != want.ref)
		wrong |= WRONG_REF;
	return wrong;
}

static struct field dest_field(const struct work *w, uint32_t n, struct field source,
			       uint16_t guard)
{
	struct field f = tags_of(w, DST_TAGS, n);
	uint8_t flags = w->raw[41];

	f.app &= ~app_mask(w, DST_TAGS);
	f.guard = flags & DST_PASS_GUARD ? source.guard : guard;
	if (flags & DST_PASS_APP)
		f.app = source.app;
	if (flags & DST_PASS_REF)
		f.ref = source.ref;
	return f;
}

/* unverified: that nothing is written of a block whose check fails. */
enum step step_dif(struct work *w)
{
	uint32_t data = block_size(w), step = source_step(w);
	uint8_t buf[BLOCK_MAX + DIF_FIELD];

	while (w->done < w->size) {
		uint32_t n = w->done / step;
		struct field source = { 0 };
		enum step s = work_read(w, w->src + w->done, buf, step, OPND_SRC1);
		uint64_t to = w->dst + (uint64_t)n * dest_step(w);
		uint16_t guard;

		if (s != STEP_OK)
			return s;

		guard = guard_of(w, buf);
		if (has_source_fields(w)) {
			source = field_load(buf + data);
			w->result = source_wrong(w, n, source, guard);
			if (w->result)
				return work_success(w, ST_DIF);
		}
		if (has_dest_fields(w))
			field_store(buf + data, dest_field(w, n, source, guard));

		if (dest_step(w))
			s = work_write(w, to, has_dest_data(w) ? buf : buf + data, dest_step(w),
				       OPND_DST);
		if (s != STEP_OK)
			return s;
		w->done += step;
		if (w->d->budget <= 0 && w->done < w->size)
			return STEP_MORE;
	}
	return work_success(w, ST_OK);
}

static void fill_tags(struct work *w, unsigned int at, uint32_t n)
{
	uint8_t *r = w->record + at - RECORD_SHIFT;
	struct field f = tags_of(w, at, n);

	stl_le_p(r, f.ref);
	stw_le_p(r + 4, app_mask(w, at));
	stw_le_p(r + 6, f.app);
}

/* The tags of the block that comes next, for whoever goes on from there. */
void fill_dif(struct work *w)
{
	uint32_t n = w->done / source_step(w);

	if (has_source_fields(w))
		fill_tags(w, SRC_TAGS, n);
	if (has_dest_fields(w))
		fill_tags(w, DST_TAGS, n);
	if (w->status == ST_DIF)
		stl_le_p(w->record + 4, w->done);
}
