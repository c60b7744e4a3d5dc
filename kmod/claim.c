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
#include "turn.h"

/* parents_lock. How many more mdevs @hwq can serve. */
static unsigned int room_of(const struct hwq *hwq, enum type_kind kind)
{
	const unsigned int most[TYPE_MAX] = {
		[TYPE_1DWQ] = 1,
		[TYPE_1SWQ] = max_sharers,
		[TYPE_1TWQ] = max_turns,
	};

	if (hwq_is_shared(hwq) != (kind == TYPE_1SWQ) || hwq->slice || !hwq_is_usable(hwq))
		return 0;
	return most[kind] - min(most[kind], hwq->n_sharers);
}

/* parents_lock. The queue of @parent with the most room, or NULL. @name picks one. */
static struct hwq *find_free(struct parent *parent, enum type_kind kind, const char *name)
{
	struct hwq *hwq, *found = NULL;
	unsigned int room, most = 0;

	list_for_each_entry(hwq, &parent->hwqs, node) {
		if (name && !sysfs_streq(hwq_name(hwq), name))
			continue;
		room = room_of(hwq, kind);
		if (room > most) {
			most = room;
			found = hwq;
		}
	}
	return found;
}

unsigned int slice_room(struct parent *parent, enum type_kind kind)
{
	unsigned int n = 0;
	struct hwq *hwq;

	lockdep_assert_held(&parents_lock);
	list_for_each_entry(hwq, &parent->hwqs, node)
		n += room_of(hwq, kind);
	return n;
}

/* parents_lock, and slice.lock once others know of the slice. */
static void slice_take(struct slice *s, struct hwq *hwq)
{
	s->hwq = hwq;
	if (s->kind != TYPE_1DWQ) {
		list_add_tail(&s->sharer, &hwq->sharers);
		hwq->n_sharers++;
	} else {
		hwq->slice = s;
	}
}

/* parents_lock. @hwq is, or was, the queue of the mdev. */
static void slice_let_go(struct slice *s, struct hwq *hwq)
{
	if (s->kind != TYPE_1DWQ) {
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

static void slice_release(struct slice *s)
{
	share_free(s->share);
	kfree(s->turn);
	portal_free(&s->portal);
	kfree(s);
}

/* Of which there is none to be had. */
static const char *const wanted[TYPE_MAX] = {
	[TYPE_1DWQ] = "free dedicated work queue",
	[TYPE_1SWQ] = "shared work queue with room for one more",
	[TYPE_1TWQ] = "dedicated work queue that takes turns with room for one more",
};

static const struct slice_mode *const modes[TYPE_MAX] = {
	[TYPE_1DWQ] = &whole_mode,
	[TYPE_1SWQ] = &share_mode,
	[TYPE_1TWQ] = &turn_mode,
};

/* Claims a queue of @parent, or a part of one, and a PASID. */
int slice_create(struct parent *parent, enum type_kind kind, struct slice **ret_slice)
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
	s->kind = kind;
	s->mode = modes[kind];
	s->weight = 1;
	watch_setup(&s->watch, kind == TYPE_1DWQ ? NULL : s);
	s->nwqs = kind == TYPE_1SWQ ? SHARE_WQS : 1;
	INIT_LIST_HEAD(&s->sharer);
	r = portal_init(&s->portal, s->nwqs);
	if (r < 0) {
		kfree(s);
		return r;
	}
	if (kind == TYPE_1SWQ)
		r = share_create(s, &s->share);
	else if (kind == TYPE_1TWQ)
		r = turn_create(s, &s->turn);
	if (r < 0)
		goto undo_slice;

	s->pasid = iommu_alloc_global_pasid(pf);
	if (s->pasid == IOMMU_PASID_INVALID) {
		dev_err(pf, "no mdev created: the host has no PASID left for it\n");
		r = -ENOSPC;
		goto undo_slice;
	}

	mutex_lock(&parents_lock);
	hwq = parent->going ? NULL : find_free(parent, kind, NULL);
	if (hwq) {
		slice_take(s, hwq);
		parent_slice_added(parent, s);
		s->parent = parent;
	}
	mutex_unlock(&parents_lock);
	if (!hwq) {
		dev_err(pf, "no mdev created: no %s is bound to the driver mdev\n", wanted[kind]);
		r = -ENOSPC;
		goto undo_pasid;
	}
	parent_changed(parent);
	*ret_slice = s;
	return 0;

undo_pasid:
	iommu_free_global_pasid(s->pasid);
undo_slice:
	slice_release(s);
	return r;
}

static void slice_free(struct kref *ref)
{
	slice_release(container_of(ref, struct slice, ref));
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
		if (s->kind == TYPE_1DWQ)
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
	hwq = find_free(s->parent, s->kind, name);
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
