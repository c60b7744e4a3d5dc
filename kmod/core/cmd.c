// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* The command register: decode, legality, start and completion. */
#include "core.h"

struct command {
	const char *name;
	/* The error in each device state; VD_BUSY also stands for "a command is active". */
	uint8_t when[4];
	/* Decodes the operand into @c and d->cmd_wqs, and checks what the command needs. */
	uint8_t (*check)(struct vd *d, uint32_t operand, struct vd_cmd *c);
	enum vd_work work;
	bool always;				/* even when no enabled queue is named */
	enum vd_state dev_busy, wq_busy;	/* states while it runs, if it changes them */
	void (*done)(struct vd *d, uint16_t result);
};

#define SAME	VD_ENABLED			/* a busy state that is none: no change */

bool vd_cmd_is_active(const struct vd *d)
{
	return vd_get32(d, R_CMDSTS) & CMDSTS_ACTIVE;
}

/* ---- operands --------------------------------------------------------------- */

static uint8_t check_none(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	return operand ? E_RESERVED : E_OK;
}

static uint8_t check_all(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	d->cmd_wqs = c->wqs = vd_wqs_enabled(d);
	return check_none(d, operand, c);
}

static uint8_t check_enable_dev(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	return operand ? E_RESERVED : vd_dev_check(d);
}

static uint8_t check_enable_wq(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	if (operand & ~0xffu)
		return E_RESERVED;
	if (operand >= d->caps.nwqs)
		return E_WQ_INDEX;

	d->cmd_wqs = c->wqs = 1u << operand;
	return vd_wq_check(d, operand);
}

/* Bits 15:0 name queues of the group of 16 in bits 19:16; we have less than 16. */
static uint8_t check_any_wqs(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	if (operand >> d->caps.nwqs)
		return E_WQ_INDEX;

	d->cmd_wqs = operand;
	c->wqs = operand & vd_wqs_enabled(d);
	return E_OK;
}

static uint8_t check_enabled_wqs(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	uint8_t e = check_any_wqs(d, operand, c);

	if (e)
		return e;
	return c->wqs == operand ? E_OK : E_WQ_NOT_ENABLED;
}

/*
 * PASID is not enabled in the virtual function, so no descriptor of the guest has
 * one, and there is nothing to drain or to abort.
 */
static uint8_t check_pasid(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	return E_OK;
}

/* Bit 16 asks for the interrupt message store, which has no entries here. */
static uint8_t check_get_handle(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	uint32_t vector = operand & 0xffff;

	if (operand >> 17)
		return E_RESERVED;
	if (operand >> 16)
		return E_NO_HANDLE;
	/* Vector 0 is software: no descriptor can raise it. */
	if (!vector || vector >= vd_vectors(d))
		return E_HANDLE_INDEX;

	c->vector = (uint16_t)vector;
	return E_OK;
}

/* The specification says table index, Linux says handle: the handle goes first. */
static uint8_t check_put_handle(struct vd *d, uint32_t operand, struct vd_cmd *c)
{
	uint32_t what = operand & 0xffff;
	unsigned int v;

	if (operand >> 17)
		return E_RESERVED;
	if (operand >> 16)
		return E_HANDLE_INDEX;
	for (v = 1; v < vd_vectors(d) && !c->vector; v++)
		if (d->live & 1u << v && d->handle[v] == what)
			c->vector = (uint16_t)v;
	if (!c->vector && what < vd_vectors(d) && d->live & 1u << what)
		c->vector = (uint16_t)what;
	return c->vector ? E_OK : E_HANDLE_INDEX;
}

/* ---- what a command that succeeded changes ---------------------------------- */

static void done_nothing(struct vd *d, uint16_t result)
{
}

static void done_enable_dev(struct vd *d, uint16_t result)
{
	if (vd_get32(d, R_GENCFG) & GENCFG_EVL)
		vd_set64(d, R_EVLSTATUS, 0);
	vd_state_set(d, VD_ENABLED);
}

static void done_disable_dev(struct vd *d, uint16_t result)
{
	vd_wq_state_set(d, d->cmd_wqs, VD_DISABLED);
	vd_state_set(d, VD_DISABLED);
}

static void done_reset_dev(struct vd *d, uint16_t result)
{
	vd_reset_device(d);
}

static void done_enable_wq(struct vd *d, uint16_t result)
{
	vd_wq_state_set(d, d->cmd_wqs, VD_ENABLED);
}

static void done_disable_wq(struct vd *d, uint16_t result)
{
	vd_wq_state_set(d, d->cmd_wqs, VD_DISABLED);
}

static void done_reset_wq(struct vd *d, uint16_t result)
{
	unsigned int wq;

	for (wq = 0; wq < d->caps.nwqs; wq++)
		if (d->cmd_wqs & 1u << wq)
			vd_wqcfg_reset(d, wq);
}

static void done_get_handle(struct vd *d, uint16_t result)
{
	d->handle[d->cmd.vector] = result;
	d->live |= (uint16_t)(1u << d->cmd.vector);
}

static void done_put_handle(struct vd *d, uint16_t result)
{
	d->live &= (uint16_t)~(1u << d->cmd.vector);
}

/*
 * Every command in every state. CMDCAP says the same: codes 1 to 14. A halted
 * device asks for a function level reset, so not even Reset Device helps it.
 */
static const struct command commands[] = {
	/* name                        Disabled Enabled Busy Halted	check */
	/*	work			always	device	queues		done */
	[0] =  { NULL,                 { E_CODE, E_CODE, E_CODE, E_CODE }, check_none,
		 VD_WORK_NONE,		false,	SAME,	SAME,		done_nothing },
	[1] =  { "Enable Device",      { E_OK, E_DEV_NOT_DISABLED, E_CMD_ACTIVE, E_HALTED },
		 check_enable_dev,
		 VD_WORK_NONE,		false,	SAME,	SAME,		done_enable_dev },
	[2] =  { "Disable Device",     { E_DISABLE_DEV, E_OK, E_CMD_ACTIVE, E_HALTED }, check_all,
		 VD_WORK_DISABLE,	false,	VD_BUSY, VD_BUSY,	done_disable_dev },
	[3] =  { "Drain All",          { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_all,
		 VD_WORK_DRAIN,		false,	SAME,	SAME,		done_nothing },
	[4] =  { "Abort All",          { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_all,
		 VD_WORK_ABORT,		false,	SAME,	SAME,		done_nothing },
	[5] =  { "Reset Device",       { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_all,
		 VD_WORK_RESET_ALL,	true,	VD_BUSY, VD_BUSY,	done_reset_dev },
	[6] =  { "Enable WQ",          { E_DEV_NOT_ENABLED, E_OK, E_CMD_ACTIVE, E_HALTED },
		 check_enable_wq,
		 VD_WORK_ENABLE,	true,	SAME,	SAME,		done_enable_wq },
	[7] =  { "Disable WQ",         { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_enabled_wqs,
		 VD_WORK_DISABLE,	false,	SAME,	VD_BUSY,	done_disable_wq },
	[8] =  { "Drain WQ",           { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_enabled_wqs,
		 VD_WORK_DRAIN,		false,	SAME,	SAME,		done_nothing },
	[9] =  { "Abort WQ",           { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_enabled_wqs,
		 VD_WORK_ABORT,		false,	SAME,	SAME,		done_nothing },
	[10] = { "Reset WQ",           { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_any_wqs,
		 VD_WORK_RESET,		false,	SAME,	VD_BUSY,	done_reset_wq },
	[11] = { "Drain PASID",        { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_pasid,
		 VD_WORK_NONE,		false,	SAME,	SAME,		done_nothing },
	[12] = { "Abort PASID",        { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED }, check_pasid,
		 VD_WORK_NONE,		false,	SAME,	SAME,		done_nothing },
	[13] = { "Request Interrupt Handle", { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED },
		 check_get_handle,
		 VD_WORK_GET_HANDLE,	true,	SAME,	SAME,		done_get_handle },
	[14] = { "Release Interrupt Handle", { E_OK, E_OK, E_CMD_ACTIVE, E_HALTED },
		 check_put_handle,
		 VD_WORK_PUT_HANDLE,	true,	SAME,	SAME,		done_put_handle },
};

/* ---- life of a command ------------------------------------------------------- */

/* Active is cleared last, and the interrupt follows it. */
static void cmd_finish(struct vd *d, uint8_t error, uint16_t result)
{
	vd_set32(d, R_CMDSTS, error | (uint32_t)result << CMDSTS_RESULT_SHIFT);
	if (d->cmd_irq)
		vd_cause(d, CAUSE_CMD);
}

/* Puts back the states that the command had marked as busy. */
static void cmd_undo(struct vd *d)
{
	const struct command *k = &commands[d->cmd.code];

	if (k->dev_busy != SAME)
		vd_state_set(d, d->cmd_from);
	if (k->wq_busy != SAME)
		vd_wq_state_set(d, d->cmd.wqs, VD_ENABLED);
}

static void cmd_start(struct vd *d, const struct command *k)
{
	struct vd_cmd c;

	d->cmd_from = vd_state(d);
	if (k->dev_busy != SAME)
		vd_state_set(d, k->dev_busy);
	if (k->wq_busy != SAME)
		vd_wq_state_set(d, d->cmd.wqs, k->wq_busy);
	vd_set32(d, R_CMDSTS, CMDSTS_ACTIVE);

	c = d->cmd;
	if (k->work == VD_WORK_NONE || (!k->always && !c.wqs))
		vd_cmd_done(d, c.seq, E_OK, 0);
	else
		d->ops->cmd_start(d->priv, &c);
}

/* Reserved bits and the state table come before the operand (any order is legal). */
static uint8_t cmd_check(struct vd *d, uint32_t val, const struct command *k)
{
	uint8_t e;

	if (val & CMD_RESERVED)
		return E_RESERVED;
	e = k->when[vd_state(d)];
	if (e)
		return e;
	return k->check(d, val & CMD_OPERAND, &d->cmd);
}

static void cmd_write(struct vd *d, uint32_t val)
{
	unsigned int code = val >> CMD_CODE_SHIFT & CMD_CODE_MASK;
	const struct command *k = &commands[code < VD_COUNT(commands) ? code : 0];
	uint8_t e;

	if (d->paused)
		return;
	if (vd_cmd_is_active(d)) {
		vd_swerr_code(d, E_CMD_ACTIVE);
		return;
	}

	d->cmd = (struct vd_cmd){ .seq = ++d->seq, .work = k->work, .code = (uint8_t)code };
	d->cmd_irq = val & CMD_IRQ;
	d->cmd_wqs = 0;
	e = cmd_check(d, val, k);
	if (e)
		cmd_finish(d, e, 0);
	else
		cmd_start(d, k);
}

/* Only a write of the whole register is a command. */
void vd_cmd_post(struct vd *d, const struct vd_write *w)
{
	if (w->lanes == 0xffffffffu)
		cmd_write(d, (uint32_t)w->val);
}

void vd_cmd_done(struct vd *d, uint32_t seq, uint8_t error, uint16_t result)
{
	bool handle = d->cmd.work == VD_WORK_GET_HANDLE && !error;

	if (!vd_cmd_is_active(d) || seq != d->cmd.seq)
		return;

	if (error)
		cmd_undo(d);
	else
		commands[d->cmd.code].done(d, result);
	cmd_finish(d, error, handle ? result : 0);
}

/*
 * The device halts under an active command, whose waiter must not hang. True when
 * the caller, once the halt is stored, has to announce the completion.
 */
bool vd_cmd_cancel(struct vd *d)
{
	if (!vd_cmd_is_active(d))
		return false;
	vd_set32(d, R_CMDSTS, E_HALTED);
	return d->cmd_irq;
}
