/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue of operations, and what others call. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/hostdoc.h"
#include "idxdvd/op.h"

#define MAX_QUEUED 1024

/* --- answers and signals --------------------------------------------------------------------- */

static void op_answer(struct op *op, int r)
{
	op->res.plan = op->plan_text ? op->plan_text : "";
	if (op->done)
		op->done(op->userdata, r, &op->res);
}

/* An answer without an operation: there was no memory, or no more room. */
static void answer_at_once(manager_done done, void *userdata, int error, const char *reason)
{
	struct manager_result res = { .plan = "" };
	int r;

	r = refuse(&res.refusal, REFUSE_FAILED, error, "idxdvd", "try again later", "%s", reason);
	if (done)
		done(userdata, r, &res);
}

static void tell(struct manager *m)
{
	struct change *changes;
	size_t n = ledger_take_changes(&m->ledger, &changes);

	for (size_t i = 0; i < n && m->observer.object; i++)
		m->observer.object(m->observer.userdata, changes[i].kind, changes[i].change,
				   changes[i].id);
	free(changes);
}

static void enqueue(struct manager *m, struct op *op)
{
	op->next = NULL;
	*m->last = op;
	m->last = &op->next;
	m->n_queued++;
}

/* Before what is queued already. */
void manager_enqueue_first(struct manager *m, struct op *op)
{
	op->next = m->first;
	if (!m->first)
		m->last = &op->next;
	m->first = op;
	m->n_queued++;
}

/* --- upkeep ---------------------------------------------------------------------------------- */

static bool slot_needs_layout(const struct slot *s)
{
	return s->appeared && accel_is_unconfigured(s->accel);
}

static bool slot_needs_pool(const struct slot *s)
{
	_cleanup_(plan_freep) struct plan *p = NULL;

	return alloc_pool(s->accel, &p) == 0 && p->n > 0;
}

/* Each is checked against a quota by itself. */
static bool starts_all(struct manager *m, struct slot *s)
{
	bool all = !s->all_tried && s->n_starts - s->next_start > 1 && !manager_has_quotas(m);

	s->all_tried = true;
	return all;
}

/* OP_SETTLED: nothing. @ret is the definition to start. */
static enum op_kind slot_needs(struct manager *m, struct slot *s, struct definition **ret)
{
	if (!s->accel || !s->record || s->stalled)
		return OP_SETTLED;
	if (slot_needs_layout(s))
		return OP_LAYOUT;
	if (!s->record->autostarted && s->accel->state == STATE_ENABLED && s->accel->module) {
		*ret = ledger_next_autostart(&m->ledger, s);
		if (*ret && starts_all(m, s))
			return OP_START_ALL;
		if (*ret)
			return OP_AUTOSTART;
		if (!s->autostart_failed)
			return OP_AUTOSTARTED;
	}
	return slot_needs_pool(s) ? OP_POOL : OP_SETTLED;
}

static int upkeep_slot(struct manager *m, struct slot *s)
{
	struct definition *d = NULL;
	enum op_kind kind = slot_needs(m, s, &d);
	struct op *op;

	s->appeared = false;
	if (kind == OP_SETTLED)
		return 0;
	op = op_new(m, kind, NULL, NULL);
	if (!op || op_copy_string(&op->device, s->bdf) < 0 ||
	    (kind == OP_AUTOSTART && op_copy_string(&op->uuid, d->uuid) < 0)) {
		if (op)
			op_free(op);
		return -ENOMEM;
	}
	if (kind == OP_AUTOSTART)
		d->tried = true;
	manager_enqueue_first(m, op);
	return 1;
}

/* One upkeep at a time, before anything else that waits; only where something changed. */
static void upkeep(struct manager *m)
{
	struct slot *s;

	while (m->started && !m->stopping && (s = ledger_touched(&m->ledger))) {
		if (upkeep_slot(m, s) != 0)
			return;
		ledger_pass_touched(&m->ledger);
	}
}

/* --- the end of an operation ----------------------------------------------------------------- */

void op_finish(struct op *op, int r)
{
	struct manager *m = op->manager;
	char text[1024];

	tell(m);
	if (r < 0 && !op->done) {
		refusal_format(&op->res.refusal, text, sizeof(text));
		log_warning("%s", text);
	}
	op_answer(op, r);
	m->current = NULL;
	op_free(op);
	manager_pump(m);
}

void op_fail(struct op *op, int error, const char *object, const char *reason)
{
	op_finish(op, refuse(&op->res.refusal, REFUSE_FAILED, error, object,
			     "see the kernel log and journalctl -u idxdvd", "%s", reason));
}

/* --- the queue ------------------------------------------------------------------------------- */

static void start(struct op *op)
{
	struct manager *m = op->manager;

	if (m->stopping) {
		op_finish(op, refuse(&op->res.refusal, REFUSE_SHUTTING_DOWN, ESHUTDOWN, "idxdvd",
				  "try again when it runs", "the daemon is stopping"));
		return;
	}

	switch (op->kind) {
	case OP_START:
		startup_begin(op);
		break;
	case OP_ADOPT:
	case OP_RELEASE:
	case OP_CREATE:
	case OP_DESTROY:
	case OP_POOL:
	case OP_LAYOUT:
	case OP_DEFINE:
	case OP_MODIFY:
	case OP_UNDEFINE:
	case OP_START_MDEV:
	case OP_START_ALL:
	case OP_AUTOSTART:
	case OP_AUTOSTARTED:
	case OP_TRUST:
		if (m->started)
			op_start_read(op);
		else
			op_fail(op, EAGAIN, "idxdvd", "it has not started");
		break;
	case OP_RESCAN:
		rescan_begin(op);
		break;
	case OP_HOLDINGS:
		holdings_begin(op);
		break;
	case OP_DRAIN:
		drain_begin(op);
		break;
	case OP_APPLY:
		apply_begin(op);
		break;
	case OP_APPLY_END:
		apply_end_begin(op);
		break;
	case OP_SETTLED:
		if (op->fresh && m->rescan_error < 0)
			op_finish(op, refuse(&op->res.refusal, REFUSE_FAILED, -m->rescan_error,
					     "the hardware",
					     "see journalctl -u idxdvd; it is tried again by itself",
					     "it cannot be read: %s", strerror(-m->rescan_error)));
		else
			op_finish(op, 0);
		break;
	}
}

void manager_pump(struct manager *m)
{
	/* op_finish() ends here too: one loop instead of ever deeper calls. */
	if (m->pumping)
		return;
	m->pumping = true;
	while (!m->current) {
		if (m->started && !m->stopping) {
			rescan_queue(m);
			if (!m->rescan_queued)
				upkeep(m);
		}
		if (!m->first)
			break;
		m->current = m->first;
		m->first = m->current->next;
		if (!m->first)
			m->last = &m->first;
		m->n_queued--;
		start(m->current);
	}
	m->pumping = false;
}

void manager_submit(struct manager *m, struct op *op)
{
	if (m->n_queued >= MAX_QUEUED) {
		answer_at_once(op->done, op->userdata, EBUSY, "too many operations are waiting");
		op_free(op);
		return;
	}
	if (m->rescan_error < 0)
		m->rescan_all = true;
	op->owner = m->caller;
	enqueue(m, op);
	manager_pump(m);
}

/* --- what others call ------------------------------------------------------------------------ */

int manager_new(struct manager **ret, const struct manager_config *config)
{
	struct manager *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->last = &m->first;
	m->event = sd_event_ref(config->event);
	m->observer = config->observer;
	ledger_init(&m->ledger);
	m->ledger.policy = config->policy;
	r = executor_init(&m->executor, config->backend, &(struct directories) {
		config->state_dir, config->mdevctl_dir, config->definition_dir,
	});
	if (r >= 0)
		r = worker_new(&m->worker, config->event);
	if (r < 0) {
		m->executor.backend = NULL;
		executor_done(&m->executor);
		sd_event_unref(m->event);
		free(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct manager *manager_free(struct manager *m)
{
	if (!m)
		return NULL;
	m->stopping = true;
	m->worker = worker_free(m->worker);
	manager_pump(m);
	assert(!m->current && !m->first);
	ledger_done(&m->ledger);
	executor_done(&m->executor);
	free(m->bad_definitions);
	sd_event_source_disable_unref(m->rescan_timer);
	sd_event_unref(m->event);
	free(m);
	return NULL;
}

void manager_freep(struct manager **m)
{
	manager_free(*m);
}

bool manager_is_idle(const struct manager *m)
{
	return !m->current && !m->first;
}

void manager_start(struct manager *m, manager_done done, void *userdata)
{
	struct op *op = op_new(m, OP_START, done, userdata);

	if (!op)
		answer_at_once(done, userdata, ENOMEM, "out of memory");
	else
		manager_submit(m, op);
}

/* Checks that the strings could be copied, and submits. */
void manager_submit_request(struct manager *m, struct op *op, bool copied, manager_done done,
			    void *userdata)
{
	if (op && copied) {
		manager_submit(m, op);
		return;
	}
	if (op)
		op_free(op);
	answer_at_once(done, userdata, ENOMEM, "out of memory");
}

void manager_adopt(struct manager *m, const char *device, const struct adopt_options *opts,
		   manager_done done, void *userdata)
{
	struct op *op = op_new(m, OP_ADOPT, done, userdata);
	bool copied = op && op_copy_string(&op->device, device) == 0;

	if (op && opts) {
		op->options = *opts;
		op->dry_run = opts->set & ADOPT_DRY_RUN;
	}
	manager_submit_request(m, op, copied, done, userdata);
}

void manager_release(struct manager *m, const char *device, bool dry_run, manager_done done,
		     void *userdata)
{
	struct op *op = op_new(m, OP_RELEASE, done, userdata);
	bool copied = op && op_copy_string(&op->device, device) == 0;

	if (op)
		op->dry_run = dry_run;
	manager_submit_request(m, op, copied, done, userdata);
}

void manager_trust(struct manager *m, const char *device, bool on, bool dry_run, manager_done done,
		   void *userdata)
{
	struct op *op = op_new(m, OP_TRUST, done, userdata);
	bool copied = op && op_copy_string(&op->device, device) == 0;

	if (op) {
		op->dry_run = dry_run;
		op->trust = on;
	}
	manager_submit_request(m, op, copied, done, userdata);
}

/* A UUID in its canonical form; one that is none is kept as it is, to be refused. */
static int copy_uuid(char **ret, const char *s)
{
	char uuid[UUID_LEN];

	if (s)
		return op_copy_string(ret, parse_uuid(s, uuid) == 0 ? uuid : s);
	return uuid_random(uuid) < 0 ? -EIO : op_copy_string(ret, uuid);
}

static bool is_power_of_two(unsigned int n)
{
	return !(n & (n - 1));
}

static int check_place(struct op *op, const struct create_request *req, struct refusal *ret)
{
	if (req->placement && place_policy_parse(req->placement, &op->place.policy) < 0)
		return refuse(ret, REFUSE_INVALID_ARGS, EINVAL, req->placement,
			      "give spread or pack", "there is no such placement");
	if (req->priority > 15)
		return refuse(ret, REFUSE_INVALID_ARGS, EINVAL, "priority", "give 1 to 15",
			      "the hardware has no priority %u", req->priority);
	if (!is_power_of_two(req->max_transfer) || !is_power_of_two(req->max_batch))
		return refuse(ret, REFUSE_INVALID_ARGS, EINVAL,
			      is_power_of_two(req->max_batch) ? "max-transfer-size" :
								"max-batch-size",
			      "give a power of two", "the hardware counts in powers of two");
	return 0;
}

void manager_create_mdev(struct manager *m, const struct create_request *req, manager_done done,
			 void *userdata)
{
	struct op *op = op_new(m, OP_CREATE, done, userdata);
	bool copied = op && op_copy_string(&op->type, req->type) == 0 &&
		      op_copy_string(&op->device, req->parent) == 0 &&
		      op_copy_string(&op->wq, req->wq) == 0 &&
		      op_copy_string(&op->lease, req->lease) == 0 &&
		      copy_uuid(&op->uuid, req->uuid) == 0;
	struct manager_result res = { .plan = "" };

	if (op) {
		op->dry_run = req->flags & CREATE_DRY_RUN;
		op->has_place = req->flags & CREATE_PLACE;
		op->place.numa_node = req->numa_node;
		op->place.min_size = req->min_size;
		op->place.priority = req->priority;
		op->place.max_transfer = req->max_transfer;
		op->place.max_batch = req->max_batch;
	}
	if (op && check_place(op, req, &res.refusal) < 0) {
		int r = -EINVAL;

		op_free(op);
		if (done)
			done(userdata, r, &res);
		return;
	}
	manager_submit_request(m, op, copied, done, userdata);
}

static void submit_uuid(struct manager *m, enum op_kind kind, const char *uuid, bool dry_run,
			manager_done done, void *userdata)
{
	struct op *op = op_new(m, kind, done, userdata);
	bool copied = op && copy_uuid(&op->uuid, uuid) == 0;

	if (op)
		op->dry_run = dry_run;
	manager_submit_request(m, op, copied, done, userdata);
}

void manager_destroy_mdev(struct manager *m, const char *uuid, bool dry_run, manager_done done,
			  void *userdata)
{
	submit_uuid(m, OP_DESTROY, uuid, dry_run, done, userdata);
}

static int copy_labels(char ***ret, char *const *labels)
{
	size_t n = 0;

	while (labels && labels[n])
		n++;
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (op_copy_string(&(*ret)[i], labels[i]) < 0)
			return -ENOMEM;
	return 0;
}

static void submit_define(struct manager *m, enum op_kind kind, const struct define_request *req,
			  manager_done done, void *userdata)
{
	struct op *op = op_new(m, kind, done, userdata);
	bool copied = op && op_copy_string(&op->type, req->type) == 0 &&
		      op_copy_string(&op->device, req->parent) == 0 &&
		      op_copy_string(&op->wq, req->wq) == 0 &&
		      copy_labels(&op->labels, req->labels) == 0 &&
		      copy_uuid(&op->uuid, req->uuid) == 0;

	if (op) {
		op->define_set = req->set;
		op->autostart = req->autostart;
		op->dry_run = req->set & DEFINE_DRY_RUN;
	}
	manager_submit_request(m, op, copied, done, userdata);
}

void manager_define(struct manager *m, const struct define_request *req, manager_done done,
		    void *userdata)
{
	submit_define(m, OP_DEFINE, req, done, userdata);
}

void manager_modify(struct manager *m, const struct define_request *req, manager_done done,
		    void *userdata)
{
	submit_define(m, OP_MODIFY, req, done, userdata);
}

void manager_undefine(struct manager *m, const char *uuid, bool dry_run, manager_done done,
		      void *userdata)
{
	submit_uuid(m, OP_UNDEFINE, uuid, dry_run, done, userdata);
}

void manager_start_mdev(struct manager *m, const char *uuid, bool dry_run, manager_done done,
			void *userdata)
{
	submit_uuid(m, OP_START_MDEV, uuid, dry_run, done, userdata);
}

void manager_refresh(struct manager *m, manager_done done, void *userdata)
{
	struct op *op = op_new(m, OP_SETTLED, done, userdata);

	m->rescan_all = m->rescan_definitions = true;
	if (op)
		op->fresh = true;
	manager_submit_request(m, op, true, done, userdata);
}

void manager_apply(struct manager *m, const char *document, bool dry_run, manager_done done,
		   void *userdata)
{
	struct manager_result res = { .plan = "" };
	struct op *op = op_new(m, OP_APPLY, done, userdata);
	int r = op ? apply_new(m, document, &op->apply, &res.refusal) : -ENOMEM;

	if (r < 0 && res.refusal.kind != REFUSE_NONE) {
		op_free(op);
		if (done)
			done(userdata, r, &res);
		return;
	}
	if (op)
		op->dry_run = dry_run;
	m->rescan_all = m->rescan_definitions = true;
	manager_submit_request(m, op, r >= 0, done, userdata);
}

int manager_export(const struct manager *m, char **ret)
{
	return hostdoc_export(&m->ledger, ret);
}

void manager_holdings(struct manager *m, const char *wq, manager_done done, void *userdata)
{
	struct op *op = op_new(m, OP_HOLDINGS, done, userdata);
	bool copied = op && op_copy_string(&op->wq, wq) == 0;

	m->rescan_all = true;
	manager_submit_request(m, op, copied, done, userdata);
}
