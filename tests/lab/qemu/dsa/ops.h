/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What descriptors mean: a row per operation says which flags and bytes it uses, what is checked
 * before it runs, how it runs and what it adds to the completion record. desc.c has the rows of a
 * DSA, iaa.c those of an IAA; everything else is common to both.
 */
#ifndef IDXD_LAB_OPS_H
#define IDXD_LAB_OPS_H

#include "model.h"

/* bits for bytes @a..@b of the descriptor */
#define BYTES(a, b)	(~0ull >> (63 - (b)) & ~0ull << (a))
#define TAIL		BYTES(38, 63)

#define F_COMMON	(F_CRAV | F_RCR | F_RCI | F_TCR | F_ORDER)
#define F_RECORD	(F_CRAV | F_RCR)

struct op {
	const char *name;
	uint32_t flags;			/* allowed besides the common ones	*/
	uint32_t need;			/* must all be set			*/
	uint64_t reserved;		/* bytes 16..63 that must be zero	*/
	bool sized;			/* bytes 32-35 are a transfer size	*/
	uint8_t (*check)(struct work *w);
	enum step (*step)(struct work *w);
	void (*fill)(struct work *w);	/* operation specific record bytes	*/
	uint16_t since;			/* first VERSION that has it, 0 for all	*/
	uint32_t flags_v2;		/* allowed from version 2 on		*/
};

/* NULL if the device has no such operation. */
const struct op *op_find(const IdxdLab *d, unsigned int opcode);
const struct op *dsa_op(unsigned int opcode);

/* iaa.c */
const struct op *iaa_op(unsigned int opcode);
uint64_t iaa_gencap(const IdxdLab *d);
uint64_t iaa_cap(const IdxdLab *d);

void desc_decode(struct work *w);
uint8_t desc_check(struct work *w);

/* ops.c */
enum step work_success(struct work *w, uint8_t status);
uint64_t work_chunk(struct work *w, uint64_t a, uint64_t b);
bool spans_overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen);
enum step step_noop(struct work *w);
enum step step_memmove(struct work *w);
enum step step_fill(struct work *w);
enum step step_compare(struct work *w);
enum step step_compval(struct work *w);
enum step step_dualcast(struct work *w);
enum step step_touch(struct work *w);
uint8_t check_fill(struct work *w);
uint8_t check_compare(struct work *w);
uint8_t check_dualcast(struct work *w);
uint8_t check_translate(struct work *w);
void fill_compare(struct work *w);

/* crc.c */
enum step step_crc(struct work *w);
uint8_t check_crc(struct work *w);
void fill_crc(struct work *w);

/* dif.c */
enum step step_dif(struct work *w);
uint8_t check_dif(struct work *w);
void fill_dif(struct work *w);

/* delta.c */
enum step step_create_delta(struct work *w);
enum step step_apply_delta(struct work *w);
uint8_t check_create_delta(struct work *w);
uint8_t check_apply_delta(struct work *w);
void fill_create_delta(struct work *w);

/* batch.c */
enum step step_batch(struct work *w);
enum step step_drain(struct work *w);
uint8_t check_batch(struct work *w);
uint8_t check_drain(struct work *w);
void fill_batch(struct work *w);
void batch_member_done(struct work *member);

#endif
