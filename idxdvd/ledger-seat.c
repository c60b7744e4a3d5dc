/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which mdevs are on a work queue, one or several that share it: see ledger.h. */
#include <string.h>

#include "idxdvd/ledger.h"

/* It is named by its uuid in the queue; what is known of its holder is read anew. */
static void name_mdev(struct wq *w, const char *uuid)
{
	memcpy(w->mdev, uuid, UUID_LEN);
	memset(&w->holder, 0, sizeof(w->holder));
}

void seat_take(struct wq *w, struct mdev *m)
{
	m->seated = true;
	w->n_open += m->in_use;
	if (!w->n_mdevs++)
		name_mdev(w, m->uuid);
}

void seat_leave(const struct ledger *l, struct wq *w, const struct mdev *m)
{
	const struct mdev *other = NULL;

	if (!m->seated)
		return;
	w->n_mdevs--;
	w->n_open -= m->in_use;
	if (strcmp(w->mdev, m->uuid))
		return;
	name_mdev(w, (char[UUID_LEN]) { 0 });
	while (w->n_mdevs && (other = ledger_next_mdev(l, other)))
		if (other->seated && strcmp(other->uuid, m->uuid) && !strcmp(other->wq, w->name) &&
		    !strcmp(other->parent, m->parent)) {
			name_mdev(w, other->uuid);
			return;
		}
}

void seat_change(struct wq *w, const struct mdev *before, struct mdev *m)
{
	m->seated = true;
	w->n_open += m->in_use;
	w->n_open -= before->in_use;
	if (!strcmp(w->mdev, m->uuid))
		memset(&w->holder, 0, sizeof(w->holder));
}

void seat_keep(struct wq *w, const struct wq *old)
{
	memset(w->mdev, 0, sizeof(w->mdev));
	w->n_mdevs = w->n_open = 0;
	if (!old)
		return;
	memcpy(w->mdev, old->mdev, sizeof(w->mdev));
	w->n_mdevs = old->n_mdevs;
	w->n_open = old->n_open;
}
