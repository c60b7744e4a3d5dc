// SPDX-License-Identifier: GPL-2.0-or-later
/* The software error record and the interrupt causes. */
#include "core-fake.h"

/* A host's record goes through without what a guest must not see. */
static const struct {
	const char *name;
	uint64_t rec[4], want[4];
} records[] = {
	{ "PASID and privilege are removed",
	  { 0x0fffff0300001a4dull, 0, 0x1234567000ull, 0 },
	  { 0x0000000300001a0dull, 0, 0x1234567000ull, 0 } },
	{ "everything else that has a meaning stays",
	  { ~0ull, ~0ull, ~0ull, ~0ull },
	  { 0x000000ff0000ffb5ull, 0xffffffff0000ffffull, ~0ull, 0 } },
	{ "a queue that is not the guest's is not named",
	  { 0x0000000000051a0dull, 0, 0, 0 },
	  { 0x0000000000001a05ull, 0, 0, 0 } },
	{ "valid is set here",
	  { 0x1a00, 1, 2, 3 },
	  { 0x1a01, 1, 2, 0 } },
};

static void test_records(void)
{
	struct fake f;
	unsigned int i, j;

	for (i = 0; i < VD_COUNT(records); i++) {
		fake_init(&f, DSA, WQ_ON);
		vd_swerr(&f.d, records[i].rec);
		for (j = 0; j < 4; j++)
			EQUAL(records[i].name, r64(&f, R_SWERROR + 8 * j), records[i].want[j]);
		LOG(records[i].name, &f, "irq0");
	}
}

/* Valid rises once; the second error sets overflow and is not announced. */
static void test_overflow(void)
{
	const uint64_t first[4] = { 0x1a00, 0, 0x1000, 0 }, second[4] = { 0x2000, 0, 0x2000, 0 };
	const char *row = "overflow";
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	vd_swerr(&f.d, first);
	vd_swerr(&f.d, second);
	LOG(row, &f, "irq0");
	EQUAL(row, r64(&f, R_SWERROR), 0x1a03);
	EQUAL(row, r64(&f, R_SWERROR + 16), 0x1000);
	w64(&f, R_SWERROR, 2);
	EQUAL(row, r64(&f, R_SWERROR), 0x1a01);
	w64(&f, R_SWERROR, 3);
	EQUAL(row, r64(&f, R_SWERROR), 0x1a00);
	vd_swerr(&f.d, second);
	LOG(row, &f, "irq0");
	EQUAL(row, r64(&f, R_SWERROR + 16), 0x2000);
}

/* Only the two flags of a record can be written, whatever is in it. */
static void test_read_only(void)
{
	const uint64_t ones[4] = { ~0ull, ~0ull, ~0ull, ~0ull };
	const char *row = "a record is read-only";
	const uint64_t vals[2] = { 0, ~0ull };
	struct fake f;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		fake_init(&f, DSA, WQ_ON);
		vd_swerr(&f.d, ones);
		vd_swerr(&f.d, ones);
		w64(&f, R_SWERROR, vals[i] & ~3ull);
		w64(&f, R_SWERROR + 8, vals[i]);
		w64(&f, R_SWERROR + 16, vals[i]);
		w64(&f, R_SWERROR + 24, vals[i]);
		EQUAL(row, r64(&f, R_SWERROR), 0x000000ff0000ffb7ull);
		EQUAL(row, r64(&f, R_SWERROR + 8), 0xffffffff0000ffffull);
		EQUAL(row, r64(&f, R_SWERROR + 16), ~0ull);
		EQUAL(row, r64(&f, R_SWERROR + 24), 0);
	}
}

static void test_enables(void)
{
	const uint64_t rec[4] = { 0x1a00, 0, 0, 0 };
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	w32(&f, R_GENCTRL, 0);
	vd_swerr(&f.d, rec);
	EQUAL("error interrupt off", r32(&f, R_INTCAUSE), 0);
	EQUAL("but recorded", r32(&f, R_SWERROR), 0x1a01);
	vd_halt(&f.d);
	EQUAL("halt interrupt off", r32(&f, R_INTCAUSE), 0);
	LOG("no interrupt", &f, "stop:halt");
}

/* A halt under a command: the command ends first, the halt waits to be told. */
static void test_halt_under_command(void)
{
	const char *row = "halt under a command";
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	f.hold = true;
	w32(&f, R_CMD, CMD(2, 0));
	LOG(row, &f, "disable:1");
	vd_halt(&f.d);
	LOG(row, &f, "stop:halt irq0");
	EQUAL(row, r32(&f, R_CMDSTS), 0x05);
	EQUAL(row, r32(&f, R_GENSTS), VD_HALTED | GENSTS_RESET_FLR);
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_CMD);
	EQUAL(row, vd_wq_state(&f.d, 0), VD_DISABLED);

	w32(&f, R_INTCAUSE, CAUSE_CMD);
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_HALT);
	LOG(row, &f, "irq0");
	fake_done(&f);
	LOG("the owner is late", &f, "");
	EQUAL("the owner is late", r32(&f, R_CMDSTS), 0x05);
	EQUAL("the owner is late", r32(&f, R_GENSTS), VD_HALTED | GENSTS_RESET_FLR);
}

/* The other way round: a refused command in a device whose halt is not yet read. */
static void test_command_under_halt(void)
{
	const char *row = "command under a halt";
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	vd_halt(&f.d);
	LOG(row, &f, "stop:halt irq0");
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_HALT);
	w32(&f, R_CMD, CMD(2, 0));
	EQUAL(row, r32(&f, R_CMDSTS), 0x05);
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_HALT);
	w32(&f, R_INTCAUSE, CAUSE_SWERR);
	EQUAL("another bit was acknowledged", r32(&f, R_INTCAUSE), CAUSE_HALT);
	w32(&f, R_INTCAUSE, CAUSE_HALT);
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_CMD);
	LOG(row, &f, "irq0");
	w32(&f, R_INTCAUSE, CAUSE_CMD);
	EQUAL(row, r32(&f, R_INTCAUSE), 0);
	LOG(row, &f, "");
	vd_halt(&f.d);
	LOG("one halt only", &f, "");
}

/* A polled command has no interrupt and so nothing the halt must wait for. */
static void test_halt_under_polled(void)
{
	const char *row = "halt under a polled command";
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	f.hold = true;
	w32(&f, R_CMD, CMD(8, 1) & ~CMD_IRQ);
	fake_log(&f);
	vd_halt(&f.d);
	EQUAL(row, r32(&f, R_CMDSTS), 0x05);
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_HALT);
	LOG(row, &f, "stop:halt irq0");
}

int main(void)
{
	test_records();
	test_overflow();
	test_read_only();
	test_enables();
	test_halt_under_command();
	test_command_under_halt();
	test_halt_under_polled();
	return report();
}
