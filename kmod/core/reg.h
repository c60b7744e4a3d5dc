/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * Registers as data. A space (configuration space, BAR0) is a sorted list of
 * blocks; a block is a sorted list of registers, repeated @count times every
 * @stride bytes. What no row describes reads 0 and ignores writes.
 */
#ifndef VD_REG_H
#define VD_REG_H

#include "vd.h"

/* Resets that leave a register alone; a function level reset spares none. */
#define VD_KEEP_DEV	0x1		/* Reset Device (table 9-3)	*/
#define VD_KEEP_WQ	0x2		/* Reset WQ			*/

struct vd_write {
	unsigned int idx;		/* which repetition of the block	*/
	uint64_t val;			/* what was written, 0 outside @lanes	*/
	uint64_t lanes;			/* the bits that the access covered	*/
	uint64_t old, now;		/* contents before and after		*/
};

struct vd_reg {
	const char *name;		/* as in the specification		*/
	uint16_t off;			/* within the block			*/
	uint8_t size;			/* 1, 2, 4 or 8				*/
	uint8_t keep;			/* VD_KEEP_*				*/
	uint64_t reset;
	uint64_t rw;			/* every other bit is read-only		*/
	uint64_t w1c;
	/* Reset value, when capabilities decide it; @reset is 0 then. */
	uint64_t (*value)(const struct vd *d, unsigned int idx);
	/* Bits of @rw that may change in the present state; NULL: all. */
	uint64_t (*unlocked)(const struct vd *d, unsigned int idx);
	/* The effect of a write; the register is stored already. */
	void (*post)(struct vd *d, const struct vd_write *w);
};

struct vd_block {
	const char *name;
	uint16_t off, stride;
	uint16_t max;				/* most repetitions		*/
	unsigned int (*count)(const struct vd *d);	/* NULL: always @max	*/
	const struct vd_reg *regs;
	unsigned int nregs;
};

struct vd_space {
	const char *name;
	const struct vd_block *blocks;
	unsigned int nblocks;
	uint32_t size;			/* of the window			*/
	uint32_t nimage;		/* bytes of it that have storage	*/
	size_t image;			/* where that storage is in struct vd	*/
};

#define VD_COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Little-endian access to @n bytes of an image. */
uint64_t vd_load(const uint8_t *at, unsigned int n);
void vd_store(uint8_t *at, unsigned int n, uint64_t val);

void vd_space_read(const struct vd *d, const struct vd_space *s, uint32_t off, void *buf,
		   uint32_t len);
void vd_space_write(struct vd *d, const struct vd_space *s, uint32_t off, const void *buf,
		    uint32_t len);
void vd_space_reset(struct vd *d, const struct vd_space *s, uint8_t keep);
void vd_block_reset(struct vd *d, const struct vd_space *s, const struct vd_block *b,
		    unsigned int idx, uint8_t keep);

/*
 * Could @bytes be the contents of the space? @d is in its power-on state. Bits that
 * neither a guest can write nor @device_bits names are as after power on, and what no
 * row describes is 0.
 */
bool vd_space_fits(const struct vd *d, const struct vd_space *s, const uint8_t *bytes,
		   uint64_t (*device_bits)(uint32_t off));

/*
 * Proves a table: sorted, no overlap, sizes and alignment right, masks disjoint,
 * reset values that fit, all of it inside the image. NULL, or what is wrong.
 */
const char *vd_space_check(const struct vd_space *s);

#endif
