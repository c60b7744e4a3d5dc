// SPDX-License-Identifier: GPL-2.0-only
/* iommu_domain_ops.attach_dev is told the domain that it replaces. */
#include <linux/iommu.h>
int probe(struct iommu_domain *domain, struct device *dev, struct iommu_domain *old,
	  const struct iommu_domain_ops *ops);
int probe(struct iommu_domain *domain, struct device *dev, struct iommu_domain *old,
	  const struct iommu_domain_ops *ops)
{
	return ops->attach_dev(domain, dev, old);
}
