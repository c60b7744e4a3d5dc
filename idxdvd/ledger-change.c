/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changed since somebody took it: see ledger.h. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/ledger.h"

#define KEY_LEN (UUID_LEN + 4)

static void name_object(enum object_kind kind, const char *id, char key[KEY_LEN])
{
	snprintf(key, KEY_LEN, "%d %s", (int)kind, id);
}

/* NULL: nothing was noted of it. */
static struct change *last_change(const struct ledger *l, const char *key)
{
	size_t i = (uintptr_t)table_get(&l->noted, key);

	return i ? &l->changes[i - 1] : NULL;
}

static int set_last(struct ledger *l, const char *key, size_t i)
{
	if (i)
		return table_put(&l->noted, key, (void *)(uintptr_t)i);
	table_drop(&l->noted, key);
	return 0;
}

/* What is gone did not change before; true if nobody was told yet that it was there. */
static bool forget_notes(struct ledger *l, const char *key)
{
	struct change *c;

	while ((c = last_change(l, key)) && c->change != OBJECT_REMOVED) {
		c->dead = true;
		set_last(l, key, c->earlier);
		if (c->change == OBJECT_ADDED)
			return true;
	}
	return false;
}

static struct change *add_change(struct ledger *l)
{
	if (l->n_changes == l->size_changes) {
		size_t size = l->size_changes ? 2 * l->size_changes : 32;
		struct change *more = realloc(l->changes, size * sizeof(*more));

		if (!more)
			return NULL;
		l->changes = more;
		l->size_changes = size;
	}
	return &l->changes[l->n_changes++];
}

void ledger_note(struct ledger *l, enum object_kind kind, enum object_change change,
		 const char *id)
{
	const struct change *last;
	char key[KEY_LEN];
	struct change *c;
	size_t earlier;

	name_object(kind, id, key);
	last = last_change(l, key);
	if (change == OBJECT_CHANGED && last && last->change != OBJECT_REMOVED)
		return;
	if (change == OBJECT_REMOVED && forget_notes(l, key))
		return;
	earlier = (uintptr_t)table_get(&l->noted, key);
	c = add_change(l);
	/* Whoever listens misses a signal; what can be read stays right. */
	if (!c)
		return;
	*c = (struct change) { .kind = kind, .change = change, .earlier = earlier };
	snprintf(c->id, sizeof(c->id), "%s", id);
	/* Not kept in mind, it may be told twice. */
	(void)set_last(l, key, l->n_changes);
}

size_t ledger_take_changes(struct ledger *l, struct change **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_changes; i++)
		if (!l->changes[i].dead)
			l->changes[n++] = l->changes[i];
	*ret = TAKE(l->changes);
	l->n_changes = l->size_changes = 0;
	table_clear(&l->noted);
	return n;
}
