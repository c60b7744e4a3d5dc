/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for a shell's completion. A shell must not wait: the daemon is not started for it, nor asked long. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/cli.h"
#include "idxdvd/common/cleanup.h"

enum {
	ACCELERATORS = 1 << 0,		/* the ones that are not adopted */
	ADOPTED = 1 << 1,
	WQS = 1 << 2,
	MDEVS = 1 << 3,
	DEFINITIONS = 1 << 4,
	TYPES = 1 << 5,
};

/* A verb, or what an option takes. */
static const struct {
	const char *word;
	unsigned int what;
} kinds[] = {
	{ "accelerators", ACCELERATORS | ADOPTED },
	{ "wqs", WQS },
	{ "types", TYPES },
	{ "adopt", ACCELERATORS },
	{ "release", ADOPTED },
	{ "trust", ADOPTED },
	{ "distrust", ADOPTED },
	{ "destroy", MDEVS },
	{ "stop", MDEVS },
	{ "drain", WQS | MDEVS },
	{ "modify", DEFINITIONS },
	{ "undefine", DEFINITIONS },
	{ "enable", DEFINITIONS },
	{ "disable", DEFINITIONS },
	{ "start", DEFINITIONS },
	{ "show", ACCELERATORS | ADOPTED | WQS | MDEVS | DEFINITIONS },
	{ "xml", MDEVS | DEFINITIONS },
	{ "holders", WQS },
	{ "why", WQS },
};

static void print_snapshot(const struct client_snapshot *s, unsigned int what)
{
	const struct client_accelerator *a = s->accelerators.items;
	const struct client_work_queue *q = s->work_queues.items;
	const struct client_mdev *m = s->mdevs.items;
	const struct client_definition *d = s->definitions.items;

	for (size_t i = 0; i < s->accelerators.n; i++)
		if (what & (a[i].adopted ? ADOPTED : ACCELERATORS))
			puts(a[i].name);
	for (size_t i = 0; i < s->work_queues.n && (what & WQS); i++)
		puts(q[i].name);
	for (size_t i = 0; i < s->mdevs.n && (what & MDEVS); i++)
		puts(m[i].uuid);
	for (size_t i = 0; i < s->definitions.n && (what & DEFINITIONS); i++)
		puts(d[i].uuid);
}

int cli_complete(struct client *c, const char *word)
{
	_cleanup_(client_list_done) struct client_list types = { .class = &client_type_class };
	_cleanup_(client_snapshot_done) struct client_snapshot s = { 0 };
	const struct client_type *t;
	unsigned int what = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].word, word))
			what = kinds[i].what;
	if (!what)
		return 0;
	if (what & TYPES) {
		if (client_get_types(c, &types) < 0)
			return 1;
		t = types.items;
		for (size_t i = 0; i < types.n; i++)
			if (!i || strcmp(t[i].type, t[i - 1].type))
				puts(t[i].type);
		return 0;
	}
	if (client_get_snapshot(c, &s) < 0)
		return 1;
	print_snapshot(&s, what);
	return 0;
}
