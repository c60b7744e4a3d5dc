// SPDX-License-Identifier: GPL-2.0-or-later
/* An owner of the device that does its part of the contract as the input says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static struct owner *current;

void fuzz_die(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: step %lu: not true: %s\n", file, line,
		current ? current->steps : 0, what);
	abort();
}

uint64_t take(struct owner *o, unsigned int bytes)
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

void owner_complete(struct owner *o)
{
	uint8_t error = take(o, 1) & 3 ? 0 : (uint8_t)take(o, 1);
	struct vd_cmd c = o->cmd;

	o->pending = false;
	o->changes++;
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

	/* One at a time, in a state that allows it, and for the queues that it names. */
	MUST(!o->pending && !o->d.paused);
	MUST(cmd->work > VD_WORK_NONE && cmd->work < VD_WORK_MAX);
	MUST((bar32(o, R_GENSTS) & 3) != VD_HALTED);
	MUST(!(cmd->wqs >> vd_wqs(&o->d)));
	if (cmd->work == VD_WORK_ENABLE) {
		MUST((bar32(o, R_GENSTS) & 3) == VD_ENABLED);
		MUST(vd_load(o->d.config + 0x04, 2) & 4);
		MUST(cmd->wqs && !(cmd->wqs & (cmd->wqs - 1)) && !(cmd->wqs & o->wqs));
	} else {
		MUST((cmd->wqs & o->wqs) == cmd->wqs);
	}
	if (cmd->work == VD_WORK_GET_HANDLE || cmd->work == VD_WORK_PUT_HANDLE)
		MUST(cmd->vector && cmd->vector < vd_vectors(&o->d));

	o->cmd = *cmd;
	o->pending = true;
	o->cmds++;
	o->changes++;
	if (take(o, 1) & 1)
		owner_complete(o);
}

static void on_stop(void *priv, enum vd_stop why)
{
	struct owner *o = priv;

	o->pending = false;
	o->wqs = 0;
	o->changes++;
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

void owner_init(struct owner *o, const struct vd_caps *caps)
{
	unsigned int i;

	o->caps = *caps;
	MUST(!vd_init(&o->d, caps, &ops, o));
	o->born = o->d;
	for (i = 0; i < vd_vectors(&o->d); i++)
		vd_irq_connect(&o->d, i, true);
}

static void take_caps(struct owner *o, struct vd_caps *ret)
{
	struct vd_caps caps = {
		.device = 0x0b25, .gencap = ~0ull, .wqcap = ~0ull, .max_xfer_shift = 21,
		.max_batch_shift = 5, .read_buffers = 8,
		.opcap = { 0x1003f03ff, 0, 1, 1ull << 63 }, .ext = { ~0ull, 1, 2 },
	};
	unsigned int i;

	caps.kind = take(o, 1) & 1 ? VD_IAA : VD_DSA;
	caps.version = 0x100u * (1 + take(o, 1) % 3);
	caps.nwqs = (uint8_t)(1 + take(o, 1) % VD_MAX_WQS);
	caps.wqcap ^= (take(o, 1) & 1) * WQCAP_OPCFG;
	for (i = 0; i < VD_MAX_WQS; i++)
		caps.wq_size[i] = (uint16_t)(1 + take(o, 1));
	*ret = caps;
}

static void step(struct owner *o)
{
	unsigned int what = (unsigned int)take(o, 1), i;

	for (i = 0; i < fuzz_nsteps; i++) {
		if (what < fuzz_steps[i].weight) {
			fuzz_steps[i].run(o);
			return;
		}
		what -= fuzz_steps[i].weight;
	}
	fuzz_die(__FILE__, __LINE__, "the weights of the steps are 256");
}

void fuzz_run(struct owner *o, const uint8_t *data, size_t size, unsigned long steps)
{
	static struct vd before;
	struct vd_caps caps;
	unsigned long changes;

	memset(o, 0, sizeof(*o));
	current = o;
	o->data = data;
	o->size = size;
	take_caps(o, &caps);
	owner_init(o, &caps);
	while (o->size && o->steps < steps) {
		before = o->d;
		changes = o->changes;
		step(o);
		o->steps++;
		check_all(o, &before, changes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct owner o;

	fuzz_run(&o, data, size, ~0ul);
	return 0;
}
