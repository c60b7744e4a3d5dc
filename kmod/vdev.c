// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VMM sees: a VFIO PCI device. Registers belong to the core, which is
 * called under one mutex; hardware work that the core asks for runs in a worker
 * without it, one command at a time, and always ends with a result.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "cmd.h"
#include "compat.h"
#include "hwq.h"
#include "migration.h"
#include "record.h"
#include "regs.h"
#include "slice.h"
#include "trace.h"
#include "vdev.h"

/* Longer than any one command of ours (cmd.h) may take. */
#define WATCHDOG_MS (4 * CMD_TIMEOUT_MS)

struct workqueue_struct *vdev_workers;

/* ---- what the core asks for ----------------------------------------------- */

static void op_cmd_start(void *priv, const struct vd_cmd *cmd)
{
	struct vdev *v = priv;

	lockdep_assert_held(&v->lock);
	if (cmd->work == VD_WORK_PUT_HANDLE) {
		/* the host keeps its handle; the guest spins until this is done */
		vd_cmd_done(&v->vd, cmd->seq, VD_CMD_OK, 0);
		return;
	}
	v->cmd = *cmd;
	v->cmd_new = true;
	v->cmd_owed = true;
	v->cmd_due = jiffies + msecs_to_jiffies(WATCHDOG_MS);
	mod_delayed_work(vdev_workers, &v->watchdog, msecs_to_jiffies(WATCHDOG_MS));
	queue_work(vdev_workers, &v->work);
}

static void op_stop(void *priv, enum vd_stop why)
{
	struct vdev *v = priv;

	v->stop = true;
	v->reset |= why == VD_STOP_RESET;
	v->cmd_new = false;
	v->cmd_owed = false;
	queue_work(vdev_workers, &v->work);
}

static void op_irq(void *priv, unsigned int vector)
{
	struct vdev *v = priv;

	trigger_send(&v->triggers[vector]);
}

static void op_irq_gate(void *priv, unsigned int vector, bool open)
{
	struct vdev *v = priv;

	trigger_gate(&v->triggers[vector], open);
}

static const struct vd_ops vdev_core_ops = {
	.cmd_start = op_cmd_start,
	.stop = op_stop,
	.irq = op_irq,
	.irq_gate = op_irq_gate,
};

/* ---- the worker ------------------------------------------------------------ */

/* v->lock. What the guest's queue @wq limits itself to. */
void vdev_limits(struct vdev *v, unsigned int wq, struct hwq_limits *ret_limits)
{
	struct vd_wqcfg cfg;

	vd_wq_cfg(&v->vd, wq, &cfg);
	ret_limits->max_xfer_shift = cfg.max_xfer_shift;
	ret_limits->max_batch_shift = cfg.max_batch_shift;
}

/* Without v->lock. */
static int vdev_run(struct vdev *v, const struct vd_cmd *cmd, const struct hwq_limits *limits,
		    u16 *ret_result)
{
	switch (cmd->work) {
	case VD_WORK_ENABLE:
		return slice_enable(v->slice, __ffs(cmd->wqs), limits);
	case VD_WORK_DISABLE:
		slice_disable(v->slice, cmd->wqs, false);
		return 0;
	case VD_WORK_DRAIN:
		return slice_drain(v->slice);
	case VD_WORK_ABORT:
		return slice_abort(v->slice);
	case VD_WORK_RESET:
	case VD_WORK_RESET_ALL:
		slice_disable(v->slice, cmd->wqs, true);
		return 0;
	case VD_WORK_GET_HANDLE:
		return slice_handle(v->slice, cmd->vector - 1, ret_result);
	case VD_WORK_PUT_HANDLE:
	case VD_WORK_NONE:
	case VD_WORK_MAX:
		break;
	}
	return -EINVAL;
}

static void vdev_command(struct vdev *v)
{
	struct vd_cmd cmd = v->cmd;
	struct hwq_limits limits = { };
	u16 result = 0;
	int r;

	v->cmd_new = false;
	if (cmd.work == VD_WORK_ENABLE)
		vdev_limits(v, __ffs(cmd.wqs), &limits);
	mutex_unlock(&v->lock);
	r = vdev_run(v, &cmd, &limits, &result);
	record_deliver(v);
	mutex_lock(&v->lock);
	if (!v->open)
		return;
	if (v->cmd_owed && v->cmd.seq == cmd.seq) {
		v->cmd_owed = false;
		cancel_delayed_work(&v->watchdog);
		atomic64_inc(&v->slice->stats.commands);
		trace_idxd_mdev_command(v->slice->pasid, cmd.code, r, result);
		vd_cmd_done(&v->vd, cmd.seq, r < 0 ? VD_CMD_HWERR : VD_CMD_OK, result);
	}
}

/*
 * Each command of the device has a limit (cmd.h), what else the worker waits for may
 * not: a record's page that the VMM withholds, a lock of idxd's. The guest's command
 * does end: with a hardware error and a halt, since nobody knows what the queue is
 * now. The worker, once it is free, disables the queue before anything else; a reset
 * by the guest then ends the halt. Having waited for the lock, this may be late
 * itself: the due time says whether it is about the command that is owed now.
 */
static void vdev_watchdog(struct work_struct *work)
{
	struct vdev *v = container_of(to_delayed_work(work), struct vdev, watchdog);

	mutex_lock(&v->lock);
	if (v->open && v->cmd_owed && time_after_eq(jiffies, v->cmd_due)) {
		v->cmd_owed = false;
		dev_err_ratelimited(v->vfio.dev, "command %u did not end within %u ms\n",
				    v->cmd.code, WATCHDOG_MS);
		trace_idxd_mdev_command(v->slice->pasid, v->cmd.code, -ETIMEDOUT, 0);
		vd_cmd_done(&v->vd, v->cmd.seq, VD_CMD_HWERR, 0);
		vd_halt(&v->vd);
	}
	mutex_unlock(&v->lock);
}

/* v->lock. A queue that was lost and came back is taken at a reset, not before. */
static void vdev_stop(struct vdev *v)
{
	bool reset = v->reset, revived = false;

	v->stop = false;
	v->reset = false;
	mutex_unlock(&v->lock);
	slice_disable(v->slice, SLICE_ALL_WQS, true);
	if (reset)
		revived = slice_revive(v->slice);
	mutex_lock(&v->lock);
	if (revived)
		v->halted = false;
}

static void vdev_work(struct work_struct *work)
{
	struct vdev *v = container_of(work, struct vdev, work);
	unsigned int i;
	u64 rec[4];

	record_deliver(v);
	mutex_lock(&v->lock);
	while (v->open) {
		if (v->stop) {
			vdev_stop(v);
		} else if (READ_ONCE(v->slice->gone) && !v->halted) {
			v->halted = true;
			vd_halt(&v->vd);
		} else if (slice_take_event(v->slice, rec)) {
			vd_swerr(&v->vd, rec);
			if (rec[0] & RECORD_OVERFLOW)
				vd_swerr(&v->vd, rec);
		} else if (v->cmd_new) {
			vdev_command(v);
		} else {
			break;
		}
	}
	for (i = 0; v->open && i < vd_vectors(&v->vd); i++)
		if (test_and_clear_bit(i, &v->pending))
			vd_irq_pending(&v->vd, i);
	mutex_unlock(&v->lock);
}

/* A descriptor of the guest completed, with an interrupt by @vector. Any context. */
void vdev_complete(struct vdev *v, unsigned int vector)
{
	bool sent = trigger_fire(&v->triggers[vector]);

	atomic64_inc(&v->slice->stats.interrupts);
	trace_idxd_mdev_interrupt(v->slice->pasid, sent);
	if (!sent) {
		set_bit(vector, &v->pending);
		queue_work(vdev_workers, &v->work);
	}
}

static irqreturn_t vdev_interrupt(int irq, void *priv)
{
	const struct vdev_irq *i = priv;

	vdev_complete(i->vdev, i->vector);
	return IRQ_HANDLED;
}

/* ---- open and close -------------------------------------------------------- */

/* The mdev's attribute `opener` reads differently now. */
static void vdev_announce(struct vfio_device *vfio, char *what)
{
	char *env[] = { what, NULL };

	kobject_uevent_env(&vfio->dev->parent->kobj, KOBJ_CHANGE, env);
}

static int vdev_open(struct vfio_device *vfio)
{
	struct vdev *v = to_vdev(vfio);
	struct slice_user user = {
		.fn = vdev_interrupt,
		.gone_work = &v->work,
		.mapping = vfio->inode->i_mapping,
	};
	unsigned int i;
	int r;

	for (i = 0; i < ARRAY_SIZE(v->triggers); i++)
		trigger_init(&v->triggers[i]);
	for (i = 1; i < ARRAY_SIZE(v->irqs); i++) {
		v->irqs[i] = (struct vdev_irq){ .vdev = v, .vector = i };
		user.priv[i - 1] = &v->irqs[i];
	}
	trigger_init(&v->request);
	v->pending = 0;

	r = slice_open(v->slice, &user);
	if (r < 0)
		return r;

	mutex_lock(&v->lock);
	v->stop = false;
	v->reset = false;
	v->halted = false;
	v->cmd_new = false;
	v->cmd_owed = false;
	r = vd_init(&v->vd, &v->slice->caps, &vdev_core_ops, v);
	v->open = !r;
	mutex_unlock(&v->lock);
	if (r < 0) {
		dev_err(vfio->dev, "not opened: the host device describes itself in no valid way\n");
		slice_close(v->slice);
		return r;
	}
	migration_open(v);
	vdev_announce(vfio, "IDXD_MDEV=opened");
	return 0;
}

/* Also when the VMM was killed: all of its memory is unmapped only after this. */
static void vdev_close(struct vfio_device *vfio)
{
	struct vdev *v = to_vdev(vfio);
	unsigned int i;

	migration_close(v);
	mutex_lock(&v->lock);
	v->open = false;
	mutex_unlock(&v->lock);
	cancel_work_sync(&v->work);
	cancel_delayed_work_sync(&v->watchdog);
	slice_close(v->slice);
	cancel_work_sync(&v->work);

	for (i = 0; i < ARRAY_SIZE(v->triggers); i++)
		trigger_connect(&v->triggers[i], NULL);
	trigger_connect(&v->request, NULL);
	vdev_announce(vfio, "IDXD_MDEV=closed");
}

/* Somebody wants to remove the device; asks the VMM to let go. */
static void vdev_request(struct vfio_device *vfio, unsigned int count)
{
	struct vdev *v = to_vdev(vfio);

	trigger_send(&v->request);
	if (!(count % 10))
		dev_notice_ratelimited(vfio->dev, "removal waits for the VMM to release %s\n",
				       dev_name(vfio->dev->parent));
}

static int vdev_match(struct vfio_device *vfio, char *buf)
{
	return !strcmp(dev_name(vfio->dev->parent), buf);
}

/* ---- regions --------------------------------------------------------------- */

static u64 vdev_region_size(struct vdev *v, unsigned int index)
{
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return VD_CONFIG_SIZE;
	return index <= VFIO_PCI_BAR5_REGION_INDEX ? vd_bar_size(&v->vd, index) : 0;
}

static void vdev_read_some(struct vdev *v, unsigned int index, u32 off, void *buf, u32 len)
{
	mutex_lock(&v->lock);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		vd_config_read(&v->vd, off, buf, len);
	else if (index == VFIO_PCI_BAR0_REGION_INDEX)
		vd_bar0_read(&v->vd, off, buf, len);
	else
		memset(buf, 0xff, len);	/* a portal has nothing to read */
	mutex_unlock(&v->lock);
}

static void vdev_write_some(struct vdev *v, unsigned int index, u32 off, const void *buf, u32 len)
{
	mutex_lock(&v->lock);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		vd_config_write(&v->vd, off, buf, len);
	else if (index == VFIO_PCI_BAR0_REGION_INDEX)
		vd_bar0_write(&v->vd, off, buf, len);
	mutex_unlock(&v->lock);
	/* a portal takes nothing but 64-byte stores */
	if (index == VFIO_PCI_BAR2_REGION_INDEX && len == 64)
		slice_post(v->slice, off, buf);
}

/* Any length at any offset, in pieces that keep each aligned access whole. */
static ssize_t vdev_rw(struct vdev *v, char __user *buf, size_t count, loff_t *ppos, bool write)
{
	unsigned int index = VFIO_PCI_OFFSET_TO_INDEX(*ppos);
	u64 off = *ppos & VFIO_PCI_OFFSET_MASK;
	u64 size = vdev_region_size(v, index);
	size_t done = 0;
	u8 piece[64] __aligned(8);
	u32 len;

	if (off >= size)
		return -EINVAL;
	count = min_t(u64, count, size - off);
	while (done < count) {
		len = min_t(size_t, count - done, sizeof(piece) - (off & (sizeof(piece) - 1)));
		if (write && copy_from_user(piece, buf + done, len))
			break;
		if (write)
			vdev_write_some(v, index, off, piece, len);
		else
			vdev_read_some(v, index, off, piece, len);
		if (!write && copy_to_user(buf + done, piece, len))
			break;
		off += len;
		done += len;
	}
	if (!done && count)
		return -EFAULT;
	*ppos += done;
	return done;
}

static ssize_t vdev_read(struct vfio_device *vfio, char __user *buf, size_t count, loff_t *ppos)
{
	return vdev_rw(to_vdev(vfio), buf, count, ppos, false);
}

static ssize_t vdev_write(struct vfio_device *vfio, const char __user *buf, size_t count,
			  loff_t *ppos)
{
	return vdev_rw(to_vdev(vfio), (char __user *)buf, count, ppos, true);
}

static int vdev_mmap(struct vfio_device *vfio, struct vm_area_struct *vma)
{
	return portal_mmap(to_vdev(vfio)->slice, vma);
}

/* Of BAR2 only the pages that stand for the guest's MSI-X portals are mapped, two of each queue. */
int vdev_region_info(struct vfio_device *vfio, struct vfio_region_info *info,
			    struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_sparse_mmap *sparse;
	unsigned int i, n = vd_wqs(&to_vdev(vfio)->vd);
	size_t len = struct_size(sparse, areas, n);
	int r;

	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info->offset = VFIO_PCI_INDEX_TO_OFFSET(info->index);
	info->size = vdev_region_size(to_vdev(vfio), info->index);
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	if (info->index != VFIO_PCI_BAR2_REGION_INDEX)
		return 0;

	sparse = kzalloc(len, GFP_KERNEL);
	if (!sparse)
		return -ENOMEM;
	sparse->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	sparse->header.version = 1;
	sparse->nr_areas = n;
	for (i = 0; i < n; i++) {
		sparse->areas[i].offset = i * VD_PORTAL_SIZE;
		sparse->areas[i].size = 2 * PAGE_SIZE;
	}
	r = vfio_info_add_capability(caps, &sparse->header, len);
	kfree(sparse);
	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return r;
}

/* ---- life ------------------------------------------------------------------ */

static int vdev_init_dev(struct vfio_device *vfio)
{
	struct slice **slice = dev_get_platdata(vfio->dev);
	struct vdev *v = to_vdev(vfio);

	migration_init(v);
	mutex_init(&v->irq_lock);
	mutex_init(&v->lock);
	INIT_DELAYED_WORK(&v->watchdog, vdev_watchdog);
	INIT_WORK(&v->work, vdev_work);
	v->slice = *slice;
	kref_get(&v->slice->ref);
	return 0;
}

static void vdev_release_dev(struct vfio_device *vfio)
{
	struct vdev *v = to_vdev(vfio);

	slice_put(v->slice);
}

static const struct vfio_device_ops vdev_ops = {
	.name = VDEV_DRIVER,
	.init = vdev_init_dev,
	.release = vdev_release_dev,
#if IS_ENABLED(CONFIG_IOMMUFD)
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#endif
	.open_device = vdev_open,
	.close_device = vdev_close,
	.read = vdev_read,
	.write = vdev_write,
	.ioctl = vdev_ioctl,
#ifdef HAVE_REGION_INFO_CAPS
	.get_region_info_caps = vdev_region_info,
#endif
	.mmap = vdev_mmap,
	.request = vdev_request,
	.match = vdev_match,
};

static int vdev_probe(struct platform_device *child)
{
	struct vdev *v;
	int r;

	v = vfio_alloc_device(vdev, vfio, &child->dev, &vdev_ops);
	if (IS_ERR(v))
		return PTR_ERR(v);
	r = vfio_register_group_dev(&v->vfio);
	if (r < 0) {
		vfio_put_device(&v->vfio);
		return r;
	}
	platform_set_drvdata(child, v);
	return 0;
}

/* The directory vfio-dev of a bound child, where VMMs look for the character device. */
struct kobject *vdev_cdev_dir(struct platform_device *child)
{
	struct vdev *v = platform_get_drvdata(child);

	return v->vfio.device.kobj.parent;
}

static void vdev_remove(struct platform_device *child)
{
	struct vdev *v = platform_get_drvdata(child);

	vfio_unregister_group_dev(&v->vfio);
	vfio_put_device(&v->vfio);
}

static struct platform_driver vdev_driver = {
	.probe = vdev_probe,
	.remove = vdev_remove,
	.driver = {
		.name = VDEV_DRIVER,
		.suppress_bind_attrs = true,
	},
	.driver_managed_dma = true,	/* VFIO decides, not the default domain */
};

int vdev_init(void)
{
	int r;

	vdev_workers = alloc_workqueue("idxd_vdev", WQ_UNBOUND, 0);
	if (!vdev_workers)
		return -ENOMEM;
	r = platform_driver_register(&vdev_driver);
	if (r < 0)
		destroy_workqueue(vdev_workers);
	return r;
}

void vdev_exit(void)
{
	platform_driver_unregister(&vdev_driver);
	destroy_workqueue(vdev_workers);
}
