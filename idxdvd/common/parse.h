/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_COMMON_PARSE_H
#define IDXDVD_COMMON_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Strict: no sign, no blank, nothing behind the number. -EINVAL or -ERANGE otherwise. */
int parse_u64(const char *s, int base, uint64_t *ret);
int parse_uint(const char *s, unsigned int *ret);
/* Decimal, one '-' allowed. */
int parse_int(const char *s, int *ret);
/* Any case in, canonical lower case out; -EINVAL unless it is 8-4-4-4-12 and not all zero. */
int parse_uuid(const char *s, char ret[37]);
/* A new random UUID (version 4). */
int uuid_random(char ret[37]);
bool string_is_pci_address(const char *s);	/* 0000:6a:01.0 */

#endif
