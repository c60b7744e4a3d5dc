// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Copies and batches of copies whose completion nobody is told of: the records are polled. Run as
 * root where a function has an enabled wq; its portal is mapped through sysfs, past the driver.
 *
 *	polled PCI-ADDRESS COPIES BATCHES
 *
 * Of each batch the last copy may be one that cannot work, which the batch's record must say.
 * Prints "polled: N of N copies, N of N batches, N failures".
 */
#include <time.h>

#include "function.h"

#define BATCH  16u
#define BUFFER (4 * PAGE)

/* The huge page: descriptors, records, sources, destinations. */
#define AT_DESCS   0ul
#define AT_RECORDS PAGE			/* of the batch's copies, then the batch's own */
#define AT_SRC	   (16 * PAGE)
#define AT_DST	   (AT_SRC + BATCH * BUFFER)

static uint8_t *mem;
static uint64_t mem_pa;
static unsigned int failures;
static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static volatile uint8_t *record(unsigned int i)
{
	return mem + AT_RECORDS + 32 * i;
}

static bool completes(unsigned int i)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!*record(i)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > 60)
			return false;
	}
	return true;
}

static void must(bool right, const char *what, unsigned int n, unsigned int i)
{
	if (right)
		return;
	failures++;
	printf("polled: %s %u: copy %u: status %#x\n", what, n, i, *record(i));
}

static void prepare(struct desc *d, unsigned int i)
{
	uint64_t src = AT_SRC + i * BUFFER + any(PAGE), dst = AT_DST + i * BUFFER + any(PAGE);
	uint32_t size = 1 + any(BUFFER - PAGE), k;

	*d = (struct desc){ .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR,
			    .completion = mem_pa + AT_RECORDS + 32 * i,
			    .src = mem_pa + src,
			    .dst = mem_pa + dst,
			    .size = size };
	memset((void *)record(i), 0, 32);
	memset(mem + AT_DST + i * BUFFER, 0, BUFFER);
	for (k = 0; k < size; k++)
		mem[src + k] = (uint8_t)any(256);
}

/* All of it was copied, and nothing beside it was touched. */
static bool right(const struct desc *d, unsigned int i)
{
	const uint8_t *dst = mem + (d->dst - mem_pa), *buf = mem + AT_DST + i * BUFFER, *p;

	for (p = buf; p < buf + BUFFER; p++)
		if ((p < dst || p >= dst + d->size) && *p)
			return false;
	return *record(i) == ST_SUCCESS && !memcmp(dst, mem + (d->src - mem_pa), d->size);
}

static void *page_of(unsigned int n)
{
	return portal + n % PORTAL_PAGES * PAGE;
}

static void copy(unsigned int n)
{
	struct desc d;

	prepare(&d, 0);
	portal_store(page_of(n), &d);
	must(completes(0) && right(&d, 0), "copy", n, 0);
}

static void batch(unsigned int n)
{
	struct desc *d = (void *)(mem + AT_DESCS), b;
	unsigned int i, count = 2 + any(BATCH - 1);
	bool spoilt = any(4) == 0;

	for (i = 0; i < count; i++)
		prepare(d + i, i);
	if (spoilt)
		d[count - 1].dst = 1ull << 40;
	b = (struct desc){ .opcode_flags = OPCODE(OP_BATCH) | FLAG_CRAV | FLAG_RCR,
			   .completion = mem_pa + AT_RECORDS + 32 * BATCH,
			   .src = mem_pa + AT_DESCS,
			   .size = count };
	memset((void *)record(BATCH), 0, 32);
	portal_store(page_of(n), &b);
	must(completes(BATCH) && *record(BATCH) == (spoilt ? ST_BATCH_FAIL : ST_SUCCESS), "batch",
	     n, BATCH);
	for (i = 0; i < count; i++)
		must(spoilt && i == count - 1 ? *record(i) == ST_FAULT_WR : right(d + i, i),
		     "batch", n, i);
}

int main(int argc, char **argv)
{
	unsigned int copies, batches, n;

	if (argc != 4) {
		fprintf(stderr, "usage: polled PCI-ADDRESS COPIES BATCHES\n");
		return 2;
	}
	copies = (unsigned int)atoi(argv[2]);
	batches = (unsigned int)atoi(argv[3]);
	open_function(argv[1]);
	mem = memory(&mem_pa);
	for (n = 0; n < copies; n++)
		copy(n);
	for (n = 0; n < batches; n++)
		batch(n);
	printf("polled: %u of %u copies, %u of %u batches, %u failures\n", copies, copies, batches,
	       batches, failures);
	return failures != 0;
}
