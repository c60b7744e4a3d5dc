/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_JOURNAL_H
#define IDXDVD_JOURNAL_H

/* Intent before act: journal/<operation>.json holds a plan from before its first step until it is
 * committed to the store or undone. Worker only. */

#include <stddef.h>

#include "idxdvd/plan.h"
#include "idxdvd/record.h"

struct journal;

struct journal_entry {
	char op[UUID_LEN];
	char boot_id[UUID_LEN];
	struct plan *plan;
	struct record *after;		/* the record once it is done; NULL: no record */
	bool refused;			/* somebody was told that it failed: only to be taken back */
};

int journal_new(struct journal **ret, int state_dirfd);
struct journal *journal_free(struct journal *j);
void journal_freep(struct journal **j);

int journal_begin(struct journal *j, const struct journal_entry *e);
int journal_end(struct journal *j, const char *op);
/* All entries that can be read; *ret_bad counts the others, which stay where they are. */
int journal_load(struct journal *j, struct journal_entry **ret, size_t *ret_n, size_t *ret_bad);
void journal_entries_free(struct journal_entry *entries, size_t n);

#endif
