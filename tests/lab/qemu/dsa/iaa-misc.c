/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zero compression, which keeps only the units that are not zero and a mask of where they were, and
 * AES in cipher feedback mode.
 */
#include "qemu/osdep.h"
#include "crypto/aes.h"
#include "iaa.h"

#define BLOCK		128u		/* bytes that share a mask */

/* AECS of Encrypt and Decrypt */
#define ALGORITHM	24
#define CIPHER_FLAGS	25
#define KEY		72
#define VECTOR		120
#define ALGORITHM_CFB	1
#define KEY_256		(1u << 1)

static unsigned int unit_of(uint8_t opcode)
{
	switch (opcode) {
	case IAA_ZCOMP16:
	case IAA_ZDECOMP16:
		return 2;
	case IAA_ZCOMP32:
	case IAA_ZDECOMP32:
		return 4;
	}
	return 1;
}

static bool is_zero(const uint8_t *p, unsigned int n)
{
	while (n--) {
		if (p[n])
			return false;
	}
	return true;
}

static bool put(struct iaa_job *j, const uint8_t *p, unsigned int n)
{
	if (j->out_max - j->out_len < n) {
		iaa_fail(j, AE_OUTPUT_FULL);
		return false;
	}
	memcpy(j->out + j->out_len, p, n);
	j->out_len += n;
	return true;
}

/* In a last block that is not whole, the mask's bits beyond the end are set. */
void iaa_zcompress(struct iaa_job *j)
{
	unsigned int unit = unit_of(j->opcode), mask_len = BLOCK / unit / 8, i;
	uint32_t at;

	j->status = AS_OK;
	iaa_sum(j, j->in, j->in_len, 0);
	for (at = 0; at < j->in_len; at += BLOCK) {
		uint32_t n = MIN(BLOCK, j->in_len - at);
		uint8_t mask[BLOCK / 8];

		memset(mask, 0xff, sizeof(mask));
		for (i = 0; i < n; i += unit) {
			if (is_zero(j->in + at + i, unit))
				mask[i / unit / 8] &= ~(1u << i / unit % 8);
		}
		if (!put(j, mask, mask_len))
			return;
		for (i = 0; i < n; i += unit) {
			if (!is_zero(j->in + at + i, unit) && !put(j, j->in + at + i, unit))
				return;
		}
	}
	j->consumed = j->in_len;
}

void iaa_zdecompress(struct iaa_job *j)
{
	static const uint8_t zero[4];
	unsigned int unit = unit_of(j->opcode), mask_len = BLOCK / unit / 8, i;
	uint32_t at = 0;

	j->status = AS_OK;
	while (at < j->in_len) {
		const uint8_t *mask = j->in + at;

		if (j->in_len - at < mask_len) {
			iaa_fail(j, AE_Z_HEADER);
			return;
		}
		at += mask_len;
		for (i = 0; i < BLOCK / unit; i++) {
			bool set = mask[i / 8] >> i % 8 & 1;

			if (set && j->in_len - at < unit)
				break;
			if (!put(j, set ? j->in + at : zero, unit))
				return;
			at += set ? unit : 0;
		}
	}
	j->consumed = j->in_len;
	iaa_sum(j, j->out, j->out_len, 0);
}

void iaa_cipher(struct iaa_job *j)
{
	bool encrypt = j->opcode == IAA_ENCRYPT;
	unsigned int bits = j->aecs[CIPHER_FLAGS] & KEY_256 ? 256 : 128, k;
	uint8_t vector[AES_BLOCK_SIZE], pad[AES_BLOCK_SIZE];
	uint32_t at;
	AES_KEY key;

	if (j->aecs[ALGORITHM] != ALGORITHM_CFB) {
		iaa_fail(j, AE_AECS);
		return;
	}
	j->status = AS_OK;
	if (j->in_len > j->out_max) {
		iaa_fail(j, AE_OUTPUT_FULL);
		return;
	}
	AES_set_encrypt_key(j->aecs + KEY, bits, &key);
	memcpy(vector, j->aecs + VECTOR, sizeof(vector));
	for (at = 0; at < j->in_len; at += AES_BLOCK_SIZE) {
		AES_encrypt(vector, pad, &key);
		for (k = 0; k < MIN(AES_BLOCK_SIZE, j->in_len - at); k++) {
			j->out[at + k] = j->in[at + k] ^ pad[k];
			vector[k] = encrypt ? j->out[at + k] : j->in[at + k];
		}
	}
	j->out_len = j->in_len;
	j->consumed = j->in_len;
}
