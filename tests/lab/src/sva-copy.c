// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sva-copy DEVICE dedicated|shared COPIES SIZE [FILE]
 *
 * Copies memory with a work queue's character device, in this process's own
 * address space. The pages of each destination are fresh, so that the device
 * has to ask for them. With FILE it submits all copies at once, prints "submitted",
 * and counts those that are complete when FILE appears, without waiting for more.
 * Says what it did; status 0: all right, 1: wrong, 2: the device could not be opened
 * (and errno's name is printed).
 */
#include <errno.h>
#include <fcntl.h>
#include <immintrin.h>
#include <linux/idxd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PORTAL_SIZE 4096
#define LIMIT_S 30

struct queue {
	void *portal;
	bool shared;
	unsigned long retries;
};

__attribute__((target("movdir64b,enqcmd")))
static int queue_submit(struct queue *q, const struct dsa_hw_desc *desc)
{
	_mm_sfence();
	if (!q->shared) {
		_movdir64b(q->portal, desc);
		return 0;
	}
	for (int i = 0; i < 100000; i++) {
		if (!_enqcmd(q->portal, desc))
			return 0;
		q->retries++;
		usleep(100);
	}
	return -EAGAIN;
}

static int record_wait(volatile struct dsa_completion_record *record)
{
	time_t end = time(NULL) + LIMIT_S;

	while (!record->status) {
		if (time(NULL) > end)
			return -ETIMEDOUT;
		usleep(50);
	}
	return record->status;
}

static void *pages_get(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* One copy into pages that do not exist yet; 0 when the data arrived. */
static int copy_once(struct queue *q, unsigned int n, size_t size)
{
	static struct dsa_completion_record record __attribute__((aligned(32)));
	static struct dsa_hw_desc desc __attribute__((aligned(64)));
	uint8_t *src = pages_get(size), *dst = pages_get(size);
	int r;

	if (!src || !dst)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++)
		src[i] = (uint8_t)(i * 7 + n);
	memset(&record, 0, sizeof(record));
	memset(&desc, 0, sizeof(desc));
	desc.opcode = DSA_OPCODE_MEMMOVE;
	desc.flags = IDXD_OP_FLAG_RCR | IDXD_OP_FLAG_CRAV | IDXD_OP_FLAG_BOF | IDXD_OP_FLAG_CC;
	desc.completion_addr = (uintptr_t)&record;
	desc.src_addr = (uintptr_t)src;
	desc.dst_addr = (uintptr_t)dst;
	desc.xfer_size = (uint32_t)size;
	r = queue_submit(q, &desc);
	if (r == 0)
		r = record_wait(&record);
	if (r != DSA_COMP_SUCCESS)
		fprintf(stderr, "copy %u: status %d, fault address %llx\n", n, r,
			(unsigned long long)record.fault_addr);
	else if (memcmp(src, dst, size))
		fprintf(stderr, "copy %u: the data differs\n", n);
	else
		r = 0;
	munmap(src, size);
	munmap(dst, size);
	return r;
}

/* How many of @copies have a record at the moment when @file appears. */
static unsigned int copies_complete(struct queue *q, unsigned int copies, size_t size,
				    const char *file)
{
	struct dsa_completion_record *records = pages_get(copies * sizeof(*records));
	uint8_t *src = pages_get(size), *dst = pages_get(copies * size);
	static struct dsa_hw_desc desc __attribute__((aligned(64)));
	volatile uint8_t *status;
	unsigned int n, complete = 0;

	if (!records || !src || !dst)
		return 0;
	memset(src, 0x5c, size);
	memset(records, 0, copies * sizeof(*records));
	for (n = 0; n < copies; n++) {
		memset(&desc, 0, sizeof(desc));
		desc.opcode = DSA_OPCODE_MEMMOVE;
		desc.flags = IDXD_OP_FLAG_RCR | IDXD_OP_FLAG_CRAV | IDXD_OP_FLAG_BOF;
		desc.completion_addr = (uintptr_t)&records[n];
		desc.src_addr = (uintptr_t)src;
		desc.dst_addr = (uintptr_t)(dst + n * size);
		desc.xfer_size = (uint32_t)size;
		queue_submit(q, &desc);
	}
	printf("submitted\n");
	fflush(stdout);
	while (access(file, F_OK))
		usleep(1000);
	for (n = 0; n < copies; n++) {
		status = &records[n].status;
		complete += *status == DSA_COMP_SUCCESS && !memcmp(src, dst + n * size, size);
	}
	return complete;
}

int main(int argc, char **argv)
{
	struct queue q = { 0 };
	unsigned int copies, bad = 0;
	size_t size;
	int fd;

	if (argc < 5)
		return 1;
	q.shared = !strcmp(argv[2], "shared");
	copies = (unsigned int)strtoul(argv[3], NULL, 0);
	size = strtoul(argv[4], NULL, 0);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		printf("open %s: %s\n", argv[1], strerrorname_np(errno));
		return 2;
	}
	q.portal = mmap(NULL, PORTAL_SIZE, PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (q.portal == MAP_FAILED) {
		printf("mmap %s: %s\n", argv[1], strerrorname_np(errno));
		return 2;
	}
	if (argc > 5) {
		bad = copies - copies_complete(&q, copies, size, argv[5]);
		printf("%u of %u complete\n", copies - bad, copies);
		return bad != 0;
	}
	for (unsigned int n = 0; n < copies; n++)
		bad += copy_once(&q, n, size) != 0;
	printf("%u copies of %zu bytes, %u wrong, %lu retries\n", copies, size, bad, q.retries);
	return bad || !copies;
}
