// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What Linux does: the register accesses of the in-tree driver in the order in
 * which it makes them, for 6.12 and for 7.3. The interrupt handler runs whenever
 * the device raises vector 0, as the guest's would.
 */
#include <string.h>

#include "core-fake.h"

enum linux_version { L6_12, L7_3 };

struct idxd {
	struct fake f;
	enum linux_version version;
	const char *row;
	uint32_t handle;		/* ~0: none, as after terminate_all		*/
	bool completed, halted;
	uint64_t swerr;
	uint32_t shadow[16];		/* of WQCFG					*/
	unsigned int evl;
};

#define OP(code, operand)	((uint32_t)(code) << CMD_CODE_SHIFT | (operand))

/* R32 cause, W32 the same back, then act: a halt hides everything else. */
static void misc_thread(struct idxd *x)
{
	uint32_t cause;

	while (strstr(x->f.log, "irq0")) {
		x->f.log[0] = '\0';
		cause = r32(&x->f, R_INTCAUSE);
		if (!cause)
			continue;
		w32(&x->f, R_INTCAUSE, cause);
		if (cause & CAUSE_HALT || (x->version == L6_12 && cause & CAUSE_SWERR &&
					   (r32(&x->f, R_GENSTS) & 3) == VD_HALTED)) {
			x->halted = true;
			continue;
		}
		if (cause & CAUSE_SWERR) {
			x->swerr = r64(&x->f, R_SWERROR);
			w64(&x->f, R_SWERROR, x->swerr & 3);
		}
		if (cause & CAUSE_CMD)
			x->completed = true;
	}
}

/* Waits for the interrupt without a timeout: here that must not hang. */
static uint32_t cmd(struct idxd *x, uint32_t op)
{
	if ((r32(&x->f, R_GENSTS) & 3) == VD_HALTED)
		return 3;
	x->completed = false;
	w32(&x->f, R_CMD, op | CMD_IRQ);
	misc_thread(x);
	CHECK(x->row, x->completed);
	return r32(&x->f, R_CMDSTS);
}

static uint32_t cmd_poll(struct idxd *x, uint32_t op)
{
	unsigned int spins = 0;

	w32(&x->f, R_CMD, op);
	while (r32(&x->f, R_CMDSTS) & CMDSTS_ACTIVE && ++spins < 100)
		;
	CHECK(x->row, spins < 100);
	return r32(&x->f, R_CMDSTS);
}

static void set_bits(struct idxd *x, uint32_t reg, uint32_t set, uint32_t clear)
{
	w32(&x->f, reg, (r32(&x->f, reg) & ~clear) | set);
}

/* 10.1 */
static void probe(struct idxd *x)
{
	uint64_t gencap, offsets;
	unsigned int v;

	cfg_write(&x->f, COMMAND, 2, MASTER);
	EQUAL(x->row, r32(&x->f, R_VERSION), 0x200);
	CHECK(x->row, (r32(&x->f, R_GENSTS) & 3) != VD_HALTED);
	cmd_poll(x, OP(5, 0));

	gencap = r64(&x->f, R_GENCAP);
	CHECK(x->row, gencap & GENCAP_CONFIG);
	CHECK(x->row, gencap & GENCAP_CMDCAP);
	CHECK(x->row, r32(&x->f, R_CMDCAP) & 1u << 13);
	CHECK(x->row, (gencap >> 16 & 0x1f) >= 21 && (gencap >> 21 & 0xf) >= 5);
	x->evl = gencap >> GENCAP_EVL_SHIFT & 3;
	CHECK(x->row, x->evl == 1);
	EQUAL(x->row, r64(&x->f, R_GRPCAP) & 0xff, 1);
	EQUAL(x->row, r64(&x->f, R_ENGCAP) & 0xff, 1);
	EQUAL(x->row, r64(&x->f, R_WQCAP) >> 16 & 0xff, 1);
	CHECK(x->row, r64(&x->f, R_OPCAP) & 1u << 3);
	offsets = r64(&x->f, R_OFFSETS);
	EQUAL(x->row, (offsets & 0xffff) * 0x100, R_GRPCFG);
	EQUAL(x->row, (offsets >> 16 & 0xffff) * 0x100, R_WQCFG);
	EQUAL(x->row, (offsets >> 32 & 0xffff) * 0x100, R_MSIXPERM);
	EQUAL(x->row, r64(&x->f, R_OFFSETS + 8) & 0xffff, 0);

	/* The MSI-X size must be the number of queues and one. */
	EQUAL(x->row, cfg_read(&x->f, MSIXCTL, 2) & 0x7ff, 1);
	cfg_write(&x->f, MSIXCTL, 2, 0xc000);
	for (v = 0; v < 2; v++)
		vd_irq_connect(&x->f.d, v, true);
	cfg_write(&x->f, MSIXCTL, 2, 0x8000);
	set_bits(x, R_GENCTRL, GENCTRL_SWERR | GENCTRL_HALT, 0);
}

/* Reads what the hardware has and ORs the software's wishes in: steps 3 to 5 of 10.2. */
static void write_config(struct idxd *x)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		x->shadow[i] |= r32(&x->f, R_WQCFG + 4 * i);
	x->shadow[0] = 16;
	x->shadow[1] = 0;
	x->shadow[2] = (x->shadow[2] & ~0xffu) | 0xa1;
	x->shadow[3] = 21 | 5 << 5;
	for (i = 0; i < 16; i++)
		w32(&x->f, R_WQCFG + 4 * i, x->shadow[i]);
	for (i = 0; i < 4; i++)
		w64(&x->f, R_GRPCFG + 8 * i, !i);
	w64(&x->f, R_GRPCFG + GRP_ENGINES, 1);
	w64(&x->f, R_GRPCFG + GRP_FLAGS, 96ull << GRPFLAGS_BUFS_SHIFT);
}

/* 10.2 */
static void enable_device(struct idxd *x)
{
	write_config(x);
	w64(&x->f, R_EVLCFG, 0x7654000);
	w64(&x->f, R_EVLCFG + 8, 64);
	set_bits(x, R_GENCTRL, GENCTRL_EVL, 0);
	set_bits(x, R_GENCFG, GENCFG_EVL, 0);
	EQUAL(x->row, r32(&x->f, R_GENSTS), VD_DISABLED);
	EQUAL(x->row, cmd(x, OP(1, 0)), 0);
	EQUAL(x->row, r32(&x->f, R_GENSTS), VD_ENABLED);
}

/* 10.3; ends with the descriptor's handle */
static void enable_wq(struct idxd *x)
{
	uint32_t status;

	write_config(x);
	EQUAL(x->row, cmd(x, OP(6, 0)), 0);
	status = cmd(x, OP(13, 1));
	EQUAL(x->row, status & 0xff, 0);
	x->handle = status >> 8 & 0xffff;
	EQUAL(x->row, x->handle, 0x101);
}

static void release_handle(struct idxd *x)
{
	if (x->handle == ~0u)
		return;
	EQUAL(x->row, cmd_poll(x, OP(14, x->handle)), 0);
	w32(&x->f, R_MSIXPERM + 8, 0);
	x->handle = ~0u;
}

/* 10.5, unbinding a kernel queue */
static void disable_wq(struct idxd *x)
{
	cmd(x, OP(8, 1));
	release_handle(x);
	EQUAL(x->row, cmd(x, OP(10, 1)), 0);
	EQUAL(x->row, vd_wq_state(&x->f.d, 0), VD_DISABLED);
	EQUAL(x->row, r32(&x->f, R_WQCFG), 16);
	memset(x->shadow, 0, sizeof(x->shadow));
}

/* 10.6; the value written to GENCFG was never initialised */
static void disable_device(struct idxd *x)
{
	EQUAL(x->row, r32(&x->f, R_GENSTS), VD_ENABLED);
	EQUAL(x->row, cmd(x, OP(2, 0)), 0);
	EQUAL(x->row, cmd(x, OP(5, 0)), 0);
	set_bits(x, R_GENCTRL, GENCTRL_SWERR | GENCTRL_HALT, 0);
	w32(&x->f, R_GENCFG, 0xa5a5a5a5 & ~GENCFG_EVL);
	set_bits(x, R_GENCTRL, 0, GENCTRL_EVL);
	w64(&x->f, R_EVLCFG, 0);
	w64(&x->f, R_EVLCFG + 8, 0);
	EQUAL(x->row, r32(&x->f, R_GENSTS), VD_DISABLED);
}

static void remove_driver(struct idxd *x)
{
	set_bits(x, R_GENCTRL, 0, GENCTRL_SWERR | GENCTRL_HALT);
	cfg_write(&x->f, MSIXCTL, 2, 0);
	vd_irq_connect(&x->f.d, 1, false);
	vd_irq_connect(&x->f.d, 0, false);
	cfg_write(&x->f, COMMAND, 2, 0x2);
	EQUAL(x->row, r32(&x->f, R_SWERROR) & 1, 0);
}

static void start(struct idxd *x, enum linux_version version, const char *row)
{
	memset(x, 0, sizeof(*x));
	fake_init(&x->f, DSA, BORN);
	x->version = version;
	x->row = row;
	x->handle = ~0u;
	probe(x);
}

/* Probe, enable, use, disable, remove, and all of it again on the same device. */
static void test_life(struct idxd *x, enum linux_version version)
{
	unsigned int round, cycle;

	start(x, version, version == L6_12 ? "life, 6.12" : "life, 7.3");
	for (round = 0; round < 3; round++) {
		if (round)
			probe(x);
		for (cycle = 0; cycle < 3; cycle++) {
			enable_device(x);
			enable_wq(x);
			disable_wq(x);
			enable_wq(x);
			disable_wq(x);
			disable_device(x);
		}
		remove_driver(x);
	}
	EQUAL(x->row, x->swerr, 0);
	CHECK(x->row, !x->halted);
}

/* A user queue changes its PASID settings by going down and up: 10.5. */
static void test_reopen(struct idxd *x, enum linux_version version)
{
	start(x, version, version == L6_12 ? "reopen, 6.12" : "reopen, 7.3");
	enable_device(x);
	write_config(x);
	EQUAL(x->row, cmd(x, OP(6, 0)), 0);
	if (version == L6_12) {
		EQUAL(x->row, cmd(x, OP(7, 1)), 0);
		EQUAL("Disable WQ keeps the mode", r32(&x->f, R_WQCFG + 8), 0xa1);
	} else {
		EQUAL(x->row, cmd(x, OP(8, 1)), 0);
		EQUAL(x->row, cmd(x, OP(10, 1)), 0);
		EQUAL("Reset WQ does not", r32(&x->f, R_WQCFG + 8), 0);
		write_config(x);
	}
	EQUAL(x->row, cmd(x, OP(6, 0)), 0);

	/* With a PASID it is refused: the guest has no PASID capability. */
	EQUAL(x->row, cmd(x, OP(8, 1)), 0);
	EQUAL(x->row, cmd(x, OP(10, 1)), 0);
	write_config(x);
	set_bits(x, R_WQCFG + 8, 1u << 28 | 7u << 8, 0);
	EQUAL(x->row, cmd(x, OP(6, 0)), 0x26);
	EQUAL("closing a shared queue", cmd(x, OP(11, 7)), 0);
}

/* dmaengine terminate_all of 7.3 releases the handle of a queue that stays enabled. */
static void test_terminate_all(struct idxd *x)
{
	start(x, L7_3, "terminate_all");
	enable_device(x);
	enable_wq(x);
	release_handle(x);
	EQUAL(x->row, vd_wq_state(&x->f.d, 0), VD_ENABLED);
	disable_wq(x);
	enable_wq(x);
}

/* sysfs reset of 7.3: bus master is cleared first, which halts the device; then FLR. */
static void test_flr(struct idxd *x)
{
	start(x, L7_3, "FLR");
	enable_device(x);
	enable_wq(x);
	cfg_write(&x->f, COMMAND, 2, 0x0400);
	CHECK("no interrupt on the way", !strstr(x->f.log, "irq"));
	EQUAL(x->row, vd_state(&x->f.d), VD_HALTED);
	cfg_write(&x->f, DEVCTL, 2, 0x8000 | cfg_read(&x->f, DEVCTL, 2));
	EQUAL(x->row, r32(&x->f, R_GENSTS), 0);
	EQUAL(x->row, r64(&x->f, R_SWERROR), 0);

	/* reset_done: the config is put back, the driver unbinds and binds again */
	cfg_write(&x->f, COMMAND, 2, MASTER);
	cfg_write(&x->f, MSIXCTL, 2, 0x8000);
	EQUAL("drain of a queue that is off", cmd(x, OP(8, 1)), 0x32);
	EQUAL("reset of a queue that is off", cmd(x, OP(10, 1)), 0);
	EQUAL("disable of a device that is off", cmd(x, OP(2, 0)), 0x31);
	memset(x->shadow, 0, sizeof(x->shadow));
	x->handle = ~0u;
	CHECK(x->row, !x->halted);
	set_bits(x, R_GENCTRL, GENCTRL_SWERR | GENCTRL_HALT, 0);
	enable_device(x);
	enable_wq(x);
}

/* The host's device halts while the guest waits for a command; then the guest recovers. */
static void test_host_halt(struct idxd *x, enum linux_version version)
{
	start(x, version, version == L6_12 ? "host halts, 6.12" : "host halts, 7.3");
	enable_device(x);
	enable_wq(x);
	x->f.hold = true;
	x->completed = false;
	w32(&x->f, R_CMD, OP(8, 1) | CMD_IRQ);
	vd_halt(&x->f.d);
	misc_thread(x);
	CHECK("the waiter was woken", x->completed);
	CHECK("and the halt was seen", x->halted);
	EQUAL(x->row, r32(&x->f, R_GENSTS) >> 2, 1);

	/* 7.3 releases the handle by polling with a spinlock held: answered at once */
	EQUAL(x->row, cmd_poll(x, OP(14, x->handle)), 0x05);
	cfg_write(&x->f, DEVCTL, 2, 0x8000);
	x->f.hold = false;
	x->halted = false;
	cfg_write(&x->f, COMMAND, 2, MASTER);
	memset(x->shadow, 0, sizeof(x->shadow));
	enable_device(x);
	enable_wq(x);
}

/* Each enable rewrites everything while queues run: nothing may move. */
static void test_rewrite_while_enabled(struct idxd *x)
{
	static uint8_t before[VD_BAR0_SIZE], after[VD_BAR0_SIZE];
	unsigned int i;

	start(x, L7_3, "rewrite while enabled");
	enable_device(x);
	enable_wq(x);
	vd_bar0_read(&x->f.d, 0, before, sizeof(before));
	for (i = 0; i < 16; i++)
		if (i != 1)			/* the threshold is open */
			w32(&x->f, R_WQCFG + 4 * i, ~r32(&x->f, R_WQCFG + 4 * i) & ~0x10000u);
	for (i = 0; i < 8; i++)
		w64(&x->f, R_GRPCFG + 8 * i, ~0ull);
	w32(&x->f, R_GENCFG, ~0u);
	w32(&x->f, R_WQCFG + WQ_OCC_LIMIT, 0);
	vd_bar0_read(&x->f.d, 0, after, sizeof(after));
	CHECK(x->row, !memcmp(before, after, sizeof(after)));
}

int main(void)
{
	static struct idxd x;

	test_life(&x, L6_12);
	test_life(&x, L7_3);
	test_reopen(&x, L6_12);
	test_reopen(&x, L7_3);
	test_terminate_all(&x);
	test_flr(&x);
	test_host_halt(&x, L6_12);
	test_host_halt(&x, L7_3);
	test_rewrite_while_enabled(&x);
	return report();
}
