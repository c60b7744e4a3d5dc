// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worst guest: drives an mdev raw through VFIO, against every rule, or meets the worst device.
 *
 *	hostile UUID faults N	N descriptors whose completion record cannot be written
 *	hostile UUID storm N	N random accesses of every width at every offset, commands among them,
 *				with descriptors of random bytes
 *	hostile UUID stuck 0	drains while the device holds descriptors back, then works again
 *
 * What it owns is one mapping; a page of it that no descriptor names must stay as it was. At the
 * end a reset must lead to a device that copies. Prints "hostile: N ok, N bad".
 */
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
#include <time.h>
#include <unistd.h>

#define PAGE	 4096ul
#define MEM_SIZE (16 * PAGE)
#define IOVA	 0x40000000ull
#define IOVA_BAD 0x70000000ull		/* mapped by nobody */

/* Registers and commands: DSA specification, chapter 9. */
#define R_WQCAP	  0x20
#define R_OFFSETS 0x60
#define R_GENSTS  0x90
#define R_CMD	  0xa0
#define R_CMDSTS  0xa8
#define R_SWERR	  0xc0
#define ENABLE_DEVICE 1u
#define ENABLE_WQ     6u
#define DRAIN_WQ      8u

struct desc {
	uint32_t pasid_priv;
	uint32_t opcode_flags;
	uint64_t completion, src, dst;
	uint32_t size;
	uint16_t handle;
	uint8_t rest[26];
} __attribute__((packed, aligned(64)));

#define OP_BATCH   0x01u
#define OP_MEMMOVE 0x03u
#define FLAG_CRAV  (1u << 2)
#define FLAG_RCR   (1u << 3)

static int device, good, bad;
static uint64_t bar0, config;
static uint8_t *mem, *portal;

static void die(const char *what)
{
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void check(bool ok, const char *what)
{
	ok ? good++ : bad++;
	printf("hostile: %s - %s\n", ok ? "ok" : "NOT OK", what);
}

static uint64_t region(unsigned int index)
{
	struct vfio_region_info r = { .argsz = sizeof(r), .index = index };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &r))
		die("GET_REGION_INFO");
	return r.offset;
}

static void wr(uint64_t off, uint64_t v, unsigned int len)
{
	if (pwrite(device, &v, len, (off_t)(bar0 + off)) != (ssize_t)len)
		die("write of BAR0");
}

static uint64_t rd(uint64_t off, unsigned int len)
{
	uint64_t v = 0;

	if (pread(device, &v, len, (off_t)(bar0 + off)) != (ssize_t)len)
		die("read of BAR0");
	return v;
}

/* CMDSTS without Active, or ~0 when the command did not end within a minute. */
static uint32_t finish(void)
{
	uint32_t status;

	for (int i = 0; i < 60000; i++) {
		status = (uint32_t)rd(R_CMDSTS, 4);
		if (!(status >> 31))
			return status;
		usleep(1000);
	}
	return ~0u;
}

static uint32_t command(unsigned int code, uint32_t operand)
{
	wr(R_CMD, code << 20 | operand, 4);
	return finish();
}

static void open_device(const char *uuid)
{
	struct vfio_iommu_type1_dma_map m = { .argsz = sizeof(m),
					      .flags = VFIO_DMA_MAP_FLAG_READ |
						       VFIO_DMA_MAP_FLAG_WRITE,
					      .iova = IOVA,
					      .size = MEM_SIZE };
	char path[256], link[256];
	int container, group;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/iommu_group", uuid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		die(path);
	link[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	container = open("/dev/vfio/vfio", O_RDWR);
	group = open(path, O_RDWR);
	if (container < 0 || group < 0)
		die(path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	m.vaddr = (uintptr_t)mem;
	if (mem == MAP_FAILED || ioctl(container, VFIO_IOMMU_MAP_DMA, &m))
		die("MAP_DMA");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	if (device < 0)
		die("GET_DEVICE_FD");
	config = region(VFIO_PCI_CONFIG_REGION_INDEX);
	bar0 = region(VFIO_PCI_BAR0_REGION_INDEX);
	portal = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		      (off_t)region(VFIO_PCI_BAR2_REGION_INDEX));
	if (portal == MAP_FAILED)
		die("mmap of the portal");
}

static bool enable(void)
{
	uint64_t offsets = rd(R_OFFSETS, 8);
	uint32_t grpcfg = (uint32_t)(offsets & 0xffff) << 8;
	uint32_t wqcfg = (uint32_t)(offsets >> 16 & 0xffff) << 8;
	uint16_t master = 6;

	if (pwrite(device, &master, 2, (off_t)config + 4) != 2)
		die("write of the command register");
	wr(wqcfg + 0, rd(R_WQCAP, 8) & 0xffff, 4);
	wr(wqcfg + 8, 1 | 10 << 4, 4);
	wr(wqcfg + 12, 21 | 5 << 5, 4);
	wr(grpcfg + 0, 1, 8);
	wr(grpcfg + 0x20, 1, 8);
	return !command(ENABLE_DEVICE, 0) && !command(ENABLE_WQ, 0);
}

/* ---- descriptors ------------------------------------------------------------ */

static void submit(unsigned int page, const void *d)
{
	__asm__ volatile("sfence; .byte 0x66, 0x0f, 0x38, 0xf8, 0x02"
			 :
			 : "a"(portal + page * PAGE), "d"(d)
			 : "memory");
}

static struct desc move(uint64_t completion)
{
	return (struct desc){ .opcode_flags = OP_MEMMOVE << 24 | FLAG_CRAV | FLAG_RCR,
			      .completion = completion,
			      .src = IOVA,
			      .dst = IOVA + PAGE,
			      .size = PAGE };
}

static bool filled(unsigned int page, uint8_t v)
{
	for (unsigned int i = 0; i < PAGE; i++)
		if (mem[page * PAGE + i] != v)
			return false;
	return true;
}

/* Page 0 to page 1, the record in page 2. */
static bool copies(uint8_t v)
{
	volatile uint8_t *status = mem + 2 * PAGE;
	struct desc d = move(IOVA + 2 * PAGE);

	memset(mem, v, PAGE);
	memset(mem + PAGE, 0, PAGE);
	*status = 0;
	submit(0, &d);
	for (int i = 0; i < 20000 && !*status; i++)
		usleep(1000);
	return *status == 1 && filled(1, v);
}

static void guard_set(void)
{
	memset(mem + 15 * PAGE, 0xc3, PAGE);
}

/* ---- unwritable records ------------------------------------------------------- */

static void faults(unsigned int n)
{
	struct desc d = move(IOVA_BAD), *list = (void *)(mem + 3 * PAGE), batch;
	uint64_t first;

	check(enable(), "enable");
	for (unsigned int i = 0; i < 4; i++)
		list[i] = move(IOVA_BAD + 64 * i);
	batch = (struct desc){ .opcode_flags = OP_BATCH << 24 | FLAG_CRAV | FLAG_RCR,
			       .completion = IOVA_BAD,
			       .src = IOVA + 3 * PAGE,
			       .size = 4 };
	for (unsigned int i = 0; i < n; i += 8) {
		for (unsigned int k = 0; k < 8; k++)
			submit(0, k == 7 ? &batch : &d);
		if (command(DRAIN_WQ, 1)) {
			check(false, "drain");
			break;
		}
	}
	for (int i = 0; i < 2000 && !(rd(R_SWERR, 8) & 1); i++)
		usleep(1000);
	first = rd(R_SWERR, 8);
	printf("hostile: SWERROR %#lx %#lx %#lx\n", (long)first, (long)rd(R_SWERR + 8, 8),
	       (long)rd(R_SWERR + 16, 8));
	check(first & 1, "the guest's software error register has a record");
	check((first >> 3 & 1) && !(first >> 16 & 0xff), "it names the guest's own queue");
	check((first >> 8 & 0xff) && !(first >> 40), "it has a code and nobody's PASID");
	check((rd(R_SWERR + 16, 8) & ~0xfffull) == IOVA_BAD, "it has the address");
	wr(R_SWERR, 3, 8);
	check(!(rd(R_SWERR, 8) & 1), "it can be acknowledged");
	check(copies(0x5a), "the queue still copies");
}

/* ---- random everything ------------------------------------------------------------ */

static uint64_t seed = 88172645463325252ull;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Mostly at registers that do something. */
static uint64_t some_offset(uint64_t size)
{
	return rnd() % 4 ? rnd() % 0xb00 : rnd() % size;
}

static void one_access(void)
{
	unsigned int len = 1u << rnd() % 4;
	uint64_t off = some_offset(2 * PAGE), v = rnd() & rnd();
	uint8_t buf[64];

	switch (rnd() % 8) {
	case 0:		/* any length, any alignment */
		if (pread(device, buf, rnd() % 64 + 1, (off_t)(bar0 + off)) < 0)
			die("read of BAR0");
		break;
	case 1:
	case 2:
		off &= ~(uint64_t)(len - 1);
		if (pwrite(device, &v, len, (off_t)(bar0 + off)) < 0)
			die("write of BAR0");
		break;
	case 3:
		if (pwrite(device, &v, len, (off_t)(config + rnd() % (PAGE - 8))) < 0)
			die("write of configuration space");
		break;
	case 4:		/* every command, good operands and bad ones, also over an active one */
		wr(R_CMD, rnd() << 31 | rnd() % 32 << 20 | (rnd() % 2 ? rnd() % 4 : rnd() & 0xfffff), 4);
		break;
	default:
		for (unsigned int i = 0; i < sizeof(buf); i += 8)
			memcpy(buf + i, (uint64_t[]){ rnd() }, 8);
		if (rnd() % 2) {	/* addresses of its own now and then, never of the guard page */
			struct desc d = move(IOVA + rnd() % (14 * PAGE));

			d.opcode_flags = (uint32_t)rnd();
			d.pasid_priv = (uint32_t)rnd();
			d.handle = (uint16_t)rnd();
			d.size = (uint32_t)(rnd() % (8 * PAGE));
			submit(rnd() % 2, &d);
		} else {
			submit(rnd() % 2, memcpy(&(struct desc){ 0 }, buf, 64));
		}
	}
}

static void storm(unsigned int n)
{
	unsigned int enabled = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (i % 500 == 0) {
			if (finish() == ~0u) {
				check(false, "every command ends");
				break;
			}
			if (ioctl(device, VFIO_DEVICE_RESET))
				die("VFIO_DEVICE_RESET");
			enabled += enable();
		}
		one_access();
	}
	check(finish() != ~0u, "the last command ended");
	check(enabled == (n + 499) / 500, "after each reset it could be enabled");
}

/* ---- a device that does not answer ----------------------------------------------- */

static void stuck(void)
{
	time_t start = time(NULL), end = start + 120;
	struct desc d = move(IOVA + 2 * PAGE);
	uint32_t status;

	check(enable(), "enable");
	submit(0, &d);
	status = command(DRAIN_WQ, 1);
	printf("hostile: drain ended with %#x after %ld s\n", status, (long)(time(NULL) - start));
	fflush(stdout);
	check((status & 0xff) == 3, "the command ended with a hardware error");
	do {
		sleep(1);
		if (ioctl(device, VFIO_DEVICE_RESET))
			die("VFIO_DEVICE_RESET");
	} while (!enable() && time(NULL) < end);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 3 ? (unsigned int)atoi(argv[3]) : 1000;

	if (argc < 3) {
		fprintf(stderr, "usage: hostile UUID faults|storm|stuck [N]\n");
		return 2;
	}
	open_device(argv[1]);
	guard_set();
	if (!strcmp(argv[2], "faults"))
		faults(n);
	else if (!strcmp(argv[2], "stuck"))
		stuck();
	else
		storm(n);
	check(filled(15, 0xc3), "no page was written that no descriptor named");
	check(!ioctl(device, VFIO_DEVICE_RESET), "VFIO_DEVICE_RESET");
	check(!(rd(R_GENSTS, 4) & 3), "the device is disabled after it");
	check(enable(), "it can be enabled");
	check(copies(0xa7), "it copies");
	printf("hostile: %d ok, %d bad\n", good, bad);
	return bad != 0;
}
