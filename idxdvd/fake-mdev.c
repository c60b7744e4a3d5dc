/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mdevs of a simulated machine, found by UUID however many there are: see fake-hw.h. */
#include <stdio.h>
#include <string.h>

#include "idxdvd/fake-hw.h"

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

void fake_drop_mdev(struct fake_hw *hw, struct fake_mdev *m)
{
	unsigned int *p = bucket_of(hw, m->uuid), i = m - hw->mdevs + 1;

	hw->accels[m->accel].wqs[m->wq].mdev = 0;
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
