/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "idxdvd/common/parse.h"

int parse_u64(const char *s, int base, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	if (!isxdigit((unsigned char)*s))
		return -EINVAL;

	errno = 0;
	v = strtoull(s, &end, base);
	if (errno)
		return -errno;
	if (*end)
		return -EINVAL;

	*ret = v;
	return 0;
}

int parse_uint(const char *s, unsigned int *ret)
{
	uint64_t v;
	int r;

	r = parse_u64(s, 10, &v);
	if (r < 0)
		return r;
	if (v > UINT_MAX)
		return -ERANGE;

	*ret = v;
	return 0;
}

int parse_int(const char *s, int *ret)
{
	bool minus = *s == '-';
	uint64_t v;
	int r;

	r = parse_u64(s + minus, 10, &v);
	if (r < 0)
		return r;
	if (v > INT_MAX)
		return -ERANGE;

	*ret = minus ? -(int)v : (int)v;
	return 0;
}

int parse_uuid(const char *s, char ret[37])
{
	char buf[37];
	bool zero = true;
	size_t i;

	if (strlen(s) != 36)
		return -EINVAL;

	for (i = 0; i < 36; i++) {
		char c = tolower((unsigned char)s[i]);

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (c != '-')
				return -EINVAL;
		} else if (!isxdigit((unsigned char)c)) {
			return -EINVAL;
		} else if (c != '0') {
			zero = false;
		}
		buf[i] = c;
	}
	if (zero)
		return -EINVAL;

	buf[36] = '\0';
	memcpy(ret, buf, sizeof(buf));
	return 0;
}

int uuid_random(char ret[37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;

	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
	return 0;
}

bool string_is_pci_address(const char *s)
{
	static const char form[] = "hhhh:hh:hh.o";
	size_t i;

	for (i = 0; i < sizeof(form) - 1; i++) {
		char c = s[i];

		if (form[i] == 'h' ? !isxdigit((unsigned char)c) :
		    form[i] == 'o' ? c < '0' || c > '7' : c != form[i])
			return false;
	}
	return !s[i];
}
