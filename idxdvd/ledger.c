/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/ledger.h"

void ledger_init(struct ledger *l)
{
	memset(l, 0, sizeof(*l));
	l->last_touched = &l->touched;
}

static void slot_free(struct slot *s)
{
	accel_free(s->accel);
	record_free(s->record);
	free(s->starts);
	free(s);
}

void ledger_done(struct ledger *l)
{
	ledger_replace_definitions(l, NULL, 0, NULL, 0);
	for (struct mdev *m; (m = ledger_next_mdev(l, NULL)); free(m))
		table_drop(&l->mdevs, m->uuid);
	for (size_t i = 0; i < l->n_slots; i++)
		slot_free(l->slots[i]);
	table_clear(&l->names);
	table_clear(&l->wq_names);
	table_clear(&l->mdevs);
	table_clear(&l->definitions);
	table_clear(&l->owners);
	table_clear(&l->noted);
	free(l->slots);
	free(l->accels);
	free(l->changes);
	ledger_init(l);
}

/* --- looking up ------------------------------------------------------------------------------ */

struct slot *ledger_slot(struct ledger *l, const char *bdf)
{
	struct slot *s = table_get(&l->names, bdf);

	return s && !strcmp(s->bdf, bdf) ? s : NULL;
}

struct accel *ledger_find_accel(const struct ledger *l, const char *name)
{
	const struct slot *s = table_get(&l->names, name);

	return s ? s->accel : NULL;
}

/* wq0 of wq0.1; an accelerator's own name is not part of it. */
static void wq_prefix(const char *name, char ret[NAME_LEN])
{
	snprintf(ret, NAME_LEN, "%.*s", (int)strcspn(name, "."), name);
}

struct wq *ledger_find_wq(const struct ledger *l, const char *name, struct accel **ret_accel)
{
	char prefix[NAME_LEN];
	const struct slot *s;
	struct wq *w;

	wq_prefix(name, prefix);
	s = table_get(&l->wq_names, prefix);
	w = s && s->accel ? accel_find_wq(s->accel, name) : NULL;
	if (w)
		*ret_accel = s->accel;
	return w;
}

struct mdev *ledger_find_mdev(const struct ledger *l, const char *uuid)
{
	return table_get(&l->mdevs, uuid);
}

struct mdev *ledger_next_mdev(const struct ledger *l, const struct mdev *prev)
{
	return table_after(&l->mdevs, prev ? prev->uuid : NULL);
}

/* --- what upkeep has to look at -------------------------------------------------------------- */

void ledger_touch(struct ledger *l, struct slot *s)
{
	if (!s || s->touched)
		return;
	s->touched = true;
	s->next_touched = NULL;
	*l->last_touched = s;
	l->last_touched = &s->next_touched;
}

struct slot *ledger_touched(const struct ledger *l)
{
	return l->touched;
}

static void untouch(struct ledger *l, struct slot *s)
{
	struct slot **p = &l->touched;

	while (*p && *p != s)
		p = &(*p)->next_touched;
	if (!*p)
		return;
	*p = s->next_touched;
	if (l->last_touched == &s->next_touched)
		l->last_touched = p;
	s->touched = false;
}

void ledger_pass_touched(struct ledger *l)
{
	if (l->touched)
		untouch(l, l->touched);
}

/* --- what follows from what ------------------------------------------------------------------ */

static bool wq_same(const struct wq *v, const struct wq *w)
{
	return v->cls == w->cls && v->ours == w->ours && v->reserved == w->reserved &&
	       !strcmp(v->mdev, w->mdev) && v->n_mdevs == w->n_mdevs && v->state == w->state && v->type == w->type &&
	       v->size == w->size && v->group == w->group && v->dedicated == w->dedicated &&
	       v->priority == w->priority && v->threshold == w->threshold &&
	       v->max_transfer == w->max_transfer && v->max_batch == w->max_batch &&
	       v->clients == w->clients && v->holder.pid == w->holder.pid &&
	       !strcmp(v->label, w->label) && !strcmp(v->driver_name, w->driver_name) &&
	       !strcmp(v->driver, w->driver);
}

static bool accel_same(const struct accel *a, const struct accel *b)
{
	return a->state == b->state && a->adopted == b->adopted && a->laid_out == b->laid_out &&
	       a->host_wqs == b->host_wqs && a->pool_min == b->pool_min &&
	       a->n_pool == b->n_pool && a->n_mdevs == b->n_mdevs && a->module == b->module &&
	       a->iommu == b->iommu && a->pasid == b->pasid && a->sharers == b->sharers &&
	       a->unsafe_allowed == b->unsafe_allowed;
}

/* As we configured it; whoever disables a queue wipes that, but a reset of the function does not. */
static bool is_configured_by_us(const struct wq *w)
{
	return !strcmp(w->label, ALLOC_LABEL) && !strcmp(w->driver_name, ALLOC_DRIVER);
}

/* What we bound and somebody else unbound is not ours any more. */
static void forget_unbound(struct record *rec, const struct accel *a)
{
	for (unsigned int i = 0; rec && i < a->n_wqs && i < RECORD_MAX_WQS; i++)
		if (strcmp(a->wqs[i].driver, ALLOC_DRIVER) && !is_configured_by_us(&a->wqs[i]))
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
	a->sharers = policy_sharers(l->policy, a->max_sharers);
	a->n_pool = 0;

	for (unsigned int i = 0; i < a->n_wqs; i++) {
		struct wq *w = &a->wqs[i];
		struct mdev *m = w->mdev[0] ? ledger_find_mdev(l, w->mdev) : NULL;

		if (!m)
			w->mdev[0] = '\0';
		w->ours = rec && i < RECORD_MAX_WQS && rec->wqs[i];
		if (m && m->holder.pid)
			w->holder = m->holder;
		wq_classify(w, w->n_open);
		a->n_pool += w->cls == WQ_POOL && w->ours;
	}
	alloc_reserve(a);
	a->room[0] = alloc_available(a, false);
	a->room[1] = alloc_available(a, true);
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

static void settle_now(struct ledger *l, struct slot *s)
{
	_cleanup_(accel_freep) struct accel *before = NULL;

	s->unsettled = false;
	if (!s->accel)
		return;
	/* Without memory for the copy everything counts as changed. */
	if (accel_copy(s->accel, &before) < 0)
		ledger_note(l, OBJECT_ACCEL, OBJECT_CHANGED, s->accel->name);
	derive(l, s);
	if (before)
		compare(l, before, s->accel);
}

static void settle(struct ledger *l, struct slot *s)
{
	ledger_touch(l, s);
	if (l->batch)
		s->unsettled = true;
	else
		settle_now(l, s);
}

void ledger_begin(struct ledger *l)
{
	l->batch = true;
}

void ledger_end(struct ledger *l)
{
	l->batch = false;
	for (struct slot *s = l->touched; s; s = s->next_touched)
		if (s->unsettled)
			settle_now(l, s);
}

/* --- accelerators and records ---------------------------------------------------------------- */

static struct slot *slot_for(struct ledger *l, const char *bdf)
{
	struct slot *s = ledger_slot(l, bdf), **slots;
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

	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	snprintf(s->bdf, sizeof(s->bdf), "%s", bdf);
	if (table_put(&l->names, s->bdf, s) < 0) {
		free(s);
		return NULL;
	}
	s->index = l->n_slots;
	l->slots[l->n_slots++] = s;
	return s;
}

static int compare_accels(const void *a, const void *b)
{
	const struct accel *x = *(struct accel *const *)a, *y = *(struct accel *const *)b;

	return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind) :
				    (x->id > y->id) - (x->id < y->id);
}

/* After one came or went. */
static void list_accels(struct ledger *l)
{
	l->n_accels = 0;
	for (size_t i = 0; i < l->n_slots; i++)
		if (l->slots[i]->accel)
			l->accels[l->n_accels++] = l->slots[i]->accel;
	if (l->n_accels)
		qsort(l->accels, l->n_accels, sizeof(*l->accels), compare_accels);
	for (size_t i = 0; i < l->n_accels; i++)
		ledger_slot(l, l->accels[i]->bdf)->order = i;
}

static int add_names(struct ledger *l, struct slot *s, const struct accel *a)
{
	char prefix[NAME_LEN];
	int r;

	r = table_put(&l->names, a->name, s);
	if (r < 0 || !a->n_wqs)
		return r;
	wq_prefix(a->wqs[0].name, prefix);
	return table_put(&l->wq_names, prefix, s);
}

/* A name may be another's already. */
static void drop_names(struct ledger *l, const struct slot *s)
{
	char prefix[NAME_LEN] = "";

	if (table_get(&l->names, s->accel->name) == s)
		table_drop(&l->names, s->accel->name);
	if (s->accel->n_wqs)
		wq_prefix(s->accel->wqs[0].name, prefix);
	if (table_get(&l->wq_names, prefix) == s)
		table_drop(&l->wq_names, prefix);
}

int ledger_put_accel(struct ledger *l, struct accel *a)
{
	_cleanup_(accel_freep) struct accel *old = NULL;
	struct slot *s = slot_for(l, a->bdf);

	/*
	 * Another device at the same address, the same one under another name, or one that was gone for
	 * so short a time that nobody saw it.
	 */
	if (s && s->accel && (s->accel->instance != a->instance ||
			      strcmp(s->accel->name, a->name) || s->accel->n_wqs != a->n_wqs)) {
		ledger_drop_accel(l, a->bdf);
		s = slot_for(l, a->bdf);
	}
	if (!s || (!s->accel && add_names(l, s, a) < 0)) {
		accel_free(a);
		return -ENOMEM;
	}

	old = s->accel;
	s->accel = a;
	a->n_mdevs = old ? old->n_mdevs : 0;
	for (unsigned int i = 0; i < a->n_wqs; i++)
		seat_keep(&a->wqs[i], old ? &old->wqs[i] : NULL);
	s->appeared = s->appeared || !old;
	s->autostart_failed = s->autostart_failed && old;
	if (!old)
		ledger_forget_starts(s);
	if (!old || !accel_same_hardware(old, a))
		s->stalled = false;
	forget_unbound(s->record, a);
	derive(l, s);
	if (old)
		l->accels[s->order] = a;
	else
		list_accels(l);
	compare(l, old, a);
	ledger_touch(l, s);
	return 0;
}

static void drop_slot(struct ledger *l, struct slot *s)
{
	if (s->accel || s->record)
		return;
	table_drop(&l->names, s->bdf);
	untouch(l, s);
	l->slots[s->index] = l->slots[--l->n_slots];
	l->slots[s->index]->index = s->index;
	slot_free(s);
}

static void drop_mdevs_of(struct ledger *l, const struct slot *s)
{
	char uuid[UUID_LEN];

	for (unsigned int i = 0; i < s->accel->n_wqs; i++)
		if (s->accel->wqs[i].n_mdevs == 1) {
			memcpy(uuid, s->accel->wqs[i].mdev, sizeof(uuid));
			ledger_drop_mdev(l, uuid);
		}
	/* Those that share one, and those of which the module did not say what they have. */
	for (struct mdev *m = ledger_next_mdev(l, NULL), *next; m && s->accel->n_mdevs; m = next) {
		next = ledger_next_mdev(l, m);
		if (!strcmp(m->parent, s->bdf))
			ledger_drop_mdev(l, m->uuid);
	}
}

void ledger_drop_accel(struct ledger *l, const char *bdf)
{
	struct slot *s = ledger_slot(l, bdf);

	if (!s || !s->accel)
		return;

	drop_mdevs_of(l, s);
	for (unsigned int i = 0; i < s->accel->n_wqs; i++)
		ledger_note(l, OBJECT_WQ, OBJECT_REMOVED, s->accel->wqs[i].name);
	ledger_note(l, OBJECT_ACCEL, OBJECT_REMOVED, s->accel->name);
	drop_names(l, s);
	s->accel = accel_free(s->accel);
	if (s->record)
		memset(s->record->wqs, 0, sizeof(s->record->wqs));
	ledger_restart(l, s);
	drop_slot(l, s);
	list_accels(l);
}

int ledger_keep_accels(struct ledger *l, struct accel *const *accels, size_t n)
{
	struct table kept = { 0 };
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = table_put(&kept, accels[i]->bdf, accels[i]);
	for (size_t i = l->n_accels; i-- > 0 && r >= 0;)
		if (i < l->n_accels && !table_get(&kept, l->accels[i]->bdf))
			ledger_drop_accel(l, l->accels[i]->bdf);
	table_clear(&kept);
	return r;
}

static void count_owner(struct ledger *l, unsigned int uid, int change)
{
	unsigned int n = ledger_count_owner(l, uid) + change;
	char key[16];

	snprintf(key, sizeof(key), "%u", uid);
	if (!n)
		table_drop(&l->owners, key);
	else
		(void)table_put(&l->owners, key, (void *)(uintptr_t)n);
}

unsigned int ledger_count_owner(const struct ledger *l, unsigned int uid)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", uid);
	return (uintptr_t)table_get(&l->owners, key);
}

/* Whether it is ours, and for how long. */
static void claim(struct ledger *l, struct mdev *m, const struct slot *s)
{
	if (m->ours)
		count_owner(l, m->owner, -1);
	m->ours = s && s->record && record_has_mdev(s->record, m->uuid);
	snprintf(m->lease, sizeof(m->lease), "%s", m->ours ? record_lease(s->record, m->uuid) : "");
	m->owner = m->ours ? record_owner(s->record, m->uuid) : 0;
	if (m->ours)
		count_owner(l, m->owner, 1);
}

static void reclaim(struct ledger *l, struct mdev *m, const struct slot *s)
{
	bool before = m->ours;

	claim(l, m, s);
	if (m->ours != before)
		ledger_note(l, OBJECT_MDEV, OBJECT_CHANGED, m->uuid);
}

/* Which mdevs are ours may have changed with the record. */
static void reclaim_mdevs(struct ledger *l, const struct slot *s)
{
	bool shared = false;

	for (unsigned int i = 0; s->accel && i < s->accel->n_wqs; i++) {
		struct mdev *m = ledger_find_mdev(l, s->accel->wqs[i].mdev);

		shared = shared || s->accel->wqs[i].n_mdevs > 1;
		if (m)
			reclaim(l, m, s);
	}
	for (struct mdev *m = NULL; shared && (m = ledger_next_mdev(l, m));)
		if (!strcmp(m->parent, s->bdf))
			reclaim(l, m, s);
}

int ledger_put_record(struct ledger *l, const char *bdf, struct record *rec)
{
	struct slot *s = rec ? slot_for(l, bdf) : ledger_slot(l, bdf);

	if (!s)
		return rec ? -ENOMEM : 0;
	if (!s->record)
		ledger_try_starts(l, s);
	record_free(s->record);
	s->record = rec;
	s->stalled = false;
	reclaim_mdevs(l, s);
	settle(l, s);
	drop_slot(l, s);
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
	bool added = !mine, stays;
	struct wq *w;

	/* The UUID moved to another parent: the old one is gone. */
	if (mine && strcmp(mine->parent, m->parent)) {
		ledger_drop_mdev(l, m->uuid);
		mine = NULL;
		added = true;
	}
	if (!mine) {
		mine = calloc(1, sizeof(*mine));
		if (!mine || table_put(&l->mdevs, m->uuid, mine) < 0) {
			free(mine);
			return -ENOMEM;
		}
		if (s && s->accel) {
			s->accel->n_mdevs++;
			ledger_note(l, OBJECT_ACCEL, OBJECT_CHANGED, s->accel->name);
		}
	}

	before = *mine;
	w = wq_of(s, before.wq);
	stays = w && before.seated && !strcmp(before.wq, m->wq);
	if (w && !stays)
		seat_leave(l, w, &before);
	*mine = *m;
	mine->ours = before.ours;
	mine->owner = before.owner;
	claim(l, mine, s);
	mine->persisted = ledger_find_definition(l, m->uuid);
	mine->accel[0] = '\0';
	if (s && s->accel)
		memcpy(mine->accel, s->accel->name, sizeof(mine->accel));
	w = wq_of(s, m->wq);
	if (stays)
		seat_change(w, &before, mine);
	else if (w)
		seat_take(w, mine);

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
	struct mdev *m = table_drop(&l->mdevs, uuid);
	struct slot *s;
	struct wq *w;

	if (!m)
		return;

	s = ledger_slot(l, m->parent);
	w = wq_of(s, m->wq);
	if (w)
		seat_leave(l, w, m);
	ledger_note(l, OBJECT_MDEV, OBJECT_REMOVED, m->uuid);
	if (s && s->accel) {
		s->accel->n_mdevs--;
		ledger_note(l, OBJECT_ACCEL, OBJECT_CHANGED, s->accel->name);
	}
	if (m->ours)
		count_owner(l, m->owner, -1);
	if (s && s->record)
		record_drop_mdev(s->record, m->uuid);
	if (s) {
		s->stalled = false;
		settle(l, s);
	}
	free(m);
}

int ledger_keep_mdevs(struct ledger *l, const struct mdev *mdevs, size_t n)
{
	struct table kept = { 0 };
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = table_put(&kept, mdevs[i].uuid, (void *)&mdevs[i]);
	for (struct mdev *m = ledger_next_mdev(l, NULL), *next; m && r >= 0; m = next) {
		next = ledger_next_mdev(l, m);
		if (!table_get(&kept, m->uuid))
			ledger_drop_mdev(l, m->uuid);
	}
	table_clear(&kept);
	return r;
}
