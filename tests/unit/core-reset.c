// SPDX-License-Identifier: GPL-2.0-or-later
/* Birth, function level reset, Reset Device, and what the owner can ask. */
#include <string.h>

#include "core-fake.h"

/* ---- what the host may pass ------------------------------------------------------ */

static void no_wqs(struct vd_caps *caps, struct vd_ops *ops)
{
	caps->nwqs = 0;
}

static void many_wqs(struct vd_caps *caps, struct vd_ops *ops)
{
	caps->nwqs = VD_MAX_WQS + 1;
}

static void empty_wq(struct vd_caps *caps, struct vd_ops *ops)
{
	caps->wq_size[0] = 0;
}

static void too_large(struct vd_caps *caps, struct vd_ops *ops)
{
	caps->nwqs = 2;
	caps->wq_size[0] = caps->wq_size[1] = 0x8000;
}

static void no_kind(struct vd_caps *caps, struct vd_ops *ops)
{
	caps->kind = (enum vd_kind)7;
}

static void dead_device(struct vd_caps *caps, struct vd_ops *ops)
{
	caps->version = 0xffffffff;
}

static void no_start(struct vd_caps *caps, struct vd_ops *ops)
{
	ops->cmd_start = NULL;
}

static void no_stop(struct vd_caps *caps, struct vd_ops *ops)
{
	ops->stop = NULL;
}

static void no_irq(struct vd_caps *caps, struct vd_ops *ops)
{
	ops->irq = NULL;
}

static void no_gate(struct vd_caps *caps, struct vd_ops *ops)
{
	ops->irq_gate = NULL;
}

static const struct {
	const char *name;
	void (*spoil)(struct vd_caps *caps, struct vd_ops *ops);
} spoilt[] = {
	{ "no queue", no_wqs },        { "nine queues", many_wqs },  { "empty queue", empty_wq },
	{ "65536 entries", too_large }, { "no such kind", no_kind }, { "dead device", dead_device },
	{ "no cmd_start", no_start },  { "no stop", no_stop },       { "no irq", no_irq },
	{ "no irq_gate", no_gate },
};

static void test_init(void)
{
	struct vd_caps caps;
	struct vd_ops ops;
	struct vd d;
	unsigned int i;

	for (i = 0; i < VD_COUNT(spoilt); i++) {
		caps = fake_caps[DSA];
		ops = fake_ops;
		CHECK(spoilt[i].name, vd_init(&d, &caps, &ops, NULL) == 0);
		spoilt[i].spoil(&caps, &ops);
		CHECK(spoilt[i].name, vd_init(&d, &caps, &ops, NULL) < 0);
	}
}

/* ---- resets ------------------------------------------------------------------------ */

/* Puts something into every register that can hold it. */
static void fill(struct fake *f)
{
	const uint64_t rec[4] = { 0x1a00, 0, 0x1000, 0 };

	w32(f, R_GENCFG, GENCFG_USERINT | GENCFG_EVL);
	w64(f, R_EVLCFG, 0x1000);
	w64(f, R_EVLCFG + 8, 64);
	w32(f, R_CMD, CMD(1, 0));
	w32(f, R_CMD, CMD(6, 0));
	w32(f, R_CMD, CMD(13, 1));
	w32(f, R_EVLSTATUS, 3);
	w32(f, R_MSIXPERM + 8, 0x12345008);
	w32(f, R_MSIX, 0xfee00000);
	w32(f, R_MSIX + 4, 7);
	w32(f, R_MSIX + 8, 0x41);
	w32(f, R_MSIX + 28, 1);
	vd_irq_pending(&f->d, 1);
	vd_swerr(&f->d, rec);
	fake_log(f);
}

static const struct {
	const char *name;
	uint32_t off, len;
	uint64_t filled, reset_device, flr;
} survivors[] = {
	{ "GENCFG",    R_GENCFG,        4, 0x3060,     96,         96 },
	{ "GENCTRL",   R_GENCTRL,       4, 3,          0,          0 },
	{ "GENSTS",    R_GENSTS,        4, 1,          0,          0 },
	{ "INTCAUSE",  R_INTCAUSE,      4, 3,          0,          0 },
	{ "CMDSTS",    R_CMDSTS,        4, 0x10100,    0,          0 },
	{ "SWERROR",   R_SWERROR,       8, 0x1a01,     0x1a01,     0 },
	{ "SWERROR",   R_SWERROR + 16,  8, 0x1000,     0x1000,     0 },
	{ "EVLCFG",    R_EVLCFG,        8, 0x1000,     0,          0 },
	{ "EVLCFG",    R_EVLCFG + 8,    8, 64,         0,          0 },
	{ "EVLSTATUS", R_EVLSTATUS,     8, 3,          3,          0 },
	{ "MSIXPERM",  R_MSIXPERM + 8,  4, 0x12345008, 0,          0 },
	{ "GRPCFG",    R_GRPCFG,        8, 1,          0,          0 },
	{ "engines",   R_GRPCFG + 0x20, 8, 1,          0,          0 },
	{ "GRPFLAGS",  R_GRPCFG + 0x28, 8, 96 << 20,   96 << 20,   96 << 20 },
	{ "size",      R_WQCFG,         4, 16,         0,          0 },
	{ "mode",      R_WQCFG + 8,     4, 0xa1,       0,          0 },
	{ "state",     R_WQCFG + 24,    4, 1u << 30,   0,          0 },
	{ "op-config", R_WQCFG + 32,    8, 0x7f0001003f03ffull, 0x7f0001003f03ffull,
	  0x7f0001003f03ffull },
	{ "MSI-X address", R_MSIX,      4, 0xfee00000, 0xfee00000, 0 },
	{ "MSI-X address", R_MSIX + 4,  4, 7,          7,          0 },
	{ "MSI-X data", R_MSIX + 8,     4, 0x41,       0x41,       0 },
	{ "MSI-X mask", R_MSIX + 28,    4, 1,          1,          0 },
	{ "PBA",       R_PBA,           8, 2,          0,          0 },
	{ "GENCAP",    R_GENCAP,        8, 0x80b52116, 0x80b52116, 0x80b52116 },
};

static void test_survivors(void)
{
	struct fake f;
	unsigned int i;

	fake_init(&f, DSA, CONFIGURED);
	fill(&f);
	for (i = 0; i < VD_COUNT(survivors); i++)
		EQUAL(survivors[i].name, bar_read(&f, survivors[i].off, survivors[i].len),
		      survivors[i].filled);

	w32(&f, R_CMD, CMD(5, 0) & ~CMD_IRQ);
	LOG("Reset Device", &f, "reset-all:1");
	for (i = 0; i < VD_COUNT(survivors); i++)
		EQUAL(survivors[i].name, bar_read(&f, survivors[i].off, survivors[i].len),
		      survivors[i].reset_device);
	w32(&f, R_CMD, CMD(14, 0x101) & ~CMD_IRQ);
	EQUAL("Reset Device voids handles", r32(&f, R_CMDSTS), 0x41);

	fake_init(&f, DSA, CONFIGURED);
	fill(&f);
	cfg_write(&f, 0x10, 4, 0x80000000);
	cfg_write(&f, DEVCTL, 2, 0xa910);
	for (i = 0; i < VD_COUNT(survivors); i++)
		EQUAL(survivors[i].name, bar_read(&f, survivors[i].off, survivors[i].len),
		      survivors[i].flr);
	/* vector 1 was masked, so only vector 0 had been open */
	LOG("FLR", &f, "stop:reset");
	EQUAL("FLR: command", cfg_read(&f, COMMAND, 2), 0);
	EQUAL("FLR: BAR0", cfg_read(&f, 0x10, 4), 0xc);
	EQUAL("FLR: DEVCTL", cfg_read(&f, DEVCTL, 2), 0x2910);
	EQUAL("FLR: eventfds stay", cfg_read(&f, MSIXCTL, 2), 0x8001);
	w32(&f, R_CMD, CMD(14, 0x101) & ~CMD_IRQ);
	EQUAL("FLR voids handles", r32(&f, R_CMDSTS), 0x41);
	cfg_write(&f, COMMAND, 2, MASTER);
	w32(&f, R_CMD, CMD(5, 0));
	LOG("interrupts work after an FLR", &f, "open1 reset-all:0 irq0");
}

/* Ones everywhere, then each reset: what is not spared reads as at birth. */
static void test_reset_everything(void)
{
	static uint8_t ones[VD_BAR0_SIZE];
	struct fake f, born;

	memset(ones, 0xff, sizeof(ones));
	fake_init(&born, DSA, BORN);

	fake_init(&f, DSA, BORN);
	vd_bar0_write(&f.d, R_MSIXPERM, ones, R_MSIX - R_MSIXPERM);
	CHECK("configuration was written",
	      memcmp(f.d.bar0 + R_GRPCFG, born.d.bar0 + R_GRPCFG, 0x140));
	w32(&f, R_CMD, CMD(5, 0));
	CHECK("Reset Device resets the configuration",
	      !memcmp(f.d.bar0 + R_EXTCAP, born.d.bar0 + R_EXTCAP, R_MSIX - R_EXTCAP));

	vd_bar0_write(&f.d, R_WQCFG, ones, WQCFG_STRIDE);
	w32(&f, R_CMD, CMD(10, 1));
	EQUAL("Reset WQ keeps the size", r32(&f, R_WQCFG), 0xffff);
	CHECK("Reset WQ resets the rest",
	      !memcmp(f.d.bar0 + R_WQCFG + 4, born.d.bar0 + R_WQCFG + 4, WQCFG_STRIDE - 4));

	vd_bar0_write(&f.d, R_EVLCFG, ones, VD_BAR0_REGS - R_EVLCFG);
	vd_config_write(&f.d, 0, ones, DEVCTL);
	vd_config_write(&f.d, DEVCTL + 2, ones, 0x100 - DEVCTL - 2);
	vd_reset(&f.d);
	CHECK("FLR resets BAR0", !memcmp(f.d.bar0, born.d.bar0, VD_BAR0_REGS));
	CHECK("FLR resets configuration space",
	      !memcmp(f.d.config, born.d.config, VD_CONFIG_REGS));
}

/* Each way to write the bit, and the ways that are none. */
static const struct {
	const char *name;
	uint32_t off, len;
	uint64_t val;
	bool reset;
} flrs[] = {
	{ "word", DEVCTL, 2, 0x8000, true },
	{ "high byte", DEVCTL + 1, 1, 0x80, true },
	{ "dword with DEVSTS", DEVCTL, 4, 0x000f8000, true },
	{ "without the bit", DEVCTL, 2, 0x7fff, false },
	{ "low byte", DEVCTL, 1, 0x80, false },
	{ "DEVCAP", DEVCTL - 4, 4, ~0ull, false },
};

static void test_flr(void)
{
	struct fake f;
	unsigned int i;

	for (i = 0; i < VD_COUNT(flrs); i++) {
		fake_init(&f, DSA, WQ_ON);
		cfg_write(&f, flrs[i].off, flrs[i].len, flrs[i].val);
		EQUAL(flrs[i].name, vd_state(&f.d), flrs[i].reset ? VD_DISABLED : VD_ENABLED);
		LOG(flrs[i].name, &f, flrs[i].reset ? "stop:reset close1" : "");
	}
}

/* A command that was active is forgotten, whatever its owner says later. */
static void test_flr_under_command(void)
{
	const char *row = "FLR under a command";
	struct vd_cmd old;
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	f.hold = true;
	w32(&f, R_CMD, CMD(2, 0));
	old = f.cmd;
	vd_reset(&f.d);
	LOG(row, &f, "disable:1 stop:reset close1");
	EQUAL(row, r32(&f, R_CMDSTS), 0);
	vd_cmd_done(&f.d, old.seq, 0, 0);
	EQUAL(row, r32(&f, R_INTCAUSE), 0);
	w32(&f, R_CMD, CMD(5, 0));
	EQUAL(row, r32(&f, R_CMDSTS), CMDSTS_ACTIVE);
	vd_cmd_done(&f.d, old.seq, 0, 0);
	EQUAL("the old one again", r32(&f, R_CMDSTS), CMDSTS_ACTIVE);
	fake_done(&f);
	EQUAL(row, r32(&f, R_CMDSTS), 0);
	EQUAL(row, r32(&f, R_GENSTS), 0);
}

/* Only a function level reset gets a halted device back. */
static void test_halt_and_flr(void)
{
	const char *row = "halt, then FLR";
	struct fake f;

	fake_init(&f, DSA, HALTED);
	vd_reset(&f.d);
	LOG(row, &f, "stop:reset close1");
	EQUAL(row, r32(&f, R_GENSTS), 0);
	EQUAL(row, r32(&f, R_INTCAUSE), 0);
	w32(&f, R_CMD, CMD(5, 0));
	EQUAL(row, r32(&f, R_CMDSTS), 0);
}

/* A deferred cause does not outlive either reset. */
static void test_deferred_cause(void)
{
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	vd_halt(&f.d);
	w32(&f, R_CMD, CMD(2, 0));
	vd_reset(&f.d);
	w32(&f, R_INTCAUSE, CAUSE_ALL);
	EQUAL("deferred cause and FLR", r32(&f, R_INTCAUSE), 0);
}

/* ---- the owner's questions ------------------------------------------------------------ */

static void test_wq_cfg(void)
{
	const char *row = "vd_wq_cfg";
	struct vd_wqcfg cfg;
	struct fake f;

	fake_init(&f, DSA, CONFIGURED);
	w32(&f, R_WQCFG, 12);
	w32(&f, wqcfg(0, WQ_THRESHOLD), 7);
	w64(&f, wqcfg(0, WQ_OPCFG), 9);
	w32(&f, R_CMD, CMD(1, 0));
	w32(&f, R_CMD, CMD(6, 0));
	vd_wq_cfg(&f.d, 0, &cfg);
	EQUAL(row, cfg.size, 12);
	EQUAL(row, cfg.threshold, 7);
	CHECK(row, cfg.dedicated);
	EQUAL(row, cfg.priority, 10);
	EQUAL(row, cfg.max_xfer_shift, 21);
	EQUAL(row, cfg.max_batch_shift, 5);
	EQUAL(row, cfg.max_sgl_shift, 0);
	EQUAL(row, cfg.opcfg[0], 9);
	EQUAL(row, cfg.opcfg[3], 0);
	EQUAL("state", vd_wq_state(&f.d, 0), VD_ENABLED);
	EQUAL("no such queue is off", vd_wq_state(&f.d, 1), VD_DISABLED);
	vd_wq_cfg(&f.d, 99, &cfg);
	EQUAL("no such queue has nothing", cfg.size + cfg.priority + cfg.dedicated, 0);

	fake_init(&f, DSA_V1, DEV_ON);
	vd_wq_cfg(&f.d, 0, &cfg);
	EQUAL("without op-config, all that is offered", cfg.opcfg[0], 0x1003f03ff);
	fake_init(&f, IAA, DEV_ON);
	vd_wq_cfg(&f.d, 0, &cfg);
	EQUAL("IAA has no batch", cfg.max_batch_shift, 0);
	EQUAL("number of queues", vd_wqs(&f.d), 1);
}

int main(void)
{
	test_init();
	test_survivors();
	test_reset_everything();
	test_flr();
	test_flr_under_command();
	test_halt_and_flr();
	test_deferred_cause();
	test_wq_cfg();
	return report();
}
