/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzzer of the daemon without libFuzzer:
 *	daemon-NAME [-s SEED] [-n CHANGES] FILE...
 * replays the inputs, and each with so many random changes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/daemon.h"

#define INPUT_MAX 65536

static uint64_t seed = 1;

/* splitmix64: the same bytes everywhere */
static uint64_t next(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Of a heap block of just that size, so that a sanitizer sees what reads beyond. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	MUST(copy);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

/* Bytes changed, cut out, or said twice. */
static size_t change(uint8_t *data, size_t size)
{
	size_t at = next() % size, len = 1 + next() % 8;

	if (len > size - at)
		len = size - at;
	switch (next() % 4) {
	case 0:
		data[at] ^= 1 << next() % 8;
		break;
	case 1:
		data[at] = next();
		break;
	case 2:
		memmove(data + at, data + at + len, size - at - len);
		size -= len;
		break;
	case 3:
		if (size + len > INPUT_MAX)
			break;
		memmove(data + at + len, data + at, size - at);
		size += len;
		break;
	}
	return size;
}

static unsigned long replay(const char *path, unsigned long changes)
{
	static uint8_t data[INPUT_MAX], changed[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	run(data, size);
	for (unsigned long i = 0; i < changes; i++) {
		size_t n = size;

		memcpy(changed, data, size);
		for (uint64_t k = 1 + next() % 3; k && n; k--)
			n = change(changed, n);
		run(changed, n);
	}
	return 1 + changes;
}

int main(int argc, char **argv)
{
	unsigned long changes = 20, done = 0;
	int arg;

	for (arg = 1; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
		if (argv[arg][1] == 's')
			seed = strtoull(argv[arg + 1], NULL, 0);
		else
			changes = strtoul(argv[arg + 1], NULL, 0);
	}
	for (; arg < argc; arg++)
		done += replay(argv[arg], changes);
	printf("%lu inputs\n", done);
	return done == 0;
}
