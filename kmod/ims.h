/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt Message Storage of one physical function, as an irq domain. */
#ifndef IDXD_MDEV_IMS_H
#define IDXD_MDEV_IMS_H

#include <linux/iommu.h>
#include <linux/types.h>

struct idxd_device;
struct ims;

struct ims *ims_create(struct idxd_device *idxd);
void ims_destroy(struct ims *ims);
int ims_alloc(struct ims *ims, ioasid_t pasid, unsigned int *ret_irq, u32 *ret_slot);
void ims_free(struct ims *ims, unsigned int irq, u32 slot);

#endif
