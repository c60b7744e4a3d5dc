// SPDX-License-Identifier: GPL-2.0-or-later
/* An owner of a virtual device that only takes notes. */
#include <stdarg.h>
#include <string.h>

#include "core-fake.h"

unsigned int checks, failures;

static const char *const work_names[VD_WORK_MAX] = {
	[VD_WORK_NONE] = "NONE",
	[VD_WORK_ENABLE] = "enable",
	[VD_WORK_DISABLE] = "disable",
	[VD_WORK_DRAIN] = "drain",
	[VD_WORK_ABORT] = "abort",
	[VD_WORK_RESET] = "reset",
	[VD_WORK_RESET_ALL] = "reset-all",
	[VD_WORK_GET_HANDLE] = "get",
	[VD_WORK_PUT_HANDLE] = "put",
};

static __attribute__((format(printf, 2, 3))) void note(struct fake *f, const char *format, ...)
{
	size_t used = strlen(f->log);
	va_list args;

	va_start(args, format);
	vsnprintf(f->log + used, sizeof(f->log) - used, format, args);
	va_end(args);
}

static bool is_handle_work(const struct vd_cmd *c)
{
	return c->work == VD_WORK_GET_HANDLE || c->work == VD_WORK_PUT_HANDLE;
}

void fake_done(struct fake *f)
{
	vd_cmd_done(&f->d, f->cmd.seq, f->error, (uint16_t)(0x100 + f->cmd.vector));
}

static void fake_cmd_start(void *priv, const struct vd_cmd *cmd)
{
	struct fake *f = priv;

	f->cmd = *cmd;
	if (is_handle_work(cmd))
		note(f, " %s:v%u", work_names[cmd->work], cmd->vector);
	else
		note(f, " %s:%x", work_names[cmd->work], cmd->wqs);
	if (!f->hold)
		fake_done(f);
}

static void fake_stop(void *priv, enum vd_stop why)
{
	note(priv, " stop:%s", why == VD_STOP_HALT ? "halt" : "reset");
}

static void fake_irq(void *priv, unsigned int vector)
{
	note(priv, " irq%u", vector);
}

static void fake_irq_gate(void *priv, unsigned int vector, bool open)
{
	note(priv, " %s%u", open ? "open" : "close", vector);
}

const struct vd_ops fake_ops = {
	.cmd_start = fake_cmd_start,
	.stop = fake_stop,
	.irq = fake_irq,
	.irq_gate = fake_irq_gate,
};

#define GENCAP_HOST	(0x4000000107ull | 31ull << 16 | 10ull << 21 | 8ull << 25 | 1ull << 31)
#define WQCAP_HOST	(128ull | 8ull << 16 | 1ull << 24 | 0x3full << 48)

const struct vd_caps fake_caps[] = {
	[DSA] = {
		.kind = VD_DSA, .device = 0x11fb, .revision = 2, .version = 0x200,
		.gencap = GENCAP_HOST | 1ull << 13, .wqcap = WQCAP_HOST | WQCAP_OPCFG,
		.opcap = { 0x7f0001003f03ffull }, .ext = { ~0ull, ~0ull, ~0ull },
		.nwqs = 1, .wq_size = { 16 },
		.max_xfer_shift = 21, .max_batch_shift = 5, .read_buffers = 96,
	},
	[DSA_V1] = {
		.kind = VD_DSA, .device = 0x0b25, .version = 0x100,
		.gencap = GENCAP_HOST, .wqcap = WQCAP_HOST,
		.opcap = { 0x1003f03ff }, .nwqs = 1, .wq_size = { 64 },
		.max_xfer_shift = 31, .max_batch_shift = 15, .read_buffers = 8,
	},
	[DSA_V3] = {
		.kind = VD_DSA, .device = 0x1212, .version = 0x300,
		.gencap = GENCAP_HOST | GENCAP_BATCH1, .wqcap = WQCAP_HOST | WQCAP_OPCFG,
		.opcap = { 0x17f97ff03ffull }, .ext = { 0x1000007f15ull, 0x1234, 0x5678 },
		.nwqs = 1, .wq_size = { 32 },
		.max_xfer_shift = 21, .max_batch_shift = 5, .read_buffers = 32,
	},
	[IAA] = {
		.kind = VD_IAA, .device = 0x1216, .version = 0x200,
		.gencap = 3ull << 40 | 31ull << 16 | 1ull << 31 | 2ull << 13,
		.wqcap = WQCAP_HOST | WQCAP_OPCFG, .opcap = { 0x405, 0x4d001c },
		.ext = { 0xffd }, .nwqs = 1, .wq_size = { 128 },
		.max_xfer_shift = 21, .max_batch_shift = 5,
	},
	[DSA_8WQ] = {
		.kind = VD_DSA, .device = 0x11fb, .version = 0x200,
		.gencap = GENCAP_HOST, .wqcap = WQCAP_HOST | WQCAP_OPCFG,
		.opcap = { 0x1003f03ff }, .nwqs = 8, .wq_size = { 1, 1, 1, 1, 1, 1, 1, 1 },
		.max_xfer_shift = 21, .max_batch_shift = 5, .read_buffers = 16,
	},
};

static void probe(struct fake *f)
{
	unsigned int v;

	cfg_write(f, COMMAND, 2, MASTER);
	for (v = 0; v < vd_vectors(&f->d); v++)
		vd_irq_connect(&f->d, v, true);
	w32(f, R_GENCTRL, GENCTRL_SWERR | GENCTRL_HALT);
}

/* All queues alike: dedicated, priority 10, transfers of 2 MiB, batches of 32. */
static void configure(struct fake *f)
{
	unsigned int wq, n = vd_wqs(&f->d);

	for (wq = 0; wq < n; wq++) {
		w32(f, wqcfg(wq, WQ_SIZE), f->d.caps.wq_size[wq]);
		w32(f, wqcfg(wq, WQ_MODE), 0xa1);
		w32(f, wqcfg(wq, WQ_LIMITS), 21 | 5 << WQ_LIMITS_BATCH_SHIFT);
	}
	w64(f, R_GRPCFG + GRP_WQS, (1u << n) - 1);
	w64(f, R_GRPCFG + GRP_ENGINES, 1);
}

void fake_init(struct fake *f, enum flavour flavour, enum stage stage)
{
	unsigned int wq;
	int r;

	memset(f, 0, sizeof(*f));
	r = vd_init(&f->d, &fake_caps[flavour], &fake_ops, f);
	CHECK("a device of each flavour can be made", r == 0);

	if (stage >= PROBED)
		probe(f);
	if (stage >= CONFIGURED)
		configure(f);
	if (stage >= DEV_ON)
		w32(f, R_CMD, CMD(1, 0));
	for (wq = 0; stage >= WQ_ON && wq < vd_wqs(&f->d); wq++)
		w32(f, R_CMD, CMD(6, wq));
	w32(f, R_INTCAUSE, CAUSE_ALL);
	if (stage == HALTED)
		vd_halt(&f->d);
	fake_log(f);
}

const char *fake_log(struct fake *f)
{
	static char copy[sizeof(f->log)];

	memcpy(copy, f->log, sizeof(copy));
	f->log[0] = '\0';
	return copy[0] == ' ' ? copy + 1 : copy;
}

/* The guest is little-endian, and so is every machine that has the device. */
uint64_t bar_read(struct fake *f, uint32_t off, uint32_t len)
{
	uint64_t val = 0;

	vd_bar0_read(&f->d, off, &val, len);
	return val;
}

void bar_write(struct fake *f, uint32_t off, uint32_t len, uint64_t val)
{
	vd_bar0_write(&f->d, off, &val, len);
}

uint64_t cfg_read(struct fake *f, uint32_t off, uint32_t len)
{
	uint64_t val = 0;

	vd_config_read(&f->d, off, &val, len);
	return val;
}

void cfg_write(struct fake *f, uint32_t off, uint32_t len, uint64_t val)
{
	vd_config_write(&f->d, off, &val, len);
}

bool check_at(const char *file, int line, bool ok, const char *what, const char *row)
{
	checks++;
	if (ok)
		return true;
	failures++;
	fprintf(stderr, "%s:%d: %s: not true: %s\n", file, line, row, what);
	return false;
}

bool equal_at(const char *file, int line, uint64_t is, uint64_t want, const char *what,
	      const char *row)
{
	checks++;
	if (is == want)
		return true;
	failures++;
	fprintf(stderr, "%s:%d: %s: %s is 0x%llx, not 0x%llx\n", file, line, row, what,
		(unsigned long long)is, (unsigned long long)want);
	return false;
}

bool same_at(const char *file, int line, const char *is, const char *want, const char *row)
{
	checks++;
	if (!strcmp(is, want))
		return true;
	failures++;
	fprintf(stderr, "%s:%d: %s: effects were \"%s\", not \"%s\"\n", file, line, row, is, want);
	return false;
}

int report(void)
{
	printf("%u checks, %u failures\n", checks, failures);
	return failures || !checks ? 1 : 0;
}
