/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * choices BDF GROUPNODE dsa|iax: asks a DSA that vfio-pci has, with nobody else on it, what the lab's
 * model had to guess. One line per question:
 *
 *	choice NAME agree|differ|not-tested model: ...; hardware: ...
 *
 * Each probe starts and ends with Reset Device or an FLR. Exit status 0 when all were asked.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "pf.h"

#define NOT_TESTED	(-1)

static const char *bad_step;

/* The helpers of pf.c check what they do; here that only tells whether a probe can be believed. */
void check_at(const char *file, int line, const char *what, uint64_t got, uint64_t want)
{
	(void)file;
	(void)line;
	if (got != want)
		bad_step = what;
}

static const char *probe_name, *probe_model;

/* Says what the hardware does; @same tells whether the model does so too. */
static void answer(int same, const char *fmt, ...)
{
	va_list ap;

	printf("choice %s ", probe_name);
	if (bad_step && same != NOT_TESTED) {
		printf("not-tested %s went wrong on the way\n", bad_step);
		return;
	}
	printf("%s ", same == NOT_TESTED ? "not-tested" : same ? "agree" : "differ");
	if (same != NOT_TESTED)
		printf("model: %s; hardware: ", probe_model);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static bool has_handles(struct pf *pf)
{
	return rd64(pf, 0x10) >> 4 & 1 && rd32(pf, 0xb0) >> 13 & 1;
}

static bool has_log(struct pf *pf)
{
	return rd64(pf, 0x10) >> 13 & 3;
}

static unsigned int log_tail(struct pf *pf)
{
	return rd64(pf, 0xf0) >> 32 & 0xffff;
}

static unsigned int swerror(struct pf *pf, int ms)
{
	int i;

	for (i = 0; i < ms && !(rd32(pf, 0xc0) & 1); i++)
		usleep(1000);
	return rd32(pf, 0xc0) & 1 ? rd32(pf, 0xc0) >> 8 & 0xff : 0;
}

static void batch_count(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096), *m = pf_mem(pf, 4096);
	struct desc *list = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(1), .size = 4 };
	unsigned int i;
	uint8_t s;

	if (pf_start(pf, false) < 0) {
		answer(NOT_TESTED, "the device does not start");
		return;
	}
	for (i = 0; i < 4; i++) {
		list[i].flags_op = OP(0) | CRAV | RCR;
		list[i].record = (uintptr_t)&m[i];
	}
	d.src = (uintptr_t)list;
	s = pf_run(pf, &d, r);
	answer(s == 1 && r->bytes == 4, "status %#x, count %u", s, r->bytes);
}

static void occupancy_handle(struct pf *pf)
{
	uint32_t s;

	if (!has_handles(pf)) {
		answer(NOT_TESTED, "the device has no interrupt handles");
		return;
	}
	pf_configure(pf, false);
	wr32(pf, pf->wqcfg + 16, 1);
	EXPECT(pf_cmd(pf, 1, 0), 0);
	s = pf_cmd(pf, 6, 0);
	answer(s == 0, "Enable WQ ends with %#x", s);
}

/* Switching bus mastering off under an enabled device halts it. Both questions at once. */
static uint32_t halt(struct pf *pf, uint32_t *ret_reset)
{
	uint32_t sts;

	pf_configure(pf, false);
	EXPECT(pf_cmd(pf, 1, 0), 0);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) & ~4);
	usleep(100000);
	sts = rd32(pf, 0x90);
	*ret_reset = (sts & 3) == 3 ? pf_cmd(pf, 5, 0) : 0;
	pf_flr(pf);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) | 6);
	return sts;
}

static void halt_kind(struct pf *pf)
{
	uint32_t reset, sts = halt(pf, &reset);

	answer(sts == (3 | 1 << 2), "GENSTS %#x", sts);
}

static void halt_reset(struct pf *pf)
{
	uint32_t reset, sts = halt(pf, &reset);

	if ((sts & 3) != 3)
		answer(NOT_TESTED, "the device did not halt, GENSTS %#x", sts);
	else
		answer((sts >> 2 & 3 ? 5 : 0) == reset, "GENSTS %#x, Reset Device ends with %#x", sts, reset);
}

static void lost_write(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(3), .size = 64 };
	uint8_t s;

	if (!(rd64(pf, 0x20) >> 50 & 1)) {
		answer(NOT_TESTED, "a queue cannot do without ATS here");
		return;
	}
	pf_configure(pf, false);
	wr32(pf, pf->wqcfg + 8, 0xa1 | 4);
	EXPECT(pf_cmd(pf, 1, 0), 0);
	EXPECT(pf_cmd(pf, 6, 0), 0);
	d.src = (uintptr_t)pf_mem(pf, 4096);
	d.dst = pf_unmapped(pf);
	s = pf_run(pf, &d, r);
	answer(s == 1, "status %#x", s);
}

static void log_takes(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc d = { .flags_op = OP(3) | CRAV | RCR, .size = 1 << 20 };
	unsigned int i, code;

	if (!has_log(pf) || pf_start(pf, true) < 0) {
		answer(NOT_TESTED, "no event log");
		return;
	}
	d.src = (uintptr_t)pf_mem(pf, 1 << 20);
	d.dst = (uintptr_t)pf_mem(pf, 1 << 20);
	d.record = (uintptr_t)r;
	for (i = 0; i < 400; i++)
		pf_submit(pf, 0, &d);
	code = swerror(pf, 200);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	if (!code && !log_tail(pf))
		answer(NOT_TESTED, "the queue was never full");
	else
		answer(code == 0x53 && !log_tail(pf), "software error %#x, %u log entries", code,
		       log_tail(pf));
}

static void occupancy_permission(struct pf *pf)
{
	uint32_t vec = 2, s;
	unsigned int n;

	if (!(rd64(pf, 0x20) >> 53 & 1)) {
		answer(NOT_TESTED, "no occupancy interrupt");
		return;
	}
	pf_configure(pf, false);
	if (has_handles(pf)) {
		s = pf_cmd(pf, 13, vec);
		EXPECT(s & 0xff, 0);
		vec = s >> 8 & 0xffff;
	}
	wr32(pf, pf->msixperm + 8 * 2, 5 << 12 | 8);
	wr32(pf, pf->wqcfg + 16, vec);
	EXPECT(pf_cmd(pf, 1, 0), 0);
	EXPECT(pf_cmd(pf, 6, 0), 0);
	pf_vector_clear(pf, 2);
	wr32(pf, pf->wqcfg + 20, 1 << 16 | 4);
	n = pf_vector_wait(pf, 2, 1000);
	wr32(pf, pf->msixperm + 8 * 2, 0);
	answer(n == 1, "%u interrupts past a permission for another PASID", n);
}

static void compare_count(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	uint8_t *a = pf_mem(pf, 65536), *b = pf_mem(pf, 65536);
	struct desc d = { .flags_op = OP(5), .size = 20000 };
	uint8_t s;

	if (pf_start(pf, false) < 0) {
		answer(NOT_TESTED, "the device does not start");
		return;
	}
	b[17777] = 1;
	d.src = (uintptr_t)a;
	d.dst = (uintptr_t)b;
	s = pf_run(pf, &d, r);
	answer(s == 1 && r->result == 1 && r->bytes == 17777,
	       "status %#x, result %u, count %u for a difference at byte 17777", s, r->result, r->bytes);
}

static void drain_log(struct pf *pf)
{
	struct record *r = pf_mem(pf, 4096);
	struct desc lost = { .flags_op = OP(0) | CRAV | RCR };
	struct desc drain = { .flags_op = OP(2) };
	unsigned int before, after;

	if (!has_log(pf) || pf_start(pf, true) < 0) {
		answer(NOT_TESTED, "no event log");
		return;
	}
	pf_run(pf, &drain, r);
	before = log_tail(pf);
	lost.record = pf_unmapped(pf);
	pf_submit(pf, 0, &lost);
	EXPECT(pf_cmd(pf, 8, 1), 0);
	after = log_tail(pf);
	drain.flags_op = OP(2);
	pf_run(pf, &drain, r);
	answer(before == 0 && (log_tail(pf) == after + 1) == !pf_pri_on(pf),
	       "%u log entries after a Drain alone, %u after a lost record, %u after a Drain behind it",
	       before, after, log_tail(pf));
}

static void handle_reset(struct pf *pf)
{
	uint32_t s;

	if (!has_handles(pf)) {
		answer(NOT_TESTED, "the device has no interrupt handles");
		return;
	}
	pf_cmd(pf, 5, 0);
	s = pf_cmd(pf, 13, 2);
	EXPECT(s & 0xff, 0);
	EXPECT(pf_cmd(pf, 5, 0), 0);
	s = pf_cmd(pf, 14, s >> 8 & 0xffff);
	answer(s != 0, "Release Interrupt Handle after it ends with %#x", s);
}

/* Code 31 does not exist: its error tells that the half write was a command, and it does nothing. */
static void command_lanes(struct pf *pf)
{
	uint32_t s;

	EXPECT(pf_cmd(pf, 5, 0), 0);
	*(volatile uint16_t *)(pf->bar0 + 0xa2) = 31 << 4;
	usleep(10000);
	s = rd32(pf, 0xa8);
	answer(s == 0, "command status %#x after a write of 16 bits", s);
}

static const struct {
	const char *name, *model;
	void (*run)(struct pf *pf);
} probes[] = {
	{ "batch-count", "a Batch that succeeds counts its descriptors", batch_count },
	{ "occupancy-handle", "Enable WQ takes a vector that is no handle", occupancy_handle },
	{ "halt-kind", "halted, FLR asked for (GENSTS 0x7)", halt_kind },
	{ "halt-reset", "refused with 0x5 unless it is what the device asks for", halt_reset },
	{ "lost-write", "success (0x1)", lost_write },
	{ "log-takes", "software error 0x53, nothing logged", log_takes },
	{ "occupancy-permission", "the interrupt comes", occupancy_permission },
	{ "compare-count", "exact to the byte", compare_count },
	{ "drain-log", "a Drain is logged only after a lost record", drain_log },
	{ "handle-reset", "the handle is gone", handle_reset },
	{ "command-lanes", "no command", command_lanes },
};

int main(int argc, char **argv)
{
	struct pf pf;
	unsigned int i;
	int r;

	if (argc != 4) {
		fprintf(stderr, "usage: choices BDF /dev/vfio/GROUP dsa|iax\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = pf_open(&pf, argv[1], argv[2]);
	if (r < 0) {
		fprintf(stderr, "choices: cannot open %s: %s\n", argv[1], strerror(-r));
		return 1;
	}
	for (i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		probe_name = probes[i].name;
		probe_model = probes[i].model;
		bad_step = NULL;
		pf_mem_reset(&pf);
		if (strcmp(argv[3], "dsa"))
			answer(NOT_TESTED, "asked of a DSA only");
		else
			probes[i].run(&pf);
		pf_cmd(&pf, 5, 0);
	}
	pf_flr(&pf);
	return 0;
}
