/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "pf.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void *map_region(struct pf *pf, unsigned int index, size_t *ret_size)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };
	void *p;

	if (ioctl(pf->dev, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		return NULL;
	p = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, pf->dev, info.offset);
	*ret_size = info.size;
	return p == MAP_FAILED ? NULL : p;
}

static int map_dma(struct pf *pf)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.size = PF_MEM,
	};

	/* One page more on either side stays unmapped for the device. */
	pf->mem = mmap((void *)0x100000000, PF_MEM + 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (pf->mem == MAP_FAILED)
		return -errno;
	pf->mem += 4096;
	map.vaddr = map.iova = (uintptr_t)pf->mem;
	return ioctl(pf->container, VFIO_IOMMU_MAP_DMA, &map) < 0 ? -errno : 0;
}

static int set_vectors(struct pf *pf)
{
	struct {
		struct vfio_irq_set set;
		int fd[PF_VECTORS];
	} req = { .set = {
		.argsz = sizeof(req),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.count = PF_VECTORS,
	} };
	unsigned int i;

	for (i = 0; i < PF_VECTORS; i++) {
		if (!pf->vector[i])
			pf->vector[i] = eventfd(0, EFD_NONBLOCK);
		req.fd[i] = pf->vector[i];
	}
	return ioctl(pf->dev, VFIO_DEVICE_SET_IRQS, &req) < 0 ? -errno : 0;
}

uint16_t pf_pci_read(struct pf *pf, uint32_t off)
{
	uint16_t v = 0;

	if (pread(pf->sysfs, &v, 2, off) != 2)
		perror("sysfs config read");
	return v;
}

void pf_pci_write(struct pf *pf, uint32_t off, uint16_t v)
{
	if (pwrite(pf->sysfs, &v, 2, off) != 2)
		perror("sysfs config write");
}

static void find_tables(struct pf *pf)
{
	uint64_t off = rd64(pf, 0x60);

	pf->grpcfg = (off & 0xffff) * 0x100;
	pf->wqcfg = (off >> 16 & 0xffff) * 0x100;
	pf->msixperm = (off >> 32 & 0xffff) * 0x100;
	pf->ims = (off >> 48) * 0x100;
	pf->version = rd32(pf, 0);
	pf->gencap = rd64(pf, 0x10);
	pf->wqcap = rd64(pf, 0x20);
	pf->nwqs = pf->wqcap >> 16 & 0xff;
	pf->wqcfg_size = 32u << (pf->wqcap >> 24 & 0xf);
	pf->handles = pf->gencap >> 4 & rd32(pf, 0xb0) >> 13 & 1;
	pf->evl = pf->gencap >> 13 & 3;
	pf->lab_page = rd32(pf, LAB) == 0x4442414c;
	pf->iaa = pf_pci_read(pf, 2) == 0x1216 || pf_pci_read(pf, 2) == 0x0cfe;
}

int pf_open(struct pf *pf, const char *bdf, const char *group)
{
	struct vfio_region_info cfg = {
		.argsz = sizeof(cfg), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	char path[128];
	size_t size;

	memset(pf, 0, sizeof(*pf));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	pf->sysfs = open(path, O_RDWR);
	if (pf->sysfs < 0)
		return -errno;
	pf->container = open("/dev/vfio/vfio", O_RDWR);
	pf->group = open(group, O_RDWR);
	if (pf->container < 0 || pf->group < 0)
		return -errno;
	if (ioctl(pf->group, VFIO_GROUP_SET_CONTAINER, &pf->container) < 0 ||
	    ioctl(pf->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return -errno;
	pf->dev = ioctl(pf->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (pf->dev < 0 || ioctl(pf->dev, VFIO_DEVICE_GET_REGION_INFO, &cfg) < 0)
		return -errno;
	pf->config_off = cfg.offset;
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) | 6);

	pf->bar0 = map_region(pf, VFIO_PCI_BAR0_REGION_INDEX, &size);
	pf->bar2 = map_region(pf, VFIO_PCI_BAR2_REGION_INDEX, &size);
	if (!pf->bar0 || !pf->bar2)
		return -EIO;
	find_tables(pf);
	if (map_dma(pf) < 0)
		return -EFAULT;
	return set_vectors(pf);
}

bool pf_pasid_on(struct pf *pf)
{
	return pf_pci_read(pf, 0x236) & 1;
}

bool pf_pri_on(struct pf *pf)
{
	return pf_pci_read(pf, 0x244) & 1;
}

uint16_t pf_config_read16(struct pf *pf, uint32_t off)
{
	uint16_t v = 0;

	if (pread(pf->dev, &v, 2, pf->config_off + off) != 2)
		perror("config read");
	return v;
}

void pf_config_write16(struct pf *pf, uint32_t off, uint16_t v)
{
	if (pwrite(pf->dev, &v, 2, pf->config_off + off) != 2)
		perror("config write");
}

void pf_flr(struct pf *pf)
{
	if (ioctl(pf->dev, VFIO_DEVICE_RESET) < 0)
		perror("VFIO_DEVICE_RESET");
	set_vectors(pf);
}

void pf_flr_restore(struct pf *pf)
{
	pf_flr(pf);
	pf_config_write16(pf, 4, pf_config_read16(pf, 4) | 6);
}

void *pf_mem(struct pf *pf, size_t bytes)
{
	void *p = pf->mem + pf->used;

	bytes = (bytes + 4095) & ~4095ul;
	if (pf->used + bytes > PF_MEM) {
		fprintf(stderr, "out of DMA memory\n");
		exit(1);
	}
	pf->used += bytes;
	memset(p, 0, bytes);
	return p;
}

void pf_mem_reset(struct pf *pf)
{
	pf->used = 64 * 1024;		/* the event log stays at the start */
}

uint64_t pf_unmapped(struct pf *pf)
{
	return (uintptr_t)pf->mem + PF_MEM;
}

uint8_t *pf_log(struct pf *pf)
{
	return pf->mem;
}

uint32_t pf_cmd(struct pf *pf, unsigned int code, uint32_t operand)
{
	double end = now() + 10;
	uint32_t s;

	wr32(pf, 0xa0, code << 20 | operand);
	do {
		s = rd32(pf, 0xa8);
		if (now() > end)
			return ~0u;
	} while (s >> 31);
	return s;
}

void pf_vector_clear(struct pf *pf, unsigned int n)
{
	uint64_t v;

	while (read(pf->vector[n], &v, sizeof(v)) == sizeof(v))
		;
}

unsigned int pf_vector_wait(struct pf *pf, unsigned int n, int ms)
{
	struct pollfd p = { .fd = pf->vector[n], .events = POLLIN };
	uint64_t v = 0;

	if (poll(&p, 1, ms) > 0 && read(pf->vector[n], &v, sizeof(v)) != sizeof(v))
		v = 0;
	return v;
}

void pf_configure(struct pf *pf, bool with_log)
{
	unsigned int i;

	EXPECT(pf_cmd(pf, 5, 0), 0);
	for (i = 0; i < 2; i++) {
		wr32(pf, wq_reg(pf, i), WQ_SIZE);
		wr32(pf, wq_reg(pf, i) + 8, 0xa1);		/* dedicated, priority 10 */
		wr32(pf, wq_reg(pf, i) + 12, 20 | 5 << 5);	/* 1 MiB, batches of 32	*/
	}
	wr64(pf, pf->grpcfg, 0x3);
	wr64(pf, pf->grpcfg + 0x20, 0x1);
	wr32(pf, 0xc0, 3);
	wr32(pf, 0x88, 7);
	wr32(pf, 0x98, ~0u);
	if (with_log && pf->evl) {
		memset(pf_log(pf), 0, 4096);
		wr64(pf, 0xe0, (uintptr_t)pf_log(pf));
		wr64(pf, 0xe8, 64);
		wr32(pf, 0x80, rd32(pf, 0x80) | 1 << 13);
	}
}

int pf_start(struct pf *pf, bool with_log)
{
	uint32_t s;

	pf_configure(pf, with_log);
	s = pf_cmd(pf, 1, 0);
	EXPECT(s, 0);
	if (!s)
		s = pf_cmd(pf, 6, 0);
	EXPECT(s, 0);
	return s ? -EIO : 0;
}

void pf_stop(struct pf *pf)
{
	EXPECT(pf_cmd(pf, 5, 0), 0);
}

void pf_submit(struct pf *pf, unsigned int wq, const struct desc *d)
{
	asm volatile("sfence" : : : "memory");
	movdir64b(pf->bar2 + wq * 0x4000 + 0x1000, d);
}

uint8_t pf_wait(struct record *r, int ms)
{
	double end = now() + ms / 1000.0;

	while (!r->status && now() < end)
		sched_yield();
	return r->status;
}

uint8_t pf_run(struct pf *pf, struct desc *d, struct record *r)
{
	memset((void *)r, 0, sizeof(*r));
	d->record = (uintptr_t)r;
	d->flags_op |= CRAV | RCR;
	pf_submit(pf, 0, d);
	return pf_wait(r, 5000);
}

unsigned int pf_swerror(struct pf *pf)
{
	double end = now() + 1;

	while (!(rd32(pf, 0xc0) & 1) && now() < end)
		sched_yield();
	return rd32(pf, 0xc0) & 1 ? rd32(pf, 0xc0) >> 8 & 0xff : 0;
}

uint16_t pf_handle(struct pf *pf, unsigned int vector)
{
	uint32_t s;

	if (!pf->handles)
		return vector;
	s = pf_cmd(pf, 13, vector);
	EXPECT(s & 0xff, 0);
	return s >> 8;
}
