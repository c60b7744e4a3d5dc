// SPDX-License-Identifier: GPL-2.0-only
/* Must compile everywhere: if it does not, no other probe says anything. */
#include <linux/module.h>
#include <linux/iommu.h>
#include <linux/vfio.h>
int probe(struct iommu_domain *domain, struct vfio_device *vdev);
int probe(struct iommu_domain *domain, struct vfio_device *vdev)
{
	return domain->type + vdev->open_count;
}
