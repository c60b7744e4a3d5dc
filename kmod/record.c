// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completions that the device left in the host's event log instead of the guest's
 * memory. The record goes where the guest wants it through VFIO, which looks the
 * address up in what the VMM mapped: what the guest itself may write, no more.
 */
#include <linux/bitfield.h>
#include <linux/vfio.h>

#include "record.h"
#include "regs.h"
#include "slice.h"
#include "vdev.h"

/* The status byte last: the guest polls it. */
static int record_write(struct vdev *v, struct watch_record *r)
{
	int rc;

	if (!r->len)
		return 0;
	rc = vfio_dma_rw(&v->vfio, r->addr + 1, r->data + 1, r->len - 1, true);
	if (rc < 0)
		return rc;
	smp_wmb();
	return vfio_dma_rw(&v->vfio, r->addr, r->data, 1, true);
}

/*
 * May sleep, in work of the mdev that closing waits for, or with the mdev open. A
 * record that cannot be written is the error that it would be without a log. A VMM that
 * withholds the page (userfaultfd, FUSE) holds up this mdev, and its own container.
 */
void record_deliver(struct vdev *v)
{
	struct watch_record r;
	u64 rec[4] = { RECORD_DESC | RECORD_WQ_VALID | FIELD_PREP(RECORD_CODE, CODE_NO_RECORD) };

	while (READ_ONCE(v->open) && slice_take_record(v->slice, &r)) {
		rec[2] = r.addr;
		if (record_write(v, &r) < 0)
			slice_event(v->slice, rec);
		else if (r.irq)
			vdev_complete(v, r.vector);
	}
}
