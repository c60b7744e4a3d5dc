// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes one 32-bit register of a PCI function: poke PCI-ADDRESS BAR OFFSET VALUE
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
	volatile uint32_t *page;
	unsigned long off;
	char path[128];
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: poke PCI-ADDRESS BAR OFFSET VALUE\n");
		return 2;
	}
	off = strtoul(argv[3], NULL, 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%s", argv[1], argv[2]);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0) {
		fprintf(stderr, "poke: %s: %s\n", path, strerror(errno));
		return 1;
	}
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(off & ~(PAGE - 1)));
	if (page == MAP_FAILED) {
		fprintf(stderr, "poke: mmap of %s: %s\n", path, strerror(errno));
		return 1;
	}
	page[off % PAGE / 4] = (uint32_t)strtoul(argv[4], NULL, 0);
	return 0;
}
