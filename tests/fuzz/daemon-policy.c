/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The administrator's policy file. */
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/policy.h"
#include "tests/fuzz/daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size, NULL);
	_cleanup_(policy_freep) struct policy *p = NULL;
	char why[POLICY_WHY_LEN] = "";
	unsigned int n;

	if (policy_parse(&p, text, why) < 0) {
		MUST(!p && memchr(why, '\0', sizeof(why)) && why[0]);
		return 0;
	}
	for (size_t i = 0; i < p->n_exclusive; i++) {
		MUST(memchr(p->exclusive[i], '\0', NAME_LEN));
		MUST(policy_is_exclusive(p, p->exclusive[i]));
	}
	for (size_t i = 0; i < p->n_quotas; i++)
		MUST(policy_quota(p, p->quotas[i].uid, &n));
	MUST(policy_has_quotas(p) == (p->has_quota || p->n_quotas));
	return 0;
}
