// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Run as root inside a guest: stores No-op descriptors to a portal page of its slice all the time,
 * whatever state the wq is in. Each store to a page that the host has just taken away faults.
 *
 * KVM does not emulate the store. While the guest has memory decoding off, as during its own reset
 * of the function, there is no portal, and the program gets a SIGILL where a device drops the store:
 * those are counted and left out.
 *
 *	storm PCI-ADDRESS SECONDS
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "desc.h"

static const uint8_t movdir64b[] = { 0x66, 0x0f, 0x38, 0xf8, 0x02 };
static volatile unsigned long lost;

static void skip(int sig, siginfo_t *info, void *context)
{
	greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)info;
	if (memcmp((const void *)*rip, movdir64b, sizeof(movdir64b))) {
		signal(sig, SIG_DFL);
		return;
	}
	*rip += (greg_t)sizeof(movdir64b);
	lost++;
}

int main(int argc, char **argv)
{
	/* all zero: No-op, no flags, no completion record, no interrupt */
	static const uint8_t noop[64] __attribute__((aligned(64)));
	const struct sigaction sa = { .sa_sigaction = skip, .sa_flags = SA_SIGINFO };
	unsigned long stores = 0;
	char path[128];
	uint8_t *portal;
	time_t end;
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: storm PCI-ADDRESS SECONDS\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", argv[1]);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0) {
		fprintf(stderr, "storm: %s: %s\n", path, strerror(errno));
		return 1;
	}
	portal = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (portal == MAP_FAILED) {
		fprintf(stderr, "storm: mmap of %s: %s\n", path, strerror(errno));
		return 1;
	}
	sigaction(SIGILL, &sa, NULL);
	end = time(NULL) + atoi(argv[2]);
	while (time(NULL) < end) {
		portal_store(portal + stores % 64 * 64, noop);
		stores++;
		for (volatile int i = 0; i < 300; i++)
			;
	}
	printf("storm: %lu stores, %lu without a portal\n", stores, lost);
	return 0;
}
