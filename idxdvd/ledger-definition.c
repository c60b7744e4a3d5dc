/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The definitions in the ledger: see ledger.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/ledger.h"

struct definition *ledger_find_definition(const struct ledger *l, const char *uuid)
{
	return table_get(&l->definitions, uuid);
}

struct definition *ledger_next_definition(const struct ledger *l, const struct definition *prev)
{
	return table_after(&l->definitions, prev ? prev->uuid : NULL);
}

void ledger_forget_starts(struct slot *s)
{
	if (s)
		s->starts_known = false;
}

/* What is to run from the start on this parent may be another now. */
static void touch_parent(struct ledger *l, const struct definition *d)
{
	struct slot *s = ledger_slot(l, d->parent);

	ledger_forget_starts(s);
	ledger_touch(l, s);
}

static void mark_mdev(struct ledger *l, const char *uuid, bool persisted)
{
	struct mdev *m = ledger_find_mdev(l, uuid);

	if (!m || m->persisted == persisted)
		return;
	m->persisted = persisted;
	ledger_note(l, OBJECT_MDEV, OBJECT_CHANGED, uuid);
}

int ledger_put_definition(struct ledger *l, struct definition *d)
{
	struct definition *old = ledger_find_definition(l, d->uuid);

	if (old && definition_same(old, d)) {
		definition_free(d);
		return 0;
	}
	d->tried = false;
	if (table_put(&l->definitions, d->uuid, d) < 0) {
		definition_free(d);
		return -ENOMEM;
	}
	ledger_note(l, OBJECT_DEFINITION, old ? OBJECT_CHANGED : OBJECT_ADDED, d->uuid);
	if (old)
		touch_parent(l, old);
	definition_free(old);
	touch_parent(l, d);
	mark_mdev(l, d->uuid, true);
	return 0;
}

void ledger_drop_definition(struct ledger *l, const char *uuid)
{
	struct definition *d = table_drop(&l->definitions, uuid);

	if (!d)
		return;
	ledger_note(l, OBJECT_DEFINITION, OBJECT_REMOVED, d->uuid);
	touch_parent(l, d);
	mark_mdev(l, d->uuid, false);
	definition_free(d);
}

/* The file is <parent>/<uuid>, or all of the directory <parent>. */
static bool is_unread(const struct definition *d, const struct definition_bad *bad, size_t n)
{
	size_t len = strlen(d->parent);

	for (size_t i = 0; i < n; i++)
		if (bad[i].unread && !strncmp(bad[i].file, d->parent, len) &&
		    (!bad[i].file[len] || !strcmp(bad[i].file + len + 1, d->uuid)))
			return true;
	return false;
}

int ledger_replace_definitions(struct ledger *l, struct definition **defs, size_t n,
			       const struct definition_bad *bad, size_t n_bad)
{
	struct definition *d, *next;
	int r = 0;

	for (d = ledger_next_definition(l, NULL); d; d = ledger_next_definition(l, d))
		d->seen = false;
	for (size_t i = 0; i < n && r >= 0; i++) {
		char uuid[UUID_LEN];

		memcpy(uuid, defs[i]->uuid, sizeof(uuid));
		r = ledger_put_definition(l, TAKE(defs[i]));
		if (r >= 0)
			ledger_find_definition(l, uuid)->seen = true;
	}
	for (d = ledger_next_definition(l, NULL); d && r >= 0; d = next) {
		next = ledger_next_definition(l, d);
		if (!d->seen && !is_unread(d, bad, n_bad))
			ledger_drop_definition(l, d->uuid);
	}
	return r;
}

/* --- what is to run from the start ----------------------------------------------------------- */

struct start {
	char uuid[UUID_LEN];
	int rank;
};

void ledger_try_starts(struct ledger *l, struct slot *s)
{
	for (struct definition *d = ledger_next_definition(l, NULL); d;
	     d = ledger_next_definition(l, d))
		if (!strcmp(d->parent, s->bdf))
			d->tried = false;
	s->autostart_failed = false;
	ledger_forget_starts(s);
}

void ledger_restart(struct ledger *l, struct slot *s)
{
	if (s->record)
		record_restart(s->record);
	ledger_try_starts(l, s);
	ledger_touch(l, s);
}

static bool is_wanted(const struct ledger *l, const struct definition *d, const struct slot *s)
{
	const struct record_binding *b;

	if (!d->autostart || d->tried || strcmp(d->parent, s->bdf) || ledger_find_mdev(l, d->uuid))
		return false;
	b = record_binding(s->record, d->uuid);
	return !b || !b->started;
}

static int compare_starts(const void *a, const void *b)
{
	const struct start *x = a, *y = b;

	return x->rank != y->rank ? x->rank - y->rank : strcmp(x->uuid, y->uuid);
}

static struct start *sort_starts(const struct ledger *l, const struct slot *s, size_t *ret_n)
{
	struct start *starts = NULL, *more;
	size_t n = 0, size = 0;

	for (struct definition *d = ledger_next_definition(l, NULL); d;
	     d = ledger_next_definition(l, d)) {
		if (!is_wanted(l, d, s))
			continue;
		if (n == size) {
			size = size ? 2 * size : 16;
			more = reallocarray(starts, size, sizeof(*starts));
			if (!more)
				break;
			starts = more;
		}
		memcpy(starts[n].uuid, d->uuid, sizeof(starts[n].uuid));
		starts[n++].rank = d->wq[0] ? 0 : record_binding(s->record, d->uuid) ? 1 : 2;
	}
	if (n)
		qsort(starts, n, sizeof(*starts), compare_starts);
	*ret_n = n;
	return starts;
}

/* Without memory it is a part of them, or none. */
static void find_starts(struct ledger *l, struct slot *s)
{
	_cleanup_(freep) struct start *starts = NULL;
	size_t n;

	starts = sort_starts(l, s, &n);
	free(s->starts);
	s->starts = calloc(n + 1, sizeof(*s->starts));
	s->n_starts = s->starts ? n : 0;
	s->next_start = 0;
	for (size_t i = 0; i < s->n_starts; i++)
		memcpy(s->starts[i], starts[i].uuid, UUID_LEN);
	s->starts_known = true;
	s->all_tried = false;
}

struct definition *ledger_next_autostart(struct ledger *l, struct slot *s)
{
	if (!s->starts_known)
		find_starts(l, s);
	for (; s->next_start < s->n_starts; s->next_start++) {
		struct definition *d = ledger_find_definition(l, s->starts[s->next_start]);

		if (d && is_wanted(l, d, s))
			return d;
	}
	return NULL;
}
