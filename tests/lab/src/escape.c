// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Run as root inside a guest that owns a slice: maps the portal through sysfs, past its own idxd,
 * and submits descriptors at addresses that the guest does not own. Each must fail with a page-fault
 * status and change nothing; one at the guest's own memory must work.
 *
 *	escape PCI-ADDRESS [PORTAL-PAGE]
 *
 * The wq must be enabled (any type). Prints a line per case, then "escape: N ok, N bad".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "desc.h"

/* Completion record: DSA specification, chapter 8. */
struct record {
	volatile uint8_t status;
	uint8_t result, info, unused;
	uint32_t done;
	uint64_t fault;
	uint8_t rest[16];
} __attribute__((packed, aligned(32)));

_Static_assert(sizeof(struct record) == 32, "record is 32 bytes");

static void *portal;
static struct record *rec;
static uint64_t rec_pa;
static int ok, bad;

static uint64_t phys(const void *p)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)p / PAGE * 8) != 8 || !(entry >> 63)) {
		perror("escape: pagemap");
		exit(1);
	}
	close(fd);
	return (entry & ((1ull << 55) - 1)) * PAGE + (uintptr_t)p % PAGE;
}

static void *page(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED,
		       -1, 0);

	if (p == MAP_FAILED) {
		perror("escape: mmap");
		exit(1);
	}
	memset(p, 0, PAGE);
	return p;
}

/* Returns the status, or -1 when none came within two seconds. */
static int submit(uint32_t dword0, uint64_t src, uint64_t dst, uint32_t size)
{
	struct desc d = { .pasid_priv = dword0,
			  .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR,
			  .completion = rec_pa,
			  .src = src,
			  .dst = dst,
			  .size = size };
	struct timespec nap = { .tv_nsec = 1000000 };

	memset(rec, 0, sizeof(*rec));
	portal_store(portal, &d);
	for (int i = 0; i < 2000; i++) {
		if (rec->status)
			return rec->status;
		nanosleep(&nap, NULL);
	}
	return -1;
}

static void expect(const char *name, int got, int want, bool intact)
{
	bool good = got == want && intact;

	printf("escape: %-44s status %#04x want %#04x%s: %s\n", name, got, want,
	       intact ? "" : ", MEMORY CHANGED", good ? "ok" : "BAD");
	good ? ok++ : bad++;
}

static bool all(const uint8_t *p, uint8_t value)
{
	for (unsigned int i = 0; i < PAGE; i++)
		if (p[i] != value)
			return false;
	return true;
}

static const struct {
	const char *name;
	uint64_t addr;
} foreign[] = {
	{ "host memory above the guest's (1 GiB)", 1ull << 30 },
	{ "host memory above the guest's (2 GiB)", 2ull << 30 },
	{ "below 4 GiB, no memory (3.9 GiB)", 0xf9c00000ull },
	{ "interrupt range (0xfee00000)", 0xfee00000ull },
	{ "above all memory (64 GiB)", 64ull << 30 },
};

int main(int argc, char **argv)
{
	off_t portal_page = argc > 2 ? strtol(argv[2], NULL, 0) : 1;
	uint8_t *src, *dst;
	uint64_t src_pa, dst_pa;
	char path[128];
	int fd, got;

	if (argc < 2) {
		fprintf(stderr, "usage: escape PCI-ADDRESS [PORTAL-PAGE]\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", argv[1]);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0) {
		fprintf(stderr, "escape: %s: %s\n", path, strerror(errno));
		return 1;
	}
	portal = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, portal_page * PAGE);
	if (portal == MAP_FAILED) {
		fprintf(stderr, "escape: mmap of %s: %s\n", path, strerror(errno));
		return 1;
	}

	src = page();
	dst = page();
	rec = page();
	src_pa = phys(src);
	dst_pa = phys(dst);
	rec_pa = phys(rec);
	memset(src, 0xa5, PAGE);

	got = submit(0, src_pa, dst_pa, PAGE);
	expect("own memory to own memory", got, ST_SUCCESS, all(dst, 0xa5));

	memset(dst, 0, PAGE);
	got = submit(0x80000000u | 0x1, src_pa, dst_pa, PAGE);
	expect("forged PASID and priv are ignored", got, ST_SUCCESS, all(dst, 0xa5));

	memset(dst, 0x5a, PAGE);
	for (unsigned int i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "to %s", foreign[i].name);
		got = submit(0, src_pa, foreign[i].addr, PAGE);
		expect(name, got, ST_FAULT_WR, all(src, 0xa5));

		snprintf(name, sizeof(name), "from %s", foreign[i].name);
		got = submit(0, foreign[i].addr, dst_pa, PAGE);
		expect(name, got, ST_FAULT_RD, all(dst, 0x5a));
	}

	/* After all that the queue still works. */
	got = submit(0, src_pa, dst_pa, PAGE);
	expect("own memory again", got, ST_SUCCESS, all(dst, 0xa5));

	printf("escape: %d ok, %d bad\n", ok, bad);
	return bad != 0;
}
