// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sva-hold DEVICE dedicated|shared FILE
 *
 * Has a work queue's character device open, and copies through it in its own address space until it
 * is told to end: several copies are on their way at any time. FILE is memory that it shares with
 * whoever wants to know: three numbers (submitted, completed, wrong), and from the second page on the
 * completion records as the device writes them. So one can see what the device does for a process
 * that does not run.
 */
#include <errno.h>
#include <fcntl.h>
#include <immintrin.h>
#include <linux/idxd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	 4096u
#define DEPTH	 8u
#define SIZE	 8192u

struct counters {
	uint64_t submitted, completed, wrong;
};

struct slot {
	struct dsa_hw_desc desc;
	uint8_t src[SIZE], dst[SIZE];
	bool pending;
} __attribute__((aligned(64)));

static volatile sig_atomic_t over;
static struct slot slots[DEPTH];

static void on_term(int sig)
{
	(void)sig;
	over = 1;
}

__attribute__((target("movdir64b,enqcmd")))
static bool submit(void *portal, bool shared, const struct dsa_hw_desc *desc)
{
	_mm_sfence();
	if (shared)
		return !_enqcmd(portal, desc);
	_movdir64b(portal, desc);
	return true;
}

static void prepare(struct slot *s, struct dsa_completion_record *record, uint64_t n)
{
	memset(s->dst, 0, SIZE);
	for (unsigned int i = 0; i < SIZE; i++)
		s->src[i] = (uint8_t)(i * 3 + n);
	memset(record, 0, sizeof(*record));
	memset(&s->desc, 0, sizeof(s->desc));
	s->desc.opcode = DSA_OPCODE_MEMMOVE;
	s->desc.flags = IDXD_OP_FLAG_RCR | IDXD_OP_FLAG_CRAV | IDXD_OP_FLAG_BOF | IDXD_OP_FLAG_CC;
	s->desc.completion_addr = (uintptr_t)record;
	s->desc.src_addr = (uintptr_t)s->src;
	s->desc.dst_addr = (uintptr_t)s->dst;
	s->desc.xfer_size = SIZE;
}

static void look(struct slot *s, volatile struct dsa_completion_record *record, struct counters *c)
{
	if (!s->pending || !record->status)
		return;
	c->completed++;
	c->wrong += record->status != DSA_COMP_SUCCESS || memcmp(s->src, s->dst, SIZE);
	s->pending = false;
}

static void *share(const char *file)
{
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	void *p;

	if (fd < 0 || ftruncate(fd, 2 * PAGE) < 0)
		return NULL;
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

int main(int argc, char **argv)
{
	struct dsa_completion_record *records;
	struct counters *c;
	void *portal;
	bool shared;
	int fd;

	if (argc != 4)
		return 2;
	shared = !strcmp(argv[2], "shared");
	c = share(argv[3]);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (!c || fd < 0) {
		printf("open %s: %s\n", c ? argv[1] : argv[3], strerrorname_np(errno));
		return 2;
	}
	records = (void *)((char *)c + PAGE);
	portal = mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (portal == MAP_FAILED) {
		printf("mmap %s: %s\n", argv[1], strerrorname_np(errno));
		return 2;
	}
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	puts("holding");
	fflush(stdout);
	while (!over) {
		for (unsigned int i = 0; i < DEPTH; i++) {
			look(&slots[i], &records[i], c);
			if (slots[i].pending)
				continue;
			prepare(&slots[i], &records[i], c->submitted);
			slots[i].pending = submit(portal, shared, &slots[i].desc);
			c->submitted += slots[i].pending;
		}
		usleep(2000);
	}
	for (unsigned int n = 0; n < 30000 && c->completed < c->submitted; n++) {
		for (unsigned int i = 0; i < DEPTH; i++)
			look(&slots[i], &records[i], c);
		usleep(1000);
	}
	printf("%ju submitted, %ju completed, %ju wrong\n", (uintmax_t)c->submitted,
	       (uintmax_t)c->completed, (uintmax_t)c->wrong);
	return c->wrong || c->completed != c->submitted || !c->completed;
}
