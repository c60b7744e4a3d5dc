/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Administrative commands. Writing CMD only sets Active; the command runs from a bottom half, and
 * one that has to wait for works is looked at again whenever a work ends.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "model.h"

/* How long an abort waits for page responses of what it abandoned. */
#define ABORT_PATIENCE_NS	(1000 * SCALE_MS)

/* Reads of CMDSTATUS before they make a command go on. */
#define POLLS			64

enum shape { NONE, ONE_WQ, WQ_SET, PASID, HANDLE };

enum scope { NOTHING, ALL_WORKS, WQ_WORKS, PASID_WORKS };

/* Start-up conditions are functions; what a command waits for and what it leaves are data. */
struct cmd_def {
	enum shape shape;
	enum scope scope;
	bool abort;
	enum cmd_error (*start)(IdxdLab *d);
	void (*finish)(IdxdLab *d);
};

static unsigned int set_first(const IdxdLab *d)
{
	return 16 * (d->cmd.operand >> 16 & 0xf);
}

static bool in_set(const IdxdLab *d, unsigned int wq)
{
	unsigned int first = set_first(d);

	return wq >= first && wq < first + 16 && d->cmd.operand >> (wq - first) & 1;
}

static enum cmd_error start_enable(IdxdLab *d)
{
	enum cmd_error e = check_device(d);

	if (e != CE_OK)
		return e;
	if (evl_enabled(d))
		reg64_set(d, R_EVLSTATUS, 0);
	d->regs[R_GENSTS / 4] = DEV_ENABLED;
	return CE_OK;
}

static void wqs_stop_accepting(IdxdLab *d)
{
	unsigned int i;

	for (i = 0; i < d->nwqs; i++) {
		if (wq_state(d, i) == WQ_ENABLED)
			wq_set_state(d, i, WQ_CHANGING);
	}
}

static enum cmd_error start_disable(IdxdLab *d)
{
	if (dev_state(d) != DEV_ENABLED)
		return CE_DEV_NOT_ENABLED;
	d->regs[R_GENSTS / 4] = DEV_CHANGING;
	wqs_stop_accepting(d);
	return CE_OK;
}

static void finish_disable(IdxdLab *d)
{
	unsigned int i;

	for (i = 0; i < d->nwqs; i++)
		wq_set_state(d, i, WQ_DISABLED);
	d->regs[R_GENSTS / 4] = DEV_DISABLED;
}

static enum cmd_error start_reset(IdxdLab *d)
{
	d->regs[R_GENSTS / 4] = DEV_CHANGING;
	wqs_stop_accepting(d);
	return CE_OK;
}

static void finish_reset(IdxdLab *d)
{
	regs_reset(d, false);
}

static enum cmd_error start_wq_enable(IdxdLab *d)
{
	unsigned int wq = d->cmd.operand & 0xff;
	enum cmd_error e = check_wq(d, wq);

	if (e != CE_OK)
		return e;
	wq_set_state(d, wq, WQ_ENABLED);
	wq_occupancy_check(d, wq);
	return CE_OK;
}

static enum cmd_error wqs_all_enabled(IdxdLab *d)
{
	unsigned int i;

	for (i = 0; i < d->nwqs; i++) {
		if (in_set(d, i) && wq_state(d, i) != WQ_ENABLED)
			return CE_WQ_NOT_ENABLED;
	}
	return CE_OK;
}

static enum cmd_error start_wq_disable(IdxdLab *d)
{
	enum cmd_error e = wqs_all_enabled(d);
	unsigned int i;

	for (i = 0; e == CE_OK && i < d->nwqs; i++) {
		if (in_set(d, i))
			wq_set_state(d, i, WQ_CHANGING);
	}
	return e;
}

static void finish_wq_disable(IdxdLab *d)
{
	unsigned int i;

	for (i = 0; i < d->nwqs; i++) {
		if (in_set(d, i))
			wq_set_state(d, i, WQ_DISABLED);
	}
}

static enum cmd_error start_wq_reset(IdxdLab *d)
{
	unsigned int i;

	for (i = 0; i < d->nwqs; i++) {
		if (in_set(d, i) && wq_state(d, i) == WQ_ENABLED)
			wq_set_state(d, i, WQ_CHANGING);
	}
	return CE_OK;
}

static void finish_wq_reset(IdxdLab *d)
{
	unsigned int i;

	for (i = 0; i < d->nwqs; i++) {
		if (in_set(d, i)) {
			wq_set_state(d, i, WQ_DISABLED);
			table_reset_wq(d, i);
		}
	}
}

/* The handle goes to CMDSTATUS[23:8], which cmd_end() keeps. */
static enum cmd_error start_handle_get(IdxdLab *d)
{
	uint16_t handle;
	enum cmd_error e = irq_handle_get(d, d->cmd.operand, &handle);

	if (e == CE_OK)
		d->regs[R_CMDSTATUS / 4] = CMDSTS_ACTIVE | handle << 8;
	return e;
}

static enum cmd_error start_handle_put(IdxdLab *d)
{
	return irq_handle_put(d, d->cmd.operand);
}

static const struct cmd_def defs[] = {
	[CMD_ENABLE]	  = { NONE, NOTHING, false, start_enable, NULL },
	[CMD_DISABLE]	  = { NONE, ALL_WORKS, false, start_disable, finish_disable },
	[CMD_DRAIN_ALL]	  = { NONE, ALL_WORKS, false, NULL, NULL },
	[CMD_ABORT_ALL]	  = { NONE, ALL_WORKS, true, NULL, NULL },
	[CMD_RESET]	  = { NONE, ALL_WORKS, true, start_reset, finish_reset },
	[CMD_WQ_ENABLE]	  = { ONE_WQ, NOTHING, false, start_wq_enable, NULL },
	[CMD_WQ_DISABLE]  = { WQ_SET, WQ_WORKS, false, start_wq_disable, finish_wq_disable },
	[CMD_WQ_DRAIN]	  = { WQ_SET, WQ_WORKS, false, wqs_all_enabled, NULL },
	[CMD_WQ_ABORT]	  = { WQ_SET, WQ_WORKS, true, wqs_all_enabled, NULL },
	[CMD_WQ_RESET]	  = { WQ_SET, WQ_WORKS, true, start_wq_reset, finish_wq_reset },
	[CMD_PASID_DRAIN] = { PASID, PASID_WORKS, false, NULL, NULL },
	[CMD_PASID_ABORT] = { PASID, PASID_WORKS, true, NULL, NULL },
	[CMD_HANDLE_GET]  = { HANDLE, NOTHING, false, start_handle_get, NULL },
	[CMD_HANDLE_PUT]  = { HANDLE, NOTHING, false, start_handle_put, NULL },
};

/* The works that were there when the command started and that it is about. */
static bool concerns(IdxdLab *d, const struct work *w)
{
	if (w->seq > d->cmd.seq)
		return false;

	switch (defs[d->cmd.code].scope) {
	case NOTHING:
		return false;
	case ALL_WORKS:
		return true;
	case WQ_WORKS:
		return in_set(d, w->wq);
	case PASID_WORKS:
		return w->pasid_en && w->pasid == d->cmd.operand;
	}
	return false;
}

static bool reset_wanted(IdxdLab *d)
{
	return reg32(d, R_GENSTS) >> GENSTS_RESET_SHIFT == RESET_COMMAND;
}

static enum cmd_error cmd_validate(IdxdLab *d)
{
	const uint32_t op = d->cmd.operand;
	unsigned int first;

	if (d->cmd.code >= ARRAY_SIZE(defs) || !(caps_commands(d) >> d->cmd.code & 1))
		return CE_CODE;

	/* unverified: a halted device takes Reset Device if that is what it asks for, else nothing */
	if (dev_state(d) == DEV_HALT && !(d->cmd.code == CMD_RESET && reset_wanted(d)))
		return CE_HALT;

	switch (defs[d->cmd.code].shape) {
	case NONE:
		return op ? CE_RESERVED : CE_OK;
	case ONE_WQ:
		if (op & ~0xffu)
			return CE_RESERVED;
		return op < d->nwqs ? CE_OK : CE_WQ;
	case WQ_SET:
		first = set_first(d);
		if (first >= d->nwqs)
			return CE_WQ;
		return d->nwqs - first < 16 && (op & 0xffff) >> (d->nwqs - first) ? CE_WQ : CE_OK;
	case PASID:
		return CE_OK;
	case HANDLE:
		return op & 0xe0000 ? CE_RESERVED : CE_OK;
	}
	return CE_OK;
}

/* Active goes last but for the interrupt, which must find it clear. */
static void cmd_end(IdxdLab *d, enum cmd_error e)
{
	uint32_t result = reg32(d, R_CMDSTATUS) & 0x00ffff00;

	d->cmd.active = false;
	timer_del(d->cmd_timer);
	d->regs[R_CMDSTATUS / 4] = (e == CE_OK ? result : 0) | e;
	if (d->cmd.irq)
		irq_misc(d, CAUSE_CMD);
}

void cmd_bh(void *opaque)
{
	IdxdLab *d = opaque;
	const struct cmd_def *def;
	enum cmd_error e;

	if (!d->cmd.active)
		return;

	if (!d->cmd.started) {
		d->cmd.started = true;
		e = labpage_cmd_error(d);
		if (e == CE_OK)
			e = cmd_validate(d);
		if (e == CE_OK && defs[d->cmd.code].start)
			e = defs[d->cmd.code].start(d);
		if (e != CE_OK) {
			cmd_end(d, e);
			return;
		}
		d->cmd.seq = d->seq;
		if (defs[d->cmd.code].abort) {
			engine_abort(d, concerns);
			d->cmd.deadline = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ABORT_PATIENCE_NS;
			timer_mod(d->cmd_timer, d->cmd.deadline);
		}
	}

	/*
	 * An aborted work may still be owed a page response; the command waits for it, so that no
	 * request is outstanding when software tears the PASID down, but not for ever.
	 */
	def = &defs[d->cmd.code];
	if (engine_any(d, concerns)) {
		if (!def->abort || qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) < d->cmd.deadline)
			return;
		page_forget(d);
	}

	if (def->finish)
		def->finish(d);
	cmd_end(d, CE_OK);
}

void cmd_kick(IdxdLab *d)
{
	if (d->cmd.active && d->cmd.started)
		qemu_bh_schedule(d->cmd_bh);
}

/*
 * Software counts its reads of CMDSTATUS to know when a device is dead. On a busy machine a
 * thousand reads may pass before the main loop runs once, so from some number on the reads
 * themselves drive the command.
 */
void cmd_poll(IdxdLab *d)
{
	if (!d->cmd.active || ++d->cmd.polls < POLLS || labpage_cmd_delay_ns(d))
		return;
	if (d->cmd.started)
		engine_bh(d);
	cmd_bh(d);
}

/* Halt and FLR: the command just vanishes. */
void cmd_cancel(IdxdLab *d)
{
	d->cmd.active = false;
	d->regs[R_CMDSTATUS / 4] &= ~CMDSTS_ACTIVE;
	timer_del(d->cmd_timer);
}

void cmd_write(IdxdLab *d, uint32_t val)
{
	if (d->cmd.active) {
		error_device(d, ER_CMD);
		return;
	}

	d->cmd = (struct command){
		.active = true,
		.irq = val & CMD_INT,
		.code = val >> 20 & 0x1f,
		.operand = val & 0xfffff,
	};
	if (val & CMD_RESERVED) {
		d->cmd.started = true;
		cmd_end(d, CE_RESERVED);
		return;
	}
	d->regs[R_CMDSTATUS / 4] = CMDSTS_ACTIVE;
	if (labpage_cmd_delay_ns(d))
		timer_mod(d->cmd_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
			  labpage_cmd_delay_ns(d));
	else
		qemu_bh_schedule(d->cmd_bh);
}
