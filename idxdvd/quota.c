/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/quota.h"

static bool is_owner(const struct mdev *m, unsigned int uid)
{
	return m->ours && m->owner == uid;
}

int quota_left(const struct ledger *l, unsigned int uid)
{
	unsigned int quota, have;

	if (!policy_quota(l->policy, uid, &quota))
		return -1;
	have = ledger_count_owner(l, uid);
	return have >= quota ? 0 : quota - have > INT_MAX ? INT_MAX : (int)(quota - have);
}

int quota_check(const struct ledger *l, unsigned int uid, struct refusal *ret)
{
	char object[32], holder[sizeof(ret->holder)] = "";
	unsigned int quota = 0;
	size_t len = 0;
	int r;

	if (quota_left(l, uid) != 0)
		return 0;
	policy_quota(l->policy, uid, &quota);
	for (const struct mdev *m = ledger_next_mdev(l, NULL); m && len < sizeof(holder);
	     m = ledger_next_mdev(l, m))
		if (is_owner(m, uid))
			len += snprintf(holder + len, sizeof(holder) - len, "%smdev %s (%s)",
					len ? ", " : "", m->uuid, m->wq);
	snprintf(object, sizeof(object), "user %u", uid);
	r = refuse(ret, REFUSE_QUOTA_EXCEEDED, EDQUOT, object,
		   "destroy one of them, or ask for a larger quota in the policy",
		   "the policy allows %u mdevs, and %u are there", quota, ledger_count_owner(l, uid));
	refusal_set_holder(ret, "%s", holder);
	return r;
}
