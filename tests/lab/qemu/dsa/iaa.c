/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of an IAA and the capabilities that only it has.
 */
#include "qemu/osdep.h"
#include "ops.h"

static const struct op ops[256] = {
	[OP_NOOP] = { "No-op", 0, 0, BYTES(16, 35) | TAIL, false, NULL, step_noop },
	[OP_DRAIN] = { "Drain", 0, 0, BYTES(16, 35) | TAIL, false, check_drain, step_drain },
	[OP_TRANSLATE] = { "Translation Fetch", F_BOF | F_TC1, 0, BYTES(24, 31) | TAIL, true, NULL,
			   step_touch },
};

const struct op *iaa_op(unsigned int opcode)
{
	return opcode < ARRAY_SIZE(ops) && ops[opcode].step ? &ops[opcode] : NULL;
}

/* Bits of GENCAP beyond those that both kinds have. */
uint64_t iaa_gencap(const IdxdLab *d)
{
	return 0;
}

uint64_t iaa_cap(const IdxdLab *d)
{
	return 0;
}
