/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sva-test WQ MODE COUNT [leave|log]: copies through a user work queue under the process's own
 * address space, into pages that were never touched, so that every copy needs page requests. WQ is
 * a /dev/dsa node; the queue must have block_on_fault set, for "log" prs_disable instead. Exit
 * status 0 means that all data was right.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "desc.h"

#define BYTES	(64 * 1024)
#define BURST	64

static void *portal;
static bool shared;

static bool submit(const struct desc *d)
{
	asm volatile("sfence" : : : "memory");
	if (shared)
		return enqcmd(portal, d);
	movdir64b(portal, d);
	return true;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int wait_for(struct record *r)
{
	double end = now() + 10;

	while (!r->status) {
		if (now() > end)
			return -ETIMEDOUT;
		usleep(100);
	}
	return 0;
}

static void *fresh(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static int copy_once(unsigned int seed)
{
	struct record *r = fresh(4096);
	uint8_t *src = fresh(BYTES), *dst = fresh(BYTES);
	struct desc d = { .flags_op = OP(3) | CRAV | RCR | BOF, .size = BYTES };
	unsigned int i;
	int bad = 0;

	for (i = 0; i < BYTES; i++)
		src[i] = i * 7 + seed;
	r->status = 0;
	d.record = (uintptr_t)r;
	d.src = (uintptr_t)src;
	d.dst = (uintptr_t)dst;
	while (!submit(&d))
		usleep(50);
	if (wait_for(r) < 0) {
		printf("copy %u: no completion\n", seed);
		return 1;
	}
	if (r->status != 1 || memcmp(src, dst, BYTES)) {
		printf("copy %u: status 0x%02x, fault 0x%llx, bytes %u\n", seed, r->status,
		       (unsigned long long)r->fault_addr, r->bytes);
		bad = 1;
	}
	munmap(src, BYTES);
	munmap(dst, BYTES);
	munmap(r, 4096);
	return bad;
}

/* Without the flag a page that is not there ends the operation. */
static int fault_without_bof(void)
{
	struct record *r = fresh(4096);
	uint8_t *src = fresh(8192), *dst = fresh(8192);
	struct desc d = { .flags_op = OP(3) | CRAV | RCR, .size = 8192 };

	memset(src, 1, 8192);
	dst[0] = 1;
	r->status = 0;
	d.record = (uintptr_t)r;
	d.src = (uintptr_t)src;
	d.dst = (uintptr_t)dst;
	while (!submit(&d))
		usleep(50);
	if (wait_for(r) < 0)
		return 1;
	if (r->status != 0x83 || r->bytes != 4096 || r->fault_addr != (uintptr_t)dst + 4096 ||
	    r->info != 3 << 1) {
		printf("no BOF: status 0x%02x bytes %u fault 0x%llx info 0x%x\n", r->status,
		       r->bytes, (unsigned long long)r->fault_addr, r->info);
		return 1;
	}
	return 0;
}

/* An address that no page can ever be at: the response is a refusal. */
static int refused(void)
{
	struct record *r = fresh(4096);
	uint8_t *src = fresh(4096);
	struct desc d = { .flags_op = OP(3) | CRAV | RCR | BOF, .size = 4096 };
	void *hole = fresh(4096);

	munmap(hole, 4096);
	memset(src, 1, 4096);
	r->status = 0;
	d.record = (uintptr_t)r;
	d.src = (uintptr_t)src;
	d.dst = (uintptr_t)hole;
	while (!submit(&d))
		usleep(50);
	if (wait_for(r) < 0)
		return 1;
	if (r->status != 0x84) {
		printf("refused page: status 0x%02x\n", r->status);
		return 1;
	}
	return 0;
}

/*
 * Records in pages that are not there, from operations that may not block: the device logs them,
 * the driver copies them from the log. A batch with such a member ends through the log as well.
 */
static int logged_records(void)
{
	uint8_t *pages = fresh(3 * 4096);
	struct record *lost = (struct record *)pages, *member = (struct record *)(pages + 4096);
	struct record *r = fresh(4096);
	struct desc *list = fresh(4096);
	struct desc d = { .flags_op = OP(0) | CRAV | RCR };
	unsigned int i;

	d.record = (uintptr_t)lost;
	while (!submit(&d))
		usleep(50);
	/* by then the device has failed to write it; looking makes the page present */
	usleep(200000);
	if (wait_for(lost) < 0 || lost->status != 1) {
		printf("logged record: status 0x%02x\n", lost->status);
		return 1;
	}

	for (i = 0; i < 4; i++) {
		list[i].flags_op = OP(0) | CRAV | RCR;
		list[i].record = (uintptr_t)(i == 2 ? member : &r[1 + i]);
	}
	memset(r, 0, 4096);
	memset(&d, 0, sizeof(d));
	d.flags_op = OP(1) | CRAV | RCR;
	d.record = (uintptr_t)r;
	d.src = (uintptr_t)list;
	d.size = 4;
	while (!submit(&d))
		usleep(50);
	if (wait_for(r) < 0 || r->status != 1 || r->bytes != 4 || member->status != 1 ||
	    r[1].status != 1 || r[4].status != 1) {
		printf("logged batch: status 0x%02x member 0x%02x\n", r->status, member->status);
		return 1;
	}
	return 0;
}

/*
 * A list of descriptors in a page that was never touched: zeroes, which are No-ops. With page
 * requests the device gets the page, without it says that it could not.
 */
static int untouched_list(bool prs)
{
	struct record *r = fresh(4096);
	struct desc d = { .flags_op = OP(1) | CRAV | RCR, .size = 4 };

	memset(r, 0, 4096);
	d.record = (uintptr_t)r;
	d.src = (uintptr_t)fresh(4096);
	while (!submit(&d))
		usleep(50);
	if (wait_for(r) < 0)
		return 1;
	if (r->status != (prs ? 1 : 6) || r->bytes != (prs ? 4 : 0) ||
	    (!prs && r->fault_addr != d.src)) {
		printf("untouched list: status 0x%02x, %u descriptors, fault 0x%llx\n", r->status,
		       r->bytes, (unsigned long long)r->fault_addr);
		return 1;
	}
	return 0;
}

/* Many at once, all needing page requests; a full shared queue says so, a dedicated one is not fed
 * beyond its size. */
static int burst(unsigned int room)
{
	struct record *r = fresh(BURST * sizeof(*r));
	uint8_t *src = fresh(BYTES), *dst = fresh(BURST * BYTES / 4);
	unsigned int i, sent = 0, bad = 0;

	memset(src, 0x5a, BYTES);
	memset(r, 0, BURST * sizeof(*r));
	for (i = 0; i < (shared ? BURST : room); i++) {
		struct desc d = { .flags_op = OP(3) | CRAV | RCR | BOF, .size = BYTES / 4 };

		d.record = (uintptr_t)&r[sent];
		d.src = (uintptr_t)src;
		d.dst = (uintptr_t)(dst + sent * (BYTES / 4));
		if (submit(&d))
			sent++;
	}
	/* another process may have kept a shared queue full all the while */
	if (!sent) {
		printf("burst: found the queue full\n");
		return 0;
	}
	for (i = 0; i < sent; i++) {
		if (wait_for(&r[i]) < 0 || r[i].status != 1 ||
		    memcmp(src, dst + i * (BYTES / 4), BYTES / 4))
			bad++;
	}
	printf("burst: %u accepted, %u wrong\n", sent, bad);
	return bad;
}

/* Leaves work behind on purpose; whoever runs this sees whether the next one still works. */
static void leave_work(unsigned int room)
{
	static struct record r[BURST];
	uint8_t *src = fresh(BYTES), *dst = fresh(BURST * BYTES);
	unsigned int i;

	for (i = 0; i < room; i++) {
		struct desc d = { .flags_op = OP(3) | CRAV | RCR | BOF, .size = BYTES };

		d.record = (uintptr_t)&r[i];
		d.src = (uintptr_t)src;
		d.dst = (uintptr_t)(dst + i * BYTES);
		submit(&d);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	unsigned int i, bad = 0;
	int fd;

	if (argc < 4) {
		fprintf(stderr, "usage: sva-test NODE shared|dedicated COUNT [leave|log]\n");
		return 2;
	}
	shared = !strcmp(argv[2], "shared");
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	portal = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (portal == MAP_FAILED) {
		perror("mmap portal");
		return 1;
	}
	if (argc > 4 && !strcmp(argv[4], "leave"))
		leave_work(12);
	/* a queue without page requests: what they would have brought is in the log */
	if (argc > 4) {
		bad = fault_without_bof() + untouched_list(false);
		for (i = 0; i < (unsigned int)atoi(argv[3]); i++)
			bad += logged_records();
		printf("sva-test %s %s: %u logged, %u failures\n", argv[1], argv[2], i, bad);
		return bad != 0;
	}

	for (i = 0; i < (unsigned int)atoi(argv[3]); i++)
		bad += copy_once(i);
	bad += fault_without_bof();
	bad += refused();
	bad += logged_records();
	bad += untouched_list(true);
	bad += burst(12);
	printf("sva-test %s %s: %u copies, %u failures\n", argv[1], argv[2], i, bad);
	return bad != 0;
}
