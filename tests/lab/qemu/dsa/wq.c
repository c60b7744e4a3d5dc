/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work queues: what the portals accept, and in which order groups take work out.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_bus.h"
#include "bug.h"

#define GRP_ENGINES	0x20
#define GRP_FLAGS	0x28
#define GRP_PROGRESS(v)	((v) >> 32 & 3)

void wq_set_state(IdxdLab *d, unsigned int wq, enum wq_state state)
{
	uint32_t *r = &wqcfg(d, wq)[WQ_STATUS];

	*r = (*r & ~(3u << WQS_STATE_SHIFT)) | (uint32_t)state << WQS_STATE_SHIFT;
}

/* Fires once when armed and the queue is at or below the limit. */
void wq_occupancy_check(IdxdLab *d, unsigned int wq)
{
	uint32_t *cfg = wqcfg(d, wq);

	if (wq_state(d, wq) != WQ_ENABLED || !(cfg[WQ_OCC_LIMIT] & WQO_ENABLE) ||
	    cfg[WQ_STATUS] & WQS_OCC_FIRED ||
	    d->wq[wq].occupancy > (cfg[WQ_OCC_LIMIT] & 0xffff))
		return;
	cfg[WQ_STATUS] |= WQS_OCC_FIRED;
	irq_occupancy(d, wq);
}

static uint16_t wq_room(IdxdLab *d, unsigned int wq, bool limited)
{
	const uint32_t *cfg = wqcfg(d, wq);
	uint16_t size = cfg[WQ_SIZE];
	uint16_t threshold = cfg[WQ_THRESHOLD];

	if (limited && !(cfg[WQ_MODE] & WQM_DEDICATED) && threshold < size)
		size = threshold;
	return size > d->wq[wq].occupancy ? size - d->wq[wq].occupancy : 0;
}

/* Under whose PASID the descriptor runs: the queue's if dedicated, the submitter's if shared. */
static void wq_identify(struct work *w, uint32_t mode)
{
	uint32_t first = ldl_le_p(w->raw);

	w->pasid_en = mode & WQM_PASID_EN;
	w->pasid = PCI_NO_PASID;
	if (mode & WQM_DEDICATED) {
		w->priv = mode & WQM_PRIV;
		if (w->pasid_en)
			w->pasid = WQM_PASID(mode);
	} else {
		w->priv = first >> 31;
		w->pasid = first & 0xfffff;
	}
}

/* A 64-byte write to a portal page. Returns true when the descriptor was taken. */
bool portal_dmwr(void *opaque, hwaddr off, const uint8_t data[64], bool deferrable)
{
	IdxdLab *d = opaque;
	unsigned int n = off / PORTAL_STRIDE;
	bool limited = off & 0x1000;
	bool ims = off & 0x2000;
	uint32_t mode;
	struct work *w;

	if (off & 63 || n >= d->nwqs || (ims && !d->ims_units))
		return false;
	if (dev_state(d) != DEV_ENABLED || wq_state(d, n) != WQ_ENABLED)
		return false;

	mode = wqcfg(d, n)[WQ_MODE];
	if (!(mode & WQM_DEDICATED) != deferrable)
		return false;
	if (!wq_room(d, n, limited)) {
		if (mode & WQM_DEDICATED)
			error_wq_full(d, n, mode & WQM_PRIV);
		return false;
	}

	if (bug_device(d, BUG_LOST_DESCRIPTOR) && wq_room(d, n, limited) == 1)
		return true;

	w = work_new(d, data);
	w->seq = ++d->seq;
	w->wq = n;
	w->ims = ims;
	wq_identify(w, mode);
	QTAILQ_INSERT_TAIL(&d->wq[n].queue, w, link);
	d->wq[n].occupancy++;
	engine_kick(d);
	return true;
}

/* No register takes 64 bytes, and the dummy portal is that of a disabled queue. */
bool bar0_dmwr(void *opaque, hwaddr off, const uint8_t data[64], bool deferrable)
{
	return false;
}

static uint64_t portal_read(void *opaque, hwaddr off, unsigned int size)
{
	return 0;
}

static void portal_write(void *opaque, hwaddr off, uint64_t val, unsigned int size)
{
}

const MemoryRegionOps portal_ops = {
	.read = portal_read,
	.write = portal_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8 },
	.impl = { .min_access_size = 1, .max_access_size = 8 },
};

/*
 * Weighted choice: the queue with most credit left, where credit is refilled from the priority once
 * every waiting queue of the group has used its own up.
 */
static int wq_choose(IdxdLab *d, uint64_t set)
{
	unsigned int pass, i;
	int best = -1;

	for (pass = 0; pass < 2 && best < 0; pass++) {
		for (i = 0; i < d->nwqs; i++) {
			struct wq *q = &d->wq[i];

			if (!(set >> i & 1) || QTAILQ_EMPTY(&q->queue))
				continue;
			if (pass == 1)
				q->credit = MAX(1, WQM_PRIORITY(wqcfg(d, i)[WQ_MODE]));
			if (q->credit && (best < 0 || q->credit > d->wq[best].credit))
				best = i;
		}
	}
	return best;
}

/* Moves waiting descriptors to the engines of their groups. Returns whether any was moved. */
bool wq_dispatch(IdxdLab *d)
{
	bool timed = d->delay_ns || d->ns_per_kib || labpage_delay_ns(d);
	unsigned int per_engine = timed ? 1 : ENGINE_WORKS;
	bool any = false;
	unsigned int g;

	if (labpage_holds(d))
		return false;
	for (g = 0; g < d->ngroups; g++) {
		uint32_t base = T_GRPCFG + g * GRPCFG_STRIDE;
		unsigned int slots = ctpop64(reg64(d, base + GRP_ENGINES)) * per_engine;

		/* unverified: rounded up, so that a group never stands still */
		slots = DIV_ROUND_UP(slots, 1u << GRP_PROGRESS(reg64(d, base + GRP_FLAGS)));
		while (d->in_flight[g] < slots) {
			int n = wq_choose(d, reg64(d, base));
			struct work *w;

			if (n < 0)
				break;
			w = QTAILQ_FIRST(&d->wq[n].queue);
			QTAILQ_REMOVE(&d->wq[n].queue, w, link);
			d->wq[n].occupancy--;
			d->wq[n].credit--;
			d->in_flight[g]++;
			w->group = g;
			work_start(w);
			wq_occupancy_check(d, n);
			any = true;
		}
	}
	return any;
}
