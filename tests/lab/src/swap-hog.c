// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Uses more memory than its cgroup may have and looks at every byte again, so that the pages go
 * out to swap and come back.
 *
 *	swap-hog MIB ROUNDS
 *
 * A third of the pages is text-like, a third nearly empty, a third random. Each round checks all
 * pages and then writes them anew. Prints "swap-hog: N pages, N wrong".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void page_make(uint8_t *p, uint32_t page, uint32_t round)
{
	static const char words[] = "the quick brown fox jumps over the lazy dog, again and again; ";
	uint32_t state = page * 2654435761u + round, i;

	switch (page % 3) {
	case 0:
		for (i = 0; i < PAGE; i++)
			p[i] = words[(i + state) % (sizeof(words) - 1)] + (next(&state) % 40 == 0);
		break;
	case 1:
		memset(p, 0, PAGE);
		for (i = 0; i < 16; i++)
			p[next(&state) % PAGE] = next(&state);
		break;
	default:
		for (i = 0; i < PAGE; i++)
			p[i] = next(&state);
	}
	memcpy(p, &page, sizeof(page));
}

int main(int argc, char **argv)
{
	uint32_t pages, rounds, page, round, wrong = 0;
	uint8_t want[PAGE], *mem;

	if (argc != 3) {
		fprintf(stderr, "usage: swap-hog MIB ROUNDS\n");
		return 2;
	}
	pages = (uint32_t)atoi(argv[1]) * 256;
	rounds = (uint32_t)atoi(argv[2]);
	mem = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!pages || !rounds || mem == MAP_FAILED) {
		fprintf(stderr, "swap-hog: no memory\n");
		return 1;
	}
	madvise(mem, (size_t)pages * PAGE, MADV_NOHUGEPAGE);
	for (page = 0; page < pages; page++)
		page_make(mem + (size_t)page * PAGE, page, 0);
	for (round = 0; round < rounds; round++) {
		for (page = 0; page < pages; page++) {
			page_make(want, page, round);
			wrong += !!memcmp(want, mem + (size_t)page * PAGE, PAGE);
			page_make(mem + (size_t)page * PAGE, page, round + 1);
		}
	}
	printf("swap-hog: %u pages, %u wrong\n", pages * rounds, wrong);
	return wrong != 0;
}
