/* SPDX-License-Identifier: GPL-2.0-only */
/* A host work queue that is bound to the dsa-bus driver `mdev`. */
#ifndef IDXD_MDEV_HWQ_H
#define IDXD_MDEV_HWQ_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/types.h>

#include "fault.h"
#include "watch.h"

struct consumer;
struct idxd_wq;
struct parent;
struct slice;
struct turns;
struct vd_caps;
struct workqueue_struct;

/* What the host configured when it gave us the queue, in bytes and entries. */
struct hwq_config {
	u64 max_xfer_bytes;
	u32 max_batch_size;
	u32 size;
};

/* Limits of the guest's own WQCFG; never above those of the host. */
struct hwq_limits {
	u8 max_xfer_shift;
	u8 max_batch_shift;
};

/* Those of the host alone. */
extern const struct hwq_limits hwq_no_limits;

struct hwq {
	struct list_head node;		/* parent->hwqs, parents_lock */
	struct parent *parent;
	struct idxd_wq *wq;
	struct slice *slice;		/* its holder or NULL, parents_lock */
	struct list_head sharers;	/* or its holders if they are several, parents_lock */
	unsigned int n_sharers;
	struct consumer *consumer;	/* submits for them; NULL: the mode is dedicated */
	struct turns *turns;		/* of the sharers of a dedicated one */
	struct hwq_config config;
	struct workqueue_struct *faults;
	bool enabled;			/* in hardware; the slice's lock, or the consumer's */
	struct fault_trap trap;
	struct watch watch;
};

struct hwq *hwq_bind(struct idxd_wq *wq);
void hwq_unbind(struct hwq *hwq);
bool hwq_is_usable(const struct hwq *hwq);
bool hwq_is_alive(const struct hwq *hwq);
const char *hwq_name(const struct hwq *hwq);
bool hwq_is_shared(const struct hwq *hwq);
void hwq_caps(const struct hwq *hwq, unsigned int nwqs, struct vd_caps *ret_caps);
unsigned long hwq_portal_pfn(const struct hwq *hwq, unsigned int page);

int hwq_enable(struct hwq *hwq, ioasid_t pasid, const struct hwq_limits *limits);
void hwq_disable(struct hwq *hwq);
void hwq_forget(struct hwq *hwq);
int hwq_drain(struct hwq *hwq);
int hwq_abort(struct hwq *hwq);

#endif
