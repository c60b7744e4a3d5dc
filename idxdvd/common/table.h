/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_COMMON_TABLE_H
#define IDXDVD_COMMON_TABLE_H

/*
 * Pointers by name: looking one up takes the same time however many there are. They are kept in the
 * order in which they came. All zero is an empty table.
 */

#include <stddef.h>

struct table_node;

struct table {
	struct table_node **buckets;
	size_t n_buckets;
	struct table_node *first, *last;
	size_t n;
};

/* NULL: there is none of this name. */
void *table_get(const struct table *t, const char *name);
/* In the place of an older one of the same name; the name is copied. */
int table_put(struct table *t, const char *name, void *value);
/* Forgets it, and yields what it was. */
void *table_drop(struct table *t, const char *name);
/* The one that came after @name; NULL is before the first. */
void *table_after(const struct table *t, const char *name);
/* Forgets all; the pointers are the caller's. */
void table_clear(struct table *t);

#endif
