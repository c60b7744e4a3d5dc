// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* The dispatcher: the one place that knows about access width and masks. */
#include "reg.h"

struct cursor {
	const struct vd_reg *reg;
	uint32_t base;			/* of the register, within the space	*/
	unsigned int idx;
};

uint64_t vd_load(const uint8_t *at, unsigned int n)
{
	uint64_t val = 0;

	while (n--)
		val = val << 8 | at[n];
	return val;
}

void vd_store(uint8_t *at, unsigned int n, uint64_t val)
{
	for (; n; n--, val >>= 8)
		*at++ = (uint8_t)val;
}

static const uint8_t *image_const(const struct vd *d, const struct vd_space *s)
{
	return (const uint8_t *)d + s->image;
}

static uint8_t *image(struct vd *d, const struct vd_space *s)
{
	return (uint8_t *)d + s->image;
}

static uint64_t ones(unsigned int bytes)
{
	return bytes >= 8 ? ~0ull : (1ull << 8 * bytes) - 1;
}

static unsigned int block_count(const struct vd *d, const struct vd_block *b)
{
	return b->count ? b->count(d) : b->max;
}

static bool find_in_block(const struct vd *d, const struct vd_block *b, uint32_t off,
			  struct cursor *ret)
{
	uint32_t rel;
	unsigned int i;

	if (off < b->off || off >= b->off + (uint32_t)b->stride * block_count(d, b))
		return false;

	ret->idx = (off - b->off) / b->stride;
	ret->base = b->off + ret->idx * b->stride;
	rel = off - ret->base;
	for (i = 0; i < b->nregs; i++) {
		ret->reg = &b->regs[i];
		if (rel - ret->reg->off < ret->reg->size) {
			ret->base += ret->reg->off;
			return true;
		}
	}
	return false;
}

static bool find(const struct vd *d, const struct vd_space *s, uint32_t off, struct cursor *ret)
{
	unsigned int i;

	for (i = 0; i < s->nblocks; i++)
		if (find_in_block(d, &s->blocks[i], off, ret))
			return true;
	return false;
}

/* Writes the bytes [@from, @to) of one register; @val starts at byte @from. */
static void write_reg(struct vd *d, const struct vd_space *s, const struct cursor *c,
		      unsigned int from, unsigned int to, uint64_t val)
{
	const struct vd_reg *r = c->reg;
	uint8_t *at = image(d, s) + c->base;
	struct vd_write w = { .idx = c->idx };
	uint64_t rw;

	w.lanes = ones(to - from) << 8 * from;
	w.val = val << 8 * from & w.lanes;
	w.old = vd_load(at, r->size);

	rw = r->rw & w.lanes;
	if (r->unlocked)
		rw &= r->unlocked(d, c->idx);
	w.now = (w.old & ~rw) | (w.val & rw);
	w.now &= ~(w.val & r->w1c);

	vd_store(at, r->size, w.now);
	if (r->post)
		r->post(d, &w);
}

/* One aligned access of 1, 2, 4 or 8 bytes; it may span registers. */
static void write_aligned(struct vd *d, const struct vd_space *s, uint32_t off, unsigned int n,
			  uint64_t val)
{
	uint32_t end = off + n, pos = off, to;
	struct cursor c;

	while (pos < end) {
		if (!find(d, s, pos, &c)) {
			pos++;
			continue;
		}
		to = c.base + c.reg->size < end ? c.base + c.reg->size : end;
		write_reg(d, s, &c, pos - c.base, to - c.base, val >> 8 * (pos - off));
		pos = to;
	}
}

void vd_space_read(const struct vd *d, const struct vd_space *s, uint32_t off, void *buf,
		   uint32_t len)
{
	const uint8_t *from = image_const(d, s);
	uint8_t *to = buf;
	uint64_t pos = off;

	for (; len; len--, pos++)
		*to++ = pos < s->nimage ? from[pos] : pos < s->size ? 0 : 0xff;
}

void vd_space_write(struct vd *d, const struct vd_space *s, uint32_t off, const void *buf,
		    uint32_t len)
{
	const uint8_t *from = buf;
	unsigned int n;

	while (len && off < s->nimage) {
		for (n = 8; n > len || off % n; n /= 2)
			;
		write_aligned(d, s, off, n, vd_load(from, n));
		off += n;
		from += n;
		len -= n;
	}
}

void vd_block_reset(struct vd *d, const struct vd_space *s, const struct vd_block *b,
		    unsigned int idx, uint8_t keep)
{
	uint8_t *at = image(d, s) + b->off + idx * b->stride;
	const struct vd_reg *r;

	for (r = b->regs; r < b->regs + b->nregs; r++)
		if (!(r->keep & keep))
			vd_store(at + r->off, r->size, r->value ? r->value(d, idx) : r->reset);
}

void vd_space_reset(struct vd *d, const struct vd_space *s, uint8_t keep)
{
	const struct vd_block *b;
	unsigned int i;

	for (b = s->blocks; b < s->blocks + s->nblocks; b++)
		for (i = 0; i < block_count(d, b); i++)
			vd_block_reset(d, s, b, i, keep);
}

static bool reg_fits(const struct vd *d, const struct vd_space *s, const struct cursor *c,
		     const uint8_t *bytes, uint64_t device)
{
	const struct vd_reg *r = c->reg;
	uint64_t may = r->rw;

	if (r->unlocked)
		may &= r->unlocked(d, c->idx);
	may |= device;
	return !((vd_load(bytes + c->base, r->size) ^
		  vd_load(image_const(d, s) + c->base, r->size)) & ~may);
}

bool vd_space_fits(const struct vd *d, const struct vd_space *s, const uint8_t *bytes,
		   uint64_t (*device_bits)(uint32_t off))
{
	struct cursor c;
	uint32_t pos;

	for (pos = 0; pos < s->nimage; pos++) {
		if (!find(d, s, pos, &c)) {
			if (bytes[pos])
				return false;
			continue;
		}
		if (!reg_fits(d, s, &c, bytes, device_bits(c.base)))
			return false;
		pos = c.base + c.reg->size - 1;
	}
	return true;
}

static const char *check_reg(const struct vd_block *b, const struct vd_reg *r)
{
	if (r->size != 1 && r->size != 2 && r->size != 4 && r->size != 8)
		return "size of a register is not 1, 2, 4 or 8";
	if ((b->off + r->off) % r->size || b->stride % r->size)
		return "register is not aligned";
	if (r->off + r->size > b->stride)
		return "register is outside its block";
	if (r->rw & r->w1c)
		return "a bit is both read-write and write-1-clear";
	if ((r->rw | r->w1c | r->reset) & ~ones(r->size))
		return "mask or reset value is wider than the register";
	if (r->value && r->reset)
		return "register has two reset values";
	if (!r->name)
		return "register has no name";
	return NULL;
}

static const char *check_block(const struct vd_block *b)
{
	const char *wrong;
	unsigned int i;

	if (!b->max || !b->stride || !b->nregs)
		return "block is empty";
	for (i = 0; i < b->nregs; i++) {
		wrong = check_reg(b, &b->regs[i]);
		if (wrong)
			return wrong;
		if (i && b->regs[i].off < b->regs[i - 1].off + b->regs[i - 1].size)
			return "registers overlap or are not sorted";
	}
	return NULL;
}

const char *vd_space_check(const struct vd_space *s)
{
	uint32_t end = 0;
	const char *wrong;
	unsigned int i;

	for (i = 0; i < s->nblocks; i++) {
		wrong = check_block(&s->blocks[i]);
		if (wrong)
			return wrong;
		if (s->blocks[i].off < end)
			return "blocks overlap or are not sorted";
		end = s->blocks[i].off + (uint32_t)s->blocks[i].stride * s->blocks[i].max;
	}
	return end > s->nimage || s->nimage > s->size ? "space is too small" : NULL;
}
