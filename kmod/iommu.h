/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small IOMMU driver for the platform child of each mdev. VFIO maps guest
 * memory through it; the mappings land in a paging domain of the physical
 * function that is attached to the mdev's PASID.
 */
#ifndef IDXD_MDEV_IOMMU_H
#define IDXD_MDEV_IOMMU_H

#include <linux/iommu.h>

struct pci_dev;
struct platform_device;

int proxy_init(void);
void proxy_exit(void);
int proxy_claim(struct platform_device *child);
void proxy_disclaim(struct platform_device *child);
const char *proxy_objection(struct pci_dev *pdev);

struct proxy_domain {
	struct iommu_domain domain;
	struct iommu_domain *real;	/* of the physical function */
	struct pci_dev *pdev;
};

#endif
