// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mdev itself has no IOMMU: the kernel probes one only for devices on
 * certain buses. So each mdev gets a platform child that has one, and the
 * VFIO device sits on that child. VMMs find its group and its character device
 * through links.
 */
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "iommu.h"
#include "layout.h"
#include "mdev.h"
#include "parent.h"
#include "share.h"
#include "slice.h"
#include "turn.h"
#include "type.h"
#include "vdev.h"

static struct slice *mdev_slice(struct device *dev)
{
	struct platform_device *child = dev_get_drvdata(dev);
	struct slice **slice = dev_get_platdata(&child->dev);

	return *slice;
}

static ssize_t wq_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return slice_show_wq(mdev_slice(dev), buf);
}

static ssize_t wq_store(struct device *dev, struct device_attribute *attr, const char *buf,
			size_t len)
{
	int r = slice_pin(mdev_slice(dev), buf);

	if (r == -EBUSY)
		dev_err(dev, "keeps its work queue: it was opened already or has none\n");
	else if (r == -ENOENT)
		dev_err(dev, "cannot move: no free work queue of that name is bound to mdev\n");
	return r < 0 ? r : len;
}
static DEVICE_ATTR_RW(wq);

/* So that what the hardware holds can be compared with whose it should be. */
static ssize_t pasid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", mdev_slice(dev)->pasid);
}
static DEVICE_ATTR_ADMIN_RO(pasid);

static ssize_t opener_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return slice_show_opener(mdev_slice(dev), buf);
}
static DEVICE_ATTR_RO(opener);

/* Beside others on the same queue: a share, not a guarantee; the man page says of what. */
static ssize_t weight_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(mdev_slice(dev)->weight));
}

static ssize_t weight_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t len)
{
	unsigned int weight;
	int r = kstrtouint(buf, 0, &weight);

	if (r < 0)
		return r;
	if (!weight || weight > SLICE_MAX_WEIGHT)
		return -ERANGE;
	WRITE_ONCE(mdev_slice(dev)->weight, weight);
	return len;
}
static DEVICE_ATTR_RW(weight);

static struct attribute *mdev_attrs[] = {
	&dev_attr_opener.attr,
	&dev_attr_wq.attr,
	&dev_attr_pasid.attr,
	&dev_attr_weight.attr,
	NULL,
};

/* Who has a queue alone has no weight. */
static umode_t attr_is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	const struct mdev_device *mdev = to_mdev_device(kobj_to_dev(kobj));

	if (attr == &dev_attr_weight.attr && to_parent_type(mdev->type)->kind == TYPE_1DWQ)
		return 0;
	return attr->mode;
}

static const struct attribute_group mdev_group = {
	.attrs = mdev_attrs,
	.is_visible = attr_is_visible,
};

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return slice_show_state(mdev_slice(dev), buf);
}
static DEVICE_ATTR_RO(state);

#define STAT(name, value) \
static ssize_t name##_show(struct device *dev, struct device_attribute *attr, char *buf) \
{ \
	struct slice *s = mdev_slice(dev); \
\
	return sysfs_emit(buf, "%llu\n", (u64)(value)); \
} \
static DEVICE_ATTR_RO(name)

STAT(commands, atomic64_read(&s->stats.commands));
STAT(interrupts, atomic64_read(&s->stats.interrupts));
STAT(errors, atomic64_read(&s->stats.errors));
STAT(faults, slice_faults(s));
STAT(doorbells, s->share ? atomic64_read(&s->share->stats.doorbells) : 0);
STAT(descriptors, s->share ? atomic64_read(&s->share->stats.descriptors) : 0);
STAT(retries, s->share ? atomic64_read(&s->share->stats.retries) : 0);
STAT(turns, s->turn ? atomic64_read(&s->turn->count) : 0);
STAT(turns_us, s->turn ? READ_ONCE(s->turn->time_us) : 0);

/* VFIO has no hook for fdinfo (seen in 6.12 and 7.3), so what belongs there is here. */
#define MDEV_STATS_OF_ALL 5
#define MDEV_STATS_OF_1SWQ 8

static struct attribute *mdev_stats[] = {
	&dev_attr_state.attr,
	&dev_attr_commands.attr,
	&dev_attr_interrupts.attr,
	&dev_attr_errors.attr,
	&dev_attr_faults.attr,
	&dev_attr_doorbells.attr,
	&dev_attr_descriptors.attr,
	&dev_attr_retries.attr,
	&dev_attr_turns.attr,
	&dev_attr_turns_us.attr,
	NULL,
};
/* Of an mdev with a mapped portal the host sees no descriptor. */
static umode_t stat_is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	const struct mdev_device *mdev = to_mdev_device(kobj_to_dev(kobj));

	enum type_kind wanted = n < MDEV_STATS_OF_1SWQ ? TYPE_1SWQ : TYPE_1TWQ;

	if (n < MDEV_STATS_OF_ALL || to_parent_type(mdev->type)->kind == wanted)
		return attr->mode;
	return 0;
}

static const struct attribute_group mdev_stats_group = {
	.name = "stats",
	.attrs = mdev_stats,
	.is_visible = stat_is_visible,
};

const struct attribute_group *mdev_groups[] = {
	&mdev_group,
	&mdev_stats_group,
	NULL,
};

/* The child with its own IOMMU group; bound to the VFIO driver on return. */
static struct platform_device *child_create(struct mdev_device *mdev, struct slice *s)
{
	struct platform_device *child;
	int r;

	child = platform_device_alloc(VDEV_DRIVER, PLATFORM_DEVID_AUTO);
	if (!child)
		return ERR_PTR(-ENOMEM);
	child->dev.parent = &mdev->dev;
	/* VFIO asks each device of a group whether its interrupts are isolated */
	dev_set_msi_domain(&child->dev, dev_get_msi_domain(&s->parent->pdev->dev));
	r = platform_device_add_data(child, &s, sizeof(s));
	if (!r)
		r = proxy_claim(child);
	if (!r)
		r = platform_device_add(child);
	if (r < 0) {
		proxy_disclaim(child);
		platform_device_put(child);
		return ERR_PTR(r);
	}
	if (!platform_get_drvdata(child)) {
		platform_device_unregister(child);
		return ERR_PTR(-EINVAL);
	}
	return child;
}

int mdev_probe(struct mdev_device *mdev)
{
	const struct parent_type *type = to_parent_type(mdev->type);
	struct parent *parent = type->parent;
	struct platform_device *child;
	struct slice *s;
	int r;

	if (type->kind != TYPE_1SWQ && type_is_unsafe(parent) && !READ_ONCE(parent->unsafe)) {
		dev_err(&parent->pdev->dev,
			"no mdev created: CVE-2024-21823 affects %04x:%04x, a guest could harm the host; create idxd-%s-1swq-v1 instead, or load idxd_mdev with allow_unsafe=1 and write 1 to idxd_mdev_unsafe to accept that\n",
			parent->pdev->vendor, parent->pdev->device,
			parent->idxd->idxd_dev.type == IDXD_DEV_IAX ? "iax" : "dsa");
		return -EPERM;
	}
	r = slice_create(parent, type->kind, &s);
	if (r < 0)
		return r;

	child = child_create(mdev, s);
	if (IS_ERR(child)) {
		r = PTR_ERR(child);
		dev_err(&mdev->dev, "not created: no isolated VFIO device could be made: %d\n", r);
		goto undo_slice;
	}
	r = sysfs_create_link(&mdev->dev.kobj, &child->dev.iommu_group->kobj, "iommu_group");
	if (r < 0)
		goto undo_child;
	r = sysfs_create_link(&mdev->dev.kobj, vdev_cdev_dir(child), "vfio-dev");
	if (r < 0)
		goto undo_group;
	dev_set_drvdata(&mdev->dev, child);
	return 0;

undo_group:
	sysfs_remove_link(&mdev->dev.kobj, "iommu_group");
undo_child:
	platform_device_unregister(child);
undo_slice:
	slice_destroy(s);
	return r;
}

/* Waits until the VMM let go of the device; it is asked to. */
void mdev_remove(struct mdev_device *mdev)
{
	struct platform_device *child = dev_get_drvdata(&mdev->dev);
	struct slice *s = mdev_slice(&mdev->dev);

	sysfs_remove_link(&mdev->dev.kobj, "vfio-dev");
	sysfs_remove_link(&mdev->dev.kobj, "iommu_group");
	platform_device_unregister(child);
	slice_destroy(s);
}
