// SPDX-License-Identifier: GPL-2.0-only
/* The VFIO core answers VFIO_DEVICE_GET_REGION_INFO through an op of its own. */
#include <linux/vfio.h>
int probe(const struct vfio_device_ops *ops, struct vfio_device *vdev,
	  struct vfio_region_info *info, struct vfio_info_cap *caps);
int probe(const struct vfio_device_ops *ops, struct vfio_device *vdev,
	  struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	return ops->get_region_info_caps(vdev, info, caps);
}
