/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events name what changed; it is read again, as little as will do. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/op.h"

int rescan_commit(struct ledger *l, struct inventory *inv)
{
	int r = 0;

	ledger_begin(l);
	for (size_t i = 0; i < inv->n_accels && r >= 0; i++)
		r = ledger_put_accel(l, TAKE(inv->accels[i]));
	for (size_t i = 0; i < inv->n_mdevs && r >= 0; i++)
		r = ledger_put_mdev(l, &inv->mdevs[i]);
	ledger_end(l);
	return r;
}

void manager_remember(struct manager *m, const char *name)
{
	for (size_t i = 0; i < m->n_pending; i++)
		if (!strcmp(m->pending[i], name))
			return;
	if (m->n_pending == MANAGER_MAX_PENDING || strlen(name) >= UUID_LEN)
		m->rescan_all = true;
	else
		strcpy(m->pending[m->n_pending++], name);
}

static void run_scan(struct job *job)
{
	struct op *op = op_of(job);

	op->result = op->scan_hardware ? execute_scan(&op->manager->executor, &op->inventory) : 0;
	if (op->scan_definitions && op->result >= 0)
		op->result = execute_scan_definitions(&op->manager->executor, &op->inventory);
}

static int drop_lost(struct ledger *l, const struct inventory *inv)
{
	int r;

	ledger_begin(l);
	r = ledger_keep_accels(l, inv->accels, inv->n_accels);
	if (r >= 0)
		r = ledger_keep_mdevs(l, inv->mdevs, inv->n_mdevs);
	ledger_end(l);
	return r;
}

static void scan_done(struct job *job)
{
	struct op *op = op_of(job);
	struct ledger *l = &op->manager->ledger;
	int r = op->result;

	if (r >= 0 && op->scan_hardware) {
		r = drop_lost(l, &op->inventory);
		if (r >= 0)
			r = rescan_commit(l, &op->inventory);
	}
	if (r >= 0 && op->scan_definitions)
		r = manager_take_definitions(op->manager, &op->inventory);
	rescan_ended(op->manager, r);
	if (r < 0)
		op_fail(op, -r, "rescan", strerror(-r));
	else
		op_finish(op, 0);
}

#define RESCAN_DELAY_MIN_USEC 125000u
#define RESCAN_DELAY_MAX_USEC 64000000u

static int on_rescan_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	manager_rescan(userdata, NULL, NULL);
	return 0;
}

void rescan_ended(struct manager *m, int error)
{
	m->rescan_error = error;
	m->rescan_timer = sd_event_source_disable_unref(m->rescan_timer);
	if (error >= 0) {
		m->rescan_delay_usec = 0;
		return;
	}
	m->rescan_delay_usec = !m->rescan_delay_usec ? RESCAN_DELAY_MIN_USEC :
			       m->rescan_delay_usec >= RESCAN_DELAY_MAX_USEC ?
			       RESCAN_DELAY_MAX_USEC : 2 * m->rescan_delay_usec;
	if (m->event && sd_event_add_time_relative(m->event, &m->rescan_timer, CLOCK_MONOTONIC,
						   m->rescan_delay_usec, 0, on_rescan_timer, m) < 0)
		log_error("the machine is read again with the next operation only");
}

void rescan_begin(struct op *op)
{
	struct manager *m = op->manager;
	char uuid[UUID_LEN];
	bool all = m->rescan_all;
	int r = 0;

	op->scan_hardware = all;
	op->scan_definitions = m->rescan_definitions;

	/* One mdev is read with the accelerators that changed; the others wait for the next turn. */
	m->rescan_queued = m->rescan_all = m->rescan_definitions = false;
	for (size_t i = m->n_pending; i-- > 0 && !all && r >= 0;) {
		const struct accel *a = ledger_find_accel(&m->ledger, m->pending[i]);

		bool mdev = parse_uuid(m->pending[i], uuid) == 0;

		if (mdev && op->uuid)
			continue;
		if (a)
			r = op_read_again(op, a);
		else if (mdev)
			r = op_copy_string(&op->uuid, uuid);
		else		/* it was known when that came; it may be back since it was found gone */
			m->rescan_all = true;
		memmove(m->pending[i], m->pending[--m->n_pending], UUID_LEN);
	}
	if (r < 0) {
		op_fail(op, -r, "rescan", "out of memory");
		return;
	}
	if (op->n_accels || op->uuid)
		m->rescan_definitions = op->scan_definitions;
	if (all)
		m->n_pending = 0;
	if (all || (op->scan_definitions && !op->n_accels && !op->uuid)) {
		op->job = (struct job) { run_scan, scan_done };
		worker_submit(m->worker, &op->job);
	} else {
		op_submit_read(op);
	}
}

void rescan_queue(struct manager *m)
{
	struct op *op;

	if (m->rescan_queued || (!m->rescan_all && !m->rescan_definitions && !m->n_pending))
		return;
	op = op_new(m, OP_RESCAN, NULL, NULL);
	if (!op)
		return;
	m->rescan_queued = true;
	manager_enqueue_first(m, op);
}

/* dsa0, wq0.1, engine0.2 and group0.3 are all read with their accelerator. */
static const struct accel *accel_of_event(const struct manager *m, const char *name)
{
	unsigned int id;

	for (size_t i = 0; i < m->ledger.n_accels; i++) {
		const struct accel *a = m->ledger.accels[i];

		if (!strcmp(a->name, name) || !strcmp(a->bdf, name) ||
		    ((sscanf(name, "wq%u.", &id) == 1 || sscanf(name, "engine%u.", &id) == 1 ||
		      sscanf(name, "group%u.", &id) == 1) && id == a->id))
			return a;
	}
	return NULL;
}

void manager_rescan_definitions(struct manager *m)
{
	m->rescan_definitions = true;
	manager_pump(m);
}

/* Our module came or went, and no mdev outlives it. */
static void module_changed(struct manager *m)
{
	for (size_t i = 0; i < m->ledger.n_slots; i++)
		ledger_restart(&m->ledger, m->ledger.slots[i]);
	m->rescan_all = true;
}

void manager_rescan(struct manager *m, const char *subsystem, const char *name)
{
	const struct accel *a = subsystem ? accel_of_event(m, name) : NULL;
	char uuid[UUID_LEN];

	if (!subsystem)
		m->rescan_all = true;
	else if (a)
		manager_remember(m, a->bdf);
	else if (!strcmp(subsystem, "mdev") && parse_uuid(name, uuid) == 0)
		manager_remember(m, uuid);
	else if (!strcmp(subsystem, "drivers") && !strcmp(name, ALLOC_DRIVER))
		module_changed(m);
	else if (!strcmp(subsystem, "dsa"))
		/* A new one, or a part of one that was not all there when its own event came. */
		m->rescan_all = true;
	else
		log_debug("event of %s %s concerns nothing that is known", subsystem, name);
	manager_pump(m);
}
