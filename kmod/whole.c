// SPDX-License-Identifier: GPL-2.0-only
/* An mdev that has a host queue for itself: what its guest does to its queue is done to that one. */
#include "hwq.h"
#include "slice.h"
#include "trace.h"

static int whole_join(struct slice *s)
{
	return 0;
}

static void whole_part(struct slice *s)
{
}

static unsigned int whole_running(const struct slice *s)
{
	return s->hwq->enabled;
}

static int whole_start(struct slice *s, unsigned int wq)
{
	int r = hwq_enable(s->hwq, s->pasid, &s->limits);

	trace_idxd_mdev_queue(hwq_name(s->hwq), s->pasid, true, r);
	if (r < 0)
		return r;
	trace_idxd_mdev_portal(s->pasid, true);
	portal_show(&s->portal, wq, hwq_portal_pfn(s->hwq, vector_portal_page(&s->vectors[wq])), 1);
	return 0;
}

static int whole_stop(struct slice *s, unsigned int wqs, bool abandon)
{
	int r;

	if (portal_is_shown(&s->portal, 0))
		trace_idxd_mdev_portal(s->pasid, false);
	portal_hide(&s->portal, 0);
	if (!s->hwq || !s->hwq->enabled)
		return 0;
	if (abandon)
		hwq_abort(s->hwq);
	hwq_disable(s->hwq);
	if (abandon)
		watch_forget(&s->hwq->watch);
	r = s->hwq->enabled ? -EIO : 0;
	trace_idxd_mdev_queue(hwq_name(s->hwq), s->pasid, false, r);
	return r;
}

static int whole_drain(struct slice *s)
{
	return hwq_drain(s->hwq);
}

static int whole_abort(struct slice *s)
{
	return hwq_abort(s->hwq);
}

const struct slice_mode whole_mode = {
	.join = whole_join,
	.part = whole_part,
	.running = whole_running,
	.start = whole_start,
	.stop = whole_stop,
	.drain = whole_drain,
	.abort = whole_abort,
};
