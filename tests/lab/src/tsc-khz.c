// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints how many thousand ticks the time stamp counter makes in a second. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

struct moment {
	uint64_t ns;
	uint64_t ticks;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Of several attempts the one in which least happened between the two clocks' readings. */
static struct moment look(void)
{
	struct moment best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		uint64_t before = now();
		uint64_t ticks = __rdtsc();
		uint64_t after = now();

		if (after - before < least) {
			least = after - before;
			best = (struct moment){ (before + after) / 2, ticks };
		}
	}
	return best;
}

int main(void)
{
	struct moment a = look(), b;

	usleep(200000);
	b = look();
	printf("%.0f\n", (double)(b.ticks - a.ticks) * 1e6 / (double)(b.ns - a.ns));
	return 0;
}
