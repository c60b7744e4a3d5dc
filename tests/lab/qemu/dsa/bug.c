/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes on demand: see bug.h. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "bug.h"

static const char *const bug_names[] = {
	[BUG_NONE] = "none",
	[BUG_DROP_INTERRUPT] = "drop-interrupt",
	[BUG_WRONG_PASID] = "wrong-pasid",
	[BUG_EARLY_COMPLETION] = "early-completion",
	[BUG_LOST_DESCRIPTOR] = "lost-descriptor",
	[BUG_UNLOCKED_REGISTER] = "unlocked-register",
};

bool bug_parse(IdxdLab *d, Error **errp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bug_names); i++) {
		if (!d->bug_name || !strcmp(d->bug_name, bug_names[i])) {
			d->bug = i;
			return true;
		}
	}
	error_setg(errp, "idxd-lab: bug '%s' is not known (see bug.c)", d->bug_name);
	return false;
}

/* A work enters the engine: whether it is one that goes wrong. */
void bug_mark(struct work *w)
{
	w->bugged = w->d->bug && ++w->d->bug_seen % w->d->bug_every == 0;
}

/* Says that a work which has not run is done. Returns true once: its data shall come later. */
bool bug_early(struct work *w)
{
	if (!bug_work(w, BUG_EARLY_COMPLETION))
		return false;
	w->bugged = false;
	w->status = ST_OK;
	if (record_write(w) != STEP_DONE) {
		w->status = 0;
		w->record_started = false;
		return false;
	}
	irq_complete(w);
	w->flags &= ~(F_CRAV | F_RCI);
	w->irq_ok = false;
	w->status = 0;
	return true;
}
