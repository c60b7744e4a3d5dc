// SPDX-License-Identifier: GPL-2.0-only
/* A domain that tracks dirty pages can be made and attached to a PASID. */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>
struct iommu_domain *probe(struct device *dev, const struct iommu_ops *ops);
struct iommu_domain *probe(struct device *dev, const struct iommu_ops *ops)
{
	if (ops->domain_alloc_paging_flags)
		return ops->domain_alloc_paging_flags(dev, 0, NULL);
	return iommu_paging_domain_alloc_flags(dev, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
}
