/* SPDX-License-Identifier: GPL-2.0-only */
/* Completion records of a guest that the device could not write. */
#ifndef IDXD_MDEV_FAULT_H
#define IDXD_MDEV_FAULT_H

#include <linux/iommu.h>

struct idxd_user_context;
struct idxd_wq;

/* One for each bound queue. */
struct fault_trap {
	struct idxd_wq *wq;
	struct idxd_user_context *ctx;	/* NULL: none is set */
};

void fault_init(void);
void fault_exit(void);
int fault_trap_set(struct fault_trap *t, struct idxd_wq *wq, ioasid_t pasid);
void fault_trap_clear(struct fault_trap *t);
void fault_trap_leave(struct fault_trap *t);
u64 fault_trap_count(const struct fault_trap *t, ioasid_t pasid);

#endif
