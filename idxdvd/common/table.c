/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/table.h"

#define MIN_BUCKETS 16u

struct table_node {
	struct table_node *chain;		/* of the bucket */
	struct table_node *prev, *next;		/* in the order of coming */
	void *value;
	uint64_t hash;
	char name[];
};

static uint64_t hash_name(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

/* Where the pointer to it is, or would be. */
static struct table_node **find(const struct table *t, const char *name, uint64_t hash)
{
	struct table_node **p = &t->buckets[hash & (t->n_buckets - 1)];

	while (*p && ((*p)->hash != hash || strcmp((*p)->name, name)))
		p = &(*p)->chain;
	return p;
}

static int grow(struct table *t)
{
	size_t n = t->n_buckets ? 2 * t->n_buckets : MIN_BUCKETS;
	struct table_node **buckets = calloc(n, sizeof(*buckets));

	if (!buckets)
		return -ENOMEM;
	for (struct table_node *e = t->first; e; e = e->next) {
		struct table_node **bucket = &buckets[e->hash & (n - 1)];

		e->chain = *bucket;
		*bucket = e;
	}
	free(t->buckets);
	t->buckets = buckets;
	t->n_buckets = n;
	return 0;
}

void *table_get(const struct table *t, const char *name)
{
	struct table_node *e = t->n ? *find(t, name, hash_name(name)) : NULL;

	return e ? e->value : NULL;
}

int table_put(struct table *t, const char *name, void *value)
{
	uint64_t hash = hash_name(name);
	size_t size = strlen(name) + 1;
	struct table_node *e = t->n ? *find(t, name, hash) : NULL, **bucket;

	if (e) {
		e->value = value;
		return 0;
	}
	/* A table that cannot grow gets slower, no more. */
	if (t->n >= t->n_buckets && grow(t) < 0 && !t->n_buckets)
		return -ENOMEM;
	e = malloc(sizeof(*e) + size);
	if (!e)
		return -ENOMEM;
	bucket = &t->buckets[hash & (t->n_buckets - 1)];
	*e = (struct table_node) {
		.chain = *bucket, .prev = t->last, .value = value, .hash = hash,
	};
	memcpy(e->name, name, size);
	*bucket = e;
	if (t->last)
		t->last->next = e;
	else
		t->first = e;
	t->last = e;
	t->n++;
	return 0;
}

void *table_drop(struct table *t, const char *name)
{
	struct table_node **p, *e;
	void *value;

	if (!t->n)
		return NULL;
	p = find(t, name, hash_name(name));
	e = *p;
	if (!e)
		return NULL;
	*p = e->chain;
	if (e->prev)
		e->prev->next = e->next;
	else
		t->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		t->last = e->prev;
	t->n--;
	value = e->value;
	free(e);
	return value;
}

void *table_after(const struct table *t, const char *name)
{
	const struct table_node *e = t->first;

	if (name) {
		e = t->n ? *find(t, name, hash_name(name)) : NULL;
		e = e ? e->next : NULL;
	}
	return e ? e->value : NULL;
}

void table_clear(struct table *t)
{
	for (struct table_node *e = t->first, *next; e; e = next) {
		next = e->next;
		free(e);
	}
	free(t->buckets);
	memset(t, 0, sizeof(*t));
}
