/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every field of a descriptor that can be wrong, for every operation of the function: a sheet per
 * operation says what a good one looks like and which bytes and flags it uses; all other bytes and
 * flags are then set one by one. What depends on values has a row of its own.
 */
#include <stdio.h>
#include <string.h>
#include "pf.h"

#define BYTES(a, b)	(~0ull >> (63 - (b)) & ~0ull << (a))
#define SIZE_MAX_WQ	(1u << 20)
#define SEVERAL		(3 * 520u * 8)		/* fits 8-byte units and blocks of 512 + 8 */

struct buffers {
	uint8_t *a, *b, *c;
	struct desc *list;
	struct record *members;
};

/* Flags beside the common ones that the operation defines; v2: from version 2 on. */
struct sheet {
	uint8_t op;
	const char *name;
	uint32_t flags, flags_v2;
	uint64_t used;			/* bytes 16 to 63 */
	bool sized, record, blocks;
	void (*good)(struct desc *d, const struct buffers *m);
};

static void good_none(struct desc *d, const struct buffers *m)
{
	(void)d;
	(void)m;
}

static void good_batch(struct desc *d, const struct buffers *m)
{
	memset(m->list, 0, 2 * sizeof(*m->list));
	d->src = (uintptr_t)m->list;
	d->size = 2;
}

static void good_src(struct desc *d, const struct buffers *m)
{
	d->src = (uintptr_t)m->a;
	d->size = SEVERAL;
}

static void good_dst(struct desc *d, const struct buffers *m)
{
	d->dst = (uintptr_t)m->b;
	d->size = SEVERAL;
}

static void good_src_dst(struct desc *d, const struct buffers *m)
{
	good_src(d, m);
	good_dst(d, m);
}

static void good_create(struct desc *d, const struct buffers *m)
{
	memcpy(m->b, m->a, SEVERAL);
	good_src_dst(d, m);
	d->op[0] = (uintptr_t)m->c;
	d->op[1] = 80;
}

static void good_apply(struct desc *d, const struct buffers *m)
{
	memset(m->a, 0, 10);
	good_src_dst(d, m);
	d->op[0] = 10;
}

static void good_dualcast(struct desc *d, const struct buffers *m)
{
	good_src_dst(d, m);
	d->op[0] = (uintptr_t)m->c;
}

/* With the guard and the tags switched off or zero, a zeroed source has right fields. */
static void good_source_fields(struct desc *d, const struct buffers *m)
{
	memset(m->a, 0, SEVERAL);
	good_src_dst(d, m);
	d->op[0] = 0x80;
}

static void good_check(struct desc *d, const struct buffers *m)
{
	good_source_fields(d, m);
	d->dst = 0;
}

static void good_insert(struct desc *d, const struct buffers *m)
{
	good_src_dst(d, m);
	d->size = 3 * 512;
}

static const struct sheet dsa_sheets[] = {
	{ 0x00, "No-op", 0, 0, 0, false, false, false, good_none },
	{ 0x01, "Batch", 0, FL(0), BYTES(16, 23) | BYTES(32, 35), false, false, false, good_batch },
	{ 0x02, "Drain", 0, FL(0) | FL(1) | FL(2) | FL(3), 0, false, false, false, good_none },
	{ 0x03, "Memory Move", BOF, 0, BYTES(16, 35), true, false, false, good_src_dst },
	{ 0x04, "Fill", BOF, FL(2), BYTES(16, 35), true, false, false, good_dst },
	{ 0x05, "Compare", BOF | CHECK, 0, BYTES(16, 35) | BYTES(40, 40), true, true, false,
	  good_src_dst },
	{ 0x06, "Compare Pattern", BOF | CHECK, 0, BYTES(16, 35) | BYTES(40, 40), true, true,
	  false, good_src },
	{ 0x07, "Create Delta", BOF | CHECK, 0,
	  BYTES(16, 35) | BYTES(40, 51) | BYTES(56, 56), true, true, false, good_create },
	{ 0x08, "Apply Delta", BOF, 0, BYTES(16, 35) | BYTES(40, 43), true, false, false,
	  good_apply },
	{ 0x09, "Dualcast", BOF, 0, BYTES(16, 35) | BYTES(40, 47), true, false, false,
	  good_dualcast },
	{ 0x0a, "Translation Fetch", BOF | FL(0), 0, BYTES(16, 23) | BYTES(32, 35), true, false,
	  false, good_src },
	{ 0x10, "CRC Generation", BOF | FL(0) | FL(1) | FL(2), FL(3),
	  BYTES(16, 23) | BYTES(32, 35) | BYTES(40, 43), true, true, false, good_src },
	{ 0x11, "Copy with CRC", BOF | FL(0) | FL(1) | FL(2), FL(3), BYTES(16, 35) | BYTES(40, 43),
	  true, true, false, good_src_dst },
	{ 0x12, "DIF Check", BOF, 0, BYTES(16, 23) | BYTES(32, 35) | BYTES(40, 40) |
	  BYTES(42, 42) | BYTES(48, 55), true, true, true, good_check },
	{ 0x13, "DIF Insert", BOF, 0, BYTES(16, 35) | BYTES(41, 42) | BYTES(56, 63), true, false,
	  true, good_insert },
	{ 0x14, "DIF Strip", BOF, 0, BYTES(16, 35) | BYTES(40, 40) | BYTES(42, 42) | BYTES(48, 55),
	  true, false, true, good_source_fields },
	{ 0x15, "DIF Update", BOF, 0, BYTES(16, 35) | BYTES(40, 42) | BYTES(48, 63), true, false,
	  true, good_source_fields },
	{ 0x17, "DIX Generate", BOF, 0, BYTES(16, 35) | BYTES(41, 42) | BYTES(56, 63), true, false,
	  true, good_insert },
	{ 0x20, "Cache Flush", BOF, 0, BYTES(24, 35), true, false, false, good_dst },
	{ 0 }
};

/* What an IAA shares with a DSA; its own operations have tests of their own. */
static const struct sheet iaa_sheets[] = {
	{ 0x00, "No-op", 0, 0, 0, false, false, false, good_none },
	{ 0x02, "Drain", 0, 0, 0, false, false, false, good_none },
	{ 0x0a, "Translation Fetch", BOF, 0, BYTES(16, 23) | BYTES(32, 35), true, false, false,
	  good_src },
	{ 0 }
};

static const struct sheet *sheets(struct pf *pf)
{
	return pf->iaa ? iaa_sheets : dsa_sheets;
}

static void prepare(struct pf *pf, struct buffers *m)
{
	m->a = pf_mem(pf, 64 * 1024);
	m->b = pf_mem(pf, 64 * 1024);
	m->c = pf_mem(pf, 64 * 1024);
	m->list = pf_mem(pf, 4096);
	m->members = pf_mem(pf, 4096);
}

static struct desc make(const struct sheet *s, const struct buffers *m)
{
	struct desc d = { .flags_op = OP(s->op) };

	s->good(&d, m);
	return d;
}

static void expect_status(const struct sheet *s, const char *what, unsigned int n, uint8_t got,
			  uint8_t want)
{
	char text[96];

	snprintf(text, sizeof(text), "%s: %s %u", s->name, what, n);
	EXPECT_NAMED(text, got, want);
}

static void bad_flags(struct pf *pf, const struct sheet *s, const struct buffers *m)
{
	const uint32_t common = CRAV | RCR | RCI | 0x7f00;	/* cache control, TC, order */
	uint32_t defined = common | s->flags | (pf->version >= 0x200 ? s->flags_v2 : 0);
	struct record *r = m->members;
	unsigned int bit;

	if (pf->version >= 0x300)
		defined |= 1u << 5;
	defined &= ~(uint32_t)BOF;			/* the queue does not allow it */
	for (bit = 0; bit < 24; bit++) {
		struct desc d = make(s, m);

		if (defined >> bit & 1)
			continue;
		d.flags_op |= 1u << bit;
		expect_status(s, "flag", bit, pf_run(pf, &d, r), 0x11);
		EXPECT_NAMED("invalid flags in the record", r->op[0] >> bit & 1, 1);
	}

	if (s->record) {
		struct desc d = make(s, m);

		d.flags_op |= CRAV;
		d.record = (uintptr_t)r;
		memset((void *)r, 0, sizeof(*r));
		pf_submit(pf, 0, &d);
		expect_status(s, "no record wanted", 0, pf_wait(r, 5000), 0x11);
		EXPECT_NAMED("invalid flags in the record", r->op[0], RCR);
	}
}

static void reserved_bytes(struct pf *pf, const struct sheet *s, const struct buffers *m)
{
	unsigned int byte;

	for (byte = 16; byte < 64; byte++) {
		struct desc d = make(s, m);

		/* the handle means nothing without an interrupt, implementations may look at it */
		if (s->used >> byte & 1 || byte == 36 || byte == 37)
			continue;
		((uint8_t *)&d)[byte] = 0x40;
		expect_status(s, "byte", byte, pf_run(pf, &d, m->members), 0x12);
	}
}

static void bad_sizes(struct pf *pf, const struct sheet *s, const struct buffers *m)
{
	struct desc d = make(s, m);
	uint32_t good = d.size;

	if (!s->sized)
		return;
	d.size = 0;
	expect_status(s, "size", 0, pf_run(pf, &d, m->members), 0x13);
	d.size = (SIZE_MAX_WQ / good + 1) * good;
	expect_status(s, "size", d.size, pf_run(pf, &d, m->members), 0x13);
	if (s->blocks) {
		d.size = good + 8;
		expect_status(s, "size", d.size, pf_run(pf, &d, m->members), 0x1c);
	}
}

static unsigned int lost(struct pf *pf, struct desc *d)
{
	unsigned int code;

	wr32(pf, 0xc0, 3);
	pf_submit(pf, 0, d);
	code = pf_swerror(pf);
	EXPECT(rd64(pf, 0xc0) >> 32 & 0xff, d->flags_op >> 24);
	wr32(pf, 0xc0, 3);
	return code;
}

/* Records that cannot be had; what goes wrong then is in the software error register. */
static void bad_records(struct pf *pf, const struct sheet *s, const struct buffers *m)
{
	struct desc d = make(s, m);

	d.flags_op |= CRAV | RCR;
	d.record = (uintptr_t)m->members + (pf->iaa ? 32 : 16);
	expect_status(s, "misaligned record", 0, lost(pf, &d), 0x1b);
	d.record = pf_unmapped(pf);
	expect_status(s, "record nowhere", 0, lost(pf, &d), 0x1a);
	d.record = 0;
	d.flags_op &= ~CRAV;
	expect_status(s, "record without address", 0, lost(pf, &d), 0x11);
}

static void bad_handles(struct pf *pf, const struct sheet *s, const struct buffers *m)
{
	struct desc d = make(s, m);

	d.flags_op |= RCI;
	d.handle = pf->handles ? 0x7fff : pf->nwqs + 1;
	expect_status(s, "handle", d.handle, pf_run(pf, &d, m->members), 0x19);
	d.handle = 0xffff;
	expect_status(s, "handle", d.handle, pf_run(pf, &d, m->members), 0x19);
}

static void switched_off(struct pf *pf, const struct sheet *s, const struct buffers *m)
{
	struct desc d = make(s, m);

	if (!(pf->wqcap >> 54 & 1))
		return;
	pf_configure(pf, false);
	*(volatile uint8_t *)(pf->bar0 + wq_reg(pf, 0) + 32 + s->op / 8) &= ~(1u << s->op % 8);
	EXPECT(pf_cmd(pf, 1, 0), 0);
	EXPECT(pf_cmd(pf, 6, 0), 0);
	expect_status(s, "switched off", 0, pf_run(pf, &d, m->members), 0x10);
	pf_start(pf, false);
}

static void every_operation(struct pf *pf)
{
	const struct sheet *s;
	struct buffers m;

	prepare(pf, &m);
	if (pf_start(pf, false) < 0)
		return;
	for (s = sheets(pf); s->name; s++) {
		struct desc d = make(s, &m);

		if (!pf_has_op(pf, s->op)) {
			expect_status(s, "not there", 0, pf_run(pf, &d, m.members), 0x10);
			continue;
		}
		expect_status(s, "good one", 0, pf_run(pf, &d, m.members), 0x01);
		bad_flags(pf, s, &m);
		reserved_bytes(pf, s, &m);
		bad_sizes(pf, s, &m);
		bad_records(pf, s, &m);
		bad_handles(pf, s, &m);
		switched_off(pf, s, &m);
		printf("  descriptor 0x%02x %s\n", s->op, s->name);
	}
	pf_stop(pf);
}

static void unknown_operations(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	unsigned int op;

	if (pf_start(pf, false) < 0)
		return;
	for (op = 0; op < 256; op++) {
		struct desc d = { .flags_op = OP(op) };

		if (!pf_has_op(pf, op))
			EXPECT_NAMED("unknown operation", pf_run(pf, &d, r), 0x10);
	}
	pf_stop(pf);
}

/* Change a good descriptor at one place: set, add, or copy from another place. */
struct change {
	uint8_t off, bytes;
	char how;
	uint64_t val;
};

static const struct value_case {
	uint8_t op;
	uint8_t want;
	const char *what;
	uint32_t flags;
	struct change change[2];
} values[] = {
	{ 0x01, 0x14, "none", 0, { { 32, 4, 's', 0 } } },
	{ 0x01, 0x14, "one more than the queue allows", 0, { { 32, 4, 's', 33 } } },
	{ 0x01, 0x18, "list misaligned", 0, { { 16, 8, 'a', 32 } } },
	{ 0x02, 0x12, "readback address without its flag", 0, { { 16, 8, 's', 4096 } } },
	{ 0x02, 0x12, "second readback address without its flag", 0, { { 24, 8, 's', 4096 } } },
	{ 0x04, 0x12, "second half of the pattern", 0, { { 40, 8, 's', 1 } } },
	{ 0x05, 0x12, "expected result", 0, { { 40, 1, 's', 2 } } },
	{ 0x06, 0x12, "expected result", 0, { { 40, 1, 's', 2 } } },
	{ 0x07, 0x12, "expected results", 0, { { 56, 1, 's', 8 } } },
	{ 0x07, 0x1c, "source", 0, { { 16, 8, 'a', 4 } } },
	{ 0x07, 0x1c, "second source", 0, { { 24, 8, 'a', 4 } } },
	{ 0x07, 0x1c, "delta record", 0, { { 40, 8, 'a', 4 } } },
	{ 0x07, 0x1c, "size", 0, { { 32, 4, 'a', 4 } } },
	{ 0x07, 0x13, "more than 512 KiB", 0, { { 32, 4, 's', (512 << 10) + 8 } } },
	{ 0x07, 0x15, "room of less than 80 bytes", 0, { { 48, 4, 's', 79 } } },
	{ 0x07, 0x16, "delta record over the source", 0, { { 40, 8, 'c', 16 } } },
	{ 0x07, 0x16, "delta record over the second source", 0, { { 40, 8, 'c', 24 } } },
	{ 0x08, 0x15, "empty delta", 0, { { 40, 4, 's', 0 } } },
	{ 0x08, 0x15, "half an entry", 0, { { 40, 4, 's', 15 } } },
	{ 0x08, 0x1c, "destination", 0, { { 24, 8, 'a', 4 } } },
	{ 0x08, 0x1c, "size", 0, { { 32, 4, 'a', 4 } } },
	{ 0x08, 0x16, "delta over the destination", 0, { { 16, 8, 'c', 24 } } },
	{ 0x09, 0x17, "offsets differ", 0, { { 40, 8, 'a', 1 } } },
	{ 0x09, 0x16, "both destinations", 0, { { 40, 8, 'c', 24 } } },
	{ 0x09, 0x16, "source and destination", 0, { { 16, 8, 'c', 24 } } },
	{ 0x09, 0x16, "source and second destination", 0, { { 16, 8, 'c', 40 } } },
	{ 0x0a, 0x12, "stride without its flag", 0, { { 48, 8, 's', 4096 } } },
	{ 0x0a, 0x1c, "stride of nothing", FL(0), { { 48, 8, 's', 0 } } },
	{ 0x10, 0x12, "seed address without its flag", 0, { { 48, 8, 's', 8 } } },
	{ 0x10, 0x1c, "seed address", FL(0), { { 48, 8, 'c', 16 }, { 48, 8, 'a', 2 } } },
	{ 0x11, 0x1c, "seed address", FL(0), { { 48, 8, 'c', 16 }, { 48, 8, 'a', 2 } } },
	{ 0x11, 0x16, "source and destination", 0, { { 16, 8, 'c', 24 } } },
	{ 0x12, 0x12, "block kind", 0, { { 42, 1, 's', 0x10 } } },
	{ 0x13, 0x12, "block kind", 0, { { 42, 1, 's', 0x80 } } },
	{ 0x13, 0x12, "destination flag", 0, { { 41, 1, 's', 1 } } },
	{ 0x13, 0x16, "source and destination", 0, { { 16, 8, 'c', 24 } } },
	{ 0x14, 0x16, "source and destination", 0, { { 16, 8, 'c', 24 } } },
	{ 0x15, 0x12, "destination flag", 0, { { 41, 1, 's', 4 } } },
	{ 0x15, 0x16, "source and destination", 0, { { 16, 8, 'c', 24 } } },
	{ 0x17, 0x1c, "destination", 0, { { 24, 8, 'a', 4 } } },
};

static void change(struct desc *d, const struct change *c)
{
	uint8_t *p = (uint8_t *)d;
	uint64_t v = c->val;

	if (c->how == 'c')
		memcpy(&v, p + c->val, c->bytes);
	if (c->how == 'a') {
		v = 0;
		memcpy(&v, p + c->off, c->bytes);
		v += c->val;
	}
	memcpy(p + c->off, &v, c->bytes);
}

static void bad_values(struct pf *pf)
{
	const struct sheet *s;
	struct buffers m;
	unsigned int i, n;

	prepare(pf, &m);
	if (pf_start(pf, false) < 0)
		return;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		for (s = sheets(pf); s->name && s->op != values[i].op; s++)
			;
		if (s->name && pf_has_op(pf, s->op) &&
		    !(values[i].flags & ~(s->flags | s->flags_v2))) {
			struct desc d = make(s, &m);

			d.flags_op |= values[i].flags;
			for (n = 0; n < 2 && values[i].change[n].bytes; n++)
				change(&d, &values[i].change[n]);
			expect_status(s, values[i].what, 0, pf_run(pf, &d, m.members),
				      values[i].want);
		}
	}
	pf_stop(pf);
}

/* A Drain that nobody hears of, and addresses to be read back that are not there. */
static void bad_drains(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(2) };

	if (pf_start(pf, false) < 0)
		return;
	wr32(pf, 0xc0, 3);
	pf_submit(pf, 0, &d);
	EXPECT(pf_swerror(pf), 0x11);
	EXPECT(rd64(pf, 0xc8) >> 32, RCR | RCI);
	wr32(pf, 0xc0, 3);

	if (pf->gencap >> 9 & 1) {
		d.flags_op |= FL(1);
		d.dst = (uintptr_t)r;
		EXPECT(pf_run(pf, &d, r), 1);
		d.dst = pf_unmapped(pf);
		EXPECT(pf_run(pf, &d, r), 0x1f);
		EXPECT(r->fault_addr, pf_unmapped(pf));
	}
	pf_stop(pf);
}

/* In a batch: no batch, no drain; whose PASID a member names does not matter. */
static void bad_members(struct pf *pf)
{
	struct buffers m;
	struct desc d;

	if (pf->iaa) {
		EXPECT(pf_has_op(pf, 1), 0);
		return;
	}
	prepare(pf, &m);
	if (pf_start(pf, false) < 0)
		return;
	d = (struct desc){ .flags_op = OP(1), .src = (uintptr_t)m.list, .size = 3 };
	m.list[0] = (struct desc){ .flags_op = OP(1) | CRAV | RCR,
				   .record = (uintptr_t)&m.members[1], .size = 2 };
	m.list[1] = (struct desc){ .flags_op = OP(2) | CRAV | RCR,
				   .record = (uintptr_t)&m.members[2] };
	m.list[2] = (struct desc){ .ids = 0x800fffff, .flags_op = OP(0) | CRAV | RCR,
				   .record = (uintptr_t)&m.members[3] };
	EXPECT(pf_run(pf, &d, m.members), 0x05);
	EXPECT(m.members[1].status, 0x10);
	EXPECT(m.members[2].status, 0x10);
	EXPECT(m.members[3].status, 0x01);
	EXPECT(m.members[0].bytes, 3);
	EXPECT(m.members[0].result, pf->gencap >> 15 & 1);

	d.size = 1;
	EXPECT(pf_run(pf, &d, m.members), pf->gencap >> 52 & 1 ? 0x05 : 0x14);
	pf_stop(pf);
}

/* An interrupt for a user's descriptor needs GENCFG's permission; the record goes to the log. */
static void user_interrupt(struct pf *pf)
{
	uint16_t pasid = pf_pci_read(pf, 0x236);
	uint64_t *entry = (uint64_t *)pf_log(pf);
	struct desc d = { .flags_op = OP(0) | CRAV | RCR | RCI };
	unsigned int at = pf->iaa ? 8 : 4, allowed;	/* the record in the entry */

	if (!pf->evl) {
		EXPECT(pf->gencap >> 13 & 3, 0);
		return;
	}
	d.record = (uintptr_t)pf_mem(pf, 4096);
	for (allowed = 0; allowed < 2; allowed++) {
		pf_configure(pf, true);
		pf_pci_write(pf, 0x236, 1);
		if (allowed)
			wr32(pf, 0x80, rd32(pf, 0x80) | 1 << 12);
		wr32(pf, wq_reg(pf, 0) + 8, 0xa1 | 0x77777 << 8 | 1 << 28);
		EXPECT(pf_cmd(pf, 1, 0), 0);
		EXPECT(pf_cmd(pf, 6, 0), 0);
		wr32(pf, pf->msixperm + 8, 0x77777u << 12 | 8);
		d.handle = pf_handle(pf, 1);
		pf_submit(pf, 0, &d);
		EXPECT(pf_cmd(pf, 3, 0), 0);
		/* nobody has that PASID: the record is what the log says it would have been */
		EXPECT(rd64(pf, 0xf0) >> 32 & 0xffff, 1);
		EXPECT(entry[0] >> 8 & 0xff, 0x1a);
		EXPECT(entry[0] >> 40 & 0xfffff, 0x77777);
		EXPECT(entry[at] & 0xff, allowed ? 0x01 : 0x11);
		EXPECT(entry[at + 2] & 0xffffff, allowed ? 0 : RCI);
		pf_stop(pf);
		pf_pci_write(pf, 0x236, pasid);
	}
}

const struct test desc_tests[] = {
	{ "every field of every operation", every_operation },
	{ "operations that do not exist", unknown_operations },
	{ "values that do not fit", bad_values },
	{ "bad drains", bad_drains },
	{ "bad members of a batch", bad_members },
	{ "interrupts for users", user_interrupt },
	{ 0 }
};
