/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PCI function without a driver, reached through sysfs as root. For one source of a program. */
#ifndef LAB_FUNCTION_H
#define LAB_FUNCTION_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "desc.h"

#define PORTAL_PAGES 2ul
#define BAR0_SIZE    (2 * PAGE)
#define HUGE_PAGE    0x200000ul

static int config_fd;
static unsigned int msix_cap;
static char function_dir[128];
static uint8_t *bar0, *portal;

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

static inline uint64_t rd(uint64_t off, unsigned int len)
{
	volatile void *p = bar0 + off;

	switch (len) {
	case 1:
		return *(volatile uint8_t *)p;
	case 2:
		return *(volatile uint16_t *)p;
	case 4:
		return *(volatile uint32_t *)p;
	default:
		return *(volatile uint64_t *)p;
	}
}

static inline void wr(uint64_t off, uint64_t v, unsigned int len)
{
	volatile void *p = bar0 + off;

	switch (len) {
	case 1:
		*(volatile uint8_t *)p = (uint8_t)v;
		break;
	case 2:
		*(volatile uint16_t *)p = (uint16_t)v;
		break;
	case 4:
		*(volatile uint32_t *)p = (uint32_t)v;
		break;
	default:
		*(volatile uint64_t *)p = v;
	}
}

/* Any offset; a length that the processor has. */
static inline void rd_any(uint64_t off, unsigned int len)
{
	len = 1u << len % 4;
	rd(off < BAR0_SIZE - len ? off : BAR0_SIZE - len, len);
}

/*
 * Anything but what would turn against the guest itself before the device sees it: base addresses,
 * and MSI-X, whose table holds what the other attacks left there. Memory stays decoded: KVM cannot
 * emulate a store to a portal that is not there, and ends the program for it.
 */
static inline void config_wr(uint64_t off, uint64_t v, unsigned int len)
{
	const uint16_t command = 6;

	if ((off + len > 0x10 && off < 0x34) || (off + len > msix_cap && off < msix_cap + 12))
		return;
	if (pwrite(config_fd, &v, len, (off_t)off) != (ssize_t)len ||
	    pwrite(config_fd, &command, 2, 4) != 2)
		die("write of configuration space");
}

static inline void reset_function(void)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/reset", function_dir);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die(path);
	close(fd);
	config_wr(4, 6, 2);
}

/* At most 2 MiB, in one piece; the device reaches it at its physical address. */
static inline uint8_t *memory(uint64_t *ret_address)
{
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	uint64_t entry = 0;
	uint8_t *p;

	if (fd < 0 || write(fd, "1", 1) != 1)
		die("a huge page");
	close(fd);
	p = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		die("a huge page");
	memset(p, 0, HUGE_PAGE);
	fd = open("/proc/self/pagemap", O_RDONLY);
	if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)p / PAGE * 8)) != 8 || !(entry >> 63))
		die("pagemap");
	close(fd);
	*ret_address = (entry & ((1ull << 55) - 1)) * PAGE;
	return p;
}

static inline void *resource(unsigned int bar, uint64_t size)
{
	char path[160];
	void *p;
	int fd;

	snprintf(path, sizeof(path), "%s/resource%u", function_dir, bar);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		die(path);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	return p;
}

static inline unsigned int find_capability(uint8_t id)
{
	uint8_t at = 0, cap[2];

	if (pread(config_fd, &at, 1, 0x34) != 1)
		die("configuration space");
	while (at && pread(config_fd, cap, 2, at) == 2) {
		if (cap[0] == id)
			return at;
		at = cap[1];
	}
	return 0x1000;
}

static inline void open_function(const char *address)
{
	char path[160];

	snprintf(function_dir, sizeof(function_dir), "/sys/bus/pci/devices/%s", address);
	snprintf(path, sizeof(path), "%s/config", function_dir);
	config_fd = open(path, O_RDWR);
	if (config_fd < 0)
		die(path);
	msix_cap = find_capability(0x11);
	config_wr(4, 6, 2);
	bar0 = resource(0, BAR0_SIZE);
	portal = resource(2, PORTAL_PAGES * PAGE);
}

#endif
