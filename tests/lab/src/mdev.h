/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One mdev, opened through a VFIO group and a type1 container. For one source of a program. */
#ifndef LAB_MDEV_H
#define LAB_MDEV_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "desc.h"

#define MDEVS	     "/sys/bus/mdev/devices/"
#define PORTAL_PAGES 2ul

static int container, device;
static uint64_t config, bar0;		/* offsets of regions */
static uint8_t *portal;

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

static inline uint64_t rd(uint64_t off, unsigned int len)
{
	uint64_t v = 0;

	if (pread(device, &v, len, (off_t)(bar0 + off)) != (ssize_t)len)
		die("read of BAR0");
	return v;
}

static inline void wr(uint64_t off, uint64_t v, unsigned int len)
{
	if (pwrite(device, &v, len, (off_t)(bar0 + off)) != (ssize_t)len)
		die("write of BAR0");
}

/* Any offset, any length. */
static inline void rd_any(uint64_t off, unsigned int len)
{
	uint8_t buf[64];

	if (pread(device, buf, len, (off_t)(bar0 + off)) < 0)
		die("read of BAR0");
}

static inline void config_wr(uint64_t off, uint64_t v, unsigned int len)
{
	if (pwrite(device, &v, len, (off_t)(config + off)) != (ssize_t)len)
		die("write of configuration space");
}

/* A function level reset; the bus mastership that it takes away is given back. */
static inline void reset_function(void)
{
	if (ioctl(device, VFIO_DEVICE_RESET))
		die("VFIO_DEVICE_RESET");
	config_wr(4, 6, 2);
}

static inline int map(uint64_t iova, void *va, uint64_t size, bool write)
{
	struct vfio_iommu_type1_dma_map m = { .argsz = sizeof(m),
					      .flags = VFIO_DMA_MAP_FLAG_READ |
						       (write ? VFIO_DMA_MAP_FLAG_WRITE : 0),
					      .vaddr = (uintptr_t)va,
					      .iova = iova,
					      .size = size };

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &m) ? -errno : 0;
}

static inline int unmap(uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap m = { .argsz = sizeof(m), .iova = iova, .size = size };

	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &m) ? -errno : 0;
}

/* Memory of its own, which the device reaches at @iova. */
static inline uint8_t *memory(uint64_t iova, uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || map(iova, p, size, true))
		die("MAP_DMA");
	return p;
}

static inline uint64_t region(unsigned int index, uint64_t *ret_size)
{
	struct vfio_region_info r = { .argsz = sizeof(r), .index = index };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &r))
		die("GET_REGION_INFO");
	if (ret_size)
		*ret_size = r.size;
	return r.offset;
}

/* The device is open and has an address space: where its regions are, its portal, bus mastership. */
static inline void open_regions(void)
{
	config = region(VFIO_PCI_CONFIG_REGION_INDEX, NULL);
	bar0 = region(VFIO_PCI_BAR0_REGION_INDEX, NULL);
	config_wr(4, 6, 2);
	portal = mmap(NULL, PORTAL_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		      (off_t)region(VFIO_PCI_BAR2_REGION_INDEX, NULL));
	if (portal == MAP_FAILED)
		die("mmap of the portal");
}

/* Opens any mdev, in a container of its own. */
static inline void open_device(const char *uuid)
{
	struct vfio_group_status st = { .argsz = sizeof(st) };
	char path[256], link[256];
	ssize_t n;
	int group;

	snprintf(path, sizeof(path), MDEVS "%s/iommu_group", uuid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		die(path);
	link[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);

	container = open("/dev/vfio/vfio", O_RDWR);
	group = open(path, O_RDWR);
	if (container < 0 || group < 0)
		die(path);
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &st) || !(st.flags & VFIO_GROUP_FLAGS_VIABLE))
		die("the group is not viable");
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	if (device < 0)
		die("GET_DEVICE_FD");
}

static inline void open_mdev(const char *uuid)
{
	open_device(uuid);
	open_regions();
}

#endif
