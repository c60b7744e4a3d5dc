/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors: the operations known, the flags and fields each may use, and the checks before one
 * is executed. Everything an operation does not name must be zero.
 */
#include "qemu/osdep.h"
#include "ops.h"

#define F_READS		(F_BOF | F_TC1)
#define F_WRITES	(F_BOF | F_TC2 | F_CACHE | F_READBACK)
#define F_CRC		(F_OP(0) | F_OP(1) | F_OP(2))
#define F_DRAIN		(F_OP(0) | F_OP(1) | F_OP(2) | F_OP(3))

/* reserved bytes of the DIF operations that have fields on one side only */
#define DIF_SOURCE_ONLY	(BYTES(41, 41) | BYTES(43, 47) | BYTES(56, 63))
#define DIF_DEST_ONLY	(BYTES(40, 40) | BYTES(43, 55))

/*
 * unverified: which flags of cache control and traffic class an operation refuses, and, but for the
 * reported operations of a first generation, with which version one came.
 */
static const struct op dsa_ops[] = {
	[OP_NOOP] = { "No-op", 0, 0, BYTES(16, 35) | TAIL, false, NULL, step_noop },
	[OP_BATCH] = { "Batch", F_TC1, 0, BYTES(24, 31) | TAIL, false, check_batch, step_batch,
		       fill_batch, .flags_v2 = F_OP(0) },
	[OP_DRAIN] = { "Drain", 0, 0, BYTES(32, 35) | TAIL, false, check_drain, step_drain,
		       .flags_v2 = F_DRAIN },
	[OP_MEMMOVE] = { "Memory Move", F_READS | F_WRITES, 0, TAIL, true, NULL, step_memmove },
	[OP_FILL] = { "Fill", F_WRITES, 0, BYTES(38, 39) | BYTES(48, 63), true,
		      check_fill, step_fill, .flags_v2 = F_OP(2) },
	[OP_COMPARE] = { "Compare", F_READS | F_TC2 | F_CHECK, F_RECORD,
			 BYTES(38, 39) | BYTES(41, 63), true, check_compare, step_compare,
			 fill_compare },
	[OP_COMPVAL] = { "Compare Pattern", F_READS | F_CHECK, F_RECORD,
			 BYTES(38, 39) | BYTES(41, 63), true, check_compare, step_compval,
			 fill_compare },
	[OP_CREATE_DELTA] = { "Create Delta", F_READS | F_WRITES | F_TC3 | F_CHECK, F_RECORD,
			      BYTES(38, 39) | BYTES(52, 55) | BYTES(57, 63), true,
			      check_create_delta, step_create_delta, fill_create_delta },
	[OP_APPLY_DELTA] = { "Apply Delta", F_READS | F_WRITES, 0, BYTES(38, 39) | BYTES(44, 63),
			     true, check_apply_delta, step_apply_delta },
	[OP_DUALCAST] = { "Dualcast", F_READS | F_WRITES | F_TC3, 0,
			  BYTES(38, 39) | BYTES(48, 63), true, check_dualcast, step_dualcast },
	[OP_TRANSLATE] = { "Translation Fetch", F_READS | F_OP(0), 0,
			   BYTES(24, 31) | BYTES(38, 47) | BYTES(56, 63), true, check_translate,
			   step_touch, .since = V2 },
	[OP_CRC] = { "CRC Generation", F_READS | F_CRC, F_RECORD,
		     BYTES(24, 31) | BYTES(38, 39) | BYTES(56, 63), true,
		     check_crc, step_crc, fill_crc, .flags_v2 = F_OP(3) },
	[OP_COPY_CRC] = { "Copy with CRC", F_READS | F_WRITES | F_CRC, F_RECORD,
			  BYTES(38, 39) | BYTES(56, 63), true,
			  check_crc, step_crc, fill_crc, .flags_v2 = F_OP(3) },
	[OP_DIF_CHECK] = { "DIF Check", F_READS, F_RECORD,
			   BYTES(24, 31) | BYTES(38, 39) | DIF_SOURCE_ONLY, true,
			   check_dif, step_dif, fill_dif },
	[OP_DIF_INSERT] = { "DIF Insert", F_READS | F_WRITES, 0, BYTES(38, 39) | DIF_DEST_ONLY,
			    true, check_dif, step_dif, fill_dif },
	[OP_DIF_STRIP] = { "DIF Strip", F_READS | F_WRITES, 0, BYTES(38, 39) | DIF_SOURCE_ONLY,
			   true, check_dif, step_dif, fill_dif },
	[OP_DIF_UPDATE] = { "DIF Update", F_READS | F_WRITES, 0,
			    BYTES(38, 39) | BYTES(43, 47), true, check_dif, step_dif, fill_dif },
	[OP_DIX] = { "DIX Generate", F_READS | F_WRITES, 0, BYTES(38, 39) | DIF_DEST_ONLY, true,
		     check_dif, step_dif, fill_dif, .since = V2 },
	[OP_CACHE_FLUSH] = { "Cache Flush", F_BOF | F_TC2 | F_CACHE, 0, BYTES(16, 23) | TAIL, true,
			     NULL, step_touch },
};

const struct op *dsa_op(unsigned int opcode)
{
	return opcode < ARRAY_SIZE(dsa_ops) && dsa_ops[opcode].step ? &dsa_ops[opcode] : NULL;
}

const struct op *op_find(const IdxdLab *d, unsigned int opcode)
{
	const struct op *op = d->iaa ? iaa_op(opcode) : dsa_op(opcode);

	return op && op->since <= d->version ? op : NULL;
}

void desc_decode(struct work *w)
{
	const uint8_t *raw = w->raw;

	w->flags = ldl_le_p(raw + 4) & 0xffffff;
	w->opcode = raw[7];
	w->record_addr = ldq_le_p(raw + 8);
	w->src = ldq_le_p(raw + 16);
	w->dst = ldq_le_p(raw + 24);
	w->size = ldl_le_p(raw + 32);
	w->handle = lduw_le_p(raw + 36);
	w->third = ldq_le_p(raw + 40);
	w->op = op_find(w->d, w->opcode);
}

/* Flags that this descriptor must not carry, or that it lacks. */
static uint32_t bad_flags(struct work *w)
{
	IdxdLab *d = w->d;
	uint32_t mode = wqcfg(d, w->wq)[WQ_MODE];
	uint32_t allowed = F_COMMON | F_FENCE | w->op->flags;
	uint32_t bad;

	if (d->version >= V2)
		allowed |= w->op->flags_v2;
	if (d->version >= V3 && !d->iaa && allowed & F_CACHE)
		allowed |= F_CACHE3;
	bad = w->flags & ~allowed;
	if (w->flags & F_FENCE && (!w->parent || d->iaa))
		bad |= F_FENCE;
	if (w->flags & F_BOF && !(mode & WQM_BOF))
		bad |= F_BOF;
	if (w->flags & F_RCR && !(w->flags & F_CRAV))
		bad |= F_RCR;
	if (w->flags & F_RCI && !(reg32(d, R_GENCFG) & GENCFG_USER_INT) && w->pasid_en && !w->priv)
		bad |= F_RCI;
	return bad | (w->op->need & ~w->flags);
}

static bool op_enabled(struct work *w)
{
	return wqcfg(w->d, w->wq)[WQ_OPCFG + w->opcode / 32] >> w->opcode % 32 & 1;
}

static bool reserved_set(const struct work *w)
{
	unsigned int i;

	for (i = 16; i < 64; i++) {
		if (w->op->reserved >> i & 1 && w->raw[i])
			return true;
	}
	return false;
}

static uint8_t check_common(struct work *w)
{
	if (!w->op || !op_enabled(w) ||
	    (w->parent && (w->opcode == OP_BATCH || w->opcode == OP_DRAIN)))
		return ST_OPCODE;

	w->aux = bad_flags(w);
	if (w->aux)
		return ST_FLAGS;
	if (reserved_set(w))
		return ST_RESERVED;
	if (w->op->sized &&
	    (!w->size || w->size > 1ull << WQL_XFER(wqcfg(w->d, w->wq)[WQ_LIMITS])))
		return ST_SIZE;
	return w->op->check ? w->op->check(w) : 0;
}

/*
 * Returns 0 or the status to complete with. An address with CRAV clear and a handle with RCI clear
 * are let pass, as implementations may: Linux leaves old handles in reused descriptors.
 */
uint8_t desc_check(struct work *w)
{
	IdxdLab *d = w->d;
	bool shared = !(wqcfg(d, w->wq)[WQ_MODE] & WQM_DEDICATED);
	uint8_t status;

	if (w->flags & F_CRAV && w->record_addr & (d->iaa ? 63 : 31))
		return ST_RECORD_ALIGN;
	if (shared && w->priv && !pcicfg_priv(d))
		return ST_PRIV;

	status = check_common(w);
	if (w->flags & F_RCI && !(status == ST_FLAGS && w->aux & F_RCI))
		w->irq_ok = irq_permitted(w);
	if (!status && w->flags & F_RCI && !w->irq_ok)
		return ST_HANDLE;
	if (!status)
		w->aux = 0;
	return status;
}
