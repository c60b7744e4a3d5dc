/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Create and Apply Delta: a delta record is a list of 10-byte entries, a 16-bit offset in units of
 * 8 bytes and the 8 bytes of the second source there.
 */
#include "qemu/osdep.h"
#include "ops.h"

#define PAGE		4096u
#define UNIT		8u
#define ENTRY		10u
#define SIZE_MAX_DELTA	(512 * 1024)
#define RECORD_MIN	80u

static uint32_t record_room(const struct work *w)
{
	return ldl_le_p(w->raw + 48);
}

uint8_t check_create_delta(struct work *w)
{
	uint32_t room = record_room(w);

	if (w->raw[56] & ~7)
		return ST_RESERVED;
	if (w->size > SIZE_MAX_DELTA)
		return ST_SIZE;
	if ((w->src | w->dst | w->third | w->size) & (UNIT - 1))
		return ST_ALIGN;
	/* The room need not be a multiple of the entry size: dsa_test gives twice the transfer size. */
	if (room < RECORD_MIN)
		return ST_VALUE;
	if (spans_overlap(w->src, w->size, w->third, room) ||
	    spans_overlap(w->dst, w->size, w->third, room))
		return ST_OVERLAP;
	return 0;
}

static enum step create_end(struct work *w, uint8_t result)
{
	bool wanted = w->raw[56] >> result & 1;

	w->result = result;
	return work_success(w, w->flags & F_CHECK && !wanted ? ST_FALSE : ST_OK);
}

/* One chunk: compare, collect the entries, write them, and only then count it as done. */
enum step step_create_delta(struct work *w)
{
	uint8_t a[PAGE], b[PAGE], out[PAGE / UNIT * ENTRY];

	while (w->done < w->size) {
		uint64_t n = work_chunk(w, w->src + w->done, w->dst + w->done);
		enum step s = work_read(w, w->src + w->done, a, n, OPND_SRC1);
		uint32_t len = 0;
		uint64_t i;
		bool full = false;

		if (s == STEP_OK)
			s = work_read(w, w->dst + w->done, b, n, OPND_SRC2);
		if (s != STEP_OK)
			return s;

		for (i = 0; i < n; i += UNIT) {
			if (!memcmp(a + i, b + i, UNIT))
				continue;
			full = w->aux + len + ENTRY > record_room(w);
			if (full)
				break;
			stw_le_p(out + len, (w->done + i) / UNIT);
			memcpy(out + len + 2, b + i, UNIT);
			len += ENTRY;
		}
		if (len)
			s = work_write(w, w->third + w->aux, out, len, OPND_DST);
		if (s != STEP_OK)
			return s;
		w->aux += len;
		w->done += i;
		if (full)
			return create_end(w, 2);
		if (w->d->budget <= 0 && w->done < w->size)
			return STEP_MORE;
	}
	return create_end(w, w->aux ? 1 : 0);
}

void fill_create_delta(struct work *w)
{
	stl_le_p(w->record + 16, w->aux);
	if (w->result == 2)
		stl_le_p(w->record + 4, w->done);
}

static uint32_t delta_len(const struct work *w)
{
	return w->third;
}

uint8_t check_apply_delta(struct work *w)
{
	if ((w->src | w->dst | w->size) & (UNIT - 1))
		return ST_ALIGN;
	if (w->size > SIZE_MAX_DELTA)
		return ST_SIZE;
	if (!delta_len(w) || delta_len(w) % ENTRY || delta_len(w) / ENTRY > w->size / UNIT)
		return ST_VALUE;
	if (spans_overlap(w->src, delta_len(w), w->dst, w->size))
		return ST_OVERLAP;
	return 0;
}

/* `done` counts bytes of the delta record, `aux` is one past the last offset applied. */
enum step step_apply_delta(struct work *w)
{
	while (w->done < delta_len(w)) {
		uint8_t entry[ENTRY];
		enum step s = work_read(w, w->src + w->done, entry, ENTRY, OPND_SRC1);
		uint32_t offset = lduw_le_p(entry);

		if (s != STEP_OK)
			return s;
		if (offset < w->aux)
			return work_success(w, ST_DELTA_ORDER);
		if ((offset + 1) * UNIT > w->size)
			return work_success(w, ST_DELTA_RANGE);
		s = work_write(w, w->dst + offset * UNIT, entry + 2, UNIT, OPND_DST);
		if (s != STEP_OK)
			return s;
		w->aux = offset + 1;
		w->done += ENTRY;
		if (w->d->budget <= 0 && w->done < delta_len(w))
			return STEP_MORE;
	}
	return work_success(w, ST_OK);
}
