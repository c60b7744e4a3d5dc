/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_OP_H
#define IDXDVD_OP_H

/*
 * Inside of the manager: one operation and its way. Each goes through the same stages: read what it
 * concerns (worker), plan (loop), execute (worker), commit to memory and tell (loop).
 */

#include <stdint.h>

#include "idxdvd/execute.h"
#include "idxdvd/ledger.h"
#include "idxdvd/manager.h"
#include "idxdvd/place.h"
#include "idxdvd/worker.h"

typedef struct sd_event_source sd_event_source;

#define MANAGER_MAX_PENDING 64	/* names of changed objects; more means read everything */

enum op_kind {
	OP_START,
	OP_ADOPT,
	OP_RELEASE,
	OP_CREATE,
	OP_DESTROY,
	OP_RESCAN,
	OP_POOL,		/* upkeep: fill or shrink the pool */
	OP_LAYOUT,		/* upkeep: an adopted device is back without its configuration */
	OP_DEFINE,
	OP_MODIFY,
	OP_UNDEFINE,
	OP_START_MDEV,
	OP_START_ALL,		/* upkeep: start all that are to run from the start, as far as they fit */
	OP_AUTOSTART,		/* upkeep: start one of them, if not all could be */
	OP_AUTOSTARTED,		/* upkeep: write down that there is no more of them */
	OP_HOLDINGS,		/* reads who holds what */
	OP_APPLY,		/* the first of many that lead to what a document wants */
	OP_APPLY_END,		/* the last of them */
	OP_TRUST,		/* despite an erratum, or no longer */
	OP_DRAIN,		/* waits until a work queue has nothing in flight */
	OP_SETTLED,		/* does nothing: whoever waits for what was queued before it */
};

struct apply;

struct op {
	enum op_kind kind;
	struct manager *manager;
	struct job job;
	struct op *next;
	manager_done done;
	void *userdata;

	/* The request. */
	char *device, *uuid, *type, *wq, *lease;
	struct adopt_options options;
	bool dry_run;
	bool trust;			/* of OP_TRUST */
	bool force;			/* of OP_DESTROY */
	int drain_pid;			/* of OP_DRAIN, as the next */
	unsigned int drain_pasid;
	unsigned int owner;		/* who asked; of what is made */
	bool unbound;			/* by quotas */
	bool has_place;
	struct place_request place;
	unsigned int define_set;	/* DEFINE_* */
	bool autostart;
	char **labels;
	bool scan_hardware, scan_definitions;
	bool look_outside;		/* nobody knows the device: does another driver have it? */
	bool fresh;			/* whoever waits wants to know whether the machine could be read */
	unsigned int attempts;
	char *candidate;		/* create: where it would go by what is known; NULL: any */
	bool read_all;			/* it did not go there */
	struct accel *planned_on;	/* start: as it will be then; NULL: as it is */

	/* Shared with the worker, of whoever has the turn. */
	struct accel **accels;		/* copies that are read again */
	int *accel_results;
	size_t n_accels;
	struct mdev mdev;
	int mdev_result;		/* -ENOENT: there is none; 1: not asked for */
	struct mdev *made;		/* those of a plan that makes many, and how they were read */
	int *made_results;
	size_t n_made;
	struct inventory inventory;
	struct holding *holdings;
	size_t n_holdings;
	struct apply *apply;
	char *document;
	struct plan *plan;
	struct record *after;
	struct definition *definition;	/* as it will be */
	int result;
	struct manager_result res;
	char *plan_text;
};

struct manager {
	struct executor executor;	/* the worker's while a job is under way */
	struct worker *worker;
	struct ledger ledger;
	struct manager_observer observer;
	struct apply *apply;		/* the one that is under way */
	unsigned int caller;		/* see manager_act_for() */
	struct op *current, *first, **last;
	size_t n_queued;
	bool started, stopping, pumping;

	/* What a rescan has to read. */
	bool rescan_queued, rescan_all, rescan_definitions;
	int rescan_error;		/* of the last one; it is tried again later */
	uint64_t rescan_delay_usec;
	sd_event *event;		/* NULL: tried again with the next operation */
	sd_event_source *rescan_timer;
	char pending[MANAGER_MAX_PENDING][UUID_LEN];
	size_t n_pending;

	struct definition_bad *bad_definitions;
	size_t n_bad_definitions;
};

static inline struct op *op_of(struct job *job)
{
	return (struct op *)((char *)job - offsetof(struct op, job));
}

struct op *op_new(struct manager *m, enum op_kind kind, manager_done done, void *userdata);
void op_free(struct op *op);
int op_copy_string(char **ret, const char *s);

/* Reads the objects of the request, then plans and executes; ends in op_finish(). */
void op_start_read(struct op *op);
/* The same without looking for the objects: op_read_again() and op->uuid name them. */
void op_submit_read(struct op *op);
/* Adds a copy to what the worker reads. */
int op_read_again(struct op *op, const struct accel *a);
/* "create 1111..." */
void op_describe(const struct op *op, char *buf, size_t size);
/* From what is known now to op->plan and op->after, or to a refusal. */
int op_make_plan(struct op *op);
/* Sets op->candidate. */
int op_choose_candidate(struct op *op);
/* The same for those that concern a definition. */
int op_plan_define(struct op *op);
int op_plan_modify(struct op *op);
int op_plan_undefine(struct op *op);
/* Keeps what was read of the definitions; says in the log what could not be used. */
int manager_take_definitions(struct manager *m, struct inventory *inv);

/* Tells what changed, answers, frees, goes on with the queue. */
void op_finish(struct op *op, int r);
void op_fail(struct op *op, int error, const char *object, const char *reason);

/* A device that is not there may be another driver's: a refusal of it by that name. */
int holdings_explain(struct op *op, int r);
/* Reads who holds what. */
void holdings_begin(struct op *op);

/* Says who has the queue, and waits. */
void drain_begin(struct op *op);

/* Refuses a document that cannot be used. */
int apply_new(struct manager *m, const char *text, struct apply **ret,
	      struct refusal *ret_refusal);
void apply_drop(struct apply *a);
void apply_begin(struct op *op);
void apply_end_begin(struct op *op);
/* "apply, step 2 of 7" */
void apply_describe(const struct apply *a, char *buf, size_t size);
/* Enqueues the way back to @before. */
void apply_recover(struct manager *m, const char *before, bool same_boot);

/* The first of all: journal, store, hardware. */
void startup_begin(struct op *op);

/* Reads what manager_remember() was told of, or everything. */
void rescan_begin(struct op *op);
void rescan_queue(struct manager *m);
/* Keeps in mind how a rescan ended; after a failure it is tried again, less and less often. */
void rescan_ended(struct manager *m, int error);
/* Takes the accelerators over. */
int rescan_commit(struct ledger *l, struct inventory *inv);
void manager_remember(struct manager *m, const char *name);

/* Starts what waits, if nothing runs. */
void manager_pump(struct manager *m);
void manager_submit(struct manager *m, struct op *op);
/* The same, unless there was no memory for it or its strings. */
void manager_submit_request(struct manager *m, struct op *op, bool copied, manager_done done,
			    void *userdata);
void manager_enqueue_first(struct manager *m, struct op *op);

#endif
