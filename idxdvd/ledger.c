/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/ledger.h"

void ledger_init(struct ledger *l)
{
	memset(l, 0, sizeof(*l));
}

void ledger_done(struct ledger *l)
{
	ledger_replace_definitions(l, NULL, 0);
	for (size_t i = 0; i < l->n_slots; i++) {
		accel_free(l->slots[i].accel);
		record_free(l->slots[i].record);
	}
	for (size_t i = 0; i < LEDGER_BUCKETS; i++)
		for (struct mdev *m = l->buckets[i], *next; m; m = next) {
			next = m->next;
			free(m);
		}
	free(l->slots);
	free(l->accels);
	free(l->changes);
	ledger_init(l);
}

/* --- changes --------------------------------------------------------------------------------- */

/* How far back a change is looked for before it is noted a second time. */
#define NOTE_WINDOW 64

static bool is_noted(const struct ledger *l, enum object_kind kind, const char *id)
{
	for (size_t i = l->n_changes; i > 0 && l->n_changes - i < NOTE_WINDOW; i--) {
		const struct change *c = &l->changes[i - 1];

		if (c->kind == kind && !strcmp(c->id, id))
			return c->change != OBJECT_REMOVED;
	}
	return false;
}

/* What is gone did not change before; true if nobody was told yet that it was there. */
static bool forget_notes(struct ledger *l, enum object_kind kind, const char *id)
{
	for (size_t i = l->n_changes; i-- > 0;) {
		struct change *c = &l->changes[i];
		bool added = c->change == OBJECT_ADDED;

		if (c->kind != kind || strcmp(c->id, id))
			continue;
		if (c->change == OBJECT_REMOVED)
			break;
		memmove(c, c + 1, (--l->n_changes - i) * sizeof(*c));
		if (added)
			return true;
	}
	return false;
}

void ledger_note(struct ledger *l, enum object_kind kind, enum object_change change,
		 const char *id)
{
	struct change *c;

	if (change == OBJECT_CHANGED && is_noted(l, kind, id))
		return;
	if (change == OBJECT_REMOVED && forget_notes(l, kind, id))
		return;
	if (l->n_changes == l->size_changes) {
		size_t size = l->size_changes ? 2 * l->size_changes : 32;
		struct change *more = realloc(l->changes, size * sizeof(*more));

		/* Whoever listens misses a signal; what can be read stays right. */
		if (!more)
			return;
		l->changes = more;
		l->size_changes = size;
	}
	c = &l->changes[l->n_changes++];
	c->kind = kind;
	c->change = change;
	memset(c->id, 0, sizeof(c->id));
	strncpy(c->id, id, sizeof(c->id) - 1);
}

size_t ledger_take_changes(struct ledger *l, struct change **ret)
{
	size_t n = l->n_changes;

	*ret = TAKE(l->changes);
	l->n_changes = l->size_changes = 0;
	return n;
}

/* --- looking up ------------------------------------------------------------------------------ */

struct slot *ledger_slot(struct ledger *l, const char *bdf)
{
	for (size_t i = 0; i < l->n_slots; i++)
		if (!strcmp(l->slots[i].bdf, bdf))
			return &l->slots[i];
	return NULL;
}

struct accel *ledger_find_accel(const struct ledger *l, const char *name)
{
	for (size_t i = 0; i < l->n_accels; i++)
		if (!strcmp(l->accels[i]->name, name) || !strcmp(l->accels[i]->bdf, name))
			return l->accels[i];
	return NULL;
}

size_t ledger_bucket(const char *uuid)
{
	size_t h = 5381;

	for (; *uuid; uuid++)
		h = h * 33 + (unsigned char)*uuid;
	return h % LEDGER_BUCKETS;
}

struct mdev *ledger_find_mdev(const struct ledger *l, const char *uuid)
{
	for (struct mdev *m = l->buckets[ledger_bucket(uuid)]; m; m = m->next)
		if (!strcmp(m->uuid, uuid))
			return m;
	return NULL;
}

struct mdev *ledger_next_mdev(const struct ledger *l, const struct mdev *prev)
{
	size_t i = prev ? ledger_bucket(prev->uuid) + 1 : 0;

	if (prev && prev->next)
		return prev->next;
	for (; i < LEDGER_BUCKETS; i++)
		if (l->buckets[i])
			return l->buckets[i];
	return NULL;
}

/* --- what follows from what ------------------------------------------------------------------ */

static bool wq_same(const struct wq *v, const struct wq *w)
{
	return v->cls == w->cls && v->ours == w->ours && v->reserved == w->reserved &&
	       !strcmp(v->mdev, w->mdev) && v->state == w->state && v->type == w->type &&
	       v->size == w->size && v->group == w->group && v->dedicated == w->dedicated &&
	       v->priority == w->priority && v->threshold == w->threshold &&
	       v->clients == w->clients && v->holder.pid == w->holder.pid &&
	       !strcmp(v->label, w->label) && !strcmp(v->driver_name, w->driver_name) &&
	       !strcmp(v->driver, w->driver);
}

static bool accel_same(const struct accel *a, const struct accel *b)
{
	return a->state == b->state && a->adopted == b->adopted && a->laid_out == b->laid_out &&
	       a->host_wqs == b->host_wqs && a->pool_min == b->pool_min &&
	       a->n_pool == b->n_pool && a->n_mdevs == b->n_mdevs && a->module == b->module &&
	       a->iommu == b->iommu && a->pasid == b->pasid &&
	       a->unsafe_allowed == b->unsafe_allowed;
}

/* What we bound and somebody else unbound is not ours any more. */
static void forget_unbound(struct record *rec, const struct accel *a)
{
	for (unsigned int i = 0; rec && i < a->n_wqs && i < RECORD_MAX_WQS; i++)
		if (strcmp(a->wqs[i].driver, ALLOC_DRIVER))
			rec->wqs[i] = false;
}

/* Fills in the fields that are the manager's. */
static void derive(struct ledger *l, struct slot *s)
{
	struct accel *a = s->accel;
	struct record *rec = s->record;

	a->adopted = rec;
	a->laid_out = rec && rec->laid_out;
	a->host_wqs = rec ? rec->host_wqs : 0;
	a->pool_min = rec ? rec->pool_min : 0;
	a->exclusive = policy_is_exclusive(l->policy, a->bdf);
	a->n_pool = 0;

	for (unsigned int i = 0; i < a->n_wqs; i++) {
		struct wq *w = &a->wqs[i];
		struct mdev *m = w->mdev[0] ? ledger_find_mdev(l, w->mdev) : NULL;

		if (!m)
			w->mdev[0] = '\0';
		w->ours = rec && i < RECORD_MAX_WQS && rec->wqs[i];
		if (m && m->holder.pid)
			w->holder = m->holder;
		wq_classify(w, m && m->in_use);
		a->n_pool += w->cls == WQ_POOL && w->ours;
	}
	alloc_reserve(a);
}

/* Notes what differs from @before; it may be NULL. */
static void compare(struct ledger *l, const struct accel *before, const struct accel *a)
{
	if (!before)
		ledger_note(l, OBJECT_ACCEL, OBJECT_ADDED, a->name);
	else if (!accel_same(before, a))
		ledger_note(l, OBJECT_ACCEL, OBJECT_CHANGED, a->name);

	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (!before)
			ledger_note(l, OBJECT_WQ, OBJECT_ADDED, a->wqs[i].name);
		else if (!wq_same(&before->wqs[i], &a->wqs[i]))
			ledger_note(l, OBJECT_WQ, OBJECT_CHANGED, a->wqs[i].name);
}

static void settle(struct ledger *l, struct slot *s)
{
	_cleanup_(accel_freep) struct accel *before = NULL;

	if (!s->accel)
		return;
	/* Without memory for the copy everything counts as changed. */
	if (accel_copy(s->accel, &before) < 0)
		ledger_note(l, OBJECT_ACCEL, OBJECT_CHANGED, s->accel->name);
	derive(l, s);
	if (before)
		compare(l, before, s->accel);
}

/* --- accelerators and records ---------------------------------------------------------------- */

static struct slot *slot_for(struct ledger *l, const char *bdf)
{
	struct slot *s = ledger_slot(l, bdf), *slots;
	struct accel **accels;

	if (s)
		return s;
	slots = realloc(l->slots, (l->n_slots + 1) * sizeof(*slots));
	if (!slots)
		return NULL;
	l->slots = slots;
	accels = realloc(l->accels, (l->n_slots + 1) * sizeof(*accels));
	if (!accels)
		return NULL;
	l->accels = accels;

	s = &l->slots[l->n_slots++];
	memset(s, 0, sizeof(*s));
	strncpy(s->bdf, bdf, sizeof(s->bdf) - 1);
	return s;
}

static int compare_accels(const void *a, const void *b)
{
	const struct accel *x = *(struct accel *const *)a, *y = *(struct accel *const *)b;

	return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind) :
				    (x->id > y->id) - (x->id < y->id);
}

static void list_accels(struct ledger *l)
{
	l->n_accels = 0;
	for (size_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].accel)
			l->accels[l->n_accels++] = l->slots[i].accel;
	if (l->n_accels)
		qsort(l->accels, l->n_accels, sizeof(*l->accels), compare_accels);
}

int ledger_put_accel(struct ledger *l, struct accel *a)
{
	_cleanup_(accel_freep) struct accel *old = NULL;
	struct slot *s = slot_for(l, a->bdf);

	/* Another device at the same address, or the same one under another name. */
	if (s && s->accel && (strcmp(s->accel->name, a->name) || s->accel->n_wqs != a->n_wqs)) {
		ledger_drop_accel(l, a->bdf);
		s = slot_for(l, a->bdf);
	}
	if (!s) {
		accel_free(a);
		return -ENOMEM;
	}

	old = s->accel;
	s->accel = a;
	a->n_mdevs = old ? old->n_mdevs : 0;
	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (old)
			memcpy(a->wqs[i].mdev, old->wqs[i].mdev, UUID_LEN);
		else
			a->wqs[i].mdev[0] = '\0';
	s->appeared = s->appeared || !old;
	s->autostart_failed = s->autostart_failed && old;
	if (!old || !accel_same_hardware(old, a))
		s->stalled = false;
	forget_unbound(s->record, a);
	derive(l, s);
	list_accels(l);
	compare(l, old, a);
	return 0;
}

static void drop_slot(struct ledger *l, struct slot *s)
{
	if (!s->accel && !s->record)
		*s = l->slots[--l->n_slots];
}

void ledger_drop_accel(struct ledger *l, const char *bdf)
{
	struct slot *s = ledger_slot(l, bdf);

	if (!s || !s->accel)
		return;

	for (struct mdev *m = ledger_next_mdev(l, NULL), *next; m; m = next) {
		next = ledger_next_mdev(l, m);
		if (!strcmp(m->parent, bdf))
			ledger_drop_mdev(l, m->uuid);
	}
	for (unsigned int i = 0; i < s->accel->n_wqs; i++)
		ledger_note(l, OBJECT_WQ, OBJECT_REMOVED, s->accel->wqs[i].name);
	ledger_note(l, OBJECT_ACCEL, OBJECT_REMOVED, s->accel->name);
	s->accel = accel_free(s->accel);
	if (s->record) {
		memset(s->record->wqs, 0, sizeof(s->record->wqs));
		record_restart(s->record);
	}
	drop_slot(l, s);
	list_accels(l);
}

/* Whether it is ours, and for how long. */
static void claim(struct mdev *m, const struct slot *s)
{
	m->ours = s && s->record && record_has_mdev(s->record, m->uuid);
	snprintf(m->lease, sizeof(m->lease), "%s", m->ours ? record_lease(s->record, m->uuid) : "");
	m->owner = m->ours ? record_owner(s->record, m->uuid) : 0;
}

/* Which mdevs are ours may have changed with the record. */
static void reclaim_mdevs(struct ledger *l, const struct slot *s)
{
	for (unsigned int i = 0; s->accel && i < s->accel->n_wqs; i++) {
		struct mdev *m = ledger_find_mdev(l, s->accel->wqs[i].mdev);
		bool before = m && m->ours;

		if (!m)
			continue;
		claim(m, s);
		if (m->ours != before)
			ledger_note(l, OBJECT_MDEV, OBJECT_CHANGED, m->uuid);
	}
}

int ledger_put_record(struct ledger *l, const char *bdf, struct record *rec)
{
	struct slot *s = rec ? slot_for(l, bdf) : ledger_slot(l, bdf);

	if (!s)
		return rec ? -ENOMEM : 0;
	record_free(s->record);
	s->record = rec;
	s->stalled = false;
	reclaim_mdevs(l, s);
	settle(l, s);
	drop_slot(l, s);
	list_accels(l);
	return 0;
}

/* --- mdevs ----------------------------------------------------------------------------------- */

static struct wq *wq_of(struct slot *s, const char *name)
{
	return s && s->accel && name[0] ? accel_find_wq(s->accel, name) : NULL;
}

static bool mdev_same(const struct mdev *a, const struct mdev *b)
{
	return !strcmp(a->wq, b->wq) && !strcmp(a->type, b->type) && a->ours == b->ours &&
	       a->in_use == b->in_use && a->holder.pid == b->holder.pid &&
	       a->iommu_group == b->iommu_group;
}

int ledger_put_mdev(struct ledger *l, const struct mdev *m)
{
	struct slot *s = ledger_slot(l, m->parent);
	struct mdev *mine = ledger_find_mdev(l, m->uuid), before;
	bool added = !mine;
	struct wq *w;

	/* The UUID moved to another parent: the old one is gone. */
	if (mine && strcmp(mine->parent, m->parent)) {
		ledger_drop_mdev(l, m->uuid);
		mine = NULL;
		added = true;
	}
	if (!mine) {
		size_t i = ledger_bucket(m->uuid);

		mine = calloc(1, sizeof(*mine));
		if (!mine)
			return -ENOMEM;
		mine->next = l->buckets[i];
		l->buckets[i] = mine;
		l->n_mdevs++;
		if (s && s->accel) {
			s->accel->n_mdevs++;
			ledger_note(l, OBJECT_ACCEL, OBJECT_CHANGED, s->accel->name);
		}
	}

	before = *mine;
	w = wq_of(s, before.wq);
	if (w && !strcmp(w->mdev, m->uuid) && strcmp(before.wq, m->wq)) {
		w->mdev[0] = '\0';
		memset(&w->holder, 0, sizeof(w->holder));
	}
	*mine = *m;
	mine->next = before.next;
	claim(mine, s);
	mine->persisted = ledger_find_definition(l, m->uuid);
	mine->accel[0] = '\0';
	if (s && s->accel)
		memcpy(mine->accel, s->accel->name, sizeof(mine->accel));
	w = wq_of(s, m->wq);
	if (w) {
		memcpy(w->mdev, m->uuid, UUID_LEN);
		memset(&w->holder, 0, sizeof(w->holder));
	}

	if (added)
		ledger_note(l, OBJECT_MDEV, OBJECT_ADDED, m->uuid);
	else if (!mdev_same(&before, mine))
		ledger_note(l, OBJECT_MDEV, OBJECT_CHANGED, m->uuid);
	if (s) {
		s->stalled = false;
		settle(l, s);
	}
	return 0;
}

void ledger_drop_mdev(struct ledger *l, const char *uuid)
{
	struct mdev **p = &l->buckets[ledger_bucket(uuid)], *m;
	struct slot *s;
	struct wq *w;

	while (*p && strcmp((*p)->uuid, uuid))
		p = &(*p)->next;
	m = *p;
	if (!m)
		return;

	*p = m->next;
	l->n_mdevs--;
	s = ledger_slot(l, m->parent);
	w = wq_of(s, m->wq);
	if (w && !strcmp(w->mdev, uuid)) {
		w->mdev[0] = '\0';
		memset(&w->holder, 0, sizeof(w->holder));
	}
	ledger_note(l, OBJECT_MDEV, OBJECT_REMOVED, m->uuid);
	if (s && s->accel) {
		s->accel->n_mdevs--;
		ledger_note(l, OBJECT_ACCEL, OBJECT_CHANGED, s->accel->name);
	}
	if (s && s->record)
		record_drop_mdev(s->record, m->uuid);
	if (s) {
		s->stalled = false;
		settle(l, s);
	}
	free(m);
}
