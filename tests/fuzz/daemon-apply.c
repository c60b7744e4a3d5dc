/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documents for apply, accel-config's files among them: each is tried dry, and for real if that says
 * there is something to do. All of it is done then, or nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "tests/fuzz/daemon.h"

static void check_for_real(struct manager *m, const char *text)
{
	_cleanup_(freep) char *before = NULL;
	_cleanup_(freep) char *after = NULL;
	struct outcome o = { 0 };

	MUST(manager_export(m, &before) >= 0);
	manager_apply(m, text, false, outcome_done, &o);
	MUST(o.calls == 1);
	MUST(manager_export(m, &after) >= 0);
	if (o.r < 0) {
		must_be_whole(&o.refusal);
		MUST(!strcmp(before, after));
		return;
	}
	manager_apply(m, text, true, outcome_done, &o);
	MUST(o.calls == 2 && o.r >= 0 && !o.plan[0]);
	/* The way back is a document like any other. */
	manager_apply(m, before, false, outcome_done, &o);
	MUST(o.calls == 3);
	if (o.r < 0)
		must_be_whole(&o.refusal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manager *m;
	_cleanup_(freep) char *text = fuzz_text(data, size, NULL);
	struct outcome o = { 0 };

	if (!m)
		machine_new(&m, (struct manager_observer) { 0 });
	manager_apply(m, text, true, outcome_done, &o);
	MUST(o.calls == 1);
	if (o.r < 0) {
		must_be_whole(&o.refusal);
	} else if (o.plan[0]) {
		check_for_real(m, text);
		m = machine_free(m);
	}
	return 0;
}
