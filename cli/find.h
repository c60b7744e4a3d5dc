/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_FIND_H
#define IDXDCTL_FIND_H

/* What a person means by a word: a name, a PCI address, a UUID or the beginning of one, a label. */

#include <stddef.h>

struct client_class;
struct client_snapshot;

#define FIND_MAX 8

struct find_match {
	const struct client_class *class;
	const void *record;
};

/*
 * The objects with that name, at most FIND_MAX of them. Several for one UUID are an mdev and its
 * definition; several for a label, or for the beginning of a UUID, are what they are.
 */
size_t find_objects(const struct client_snapshot *s, const char *word, struct find_match ret[FIND_MAX]);
/* The one UUID of mdevs and definitions that @word means; otherwise an exit status after saying why. */
int find_uuid(const struct client_snapshot *s, const char *word, const char *verb, const char **ret);

#endif
