// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * What must not reach the device unseen. All other mistakes the device finds itself,
 * and it knows how to report them; these it does not survive (CVE-2024-21823).
 */
#include "core.h"
#include "desc.h"

#define PASID_MASK	0xfffffull
#define SUBMITTER	0xffffffffull	/* PASID, reserved bits, privilege */
#define OPCODE_SHIFT	56

static unsigned int desc_opcode(const uint64_t desc[8])
{
	return (unsigned int)(desc[0] >> OPCODE_SHIFT);
}

/* An operation that the guest was not shown. */
static bool is_unknown(const struct vd_caps *caps, const uint64_t desc[8])
{
	unsigned int op = desc_opcode(desc);

	return !(caps->opcap[op / 64] >> op % 64 & 1);
}

/* 32 bytes of a DSA's record, 64 of an IAA's, also without the flag that it is valid. */
static bool is_misaligned(const struct vd_caps *caps, const uint64_t desc[8])
{
	return desc[1] & (caps->kind == VD_IAA ? 63 : 31);
}

static const struct {
	uint8_t error;
	bool (*broken)(const struct vd_caps *caps, const uint64_t desc[8]);
} rules[] = {
	{ E_DESC_OPCODE, is_unknown },
	{ E_DESC_RECORD, is_misaligned },
};

uint8_t vd_desc_check(const struct vd_caps *caps, const uint64_t desc[8])
{
	unsigned int i;

	for (i = 0; i < VD_COUNT(rules); i++)
		if (rules[i].broken(caps, desc))
			return rules[i].error;
	return E_OK;
}

void vd_desc_own(uint64_t desc[8], uint32_t pasid)
{
	desc[0] = (desc[0] & ~SUBMITTER) | (pasid & PASID_MASK);
}

void vd_desc_error(const uint64_t desc[8], unsigned int wq, uint8_t error, uint64_t ret_rec[4])
{
	ret_rec[0] = SWERR_VALID | SWERR_WQ_VALID | (uint64_t)error << SWERR_CODE_SHIFT |
		     (uint64_t)wq << SWERR_WQ_SHIFT | (uint64_t)desc_opcode(desc) << 32;
	ret_rec[1] = 0;
	ret_rec[2] = desc[1];
	ret_rec[3] = 0;
}
