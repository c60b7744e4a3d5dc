/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistakes that the model makes on demand (property bug=NAME, off by default), so that one can see
 * whether a suite would notice. A hook is one line at the place where real hardware would be wrong.
 */
#ifndef IDXD_LAB_BUG_H
#define IDXD_LAB_BUG_H

#include "model.h"

enum bug {
	BUG_NONE,
	BUG_DROP_INTERRUPT,	/* a completion interrupt is not sent			*/
	BUG_WRONG_PASID,	/* memory is accessed under a neighbour's PASID		*/
	BUG_EARLY_COMPLETION,	/* record and interrupt long before the data		*/
	BUG_LOST_DESCRIPTOR,	/* what takes a queue's last slot is never executed	*/
	BUG_UNLOCKED_REGISTER,	/* WQCFG and GRPCFG change although they are locked	*/
};

bool bug_parse(IdxdLab *d, Error **errp);
void bug_mark(struct work *w);
bool bug_early(struct work *w);

/* For bugs of the whole device. */
static inline bool bug_device(const IdxdLab *d, enum bug bug)
{
	return d->bug == bug;
}

/* For bugs that hit every bug-every'th descriptor. */
static inline bool bug_work(const struct work *w, enum bug bug)
{
	return w->bugged && w->d->bug == bug;
}

#endif
