/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is, and who may have how much of it: see manager.h. */
#include "idxdvd/alloc.h"
#include "idxdvd/op.h"
#include "idxdvd/quota.h"

void manager_act_for(struct manager *m, unsigned int uid)
{
	m->caller = uid;
}

bool manager_has_quotas(const struct manager *m)
{
	return policy_has_quotas(m->ledger.policy);
}

int manager_quota_left(const struct manager *m, unsigned int uid)
{
	return quota_left(&m->ledger, uid);
}

int manager_check_quota(const struct manager *m, unsigned int uid, struct refusal *ret)
{
	return quota_check(&m->ledger, uid, ret);
}

void manager_describe(const struct manager *m, char *buf, size_t size, size_t *ret_waiting)
{
	buf[0] = '\0';
	if (m->apply)
		apply_describe(m->apply, buf, size);
	else if (m->current)
		op_describe(m->current, buf, size);
	*ret_waiting = m->n_queued;
}

size_t manager_n_accels(const struct manager *m)
{
	return m->ledger.n_accels;
}

const struct accel *manager_accel(const struct manager *m, size_t i)
{
	return m->ledger.accels[i];
}

const struct accel *manager_find_accel(const struct manager *m, const char *name_or_bdf)
{
	return ledger_find_accel(&m->ledger, name_or_bdf);
}

const struct wq *manager_find_wq(const struct manager *m, const char *name,
				 const struct accel **ret_accel)
{
	struct accel *a = NULL;
	struct wq *w = ledger_find_wq(&m->ledger, name, &a);

	if (w && ret_accel)
		*ret_accel = a;
	return w;
}

const struct mdev *manager_next_mdev(const struct manager *m, const struct mdev *prev)
{
	return ledger_next_mdev(&m->ledger, prev);
}

const struct mdev *manager_find_mdev(const struct manager *m, const char *uuid)
{
	return ledger_find_mdev(&m->ledger, uuid);
}

size_t manager_n_mdevs(const struct manager *m)
{
	return m->ledger.mdevs.n;
}

const struct definition *manager_next_definition(const struct manager *m,
						 const struct definition *prev)
{
	return ledger_next_definition(&m->ledger, prev);
}

const struct definition *manager_find_definition(const struct manager *m, const char *uuid)
{
	return ledger_find_definition(&m->ledger, uuid);
}

size_t manager_n_definitions(const struct manager *m)
{
	return m->ledger.definitions.n;
}

const struct definition_bad *manager_bad_definitions(const struct manager *m, size_t *ret_n)
{
	*ret_n = m->n_bad_definitions;
	return m->bad_definitions;
}

unsigned int manager_type_available(const struct manager *m, const struct mdev_type *type,
				    const struct accel *a)
{
	unsigned int n = 0;

	for (size_t i = 0; i < m->ledger.n_accels; i++) {
		const struct accel *b = m->ledger.accels[i];

		if (b->kind == type->kind && (!a || a == b))
			n += alloc_available(b, type->shared);
	}
	return n;
}
