/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a driver writes and commands before it submits: by rd() and wr(), which come before this. */
#ifndef LAB_SETUP_H
#define LAB_SETUP_H

#include <unistd.h>

#include "desc.h"

/* Its one queue, dedicated and as large as it can be, and its one group. */
static inline void configure(void)
{
	uint64_t offsets = rd(R_OFFSETS, 8);
	uint32_t grpcfg = (uint32_t)(offsets & 0xffff) << 8;
	uint32_t wqcfg = (uint32_t)(offsets >> 16 & 0xffff) << 8;

	wr(wqcfg + 0, rd(R_WQCAP, 8) & 0xffff, 4);
	wr(wqcfg + 8, 1 | 10 << 4, 4);
	wr(wqcfg + 12, 21 | 5 << 5, 4);
	wr(grpcfg + 0, 1, 8);
	wr(grpcfg + 0x20, 1, 8);
	wr(grpcfg + 0x28, 32u << 20, 8);
}

/* CMDSTS without Active, or ~0 when the command did not end within a minute. */
static inline uint32_t finish(void)
{
	uint32_t status;

	for (int i = 0; i < 600000; i++) {
		status = (uint32_t)rd(R_CMDSTS, 4);
		if (!(status >> 31))
			return status;
		usleep(100);
	}
	return ~0u;
}

/* A command without an interrupt. */
static inline uint32_t command_polled(unsigned int code, uint32_t operand)
{
	wr(R_CMD, code << 20 | operand, 4);
	return finish();
}

#endif
