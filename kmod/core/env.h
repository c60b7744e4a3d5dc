/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * The only file of the core that knows where it is compiled. Everything else
 * uses the stdint names, bool, NULL and the four functions below.
 */
#ifndef VD_ENV_H
#define VD_ENV_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/string.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A freestanding compiler need not have <string.h>. */
void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int c, size_t len);
int memcmp(const void *a, const void *b, size_t len);
#endif

#endif
