/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors about descriptors: Batch, whose members are works of their own, and Drain.
 */
#include "qemu/osdep.h"
#include "ops.h"

/* Members of one batch in progress at a time. */
#define BATCH_WINDOW	8

uint8_t check_batch(struct work *w)
{
	if (w->src & 63)
		return ST_LIST_ALIGN;
	if (w->size < (w->d->batch1 ? 1 : 2) ||
	    w->size > 1u << WQL_BATCH(wqcfg(w->d, w->wq)[WQ_LIMITS]))
		return ST_COUNT;
	/* unverified: the flag stands for a failure before the part that is handed in again */
	w->member_failed = w->flags & F_OP(0);
	w->batch_id = w->d->next_batch++;
	return 0;
}

/* Reads the next member; its PASID, privilege and portal are the batch's. */
static enum step batch_fetch(struct work *w)
{
	uint8_t raw[64];
	enum step s = work_read(w, w->src + 64ull * w->fetched, raw, sizeof(raw), OPND_SRC1);
	struct work *m;

	if (s != STEP_OK)
		return s;

	m = work_new(w->d, raw);
	m->parent = w;
	m->index = w->fetched++;
	m->seq = w->seq;
	m->wq = w->wq;
	m->ims = w->ims;
	m->pasid_en = w->pasid_en;
	m->pasid = w->pasid;
	m->priv = w->priv;
	m->flags = ldl_le_p(raw + 4) & 0xffffff;
	w->pending = m;
	return STEP_OK;
}

void batch_member_done(struct work *member)
{
	struct work *w = member->parent;

	w->finished++;
	if (member->status != ST_OK)
		w->member_failed = true;
}

static enum step batch_end(struct work *w)
{
	if (!w->status)
		w->status = w->member_failed ? ST_BATCH_MEMBER : ST_OK;
	w->done = w->finished;
	return STEP_DONE;
}

enum step step_batch(struct work *w)
{
	/* the page of the list stays away: what runs is still to be waited for */
	if (w->page_failed) {
		w->page_failed = false;
		w->status = ST_BATCH_LIST;
	}

	for (;;) {
		unsigned int running = w->members - w->finished;

		/* After a list fault or at an unmet fence only running members are waited for. */
		if (w->status || w->abandoned || (w->fetched == w->size && !w->pending))
			return running ? STEP_BLOCKED : batch_end(w);

		if (!w->pending) {
			enum step s = batch_fetch(w);

			if (s == STEP_PAGE || s == STEP_RETRY)
				return s;
			if (s != STEP_OK) {
				w->status = ST_BATCH_LIST;
				continue;
			}
		}

		if (w->pending->flags & F_FENCE && running)
			return STEP_BLOCKED;
		/* A member whose record went to the event log has failed for a fence, as dsa_test has it. */
		if (w->pending->flags & F_FENCE && (w->member_failed || w->logged)) {
			w->member_failed = true;
			w->abandoned = true;
			g_free(w->pending);
			w->pending = NULL;
			continue;
		}
		if (running >= BATCH_WINDOW)
			return STEP_BLOCKED;

		w->members++;
		work_start(w->pending);
		w->pending = NULL;
	}
}

/* unverified: the count is also given for a batch that succeeded. */
void fill_batch(struct work *w)
{
	stl_le_p(w->record + 4, w->done);
	if (w->d->version >= V2)
		w->record[1] = w->member_failed;
}

/* A readback address that no flag names must be zero. */
uint8_t check_drain(struct work *w)
{
	if (!(w->flags & (F_RCR | F_RCI))) {
		w->aux = F_RCR | F_RCI;
		return ST_FLAGS;
	}
	if ((!(w->flags & F_OP(0)) && w->src) || (!(w->flags & F_OP(1)) && w->dst))
		return ST_RESERVED;
	return 0;
}

/* Reading back pushes earlier writes out; the model has none to push, the translation counts. */
static enum step drain_readback(struct work *w)
{
	const uint64_t addr[] = { w->src, w->dst };
	unsigned int i;
	uint8_t byte;

	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		if (w->flags & F_OP(i) &&
		    work_read(w, addr[i], &byte, 1, i ? OPND_SRC2 : OPND_SRC1) != STEP_OK)
			return work_success(w, ST_READBACK);
	}
	return work_success(w, ST_OK);
}

/* Earlier descriptors of the queue; of a shared queue only those of the same PASID. */
enum step step_drain(struct work *w)
{
	bool shared = !(wqcfg(w->d, w->wq)[WQ_MODE] & WQM_DEDICATED);
	struct work *o;

	QTAILQ_FOREACH(o, &w->d->active, all) {
		if (o->wq == w->wq && o->seq < w->seq && (!shared || o->pasid == w->pasid))
			return STEP_BLOCKED;
	}
	return drain_readback(w);
}
