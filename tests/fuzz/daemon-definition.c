/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of definitions, as mdevctl or an editor leaves them: ours behind a NUL. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"
#include "idxdvd/definition.h"
#include "tests/fuzz/daemon.h"

static const char parent[] = "0000:6a:01.0";

/* What is written says the same when it is read, and a change of the files survives the journal. */
static void check_rendered(struct definition *d)
{
	_cleanup_(definition_freep) struct definition *again = NULL;
	_cleanup_(json_putp) struct json_object *o = NULL;
	struct definition_change *c = NULL, *same = NULL;

	MUST(definition_render(d) >= 0);
	MUST(definition_parse(&again, d->uuid, d->parent, d->text, d->extra) >= 0);
	MUST(definition_same(d, again));

	MUST(definition_change_new(&c, NULL, d) >= 0);
	o = definition_change_to_json(c);
	MUST(o && definition_change_from_json(o, &same) >= 0);
	MUST(!strcmp(c->after, same->after) && !c->before && !same->before);
	MUST(!c->after_extra == !same->after_extra);
	definition_change_free(c);
	definition_change_free(same);
}

static void check_labels(struct definition *d, const char *label)
{
	MUST(d->n_labels <= DEFINITION_MAX_LABELS);
	for (size_t i = 0; i < d->n_labels; i++)
		MUST(strchr(d->labels[i], '='));
	if (definition_set_label(d, label) >= 0)
		check_rendered(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(definition_freep) struct definition *d = NULL;
	_cleanup_(definition_freep) struct definition *copy = NULL;
	_cleanup_(freep) char *extra = NULL;
	_cleanup_(freep) char *text = fuzz_text(data, size, &extra);

	if (definition_parse(&d, MACHINE_DEFINED, parent, text, extra) < 0)
		return 0;
	MUST(!strcmp(d->uuid, MACHINE_DEFINED) && !strcmp(d->parent, parent));
	MUST(memchr(d->type, '\0', sizeof(d->type)) && memchr(d->wq, '\0', sizeof(d->wq)));
	MUST(memchr(d->attr, '\0', sizeof(d->attr)));
	MUST(definition_copy(d, &copy) >= 0 && definition_same(d, copy));
	check_rendered(copy);
	check_labels(copy, text);
	return 0;
}
