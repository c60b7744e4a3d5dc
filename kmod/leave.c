// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver core unbinds the consumers of a function before it unbinds the function,
 * and holds no lock of its own meanwhile. So each parent has a platform device that is
 * a consumer of its function: when that is unbound, all mdevs go, which may wait for
 * VMMs. To wait in a notifier of the PCI bus instead would hold up whoever registers
 * another one, and then the whole bus.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "leave.h"
#include "parent.h"

#define LEAVE_DRIVER	"idxd-mdev-leave"

static struct parent *leave_parent(struct platform_device *watch)
{
	struct parent **p = dev_get_platdata(&watch->dev);

	return *p;
}

/* Fails when idxd is on its way out of the function already. */
static int leave_probe(struct platform_device *watch)
{
	struct device *function = &leave_parent(watch)->pdev->dev;
	struct device_link *link;

	link = device_link_add(&watch->dev, function, DL_FLAG_AUTOREMOVE_CONSUMER);
	if (!link)
		return -ENOMEM;
	if (READ_ONCE(link->status) == DL_STATE_SUPPLIER_UNBIND)
		return -ENODEV;
	platform_set_drvdata(watch, link);
	return 0;
}

static void leave_remove(struct platform_device *watch)
{
	parent_leave(leave_parent(watch));
}

static struct platform_driver leave_driver = {
	.probe = leave_probe,
	.remove = leave_remove,
	.driver = {
		.name = LEAVE_DRIVER,
		.suppress_bind_attrs = true,
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

struct platform_device *leave_watch(struct parent *parent)
{
	struct platform_device *watch;

	watch = platform_device_register_data(NULL, LEAVE_DRIVER, PLATFORM_DEVID_AUTO,
					      &parent, sizeof(parent));
	if (!IS_ERR(watch) && !platform_get_drvdata(watch)) {
		platform_device_unregister(watch);
		return ERR_PTR(-ENODEV);
	}
	return watch;
}

int leave_init(void)
{
	return platform_driver_register(&leave_driver);
}

/* No parent is left. */
void leave_exit(void)
{
	platform_driver_unregister(&leave_driver);
}
