/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mdevs of a simulated machine, found by UUID however many there are: see fake-hw.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/common/parse.h"
#include "idxdvd/fake-kernel.h"

static unsigned int *bucket_of(struct fake_hw *hw, const char *uuid)
{
	unsigned int h = 5381;

	for (; *uuid; uuid++)
		h = h * 33 + (unsigned char)*uuid;
	return &hw->buckets[h % FAKE_BUCKETS];
}

struct fake_mdev *fake_find_mdev(struct fake_hw *hw, const char *uuid)
{
	for (unsigned int i = *bucket_of(hw, uuid); i; i = hw->mdevs[i - 1].next)
		if (!strcmp(hw->mdevs[i - 1].uuid, uuid))
			return &hw->mdevs[i - 1];
	return NULL;
}

struct fake_mdev *fake_add_mdev(struct fake_hw *hw, const char *uuid)
{
	unsigned int *bucket = bucket_of(hw, uuid), i = hw->free_mdevs;
	struct fake_mdev *m;

	if (i)
		hw->free_mdevs = hw->mdevs[i - 1].next;
	else if (hw->n_mdevs < FAKE_MAX_MDEVS)
		i = ++hw->n_mdevs;
	else
		return NULL;
	m = &hw->mdevs[i - 1];
	*m = (struct fake_mdev) { .used = true, .next = *bucket };
	snprintf(m->uuid, sizeof(m->uuid), "%s", uuid);
	*bucket = i;
	return m;
}

bool fake_wq_has_room(const struct fake_hw *hw, const struct fake_wq *w, bool shared)
{
	return !strcmp(w->driver, "mdev") && w->dedicated != shared &&
	       w->n_mdevs < (shared ? hw->max_sharers : 1);
}

void fake_seat_mdev(struct fake_hw *hw, struct fake_mdev *m, unsigned int accel, unsigned int wq)
{
	struct fake_wq *w = &hw->accels[accel].wqs[wq];

	m->accel = accel;
	m->wq = wq;
	m->beside = w->mdev;
	w->mdev = m - hw->mdevs + 1;
	w->n_mdevs++;
}

void fake_unseat_mdev(struct fake_hw *hw, struct fake_mdev *m)
{
	struct fake_wq *w = &hw->accels[m->accel].wqs[m->wq];
	unsigned int *p = &w->mdev, i = m - hw->mdevs + 1;

	while (*p && *p != i)
		p = &hw->mdevs[*p - 1].beside;
	if (!*p)
		return;
	*p = m->beside;
	w->n_mdevs--;
}

void fake_drop_mdev(struct fake_hw *hw, struct fake_mdev *m)
{
	unsigned int *p = bucket_of(hw, m->uuid), i = m - hw->mdevs + 1;

	fake_unseat_mdev(hw, m);
	while (*p && *p != i)
		p = &hw->mdevs[*p - 1].next;
	if (*p)
		*p = m->next;
	*m = (struct fake_mdev) { .next = hw->free_mdevs };
	hw->free_mdevs = i;
}

void fake_index_mdevs(struct fake_hw *hw)
{
	memset(hw->buckets, 0, sizeof(hw->buckets));
	hw->free_mdevs = 0;
	for (unsigned int i = hw->n_mdevs; i > 0; i--) {
		struct fake_mdev *m = &hw->mdevs[i - 1];
		unsigned int *head = m->used ? bucket_of(hw, m->uuid) : &hw->free_mdevs;

		m->next = *head;
		*head = i;
	}
}

/* --- what the mdev bus does ------------------------------------------------------------------ */

static struct fake_accel *find_parent(struct fake_hw *hw, const char *bdf)
{
	for (unsigned int i = 0; i < hw->n_accels; i++)
		if (!strcmp(hw->accels[i].bdf, bdf) && !hw->accels[i].absent)
			return &hw->accels[i];
	return NULL;
}

int fake_create_mdev(struct fake_hw *hw, const char *parent, const char *type, const char *uuid)
{
	const struct mdev_type *t = mdev_type_find(type);
	struct fake_accel *a = find_parent(hw, parent);
	char canonical[UUID_LEN];
	bool registered = false;
	struct fake_mdev *m;
	unsigned int wq;

	if (!a)
		return -ENODEV;
	for (unsigned int i = 0; i < a->n_wqs; i++)
		registered = registered || !strcmp(a->wqs[i].driver, "mdev");
	if (!hw->module || !registered || !t || t->kind != a->kind)
		return -ENOENT;
	if (parse_uuid(uuid, canonical) < 0)
		return -EINVAL;
	if (fake_find_mdev(hw, canonical))
		return -EEXIST;
	if (!t->shared && fake_is_unsafe(a) && !a->unsafe_allowed)
		return -EPERM;

	/* From the last one on, so that whoever wants a certain queue has to say so. */
	for (wq = a->n_wqs; wq > 0 && !fake_wq_has_room(hw, &a->wqs[wq - 1], t->shared); wq--)
		;
	m = wq ? fake_add_mdev(hw, canonical) : NULL;
	if (!m)
		return -ENOSPC;

	snprintf(m->type, sizeof(m->type), "%s", type);
	fake_seat_mdev(hw, m, a - hw->accels, wq - 1);
	for (unsigned int i = 0; i < hw->n_openers; i++)
		if (!strcmp(hw->openers[i].uuid, canonical))
			m->holder = hw->openers[i].holder;
	return 0;
}

int fake_move_mdev(struct fake_hw *hw, const char *uuid, const char *wq)
{
	struct fake_mdev *m = fake_find_mdev(hw, uuid);
	struct fake_accel *a;
	struct target t;
	bool shared;

	if (!m)
		return -ENOENT;
	a = &hw->accels[m->accel];
	if (fake_find(hw, wq, &t) < 0 || !t.wq || t.accel != a)
		return -EINVAL;
	shared = !a->wqs[m->wq].dedicated;
	if (m->holder.pid || !fake_wq_has_room(hw, t.wq, shared))
		return -EBUSY;
	fake_unseat_mdev(hw, m);
	fake_seat_mdev(hw, m, m->accel, t.wq - a->wqs);
	return 0;
}
