/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines: run dispatched works in slices from a bottom half, park those that wait, and end or
 * abandon them.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "bug.h"
#include "ops.h"

#define SLICE_WORKS	64
#define SLICE_BYTES	(1024 * 1024)
#define RETRY_NS	(200 * SCALE_US)
#define BUG_NS		(50 * SCALE_MS)

void engine_init(IdxdLab *d)
{
	unsigned int i;

	QTAILQ_INIT(&d->active);
	for (i = 0; i < PLACES; i++)
		QTAILQ_INIT(&d->place[i]);
	for (i = 0; i < MAX_WQS; i++)
		QTAILQ_INIT(&d->wq[i].queue);
}

void engine_kick(IdxdLab *d)
{
	qemu_bh_schedule(d->engine_bh);
}

struct work *work_new(IdxdLab *d, const uint8_t raw[64])
{
	struct work *w = g_new0(struct work, 1);

	w->d = d;
	w->group = -1;
	memcpy(w->raw, raw, sizeof(w->raw));
	return w;
}

void work_free(struct work *w)
{
	g_free(w->pending);
	g_free(w->extra);
	g_free(w);
}

void work_move(struct work *w, enum place place)
{
	QTAILQ_REMOVE(&w->d->place[w->place], w, link);
	w->place = place;
	QTAILQ_INSERT_TAIL(&w->d->place[place], w, link);
}

static void timer_arm(IdxdLab *d, int64_t due)
{
	if (!timer_pending(d->timer) || timer_expire_time_ns(d->timer) > due)
		timer_mod(d->timer, due);
}

static void work_defer(struct work *w, uint64_t ns)
{
	w->due = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns;
	work_move(w, ON_RETRY);
	timer_arm(w->d, w->due);
}

/* A work enters the engine, from a queue or as a member of a batch. */
void work_start(struct work *w)
{
	IdxdLab *d = w->d;

	bug_mark(w);
	QTAILQ_INSERT_TAIL(&d->active, w, all);
	w->place = ON_READY;
	QTAILQ_INSERT_TAIL(&d->place[ON_READY], w, link);
	if (d->delay_ns || labpage_delay_ns(d))
		work_defer(w, d->delay_ns + labpage_delay_ns(d));
}

void engine_timer(void *opaque)
{
	IdxdLab *d = opaque;
	int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
	int64_t next = INT64_MAX;
	struct work *w, *tmp;

	QTAILQ_FOREACH_SAFE(w, &d->place[ON_RETRY], link, tmp) {
		if (w->due <= now)
			work_move(w, ON_READY);
		else
			next = MIN(next, w->due);
	}
	if (next != INT64_MAX)
		timer_arm(d, next);
	engine_kick(d);
}

/* Takes the work off every list and gives its engine slot back. */
void work_unlink(struct work *w)
{
	IdxdLab *d = w->d;

	QTAILQ_REMOVE(&d->place[w->place], w, link);
	QTAILQ_REMOVE(&d->active, w, all);
	if (w->group >= 0)
		d->in_flight[w->group]--;
	w->group = -1;
}

/* Whoever waited for other works looks again. */
static void engine_unblock(IdxdLab *d)
{
	struct work *w, *tmp;

	QTAILQ_FOREACH_SAFE(w, &d->place[ON_BLOCKED], link, tmp)
		work_move(w, ON_READY);
}

static void work_end(struct work *w)
{
	IdxdLab *d = w->d;

	irq_complete(w);
	perfmon_count(w);
	work_unlink(w);
	if (w->parent)
		batch_member_done(w);
	work_free(w);
	engine_unblock(d);
	cmd_kick(d);
}

/* Runs one work until it ends or has to wait. */
static void work_run(struct work *w)
{
	enum step s = STEP_MORE;
	uint64_t ns = 0;

	if (w->phase == PHASE_CHECK) {
		desc_decode(w);
		w->status = labpage_status(w->d);
		if (!w->status)
			w->status = desc_check(w);
		if (!w->status && w->op->sized && w->d->ns_per_kib)
			ns = w->size * w->d->ns_per_kib / 1024;
		w->phase = w->status ? PHASE_RECORD : PHASE_RUN;
		if (ns) {
			work_defer(w, ns);
			return;
		}
	}

	if (w->phase == PHASE_RUN && bug_early(w)) {
		work_defer(w, BUG_NS);
		return;
	}

	if (w->phase == PHASE_RUN) {
		s = w->page_failed && w->opcode != OP_BATCH ? STEP_DONE : w->op->step(w);
		if (s == STEP_DONE) {
			w->phase = PHASE_RECORD;
			w->page_failed = false;
			w->page_tries = 0;
		}
	}

	if (w->phase == PHASE_RECORD) {
		s = record_write(w);
		if (s == STEP_DONE)
			w->phase = PHASE_END;
	}

	switch (s) {
	case STEP_OK:
	case STEP_DONE:
		work_end(w);
		break;
	case STEP_MORE:
		work_move(w, ON_READY);
		break;
	case STEP_PAGE:
		work_move(w, ON_PAGE);
		break;
	case STEP_RETRY:
		work_defer(w, RETRY_NS);
		break;
	case STEP_BLOCKED:
		work_move(w, ON_BLOCKED);
		break;
	}
}

void engine_bh(void *opaque)
{
	IdxdLab *d = opaque;
	unsigned int n;

	d->budget = SLICE_BYTES;
	for (n = 0; n < SLICE_WORKS && d->budget > 0; n++) {
		struct work *w;

		wq_dispatch(d);
		w = QTAILQ_FIRST(&d->place[ON_READY]);
		if (!w)
			return;
		work_run(w);
	}
	engine_kick(d);
}

static void work_abandon(struct work *w)
{
	if (w->place == ON_PAGE) {
		/* the response is still to come: keep the work for it, out of the engine */
		if (w->group >= 0)
			w->d->in_flight[w->group]--;
		w->group = -1;
		w->parent = NULL;
		w->zombie = true;
		return;
	}
	work_unlink(w);
	work_free(w);
}

/* Abandons works without record or interrupt. A batch and its members always match together. */
void engine_abort(IdxdLab *d, work_match match)
{
	struct work *w, *tmp;
	unsigned int i;

	for (i = 0; i < d->nwqs; i++) {
		QTAILQ_FOREACH_SAFE(w, &d->wq[i].queue, link, tmp) {
			if (!match(d, w))
				continue;
			QTAILQ_REMOVE(&d->wq[i].queue, w, link);
			d->wq[i].occupancy--;
			work_free(w);
		}
	}
	QTAILQ_FOREACH_SAFE(w, &d->active, all, tmp) {
		if (!w->zombie && match(d, w))
			work_abandon(w);
	}
	engine_unblock(d);
	engine_kick(d);
}

bool engine_any(IdxdLab *d, work_match match)
{
	struct work *w;
	unsigned int i;

	for (i = 0; i < d->nwqs; i++) {
		QTAILQ_FOREACH(w, &d->wq[i].queue, link) {
			if (match(d, w))
				return true;
		}
	}
	QTAILQ_FOREACH(w, &d->active, all) {
		if (match(d, w))
			return true;
	}
	return false;
}
