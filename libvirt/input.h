/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_LIBVIRT_INPUT_H
#define IDXDVD_LIBVIRT_INPUT_H

/* What libvirt writes to a hook's standard input: the XML of the domain. */

#include <stddef.h>

#define INPUT_MAX (8 * 1024 * 1024)

/* All of it, which the caller frees. -EFBIG: more than INPUT_MAX bytes. */
int input_read(char **ret, size_t *ret_len);

#endif
