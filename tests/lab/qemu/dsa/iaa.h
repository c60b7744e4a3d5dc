/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One analytics operation as a plain computation: input, configuration and output are buffers in
 * memory. iaa.c fetches and stores them; the other iaa-*.c files compute and know nothing of QEMU.
 */
#ifndef IDXD_LAB_IAA_H
#define IDXD_LAB_IAA_H

#include <stdbool.h>
#include <stdint.h>

enum iaa_opcode {
	IAA_DECRYPT = 0x40, IAA_ENCRYPT = 0x41, IAA_DECOMPRESS = 0x42, IAA_COMPRESS = 0x43,
	IAA_CRC64 = 0x44,
	IAA_ZDECOMP32 = 0x48, IAA_ZDECOMP16 = 0x49, IAA_ZDECOMP8 = 0x4a,
	IAA_ZCOMP32 = 0x4c, IAA_ZCOMP16 = 0x4d, IAA_ZCOMP8 = 0x4e,
	IAA_SCAN = 0x50, IAA_SET_MEMBERSHIP = 0x51, IAA_EXTRACT = 0x52, IAA_SELECT = 0x53,
	IAA_RLE_BURST = 0x54, IAA_FIND_UNIQUE = 0x55, IAA_EXPAND = 0x56,
};

/* Completion status of its own, and the error codes that go with AS_ERROR */
enum iaa_status {
	AS_OK = 0x01, AS_ERROR = 0x0a, AS_OVERFLOW = 0x0b,
	AS_BAD_MODE = 0x30, AS_BAD_FILTER = 0x31, AS_BAD_INPUT_SIZE = 0x32,
	AS_BAD_ELEMENTS = 0x33, AS_BAD_WIDTH = 0x34, AS_BAD_INVERT = 0x35,
};

enum iaa_error {
	AE_BIG_HEADER = 1, AE_CL_CODE = 2, AE_LL_FIRST_16 = 3, AE_D_FIRST_16 = 4,
	AE_NO_LL_CODE = 5, AE_LL_COUNT = 6, AE_D_COUNT = 7, AE_CL_LENGTHS = 8, AE_LL_LENGTHS = 9,
	AE_D_LENGTHS = 10, AE_LL_CODE = 11, AE_D_CODE = 12, AE_BLOCK_TYPE = 13,
	AE_STORED_LENGTH = 14, AE_NO_EOB = 15, AE_DISTANCE = 17, AE_BEFORE_START = 18,
	AE_PRLE = 20, AE_OUTPUT_WIDTH = 21, AE_AECS = 22, AE_SRC1_SHORT = 23, AE_SRC2_SHORT = 24,
	AE_OUTPUT_FULL = 25, AE_HUFFMAN = 30, AE_PRLE_WIDTH = 31, AE_Z_HEADER = 34,
	AE_LL_TOO_MANY = 35, AE_D_TOO_MANY = 36,
};

/* Descriptor flags */
#define IF_READ_SRC2(flags)	((flags) >> 16 & 3)
#define IF_WRITE_SRC2(flags)	((flags) >> 18 & 3)
#define IF_CRC32C		(1u << 21)
#define IF_TOGGLE		(1u << 22)
enum { SRC2_NONE, SRC2_AECS, SRC2_INPUT };
enum { AECS_KEEP, AECS_WRITE, AECS_ON_OVERFLOW };

/* Bytes 38-39 of Decompress and of the filters */
#define DM_ENABLE		(1u << 0)
#define DM_FLUSH		(1u << 1)
#define DM_STOP_EOB		(1u << 2)
#define DM_CHECK_EOB		(1u << 3)
#define DM_FINAL_EOB		(1u << 4)
#define DM_IGNORE_BITS(mode)	((mode) >> 6 & 7)
#define DM_SUPPRESS		(1u << 9)
#define DM_KNOWN		0x03df
/* ... of Compress */
#define CM_STATS		(1u << 0)
#define CM_FLUSH		(1u << 1)
#define CM_END(mode)		((mode) >> 2 & 3)
#define CM_LITERALS		(1u << 4)
#define CM_KNOWN		0x001f
enum { END_NOTHING, END_EOB, END_EOB_STORED, END_EOB_STORED_FINAL };
/* ... of CRC64 */
#define RM_INVERT		(1u << 14)
#define RM_REFLECT		(1u << 15)
#define RM_KNOWN		0xc000
/* ... of Encrypt and Decrypt */
#define EM_FLUSH		(1u << 1)

/* Filter flags */
#define FF_PARSE(f)		((f) & 3)
#define FF_WIDTH1(f)		(((f) >> 2 & 31) + 1)
#define FF_WIDTH2(f)		(((f) >> 7 & 31) + 1)
#define FF_SRC2_BE		(1u << 12)
#define FF_OUT_WIDTH(f)		((f) >> 13 & 3)
#define FF_OUT_BE		(1u << 15)
#define FF_INVERT		(1u << 16)
#define FF_DROP_LOW(f)		((f) >> 17 & 31)
#define FF_DROP_HIGH(f)		((f) >> 22 & 31)
#define FF_FORCE_ARRAY		(1u << 27)
#define FF_KNOWN		0x0fffffffu
enum { PARSE_LE, PARSE_BE, PARSE_PRLE };

/* Analytics engine configuration and state: byte offsets, common to all */
#define AECS_CRC		0
#define AECS_XOR		4
#define AECS_MAX		5376u
#define AECS_COMPRESS_MAX	1568u
#define AECS_COMPRESS_STATE	288u
#define AECS_FILTER_MAX		32u
#define AECS_CIPHER_MAX		192u
#define HISTOGRAM_BYTES		1280u
#define HISTORY			4096u

struct iaa_job {
	/* what to do */
	uint8_t opcode;
	uint32_t flags;
	uint16_t mode;
	uint32_t filter;
	uint32_t elements;
	uint64_t poly;
	const uint8_t *in;
	uint32_t in_len;
	const uint8_t *in2;
	uint32_t in2_len;
	uint8_t aecs[AECS_MAX];		/* as read, then as it is to be written	*/
	uint32_t aecs_len;		/* bytes read				*/
	uint8_t *out;
	uint32_t out_max;

	/* what came of it */
	uint8_t status;
	uint8_t error;
	uint32_t consumed;		/* bytes of the input			*/
	uint32_t out_len;
	uint8_t out_bits;		/* used in the last byte, 0 for all	*/
	uint32_t crc;
	uint16_t xor;
	uint32_t first, last, sum;	/* or minimum, maximum, sum		*/
	uint64_t crc64;
	uint32_t aecs_state;		/* bytes of state in aecs[] to write	*/
};

void iaa_compress(struct iaa_job *j);
void iaa_decompress(struct iaa_job *j);
void iaa_filter(struct iaa_job *j);
void iaa_crc64(struct iaa_job *j);
void iaa_zcompress(struct iaa_job *j);
void iaa_zdecompress(struct iaa_job *j);
void iaa_cipher(struct iaa_job *j);

/* Continues the job's CRC and XOR checksum; @at is how many bytes went before. */
void iaa_sum(struct iaa_job *j, const uint8_t *p, uint64_t n, uint64_t at);

static inline void iaa_fail(struct iaa_job *j, enum iaa_error error)
{
	j->status = AS_ERROR;
	j->error = error;
}

static inline uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	p[0] = v;
	p[1] = v >> 8;
	p[2] = v >> 16;
	p[3] = v >> 24;
}

static inline uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = v;
	p[1] = v >> 8;
}

#endif
