/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program in the guest needs to talk to a work queue: descriptor, record, submission. Kept
 * apart from the model's own headers, so that the two readings of the layout check each other.
 */
#ifndef IDXD_LAB_GUEST_DESC_H
#define IDXD_LAB_GUEST_DESC_H

#include <stdbool.h>
#include <stdint.h>

struct desc {
	uint32_t ids;			/* PASID 19:0, privilege 31	*/
	uint32_t flags_op;		/* flags 23:0, opcode 31:24	*/
	uint64_t record;
	uint64_t src;
	uint64_t dst;
	uint32_t size;
	uint16_t handle;
	uint16_t rsvd;
	uint64_t op[3];
} __attribute__((packed, aligned(64)));

struct record {
	volatile uint8_t status;
	uint8_t result;
	uint8_t info;
	uint8_t rsvd;
	uint32_t bytes;
	uint64_t fault_addr;
	uint32_t op[4];
} __attribute__((packed, aligned(32)));

#define OP(n)	((uint32_t)(n) << 24)
#define FENCE	0x1u
#define BOF	0x2u
#define CRAV	0x4u
#define RCR	0x8u
#define RCI	0x10u
#define CHECK	0x80u
#define FL(n)	(1u << (16 + (n)))

static inline void movdir64b(void *portal, const struct desc *d)
{
	asm volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02" : : "a"(portal), "d"(d) : "memory");
}

/* True when the queue took it. */
static inline bool enqcmd(void *portal, const struct desc *d)
{
	uint8_t retry;

	asm volatile(".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02; setz %0"
		     : "=r"(retry) : "a"(portal), "d"(d) : "memory", "cc");
	return !retry;
}

#endif
