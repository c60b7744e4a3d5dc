/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers, commands, descriptors: DSA specification, chapters 8 and 9. */
#ifndef LAB_DESC_H
#define LAB_DESC_H

#include <stdint.h>

#define PAGE 4096ul

#define R_WQCAP	   0x20
#define R_OFFSETS  0x60
#define R_GENSTS   0x90
#define R_INTCAUSE 0x98
#define R_CMD	   0xa0
#define R_CMDSTS   0xa8
#define R_SWERR	   0xc0

#define CMD_ENABLE_DEVICE  1u
#define CMD_DISABLE_DEVICE 2u
#define CMD_RESET_DEVICE   5u
#define CMD_ENABLE_WQ	   6u
#define CMD_DISABLE_WQ	   7u
#define CMD_DRAIN_WQ	   8u
#define CMD_RESET_WQ	   10u
#define CMD_GET_HANDLE	   13u
#define CMD_INTERRUPT	   (1u << 31)

struct desc {
	uint32_t pasid_priv;
	uint32_t opcode_flags;
	uint64_t completion, src, dst;
	uint32_t size;
	uint16_t handle;
	uint8_t rest[26];
} __attribute__((packed, aligned(64)));

_Static_assert(sizeof(struct desc) == 64, "a descriptor has 64 bytes");

#define OP_NOOP	   0x00u
#define OP_BATCH   0x01u
#define OP_DRAIN   0x02u
#define OP_MEMMOVE 0x03u
#define OPCODE(op) ((op) << 24)
#define FLAG_CRAV  (1u << 2)
#define FLAG_RCR   (1u << 3)
#define FLAG_RCI   (1u << 4)

/* Status of a completion record. */
#define ST_SUCCESS    0x01
#define ST_FAULT_RD   0x03
#define ST_BATCH_FAIL 0x05
#define ST_HANDLE     0x19
#define ST_FAULT_WR   0x83

/* One 64-byte store to a portal. */
static inline void portal_store(void *portal, const void *desc)
{
	__asm__ volatile("sfence; .byte 0x66, 0x0f, 0x38, 0xf8, 0x02"
			 :
			 : "a"(portal), "d"(desc)
			 : "memory");
}

#endif
