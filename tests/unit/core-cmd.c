// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands: every code in every state, every error, and the life of a command. */
#include <string.h>

#include "core-fake.h"

#define OP(code, operand)	((uint32_t)(code) << CMD_CODE_SHIFT | (operand))
#define HANDLE1			0x101u		/* what the fake owner gives for vector 1 */

/* ---- one command: what CMDSTS says, and what the owner was asked ---------------- */

static const struct {
	const char *name;
	enum flavour flavour;
	enum stage stage;
	struct { uint32_t off, val; } set[3];	/* the guest's writes before it	*/
	uint32_t cmd, want;
	const char *log;
} cases[] = {
	{ "code 0",                     DSA, DEV_ON, { { 0 } }, OP(0, 0), 0x01, "" },
	{ "code 15",                    DSA, DEV_ON, { { 0 } }, OP(15, 0), 0x01, "" },
	{ "code 31",                    DSA, DEV_ON, { { 0 } }, OP(31, 0), 0x01, "" },
	{ "unknown code, halted",       DSA, HALTED, { { 0 } }, OP(16, 0), 0x01, "" },
	{ "reserved bit 25",            DSA, DEV_ON, { { 0 } }, OP(3, 0) | 1u << 25, 0x04, "" },
	{ "reserved bit 30",            DSA, DEV_ON, { { 0 } }, OP(3, 0) | 1u << 30, 0x04, "" },

	{ "Enable Device",              DSA, CONFIGURED, { { 0 } }, OP(1, 0), 0, "" },
	{ "Enable Device, nothing set", DSA, PROBED, { { 0 } }, OP(1, 0), 0, "" },
	{ "Enable Device: operand",     DSA, CONFIGURED, { { 0 } }, OP(1, 1), 0x04, "" },
	{ "Enable Device: enabled",     DSA, DEV_ON, { { 0 } }, OP(1, 0), 0x10, "" },
	{ "Enable Device: halted",      DSA, HALTED, { { 0 } }, OP(1, 0), 0x05, "" },
	{ "Enable Device: no master",   DSA, BORN, { { 0 } }, OP(1, 0), 0x12, "" },
	{ "Enable Device: too large",   DSA, CONFIGURED, { { R_WQCFG, 17 } }, OP(1, 0), 0x14, "" },
	{ "Enable Device: one of eight too large", DSA_8WQ, CONFIGURED, { { R_WQCFG + 0x1c0, 2 } },
	  OP(1, 0), 0x14, "" },
	{ "Enable Device: no engine",   DSA, CONFIGURED, { { R_GRPCFG + 0x20, 0 } }, OP(1, 0), 0x15,
	  "" },
	{ "Enable Device: only engine", DSA, CONFIGURED, { { R_GRPCFG, 0 }, { R_WQCFG, 0 } },
	  OP(1, 0), 0x15, "" },
	{ "Enable Device: active queue in no group", DSA, CONFIGURED,
	  { { R_GRPCFG, 0 }, { R_GRPCFG + 0x20, 0 } }, OP(1, 0), 0x16, "" },
	{ "Enable Device: empty queue in group", DSA, CONFIGURED, { { R_WQCFG, 0 } }, OP(1, 0),
	  0x16, "" },
	{ "Enable Device: queue 1 is not", DSA, CONFIGURED, { { R_GRPCFG, 3 } }, OP(1, 0), 0x16,
	  "" },
	{ "Enable Device: queue 200 is not", DSA, CONFIGURED, { { R_GRPCFG + 0x18, 0x100 } }, OP(1,
	  0), 0x16, "" },
	{ "Enable Device: engine 1 is not", DSA, CONFIGURED, { { R_GRPCFG + 0x20, 3 } }, OP(1, 0),
	  0x17, "" },
	{ "Enable Device: small log",   DSA, CONFIGURED,
	  { { R_GENCFG, 0x2000 }, { R_EVLCFG + 8, 63 } },
	  OP(1, 0), 0x19, "" },
	{ "Enable Device: log wraps",   DSA, CONFIGURED,
	  { { R_EVLCFG, 0xfffff000 }, { R_EVLCFG + 4, ~0u }, { R_GENCFG, 0x2000 } }, OP(1, 0),
	  0x19, "" },
	{ "Enable Device: log",         DSA, CONFIGURED,
	  { { R_GENCFG, 0x2000 }, { R_EVLCFG + 8, 64 } },
	  OP(1, 0), 0, "" },
	{ "Enable Device: log PASID",   DSA, CONFIGURED, { { R_EVLCFG, 1 } }, OP(1, 0), 0x1b, "" },
	{ "Enable Device: log priv",    DSA, CONFIGURED, { { R_EVLCFG, 2 } }, OP(1, 0), 0x1b, "" },

	{ "Disable Device",             DSA, WQ_ON, { { 0 } }, OP(2, 0), 0, "disable:1" },
	{ "Disable Device: queues off", DSA, DEV_ON, { { 0 } }, OP(2, 0), 0, "" },
	{ "Disable Device: operand",    DSA, WQ_ON, { { 0 } }, OP(2, 7), 0x04, "" },
	{ "Disable Device: disabled",   DSA, CONFIGURED, { { 0 } }, OP(2, 0), 0x31, "" },
	{ "Disable Device: halted",     DSA, HALTED, { { 0 } }, OP(2, 0), 0x05, "" },
	{ "Disable Device: eight",      DSA_8WQ, WQ_ON, { { 0 } }, OP(2, 0), 0, "disable:ff" },

	{ "Drain All",                  DSA, WQ_ON, { { 0 } }, OP(3, 0), 0, "drain:1" },
	{ "Drain All: nothing on",      DSA, PROBED, { { 0 } }, OP(3, 0), 0, "" },
	{ "Drain All: operand",         DSA, WQ_ON, { { 0 } }, OP(3, 1), 0x04, "" },
	{ "Drain All: halted",          DSA, HALTED, { { 0 } }, OP(3, 0), 0x05, "" },
	{ "Abort All",                  DSA, WQ_ON, { { 0 } }, OP(4, 0), 0, "abort:1" },
	{ "Abort All: nothing on",      DSA, DEV_ON, { { 0 } }, OP(4, 0), 0, "" },
	{ "Abort All: halted",          DSA, HALTED, { { 0 } }, OP(4, 0), 0x05, "" },

	{ "Reset Device",               DSA, WQ_ON, { { 0 } }, OP(5, 0), 0, "reset-all:1" },
	{ "Reset Device: born",         DSA, BORN, { { 0 } }, OP(5, 0), 0, "reset-all:0" },
	{ "Reset Device: operand",      DSA, WQ_ON, { { 0 } }, OP(5, 2), 0x04, "" },
	{ "Reset Device: needs an FLR", DSA, HALTED, { { 0 } }, OP(5, 0), 0x05, "" },

	{ "Enable WQ",                  DSA, DEV_ON, { { 0 } }, OP(6, 0), 0, "enable:1" },
	{ "Enable WQ 7 of 8",           DSA_8WQ, DEV_ON, { { 0 } }, OP(6, 7), 0, "enable:80" },
	{ "Enable WQ: index",           DSA, DEV_ON, { { 0 } }, OP(6, 1), 0x02, "" },
	{ "Enable WQ: index 255",       DSA, DEV_ON, { { 0 } }, OP(6, 255), 0x02, "" },
	{ "Enable WQ: operand",         DSA, DEV_ON, { { 0 } }, OP(6, 0x100), 0x04, "" },
	{ "Enable WQ: device off",      DSA, CONFIGURED, { { 0 } }, OP(6, 0), 0x20, "" },
	{ "Enable WQ: halted",          DSA, HALTED, { { 0 } }, OP(6, 0), 0x05, "" },
	{ "Enable WQ: enabled",         DSA, WQ_ON, { { 0 } }, OP(6, 0), 0x21, "" },
	{ "Enable WQ: shared",          DSA, DEV_ON, { { R_WQCFG + 8, 0xa0 } }, OP(6, 0), 0x24,
	  "" },
	{ "Enable WQ: priority 0",      DSA, DEV_ON, { { R_WQCFG + 8, 0x01 } }, OP(6, 0), 0x23,
	  "" },
	{ "Enable WQ: block on fault",  DSA, DEV_ON, { { R_WQCFG + 8, 0xa3 } }, OP(6, 0), 0x25,
	  "" },
	{ "Enable WQ: PASID",           DSA, DEV_ON, { { R_WQCFG + 8, 0x100001a1 } }, OP(6, 0),
	  0x26, "" },
	{ "Enable WQ: PASID and priv",  DSA, DEV_ON, { { R_WQCFG + 8, 0x300001a1 } }, OP(6, 0),
	  0x26, "" },
	{ "Enable WQ: priv alone means nothing", DSA, DEV_ON, { { R_WQCFG + 8, 0x200000a1 } }, OP(6,
	  0), 0, "enable:1" },
	{ "Enable WQ: batch 0",         DSA, DEV_ON, { { R_WQCFG + 12, 21 } }, OP(6, 0), 0x27, "" },
	{ "Enable WQ: batch too large", DSA, DEV_ON, { { R_WQCFG + 12, 21 | 6 << 5 } }, OP(6, 0),
	  0x27, "" },
	{ "Enable WQ: single batches",  DSA_V3, DEV_ON, { { R_WQCFG + 12, 21 } }, OP(6, 0), 0,
	  "enable:1" },
	{ "Enable WQ: IAA has no batch", IAA, DEV_ON, { { R_WQCFG + 12, 21 | 15 << 5 } }, OP(6, 0),
	  0, "enable:1" },
	{ "Enable WQ: list too large",  DSA_V3, DEV_ON, { { R_WQCFG + 12, 21 | 5 << 5 | 6 << 9 } },
	  OP(6, 0), 0x27, "" },
	{ "Enable WQ: largest list",    DSA_V3, DEV_ON, { { R_WQCFG + 12, 21 | 5 << 5 | 5 << 9 } },
	  OP(6, 0), 0, "enable:1" },
	{ "Enable WQ: transfer too large", DSA, DEV_ON, { { R_WQCFG + 12, 22 | 5 << 5 } }, OP(6, 0),
	  0x28, "" },
	{ "Enable WQ: occupancy in IMS", DSA, DEV_ON, { { R_WQCFG + 16, 0x10000 } }, OP(6, 0), 0x2b,
	  "" },
	{ "Enable WQ: occupancy vector", DSA, DEV_ON, { { R_WQCFG + 16, 2 } }, OP(6, 0), 0x2b, "" },
	{ "Enable WQ: ATS off",         DSA, DEV_ON, { { R_WQCFG + 8, 0xa5 } }, OP(6, 0), 0x2c,
	  "" },
	{ "Enable WQ: op-config",       DSA, DEV_ON, { { R_WQCFG + 36, ~0u } }, OP(6, 0), 0x2d,
	  "" },
	{ "Enable WQ: less op-config",  DSA, DEV_ON, { { R_WQCFG + 32, 8 } }, OP(6, 0), 0,
	  "enable:1" },
	{ "Enable WQ: no op-config",    DSA_V1, DEV_ON, { { R_WQCFG + 32, ~0u } }, OP(6, 0), 0,
	  "enable:1" },
	{ "Enable WQ: PRS off",         DSA, DEV_ON, { { R_WQCFG + 8, 0xa9 } }, OP(6, 0), 0x2e,
	  "" },

	{ "Disable WQ",                 DSA, WQ_ON, { { 0 } }, OP(7, 1), 0, "disable:1" },
	{ "Disable WQ: two of eight",   DSA_8WQ, WQ_ON, { { 0 } }, OP(7, 0x81), 0, "disable:81" },
	{ "Disable WQ: off",            DSA, DEV_ON, { { 0 } }, OP(7, 1), 0x32, "" },
	{ "Disable WQ: none named",     DSA, WQ_ON, { { 0 } }, OP(7, 0), 0, "" },
	{ "Abort WQ: none named",       DSA, WQ_ON, { { 0 } }, OP(9, 0), 0, "" },
	{ "Reset WQ: none named",       DSA, WQ_ON, { { 0 } }, OP(10, 0), 0, "" },
	{ "Disable WQ: index",          DSA, WQ_ON, { { 0 } }, OP(7, 2), 0x02, "" },
	{ "Disable WQ: next sixteen",   DSA, WQ_ON, { { 0 } }, OP(7, 0x10001), 0x02, "" },
	{ "Disable WQ: halted",         DSA, HALTED, { { 0 } }, OP(7, 1), 0x05, "" },
	{ "Drain WQ",                   DSA, WQ_ON, { { 0 } }, OP(8, 1), 0, "drain:1" },
	{ "Drain WQ: device off",       DSA, CONFIGURED, { { 0 } }, OP(8, 1), 0x32, "" },
	{ "Drain WQ: none named",       DSA, WQ_ON, { { 0 } }, OP(8, 0), 0, "" },
	{ "Abort WQ",                   DSA, WQ_ON, { { 0 } }, OP(9, 1), 0, "abort:1" },
	{ "Abort WQ: off",              DSA, DEV_ON, { { 0 } }, OP(9, 1), 0x32, "" },
	{ "Reset WQ",                   DSA, WQ_ON, { { 0 } }, OP(10, 1), 0, "reset:1" },
	{ "Reset WQ: off is fine",      DSA, CONFIGURED, { { 0 } }, OP(10, 1), 0, "" },
	{ "Reset WQ: index",            DSA, WQ_ON, { { 0 } }, OP(10, 4), 0x02, "" },
	{ "Reset WQ: halted",           DSA, HALTED, { { 0 } }, OP(10, 1), 0x05, "" },
	{ "Drain PASID: there is none", DSA, WQ_ON, { { 0 } }, OP(11, 0xfffff), 0, "" },
	{ "Drain PASID: halted",        DSA, HALTED, { { 0 } }, OP(11, 1), 0x05, "" },
	{ "Abort PASID: there is none", DSA, WQ_ON, { { 0 } }, OP(12, 5), 0, "" },

	{ "Request Handle",             DSA, WQ_ON, { { 0 } }, OP(13, 1), HANDLE1 << 8, "get:v1" },
	{ "Request Handle: disabled",   DSA, PROBED, { { 0 } }, OP(13, 1), HANDLE1 << 8, "get:v1" },
	{ "Request Handle: vector 0",   DSA, WQ_ON, { { 0 } }, OP(13, 0), 0x41, "" },
	{ "Request Handle: vector 2",   DSA, WQ_ON, { { 0 } }, OP(13, 2), 0x41, "" },
	{ "Request Handle: IMS",        DSA, WQ_ON, { { 0 } }, OP(13, 0x10001), 0x42, "" },
	{ "Request Handle: operand",    DSA, WQ_ON, { { 0 } }, OP(13, 0x20001), 0x04, "" },
	{ "Request Handle: halted",     DSA, HALTED, { { 0 } }, OP(13, 1), 0x05, "" },
	{ "Release Handle: none",       DSA, WQ_ON, { { 0 } }, OP(14, HANDLE1), 0x41, "" },
	{ "Release Handle: by handle",  DSA, WQ_ON, { { R_CMD, OP(13, 1) } }, OP(14, HANDLE1), 0,
	  "get:v1 put:v1" },
	{ "Release Handle: by index",   DSA, WQ_ON, { { R_CMD, OP(13, 1) } }, OP(14, 1), 0,
	  "get:v1 put:v1" },
	{ "Release Handle: twice",      DSA, WQ_ON, { { R_CMD, OP(13, 1) }, { R_CMD, OP(14, 1) } },
	  OP(14, 1), 0x41, "get:v1 put:v1" },
	{ "Release Handle: IMS",        DSA, WQ_ON, { { R_CMD, OP(13, 1) } }, OP(14, 0x10101), 0x41,
	  "get:v1" },
	{ "Release Handle: operand",    DSA, WQ_ON, { { R_CMD, OP(13, 1) } }, OP(14, 0x80101), 0x04,
	  "get:v1" },
	{ "Release Handle: halted",     DSA, HALTED, { { 0 } }, OP(14, 1), 0x05, "" },
};

/* Every command in every state, said a second time; operands are always right. */
static const struct {
	uint32_t code, operand, disabled, enabled, halted;
} legal[] = {
	{ 1,  0, 0x00, 0x10, 0x05 },	{ 2,  0, 0x31, 0x00, 0x05 },
	{ 3,  0, 0x00, 0x00, 0x05 },	{ 4,  0, 0x00, 0x00, 0x05 },
	{ 5,  0, 0x00, 0x00, 0x05 },	{ 6,  0, 0x20, 0x21, 0x05 },
	{ 7,  1, 0x32, 0x00, 0x05 },	{ 8,  1, 0x32, 0x00, 0x05 },
	{ 9,  1, 0x32, 0x00, 0x05 },	{ 10, 1, 0x00, 0x00, 0x05 },
	{ 11, 1, 0x00, 0x00, 0x05 },	{ 12, 1, 0x00, 0x00, 0x05 },
	{ 13, 1, 0x00, 0x00, 0x05 },	{ 14, 1, 0x41, 0x41, 0x05 },
	{ 15, 0, 0x01, 0x01, 0x01 },	{ 0,  0, 0x01, 0x01, 0x01 },
};

static uint32_t status_of(enum stage stage, uint32_t cmd)
{
	struct fake f;

	fake_init(&f, DSA, stage);
	w32(&f, R_CMD, cmd);
	return r32(&f, R_CMDSTS) & 0xff;
}

static void test_legality(void)
{
	const char *row = "legality";
	struct fake f;
	unsigned int i;

	for (i = 0; i < VD_COUNT(legal); i++) {
		uint32_t cmd = OP(legal[i].code, legal[i].operand);

		EQUAL(row, status_of(CONFIGURED, cmd), legal[i].disabled);
		EQUAL(row, status_of(WQ_ON, cmd), legal[i].enabled);
		EQUAL(row, status_of(HALTED, cmd), legal[i].halted);

		fake_init(&f, DSA, WQ_ON);
		f.hold = true;
		w32(&f, R_CMD, OP(8, 1));
		w32(&f, R_CMD, cmd);
		EQUAL(row, r64(&f, R_SWERROR), 0x5201);
		LOG(row, &f, "drain:1 irq0");
	}
}

/* Both as a polled command and as one that ends with an interrupt. */
static void test_cases(void)
{
	char want_log[64];
	struct fake f;
	unsigned int i, j, irq;

	for (i = 0; i < 2 * VD_COUNT(cases); i++) {
		unsigned int n = i / 2;

		irq = i % 2;
		fake_init(&f, cases[n].flavour, cases[n].stage);
		w32(&f, R_INTCAUSE, CAUSE_ALL);
		for (j = 0; j < 3 && cases[n].set[j].off; j++)
			w32(&f, cases[n].set[j].off, cases[n].set[j].val);
		w32(&f, R_CMD, cases[n].cmd | (irq ? CMD_IRQ : 0));
		EQUAL(cases[n].name, r32(&f, R_CMDSTS), cases[n].want);
		EQUAL(cases[n].name, r32(&f, R_INTCAUSE), irq ? CAUSE_CMD : 0);
		snprintf(want_log, sizeof(want_log), "%s%s%s", cases[n].log,
			 *cases[n].log && irq ? " " : "", irq ? "irq0" : "");
		if (cases[n].stage == BORN && irq)
			continue;			/* no vector is connected yet */
		LOG(cases[n].name, &f, want_log);
		EQUAL(cases[n].name, r32(&f, R_SWERROR), 0);
	}
}

/* ---- the states that commands lead to --------------------------------------------- */

static const struct {
	const char *name;
	enum stage stage;
	uint32_t cmd;
	enum vd_state dev_busy, wq_busy;	/* while the owner works	*/
	enum vd_state dev_ok, wq_ok;		/* after success		*/
	enum vd_state dev_failed, wq_failed;	/* after the owner's error	*/
} states[] = {
	{ "Disable Device", WQ_ON, OP(2, 0), VD_BUSY, VD_BUSY, VD_DISABLED, VD_DISABLED,
	  VD_ENABLED, VD_ENABLED },
	{ "Drain All", WQ_ON, OP(3, 0), VD_ENABLED, VD_ENABLED, VD_ENABLED, VD_ENABLED,
	  VD_ENABLED, VD_ENABLED },
	{ "Abort All", WQ_ON, OP(4, 0), VD_ENABLED, VD_ENABLED, VD_ENABLED, VD_ENABLED,
	  VD_ENABLED, VD_ENABLED },
	{ "Reset Device", WQ_ON, OP(5, 0), VD_BUSY, VD_BUSY, VD_DISABLED, VD_DISABLED,
	  VD_ENABLED, VD_ENABLED },
	{ "Reset Device, disabled", CONFIGURED, OP(5, 0), VD_BUSY, VD_DISABLED, VD_DISABLED,
	  VD_DISABLED, VD_DISABLED, VD_DISABLED },
	{ "Enable WQ", DEV_ON, OP(6, 0), VD_ENABLED, VD_DISABLED, VD_ENABLED, VD_ENABLED,
	  VD_ENABLED, VD_DISABLED },
	{ "Disable WQ", WQ_ON, OP(7, 1), VD_ENABLED, VD_BUSY, VD_ENABLED, VD_DISABLED,
	  VD_ENABLED, VD_ENABLED },
	{ "Drain WQ", WQ_ON, OP(8, 1), VD_ENABLED, VD_ENABLED, VD_ENABLED, VD_ENABLED,
	  VD_ENABLED, VD_ENABLED },
	{ "Abort WQ", WQ_ON, OP(9, 1), VD_ENABLED, VD_ENABLED, VD_ENABLED, VD_ENABLED,
	  VD_ENABLED, VD_ENABLED },
	{ "Reset WQ", WQ_ON, OP(10, 1), VD_ENABLED, VD_BUSY, VD_ENABLED, VD_DISABLED,
	  VD_ENABLED, VD_ENABLED },
	{ "Request Handle", WQ_ON, OP(13, 1), VD_ENABLED, VD_ENABLED, VD_ENABLED, VD_ENABLED,
	  VD_ENABLED, VD_ENABLED },
};

static void test_states(void)
{
	struct fake f;
	unsigned int i, error;

	for (i = 0; i < 2 * VD_COUNT(states); i++) {
		unsigned int n = i / 2;

		error = i % 2 ? VD_CMD_HWERR : VD_CMD_OK;
		fake_init(&f, DSA, states[n].stage);
		f.hold = true;
		f.error = (uint8_t)error;
		w32(&f, R_CMD, states[n].cmd);
		EQUAL(states[n].name, r32(&f, R_CMDSTS), CMDSTS_ACTIVE);
		EQUAL(states[n].name, r32(&f, R_GENSTS), states[n].dev_busy);
		EQUAL(states[n].name, vd_wq_state(&f.d, 0), states[n].wq_busy);
		fake_done(&f);
		EQUAL(states[n].name, r32(&f, R_CMDSTS) & 0x800000ff, error);
		EQUAL(states[n].name, r32(&f, R_GENSTS),
		      error ? states[n].dev_failed : states[n].dev_ok);
		EQUAL(states[n].name, r32(&f, R_WQCFG + WQ_STATE) >> 30,
		      error ? states[n].wq_failed : states[n].wq_ok);
	}
}

/* ---- single stories ------------------------------------------------------------------ */

/* A second command is dropped with a software error; the first one goes on. */
static void test_second_command(void)
{
	const char *row = "command while active";
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	f.hold = true;
	w32(&f, R_CMD, CMD(8, 1));
	LOG(row, &f, "drain:1");
	w32(&f, R_CMD, CMD(3, 0));
	LOG(row, &f, "irq0");
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_SWERR);
	EQUAL(row, r64(&f, R_SWERROR), 0x5201);
	EQUAL(row, r32(&f, R_CMDSTS), CMDSTS_ACTIVE);
	w32(&f, R_CMD, OP(31, 0));
	EQUAL(row, r64(&f, R_SWERROR), 0x5203);
	fake_done(&f);
	LOG(row, &f, "irq0");
	EQUAL(row, r32(&f, R_CMDSTS), 0);
	EQUAL(row, r32(&f, R_INTCAUSE), CAUSE_SWERR | CAUSE_CMD);
}

/* Neither a half write, nor a second completion, nor a foreign number does anything. */
static void test_no_effect(void)
{
	const char *row = "nothing happens";
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	bar_write(&f, R_CMD, 2, 0);
	bar_write(&f, R_CMD + 2, 2, 0x0030);
	bar_write(&f, R_CMD + 3, 1, 0x80);
	LOG(row, &f, "");

	f.hold = true;
	w32(&f, R_CMD, CMD(8, 1));
	LOG(row, &f, "drain:1");
	vd_cmd_done(&f.d, f.cmd.seq - 1, 0, 0);
	vd_cmd_done(&f.d, f.cmd.seq + 1, 0, 0);
	EQUAL(row, r32(&f, R_CMDSTS), CMDSTS_ACTIVE);
	fake_done(&f);
	LOG(row, &f, "irq0");
	f.error = 3;
	fake_done(&f);
	LOG(row, &f, "");
	EQUAL(row, r32(&f, R_CMDSTS), 0);
}

/* An access of 8 bytes may carry the command in either half. */
static void test_wide_writes(void)
{
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	w64(&f, R_CMD, CMD(3, 0));
	LOG("command in the low half", &f, "drain:1 irq0");
}

/* Everything but a handle request ends with an empty result, even if the owner errs. */
static void test_results(void)
{
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	f.hold = true;
	w32(&f, R_CMD, OP(8, 1));
	vd_cmd_done(&f.d, f.cmd.seq, 0, 0xffff);
	EQUAL("no result for a drain", r32(&f, R_CMDSTS), 0);
	w32(&f, R_CMD, OP(13, 1));
	vd_cmd_done(&f.d, f.cmd.seq, VD_CMD_NOHANDLE, 0xffff);
	EQUAL("no result for a failed request", r32(&f, R_CMDSTS), 0x42);
	w32(&f, R_CMD, OP(14, 1));
	EQUAL("and no handle", r32(&f, R_CMDSTS), 0x41);
}

/* A queue that is being enabled cannot be changed behind the check. */
static void test_lock_while_enabling(void)
{
	const char *row = "locked while being enabled";
	struct fake f;

	fake_init(&f, DSA, DEV_ON);
	f.hold = true;
	w32(&f, R_CMD, OP(6, 0));
	w32(&f, wqcfg(0, WQ_MODE), 0x300fffff);
	EQUAL(row, r32(&f, wqcfg(0, WQ_MODE)), 0xa1);
	f.error = VD_CMD_HWERR;
	fake_done(&f);
	EQUAL(row, r32(&f, R_CMDSTS), 3);
	w32(&f, wqcfg(0, WQ_MODE), 0xb1);
	EQUAL("open again after the failure", r32(&f, wqcfg(0, WQ_MODE)), 0xb1);

	fake_init(&f, DSA_8WQ, DEV_ON);
	f.hold = true;
	w32(&f, R_CMD, OP(6, 0));
	w32(&f, wqcfg(1, WQ_MODE), 0xb1);
	EQUAL("the others are open", r32(&f, wqcfg(1, WQ_MODE)), 0xb1);
}

/* Reset WQ: everything but the size, also of a queue that was off. */
static void test_reset_wq(void)
{
	const char *row = "Reset WQ";
	enum stage stage;
	struct fake f;

	for (stage = DEV_ON; stage <= WQ_ON; stage++) {
		fake_init(&f, DSA, stage);
		w32(&f, wqcfg(0, WQ_THRESHOLD), 5);
		w32(&f, R_CMD, OP(10, 1));
		EQUAL(row, r32(&f, wqcfg(0, WQ_SIZE)), 16);
		EQUAL(row, r32(&f, wqcfg(0, WQ_THRESHOLD)), 0);
		EQUAL(row, r32(&f, wqcfg(0, WQ_MODE)), 0);
		EQUAL(row, r32(&f, wqcfg(0, WQ_LIMITS)), 0);
		EQUAL(row, r32(&f, wqcfg(0, WQ_STATE)), 0);
		EQUAL(row, r64(&f, wqcfg(0, WQ_OPCFG)), 0x7f0001003f03ffull);
	}
	fake_init(&f, DSA_8WQ, WQ_ON);
	w32(&f, R_CMD, OP(10, 2));
	EQUAL(row, r32(&f, wqcfg(0, WQ_MODE)), 0xa1);
	EQUAL(row, r32(&f, wqcfg(1, WQ_MODE)), 0);
	EQUAL(row, r32(&f, wqcfg(2, WQ_MODE)), 0xa1);
	CHECK(row, vd_wq_state(&f.d, 0) == VD_ENABLED && vd_wq_state(&f.d, 1) == VD_DISABLED);
}

/* The value goes first: handle 2 of vector 1 is not index 2. */
static void test_handle_before_index(void)
{
	const char *row = "handle before index";
	struct fake f;

	fake_init(&f, DSA_8WQ, WQ_ON);
	f.hold = true;
	w32(&f, R_CMD, OP(13, 1));
	vd_cmd_done(&f.d, f.cmd.seq, 0, 2);
	w32(&f, R_CMD, OP(13, 2));
	vd_cmd_done(&f.d, f.cmd.seq, 0, 7);
	LOG(row, &f, "get:v1 get:v2");
	w32(&f, R_CMD, OP(14, 2));
	LOG(row, &f, "put:v1");
	fake_done(&f);
	w32(&f, R_CMD, OP(14, 2));
	LOG(row, &f, "put:v2");
	fake_done(&f);
	w32(&f, R_CMD, OP(14, 0));
	EQUAL(row, r32(&f, R_CMDSTS), 0x41);
}

/* A queue that an earlier command named is open while a later one runs. */
static void test_lock_is_forgotten(void)
{
	struct fake f;

	fake_init(&f, DSA, DEV_ON);
	w32(&f, R_CMD, OP(10, 1));
	f.hold = true;
	w32(&f, R_CMD, OP(13, 1));
	w32(&f, wqcfg(0, WQ_MODE), 0xb1);
	EQUAL("open under another command", r32(&f, wqcfg(0, WQ_MODE)), 0xb1);
}

/* The log's last byte must have an address; IAA's entries are twice as long. */
static void test_log_end(void)
{
	static const struct {
		enum flavour flavour;
		uint64_t base;
		uint32_t want;
	} logs[] = {
		{ DSA, 0xffffffffffffe000ull, 0 },    { DSA, 0xfffffffffffff000ull, E_EVL },
		{ IAA, 0xffffffffffffd000ull, 0 },    { IAA, 0xffffffffffffe000ull, E_EVL },
	};
	struct fake f;
	unsigned int i;

	for (i = 0; i < VD_COUNT(logs); i++) {
		fake_init(&f, logs[i].flavour, CONFIGURED);
		w32(&f, R_GENCFG, GENCFG_EVL);
		w64(&f, R_EVLCFG, logs[i].base);
		w64(&f, R_EVLCFG + 8, 64);
		w32(&f, R_CMD, OP(1, 0));
		EQUAL("the log's end", r32(&f, R_CMDSTS), logs[i].want);
	}
}

/* Enabling the device clears the log's pointers only when there is a log. */
static void test_log_status(void)
{
	const char *row = "EVLSTATUS at Enable Device";
	struct fake f;

	fake_init(&f, DSA, CONFIGURED);
	w32(&f, R_EVLSTATUS, 5);
	w32(&f, R_CMD, OP(1, 0));
	EQUAL(row, r64(&f, R_EVLSTATUS), 5);
	w32(&f, R_CMD, OP(2, 0));
	w32(&f, R_GENCFG, GENCFG_EVL);
	w64(&f, R_EVLCFG, 0x1000);
	w64(&f, R_EVLCFG + 8, 64);
	w32(&f, R_CMD, OP(1, 0));
	EQUAL(row, r64(&f, R_EVLSTATUS), 0);
}

int main(void)
{
	test_cases();
	test_legality();
	test_states();
	test_second_command();
	test_no_effect();
	test_wide_writes();
	test_results();
	test_lock_while_enabling();
	test_reset_wq();
	test_handle_before_index();
	test_lock_is_forgotten();
	test_log_end();
	test_log_status();
	return report();
}
