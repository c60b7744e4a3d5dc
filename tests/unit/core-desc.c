// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host checks of a descriptor before it submits it for a guest, and whose it makes it. */
#include "core-fake.h"
#include "desc.h"

#define OP(n)		((uint64_t)(n) << 56)
#define MEMMOVE		3
#define DRAIN		2
#define DECOMPRESS	0x42

static const struct {
	const char *name;
	enum flavour flavour;
	uint64_t first, record;
	uint8_t error;
} rows[] = {
	{ "a copy with a record", DSA, OP(MEMMOVE) | 0xcull << 32, 0x1000, 0 },
	{ "a record 32 bytes on", DSA, OP(MEMMOVE) | 0xcull << 32, 0x1020, 0 },
	{ "a record 16 bytes on", DSA, OP(MEMMOVE) | 0xcull << 32, 0x1010, E_DESC_RECORD },
	{ "the same, said not to be valid", DSA, OP(MEMMOVE), 0x1010, E_DESC_RECORD },
	{ "a record one byte on", DSA, OP(MEMMOVE), 0x1001, E_DESC_RECORD },
	{ "no record", DSA, OP(MEMMOVE), 0, 0 },
	{ "an IAA's record 64 bytes on", IAA, OP(DECOMPRESS), 0x1040, 0 },
	{ "an IAA's record 32 bytes on", IAA, OP(DECOMPRESS), 0x1020, E_DESC_RECORD },
	{ "a drain", DSA, OP(DRAIN), 0x1000, 0 },
	{ "an operation of the other kind", DSA, OP(DECOMPRESS), 0x1000, E_DESC_OPCODE },
	{ "one that does not exist", DSA, OP(0xff), 0x1000, E_DESC_OPCODE },
	{ "a wrong one with a wrong record", DSA, OP(0xff), 0x1001, E_DESC_OPCODE },
};

static void test_check(void)
{
	uint64_t desc[8] = { 0 };
	struct vd_caps caps;
	unsigned int i;

	for (i = 0; i < VD_COUNT(rows); i++) {
		desc[0] = rows[i].first;
		desc[1] = rows[i].record;
		EQUAL(rows[i].name, vd_desc_check(&fake_caps[rows[i].flavour], desc), rows[i].error);
	}
	caps = fake_caps[DSA];
	desc[0] = OP(OP_BATCH);
	desc[1] = 0x1000;
	EQUAL("a batch", vd_desc_check(&caps, desc), 0);
	caps.opcap[0] &= ~(1ull << OP_BATCH);
	EQUAL("a batch where none is offered", vd_desc_check(&caps, desc), E_DESC_OPCODE);
}

/* The guest's own PASID, reserved bits and privilege are replaced, the rest is not touched. */
static void test_own(void)
{
	uint64_t desc[8] = { ~0ull, ~0ull, 3, 4, 5, 6, 7, 8 };

	vd_desc_own(desc, 0x12345);
	EQUAL("the PASID", desc[0] & 0xffffffff, 0x12345);
	EQUAL("flags and operation", desc[0] >> 32, 0xffffffff);
	EQUAL("the record's address", desc[1], ~0ull);
	EQUAL("the end", desc[7], 8);
	vd_desc_own(desc, 0xfff00001);
	EQUAL("20 bits of it", desc[0] & 0xffffffff, 1);
}

static void test_error(void)
{
	const uint64_t desc[8] = { OP(MEMMOVE) | 0x80000007, 0x7011 };
	uint64_t rec[4];
	struct fake f;

	vd_desc_error(desc, 5, E_DESC_RECORD, rec);
	fake_init(&f, DSA_8WQ, WQ_ON);
	vd_swerr(&f.d, rec);
	EQUAL("what the guest reads", r64(&f, R_SWERROR),
	      SWERR_VALID | SWERR_WQ_VALID | 5 << SWERR_WQ_SHIFT | 0x1b00 | 3ull << 32);
	EQUAL("the address", r64(&f, R_SWERROR + 16), 0x7011);
}

int main(void)
{
	test_check();
	test_own();
	test_error();
	return report();
}
