// SPDX-License-Identifier: GPL-2.0-only
/*
 * idxd-dsa-1dwq-v1 and idxd-iax-1dwq-v1: one dedicated work queue, whole. The
 * directory name is the parent's driver, a dash, and sysfs_name: what tools of
 * the first patch series looked for. A change of behaviour is a new type.
 */
#include <linux/pci.h>
#include <linux/vfio.h>

#include "hwq.h"
#include "layout.h"
#include "mdev.h"
#include "parent.h"
#include "type.h"

static const struct {
	const char *sysfs, *pretty, *text;
} types[] = {
	[IDXD_DEV_DSA] = { "dsa-1dwq-v1", "Intel DSA 1DWQ",
			   "one dedicated work queue, mapped portal, one completion vector" },
	[IDXD_DEV_IAX] = { "iax-1dwq-v1", "Intel IAX 1DWQ",
			   "one dedicated work queue, mapped portal, one completion vector" },
};

void type_fill(struct parent *p, const struct idxd_device *idxd)
{
	unsigned int i = idxd->idxd_dev.type == IDXD_DEV_IAX ? IDXD_DEV_IAX : IDXD_DEV_DSA;

	p->type.sysfs_name = types[i].sysfs;
	p->type.pretty_name = types[i].pretty;
	p->types[0] = &p->type;
}

/* CVE-2024-21823: a guest that submits directly may harm the host. */
bool type_is_unsafe(const struct parent *p)
{
	return p->pdev->vendor == PCI_VENDOR_ID_INTEL &&
	       (p->pdev->device == 0x0b25 || p->pdev->device == 0x0cfe);
}

/* What `create` would find: bound to us, still as it was bound, and free. */
static unsigned int type_available(struct mdev_type *mtype)
{
	struct parent *p = container_of(mtype, struct parent, type);
	unsigned int n = 0;
	struct hwq *hwq;

	mutex_lock(&parents_lock);
	if (!p->going)
		list_for_each_entry(hwq, &p->hwqs, node)
			n += !hwq->slice && hwq_is_usable(hwq);
	mutex_unlock(&parents_lock);
	return n;
}

static ssize_t type_description(struct mdev_type *mtype, char *buf)
{
	struct parent *p = container_of(mtype, struct parent, type);

	return sysfs_emit(buf, "%s, %s vectors%s\n", types[IDXD_DEV_DSA].text,
			  p->ims ? "IMS" : "MSI-X",
			  type_is_unsafe(p) ? ", unsafe: CVE-2024-21823" : "");
}

struct mdev_driver type_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = mdev_probe,
	.remove = mdev_remove,
	.get_available = type_available,
	.show_description = type_description,
	.driver = {
		.name = "idxd_mdev",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
		.dev_groups = mdev_groups,
	},
};
