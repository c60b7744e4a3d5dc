/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of accel-config: what is not refused becomes a document that we understand. */
#include <stdlib.h>
#include <string.h>

#include "idxdvd/accfgdoc.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/hostdoc.h"
#include "idxdvd/op.h"
#include "tests/fuzz/daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manager *m;
	_cleanup_(hostdoc_freep) struct hostdoc *doc = NULL;
	_cleanup_(freep) char *text = fuzz_text(data, size, NULL);
	_cleanup_(freep) char *document = NULL;
	struct refusal refusal = { 0 };

	if (!m)
		machine_new(&m, (struct manager_observer) { 0 });
	if (accfgdoc_convert(&m->ledger, text, &document, &refusal) < 0) {
		must_be_whole(&refusal);
		MUST(!document);
		return 0;
	}
	MUST(accfgdoc_is(text));
	MUST(hostdoc_parse(&doc, document, &refusal) >= 0);
	/* It says nothing of mdevs: they stay. */
	MUST(doc->n_mdevs == 2);
	return 0;
}
