/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What takes something from somebody: each is named in the plan, asked, and never killed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/op.h"

static void destroy(struct manager *m, const char *uuid, bool dry_run, manager_done done,
		    void *userdata)
{
	struct op *op = op_new(m, OP_DESTROY, done, userdata);
	char canonical[UUID_LEN];
	bool valid = parse_uuid(uuid, canonical) == 0;

	if (op) {
		op->force = true;
		op->dry_run = dry_run;
	}
	manager_submit_request(m, op, op && op_copy_string(&op->uuid, valid ? canonical : uuid) == 0,
			       done, userdata);
}

void manager_destroy_by_force(struct manager *m, const char *uuid, bool dry_run, manager_done done,
			      void *userdata)
{
	destroy(m, uuid, dry_run, done, userdata);
}

/* --- a device, with all mdevs on it ---------------------------------------------------------- */

/* One mdev after the other, then the device; each is an operation like any other. */
struct evacuation {
	struct manager *m;
	manager_done done;
	void *userdata;
	char bdf[NAME_LEN];
	char *plan;
	unsigned int caller;
};

static void answer(struct evacuation *e, int r, const struct refusal *refusal, const char *more)
{
	struct manager_result res = { 0 };
	_cleanup_(freep) char *plan = NULL;

	if (asprintf(&plan, "%s%s", e->plan, more) < 0)
		plan = NULL;
	res.plan = plan ? plan : e->plan;
	res.refusal = *refusal;
	if (e->done)
		e->done(e->userdata, r, &res);
	free(e->plan);
	free(e);
}

static void released(void *userdata, int r, const struct manager_result *res)
{
	answer(userdata, r, &res->refusal, res->plan);
}

static const struct mdev *next_mdev(const struct evacuation *e)
{
	const struct ledger *l = &e->m->ledger;
	const struct mdev *d = ledger_next_mdev(l, NULL);

	while (d && strcmp(d->parent, e->bdf))
		d = ledger_next_mdev(l, d);
	return d;
}

static void next(struct evacuation *e);

static void destroyed(void *userdata, int r, const struct manager_result *res)
{
	struct evacuation *e = userdata;

	/* It went by itself meanwhile. */
	if (r < 0 && res->refusal.kind != REFUSE_NO_SUCH_MDEV)
		answer(e, r, &res->refusal, "");
	else
		next(e);
}

static void next(struct evacuation *e)
{
	const struct mdev *d = next_mdev(e);
	struct manager *m = e->m;

	/* It may be over, and gone, when these return. */
	manager_act_for(m, e->caller);
	if (d)
		destroy(m, d->uuid, false, destroyed, e);
	else
		manager_release(m, e->bdf, false, released, e);
	manager_act_for(m, 0);
}

/* The plans of all of them in one text. */
static int format_plans(const struct evacuation *e, char **ret)
{
	const struct ledger *l = &e->m->ledger;
	const struct accel *a = ledger_find_accel(l, e->bdf);
	struct refusal refusal;
	char line[512];
	size_t size, n = 0;
	FILE *f = open_memstream(ret, &size);
	int r = 0;

	if (!f)
		return -ENOMEM;
	for (const struct mdev *d = ledger_next_mdev(l, NULL); d && r >= 0;
	     d = ledger_next_mdev(l, d)) {
		_cleanup_(plan_freep) struct plan *p = NULL;

		if (strcmp(d->parent, e->bdf))
			continue;
		r = alloc_evict(d->uuid, d, a, &p, &refusal);
		for (size_t i = 0; r >= 0 && i < p->n; i++) {
			step_format(&p->steps[i], line, sizeof(line));
			fprintf(f, "%zu. %s  (%s)\n", ++n, line, p->steps[i].reason);
		}
	}
	if (n)
		fprintf(f, "%zu. release %s\n", n + 1, a ? a->name : e->bdf);
	return fclose(f) ? -ENOMEM : r;
}

void manager_release_by_force(struct manager *m, const char *device, bool dry_run,
			      manager_done done, void *userdata)
{
	const struct accel *a = ledger_find_accel(&m->ledger, device);
	struct evacuation *e = a && a->adopted ? calloc(1, sizeof(*e)) : NULL;
	struct refusal none = { 0 };
	bool any;

	if (e) {
		e->m = m;
		e->done = done;
		e->userdata = userdata;
		e->caller = m->caller;
		memcpy(e->bdf, a->bdf, sizeof(e->bdf));
	}
	any = e && next_mdev(e);
	/* Nothing is in the way, or it is refused. */
	if (!any || format_plans(e, &e->plan) < 0) {
		free(e);
		manager_release(m, device, dry_run, done, userdata);
		return;
	}
	if (dry_run)
		answer(e, 0, &none, "");
	else
		next(e);
}
