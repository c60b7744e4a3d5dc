// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints 32-bit words of a PCI device's BAR, read through sysfs, in hexadecimal, a line each.
 *
 *	peek PCI-ADDRESS BAR OFFSET [COUNT]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ul

int main(int argc, char **argv)
{
	unsigned long offset, count, i;
	volatile uint32_t *words;
	char path[128];
	void *map;
	int fd;

	if (argc < 4) {
		fprintf(stderr, "usage: peek PCI-ADDRESS BAR OFFSET [COUNT]\n");
		return 2;
	}
	offset = strtoul(argv[3], NULL, 0);
	count = argc > 4 ? strtoul(argv[4], NULL, 0) : 1;
	if (offset % 4 || offset % PAGE + count * 4 > PAGE) {
		fprintf(stderr, "peek: words must be aligned and within one page\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%s", argv[1], argv[2]);
	fd = open(path, O_RDONLY | O_SYNC);
	if (fd < 0) {
		fprintf(stderr, "peek: %s: %s\n", path, strerror(errno));
		return 1;
	}
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)(offset / PAGE * PAGE));
	if (map == MAP_FAILED) {
		fprintf(stderr, "peek: mmap of %s: %s\n", path, strerror(errno));
		return 1;
	}
	words = (volatile uint32_t *)((char *)map + offset % PAGE);
	for (i = 0; i < count; i++)
		printf("%08x\n", words[i]);
	return 0;
}
