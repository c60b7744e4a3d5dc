// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a trapped access to an mdev costs, any mdev that is a PCI device:
 *
 *	regs UUID N		N accesses of four bytes of each kind, through VFIO's file
 *
 * Prints "bench: access KIND ns=..." with the median of several rounds.
 */
#include <time.h>

#include "mdev.h"

#define ROUNDS 21

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void measure(const char *kind, uint64_t offset, bool write, unsigned int n)
{
	uint64_t took[ROUNDS], start;
	uint32_t v = 0;

	if (pread(device, &v, sizeof(v), (off_t)offset) != sizeof(v))
		die(kind);
	for (unsigned int r = 0; r < ROUNDS; r++) {
		start = now_ns();
		for (unsigned int i = 0; i < n / ROUNDS; i++)
			if ((write ? pwrite(device, &v, sizeof(v), (off_t)offset) :
				     pread(device, &v, sizeof(v), (off_t)offset)) != sizeof(v))
				die(kind);
		took[r] = (now_ns() - start) / (n / ROUNDS);
	}
	qsort(took, ROUNDS, sizeof(took[0]), by_value);
	printf("bench: access %s ns=%lu\n", kind, (long)took[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
	unsigned int n;

	if (argc != 3 || (n = (unsigned int)atoi(argv[2])) < ROUNDS) {
		fprintf(stderr, "usage: regs UUID N\n");
		return 2;
	}
	open_device(argv[1]);
	config = region(VFIO_PCI_CONFIG_REGION_INDEX, NULL);
	bar0 = region(VFIO_PCI_BAR0_REGION_INDEX, NULL);
	measure("config-read", config, false, n);
	measure("config-write", config + 0x10, true, n);
	measure("bar0-read", bar0, false, n);
	measure("bar0-write", bar0, true, n);
	return 0;
}
