// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical function becomes an mdev parent with its first bound queue and
 * stops being one when it has neither a bound queue nor an mdev. When its PCI
 * driver leaves, it stops at once (leave.c): that waits for every VMM to let go.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "hwq.h"
#include "ims.h"
#include "iommu.h"
#include "layout.h"
#include "leave.h"
#include "parent.h"
#include "slice.h"
#include "type.h"

DEFINE_MUTEX(parents_lock);
static LIST_HEAD(parents);

/* Taken outside parents_lock: registration against reaping. */
static DEFINE_MUTEX(register_lock);
static struct workqueue_struct *reaper;

static char *irq_backend = "auto";
module_param(irq_backend, charp, 0444);
MODULE_PARM_DESC(irq_backend, "completion vectors: auto (default), ims or msix");

static bool allow_unsafe;
module_param(allow_unsafe, bool, 0444);
MODULE_PARM_DESC(allow_unsafe,
		 "permit idxd_mdev_unsafe to be set on devices that CVE-2024-21823 affects");

static void parent_free(struct kref *ref)
{
	struct parent *p = container_of(ref, struct parent, ref);

	pci_dev_put(p->pdev);
	kfree(p);
}

void parent_put(struct parent *p)
{
	kref_put(&p->ref, parent_free);
}

static struct parent *parent_find(const struct pci_dev *pdev)
{
	struct parent *p;

	lockdep_assert_held(&parents_lock);
	list_for_each_entry(p, &parents, node)
		if (p->pdev == pdev)
			return p;
	return NULL;
}

/* available_instances may read differently now. */
void parent_changed(struct parent *p)
{
	char *env[] = { "IDXD_MDEV=available", NULL };

	kobject_uevent_env(&p->pdev->dev.kobj, KOBJ_CHANGE, env);
}

static ssize_t idxd_mdev_unsafe_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct parent *p;
	bool on;

	mutex_lock(&parents_lock);
	p = parent_find(to_pci_dev(dev));
	on = p && p->unsafe;
	mutex_unlock(&parents_lock);
	return sysfs_emit(buf, "%d\n", on);
}

static ssize_t idxd_mdev_unsafe_store(struct device *dev, struct device_attribute *attr,
				      const char *buf, size_t len)
{
	struct parent *p;
	bool on;
	int r;

	r = kstrtobool(buf, &on);
	if (r < 0)
		return r;
	if (on && !allow_unsafe) {
		dev_err(dev, "not opened for unsafe use: idxd_mdev was loaded without allow_unsafe=1\n");
		return -EPERM;
	}
	mutex_lock(&parents_lock);
	p = parent_find(to_pci_dev(dev));
	if (p)
		p->unsafe = on;
	mutex_unlock(&parents_lock);
	return p ? len : -ENODEV;
}
static DEVICE_ATTR_ADMIN_RW(idxd_mdev_unsafe);

static int parent_setup_irqs(struct parent *p)
{
	struct ims *ims = NULL;

	if (!sysfs_streq(irq_backend, "msix"))
		ims = ims_create(p->idxd);
	if (IS_ERR(ims))
		return PTR_ERR(ims);
	if (!ims && sysfs_streq(irq_backend, "ims")) {
		dev_err(&p->pdev->dev,
			"cannot serve mdevs: it has no IMS, and irq_backend=ims forbids MSI-X\n");
		return -EOPNOTSUPP;
	}
	p->ims = ims;
	return 0;
}

static void parent_reap(struct work_struct *work);

static struct parent *parent_register(struct idxd_device *idxd)
{
	struct device *dev = &idxd->pdev->dev;
	const char *why = proxy_objection(idxd->pdev);
	struct parent *p;
	int r;

	if (why) {
		dev_err(dev, "cannot serve mdevs: %s\n", why);
		return ERR_PTR(-EOPNOTSUPP);
	}
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return ERR_PTR(-ENOMEM);
	kref_init(&p->ref);
	INIT_LIST_HEAD(&p->hwqs);
	INIT_LIST_HEAD(&p->slices);
	INIT_WORK(&p->reap, parent_reap);
	p->idxd = idxd;
	p->pdev = pci_dev_get(idxd->pdev);
	type_fill(p, idxd);

	r = parent_setup_irqs(p);
	if (r < 0)
		goto undo_parent;
	r = device_create_file(dev, &dev_attr_idxd_mdev_unsafe);
	if (r < 0)
		goto undo_irqs;
	mutex_lock(&parents_lock);
	list_add_tail(&p->node, &parents);
	mutex_unlock(&parents_lock);
	r = mdev_register_parent(&p->mdev, dev, &type_driver, p->mdev_types, TYPE_MAX);
	if (r < 0)
		goto undo_list;
	p->watch = leave_watch(p);
	if (IS_ERR(p->watch)) {
		r = PTR_ERR(p->watch);
		goto undo_mdev;
	}
	return p;

undo_mdev:
	p->watch = NULL;
	mutex_lock(&parents_lock);
	p->going = true;
	mutex_unlock(&parents_lock);
	mdev_unregister_parent(&p->mdev);
undo_list:
	mutex_lock(&parents_lock);
	list_del_init(&p->node);
	mutex_unlock(&parents_lock);
	device_remove_file(dev, &dev_attr_idxd_mdev_unsafe);
undo_irqs:
	ims_destroy(p->ims);
undo_parent:
	parent_put(p);
	return ERR_PTR(r);
}

/* p->going is set. Waits until the last mdev was let go. */
static void parent_unregister(struct parent *p)
{
	mdev_unregister_parent(&p->mdev);
	device_remove_file(&p->pdev->dev, &dev_attr_idxd_mdev_unsafe);
	ims_destroy(p->ims);
	p->ims = NULL;
}

/* parents_lock. To the mdev that held the same queue before a reset, if one did. */
static void parent_give_back(struct parent *p, struct hwq *hwq)
{
	struct slice *s;

	list_for_each_entry(s, &p->slices, node)
		if (slice_give_back(s, hwq) && s->kind == TYPE_1DWQ)
			return;
}

/* Puts @hwq into the pool of its device. @back: idxd brought it back after a reset. */
int parent_bind(struct idxd_device *idxd, struct hwq *hwq, bool back)
{
	struct parent *p;
	int r = 0;

	mutex_lock(&register_lock);
	mutex_lock(&parents_lock);
	p = parent_find(idxd->pdev);
	mutex_unlock(&parents_lock);
	if (!p)
		p = parent_register(idxd);
	if (IS_ERR(p)) {
		r = PTR_ERR(p);
		goto out;
	}
	mutex_lock(&parents_lock);
	if (p->going) {
		r = -ENODEV;
	} else {
		kref_get(&p->ref);
		hwq->parent = p;
		list_add_tail(&hwq->node, &p->hwqs);
		if (back)
			parent_give_back(p, hwq);
	}
	mutex_unlock(&parents_lock);
out:
	mutex_unlock(&register_lock);
	if (!r)
		parent_changed(p);
	return r;
}

static void parent_check(struct parent *p)
{
	kref_get(&p->ref);
	if (!queue_work(reaper, &p->reap))
		parent_put(p);
}

/* One of the mdevs that hold @hwq, referenced, or NULL. */
static struct slice *parent_holder(struct hwq *hwq)
{
	struct slice *s = hwq->slice;

	lockdep_assert_held(&parents_lock);
	if (!s)
		s = list_first_entry_or_null(&hwq->sharers, struct slice, sharer);
	if (s)
		kref_get(&s->ref);
	return s;
}

/* Takes @hwq out of the pool, and away from the mdevs that hold it. */
void parent_unbind(struct hwq *hwq)
{
	struct parent *p = hwq->parent;
	struct slice *s;

	mutex_lock(&parents_lock);
	list_del_init(&hwq->node);
	while ((s = parent_holder(hwq))) {
		mutex_unlock(&parents_lock);
		slice_orphan(s, hwq);
		mutex_lock(&parents_lock);
		slice_bereave(s, hwq);
		slice_put(s);
	}
	mutex_unlock(&parents_lock);
	parent_changed(p);
	parent_check(p);
	parent_put(p);
}

void parent_slice_added(struct parent *p, struct slice *s)
{
	lockdep_assert_held(&parents_lock);
	list_add_tail(&s->node, &p->slices);
	kref_get(&p->ref);
}

void parent_slice_removed(struct parent *p, struct slice *s)
{
	mutex_lock(&parents_lock);
	list_del(&s->node);
	mutex_unlock(&parents_lock);
	parent_changed(p);
	parent_check(p);
	parent_put(p);
}

static void parent_reap(struct work_struct *work)
{
	struct parent *p = container_of(work, struct parent, reap);
	struct platform_device *watch = NULL;
	bool idle;

	mutex_lock(&register_lock);
	mutex_lock(&parents_lock);
	idle = list_empty(&p->hwqs) && list_empty(&p->slices) && !p->going;
	if (idle) {
		p->going = true;
		list_del_init(&p->node);
	}
	if (list_empty(&p->node))
		swap(watch, p->watch);
	mutex_unlock(&parents_lock);
	if (idle)
		parent_unregister(p);
	mutex_unlock(&register_lock);
	if (watch) {
		platform_device_unregister(watch);
		parent_put(p);
	}
	parent_put(p);
}

/*
 * The function loses its driver. In-tree idxd (seen in 6.12.107 and 7.3.4) first
 * frees its work queues and then, if the device is still enabled, walks them to
 * disable them. Disabling the device here, while they exist, is what it would
 * do next anyway. Nothing happens if @p is being reaped, which this waits for.
 */
void parent_leave(struct parent *p)
{
	bool leave;

	mutex_lock(&register_lock);
	mutex_lock(&parents_lock);
	leave = !p->going;
	p->going = true;
	mutex_unlock(&parents_lock);
	mutex_unlock(&register_lock);
	if (!leave)
		return;
	parent_unregister(p);
	device_release_driver(&p->idxd->idxd_dev.conf_dev);
	mutex_lock(&parents_lock);
	list_del_init(&p->node);
	mutex_unlock(&parents_lock);
	parent_check(p);
}

int parent_init(void)
{
	int r;

	if (!sysfs_streq(irq_backend, "auto") && !sysfs_streq(irq_backend, "ims") &&
	    !sysfs_streq(irq_backend, "msix")) {
		pr_err("idxd_mdev: irq_backend=%s is none of auto, ims, msix\n", irq_backend);
		return -EINVAL;
	}
	reaper = alloc_workqueue("idxd_mdev", WQ_UNBOUND, 0);
	if (!reaper)
		return -ENOMEM;
	r = leave_init();
	if (r < 0)
		destroy_workqueue(reaper);
	return r;
}

/* No queue is bound and no mdev exists; parents that still wait to be reaped are. */
void parent_exit(void)
{
	destroy_workqueue(reaper);
	leave_exit();
}
