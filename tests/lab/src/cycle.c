// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VMM without a guest that configures, enables and disables its queue over and over, while
 * another thread stores to the portal all the time:
 *
 *	cycle UUID CYCLES
 *
 * Each cycle another size, priority, transfer and batch limit; what was written must read back, a
 * copy must work, and one larger than the limit must fail. "cycle: N cycles, N bad" at the end.
 */
#include <pthread.h>
#include <time.h>

#include "mdev.h"
#include "setup.h"

#define IOVA	 0x40000000ull
#define MEM_SIZE (64 * PAGE)
#define ST_SIZE	 0x13
#define WORDS	 4	/* of a WQCFG */

static uint8_t *mem;
static volatile bool over;
static volatile unsigned long stores;

static void *store(void *arg)
{
	static const uint8_t noop[64] __attribute__((aligned(64)));

	(void)arg;
	while (!over) {
		portal_store(portal + stores % 64 * 64, noop);
		stores++;
		if (stores % 64 == 0)
			usleep(100);
	}
	return NULL;
}

static uint8_t copy(uint32_t size)
{
	volatile uint8_t *record = mem + MEM_SIZE - PAGE;
	struct desc d = { .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR,
			  .completion = IOVA + MEM_SIZE - PAGE,
			  .src = IOVA,
			  .dst = IOVA + MEM_SIZE / 2,
			  .size = size };

	*record = 0;
	for (int i = 0; i < 1000 && !*record; i++) {
		portal_store(portal + PAGE, &d);
		for (int n = 0; n < 100 && !*record; n++)
			usleep(50);
		/* the other thread may have filled the queue, which then dropped it */
		if (!*record && command_polled(CMD_DRAIN_WQ, 1))
			break;
	}
	return *record;
}

/* Its size can change only while the device is disabled, which it is every fourth time. */
static bool enable(unsigned int n, const uint32_t *want, uint32_t wqcfg)
{
	if (n % 4 == 0) {
		if (command_polled(CMD_DISABLE_DEVICE, 0))
			return false;
		configure();
		wr(wqcfg, want[0], 4);
	}
	for (unsigned int i = 1; i < WORDS; i++)
		wr(wqcfg + 4 * i, want[i], 4);
	return (n % 4 || !command_polled(CMD_ENABLE_DEVICE, 0)) && !command_polled(CMD_ENABLE_WQ, 0);
}

static bool cycle(unsigned int n)
{
	uint32_t wqcfg = (uint32_t)(rd(R_OFFSETS, 8) >> 16 & 0xffff) << 8;
	uint32_t max = (uint32_t)rd(R_WQCAP, 8) & 0xffff, shift = 12 + n % 3;
	const uint32_t want[WORDS] = { 1 + n / 4 % max, 0, 1 | (1 + n % 15) << 4,
				       shift | (1 + n % 4) << 5 };
	uint32_t got[WORDS];
	bool ok;

	if (!enable(n, want, wqcfg)) {
		printf("cycle %u: not enabled, CMDSTS %#lx\n", n, (long)rd(R_CMDSTS, 4));
		return false;
	}
	for (unsigned int i = 0; i < WORDS; i++)
		got[i] = (uint32_t)rd(wqcfg + 4 * i, 4);
	memset(mem, (int)n, PAGE);
	ok = !memcmp(got, want, sizeof(want)) && copy(PAGE) == ST_SUCCESS &&
	     !memcmp(mem, mem + MEM_SIZE / 2, PAGE) && copy((1u << shift) + 1) == ST_SIZE;
	if (!ok)
		printf("cycle %u: reads %#x %#x %#x, not %#x %#x %#x; or a copy went wrong: %#x\n", n,
		       got[0], got[2], got[3], want[0], want[2], want[3], mem[MEM_SIZE - PAGE]);
	return !command_polled(n % 2 ? CMD_DISABLE_WQ : CMD_RESET_WQ, 1) && ok;
}

int main(int argc, char **argv)
{
	unsigned int n, cycles, bad = 0;
	pthread_t id;

	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	cycles = (unsigned int)atoi(argv[2]);
	open_mdev(argv[1]);
	mem = memory(IOVA, MEM_SIZE);
	configure();
	if (command_polled(CMD_ENABLE_DEVICE, 0) || pthread_create(&id, NULL, store, NULL))
		die("start");
	printf("cycling\n");
	for (n = 0; n < cycles && bad < 20; n++)
		bad += !cycle(n);
	over = true;
	pthread_join(id, NULL);
	printf("cycle: %lu stores\ncycle: %u cycles, %u bad\n", stores, n, bad);
	return bad || n != cycles;
}
