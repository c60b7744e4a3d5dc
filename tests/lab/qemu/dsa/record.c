/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The completion record: whether one is due, what it says, and what happens when it cannot be
 * written. The status byte goes last, since software polls it.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "ops.h"

static bool is_error(uint8_t status)
{
	return status != ST_OK && status != ST_FALSE && status != ST_BATCH_MEMBER;
}

static bool is_fault(uint8_t status)
{
	switch (ST_CODE(status)) {
	case ST_FAULT:
	case ST_PAGE_REFUSED:
	case ST_BATCH_LIST:
	case ST_READBACK:
	case ST_HW_READ:
		return true;
	}
	return false;
}

static bool record_due(const struct work *w)
{
	if (w->status == ST_RECORD_ALIGN || w->status == ST_PRIV)
		return false;
	return w->flags & F_CRAV && (w->flags & F_RCR || is_error(w->status));
}

static void record_compose(struct work *w)
{
	uint8_t *r = w->record;

	memset(r, 0, sizeof(w->record));
	r[0] = w->status;
	r[1] = w->result;
	if (is_fault(w->status)) {
		if (w->d->version >= V2)
			r[2] = w->operand << 1;
		stl_le_p(r + 4, w->done);
		stq_le_p(r + 8, w->fault_addr);
	}
	if (w->status == ST_FLAGS)
		stl_le_p(r + 16, w->aux);
	else if ((ST_CODE(w->status) < ST_OPCODE || is_fault(w->status)) && w->op && w->op->fill)
		w->op->fill(w);
}

static void record_lost(struct work *w)
{
	error_record(w, ST_RECORD_FAULT);
	w->irq_ok = false;
	if (!evl_enabled(w->d))
		w->status = ST_RECORD_FAULT;
	if (w->parent)
		w->parent->logged = true;
	w->d->wq[w->wq].record_logged = true;
}

/*
 * Software restores logged records in order; a Batch or Drain that ends after a logged record is
 * therefore logged as well. unverified: Drain only does so here if there was such a record.
 */
static bool record_follows_log(struct work *w)
{
	bool logged;

	if (!evl_enabled(w->d))
		return false;
	if (w->opcode == OP_BATCH && !w->d->iaa && w->logged) {
		error_record(w, ST_LOG_BATCH);
		return true;
	}
	if (w->opcode != OP_DRAIN || w->parent)
		return false;
	logged = w->d->wq[w->wq].record_logged;
	w->d->wq[w->wq].record_logged = false;
	if (!logged || (pcicfg_pri(w->d) && !(wqcfg(w->d, w->wq)[WQ_MODE] & WQM_PRS_OFF)))
		return false;
	error_record(w, ST_LOG_DRAIN);
	return true;
}

enum step record_write(struct work *w)
{
	uint32_t len = w->d->iaa ? 64 : 32;
	enum step s;

	if (!record_due(w)) {
		if (is_error(w->status))
			error_work(w, w->status, w->status == ST_FLAGS ? w->aux : 0,
				   is_fault(w->status) ? w->fault_addr : 0);
		return STEP_DONE;
	}

	if (!w->record_started) {
		record_compose(w);
		w->record_started = true;
		if (record_follows_log(w))
			return STEP_DONE;
	}
	if (w->page_failed) {
		record_lost(w);
		return STEP_DONE;
	}

	s = work_write(w, w->record_addr + 1, w->record + 1, len - 1, OPND_RECORD);
	if (s == STEP_OK) {
		smp_wmb();
		s = work_write(w, w->record_addr, w->record, 1, OPND_RECORD);
	}
	w->status = w->record[0];
	if (s == STEP_OK)
		return STEP_DONE;
	if (s == STEP_DONE)
		record_lost(w);
	return s;
}
