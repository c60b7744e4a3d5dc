/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are in a migration image of version 1, written down once more, not by image.c. */
#ifndef TESTS_UNIT_CORE_IMAGE_H
#define TESTS_UNIT_CORE_IMAGE_H

#include "core.h"

#define SUM	16			/* of the bytes from 24 on: FNV-1a */
#define LIVE	132
#define CONFIG	136
#define BAR0	(CONFIG + VD_CONFIG_REGS)

/* Makes the sum right again. */
static inline void seal(uint8_t *image)
{
	uint64_t sum = 0xcbf29ce484222325ull;
	unsigned int i;

	for (i = 24; i < VD_IMAGE_SIZE; i++)
		sum = (sum ^ image[i]) * 0x100000001b3ull;
	vd_store(image + SUM, 8, sum);
}

#endif
