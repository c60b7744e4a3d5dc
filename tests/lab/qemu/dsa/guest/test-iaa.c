/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compression on an IAA: checksums, right results, state in the AECS, errors of streams. */
#include "iaa-bench.h"

static void checksums(struct pf *pf)
{
	struct bench b;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	memcpy(b.src, "123456789", 9);
	fixed_aecs(b.src2, true);
	bench_set(&b, COMPRESS, READ_AECS, 0x6, 9, 4096);
	bench_src2(&b, COMPRESS_AECS);
	EXPECT(run(&b), 1);
	EXPECT(result(&b, 2), 0xcbf43926);
	EXPECT(result(&b, 1) >> 16, 0x3231 ^ 0x3433 ^ 0x3635 ^ 0x3837 ^ 0x39);
	b.d.flags_op |= CRC32C;
	EXPECT(run(&b), 1);
	EXPECT(result(&b, 2), 0xe3069283);

	bench_set(&b, CRC64, 0, 0, 9, 0);
	b.d.dst = 0;
	b.d.op[2] = 0x42f0e1eba9ea3693ull;
	EXPECT(run(&b), 1);
	EXPECT(*(uint64_t *)((uint8_t *)b.r + 40), 0x6c40df5f0b497347ull);
	b.d.rsvd = 0xc000;
	EXPECT(run(&b), 1);
	EXPECT(*(uint64_t *)((uint8_t *)b.r + 40), 0x995dc9bbdf1939faull);
	pf_stop(pf);
}

static void round_trip(struct pf *pf)
{
	static const uint32_t sizes[] = { 1, 2, 300, 4096, TEXT, 100000 };
	uint8_t *want;
	struct bench b;
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t n = sizes[i], packed, crc;

		bench_open(&b, pf);
		want = pf_mem(pf, 1 << 18);
		text(b.src, n, i);
		memcpy(want, b.src, n);
		packed = compress_in_place(&b, n);
		crc = result(&b, 2);
		memset(b.dst, 0, n);
		bench_set(&b, DECOMPRESS, 0, 0xf, packed, n);
		EXPECT(run(&b), 1);
		EXPECT(result(&b, 0), n);
		EXPECT(b.r->bytes, packed);
		EXPECT(result(&b, 2), crc);
		EXPECT(memcmp(b.dst, want, n), 0);

		/* verification: nothing is written */
		memset(b.dst, 0x55, n);
		b.d.rsvd = 0x20f;
		EXPECT(run(&b), 1);
		EXPECT(result(&b, 0), 0);
		EXPECT(result(&b, 2), crc);
		EXPECT(b.dst[0] == 0x55 && b.dst[n - 1] == 0x55, 1);
	}
	pf_stop(pf);
}

static void compress_errors(struct pf *pf)
{
	struct bench b;
	uint32_t n;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	text(b.src, TEXT, 0);
	fixed_aecs(b.src2, true);
	bench_set(&b, COMPRESS, READ_AECS, 0x6, TEXT, TEXT);
	bench_src2(&b, COMPRESS_AECS);
	EXPECT(run(&b), 1);
	n = result(&b, 0);
	b.d.op[1] = (b.d.op[1] & ~0xffffffffull) | n;
	EXPECT(run(&b), 1);
	b.d.op[1]--;
	EXPECT(run(&b), 0x0a);
	EXPECT(b.r->result, 25);
	b.d.op[1] += 100;
	put32(b.src2 + 288 + 4 * 'o', 0);
	EXPECT(run(&b), 0x0a);
	EXPECT(b.r->result, 30);
	fixed_aecs(b.src2, true);
	put32(b.src2 + 28, 256 * 8 + 1);
	EXPECT(run(&b), 0x0a);
	EXPECT(b.r->result, 22);

	/* a histogram: literals and matches account for every byte, each match has a distance */
	memset(b.src, 'x', 100);
	bench_set(&b, COMPRESS, 0, 0x1, 100, 1280);
	EXPECT(run(&b), 1);
	EXPECT(result(&b, 0), 1280);
	EXPECT(get32(b.dst + 4 * 'x'), 1);
	EXPECT(get32(b.dst + 4 * 288), 1);
	bench_set(&b, COMPRESS, 0, 0x1, 100, 1279);
	EXPECT(run(&b), 0x13);
	pf_stop(pf);
}

/* Two jobs make one stream: what the first does not flush goes to the second in the AECS. */
static void compress_state(struct pf *pf)
{
	uint8_t *want, *stream;
	struct bench b;
	uint32_t n, half = TEXT / 2 + 1;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	want = pf_mem(pf, TEXT);
	stream = pf_mem(pf, 2 * TEXT);
	text(b.src, TEXT, 5);
	memcpy(want, b.src, TEXT);
	fixed_aecs(b.src2, true);
	fixed_aecs(b.src2 + COMPRESS_AECS, true);
	bench_set(&b, COMPRESS, READ_AECS | WRITE_AECS, 0, half, 2 * TEXT);
	bench_src2(&b, COMPRESS_AECS);
	EXPECT(run(&b), 1);
	n = result(&b, 0);
	memcpy(stream, b.dst, n);
	EXPECT(get32(b.src2 + COMPRESS_AECS), result(&b, 2));

	bench_set(&b, COMPRESS, READ_AECS | WRITE_AECS | TOGGLE, 0x6, TEXT - half, 2 * TEXT);
	bench_src2(&b, COMPRESS_AECS);
	b.d.src += half;
	EXPECT(run(&b), 1);
	memcpy(stream + n, b.dst, result(&b, 0));
	n += result(&b, 0);
	EXPECT(get32(b.src2), result(&b, 2));

	memcpy(b.src, stream, n);
	bench_set(&b, DECOMPRESS, 0, 0x1f, n, TEXT);
	EXPECT(run(&b), 1);
	EXPECT(result(&b, 0), TEXT);
	EXPECT(result(&b, 2), get32(b.src2));
	EXPECT(memcmp(b.dst, want, TEXT), 0);
	pf_stop(pf);
}

/* In pieces of input, and of output: each job goes on where the AECS says. */
static void decompress_state(struct pf *pf)
{
	uint32_t packed, from = 0, made = 0, jobs = 0;
	uint8_t *want, status = 0x0b;
	struct bench b;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	want = pf_mem(pf, TEXT);
	text(b.src, TEXT, 9);
	memcpy(want, b.src, TEXT);
	packed = compress_in_place(&b, TEXT);
	memset(b.src2, 0, 2 * DECOMPRESS_AECS);
	while (made < TEXT && (status == 1 || status == 0x0b) && jobs < 1000) {
		uint32_t n = packed - from < 401 ? packed - from : 401;
		uint32_t space = TEXT - made < 1009 ? TEXT - made : 1009;

		bench_set(&b, DECOMPRESS, WRITE_AECS | (jobs ? READ_AECS : 0) |
			  (jobs & 1 ? TOGGLE : 0), 0x17, n ? n : 1, space);
		bench_src2(&b, DECOMPRESS_AECS);
		b.d.src += from;
		b.d.dst += made;
		status = run(&b);
		EXPECT(status == 1 || status == 0x0b, 1);
		EXPECT(status != 0x0b || result(&b, 0) == space, 1);
		from += b.r->bytes;
		made += result(&b, 0);
		jobs++;
	}
	EXPECT(made, TEXT);
	EXPECT(from, packed);
	EXPECT(memcmp(b.dst, want, TEXT), 0);

	/* on overflow only */
	memset(b.src2, 0, 2 * DECOMPRESS_AECS);
	bench_set(&b, DECOMPRESS, WRITE_OVERFLOW, 0xf, packed, TEXT);
	bench_src2(&b, DECOMPRESS_AECS);
	EXPECT(run(&b), 1);
	EXPECT(get32(b.src2 + DECOMPRESS_AECS), 0);
	b.d.op[1]--;
	EXPECT(run(&b), 0x0b);
	EXPECT(get32(b.src2 + DECOMPRESS_AECS), result(&b, 2));
	pf_stop(pf);
}

/* Streams, and the error each must end with; 0 is success. */
static const struct {
	const char *what;
	uint8_t stream[20];
	uint8_t size;
	uint8_t error;
} streams[] = {
	{ "stored", { 0x01, 3, 0, 0xfc, 0xff, 'a', 'b', 'c' }, 8, 0 },
	{ "fixed", { 0x4b, 0x4c, 0x4a, 0x06, 0x00 }, 5, 0 },
	{ "header cut off", { 0x01, 3, 0 }, 3, 15 },
	{ "end cut off", { 0x4b, 0x4c, 0x4a }, 3, 15 },
	{ "first length code repeats", { 0x05, 0x00, 0x02, 0x00 }, 20, 3 },
	{ "no literal code", { 0x05, 0x00, 0x80, 0xe4, 0x3f, 0x1b }, 20, 5 },
	{ "too many length codes", { 0x05, 0xe0, 0x93 }, 20, 8 },
	{ "block type 3", { 0x07, 0, 0 }, 3, 13 },
	{ "stored length", { 0x01, 3, 0, 0xfc, 0xfe, 'a', 'b', 'c' }, 8, 14 },
	{ "before the start", { 0x03, 0x02, 0x00, 0x00 }, 4, 18 },
	{ "more literal codes than there are", { 0xfd, 0x00, 0x00, 0x00 }, 20, 35 },
	{ "more distance codes than there are", { 0x05, 0xff, 0x00, 0x00 }, 20, 36 },
};

static void stream_errors(struct pf *pf)
{
	struct bench b;
	unsigned int i;

	if (pf_start(pf, false) < 0)
		return;
	bench_open(&b, pf);
	for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		memcpy(b.src, streams[i].stream, sizeof(streams[i].stream));
		bench_set(&b, DECOMPRESS, 0, 0xf, streams[i].size, 4096);
		EXPECT_NAMED(streams[i].what, run(&b), streams[i].error ? 0x0a : 1);
		EXPECT_NAMED(streams[i].what, b.r->result, streams[i].error);
	}
	pf_stop(pf);
}

const struct test iaa_tests[] = {
	{ "checksums, CRC64", checksums },
	{ "Compress and Decompress", round_trip },
	{ "Compress: errors, histogram", compress_errors },
	{ "Compress: state", compress_state },
	{ "Decompress: state", decompress_state },
	{ "Decompress: errors", stream_errors },
	{ 0 }
};
