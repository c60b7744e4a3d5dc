// SPDX-License-Identifier: GPL-2.0-only
/* Which host queue an mdev has: all of one, or a part of a shared one, from create to remove. */
#include <linux/pci.h>
#include <linux/slab.h>

#include "hwq.h"
#include "layout.h"
#include "parent.h"
#include "share.h"
#include "slice.h"
#include "trace.h"

/* parents_lock. How many more mdevs @hwq can serve. */
static unsigned int room_of(const struct hwq *hwq, bool shared)
{
	if (hwq_is_shared(hwq) != shared || hwq->slice || !hwq_is_usable(hwq))
		return 0;
	return shared ? max_sharers - min(max_sharers, hwq->n_sharers) : 1;
}

/* parents_lock. The queue of @parent with the most room, or NULL. @name picks one. */
static struct hwq *find_free(struct parent *parent, bool shared, const char *name)
{
	struct hwq *hwq, *found = NULL;
	unsigned int room, most = 0;

	list_for_each_entry(hwq, &parent->hwqs, node) {
		if (name && !sysfs_streq(hwq_name(hwq), name))
			continue;
		room = room_of(hwq, shared);
		if (room > most) {
			most = room;
			found = hwq;
		}
	}
	return found;
}

unsigned int slice_room(struct parent *parent, bool shared)
{
	unsigned int n = 0;
	struct hwq *hwq;

	lockdep_assert_held(&parents_lock);
	list_for_each_entry(hwq, &parent->hwqs, node)
		n += room_of(hwq, shared);
	return n;
}

/* parents_lock, and slice.lock once others know of the slice. */
static void slice_take(struct slice *s, struct hwq *hwq)
{
	s->hwq = hwq;
	if (s->share) {
		list_add_tail(&s->sharer, &hwq->sharers);
		hwq->n_sharers++;
	} else {
		hwq->slice = s;
	}
}

/* parents_lock. @hwq is, or was, the queue of the mdev. */
static void slice_let_go(struct slice *s, struct hwq *hwq)
{
	if (s->share) {
		list_del_init(&s->sharer);
		hwq->n_sharers--;
	} else {
		hwq->slice = NULL;
	}
}

/* parents_lock. @hwq is unbound, and the mdev has lost it unless it moved to another before. */
void slice_bereave(struct slice *s, struct hwq *hwq)
{
	if (!s->hwq && (hwq->slice == s || !list_empty(&s->sharer)))
		slice_let_go(s, hwq);
}

/* Claims any free queue of @parent, or a part of a shared one, and a PASID. */
int slice_create(struct parent *parent, bool shared, struct slice **ret_slice)
{
	struct device *pf = &parent->pdev->dev;
	struct hwq *hwq;
	struct slice *s;
	int r;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	kref_init(&s->ref);
	mutex_init(&s->lock);
	spin_lock_init(&s->event_lock);
	s->lost = -1;
	s->nwqs = shared ? SHARE_WQS : 1;
	INIT_LIST_HEAD(&s->sharer);
	r = portal_init(&s->portal, s->nwqs);
	if (r < 0)
		goto undo_slice;
	if (shared)
		r = share_create(s, &s->share);
	if (r < 0)
		goto undo_portal;

	s->pasid = iommu_alloc_global_pasid(pf);
	if (s->pasid == IOMMU_PASID_INVALID) {
		dev_err(pf, "no mdev created: the host has no PASID left for it\n");
		r = -ENOSPC;
		goto undo_portal;
	}

	mutex_lock(&parents_lock);
	hwq = parent->going ? NULL : find_free(parent, shared, NULL);
	if (hwq) {
		slice_take(s, hwq);
		parent_slice_added(parent, s);
		s->parent = parent;
	}
	mutex_unlock(&parents_lock);
	if (!hwq) {
		dev_err(pf, "no mdev created: no %s is bound to the driver mdev\n",
			shared ? "shared work queue with room for one more" :
				 "free dedicated work queue");
		r = -ENOSPC;
		goto undo_pasid;
	}
	parent_changed(parent);
	*ret_slice = s;
	return 0;

undo_pasid:
	iommu_free_global_pasid(s->pasid);
undo_portal:
	share_free(s->share);
	portal_free(&s->portal);
undo_slice:
	kfree(s);
	return r;
}

static void slice_free(struct kref *ref)
{
	struct slice *s = container_of(ref, struct slice, ref);

	share_free(s->share);
	portal_free(&s->portal);
	kfree(s);
}

void slice_put(struct slice *s)
{
	kref_put(&s->ref, slice_free);
}

/* The mdev is gone: closed, detached. Gives the queue and the PASID back. */
void slice_destroy(struct slice *s)
{
	struct parent *parent = s->parent;

	slice_detach(s);
	mutex_lock(&parents_lock);
	mutex_lock(&s->lock);
	if (s->hwq) {
		if (!s->share)
			hwq_forget(s->hwq);
		slice_let_go(s, s->hwq);
	}
	s->hwq = NULL;
	mutex_unlock(&s->lock);
	mutex_unlock(&parents_lock);

	if (s->undrained)
		dev_err(&parent->pdev->dev,
			"PASID %u stays reserved: the device did not confirm that it drained\n",
			s->pasid);
	else
		iommu_free_global_pasid(s->pasid);
	parent_slice_removed(parent, s);
	slice_put(s);
}

/* Moves the mdev to another free queue of its parent, until it was opened. */
int slice_pin(struct slice *s, const char *name)
{
	struct hwq *hwq;
	int r = 0;

	mutex_lock(&parents_lock);
	mutex_lock(&s->lock);
	if (s->hwq && sysfs_streq(hwq_name(s->hwq), name))
		goto out;
	if (s->opened || !s->hwq) {
		r = -EBUSY;
		goto out;
	}
	hwq = find_free(s->parent, s->share, name);
	if (!hwq) {
		r = -ENOENT;
		goto out;
	}
	slice_let_go(s, s->hwq);
	slice_take(s, hwq);
out:
	mutex_unlock(&s->lock);
	mutex_unlock(&parents_lock);
	return r;
}

/*
 * parents_lock. The queue that was taken away is back after a reset of its device.
 * A user that has the mdev open goes on with it when it resets the mdev.
 */
bool slice_give_back(struct slice *s, struct hwq *hwq)
{
	bool mine;

	mutex_lock(&s->lock);
	mine = !s->hwq && s->lost == hwq->wq->id;
	if (mine) {
		slice_take(s, hwq);
		s->lost = -1;
		s->gone = s->opener != 0;
		trace_idxd_mdev_alive(s->pasid, true);
	}
	mutex_unlock(&s->lock);
	return mine;
}
