// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VMM with two mdevs and a NIC makes the portal of the second a target of DMA:
 *
 *	portal-dma UUID UUID PCI-ADDRESS
 *
 * in the address space of the first, of the second itself and of the NIC, which vfio-pci has;
 * with VFIO's type1 and, where the kernel has it, iommufd. Each must be refused, in every state of
 * the portal, alone and behind memory. "portal-dma: N ok, N bad" at the end.
 */
#include <sys/stat.h>

#include "check.h"
#include "mdev.h"
#include "setup.h"

#define IOVA	 0x40000000ull
#define IOVA_BAD 0x70000000ull

static const struct {
	const char *name, *path;
} kinds[] = { { "type1", "/dev/vfio/vfio" }, { "iommufd", "/dev/iommu" } };

static struct space {
	const char *name;
	int container, group, device;
} spaces[3];

static struct space open_space(const char *name, const char *kind, const char *dir, const char *id)
{
	struct space s = { .name = name };
	char path[256], link[256];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s/iommu_group", dir, id);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		die(path);
	link[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	s.container = open(kind, O_RDWR);
	s.group = open(path, O_RDWR);
	if (s.container < 0 || s.group < 0)
		die(path);
	if (ioctl(s.group, VFIO_GROUP_SET_CONTAINER, &s.container) ||
	    ioctl(s.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	s.device = ioctl(s.group, VFIO_GROUP_GET_DEVICE_FD, id);
	if (s.device < 0)
		die("GET_DEVICE_FD");
	return s;
}

static void close_space(const struct space *s)
{
	close(s->device);
	close(s->group);
	close(s->container);
}

/* @mixed: a page of memory with the portal's two pages behind it. */
static void try_all(const char *kind, uint8_t *mixed, const char *when)
{
	const struct {
		const char *what;
		uint8_t *va;
		uint64_t size;
		bool write;
	} tries[] = {
		{ "a page of the portal", portal, PAGE, true },
		{ "both pages", portal, 2 * PAGE, true },
		{ "to be read only", portal, PAGE, false },
		{ "memory and the portal behind it", mixed, 3 * PAGE, true },
	};

	for (unsigned int i = 0; i < 3; i++) {
		const struct space *s = &spaces[i];

		container = s->container;
		for (unsigned int t = 0; t < sizeof(tries) / sizeof(tries[0]); t++) {
			int r = map(IOVA_BAD, tries[t].va, tries[t].size, tries[t].write);

			check(r < 0, "%s, %s: %s is refused, %s", kind, s->name, tries[t].what,
			      when);
			if (!r)
				unmap(IOVA_BAD, tries[t].size);
		}
		/* so that it was refused for what it is */
		check(!map(IOVA_BAD, mixed, PAGE, true) && !unmap(IOVA_BAD, PAGE),
		      "%s, %s: memory alone is mapped, %s", kind, s->name, when);
	}
}

static void run(const char *kind, const char *path, char **id)
{
	static const uint8_t noop[64] __attribute__((aligned(64)));
	uint8_t *mixed;
	uint64_t at;

	spaces[0] = open_space("another mdev", path, "/sys/bus/mdev/devices", id[1]);
	spaces[1] = open_space("its own", path, "/sys/bus/mdev/devices", id[2]);
	spaces[2] = open_space("a NIC", path, "/sys/bus/pci/devices", id[3]);
	device = spaces[1].device;
	config = region(VFIO_PCI_CONFIG_REGION_INDEX, NULL);
	bar0 = region(VFIO_PCI_BAR0_REGION_INDEX, NULL);
	at = region(VFIO_PCI_BAR2_REGION_INDEX, NULL);
	config_wr(4, 6, 2);
	mixed = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	portal = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)at);
	if (mixed == MAP_FAILED || portal == MAP_FAILED ||
	    mmap(mixed + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, device,
		 (off_t)at) == MAP_FAILED)
		die("mmap");

	try_all(kind, mixed, "never touched");
	*(volatile uint64_t *)portal = 0;
	*(volatile uint64_t *)(portal + PAGE) = 0;
	try_all(kind, mixed, "queue disabled");
	container = spaces[1].container;
	memory(IOVA, PAGE);
	configure();
	check(!command_polled(CMD_ENABLE_DEVICE, 0) && !command_polled(CMD_ENABLE_WQ, 0),
	      "%s: the queue is enabled", kind);
	try_all(kind, mixed, "queue enabled, not touched since");
	portal_store(portal, noop);
	portal_store(mixed + PAGE, noop);
	try_all(kind, mixed, "queue enabled");
	munmap(mixed, 3 * PAGE);
	munmap(portal, 2 * PAGE);
	for (unsigned int i = 0; i < 3; i++)
		close_space(&spaces[i]);
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (stat(kinds[i].path, &st))
			printf("# this kernel has no %s\n", kinds[i].path);
		else
			run(kinds[i].name, kinds[i].path, argv);
	}
	printf("portal-dma: %d ok, %d bad\n", good, bad);
	return bad || !good;
}
