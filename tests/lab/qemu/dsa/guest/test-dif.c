/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Data integrity fields: what is written, what is checked, where a partial completion ends. */
#include <string.h>
#include "pf.h"

#define BLOCKS	3u
#define REF	0xabba1234u
#define APP	0xface

/* byte 40 and 41 */
#define SRC_ERROR	0x01
#define SRC_ALL_F	0x02
#define SRC_APP_F	0x04
#define SRC_TAGS_F	0x08
#define APP_COUNTS	0x10
#define NO_GUARD	0x20
#define NO_REF		0x40
#define REF_FIXED	0x80
#define PASS_APP	0x08
#define PASS_GUARD	0x20
#define PASS_REF	0x40

static const uint32_t block_sizes[] = { 512, 520, 4096, 4104 };

struct dif {
	uint8_t *plain, *with, *out;
	struct record *r;
};

static uint16_t crc16(const uint8_t *p, size_t n, uint16_t crc)
{
	unsigned int bit;

	while (n--) {
		for (bit = 0; bit < 8; bit++) {
			bool top = (crc >> 15 ^ *p >> (7 - bit)) & 1;

			crc = crc << 1 ^ (top ? 0x8bb7 : 0);
		}
		p++;
	}
	return crc;
}

static void store_field(uint8_t *p, uint16_t guard, uint16_t app, uint32_t ref)
{
	const uint8_t bytes[] = {
		guard >> 8, guard, app >> 8, app, ref >> 24, ref >> 16, ref >> 8, ref,
	};

	memcpy(p, bytes, sizeof(bytes));
}

/* Blocks of @size without and with fields; the tags count as the flags say. */
static void compose(struct dif *m, uint32_t size, uint8_t flags)
{
	uint32_t i, n;

	for (i = 0; i < BLOCKS * size; i++)
		m->plain[i] = i * 7 + (i >> 8) * 3;
	for (n = 0; n < BLOCKS; n++) {
		uint8_t *to = m->with + n * (size + 8);

		memcpy(to, m->plain + n * size, size);
		store_field(to + size, crc16(to, size, 0), APP + (flags & APP_COUNTS ? n : 0),
			    REF + (flags & REF_FIXED ? 0 : n));
	}
}

static bool dif_begin(struct pf *pf, struct dif *m)
{
	m->plain = pf_mem(pf, 32 * 1024);
	m->with = pf_mem(pf, 32 * 1024);
	m->out = pf_mem(pf, 32 * 1024);
	m->r = pf_mem(pf, 4096);
	return pf_start(pf, false) == 0;
}

static struct desc source_desc(const struct dif *m, unsigned int op, unsigned int kind,
			       uint8_t flags)
{
	struct desc d = { .flags_op = OP(op), .size = BLOCKS * (block_sizes[kind] + 8) };

	d.src = (uintptr_t)m->with;
	d.dst = op == 0x12 ? 0 : (uintptr_t)m->out;
	d.op[0] = flags | kind << 16;
	d.op[1] = REF | (uint64_t)APP << 48;
	return d;
}

static struct desc dest_desc(const struct dif *m, unsigned int op, unsigned int kind, uint8_t flags)
{
	struct desc d = { .flags_op = OP(op), .size = BLOCKS * block_sizes[kind] };

	d.src = (uintptr_t)m->plain;
	d.dst = (uintptr_t)m->out;
	d.op[0] = flags << 8 | kind << 16;
	d.op[2] = REF | (uint64_t)APP << 48;
	return d;
}

static void round_trip(struct pf *pf)
{
	static const uint8_t kinds_of_tags[] = { 0, APP_COUNTS, REF_FIXED, APP_COUNTS | REF_FIXED };
	struct dif m;
	unsigned int kind, t, n;

	if (!dif_begin(pf, &m))
		return;
	for (kind = 0; kind < 4; kind++) {
		uint32_t size = block_sizes[kind];

		for (t = 0; t < 4; t++) {
			uint8_t flags = kinds_of_tags[t];
			struct desc d = dest_desc(&m, 0x13, kind, flags);

			compose(&m, size, flags);
			EXPECT(pf_run(pf, &d, m.r), 1);
			EXPECT(memcmp(m.out, m.with, BLOCKS * (size + 8)), 0);
			d = source_desc(&m, 0x12, kind, flags);
			EXPECT(pf_run(pf, &d, m.r), 1);
			EXPECT(m.r->result, 0);
			d = source_desc(&m, 0x14, kind, flags);
			EXPECT(pf_run(pf, &d, m.r), 1);
			EXPECT(memcmp(m.out, m.plain, BLOCKS * size), 0);
			d = source_desc(&m, 0x15, kind, flags);
			d.op[0] |= flags << 8;
			d.op[2] = d.op[1];
			EXPECT(pf_run(pf, &d, m.r), 1);
			EXPECT(memcmp(m.out, m.with, BLOCKS * (size + 8)), 0);
		}
		if (!pf_has_op(pf, 0x17))
			continue;
		struct desc x = dest_desc(&m, 0x17, kind, APP_COUNTS | REF_FIXED);

		memset(m.out, 0x55, 64);
		EXPECT(pf_run(pf, &x, m.r), 1);
		for (n = 0; n < BLOCKS; n++)
			EXPECT(memcmp(m.out + 8 * n, m.with + n * (size + 8) + size, 8), 0);
		EXPECT(m.out[8 * BLOCKS], 0x55);
	}
	pf_stop(pf);
}

static void mismatches(struct pf *pf)
{
	static const struct {
		uint8_t byte, flags, wrong;
		uint16_t mask;
	} cases[] = {
		{ 0, 0, 0x01, 0 },
		{ 1, 0, 0x01, 0 },
		{ 0, NO_GUARD, 0, 0 },
		{ 2, 0, 0x02, 0 },
		{ 3, 0, 0x02, 0xff00 },
		{ 3, 0, 0, 0x00ff },
		{ 4, 0, 0x04, 0 },
		{ 7, 0, 0x04, 0 },
		{ 7, NO_REF, 0, 0 },
	};
	struct dif m;
	unsigned int i;

	if (!dif_begin(pf, &m))
		return;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct desc d = source_desc(&m, 0x12, 0, cases[i].flags);

		compose(&m, 512, 0);
		m.with[520 + 512 + cases[i].byte] ^= 0x21;
		d.op[1] |= (uint64_t)cases[i].mask << 32;
		EXPECT(pf_run(pf, &d, m.r), cases[i].wrong ? 0x09 : 0x01);
		EXPECT(m.r->result, cases[i].wrong);
		EXPECT(m.r->bytes, cases[i].wrong ? 520 : 0);
		if (cases[i].wrong) {
			/* the tags of the block that is wrong */
			EXPECT(m.r->op[0], REF + 1);
			EXPECT(m.r->op[1], (uint32_t)APP << 16 | cases[i].mask);
		}
	}

	/* the seed and the inversion of the guard */
	compose(&m, 512, 0);
	struct desc d = dest_desc(&m, 0x13, 0, 0);

	d.op[0] |= 0xc << 16;
	EXPECT(pf_run(pf, &d, m.r), 1);
	i = (uint16_t)~crc16(m.plain, 512, 0xffff);
	EXPECT(m.out[512] << 8 | m.out[513], i);
	pf_stop(pf);
}

/* Fields of ones mean "not written yet": the check of such a block can be left out. */
static void fields_of_ones(struct pf *pf)
{
	static const struct {
		uint8_t ones_from, flags, status, result;
	} cases[] = {
		{ 0, 0, 0x09, 0x07 },
		{ 0, SRC_ALL_F, 0x01, 0 },
		{ 0, SRC_ALL_F | SRC_ERROR, 0x09, 0x08 },
		{ 2, SRC_ALL_F, 0x09, 0x06 },
		{ 2, SRC_TAGS_F, 0x01, 0 },
		{ 2, SRC_APP_F, 0x01, 0 },
	};
	struct dif m;
	unsigned int i;

	if (!dif_begin(pf, &m))
		return;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct desc d = source_desc(&m, 0x12, 0, cases[i].flags);

		compose(&m, 512, 0);
		memset(m.with + 512 + cases[i].ones_from, 0xff, 8 - cases[i].ones_from);
		EXPECT(pf_run(pf, &d, m.r), cases[i].status);
		EXPECT(m.r->result, cases[i].result);
	}
	pf_stop(pf);
}

static void updates(struct pf *pf)
{
	struct desc d;
	struct dif m;
	uint8_t want[8];

	if (!dif_begin(pf, &m))
		return;
	compose(&m, 512, 0);
	d = source_desc(&m, 0x15, 0, 0);
	d.op[0] |= (PASS_REF | PASS_GUARD | APP_COUNTS) << 8;
	d.op[2] = 0x11111111 | 0x00ffull << 32 | 0x2233ull << 48;
	EXPECT(pf_run(pf, &d, m.r), 1);
	store_field(want, crc16(m.plain + 512, 512, 0), 0x2200, REF + 1);
	EXPECT(memcmp(m.out + 520 + 512, want, 8), 0);

	d.op[0] = (uint64_t)PASS_APP << 8;
	EXPECT(pf_run(pf, &d, m.r), 1);
	store_field(want, crc16(m.plain + 1024, 512, 0), APP, 0x11111113);
	EXPECT(memcmp(m.out + 2 * 520 + 512, want, 8), 0);

	/* a wrong source stops it there */
	m.with[520 + 512] ^= 1;
	memset(m.out, 0, 4096);
	EXPECT(pf_run(pf, &d, m.r), 0x09);
	EXPECT(m.r->bytes, 520);
	EXPECT(m.r->op[0], REF + 1);
	EXPECT(m.r->op[2], 0x11111112);
	EXPECT(memcmp(m.out, m.with, 512), 0);
	pf_stop(pf);
}

/* A page that is missing under the third block: two are done, and the tags say where to go on. */
static void partial(struct pf *pf)
{
	struct desc d;
	struct dif m;

	if (!dif_begin(pf, &m))
		return;
	compose(&m, 512, 0);
	d = dest_desc(&m, 0x13, 0, APP_COUNTS);
	d.dst = pf_unmapped(pf) - 2 * 520 - 100;
	EXPECT(pf_run(pf, &d, m.r), 0x83);
	EXPECT(m.r->bytes, 2 * 512);
	EXPECT(m.r->fault_addr, pf_unmapped(pf));
	EXPECT(m.r->op[2], REF + 2);
	EXPECT(m.r->op[3] >> 16, (APP + 2) & 0xffff);
	pf_stop(pf);
}

const struct test dif_tests[] = {
	{ "DIF: Insert, Check, Strip, Update, DIX", round_trip },
	{ "DIF: what does not match", mismatches },
	{ "DIF: fields of ones", fields_of_ones },
	{ "DIF: what an update changes", updates },
	{ "DIF: partial completion", partial },
	{ 0 }
};
