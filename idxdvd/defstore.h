/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_DEFSTORE_H
#define IDXDVD_DEFSTORE_H

/*
 * The definitions on disk: <parent>/<uuid> below mdevctl's directory, and <uuid>.json below ours.
 * Worker only.
 */

#include <stddef.h>

#include "idxdvd/definition.h"

struct defstore;

/* Both are made if they are missing. */
int defstore_new(struct defstore **ret, const char *mdevctl_dir, const char *extra_dir);
struct defstore *defstore_free(struct defstore *s);

/* Every definition of a type of ours, and every file that should be one. */
int defstore_load(struct defstore *s, struct definition ***ret, size_t *ret_n,
		  struct definition_bad **ret_bad, size_t *ret_n_bad);
/* 0: the files are as @c found them; -ESTALE: somebody edited them. */
int defstore_check(struct defstore *s, const struct definition_change *c);
int defstore_do(struct defstore *s, const struct definition_change *c);
int defstore_undo(struct defstore *s, const struct definition_change *c);

#endif
