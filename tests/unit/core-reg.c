// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables prove themselves; masks, lanes, locks and windows of BAR0. */
#include <string.h>

#include "core-fake.h"

/* ---- the self-check accepts ours and refuses each kind of mistake ------------- */

static const struct vd_reg good[] = {
	{ .name = "A", .off = 0, .size = 4, .rw = 0xff },
	{ .name = "B", .off = 8, .size = 8, .reset = 1 },
};

static uint64_t any_value(const struct vd *d, unsigned int idx)
{
	return idx;
}

static const struct {
	const char *name, *want;
	struct vd_reg reg;			/* takes the place of good[1] */
} bad_regs[] = {
	{ "size", "size of a register is not 1, 2, 4 or 8", { .name = "B", .off = 8, .size = 3 } },
	{ "alignment", "register is not aligned", { .name = "B", .off = 6, .size = 4 } },
	{ "outside", "register is outside its block", { .name = "B", .off = 16, .size = 4 } },
	{ "masks", "a bit is both read-write and write-1-clear",
	  { .name = "B", .off = 8, .size = 4, .rw = 3, .w1c = 2 } },
	{ "wide mask", "mask or reset value is wider than the register",
	  { .name = "B", .off = 8, .size = 2, .rw = 0x10000 } },
	{ "wide reset", "mask or reset value is wider than the register",
	  { .name = "B", .off = 8, .size = 1, .reset = 0x100 } },
	{ "two values", "register has two reset values",
	  { .name = "B", .off = 8, .size = 4, .reset = 1, .value = any_value } },
	{ "overlap", "registers overlap or are not sorted", { .name = "B", .off = 0, .size = 4 } },
	{ "no name", "register has no name", { .off = 8, .size = 4 } },
};

static const char *check_two(const struct vd_block *blocks, unsigned int n)
{
	const struct vd_space s = {
		.name = "test", .blocks = blocks, .nblocks = n, .size = 64, .nimage = 48,
	};

	return vd_space_check(&s);
}

static const struct {
	const char *name, *want;
	struct vd_block blocks[2];
} bad_blocks[] = {
	{ "right", NULL,
	  { { "x", 0, 16, 1, NULL, good, 2 }, { "y", 16, 16, 2, NULL, good, 2 } } },
	{ "overlap", "blocks overlap or are not sorted",
	  { { "x", 0, 16, 2, NULL, good, 2 }, { "y", 16, 16, 2, NULL, good, 2 } } },
	{ "sorted", "blocks overlap or are not sorted",
	  { { "x", 16, 16, 1, NULL, good, 2 }, { "y", 0, 16, 1, NULL, good, 2 } } },
	{ "empty", "block is empty",
	  { { "x", 0, 16, 0, NULL, good, 2 }, { "y", 16, 16, 2, NULL, good, 2 } } },
	{ "no stride", "block is empty",
	  { { "x", 0, 0, 1, NULL, good, 2 }, { "y", 16, 16, 2, NULL, good, 2 } } },
	{ "no rows", "block is empty",
	  { { "x", 0, 16, 1, NULL, good, 0 }, { "y", 16, 16, 2, NULL, good, 2 } } },
	{ "too long", "space is too small",
	  { { "x", 0, 16, 1, NULL, good, 2 }, { "y", 16, 16, 3, NULL, good, 2 } } },
};

static void same(const char *row, const char *is, const char *want)
{
	CHECK(row, is == want || (is && want && !strcmp(is, want)));
}

static void test_self_check(void)
{
	struct vd_reg regs[2] = { good[0] };
	struct vd_block block = { "x", 0, 16, 1, NULL, regs, 2 };
	unsigned int i;

	same("BAR0", vd_space_check(&vd_bar0_space), NULL);
	same("configuration space", vd_space_check(&vd_config_space), NULL);
	for (i = 0; i < VD_COUNT(bad_regs); i++) {
		regs[1] = bad_regs[i].reg;
		same(bad_regs[i].name, check_two(&block, 1), bad_regs[i].want);
	}
	for (i = 0; i < VD_COUNT(bad_blocks); i++)
		same(bad_blocks[i].name, check_two(bad_blocks[i].blocks, 2), bad_blocks[i].want);
}

/* ---- what each register reads after power-on ----------------------------------- */

#define OPS	0x1003f03ffull		/* without 0x30 to 0x36: see below */

static const struct {
	const char *name;
	enum flavour flavour;
	uint32_t off, len;
	uint64_t want;
} resets[] = {
	{ "VERSION is the host's",           DSA,     R_VERSION, 4, 0x200 },
	{ "GENCAP: what e2e guests ran with", DSA,    R_GENCAP,  8, 0x80b52116 },
	{ "GENCAP: host limits bind",        DSA_V1,  R_GENCAP,  8, 0x815f2116 },
	{ "GENCAP: single batch is kept",    DSA_V3,  R_GENCAP,  8, 0x0010000080b52116 },
	{ "GENCAP: IAA log, no batch",       IAA,     R_GENCAP,  8, 0x0000030080154010 },
	{ "WQCAP",                           DSA,     R_WQCAP,   8, 0x004a000001010010 },
	{ "WQCAP: no op-config on the host", DSA_V1,  R_WQCAP,   8, 0x000a000001010040 },
	{ "WQCAP: eight of one",             DSA_8WQ, R_WQCAP,   8, 0x004a000001080008 },
	{ "GRPCAP: one group, no control",   DSA,     R_GRPCAP,  8, 0x6001 },
	{ "ENGCAP: one engine",              DSA,     R_ENGCAP,  8, 1 },
	{ "OPCAP: host's",                   DSA_V1,  R_OPCAP,   8, OPS },
	{ "OPCAP: nothing inter-domain",     DSA_V3,  R_OPCAP,   8, 0x10197ff03ffull },
	{ "OPCAP: second word",              IAA,     R_OPCAP + 8, 8, 0x4d001c },
	{ "OFFSETS: 0x400 0x500 0x300",      DSA,     R_OFFSETS, 8, 0x0010000300050004 },
	{ "OFFSETS: no perfmon",             DSA,     R_OFFSETS + 8, 8, 0 },
	{ "GENCFG",                          DSA,     R_GENCFG,  4, 96 },
	{ "GENSTS",                          DSA,     R_GENSTS,  4, 0 },
	{ "CMD reads nothing",               DSA,     R_CMD,     4, 0 },
	{ "CMDCAP: codes 1 to 14",           DSA,     R_CMDCAP,  8, 0x7ffe },
	{ "DSACAP0 is version 3's",          DSA,     R_EXTCAP,  8, 0 },
	{ "DSACAP0: no inter-domain",        DSA_V3,  R_EXTCAP,  8, 0x1000000015ull },
	{ "DSACAP1",                         DSA_V3,  R_EXTCAP + 8, 8, 0x1234 },
	{ "DSACAP2",                         DSA_V3,  R_EXTCAP + 16, 8, 0x5678 },
	{ "IAACAP",                          IAA,     R_EXTCAP,  8, 0xffd },
	{ "MSIXPERM",                        DSA,     R_MSIXPERM + 8, 4, 0 },
	{ "GRPFLAGS: buffers allowed",       DSA,     R_GRPCFG + GRP_FLAGS, 8, 96 << 20 },
	{ "op-config is OPCAP",              DSA,     R_WQCFG + WQ_OPCFG, 8, 0x7f0001003f03ffull },
	{ "op-config missing",               DSA_V1,  R_WQCFG + WQ_OPCFG, 8, 0 },
	{ "MSI-X entries start masked",      DSA,     R_MSIX + 0x1c, 4, 1 },
	{ "beyond the last MSI-X entry",     DSA,     R_MSIX + 0x2c, 4, 0 },
	{ "the hole at 0x08",                DSA,     0x08,      4, 0 },
	{ "no dummy portal in 8 KiB",        DSA,     0x1ffc,    4, 0 },
	{ "across the end",                  DSA,     0x1ffc,    8, 0xffffffff00000000 },
	{ "beyond the end",                  DSA,     0x2000,    8, ~0ull },
	{ "far beyond the end",              DSA,     0xfffffffc, 8, ~0ull },
};

static void test_resets(void)
{
	struct fake f;
	unsigned int i;

	for (i = 0; i < VD_COUNT(resets); i++) {
		fake_init(&f, resets[i].flavour, BORN);
		EQUAL(resets[i].name, bar_read(&f, resets[i].off, resets[i].len), resets[i].want);
	}
}

/* ---- one write, one read -------------------------------------------------------- */

static const struct {
	const char *name;
	enum stage stage;
	uint32_t off, len;
	uint64_t val;
	uint32_t at, width;
	uint64_t want;
} writes[] = {
	{ "GENCTRL keeps three bits",    BORN,   R_GENCTRL, 4, ~0u,        R_GENCTRL, 4, 0x7 },
	{ "a byte keeps other lanes",    PROBED, R_GENCTRL + 1, 1, 0xff,   R_GENCTRL, 4, 0x3 },
	{ "a byte in the right lane",    PROBED, R_GENCTRL, 1, 0x4,        R_GENCTRL, 4, 0x4 },
	{ "two bytes, not aligned",      BORN,   R_MSIX + 7, 2, 0xabcd,    R_MSIX, 8,
	  0xcd00000000000000 },
	{ "... and their other half",    BORN,   R_MSIX + 7, 2, 0xabcd,    R_MSIX + 8, 4, 0xab },
	{ "8 bytes span two registers",  BORN,   R_MSIX, 8, 0xfffff00dfee01ffeull, R_MSIX, 8,
	  0xfffff00dfee01ffcull },
	{ "VERSION is read-only",        BORN,   R_VERSION, 4, 0,          R_VERSION, 4, 0x200 },
	{ "GENCAP is read-only",         BORN,   R_GENCAP, 8, 0,           R_GENCAP, 8,
	  0x80b52116 },
	{ "CMDSTS is read-only",         BORN,   R_CMDSTS, 4, ~0u,         R_CMDSTS, 4, 0 },
	{ "GENSTS is read-only",         BORN,   R_GENSTS, 4, 1,           R_GENSTS, 4, 0 },
	{ "GENSTS, enabled",             DEV_ON, R_GENSTS, 4, ~0u,         R_GENSTS, 4, 1 },
	{ "GENSTS, halted",              HALTED, R_GENSTS, 4, ~0u,         R_GENSTS, 4, 7 },
	{ "garbage in GENCFG",           BORN,   R_GENCFG, 4, 0xdeadd0ff,  R_GENCFG, 4, 0x1060 },
	{ "GENCFG is open configured",   CONFIGURED, R_GENCFG, 4, 0x3000,  R_GENCFG, 4, 0x3060 },
	{ "GENCFG is locked enabled",    DEV_ON, R_GENCFG, 4, 0x3000,      R_GENCFG, 4, 0x60 },
	{ "EVLCFG base",                 BORN,   R_EVLCFG, 8, ~0ull,       R_EVLCFG, 8,
	  0xfffffffffffff003 },
	{ "EVLCFG is locked",            DEV_ON, R_EVLCFG, 8, ~0ull,       R_EVLCFG, 8, 0 },
	{ "EVLCFG size",                 BORN,   R_EVLCFG + 8, 8, ~0ull,   R_EVLCFG, 16, 0 },
	{ "EVLSTATUS head",              DEV_ON, R_EVLSTATUS, 4, ~0u,      R_EVLSTATUS, 8, 0xffff },
	{ "EVLSTATUS tail is read-only", DEV_ON, R_EVLSTATUS + 4, 4, ~0u,  R_EVLSTATUS, 8, 0 },
	{ "MSIXPERM",                    DEV_ON, R_MSIXPERM + 8, 4, ~0u,   R_MSIXPERM + 8, 4,
	  0xfffff00c },
	{ "MSIXPERM holes",              DEV_ON, R_MSIXPERM + 4, 4, ~0u,   R_MSIXPERM + 4, 4, 0 },
	{ "MSIXPERM ends",               BORN,   R_MSIXPERM + 16, 4, ~0u,  R_MSIXPERM + 16, 4, 0 },
	{ "group is open",               CONFIGURED, R_GRPCFG, 8, ~0ull,   R_GRPCFG, 8, ~0ull },
	{ "group is locked",             DEV_ON, R_GRPCFG, 8, ~0ull,       R_GRPCFG, 8, 1 },
	{ "engines are locked",          DEV_ON, R_GRPCFG + 0x20, 8, 0,    R_GRPCFG + 0x20, 8, 1 },
	{ "group flags",                 BORN,   R_GRPCFG + 0x28, 8, ~0ull, R_GRPCFG + 0x28, 8,
	  0x0ff0ff3f },
	{ "no second group",             BORN,   R_GRPCFG + 0x40, 8, ~0ull, R_GRPCFG + 0x40, 8, 0 },
	{ "size is locked by the device", DEV_ON, R_WQCFG, 4, 3,           R_WQCFG, 4, 16 },
	{ "mode is open, queue off",     DEV_ON, R_WQCFG + 8, 4, ~0u,      R_WQCFG + 8, 4,
	  0x3fffffff },
	{ "mode is locked, queue on",    WQ_ON,  R_WQCFG + 8, 4, ~0u,      R_WQCFG + 8, 4, 0xa1 },
	{ "threshold is always open",    WQ_ON,  R_WQCFG + 4, 4, ~0u,      R_WQCFG + 4, 4, 0xffff },
	{ "limits are locked",           WQ_ON,  R_WQCFG + 12, 4, 0,       R_WQCFG + 12, 4, 0xb5 },
	{ "no SGL before version 3",     DEV_ON, R_WQCFG + 12, 4, ~0u,     R_WQCFG + 12, 4, 0x1ff },
	{ "state cannot be written",     DEV_ON, R_WQCFG + 24, 4, ~0u,     R_WQCFG + 24, 4, 0 },
	{ "state of a queue that is on", WQ_ON,  R_WQCFG + 24, 4, 0,       R_WQCFG + 24, 4,
	  1u << 30 },
	{ "op-config is open",           DEV_ON, R_WQCFG + 32, 8, 5,       R_WQCFG + 32, 8, 5 },
	{ "op-config is locked",         WQ_ON,  R_WQCFG + 32, 8, 5,       R_WQCFG + 32, 8,
	  0x7f0001003f03ffull },
	{ "occupancy enable and limit",  WQ_ON,  R_WQCFG + 20, 4, ~0u,     R_WQCFG + 20, 4,
	  0x1ffff },
	{ "occupancy handle is locked",  WQ_ON,  R_WQCFG + 16, 4, ~0u,     R_WQCFG + 16, 4, 0 },
	{ "no second queue",             BORN,   R_WQCFG + 64, 4, ~0u,     R_WQCFG + 64, 4, 0 },
	{ "PBA is read-only",            BORN,   R_PBA, 8, ~0ull,          R_PBA, 8, 0 },
	{ "beyond the end",              BORN,   0x2000, 8, ~0ull,         R_GENCFG, 4, 0x60 },
};

static void test_writes(void)
{
	struct fake f;
	uint64_t is;
	unsigned int i;

	for (i = 0; i < VD_COUNT(writes); i++) {
		fake_init(&f, DSA, writes[i].stage);
		bar_write(&f, writes[i].off, writes[i].len, writes[i].val);
		if (writes[i].width == 16) {
			EQUAL(writes[i].name, r64(&f, writes[i].at), 0);
			EQUAL(writes[i].name, r64(&f, writes[i].at + 8), 0xfffffffffull);
			continue;
		}
		is = bar_read(&f, writes[i].at, writes[i].width);
		EQUAL(writes[i].name, is, writes[i].want);
	}
}

/*
 * Every bit of BAR0 that a guest can write while the device is disabled, said a
 * second time. All ones and all zeros to each dword must move these and no other.
 */
static const struct {
	uint32_t from, to, mask;
} writable[] = {
	{ 0x080, 0x084, 0x00003000 },	/* GENCFG	*/
	{ 0x088, 0x08c, 0x00000007 },	/* GENCTRL	*/
	{ 0x0e0, 0x0e4, 0xfffff003 },	/* EVLCFG	*/
	{ 0x0e4, 0x0ec, 0xffffffff },
	{ 0x0ec, 0x0f0, 0x0000000f },
	{ 0x0f0, 0x0f4, 0x0000ffff },	/* EVLSTATUS	*/
	{ 0x300, 0x304, 0xfffff00c },	/* MSIXPERM	*/
	{ 0x308, 0x30c, 0xfffff00c },
	{ 0x400, 0x428, 0xffffffff },	/* GRPCFG	*/
	{ 0x428, 0x42c, 0x0ff0ff3f },
	{ 0x500, 0x508, 0x0000ffff },	/* WQCFG	*/
	{ 0x508, 0x50c, 0x3fffffff },
	{ 0x50c, 0x510, 0x000001ff },
	{ 0x510, 0x518, 0x0001ffff },
	{ 0x520, 0x540, 0xffffffff },
	{ 0x800, 0x804, 0xfffffffc },	/* MSI-X	*/
	{ 0x804, 0x80c, 0xffffffff },
	{ 0x80c, 0x810, 0x00000001 },
	{ 0x810, 0x814, 0xfffffffc },
	{ 0x814, 0x81c, 0xffffffff },
	{ 0x81c, 0x820, 0x00000001 },
};

static uint32_t writable_at(uint32_t off)
{
	unsigned int i;

	for (i = 0; i < VD_COUNT(writable); i++)
		if (off >= writable[i].from && off < writable[i].to)
			return writable[i].mask;
	return 0;
}

static void test_every_bit(void)
{
	const char *row = "every bit of BAR0";
	uint32_t off, mask, born;
	struct fake f;

	fake_init(&f, DSA, BORN);
	for (off = 0; off < VD_BAR0_SIZE; off += 4) {
		if (off == R_CMD)
			continue;
		mask = writable_at(off);
		born = r32(&f, off);
		w32(&f, off, ~0u);
		if (!EQUAL(row, r32(&f, off), born | mask))
			fprintf(stderr, "... at 0x%x\n", off);
		w32(&f, off, 0);
		w32(&f, off, 0);	/* once more: the occupancy limit had been locked */
		if (!EQUAL(row, r32(&f, off), born & ~mask))
			fprintf(stderr, "... at 0x%x\n", off);
	}
	LOG(row, &f, "");
}

/* The bytes that an access does not cover keep their contents. */
static void test_lanes(void)
{
	static const uint32_t want[4] = { 0xfffff000, 0xffff000c, 0xff00f00c, 0x00fff00c };
	struct fake f;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		fake_init(&f, DSA, BORN);
		w32(&f, R_MSIXPERM + 8, ~0u);
		bar_write(&f, R_MSIXPERM + 8 + i, 1, 0);
		EQUAL("one lane", r32(&f, R_MSIXPERM + 8), want[i]);
	}
	bar_write(&f, R_MSIXPERM + 8, 4, ~0u);
	bar_write(&f, R_MSIXPERM + 8, 2, 0);
	EQUAL("two lanes", r32(&f, R_MSIXPERM + 8), 0xffff0000);
	bar_write(&f, R_MSIXPERM + 10, 2, 0x1234);
	EQUAL("two lanes", r32(&f, R_MSIXPERM + 8), 0x12340000);
}

/* The limit is locked while the enable bit is 1; the bit itself never is. */
static void test_occupancy_limit(void)
{
	const char *row = "occupancy limit";
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	w32(&f, wqcfg(0, WQ_OCC_LIMIT), 7);
	EQUAL(row, r32(&f, wqcfg(0, WQ_OCC_LIMIT)), 7);
	w32(&f, wqcfg(0, WQ_OCC_LIMIT), 0x10007);
	w32(&f, wqcfg(0, WQ_OCC_LIMIT), 0x10009);
	EQUAL(row, r32(&f, wqcfg(0, WQ_OCC_LIMIT)), 0x10007);
	w32(&f, wqcfg(0, WQ_OCC_LIMIT), 9);
	EQUAL(row, r32(&f, wqcfg(0, WQ_OCC_LIMIT)), 7);
	w32(&f, wqcfg(0, WQ_OCC_LIMIT), 9);
	EQUAL(row, r32(&f, wqcfg(0, WQ_OCC_LIMIT)), 9);
}

/* Version 3 has the largest list, and checks it. */
static void test_sgl(void)
{
	const char *row = "largest list";
	struct fake f;

	fake_init(&f, DSA_V3, DEV_ON);
	w32(&f, wqcfg(0, WQ_LIMITS), ~0u);
	EQUAL(row, r32(&f, wqcfg(0, WQ_LIMITS)), 0x1fff);
}

/* Whatever its offset and length, an access is the sum of its bytes. */
static void test_long_accesses(void)
{
	static uint8_t whole[VD_BAR0_SIZE + 16], byte;
	struct fake f;
	uint32_t off;

	fake_init(&f, DSA_8WQ, WQ_ON);
	vd_bar0_read(&f.d, 0, whole, sizeof(whole));
	for (off = 0; off < sizeof(whole); off++) {
		vd_bar0_read(&f.d, off, &byte, 1);
		if (!EQUAL("one read of everything", whole[off], byte))
			break;
	}

	fake_init(&f, DSA_8WQ, CONFIGURED);
	memset(whole, 0xff, sizeof(whole));
	vd_bar0_write(&f.d, R_WQCFG + 1, whole, 64 * 8 - 1);
	EQUAL("one write of all queues", r32(&f, wqcfg(0, WQ_SIZE)), 0xff01);
	EQUAL("one write of all queues", r32(&f, wqcfg(7, WQ_SIZE)), 0xffff);
	EQUAL("one write of all queues", r32(&f, wqcfg(7, WQ_MODE)), 0x3fffffff);
	vd_bar0_write(&f.d, R_GENCTRL, whole, 0);
	EQUAL("no bytes", r32(&f, R_GENCTRL), 0x3);
}

int main(void)
{
	test_self_check();
	test_resets();
	test_writes();
	test_every_bit();
	test_lanes();
	test_occupancy_limit();
	test_sgl();
	test_long_accesses();
	return report();
}
