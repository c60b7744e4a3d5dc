// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fuzzer without libFuzzer:
 *	core-NAME FILE...		replays the inputs
 *	core-NAME [-s SEED] [-n STEPS]	makes its inputs itself
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

/* splitmix64: the same bytes everywhere */
static uint64_t next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static int replay(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	return LLVMFuzzerTestOneInput(data, size);
}

static int run_seeds(uint64_t seed, unsigned long steps)
{
	static uint8_t data[1 << 16];
	static struct owner o;
	unsigned long done = 0, irqs = 0, cmds = 0;
	size_t i;

	while (done < steps) {
		for (i = 0; i < sizeof(data); i += 8)
			vd_store(data + i, 8, next(&seed));
		fuzz_run(&o, data, sizeof(data), steps - done);
		done += o.steps;
		irqs += o.irqs;
		cmds += o.cmds;
	}
	printf("%lu steps, %lu commands for the owner, %lu interrupts\n", done, cmds, irqs);
	/* A run that reaches nothing proves nothing. */
	return cmds < steps / 100 || irqs < steps / 100;
}

int main(int argc, char **argv)
{
	unsigned long steps = 200000;
	uint64_t seed = 1;
	int arg;

	for (arg = 1; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
		if (argv[arg][1] == 's')
			seed = strtoull(argv[arg + 1], NULL, 0);
		else
			steps = strtoul(argv[arg + 1], NULL, 0);
	}
	if (arg == argc)
		return run_seeds(seed, steps);
	for (; arg < argc; arg++)
		if (replay(argv[arg]))
			return 1;
	return 0;
}
