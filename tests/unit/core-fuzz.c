// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes choose what a guest, a VMM and an owner do; after each step the device
 * must still make sense. With -fsanitize=fuzzer this is a libFuzzer target (define
 * CORE_LIBFUZZER); else it replays files named on the command line, or runs from
 * seeds: core-fuzz [-s SEED] [-n STEPS] [FILE...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "vd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
	struct vd d;
	const uint8_t *data;			/* what is left of the input	*/
	size_t size;
	struct vd_cmd cmd;			/* in flight, if pending	*/
	bool pending;
	uint16_t gate;				/* what irq_gate() told last	*/
	uint32_t wqs;				/* queues the owner has enabled	*/
	unsigned long irqs, cmds, steps;
};

#define MUST(cond) do { if (!(cond)) die(#cond, __LINE__); } while (0)

static struct owner *current;

static __attribute__((noreturn)) void die(const char *what, int line)
{
	fprintf(stderr, "core-fuzz.c:%d: step %lu: not true: %s\n", line, current->steps, what);
	abort();
}

static uint64_t take(struct owner *o, unsigned int bytes)
{
	uint64_t val = 0;

	while (bytes--) {
		val <<= 8;
		if (o->size) {
			val |= *o->data++;
			o->size--;
		}
	}
	return val;
}

/* ---- the owner --------------------------------------------------------------------- */

static void complete(struct owner *o)
{
	uint8_t error = take(o, 1) & 3 ? 0 : (uint8_t)take(o, 1);
	struct vd_cmd c = o->cmd;

	o->pending = false;
	if (!error && c.work == VD_WORK_ENABLE)
		o->wqs |= c.wqs;
	if (!error && (c.work == VD_WORK_DISABLE || c.work == VD_WORK_RESET ||
		       c.work == VD_WORK_RESET_ALL))
		o->wqs &= ~c.wqs;
	vd_cmd_done(&o->d, c.seq, error, (uint16_t)take(o, 2));
}

static void on_cmd(void *priv, const struct vd_cmd *cmd)
{
	struct owner *o = priv;

	/* One at a time; and it acts on the queues that it says it acts on. */
	MUST(!o->pending);
	MUST(cmd->work > VD_WORK_NONE && cmd->work < VD_WORK_MAX);
	MUST(!(cmd->wqs >> vd_wqs(&o->d)));
	if (cmd->work == VD_WORK_ENABLE)
		MUST(cmd->wqs && !(cmd->wqs & (cmd->wqs - 1)) && !(cmd->wqs & o->wqs));
	else
		MUST((cmd->wqs & o->wqs) == cmd->wqs);
	if (cmd->work == VD_WORK_GET_HANDLE || cmd->work == VD_WORK_PUT_HANDLE)
		MUST(cmd->vector && cmd->vector < vd_vectors(&o->d));

	o->cmd = *cmd;
	o->pending = true;
	o->cmds++;
	if (take(o, 1) & 1)
		complete(o);
}

static void on_stop(void *priv, enum vd_stop why)
{
	struct owner *o = priv;

	o->pending = false;
	o->wqs = 0;
}

static void on_irq(void *priv, unsigned int vector)
{
	struct owner *o = priv;

	o->irqs++;
	MUST(vector < vd_vectors(&o->d));
	MUST(vd_irq_open(&o->d, vector));
	MUST(!vector || o->gate & 1u << vector);
}

static void on_gate(void *priv, unsigned int vector, bool open)
{
	struct owner *o = priv;

	MUST(vector && vector < vd_vectors(&o->d));
	MUST(!(o->gate >> vector & 1) == open);
	o->gate ^= (uint16_t)(1u << vector);
}

static const struct vd_ops ops = { on_cmd, on_stop, on_irq, on_gate };

/* ---- what must hold after each step -------------------------------------------------- */

static uint32_t bar32(struct owner *o, uint32_t off)
{
	return (uint32_t)vd_load(o->d.bar0 + off, 4);
}

/* May this vector be sent? Asked of the registers, not of the core. */
static bool is_deliverable(struct owner *o, unsigned int v)
{
	uint32_t control = (uint32_t)vd_load(o->d.config + 0x82, 2);
	uint32_t command = (uint32_t)vd_load(o->d.config + 0x04, 2);

	return (control & 0xc000) == 0x8000 && command & 4 && o->d.connected >> v & 1 &&
	       !(bar32(o, VD_MSIX_TABLE + 16 * v + 12) & 1);
}

static void check_vectors(struct owner *o)
{
	uint64_t pba = vd_load(o->d.bar0 + VD_MSIX_PBA, 8);
	unsigned int v;

	MUST(!(pba >> vd_vectors(&o->d)));
	for (v = 0; v < vd_vectors(&o->d); v++) {
		MUST(is_deliverable(o, v) == vd_irq_open(&o->d, v));
		MUST(!v || (o->gate >> v & 1) == vd_irq_open(&o->d, v));
		MUST(!vd_irq_open(&o->d, v) || !(pba >> v & 1));
	}
}

static void check_states(struct owner *o)
{
	uint32_t cmdsts = bar32(o, R_CMDSTS), gensts = bar32(o, R_GENSTS);
	uint32_t cause = bar32(o, R_INTCAUSE), on = 0;
	unsigned int wq;

	MUST(!(cmdsts & 0x7f000000));
	MUST(!(cmdsts >> 31) || cmdsts == CMDSTS_ACTIVE);
	MUST((cmdsts >> 31) == o->pending);
	MUST((cmdsts & 0xff) == 0 || (cmdsts & 0xffff00) == 0);
	MUST(!(gensts & ~7u) && (gensts >> 2 == (gensts == 7)));
	MUST((gensts & 3) != VD_BUSY || o->pending);
	MUST(!(cause & ~CAUSE_ALL));
	MUST(!(cause & CAUSE_HALT) || !(cause & CAUSE_CMD));

	for (wq = 0; wq < vd_wqs(&o->d); wq++) {
		enum vd_state s = vd_wq_state(&o->d, wq);

		MUST(s != VD_HALTED && (s != VD_BUSY || o->pending));
		if (s != VD_DISABLED)
			on |= 1u << wq;
	}
	/* What the guest believes to be enabled is what the owner has enabled. */
	MUST(on == o->wqs);
	MUST(!on || (gensts & 3) == VD_ENABLED || (gensts & 3) == VD_BUSY);
}

/* An enabled queue has a configuration that the host's limits allow. */
static void check_wqs(struct owner *o)
{
	const struct vd_caps *c = &o->d.caps;
	struct vd_wqcfg cfg;
	unsigned int wq, i;

	for (wq = 0; wq < vd_wqs(&o->d); wq++) {
		if (vd_wq_state(&o->d, wq) != VD_ENABLED)
			continue;
		vd_wq_cfg(&o->d, wq, &cfg);
		MUST(cfg.size && cfg.size <= c->wq_size[wq] && cfg.dedicated && cfg.priority);
		MUST(cfg.max_xfer_shift <= c->max_xfer_shift);
		MUST(cfg.max_batch_shift <= c->max_batch_shift);
		for (i = 0; i < 4; i++)
			MUST(!(cfg.opcfg[i] & ~c->opcap[i]));
		MUST(!(bar32(o, R_WQCFG + wq * WQCFG_STRIDE + WQ_MODE) & 0x1000000e));
	}
}

/* Bits that no row lets a guest write, and the holes between rows. */
static void check_read_only(struct owner *o, const struct vd *born)
{
	static const struct {
		uint32_t from, to;
	} same[] = {
		{ 0x000, 0x080 }, { 0x084, 0x088 }, { 0x09c, 0x0a8 }, { 0x0ac, 0x0c0 },
		{ 0x0d8, 0x0e0 }, { 0x0f8, 0x300 }, { 0x348, 0x400 }, { 0x430, 0x500 },
		{ 0x700, 0x800 }, { 0x890, 0xa00 }, { 0xa08, VD_BAR0_REGS },
	};
	static const struct {
		uint32_t from, to;
	} same_config[] = {
		{ 0x00, 0x04 }, { 0x06, 0x0c }, { 0x0d, 0x10 }, { 0x20, 0x3c }, { 0x3d, 0x48 },
		{ 0x4a, 0x82 }, { 0x84, 0x94 }, { 0x96, 0x100 },
	};
	const struct vd *d = &o->d;
	unsigned int i;

	for (i = 0; i < VD_COUNT(same); i++)
		MUST(!memcmp(d->bar0 + same[i].from, born->bar0 + same[i].from,
			     same[i].to - same[i].from));
	for (i = 0; i < VD_COUNT(same_config); i++)
		MUST(!memcmp(d->config + same_config[i].from, born->config + same_config[i].from,
			     same_config[i].to - same_config[i].from));
	MUST((vd_load(d->config + 0x10, 4) & 0x1fff) == 0xc);
	MUST((vd_load(d->config + 0x18, 4) & (vd_bar_size(d, 2) - 1)) == 0xc);
	MUST((vd_load(d->config + 0x82, 2) & 0x3fff) == vd_vectors(d) - 1);
	MUST(!memcmp(&d->caps, &born->caps, sizeof(d->caps)) && d->ops == &ops);
}

/* ---- steps ----------------------------------------------------------------------------- */

static void guest_write(struct owner *o)
{
	uint32_t off = (uint32_t)take(o, 2) & 0x3fff, len = (uint32_t)take(o, 1) & 31;
	uint8_t buf[32];
	unsigned int i;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)take(o, 1);
	vd_bar0_write(&o->d, off, buf, len);
}

static void guest_write32(struct owner *o, uint32_t off, uint32_t val)
{
	uint8_t buf[4];

	vd_store(buf, 4, val);
	vd_bar0_write(&o->d, off, buf, 4);
}

static void guest_command(struct owner *o)
{
	uint32_t code = take(o, 1) & 31, operand = (uint32_t)take(o, 2);

	if (code > 15)
		code -= 15;
	operand &= take(o, 1) & 1 ? 0xffff : code < 6 ? 0 : vd_vectors(&o->d);
	guest_write32(o, R_CMD, code << 20 | operand | (uint32_t)(take(o, 1) & 1) << 31);
}

/* A well-meaning guest, so that enabled queues are common. */
static void guest_sets_up(struct owner *o)
{
	unsigned int wq, n = vd_wqs(&o->d);
	const uint8_t master[2] = { 6 }, enable[2] = { 0, 0x80 };

	vd_config_write(&o->d, 0x04, master, 2);
	vd_config_write(&o->d, 0x82, enable, 2);
	guest_write32(o, R_GENCTRL, take(o, 1) & 7);
	for (wq = 0; wq < n; wq++) {
		guest_write32(o, R_WQCFG + 64 * wq, o->d.caps.wq_size[wq]);
		guest_write32(o, R_WQCFG + 64 * wq + WQ_MODE, 0xa1);
		guest_write32(o, R_WQCFG + 64 * wq + WQ_LIMITS, 21 | 5 << 5);
		guest_write32(o, R_WQCFG + 64 * wq + WQ_OCC_HANDLE, 0);
	}
	for (wq = 0; wq < 12; wq++)
		guest_write32(o, R_GRPCFG + 4 * wq, 0);
	guest_write32(o, R_GRPCFG, (1u << n) - 1);
	guest_write32(o, R_GRPCFG + GRP_ENGINES, 1);
	guest_write32(o, R_EVLCFG, 0);
	guest_write32(o, R_EVLCFG + 8, 64);
	guest_write32(o, R_CMD, 1u << 20);
	guest_write32(o, R_CMD, 6u << 20 | (uint32_t)(take(o, 1) % n));
}

static void guest_config(struct owner *o)
{
	uint32_t off = (uint32_t)take(o, 2) & 0x11ff;
	uint8_t buf[8];

	vd_store(buf, 8, take(o, 8));
	vd_config_write(&o->d, off, buf, take(o, 1) & 7);
}

static void guest_reads(struct owner *o)
{
	uint32_t off = (uint32_t)take(o, 2) & 0x3fff, len = (uint32_t)take(o, 1) & 63, i;
	uint8_t buf[65], byte;

	memset(buf, 0xa5, sizeof(buf));
	vd_bar0_read(&o->d, off, buf, len);
	MUST(buf[len] == 0xa5);
	for (i = 0; i < len; i++) {
		vd_bar0_read(&o->d, off + i, &byte, 1);
		MUST(byte == buf[i]);
		MUST(off + i < VD_BAR0_SIZE || byte == 0xff);
	}
	vd_config_read(&o->d, off, buf, len);
	MUST(buf[len] == 0xa5);
}

static void host_swerr(struct owner *o)
{
	uint64_t rec[4], now;
	unsigned int i;

	for (i = 0; i < 4; i++)
		rec[i] = take(o, 8);
	vd_swerr(&o->d, rec);
	now = vd_load(o->d.bar0 + R_SWERROR, 8);
	MUST(now & SWERR_VALID);
	MUST(!(now & 0xffffff00ff000040ull));
	MUST((now >> 16 & 0xff) < vd_wqs(&o->d));
}

static void guest_acknowledges(struct owner *o)
{
	guest_write32(o, R_INTCAUSE, bar32(o, R_INTCAUSE));
	guest_write32(o, R_SWERROR, bar32(o, R_SWERROR) & 3);
}

static void guest_masks(struct owner *o)
{
	uint32_t vector = (uint32_t)(take(o, 1) % vd_vectors(&o->d));

	guest_write32(o, VD_MSIX_TABLE + 12 + 16 * vector, take(o, 1) & 1);
}

/* An owner that is late, or confused: never the number of the active command. */
static void stray_completion(struct owner *o)
{
	uint32_t seq = (uint32_t)take(o, 2);

	if (!o->pending || seq != o->cmd.seq)
		vd_cmd_done(&o->d, seq, (uint8_t)take(o, 1), 7);
}

static void step(struct owner *o)
{
	uint8_t what = (uint8_t)take(o, 1);

	if (what < 48)
		guest_write(o);
	else if (what < 112)
		guest_command(o);
	else if (what < 144)
		guest_config(o);
	else if (what < 160)
		guest_reads(o);
	else if (what < 184 && o->pending)
		complete(o);
	else if (what < 192)
		stray_completion(o);
	else if (what < 204)
		vd_irq_connect(&o->d, (unsigned int)take(o, 1) & 15, what & 3);
	else if (what < 212)
		vd_irq_pending(&o->d, (unsigned int)take(o, 1) & 15);
	else if (what < 220)
		guest_masks(o);
	else if (what < 224)
		host_swerr(o);
	else if (what < 236)
		guest_acknowledges(o);
	else if (what < 252)
		guest_sets_up(o);
	else if (what < 254)
		vd_reset(&o->d);
	else
		vd_halt(&o->d);
}

static void run(struct owner *o, const uint8_t *data, size_t size, unsigned long steps)
{
	static struct vd born;
	struct vd_caps caps = {
		.device = 0x0b25, .gencap = ~0ull, .wqcap = ~0ull, .max_xfer_shift = 21,
		.max_batch_shift = 5, .read_buffers = 8,
		.opcap = { 0x1003f03ff, 0, 1, 1ull << 63 }, .ext = { ~0ull, 1, 2 },
	};
	unsigned int i;

	memset(o, 0, sizeof(*o));
	current = o;
	o->data = data;
	o->size = size;
	caps.kind = take(o, 1) & 1 ? VD_IAA : VD_DSA;
	caps.version = 0x100u * (1 + take(o, 1) % 3);
	caps.nwqs = (uint8_t)(1 + take(o, 1) % VD_MAX_WQS);
	caps.wqcap ^= (take(o, 1) & 1) * WQCAP_OPCFG;
	for (i = 0; i < VD_MAX_WQS; i++)
		caps.wq_size[i] = (uint16_t)(1 + take(o, 1));

	MUST(!vd_init(&o->d, &caps, &ops, o));
	born = o->d;
	for (i = 0; i < vd_vectors(&o->d); i++)
		vd_irq_connect(&o->d, i, true);
	while (o->size && o->steps < steps) {
		step(o);
		o->steps++;
		check_states(o);
		check_vectors(o);
		check_wqs(o);
		check_read_only(o, &born);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct owner o;

	run(&o, data, size, ~0ul);
	return 0;
}

#ifndef CORE_LIBFUZZER
/* splitmix64: the same bytes everywhere */
static uint64_t next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static int replay(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	return LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	static uint8_t data[1 << 16];
	static struct owner o;
	unsigned long steps = 200000, done = 0, irqs = 0, cmds = 0;
	uint64_t seed = 1;
	size_t i;
	int arg;

	for (arg = 1; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
		if (argv[arg][1] == 's')
			seed = strtoull(argv[arg + 1], NULL, 0);
		else
			steps = strtoul(argv[arg + 1], NULL, 0);
	}
	if (arg < argc) {
		for (; arg < argc; arg++)
			if (replay(argv[arg]))
				return 1;
		return 0;
	}

	while (done < steps) {
		for (i = 0; i < sizeof(data); i += 8)
			vd_store(data + i, 8, next(&seed));
		run(&o, data, sizeof(data), steps - done);
		done += o.steps;
		irqs += o.irqs;
		cmds += o.cmds;
	}
	printf("%lu steps, %lu commands for the owner, %lu interrupts\n", done, cmds, irqs);
	/* A run that reaches nothing proves nothing. */
	return cmds < steps / 100 || irqs < steps / 100;
}
#endif
