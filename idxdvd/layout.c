/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adopting and releasing a whole accelerator, and its pool: see alloc.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/steps.h"

/* --- adopt ----------------------------------------------------------------------------------- */

/* How an unconfigured device is divided: equal sizes, as many groups as have an engine. */
struct layout {
	unsigned int n_wqs, n_groups, size;
};

static struct layout layout_for(const struct accel *a)
{
	struct layout l = { .n_wqs = a->n_wqs, .n_groups = a->max_groups };

	if (l.n_wqs > a->max_size)
		l.n_wqs = a->max_size;
	if (l.n_groups > a->n_engines)
		l.n_groups = a->n_engines;
	if (l.n_groups > l.n_wqs)
		l.n_groups = l.n_wqs;
	if (l.n_wqs)
		l.size = a->max_size / l.n_wqs;
	return l;
}

static void plan_clear_iaa_default(struct plan *p, const struct wq *w)
{
	static const char why[] = "idxd's own default, not the host's choice";

	plan_set(p, w->name, "name", w->label, "", why);
	plan_set(p, w->name, "driver_name", w->driver_name, "", why);
	plan_set(p, w->name, "type", wq_type_name(w->type), "none", why);
	plan_set_int(p, w->name, "priority", w->priority, 0, why);
	plan_set(p, w->name, "mode", "dedicated", "shared", why);
}

/* @after is @a as it will be after these steps. */
static void plan_layout(struct plan *p, const struct accel *a, struct accel *after)
{
	struct layout l = layout_for(a);

	if (a->state == STATE_ENABLED)
		plan_add(p, STEP_UNBIND, a->name, "idxd", "", "",
			 "idxd enabled it by itself, and sizes can be set only while it is off");
	if (a->n_wqs && wq_is_iaa_default(a, &a->wqs[0])) {
		struct wq *w = &after->wqs[0];

		plan_clear_iaa_default(p, &a->wqs[0]);
		w->label[0] = w->driver_name[0] = '\0';
		w->type = WQ_TYPE_NONE;
		w->priority = 0;
		w->dedicated = false;
	}

	for (unsigned int i = 0; i < a->n_engines; i++) {
		after->engines[i].group = i % l.n_groups;
		plan_want_group(p, a->engines[i].name, a->engines[i].group, after->engines[i].group,
				"a group works only with an engine");
	}

	for (unsigned int i = 0; i < l.n_wqs; i++) {
		struct wq *w = &after->wqs[i];

		w->group = i % l.n_groups;
		w->size = l.size;
		w->cls = WQ_FREE;
		plan_want_group(p, w->name, a->wqs[i].group, w->group,
				"groups share the engines evenly");
		plan_set_int(p, w->name, "size", a->wqs[i].size, l.size,
			     "sizes can be set only while the device is off");
		plan_set(p, w->name, "mode", wq_mode_name(w), "dedicated",
			 "a CPU without ENQCMD has no shared queues, and idxd insists");
		w->dedicated = true;
	}

	plan_add(p, STEP_BIND, a->name, "idxd", "", "", "enable the device");
	after->state = STATE_ENABLED;
}

static int check_adopt(const struct accel *a, unsigned int host_wqs, unsigned int pool_min,
		       struct refusal *ret)
{
	struct layout l = layout_for(a);
	int r;

	if (a->adopted)
		return refuse(ret, REFUSE_EXISTS, EEXIST, a->name,
			      "release it first, to adopt it with other numbers",
			      "it is adopted already, with host-wqs %u and pool-min %u",
			      a->host_wqs, a->pool_min);
	r = alloc_check_host(a, ret);
	if (r < 0)
		return r;
	if (!a->configurable)
		return refuse(ret, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name,
			      "use a device that the host may configure",
			      "its configuration is fixed by firmware or by a hypervisor");
	if (a->state != STATE_ENABLED && a->state != STATE_DISABLED)
		return refuse(ret, REFUSE_FAILED, EIO, a->name, "reset the device",
			      "its state is %s", object_state_name(a->state));
	if (host_wqs > a->n_wqs || pool_min > a->n_wqs - host_wqs)
		return refuse(ret, REFUSE_INVALID_ARGS, EINVAL, a->name, "ask for fewer",
			      "host-wqs %u and pool-min %u together exceed its %u work queues",
			      host_wqs, pool_min, a->n_wqs);
	if (a->state == STATE_DISABLED && !accel_is_unconfigured(a))
		return refuse(ret, REFUSE_FOREIGN, EBUSY, a->name,
			      "enable it, or clear it with accel-config, then adopt it",
			      "it is disabled but somebody configured it, and we change nothing that is not ours");
	if (accel_is_unconfigured(a) && (!l.n_groups || !l.size))
		return refuse(ret, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, a->name,
			      "use a device that has an engine, a group and a work queue",
			      "it has no engine, no group or no work queue to lay out");
	return 0;
}

int alloc_adopt(const struct accel *a, unsigned int host_wqs, unsigned int pool_min,
		struct plan **ret, struct refusal *ret_refusal)
{
	_cleanup_(accel_freep) struct accel *after = NULL;
	_cleanup_(plan_freep) struct plan *p = NULL;
	const struct place_request *req;
	int r;

	r = check_adopt(a, host_wqs, pool_min, ret_refusal);
	if (r < 0)
		return r;

	if (accel_copy(a, &after) < 0 || plan_new(&p, PLAN_ADOPT, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, a->name,
			      "free some memory, then try again", "out of memory");

	if (accel_is_unconfigured(a))
		plan_layout(p, a, after);

	after->adopted = true;
	after->host_wqs = host_wqs;
	alloc_reserve(after);
	req = alloc_pool_request(after);
	for (unsigned int i = 0; i < after->n_wqs && pool_min; i++) {
		if (!alloc_wq_is_fresh(after, &after->wqs[i]) ||
		    !alloc_wq_counts(after, &after->wqs[i], req))
			continue;
		plan_claim(p, a, &after->wqs[i], req, "ready for the first mdev");
		pool_min--;
	}
	return alloc_done(&p, ret, ret_refusal);
}

/* --- release --------------------------------------------------------------------------------- */

static void list_mdevs(const struct accel *a, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < a->n_wqs && len < size; i++)
		if (a->wqs[i].n_mdevs > 1)
			len += snprintf(buf + len, size - len, "%s%u mdevs (%s)", len ? ", " : "",
					a->wqs[i].n_mdevs, a->wqs[i].name);
		else if (a->wqs[i].mdev[0])
			len += snprintf(buf + len, size - len, "%smdev %s (%s)", len ? ", " : "",
					a->wqs[i].mdev, a->wqs[i].name);
}

static void plan_unlayout(struct plan *p, const struct accel *a)
{
	static const char wiped[] = "left as idxd leaves an unconfigured device";

	plan_add(p, STEP_UNBIND, a->name, "idxd", "", "", "we enabled it when we adopted it");
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		plan_set_int(p, a->wqs[i].name, "size", a->wqs[i].size, 0, wiped);
		plan_set_int(p, a->wqs[i].name, "group_id", a->wqs[i].group, -1, wiped);
		plan_set(p, a->wqs[i].name, "mode", wq_mode_name(&a->wqs[i]), "shared", wiped);
	}
	for (unsigned int i = 0; i < a->n_engines; i++)
		plan_set_int(p, a->engines[i].name, "group_id", a->engines[i].group, -1, wiped);
}

static void plan_restore_iaa_default(struct plan *p, const struct accel *a,
				     const struct alloc_history *history)
{
	static const char why[] = "as idxd's own default was";
	const char *wq = a->wqs[0].name;

	plan_set_int(p, wq, "size", 0, a->max_size, why);
	plan_set_int(p, wq, "group_id", -1, 0, why);
	plan_set(p, wq, "mode", "shared", "dedicated", why);
	plan_set_int(p, wq, "priority", 0, 10, why);
	plan_set(p, wq, "type", "none", "kernel", why);
	plan_set(p, wq, "driver_name", "", "crypto", why);
	plan_set(p, wq, "name", "", "iaa_crypto", why);
	for (unsigned int i = 0; i < history->iaa_engines && i < a->n_engines; i++)
		plan_set_int(p, a->engines[i].name, "group_id", -1, 0, why);
	if (history->iaa_enabled)
		plan_add(p, STEP_BIND, a->name, "idxd", "", "", "%s", why);
}

/* A wq in somebody else's hands keeps the device on. */
static bool accel_has_others(const struct accel *a)
{
	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (!a->wqs[i].ours && a->wqs[i].cls != WQ_FREE)
			return true;
	return false;
}

int alloc_release(const struct accel *a, const struct alloc_history *history, struct plan **ret,
		  struct refusal *ret_refusal)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	char mdevs[sizeof(ret_refusal->holder)];
	int r;

	if (!a->adopted)
		return refuse(ret_refusal, REFUSE_NOT_ADOPTED, ENOENT, a->name,
			      "idxdctl adopt it first", "it is not adopted");
	if (a->n_mdevs) {
		list_mdevs(a, mdevs, sizeof(mdevs));
		r = refuse(ret_refusal, REFUSE_IN_USE, EBUSY, a->name, "destroy them first",
			   "%u mdev%s on it", a->n_mdevs, a->n_mdevs == 1 ? " is" : "s are");
		refusal_set_holder(ret_refusal, "%s", mdevs);
		return r;
	}

	if (plan_new(&p, PLAN_RELEASE, a) < 0)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, a->name,
			      "free some memory, then try again", "out of memory");

	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (alloc_wq_is_ready(&a->wqs[i]))
			plan_unclaim(p, a, &a->wqs[i], "given back to the host");

	if (a->laid_out && a->state == STATE_ENABLED && !accel_has_others(a)) {
		plan_unlayout(p, a);
		if (history->iaa_engines)
			plan_restore_iaa_default(p, a, history);
	}
	return alloc_done(&p, ret, ret_refusal);
}

/* --- pool ------------------------------------------------------------------------------------ */

int alloc_pool(const struct accel *a, struct plan **ret)
{
	const struct place_request *req = alloc_pool_request(a);
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct refusal refusal;
	unsigned int have = 0;
	int r;

	r = plan_new(&p, PLAN_POOL, a);
	if (r < 0)
		return r;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		have += alloc_wq_is_ready(&a->wqs[i]) && alloc_wq_counts(a, &a->wqs[i], req) &&
			alloc_wq_is_as_asked(a, &a->wqs[i], req);

	if (a->adopted && a->state == STATE_ENABLED && alloc_check_host(a, &refusal) == 0) {
		for (unsigned int i = 0; i < a->n_wqs && have < a->pool_min; i++)
			if (alloc_wq_is_fresh(a, &a->wqs[i]) && alloc_wq_counts(a, &a->wqs[i], req)) {
				plan_claim(p, a, &a->wqs[i], req, "the pool is below pool-min");
				have++;
			}
		for (unsigned int i = a->n_wqs; i-- > 0;) {
			if (!alloc_wq_is_ready(&a->wqs[i]))
				continue;
			if (!alloc_wq_counts(a, &a->wqs[i], req)) {
				plan_unclaim(p, a, &a->wqs[i], "exclusive-engines: they are another's");
			} else if (!alloc_wq_is_as_asked(a, &a->wqs[i], req)) {
				plan_unclaim(p, a, &a->wqs[i], "it has settings that somebody asked for");
			} else if (have > a->pool_min) {
				plan_unclaim(p, a, &a->wqs[i], "the pool is above pool-min");
				have--;
			}
		}
	}

	if (p->error)
		return p->error;
	*ret = TAKE(p);
	return 0;
}
