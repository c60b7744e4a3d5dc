// SPDX-License-Identifier: GPL-2.0-only
/*
 * The proxy driver owns no hardware. It is found through a software node that
 * only our children carry, gives each of them a group of its own, and forwards
 * domain operations to the physical function's IOMMU.
 */
#include <linux/ioport.h>
#include <linux/msi.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "compat.h"
#include "iommu.h"
#include "layout.h"
#include "parent.h"
#include "slice.h"

static struct iommu_device proxy;

/*
 * VFIO holds the child's group mutex when it attaches, and attaching takes the
 * physical function's: the order is always child first, and the two must not
 * be one class to lockdep.
 */
static struct lock_class_key child_group_key;

static struct slice *child_slice(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

static struct proxy_domain *to_proxy(struct iommu_domain *domain)
{
	return container_of(domain, struct proxy_domain, domain);
}

static int proxy_attach(struct iommu_domain *domain, struct device *dev COMPAT_ATTACH_OLD)
{
	return slice_attach(child_slice(dev), to_proxy(domain));
}

/* Called at probe, at each detach and at removal: must not mind being told again. */
static int blocked_attach(struct iommu_domain *domain, struct device *dev COMPAT_ATTACH_OLD)
{
	slice_detach(child_slice(dev));
	return 0;
}

static struct iommu_domain blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &(const struct iommu_domain_ops){ .attach_dev = blocked_attach },
};

/*
 * Only memory may be reached by DMA. Anything else would be some device's
 * registers, portals of other queues included: a write there is a command.
 */
static int proxy_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
		     size_t pgsize, size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	size_t size = pgsize * pgcount;
	int r;

	if (region_intersects(paddr, size, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_INTERSECTS)
		return -EINVAL;
	r = iommu_map(to_proxy(domain)->real, iova, paddr, size, prot, gfp);
	if (!r)
		*mapped += size;
	return r;
}

static size_t proxy_unmap(struct iommu_domain *domain, unsigned long iova, size_t pgsize,
			  size_t pgcount, struct iommu_iotlb_gather *gather)
{
	return iommu_unmap(to_proxy(domain)->real, iova, pgsize * pgcount);
}

static phys_addr_t proxy_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	return iommu_iova_to_phys(to_proxy(domain)->real, iova);
}

static bool proxy_enforce_coherency(struct iommu_domain *domain)
{
	struct iommu_domain *real = to_proxy(domain)->real;

	return real->ops->enforce_cache_coherency && real->ops->enforce_cache_coherency(real);
}

static void proxy_free(struct iommu_domain *domain)
{
	struct proxy_domain *pd = to_proxy(domain);

	iommu_domain_free(pd->real);
	pci_dev_put(pd->pdev);
	kfree(pd);
}

/* Unmapping and mapping flush by themselves; what is gathered here are dirty bits just cleared. */
static void proxy_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct iommu_domain *real = to_proxy(domain)->real;

	if (gather->start < gather->end && real->ops->iotlb_sync)
		real->ops->iotlb_sync(real, gather);
}

static const struct iommu_domain_ops proxy_domain_ops = {
	.attach_dev = proxy_attach,
	.map_pages = proxy_map,
	.unmap_pages = proxy_unmap,
	.iotlb_sync = proxy_iotlb_sync,
	.iova_to_phys = proxy_iova_to_phys,
	.enforce_cache_coherency = proxy_enforce_coherency,
	.free = proxy_free,
};

/* Takes over @real, a paging domain of the physical function or an error. */
static struct iommu_domain *proxy_domain_wrap(struct device *dev, struct iommu_domain *real)
{
	struct slice *s = child_slice(dev);
	struct proxy_domain *pd;

	if (IS_ERR(real))
		return real;
	pd = kzalloc(sizeof(*pd), GFP_KERNEL);
	if (!pd) {
		iommu_domain_free(real);
		return ERR_PTR(-ENOMEM);
	}
	pd->real = real;
	pd->pdev = pci_dev_get(s->parent->pdev);
	pd->domain.type = IOMMU_DOMAIN_UNMANAGED;	/* iommufd leaves that to us */
	pd->domain.ops = &proxy_domain_ops;
	pd->domain.pgsize_bitmap = real->pgsize_bitmap;
	pd->domain.geometry = real->geometry;
	return &pd->domain;
}

static struct iommu_domain *proxy_domain_alloc(struct device *dev)
{
	struct device *pf = &child_slice(dev)->parent->pdev->dev;

	return proxy_domain_wrap(dev, iommu_paging_domain_alloc(pf));
}

#ifdef HAVE_PAGING_FLAGS
/*
 * Which pages the device wrote: the IOMMU sets the dirty bits, in the tables that the
 * PASID has, so the real domain has the answer. Only iommufd asks for this.
 */
static int proxy_set_dirty_tracking(struct iommu_domain *domain, bool on)
{
	struct iommu_domain *real = to_proxy(domain)->real;

	return real->dirty_ops->set_dirty_tracking(real, on);
}

static int proxy_read_dirty(struct iommu_domain *domain, unsigned long iova, size_t size,
			    unsigned long flags, struct iommu_dirty_bitmap *dirty)
{
	struct iommu_domain *real = to_proxy(domain)->real;

	return real->dirty_ops->read_and_clear_dirty(real, iova, size, flags, dirty);
}

static const struct iommu_dirty_ops proxy_dirty_ops = {
	.set_dirty_tracking = proxy_set_dirty_tracking,
	.read_and_clear_dirty = proxy_read_dirty,
};

/* No nesting, no PASIDs of the user's own, no domain of a type that user space describes. */
static struct iommu_domain *proxy_domain_alloc_flags(struct device *dev, u32 flags,
						     const struct iommu_user_data *user_data)
{
	struct device *pf = &child_slice(dev)->parent->pdev->dev;
	struct iommu_domain *domain;

	if (user_data || flags & ~IOMMU_HWPT_ALLOC_DIRTY_TRACKING)
		return ERR_PTR(-EOPNOTSUPP);
	domain = proxy_domain_wrap(dev, iommu_paging_domain_alloc_flags(pf, flags));
	if (!IS_ERR(domain) && to_proxy(domain)->real->dirty_ops)
		domain->dirty_ops = &proxy_dirty_ops;
	return domain;
}
#endif

static bool proxy_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
	case IOMMU_CAP_NOEXEC:
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
#ifdef HAVE_PAGING_FLAGS
	case IOMMU_CAP_DIRTY_TRACKING:
#endif
		return device_iommu_capable(&child_slice(dev)->parent->pdev->dev, cap);
	default:
		return false;
	}
}

static struct iommu_device *proxy_probe_device(struct device *dev)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct slice **slice = dev_get_platdata(dev);

	if (!fwspec || fwspec->iommu_fwnode != proxy.fwnode || !slice)
		return ERR_PTR(-ENODEV);
	dev_iommu_priv_set(dev, *slice);
	return &proxy;
}

static struct iommu_group *proxy_device_group(struct device *dev)
{
	struct iommu_group *group = generic_device_group(dev);

	if (!IS_ERR(group))
		lockdep_set_class(&group->mutex, &child_group_key);
	return group;
}

/* Addresses that no mapping may use. Ranges mapped 1:1 for the function itself are not ours. */
static void proxy_get_resv_regions(struct device *dev, struct list_head *list)
{
	struct device *pf = &child_slice(dev)->parent->pdev->dev;
	struct iommu_resv_region *region, *copy;
	LIST_HEAD(regions);

	iommu_get_resv_regions(pf, &regions);
	list_for_each_entry(region, &regions, list) {
		if (region->type != IOMMU_RESV_MSI && region->type != IOMMU_RESV_SW_MSI &&
		    region->type != IOMMU_RESV_RESERVED)
			continue;
		copy = iommu_alloc_resv_region(region->start, region->length, region->prot,
					       region->type, GFP_KERNEL);
		if (copy)
			list_add_tail(&copy->list, list);
	}
	iommu_put_resv_regions(pf, &regions);
}

static int proxy_def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_BLOCKED;
}

static const struct iommu_ops proxy_ops = {
	.owner = THIS_MODULE,
	.capable = proxy_capable,
	.domain_alloc_paging = proxy_domain_alloc,
#ifdef HAVE_PAGING_FLAGS
	.domain_alloc_paging_flags = proxy_domain_alloc_flags,
#endif
	.probe_device = proxy_probe_device,
	.device_group = proxy_device_group,
	.get_resv_regions = proxy_get_resv_regions,
	.def_domain_type = proxy_def_domain_type,
	.default_domain = &blocked_domain,
	.blocked_domain = &blocked_domain,
	.release_domain = &blocked_domain,
	.default_domain_ops = &proxy_domain_ops,
};

/*
 * Before platform_device_add(): the bus then lets the proxy probe the child. This is
 * iommu_fwspec_init(), which wants a lock that only the IOMMU core has, against others
 * that probe the device at the same time: of this one nobody else knows yet.
 */
int proxy_claim(struct platform_device *child)
{
	struct dev_iommu *param = kzalloc(sizeof(*param), GFP_KERNEL);
	struct iommu_fwspec *fwspec = kzalloc(struct_size(fwspec, ids, 1), GFP_KERNEL);

	if (!param || !fwspec) {
		kfree(param);
		kfree(fwspec);
		return -ENOMEM;
	}
	mutex_init(&param->lock);
	fwspec->iommu_fwnode = fwnode_handle_get(proxy.fwnode);
	param->fwspec = fwspec;
	child->dev.iommu = param;
	return 0;
}

/* The child was not added, or its probe failed, after which the core has freed it. */
void proxy_disclaim(struct platform_device *child)
{
	struct dev_iommu *param = child->dev.iommu;

	if (!param)
		return;
	child->dev.iommu = NULL;
	fwnode_handle_put(param->fwspec->iommu_fwnode);
	kfree(param->fwspec);
	kfree(param);
}

/* Why no PASID of @pdev can be isolated, with the remedy, or NULL. */
const char *proxy_objection(struct pci_dev *pdev)
{
	struct device *dev = &pdev->dev;

	if (!device_iommu_mapped(dev) || !dev->iommu)
		return "no IOMMU translates its DMA; boot with intel_iommu=on";
	if (!dev->iommu->max_pasids)
		return "the IOMMU gives it no PASIDs; boot with intel_iommu=on,sm_on on a machine with VT-d scalable mode";
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return "its IOMMU cannot keep DMA coherent with the caches";
	if (!msi_device_has_isolated_msi(dev))
		return "its interrupts are not remapped; enable interrupt remapping and do not boot with intremap=off";
	return NULL;
}

int proxy_init(void)
{
	int r;

	/* without a node of its own the driver would claim every PCI device */
	proxy.fwnode = fwnode_create_software_node(NULL, NULL);
	if (IS_ERR(proxy.fwnode))
		return PTR_ERR(proxy.fwnode);
	r = iommu_device_sysfs_add(&proxy, NULL, NULL, "idxd-mdev");
	if (r < 0)
		goto undo_fwnode;
	r = iommu_device_register(&proxy, &proxy_ops, NULL);
	if (r < 0)
		goto undo_sysfs;
	return 0;

undo_sysfs:
	iommu_device_sysfs_remove(&proxy);
undo_fwnode:
	fwnode_remove_software_node(proxy.fwnode);
	return r;
}

void proxy_exit(void)
{
	iommu_device_unregister(&proxy);
	iommu_device_sysfs_remove(&proxy);
	fwnode_remove_software_node(proxy.fwnode);
}
