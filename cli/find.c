/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/find.h"
#include "idxdvd/common/api.h"

/* Shorter beginnings of a UUID are not looked for: one would hit by accident. */
#define PREFIX_MIN 4

/* Whether @word begins the UUID, in any case. */
static bool is_uuid(const char *uuid, const char *word)
{
	return strlen(word) >= PREFIX_MIN && !strncasecmp(uuid, word, strlen(word));
}

static bool has_label(const char *labels, const char *word)
{
	size_t n = strlen(word);

	for (; *labels; labels += strcspn(labels, "\n"), labels += *labels == '\n')
		if (!strncmp(labels, word, n) && (labels[n] == '\n' || !labels[n]))
			return true;
	return false;
}

static bool is_labelled(const struct client_snapshot *s, const char *uuid, const char *word)
{
	const struct client_definition *d = s->definitions.items;

	for (size_t i = 0; i < s->definitions.n; i++)
		if (!strcmp(d[i].uuid, uuid) && has_label(d[i].labels, word))
			return true;
	return false;
}

static bool is_accelerator(const struct client_snapshot *s, const void *record, const char *word)
{
	const struct client_accelerator *a = record;

	return !strcmp(a->name, word) || !strcmp(a->pci, word);
}

static bool is_work_queue(const struct client_snapshot *s, const void *record, const char *word)
{
	const struct client_work_queue *q = record;

	return !strcmp(q->name, word);
}

static bool is_mdev(const struct client_snapshot *s, const void *record, const char *word)
{
	const struct client_mdev *m = record;

	return is_uuid(m->uuid, word) || is_labelled(s, m->uuid, word);
}

static bool is_definition(const struct client_snapshot *s, const void *record, const char *word)
{
	const struct client_definition *d = record;

	return is_uuid(d->uuid, word) || has_label(d->labels, word);
}

size_t find_objects(const struct client_snapshot *s, const char *word, struct find_match ret[FIND_MAX])
{
	const struct {
		const struct client_list *list;
		bool (*is)(const struct client_snapshot *s, const void *record, const char *word);
	} kinds[] = {
		{ &s->accelerators, is_accelerator }, { &s->work_queues, is_work_queue },
		{ &s->mdevs, is_mdev }, { &s->definitions, is_definition },
	};
	size_t n = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const struct client_list *l = kinds[k].list;

		for (size_t i = 0; i < l->n && n < FIND_MAX; i++) {
			const void *record = (const char *)l->items + i * l->class->size;

			if (kinds[k].is(s, record, word))
				ret[n++] = (struct find_match){ l->class, record };
		}
	}
	return n;
}

/* NULL if it is not an mdev or a definition. */
static const char *match_uuid(const struct find_match *m)
{
	if (m->class == &client_mdev_class)
		return ((const struct client_mdev *)m->record)->uuid;
	if (m->class == &client_definition_class)
		return ((const struct client_definition *)m->record)->uuid;
	return NULL;
}

int find_uuid(const struct client_snapshot *s, const char *word, const char *verb, const char **ret)
{
	struct find_match found[FIND_MAX];
	const char *uuid = NULL, *next;
	size_t n = find_objects(s, word, found);

	for (size_t i = 0; i < n; i++) {
		next = match_uuid(&found[i]);
		if (!next || (uuid && !strcmp(uuid, next)))
			continue;
		if (uuid) {
			fprintf(stderr, "idxdctl: %s: '%s' is several: %s, %s\n", verb, word, uuid, next);
			return API_EXIT_USAGE;
		}
		uuid = next;
	}
	if (!uuid) {
		fprintf(stderr, "idxdctl: %s: no mdev or definition is called '%s'; see 'idxdctl list'\n",
			verb, word);
		return API_EXIT_NOT_FOUND;
	}
	*ret = uuid;
	return API_EXIT_OK;
}
