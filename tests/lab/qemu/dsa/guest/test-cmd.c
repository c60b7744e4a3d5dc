/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every command against every precondition that it names an error for: a row each. Rows for what a
 * function does not have are left out, and the runner of several functions looks that none is left
 * out of all.
 */
#include <stdio.h>
#include <string.h>
#include "pf.h"

static const char *const names[] = {
	"code 0", "Enable Device", "Disable Device", "Drain All", "Abort All", "Reset Device",
	"Enable WQ", "Disable WQ", "Drain WQ", "Abort WQ", "Reset WQ", "Drain PASID", "Abort PASID",
	"Request Handle", "Release Handle",
};

enum from { READY, ON, RUNNING };	/* configured, device enabled, queue 0 enabled as well */

struct patch {
	char where;			/* register, group, queue; p: configuration space	*/
	uint16_t off;
	uint8_t bytes;
	uint64_t val;
};

/* configuration space */
#define PASID_CTRL	0x236
#define PRI_CTRL	0x244
#define PRI_ALLOC	0x24c

#define PASID_OFF	{ 'p', PASID_CTRL, 2, 0 }
#define PASID_ON	{ 'p', PASID_CTRL, 2, 1 }
#define PRI_OFF		{ 'p', PRI_CTRL, 2, 0 }
#define PRI_ON		{ 'p', PRI_CTRL, 2, 0 }, { 'p', PRI_ALLOC, 2, 32 }, { 'p', PRI_CTRL, 2, 1 }
#define NO_LOG		{ 'r', 0x80, 4, 0 }

struct cmd_case {
	uint8_t cmd;
	uint8_t want;
	enum from from;
	uint32_t operand;
	const char *when;
	struct patch patch[5];
	bool (*has)(struct pf *pf);
};

static bool has_log(struct pf *pf)
{
	return pf->evl;
}

static bool has_no_log(struct pf *pf)
{
	return !pf->evl;
}

static bool has_buffers(struct pf *pf)
{
	return rd32(pf, 0x30) >> 16 & 1;
}

static bool has_bandwidth(struct pf *pf)
{
	return rd32(pf, 0x30) >> 19 & 1;
}

static bool has_batches(struct pf *pf)
{
	return !pf->iaa;
}

static bool lacks_batch1(struct pf *pf)
{
	return !pf->iaa && !(pf->gencap >> 52 & 1);
}

static bool has_batch1(struct pf *pf)
{
	return pf->gencap >> 52 & 1;
}

static bool has_lists(struct pf *pf)
{
	return !pf->iaa && pf->version >= 0x300 && (rd64(pf, 0x180) & 0xf) < 15;
}

static bool lacks_shared(struct pf *pf)
{
	return !(pf->wqcap >> 48 & 1);
}

static bool lacks_ats_off(struct pf *pf)
{
	return !(pf->wqcap >> 50 & 1);
}

static bool has_op_config(struct pf *pf)
{
	return pf->wqcap >> 54 & 1;
}

static bool small_transfers(struct pf *pf)
{
	return (pf->gencap >> 16 & 31) < 31;
}

static bool has_bof(struct pf *pf)
{
	return pf->gencap & 1;
}

static bool has_handles(struct pf *pf)
{
	return pf->handles;
}

static bool lacks_handles(struct pf *pf)
{
	return !pf->handles;
}

static bool handles_and_ims(struct pf *pf)
{
	return pf->handles && pf->ims;
}

static const struct cmd_case cases[] = {
	{ 1, 0x00, READY, 0, "as configured", {}, NULL },
	{ 1, 0x04, READY, 1, "reserved operand", {}, NULL },
	{ 1, 0x10, ON, 0, "already enabled", {}, NULL },
	{ 1, 0x11, READY, 0, "reserved group flag", { { 'g', 0x2c, 4, 1u << 31 } }, NULL },
	{ 1, 0x12, READY, 0, "no bus mastering", { { 'p', 4, 2, 2 } }, NULL },
	{ 1, 0x13, READY, 0, "page requests without any allowed",
	  { PRI_OFF, { 'p', PRI_ALLOC, 2, 0 }, { 'p', PRI_CTRL, 2, 1 } }, NULL },
	{ 1, 0x13, READY, 0, "more page requests than there can be",
	  { PRI_OFF, { 'p', PRI_ALLOC, 2, 0x201 }, { 'p', PRI_CTRL, 2, 1 } }, NULL },
	{ 1, 0x14, READY, 0, "sum of sizes", { { 'q', 0, 4, 0xffff } }, NULL },
	{ 1, 0x15, READY, 0, "group without engines", { { 'g', 0x20, 8, 0 } }, NULL },
	{ 1, 0x15, READY, 0, "group without queues", { { 'g', 0x60, 8, 2 } }, NULL },
	{ 1, 0x16, READY, 0, "queue with a size in no group", { { 'g', 0, 8, 1 } }, NULL },
	{ 1, 0x16, READY, 0, "queue without size in a group", { { 'q', 0, 4, 0 } }, NULL },
	{ 1, 0x16, READY, 0, "queue in two groups",
	  { { 'g', 0x40, 8, 1 }, { 'g', 0x60, 8, 2 } }, NULL },
	{ 1, 0x16, READY, 0, "queue that does not exist", { { 'g', 8, 8, 1 } }, NULL },
	{ 1, 0x17, READY, 0, "engine in two groups",
	  { { 'g', 0, 8, 1 }, { 'g', 0x40, 8, 2 }, { 'g', 0x60, 8, 1 } }, NULL },
	{ 1, 0x17, READY, 0, "engine that does not exist",
	  { { 'g', 0x20, 8, 1ull << 63 } }, NULL },
	{ 1, 0x18, READY, 0, "too few read buffers allowed",
	  { { 'g', 0x28, 4, 3u << 20 } }, has_buffers },
	{ 1, 0x18, READY, 0, "more allowed than left", { { 'g', 0x28, 4, 0xffu << 20 } },
	  has_buffers },
	{ 1, 0x18, READY, 0, "more reserved than there are",
	  { { 'g', 0x28, 4, 0xffu << 8 | 64u << 20 } }, has_buffers },
	{ 1, 0x18, READY, 0, "limit below what its users need",
	  { { 'r', 0x80, 1, 3 }, { 'g', 0x28, 4, 1u << 7 | 64u << 20 } }, has_buffers },
	{ 1, 0x18, READY, 0, "bandwidth limit", { { 'g', 0x2c, 4, 4 << 8 } }, has_bandwidth },
	{ 1, 0x19, READY, 0, "log too small", { { 'r', 0xe8, 8, 63 } }, has_log },
	{ 1, 0x19, READY, 0, "log beyond the last address",
	  { { 'r', 0xe0, 8, ~0xfffull }, { 'r', 0xe8, 8, 0xffff } }, has_log },
	{ 1, 0x1b, READY, 0, "log with PASID while PASID is off",
	  { PASID_OFF, { 'r', 0xe0, 4, 0x101001 } }, has_log },
	{ 1, 0x1b, READY, 0, "log with privilege without PASID",
	  { { 'r', 0xe0, 4, 0x101002 } }, has_log },

	{ 2, 0x00, ON, 0, "enabled", {}, NULL },
	{ 2, 0x04, ON, 1, "reserved operand", {}, NULL },
	{ 2, 0x31, READY, 0, "not enabled", {}, NULL },
	{ 3, 0x00, RUNNING, 0, "idle", {}, NULL },
	{ 3, 0x04, RUNNING, 1, "reserved operand", {}, NULL },
	{ 4, 0x00, RUNNING, 0, "idle", {}, NULL },
	{ 4, 0x04, RUNNING, 1, "reserved operand", {}, NULL },
	{ 5, 0x00, RUNNING, 0, "running", {}, NULL },
	{ 5, 0x04, RUNNING, 1, "reserved operand", {}, NULL },

	{ 6, 0x00, ON, 0, "as configured", {}, NULL },
	{ 6, 0x02, ON, 0xff, "queue that does not exist", {}, NULL },
	{ 6, 0x04, ON, 0x100, "reserved operand", {}, NULL },
	{ 6, 0x20, READY, 0, "device not enabled", {}, NULL },
	{ 6, 0x21, RUNNING, 0, "queue already enabled", {}, NULL },
	{ 6, 0x22, ON, 2, "queue without size", {}, NULL },
	{ 6, 0x23, ON, 0, "priority 0", { { 'q', 8, 4, 0x01 } }, NULL },
	{ 6, 0x24, ON, 0, "mode the function lacks",
	  { PASID_ON, { 'q', 8, 4, 0xa0 | 1u << 28 } }, lacks_shared },
	{ 6, 0x25, ON, 0, "blocking without page requests", { PRI_OFF, { 'q', 8, 4, 0xa3 } },
	  NULL },
	{ 6, 0x00, ON, 0, "blocking with page requests", { PRI_ON, { 'q', 8, 4, 0xa3 } },
	  has_bof },
	{ 6, 0x26, ON, 0, "PASID while PASID is off",
	  { PASID_OFF, { 'q', 8, 4, 0xa1 | 1u << 28 } }, NULL },
	{ 6, 0x00, ON, 0, "PASID while PASID is on",
	  { PASID_ON, { 'q', 8, 4, 0xa1 | 1u << 28 } }, NULL },
	{ 6, 0x27, ON, 0, "batches of one", { { 'q', 12, 4, 20 } }, lacks_batch1 },
	{ 6, 0x00, ON, 0, "batches of one", { { 'q', 12, 4, 20 } }, has_batch1 },
	{ 6, 0x27, ON, 0, "batches too large", { { 'q', 12, 4, 20 | 15 << 5 } }, has_batches },
	{ 6, 0x27, ON, 0, "lists too long", { { 'q', 12, 4, 20 | 5 << 5 | 15 << 9 } },
	  has_lists },
	{ 6, 0x28, ON, 0, "transfers too large", { { 'q', 12, 4, 31 | 5 << 5 } },
	  small_transfers },
	{ 6, 0x2a, ON, 0, "privilege while it is off",
	  { PASID_ON, { 'q', 8, 4, 0xa1 | 3u << 28 } }, NULL },
	{ 6, 0x2b, ON, 0, "occupancy vector", { { 'q', 16, 4, 0xffff } }, NULL },
	{ 6, 0x2b, ON, 0, "occupancy vector in IMS", { { 'q', 16, 4, 0x1ffff } }, NULL },
	{ 6, 0x2c, ON, 0, "no ATS", { { 'q', 8, 4, 0xa5 } }, lacks_ats_off },
	{ 6, 0x2d, ON, 0, "operation that does not exist", { { 'q', 63, 1, 0x80 } },
	  has_op_config },
	{ 6, 0x2e, ON, 0, "no page requests, no log", { NO_LOG, { 'q', 8, 4, 0xa9 } }, has_log },
	{ 6, 0x2e, ON, 0, "no page requests, but blocking",
	  { PRI_ON, { 'q', 8, 4, 0xab } }, has_log },
	{ 6, 0x2e, ON, 0, "no page requests is not supported", { { 'q', 8, 4, 0xa9 } },
	  has_no_log },

	{ 7, 0x00, RUNNING, 1, "enabled", {}, NULL },
	{ 7, 0x02, RUNNING, 0xf0000, "queues that do not exist", {}, NULL },
	{ 7, 0x32, RUNNING, 3, "one of two not enabled", {}, NULL },
	{ 8, 0x00, RUNNING, 1, "enabled", {}, NULL },
	{ 8, 0x02, RUNNING, 0xf0000, "queues that do not exist", {}, NULL },
	{ 8, 0x32, RUNNING, 2, "not enabled", {}, NULL },
	{ 9, 0x00, RUNNING, 1, "enabled", {}, NULL },
	{ 9, 0x02, RUNNING, 0xf0000, "queues that do not exist", {}, NULL },
	{ 9, 0x32, RUNNING, 2, "not enabled", {}, NULL },
	{ 10, 0x00, RUNNING, 3, "one of two enabled", {}, NULL },
	{ 10, 0x02, RUNNING, 0xf0000, "queues that do not exist", {}, NULL },
	{ 11, 0x00, RUNNING, 0xfffff, "any", {}, NULL },
	{ 12, 0x00, RUNNING, 0xfffff, "any", {}, NULL },

	{ 13, 0x00, READY, 1, "vector", {}, has_handles },
	{ 13, 0x00, READY, 0x10001, "IMS entry", {}, handles_and_ims },
	{ 13, 0x04, READY, 0x20001, "reserved operand", {}, has_handles },
	{ 13, 0x41, READY, 0xffff, "vector that does not exist", {}, has_handles },
	{ 13, 0x41, READY, 0x1ffff, "IMS entry that does not exist", {}, has_handles },
	{ 14, 0x04, READY, 0x20001, "reserved operand", {}, has_handles },
	{ 14, 0x41, READY, 0x7ffe, "handle nobody has", {}, has_handles },
	{ 13, 0x01, READY, 1, "no handles", {}, lacks_handles },
	{ 14, 0x01, READY, 1, "no handles", {}, lacks_handles },
};

static void report(struct pf *pf, unsigned int cmd, const char *when, uint32_t got, uint32_t want)
{
	const char *name = cmd < sizeof(names) / sizeof(names[0]) ? names[cmd] : "unknown code";
	char what[128];

	(void)pf;
	snprintf(what, sizeof(what), "%s, %s", name, when);
	EXPECT_NAMED(what, got, want);
	printf("  command %-15s 0x%02x %s  %s\n", name, want, got == want ? "ok" : "WRONG", when);
}

static void apply(struct pf *pf, const struct patch *p)
{
	uint32_t off = p->off;

	if (p->where == 'p') {
		pf_pci_write(pf, off, p->val);
		return;
	}
	if (p->where == 'g')
		off += pf->grpcfg;
	else if (p->where == 'q')
		off += pf->wqcfg;
	if (p->bytes == 8)
		wr64(pf, off, p->val);
	else if (p->bytes == 1)
		*(volatile uint8_t *)(pf->bar0 + off) = p->val;
	else
		wr32(pf, off, p->val);
}

/* What is in configuration space, to be written back while the device is disabled. */
static const uint16_t pci_kept[] = { 4, PRI_CTRL, PRI_ALLOC, PRI_ALLOC + 2, PASID_CTRL, PRI_CTRL };

static void one_case(struct pf *pf, const struct cmd_case *c)
{
	uint16_t kept[sizeof(pci_kept) / sizeof(pci_kept[0])];
	unsigned int i;
	uint32_t got;

	pf_configure(pf, true);
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		kept[i] = pf_pci_read(pf, pci_kept[i]);
	kept[1] = 0;
	for (i = 0; i < 5 && c->patch[i].where; i++)
		apply(pf, &c->patch[i]);
	if (c->from >= ON)
		EXPECT(pf_cmd(pf, 1, 0), 0);
	if (c->from >= RUNNING)
		EXPECT(pf_cmd(pf, 6, 0), 0);

	got = pf_cmd(pf, c->cmd, c->operand);
	report(pf, c->cmd, c->when, got & 0xff, c->want);
	if (c->want) {
		/* nothing but the code, and nothing happened */
		EXPECT_NAMED(c->when, got, c->want);
		EXPECT_NAMED(c->when, rd32(pf, 0x90) & 3, c->from >= ON);
		EXPECT_NAMED(c->when, rd32(pf, wq_reg(pf, 0) + 24) >> 30, c->from >= RUNNING);
	}

	EXPECT(pf_cmd(pf, 5, 0), 0);
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		pf_pci_write(pf, pci_kept[i], kept[i]);
}

static void error_codes(struct pf *pf)
{
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!cases[i].has || cases[i].has(pf))
			one_case(pf, &cases[i]);
	}
}

static void unknown_codes(struct pf *pf)
{
	unsigned int code;

	pf_cmd(pf, 5, 0);
	wr32(pf, 0xc0, 3);
	report(pf, 0, "unknown", pf_cmd(pf, 0, 0), 0x01);
	for (code = 15; code < 32; code++)
		report(pf, code, "unknown", pf_cmd(pf, code, 0), 0x01);
	/* reserved bits of the register itself */
	for (code = 25; code < 31; code++) {
		wr32(pf, 0xa0, 1u << code | 5 << 20);
		EXPECT(rd32(pf, 0xa8), 0x04);
	}
	EXPECT(rd64(pf, 0xc0), 0);
}

static void halted(struct pf *pf)
{
	unsigned int code;

	if (pf_start(pf, false) < 0)
		return;
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) & ~4);
	EXPECT(rd32(pf, 0x90), 3 | 1 << 2);
	for (code = 1; code <= (pf->handles ? 14 : 12); code++)
		report(pf, code, "halted", pf_cmd(pf, code, 0), 0x05);
	pf_flr_restore(pf);
	EXPECT(rd32(pf, 0x90), 0);
}

/* Handles run out: every vector and entry asked for until there are no more. */
static void handles_run_out(struct pf *pf)
{
	unsigned int i, got = 0;

	if (!pf->handles) {
		EXPECT(pf_cmd(pf, 13, 1), 0x01);
		return;
	}
	pf_cmd(pf, 5, 0);
	for (i = 0; i <= pf->nwqs && !got; i++)
		got = pf_cmd(pf, 13, i) & 0xff;
	if (!got) {
		EXPECT(i, pf->nwqs + 1);
		pf_cmd(pf, 5, 0);
		return;
	}
	report(pf, 13, "none left", got, 0x42);
	/* one that is out may be asked for again; one given back makes room */
	EXPECT(pf_cmd(pf, 13, 0) & 0xff, 0);
	EXPECT(pf_cmd(pf, 14, 0) & 0xff, 0);
	EXPECT(pf_cmd(pf, 13, i - 1) & 0xff, 0);
	pf_cmd(pf, 5, 0);
}

/* What only the lab's page can bring about. */
static void injected(struct pf *pf)
{
	static const struct { uint8_t cmd, code; } list[] = {
		{ 1, 0x03 }, { 1, 0x1a }, { 6, 0x03 }, { 10, 0x03 },
	};
	unsigned int i;

	if (!pf->lab_page) {
		EXPECT(rd32(pf, LAB), 0);
		return;
	}
	pf_configure(pf, false);
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		wr32(pf, LAB_CMD_ERROR, list[i].code);
		report(pf, list[i].cmd, "on demand", pf_cmd(pf, list[i].cmd, 0), list[i].code);
	}
	EXPECT(pf_cmd(pf, 1, 0), 0);
	pf_stop(pf);
}

const struct test cmd_tests[] = {
	{ "error codes of the commands", error_codes },
	{ "codes that are no commands", unknown_codes },
	{ "commands of a halted device", halted },
	{ "handles run out", handles_run_out },
	{ "command errors on demand", injected },
	{ 0 }
};
