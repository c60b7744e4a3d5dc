// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whoever suspends a VM or a container wants nothing of it in flight. The driver's
 * file `drain` takes a line
 *
 *	WQ		all descriptors of a work queue, whoever has it
 *	WQ PASID	those of one address space, on all queues of its device
 *	WQ pid=PID	the same, of a process that has the queue open
 *
 * and the write returns when the device has ended them, or with an error. It does not
 * keep anybody from submitting more: who is not stopped should not be drained.
 */
#include <linux/bitfield.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "cmd.h"
#include "drain.h"
#include "layout.h"

extern const struct bus_type dsa_bus_type;

static struct device_driver *drain_driver;

/* Can descriptors be in flight? A queue that is ours is often disabled in hardware. */
static bool drain_is_running(const struct idxd_wq *wq)
{
	const struct idxd_device *idxd = wq->idxd;
	const void __iomem *cfg = (void __iomem __force *)idxd->reg_base + idxd->wqcfg_offset +
				  wq->id * idxd->wqcfg_size;

	return FIELD_GET(WQCFG_STATE, ioread32(cfg + WQCFG_STATUS * sizeof(u32))) ==
	       WQCFG_STATE_ENABLED;
}

/* The PASID of a process that opened the queue's character device. */
static int drain_find(struct idxd_wq *wq, unsigned int pid, u32 *ret_pasid)
{
	struct idxd_user_context *ctx;
	unsigned long index;
	int r = -ESRCH;

	mutex_lock(&wq->uc_lock);
	xa_for_each(&wq->upasid_xa, index, ctx)
		if (ctx->pid == pid) {
			*ret_pasid = ctx->pasid;
			r = 0;
		}
	mutex_unlock(&wq->uc_lock);
	return r;
}

static int drain_who(struct idxd_wq *wq, const char *who, u32 *ret_pasid)
{
	unsigned int pid;
	int r;

	if (!strncmp(who, "pid=", 4)) {
		r = kstrtouint(who + 4, 10, &pid);
		return r < 0 ? r : !pid ? -EINVAL : drain_find(wq, pid, ret_pasid);
	}
	r = kstrtou32(who, 10, ret_pasid);
	return r < 0 ? r : !*ret_pasid || *ret_pasid > FIELD_MAX(CMD_OPERAND) ? -EINVAL : 0;
}

/*
 * The lock of @dev, which whoever unbinds the queue or removes its device waits for;
 * not wq_lock, so that a drain which takes long holds up nothing else.
 */
static int drain_wq(struct device *dev, const char *who)
{
	struct idxd_dev *idev = container_of(dev, struct idxd_dev, conf_dev);
	struct idxd_wq *wq = container_of(idev, struct idxd_wq, idxd_dev);
	u32 pasid;
	int r;

	if (idev->type != IDXD_DEV_WQ)
		return -ENODEV;
	if (!dev->driver || READ_ONCE(wq->state) != IDXD_WQ_ENABLED)
		return -ENXIO;
	if (who) {
		r = drain_who(wq, who, &pasid);
		return r < 0 ? r : cmd_exec(wq->idxd, CMD_DRAIN_PASID, pasid, NULL);
	}
	if (!drain_is_running(wq))
		return 0;
	return cmd_exec(wq->idxd, CMD_DRAIN_WQ, cmd_wq_mask(wq->id), NULL);
}

static ssize_t drain_store(struct device_driver *drv, const char *buf, size_t count)
{
	char line[64], *who, *name;
	struct device *dev;
	int r;

	if (strscpy(line, buf, sizeof(line)) < 0)
		return -EINVAL;
	who = strim(line);
	name = strsep(&who, " ");
	dev = bus_find_device_by_name(&dsa_bus_type, NULL, name);
	if (!dev)
		return -ENODEV;
	device_lock(dev);
	r = drain_wq(dev, who);
	device_unlock(dev);
	put_device(dev);
	return r < 0 ? r : count;
}
static DRIVER_ATTR_WO(drain);

/* @driver is registered on the bus. */
int drain_init(struct device_driver *driver)
{
	drain_driver = driver;
	return driver_create_file(driver, &driver_attr_drain);
}

/* Before the driver leaves the bus. Waits for a drain that is under way. */
void drain_exit(void)
{
	driver_remove_file(drain_driver, &driver_attr_drain);
}
