/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_DEFINITION_H
#define IDXDVD_DEFINITION_H

/*
 * An mdev that somebody wants to have, whether it runs or not. Two files hold it: mdevctl's, in the
 * format of that tool, and one of ours for what mdevctl has no place for. What we do not understand
 * in them is kept. Data and JSON.
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/device.h"

struct json_object;

#define DEFINITION_MAX_LABELS	32
#define DEFINITION_ANY_WQ	"any"

struct definition {
	char uuid[UUID_LEN];
	char parent[NAME_LEN];		/* PCI address */
	char type[NAME_LEN];
	char wq[NAME_LEN];		/* "": any */
	bool autostart;
	char attr[NAME_LEN];		/* one that our module does not have; "": none */
	char **labels;			/* "key=value", sorted by key */
	size_t n_labels;

	char *text, *extra;		/* of both files; extra NULL: there is none */
	bool tried;			/* autostart had its turn; not again before a change */
	bool seen;			/* while the ledger takes a new list over */
};

int definition_new(struct definition **ret, const char *uuid, const char *parent);
/* -EBADMSG: not the format; -ENOTSUP: of a type that is none of ours. @extra may be NULL. */
int definition_parse(struct definition **ret, const char *uuid, const char *parent,
		     const char *text, const char *extra);
int definition_copy(const struct definition *d, struct definition **ret);
struct definition *definition_free(struct definition *d);
void definition_freep(struct definition **d);

/* "key=value" in place of what had that key; "key=" removes it. -EINVAL, -E2BIG. */
int definition_set_label(struct definition *d, const char *label);
/* Makes both texts say what the other members do. */
int definition_render(struct definition *d);
bool definition_same(const struct definition *a, const struct definition *b);

/* A file that cannot be used: it is left as it is, and no other is the worse for it. */
struct definition_bad {
	char file[NAME_LEN + UUID_LEN + 8];	/* <parent>/<uuid>, or <uuid>.json */
	char reason[96];
	bool unread;			/* not for what it says: what was known of it still counts */
};

/* What happens to the files of one definition; NULL: no such file. */
struct definition_change {
	char uuid[UUID_LEN];
	char parent[NAME_LEN];
	char *before, *before_extra;
	char *after, *after_extra;
};

/* @before or @after may be NULL. */
int definition_change_new(struct definition_change **ret, const struct definition *before,
			  const struct definition *after);
struct definition_change *definition_change_free(struct definition_change *c);
struct json_object *definition_change_to_json(const struct definition_change *c);
int definition_change_from_json(struct json_object *o, struct definition_change **ret);

#endif
