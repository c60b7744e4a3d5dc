/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain data operations. Each is written to be entered again: `done` counts what is finished, and a
 * chunk interrupted by a page request is repeated as a whole.
 */
#include "qemu/osdep.h"
#include "ops.h"

#define PAGE	4096u

enum step work_success(struct work *w, uint8_t status)
{
	w->status = status;
	return STEP_DONE;
}

bool spans_overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return a < b ? b - a < alen : a - b < blen;
}

/* Bytes that can be handled at once: no page boundary crossed at @a nor at @b. */
uint64_t work_chunk(struct work *w, uint64_t a, uint64_t b)
{
	uint64_t n = MIN(PAGE - (a & (PAGE - 1)), PAGE - (b & (PAGE - 1)));

	return MIN(n, w->size - w->done);
}

/* The same, looking down from the ends @a and @b. */
static uint64_t chunk_below(struct work *w, uint64_t a, uint64_t b)
{
	uint64_t n = MIN(((a - 1) & (PAGE - 1)) + 1, ((b - 1) & (PAGE - 1)) + 1);

	return MIN(n, w->size - w->done);
}

static bool slice_over(struct work *w)
{
	return w->d->budget <= 0 && w->done < w->size;
}

enum step step_noop(struct work *w)
{
	return work_success(w, ST_OK);
}

enum step step_memmove(struct work *w)
{
	uint8_t buf[PAGE];

	w->backward = w->src < w->dst && w->dst - w->src < w->size;
	w->result = w->backward;
	while (w->done < w->size) {
		uint64_t off = w->done;
		uint64_t n;
		enum step s;

		if (w->backward) {
			n = chunk_below(w, w->src + w->size - off, w->dst + w->size - off);
			off = w->size - off - n;
		} else {
			n = work_chunk(w, w->src + off, w->dst + off);
		}
		s = work_read(w, w->src + off, buf, n, OPND_SRC1);
		if (s == STEP_OK)
			s = work_write(w, w->dst + off, buf, n, OPND_DST);
		if (s != STEP_OK)
			return s;
		w->done += n;
		if (slice_over(w))
			return STEP_MORE;
	}
	w->result = 0;
	return work_success(w, ST_OK);
}

uint8_t check_fill(struct work *w)
{
	return !(w->flags & F_OP(2)) && w->third ? ST_RESERVED : 0;
}

enum step step_fill(struct work *w)
{
	unsigned int width = w->flags & F_OP(2) ? 16 : 8;
	uint8_t pattern[16], buf[PAGE];

	stq_le_p(pattern, w->src);
	stq_le_p(pattern + 8, w->third);
	while (w->done < w->size) {
		uint64_t n = work_chunk(w, w->dst + w->done, w->dst + w->done);
		enum step s;
		unsigned int i;

		for (i = 0; i < n; i++)
			buf[i] = pattern[(w->done + i) % width];
		s = work_write(w, w->dst + w->done, buf, n, OPND_DST);
		if (s != STEP_OK)
			return s;
		w->done += n;
		if (slice_over(w))
			return STEP_MORE;
	}
	return work_success(w, ST_OK);
}

/* The expected result is one bit, meaningful with the check flag. */
uint8_t check_compare(struct work *w)
{
	return w->raw[40] & ~1 ? ST_RESERVED : 0;
}

static enum step compare_end(struct work *w, bool differ)
{
	w->result = differ;
	return work_success(w, w->flags & F_CHECK && differ != (w->raw[40] & 1) ? ST_FALSE : ST_OK);
}

/* unverified: that the count up to the first difference is exact to the byte. */
void fill_compare(struct work *w)
{
	if (w->result)
		stl_le_p(w->record + 4, w->done);
}

static enum step compare_run(struct work *w, const uint8_t *pattern)
{
	uint8_t a[PAGE], b[PAGE];

	while (w->done < w->size) {
		uint64_t second = pattern ? w->src : w->dst;
		uint64_t n = work_chunk(w, w->src + w->done, second + w->done);
		enum step s = work_read(w, w->src + w->done, a, n, OPND_SRC1);
		unsigned int i;

		for (i = 0; pattern && i < n; i++)
			b[i] = pattern[(w->done + i) % 8];
		if (s == STEP_OK && !pattern)
			s = work_read(w, w->dst + w->done, b, n, OPND_SRC2);
		if (s != STEP_OK)
			return s;

		for (i = 0; i < n && a[i] == b[i]; i++)
			;
		w->done += i;
		if (i < n)
			return compare_end(w, true);
		if (slice_over(w))
			return STEP_MORE;
	}
	return compare_end(w, false);
}

enum step step_compare(struct work *w)
{
	return compare_run(w, NULL);
}

enum step step_compval(struct work *w)
{
	uint8_t pattern[8];

	stq_le_p(pattern, w->dst);
	return compare_run(w, pattern);
}

uint8_t check_dualcast(struct work *w)
{
	if ((w->dst ^ w->third) & (PAGE - 1))
		return ST_DUALCAST;
	if (spans_overlap(w->src, w->size, w->dst, w->size) ||
	    spans_overlap(w->src, w->size, w->third, w->size) ||
	    spans_overlap(w->dst, w->size, w->third, w->size))
		return ST_OVERLAP;
	return 0;
}

enum step step_dualcast(struct work *w)
{
	uint8_t buf[PAGE];

	while (w->done < w->size) {
		uint64_t n = work_chunk(w, w->src + w->done, w->dst + w->done);
		enum step s = work_read(w, w->src + w->done, buf, n, OPND_SRC1);

		if (s == STEP_OK)
			s = work_write(w, w->dst + w->done, buf, n, OPND_DST);
		if (s == STEP_OK)
			s = work_write(w, w->third + w->done, buf, n, OPND_DST2);
		if (s != STEP_OK)
			return s;
		w->done += n;
		if (slice_over(w))
			return STEP_MORE;
	}
	return work_success(w, ST_OK);
}

/* unverified: that a stride is a whole number of pages. */
uint8_t check_translate(struct work *w)
{
	uint64_t stride = ldq_le_p(w->raw + 48);

	if (!(w->flags & F_OP(0)))
		return stride ? ST_RESERVED : 0;
	return !stride || stride & (PAGE - 1) ? ST_ALIGN : 0;
}

static uint64_t touch_stride(const struct work *w)
{
	return w->opcode == OP_TRANSLATE && w->flags & F_OP(0) ? ldq_le_p(w->raw + 48) : 0;
}

/* Cache Flush and Translation Fetch change nothing: one byte per page proves the translation. */
enum step step_touch(struct work *w)
{
	bool flush = w->opcode == OP_CACHE_FLUSH;
	uint64_t base = flush ? w->dst : w->src;
	uint64_t stride = touch_stride(w);

	while (w->done < w->size) {
		uint64_t left = w->size - w->done;
		uint8_t byte;
		enum step s = work_read(w, base + w->done, &byte, 1, flush ? OPND_DST : OPND_SRC1);

		if (s != STEP_OK)
			return s;
		w->done += stride ? MIN(stride, left) :
				    work_chunk(w, base + w->done, base + w->done);
		w->d->budget -= 64;
		if (slice_over(w))
			return STEP_MORE;
	}
	return work_success(w, ST_OK);
}
