// SPDX-License-Identifier: GPL-2.0-only
/*
 * After a reset of the function in-tree idxd (seen in 7.3.4) gives each queue its
 * configuration back and binds those of type `user` to its own driver, which
 * refuses ours for their driver_name. Seeing that refusal, this binds the queue
 * to us again, and the mdev that held it gets it back.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "layout.h"
#include "rebind.h"

/* After its own attempt idxd strikes the queue off a list that our bind puts it on. */
#define DELAY_MS	200

extern const struct bus_type dsa_bus_type;
extern struct idxd_device_driver idxd_user_drv;

struct rebind {
	struct work_struct work;
	struct device *dev;
};

static struct workqueue_struct *rebinders;	/* one at a time */
static struct device_driver *our_driver;
static const struct device *current_dev;

/* In our probe of @dev: is it on behalf of this file? */
bool rebind_is_for(const struct device *dev)
{
	return READ_ONCE(current_dev) == dev;
}

static void rebind_work(struct work_struct *work)
{
	struct rebind *r = container_of(work, struct rebind, work);

	msleep(DELAY_MS);
	WRITE_ONCE(current_dev, r->dev);
	if (device_driver_attach(our_driver, r->dev) < 0)
		dev_notice(r->dev, "did not come back to the driver mdev after a reset\n");
	WRITE_ONCE(current_dev, NULL);
	put_device(r->dev);
	kfree(r);
}

static bool is_ours(struct device *dev)
{
	struct idxd_dev *idev = container_of(dev, struct idxd_dev, conf_dev);
	struct idxd_wq *wq;

	if (idev->type != IDXD_DEV_WQ || dev->driver != &idxd_user_drv.drv)
		return false;
	wq = container_of(idev, struct idxd_wq, idxd_dev);
	return wq->type == IDXD_WQT_USER && !strcmp(wq->driver_name, our_driver->name);
}

static int rebind_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;
	struct rebind *r;

	if (action != BUS_NOTIFY_DRIVER_NOT_BOUND || !is_ours(dev))
		return NOTIFY_DONE;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return NOTIFY_DONE;
	INIT_WORK(&r->work, rebind_work);
	r->dev = get_device(dev);
	queue_work(rebinders, &r->work);
	return NOTIFY_OK;
}

static struct notifier_block rebind_nb = {
	.notifier_call = rebind_notify,
};

/* @driver is registered on the bus. */
int rebind_init(struct device_driver *driver)
{
	int r;

	our_driver = driver;
	rebinders = alloc_ordered_workqueue("idxd_mdev_rebind", 0);
	if (!rebinders)
		return -ENOMEM;
	r = bus_register_notifier(&dsa_bus_type, &rebind_nb);
	if (r < 0)
		destroy_workqueue(rebinders);
	return r;
}

/* Before the driver leaves the bus. */
void rebind_exit(void)
{
	bus_unregister_notifier(&dsa_bus_type, &rebind_nb);
	destroy_workqueue(rebinders);
}
