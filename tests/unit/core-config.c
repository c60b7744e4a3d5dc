// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration space as a PCI core walks it. */
#include "core-fake.h"

static const struct {
	const char *name;
	enum flavour flavour;
	uint32_t off, len;
	uint64_t want;
} values[] = {
	{ "vendor",                 DSA,     0x00, 2, 0x8086 },
	{ "device is the host's",   DSA,     0x02, 2, 0x11fb },
	{ "device is the host's",   DSA_V1,  0x02, 2, 0x0b25 },
	{ "device is the host's",   IAA,     0x02, 2, 0x1216 },
	{ "command",                DSA,     0x04, 2, 0 },
	{ "status: capabilities",   DSA,     0x06, 2, 0x10 },
	{ "revision is the host's", DSA,     0x08, 1, 2 },
	{ "class 0x088000",         DSA,     0x08, 4, 0x08800002 },
	{ "header type",            DSA,     0x0e, 1, 0 },
	{ "BAR0: 64-bit prefetch",  DSA,     0x10, 8, 0xc },
	{ "BAR2: 64-bit prefetch",  DSA,     0x18, 8, 0xc },
	{ "no BAR4",                DSA,     0x20, 8, 0 },
	{ "no ROM",                 DSA,     0x30, 4, 0 },
	{ "no INTx",                DSA,     0x3d, 1, 0 },
	{ "RCiEP, version 2",       DSA,     0x42, 2, 0x0092 },
	{ "FLR",                    DSA,     0x44, 4, 0x10008022 },
	{ "DEVCTL",                 DSA,     0x48, 2, 0x2910 },
	{ "no end-end prefix",      DSA,     0x64, 4, 0 },
	{ "MSI-X of two",           DSA,     0x82, 2, 1 },
	{ "MSI-X of nine",          DSA_8WQ, 0x82, 2, 8 },
	{ "MSI-X table in BAR0",    DSA,     0x84, 4, 0x800 },
	{ "PBA in BAR0",            DSA,     0x88, 4, 0xa00 },
	{ "PM",                     DSA,     0x92, 2, 0x0003 },
	{ "PMCSR: no soft reset",   DSA,     0x94, 2, 0x0008 },
	{ "no extended capability", DSA,     0x100, 4, 0 },
	{ "the last dword",         DSA,     0xffc, 4, 0 },
	{ "beyond the end",         DSA,     0x1000, 4, 0xffffffff },
};

static void test_values(void)
{
	struct fake f;
	unsigned int i;

	for (i = 0; i < VD_COUNT(values); i++) {
		fake_init(&f, values[i].flavour, BORN);
		EQUAL(values[i].name, cfg_read(&f, values[i].off, values[i].len), values[i].want);
	}
}

static const struct {
	const char *name;
	uint32_t off, len;
	uint64_t val, want;
} writes[] = {
	{ "vendor is read-only",     0x00, 4, 0, 0x11fb8086 },
	{ "command has four bits",   0x04, 2, 0xffff, 0x0146 },
	{ "INTx disable is hardwired", 0x04, 2, 0x0400, 0 },
	{ "status stays",            0x06, 2, 0xffff, 0x10 },
	{ "command and status",      0x04, 4, ~0u, 0x00100146 },
	{ "class is read-only",      0x08, 4, 0, 0x08800002 },
	{ "cache line",              0x0c, 1, 0x10, 0x10 },
	{ "capability pointer",      0x34, 1, 0, 0x40 },
	{ "interrupt line",          0x3c, 2, 0xffff, 0xff },
	{ "PCIe capability",         0x40, 4, 0, 0x00928010 },
	{ "DEVCTL without FLR",      0x48, 2, 0x7fff, 0x79ff },
	{ "DEVSTS",                  0x4a, 2, 0xffff, 0 },
	{ "MSI-X capability",        0x80, 2, 0, 0x9011 },
	{ "MSI-X size",              0x82, 2, 0xffff, 0xc001 },
	{ "MSI-X, high byte alone",  0x83, 1, 0x80, 0x80 },
	{ "MSI-X table",             0x84, 4, ~0u, 0x800 },
	{ "D3hot",                   0x94, 2, 0xffff, 0x000b },
	{ "D1 is not there",         0x94, 2, 0x0001, 0x0008 },
	{ "D2 is not there",         0x94, 2, 0x0002, 0x0008 },
	{ "extended space",          0x100, 4, ~0u, 0 },
	{ "beyond the end",          0x1000, 4, 0, ~0u },
};

static void test_writes(void)
{
	struct fake f;
	unsigned int i;

	for (i = 0; i < VD_COUNT(writes); i++) {
		fake_init(&f, DSA, BORN);
		cfg_write(&f, writes[i].off, writes[i].len, writes[i].val);
		EQUAL(writes[i].name, cfg_read(&f, writes[i].off, writes[i].len), writes[i].want);
		LOG(writes[i].name, &f, "");
	}
}

/* As for BAR0 in core-reg: every bit that can be written, and no other. */
static uint32_t writable_at(uint32_t off)
{
	switch (off) {
	case 0x04:
		return 0x00000146;
	case 0x0c:
	case 0x3c:
		return 0x000000ff;
	case 0x10:
		return 0xffffe000;
	case 0x18:
		return 0xffffc000;
	case 0x14:
	case 0x1c:
		return 0xffffffff;
	case 0x48:
		return 0x000079ff;
	case 0x80:
		return 0xc0000000;
	case 0x94:
		return 0x00000003;
	}
	return 0;
}

static void test_every_bit(void)
{
	const char *row = "every bit of configuration space";
	uint32_t off, born, mask;
	struct fake f;

	fake_init(&f, DSA, BORN);
	for (off = 0; off < VD_CONFIG_SIZE; off += 4) {
		born = (uint32_t)cfg_read(&f, off, 4);
		mask = writable_at(off);
		cfg_write(&f, off, 4, off == DEVCTL ? 0xffff7fff : 0xffffffff);
		if (!EQUAL(row, cfg_read(&f, off, 4), born | mask))
			fprintf(stderr, "... at 0x%x\n", off);
		cfg_write(&f, off, 4, 0);
		if (!EQUAL(row, cfg_read(&f, off, 4), born & ~mask))
			fprintf(stderr, "... at 0x%x\n", off);
	}
	LOG(row, &f, "");
}

/* All ones to both halves, then the lowest address bit that stuck is the size. */
static uint64_t probe_bar(struct fake *f, uint32_t off)
{
	uint64_t bar;

	cfg_write(f, off, 4, ~0u);
	cfg_write(f, off + 4, 4, ~0u);
	bar = cfg_read(f, off, 8);
	EQUAL("BAR flags", bar & 0xf, 0xc);
	return ~(bar & ~0xfull) + 1;
}

static void test_bars(void)
{
	struct vd_caps caps = fake_caps[DSA_8WQ];
	struct fake f;

	fake_init(&f, DSA, BORN);
	EQUAL("BAR0", probe_bar(&f, 0x10), 8192);
	EQUAL("BAR2, one queue", probe_bar(&f, 0x18), 16384);
	EQUAL("vd_bar_size", vd_bar_size(&f.d, 0), 8192);
	EQUAL("vd_bar_size", vd_bar_size(&f.d, 2), 16384);
	EQUAL("vd_bar_size", vd_bar_size(&f.d, 1), 0);
	EQUAL("vd_bar_size", vd_bar_size(&f.d, 4), 0);
	cfg_write(&f, 0x10, 8, 0x380000012345678full);
	EQUAL("an address", cfg_read(&f, 0x10, 8), 0x380000012345600cull);

	fake_init(&f, DSA_8WQ, BORN);
	EQUAL("BAR2, eight queues", probe_bar(&f, 0x18), 131072);
	caps.nwqs = 5;
	CHECK("five queues", !vd_init(&f.d, &caps, &fake_ops, &f));
	EQUAL("BAR2, five queues", probe_bar(&f, 0x18), 131072);
}

/* The chain ends, and holds exactly PCIe, MSI-X and power management. */
static void test_chain(void)
{
	static const struct {
		uint8_t at, id;
	} want[] = { { 0x40, 0x10 }, { 0x80, 0x11 }, { 0x90, 0x01 } };
	struct fake f;
	uint32_t pos;
	unsigned int i;

	fake_init(&f, DSA, BORN);
	pos = (uint32_t)cfg_read(&f, 0x34, 1);
	for (i = 0; i < VD_COUNT(want); i++) {
		EQUAL("capability is at", pos, want[i].at);
		EQUAL("capability id", cfg_read(&f, pos, 1), want[i].id);
		pos = (uint32_t)cfg_read(&f, pos + 1, 1);
	}
	EQUAL("end of the chain", pos, 0);
}

/* Losing bus master halts a device that is not Disabled: SWERROR 0x51. */
static void test_bus_master(void)
{
	const char *row = "bus master lost";
	struct fake f;

	fake_init(&f, DSA, CONFIGURED);
	cfg_write(&f, COMMAND, 2, 0x2);
	EQUAL(row, r32(&f, R_GENSTS), 0);
	EQUAL(row, r32(&f, R_SWERROR), 0);
	LOG(row, &f, "close1");

	fake_init(&f, DSA, WQ_ON);
	cfg_write(&f, COMMAND, 1, 0x2);
	EQUAL(row, r32(&f, R_GENSTS), VD_HALTED | GENSTS_RESET_FLR);
	EQUAL(row, r64(&f, R_SWERROR), 0x5101);
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_SWERR | CAUSE_HALT);
	EQUAL(row, vd_wq_state(&f.d, 0), VD_DISABLED);
	LOG("no interrupt without bus master", &f, "close1 stop:halt");
	cfg_write(&f, COMMAND, 2, MASTER);
	LOG("it waits for bus master", &f, "open1 irq0");
	cfg_write(&f, COMMAND, 2, 0x2);
	LOG("a halted device cannot halt again", &f, "close1");
	EQUAL(row, r64(&f, R_SWERROR), 0x5101);

	fake_init(&f, DSA, WQ_ON);
	cfg_write(&f, COMMAND, 2, MASTER | 0x100);
	LOG("other bits do not matter", &f, "");
}

/* What one read of everything gives, as QEMU does it. */
static void test_one_read(void)
{
	static uint8_t all[VD_CONFIG_SIZE];
	struct fake f;

	fake_init(&f, DSA, BORN);
	vd_config_read(&f.d, 0, all, sizeof(all));
	EQUAL("one read", vd_load(all, 4), 0x11fb8086);
	EQUAL("one read", vd_load(all + 0x80, 4), 0x00019011);
	EQUAL("one read", vd_load(all + 0xffc, 4), 0);
}

int main(void)
{
	test_values();
	test_writes();
	test_every_bit();
	test_bars();
	test_chain();
	test_bus_master();
	test_one_read();
	return report();
}
