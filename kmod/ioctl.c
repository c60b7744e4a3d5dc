// SPDX-License-Identifier: GPL-2.0-only
/* The VFIO device ioctls: what the device is made of, its interrupts, reset. */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "compat.h"
#include "migration.h"
#include "slice.h"
#include "vdev.h"

static int ioctl_info(struct vdev *v, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

#ifndef HAVE_REGION_INFO_CAPS
static int ioctl_region_info(struct vdev *v, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_info_cap caps = { };
	struct vfio_region_info info;
	int r;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	r = vdev_region_info(&v->vfio, &info, &caps);
	info.cap_offset = 0;
	if (!r && caps.size) {
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		if (info.argsz < sizeof(info) + caps.size) {
			info.argsz = sizeof(info) + caps.size;
		} else {
			vfio_info_cap_shift(&caps, sizeof(info));
			if (copy_to_user(arg + sizeof(info), caps.buf, caps.size))
				r = -EFAULT;
			info.cap_offset = sizeof(info);
		}
	}
	kfree(caps.buf);
	if (!r && copy_to_user(arg, &info, minsz))
		r = -EFAULT;
	return r;
}
#endif

static unsigned int vdev_irqs(struct vdev *v, unsigned int index)
{
	switch (index) {
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return vd_vectors(&v->vd);
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

static int ioctl_irq_info(struct vdev *v, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	/* success for the error index would make VMMs fail to enable it */
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS ||
	    info.index == VFIO_PCI_ERR_IRQ_INDEX)
		return -EINVAL;
	info.count = vdev_irqs(v, info.index);
	info.flags = info.count ? VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE : 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/*
 * @ctx changes hands; NULL disconnects. irq_lock, not v->lock: the bypass may
 * wait for a command of the device, register accesses must not.
 */
static void vdev_connect(struct vdev *v, unsigned int index, unsigned int i,
			 struct eventfd_ctx *ctx)
{
	if (index == VFIO_PCI_REQ_IRQ_INDEX) {
		trigger_connect(&v->request, ctx);
		return;
	}
	if (i)
		slice_bypass(v->slice, i - 1, NULL);
	mutex_lock(&v->lock);
	if (!ctx)
		vd_irq_connect(&v->vd, i, false);
	trigger_connect(&v->triggers[i], ctx);
	if (ctx)
		vd_irq_connect(&v->vd, i, true);
	mutex_unlock(&v->lock);
	if (ctx && i)
		slice_bypass(v->slice, i - 1, ctx);
}

static int vdev_set_irq(struct vdev *v, const struct vfio_irq_set *hdr, unsigned int i,
			const void *data)
{
	struct trigger *t = hdr->index == VFIO_PCI_REQ_IRQ_INDEX ? &v->request :
							 &v->triggers[hdr->start + i];
	struct eventfd_ctx *ctx = NULL;
	s32 fd;

	switch (hdr->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		fd = ((const s32 *)data)[i];
		if (fd >= 0)
			ctx = eventfd_ctx_fdget(fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
		vdev_connect(v, hdr->index, hdr->start + i, ctx);
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (((const u8 *)data)[i])
			trigger_send(t);
		return 0;
	case VFIO_IRQ_SET_DATA_NONE:
		trigger_send(t);
		return 0;
	default:
		return -EINVAL;
	}
}

static int vdev_set_irqs(struct vdev *v, const struct vfio_irq_set *hdr, const void *data,
			 unsigned int total)
{
	unsigned int i;
	int r = 0;

	if ((hdr->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) != VFIO_IRQ_SET_ACTION_TRIGGER)
		return -ENOTTY;	/* the VMM masks in its own copy of the MSI-X table */

	mutex_lock(&v->irq_lock);
	if (!hdr->count && (hdr->flags & VFIO_IRQ_SET_DATA_NONE)) {
		for (i = 0; i < total; i++)
			vdev_connect(v, hdr->index, i, NULL);
	} else {
		for (i = 0; i < hdr->count && !r; i++)
			r = vdev_set_irq(v, hdr, i, data);
	}
	mutex_unlock(&v->irq_lock);
	return r;
}

static int ioctl_set_irqs(struct vdev *v, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_set, count), size = 0;
	struct vfio_irq_set hdr;
	void *data = NULL;
	unsigned int total;
	int r;

	if (copy_from_user(&hdr, arg, minsz))
		return -EFAULT;
	total = hdr.index < VFIO_PCI_NUM_IRQS ? vdev_irqs(v, hdr.index) : 0;
	r = vfio_set_irqs_validate_and_prepare(&hdr, total, VFIO_PCI_NUM_IRQS, &size);
	if (r < 0)
		return r;
	if (size) {
		data = memdup_user(arg + minsz, size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	r = vdev_set_irqs(v, &hdr, data, total);
	kfree(data);
	return r;
}

static int ioctl_reset(struct vdev *v)
{
	mutex_lock(&v->lock);
	vd_reset(&v->vd);
	mutex_unlock(&v->lock);
	migration_reset(v);
	flush_work(&v->work);	/* no DMA after the reset returned */
	return 0;
}

long vdev_ioctl(struct vfio_device *vfio, unsigned int cmd, unsigned long arg)
{
	struct vdev *v = to_vdev(vfio);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return ioctl_info(v, uarg);
#ifndef HAVE_REGION_INFO_CAPS
	case VFIO_DEVICE_GET_REGION_INFO:
		return ioctl_region_info(v, uarg);
#endif
	case VFIO_DEVICE_GET_IRQ_INFO:
		return ioctl_irq_info(v, uarg);
	case VFIO_DEVICE_SET_IRQS:
		return ioctl_set_irqs(v, uarg);
	case VFIO_DEVICE_RESET:
		return ioctl_reset(v);
	default:
		return -ENOTTY;
	}
}
