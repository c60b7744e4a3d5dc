/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "idxdvd/common/cleanup.h"
#include "libvirt/input.h"

int input_read(char **ret, size_t *ret_len)
{
	_cleanup_(freep) char *text = malloc(INPUT_MAX + 1);
	size_t len = 0;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	while (len <= INPUT_MAX) {
		n = read(STDIN_FILENO, text + len, INPUT_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += n;
	}
	if (len > INPUT_MAX)
		return -EFBIG;

	*ret = TAKE(text);
	*ret_len = len;
	return 0;
}
