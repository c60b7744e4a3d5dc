/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The definitions in the ledger: see ledger.h. */
#include <string.h>

#include "idxdvd/ledger.h"

struct definition *ledger_find_definition(const struct ledger *l, const char *uuid)
{
	for (struct definition *d = l->definitions[ledger_bucket(uuid)]; d; d = d->next)
		if (!strcmp(d->uuid, uuid))
			return d;
	return NULL;
}

struct definition *ledger_next_definition(const struct ledger *l, const struct definition *prev)
{
	size_t i = prev ? ledger_bucket(prev->uuid) + 1 : 0;

	if (prev && prev->next)
		return prev->next;
	for (; i < LEDGER_BUCKETS; i++)
		if (l->definitions[i])
			return l->definitions[i];
	return NULL;
}

static void mark_mdev(struct ledger *l, const char *uuid, bool persisted)
{
	struct mdev *m = ledger_find_mdev(l, uuid);

	if (!m || m->persisted == persisted)
		return;
	m->persisted = persisted;
	ledger_note(l, OBJECT_MDEV, OBJECT_CHANGED, uuid);
}

void ledger_put_definition(struct ledger *l, struct definition *d)
{
	struct definition **p = &l->definitions[ledger_bucket(d->uuid)], *old;

	while (*p && strcmp((*p)->uuid, d->uuid))
		p = &(*p)->next;
	old = *p;
	if (old && definition_same(old, d)) {
		definition_free(d);
		return;
	}
	d->tried = false;
	d->next = old ? old->next : NULL;
	*p = d;
	l->n_definitions += !old;
	ledger_note(l, OBJECT_DEFINITION, old ? OBJECT_CHANGED : OBJECT_ADDED, d->uuid);
	definition_free(old);
	mark_mdev(l, d->uuid, true);
}

void ledger_drop_definition(struct ledger *l, const char *uuid)
{
	struct definition **p = &l->definitions[ledger_bucket(uuid)], *d;

	while (*p && strcmp((*p)->uuid, uuid))
		p = &(*p)->next;
	d = *p;
	if (!d)
		return;
	*p = d->next;
	l->n_definitions--;
	ledger_note(l, OBJECT_DEFINITION, OBJECT_REMOVED, d->uuid);
	mark_mdev(l, d->uuid, false);
	definition_free(d);
}

void ledger_replace_definitions(struct ledger *l, struct definition **defs, size_t n)
{
	struct definition *d, *next;

	for (d = ledger_next_definition(l, NULL); d; d = ledger_next_definition(l, d))
		d->seen = false;
	for (size_t i = 0; i < n; i++) {
		char uuid[UUID_LEN];

		memcpy(uuid, defs[i]->uuid, sizeof(uuid));
		ledger_put_definition(l, TAKE(defs[i]));
		ledger_find_definition(l, uuid)->seen = true;
	}
	for (d = ledger_next_definition(l, NULL); d; d = next) {
		next = ledger_next_definition(l, d);
		if (!d->seen)
			ledger_drop_definition(l, d->uuid);
	}
}

static int rank(const struct definition *d, const struct slot *s)
{
	return d->wq[0] ? 0 : record_binding(s->record, d->uuid) ? 1 : 2;
}

static bool was_started(const struct definition *d, const struct slot *s)
{
	const struct record_binding *b = record_binding(s->record, d->uuid);

	return b && b->started;
}

static bool comes_before(const struct definition *a, const struct definition *b,
			 const struct slot *s)
{
	int d = rank(a, s) - rank(b, s);

	return d ? d < 0 : strcmp(a->uuid, b->uuid) < 0;
}

struct definition *ledger_next_autostart(struct ledger *l, const struct slot *s)
{
	struct definition *first = NULL;

	for (struct definition *d = ledger_next_definition(l, NULL); d;
	     d = ledger_next_definition(l, d))
		if (d->autostart && !d->tried && !strcmp(d->parent, s->bdf) &&
		    !ledger_find_mdev(l, d->uuid) && !was_started(d, s) && (!first || comes_before(d, first, s)))
			first = d;
	return first;
}
