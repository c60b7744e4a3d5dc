// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module start and end, and the dsa-bus driver `mdev` that work queues are
 * bound to. Everything else starts from that bind.
 */
#include <linux/module.h>

#include "cmd.h"
#include "compat.h"
#include "drain.h"
#include "fault.h"
#include "flr.h"
#include "hwq.h"
#include "iommu.h"
#include "layout.h"
#include "parent.h"
#include "rebind.h"
#include "type.h"
#include "vdev.h"

#define WQ_DRIVER "mdev"

int __idxd_driver_register(struct idxd_device_driver *driver, struct module *owner,
			   const char *mod_name);
void idxd_driver_unregister(struct idxd_device_driver *driver);

static struct idxd_wq *to_wq(struct idxd_dev *idev)
{
	return container_of(idev, struct idxd_wq, idxd_dev);
}

static int wq_probe(struct idxd_dev *idev)
{
	struct idxd_wq *wq = to_wq(idev);
	struct hwq *hwq;
	int r;

	/* the bus offers every queue to every driver */
	if (wq->type != IDXD_WQT_USER || strcmp(wq->driver_name, WQ_DRIVER))
		return -ENODEV;

	hwq = hwq_bind(wq);
	if (IS_ERR(hwq))
		return PTR_ERR(hwq);
	r = parent_bind(wq->idxd, hwq, rebind_is_for(&idev->conf_dev));
	if (r < 0) {
		hwq_unbind(hwq);
		return r;
	}
	dev_set_drvdata(&idev->conf_dev, hwq);
	return 0;
}

static void wq_remove(struct idxd_dev *idev)
{
	struct hwq *hwq = dev_get_drvdata(&idev->conf_dev);

	parent_unbind(hwq);
	hwq_unbind(hwq);
}

static enum idxd_dev_type wq_types[] = { IDXD_DEV_WQ, IDXD_DEV_NONE };

static struct idxd_device_driver wq_driver = {
	.name = WQ_DRIVER,
	.type = wq_types,
	.probe = wq_probe,
	.remove = wq_remove,
};

static int __init idxd_mdev_init(void)
{
	int r;

	r = cmd_init();
	if (r < 0)
		return r;
	fault_init();
	r = parent_init();
	if (r < 0)
		goto undo_cmd;
	r = proxy_init();
	if (r < 0)
		goto undo_parent;
	r = vdev_init();
	if (r < 0)
		goto undo_proxy;
	r = mdev_register_driver(&type_driver);
	if (r < 0)
		goto undo_vdev;
	r = __idxd_driver_register(&wq_driver, THIS_MODULE, KBUILD_MODNAME);
	if (r < 0)
		goto undo_type;
	r = rebind_init(&wq_driver.drv);
	if (r < 0)
		goto undo_driver;
	r = drain_init(&wq_driver.drv);
	if (r < 0)
		goto undo_rebind;
	flr_init();
	return 0;

undo_rebind:
	rebind_exit();
undo_driver:
	idxd_driver_unregister(&wq_driver);
undo_type:
	mdev_unregister_driver(&type_driver);
undo_vdev:
	vdev_exit();
undo_proxy:
	proxy_exit();
undo_parent:
	parent_exit();
undo_cmd:
	fault_exit();
	cmd_exit();
	return r;
}

static void __exit idxd_mdev_exit(void)
{
	flr_exit();
	drain_exit();
	rebind_exit();
	idxd_driver_unregister(&wq_driver);
	parent_exit();
	mdev_unregister_driver(&type_driver);
	vdev_exit();
	proxy_exit();
	fault_exit();
	cmd_exit();
}

module_init(idxd_mdev_init);
module_exit(idxd_mdev_exit);

COMPAT_IMPORT_NS(IDXD);
MODULE_DESCRIPTION("Mediated devices for Intel DSA and IAA work queues");
MODULE_LICENSE("GPL");
