// SPDX-License-Identifier: GPL-2.0-only
/*
 * idxd-dsa-1dwq-v1 and idxd-iax-1dwq-v1: one dedicated work queue, whole;
 * idxd-dsa-1swq-v1 and idxd-iax-1swq-v1: part of a shared one (share.h);
 * idxd-dsa-1twq-v1 and idxd-iax-1twq-v1: a dedicated one by turns (turn.h). The
 * directory name is the parent's driver, a dash, and sysfs_name: what tools of
 * the first patch series looked for. A change of behaviour is a new type.
 */
#include <linux/pci.h>
#include <linux/vfio.h>

#include "hwq.h"
#include "layout.h"
#include "mdev.h"
#include "parent.h"
#include "slice.h"
#include "type.h"

static const struct {
	const char *dsa, *iax, *dsa_name, *iax_name, *text;
} types[] = {
	[TYPE_1DWQ] = { "dsa-1dwq-v1", "iax-1dwq-v1", "Intel DSA 1DWQ", "Intel IAX 1DWQ",
			"one dedicated work queue, mapped portal, one completion vector" },
	[TYPE_1SWQ] = { "dsa-1swq-v1", "iax-1swq-v1", "Intel DSA 1SWQ", "Intel IAX 1SWQ",
			"part of a shared work queue, seen as four dedicated ones of one entry, descriptors checked by the host" },
	[TYPE_1TWQ] = { "dsa-1twq-v1", "iax-1twq-v1", "Intel DSA 1TWQ", "Intel IAX 1TWQ",
			"one dedicated work queue by turns with others, mapped portal, one completion vector" },
};

void type_fill(struct parent *p, const struct idxd_device *idxd)
{
	bool iax = idxd->idxd_dev.type == IDXD_DEV_IAX;
	unsigned int i;

	for (i = 0; i < TYPE_MAX; i++) {
		p->types[i].parent = p;
		p->types[i].kind = i;
		p->types[i].mdev.sysfs_name = iax ? types[i].iax : types[i].dsa;
		p->types[i].mdev.pretty_name = iax ? types[i].iax_name : types[i].dsa_name;
		p->mdev_types[i] = &p->types[i].mdev;
	}
}

/* CVE-2024-21823: a guest that submits directly may harm the host. */
bool type_is_unsafe(const struct parent *p)
{
	return p->pdev->vendor == PCI_VENDOR_ID_INTEL &&
	       (p->pdev->device == 0x0b25 || p->pdev->device == 0x0cfe);
}

/* What `create` would find: bound to us, still as it was bound, with room for one more. */
static unsigned int type_available(struct mdev_type *mtype)
{
	const struct parent_type *t = to_parent_type(mtype);
	unsigned int n;

	mutex_lock(&parents_lock);
	n = t->parent->going ? 0 : slice_room(t->parent, t->kind);
	mutex_unlock(&parents_lock);
	return n;
}

static ssize_t type_description(struct mdev_type *mtype, char *buf)
{
	const struct parent_type *t = to_parent_type(mtype);
	bool unsafe = t->kind != TYPE_1SWQ && type_is_unsafe(t->parent);

	return sysfs_emit(buf, "%s, %s vectors%s\n", types[t->kind].text,
			  t->parent->ims ? "IMS" : "MSI-X",
			  unsafe ? ", unsafe: CVE-2024-21823" : "");
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
