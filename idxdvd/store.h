/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_STORE_H
#define IDXDVD_STORE_H

/* The records on disk: devices/<PCI address>.json below the state directory. Worker only. */

#include <stddef.h>

#include "idxdvd/record.h"

struct store;

/* A file that cannot be used: it is left as it is, and its device is not touched. */
struct store_bad {
	char file[NAME_LEN + 8];
	char bdf[NAME_LEN];		/* "" if the name is no PCI address */
	int error;			/* negative errno */
};

int store_new(struct store **ret, int state_dirfd);
struct store *store_free(struct store *s);
void store_freep(struct store **s);

/* Every readable record, and every file that is not. Removes temp files that a crash left. */
int store_load(struct store *s, struct record ***ret, size_t *ret_n, struct store_bad **ret_bad,
	       size_t *ret_n_bad);
int store_get(struct store *s, const char *bdf, struct record **ret);	/* -ENOENT */
/* Refuses to replace a file that it cannot read. */
int store_put(struct store *s, const struct record *rec);
int store_delete(struct store *s, const char *bdf);

#endif
