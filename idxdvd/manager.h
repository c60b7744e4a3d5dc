/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_MANAGER_H
#define IDXDVD_MANAGER_H

/*
 * Owns every object and runs every operation. An operation is planned on the event loop, executed by
 * one worker thread, and committed on the loop; operations are run one after the other in the order
 * in which they were asked for. All functions and callbacks belong to the loop's thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/device.h"
#include "idxdvd/mdev.h"
#include "idxdvd/refusal.h"

typedef struct sd_event sd_event;
struct backend;
struct definition;
struct definition_bad;
struct holding;
struct manager;
struct policy;

enum object_kind {
	OBJECT_ACCEL,		/* id "dsa0" */
	OBJECT_WQ,		/* id "wq0.1" */
	OBJECT_MDEV,		/* id UUID */
	OBJECT_DEFINITION,	/* id UUID */
	OBJECT_KIND_COUNT,
};

enum object_change {
	OBJECT_ADDED,		/* it can be looked up now */
	OBJECT_REMOVED,		/* it can no longer be looked up */
	OBJECT_CHANGED,
};

/* Installed by the D-Bus side. Called after the store and the memory are up to date. */
struct manager_observer {
	void (*object)(void *userdata, enum object_kind kind, enum object_change change,
		       const char *id);
	void *userdata;
};

/* Handed to a done callback; valid during the call only. */
struct manager_result {
	char uuid[UUID_LEN];		/* create: the mdev's UUID, also on a dry run */
	const char *plan;		/* the steps as text, one a line; "" if none was made */
	const struct holding *holdings;	/* of manager_holdings() */
	size_t n_holdings;
	struct refusal refusal;		/* kind is REFUSE_NONE on success */
};

/* @r is 0, or a negative errno with res->refusal filled. Called exactly once for each operation. */
typedef void (*manager_done)(void *userdata, int r, const struct manager_result *res);

struct manager_config {
	sd_event *event;		/* NULL: synchronous, no thread; done runs before return */
	struct backend *backend;	/* taken over */
	const char *state_dir;		/* /var/lib/idxdvd; made if it is missing */
	const char *mdevctl_dir;	/* /etc/mdevctl.d; NULL: mdevctl.d in the state directory */
	const char *definition_dir;	/* /etc/idxdvd/mdev.d; NULL: mdev.d there */
	const struct policy *policy;	/* outlives the manager; NULL: it says nothing */
	struct manager_observer observer;
};

int manager_new(struct manager **ret, const struct manager_config *config);
/* Waits for the operation that runs, refuses what is queued. Changes nothing on the hardware. */
struct manager *manager_free(struct manager *m);
void manager_freep(struct manager **m);

/* Reads journal, store and hardware, finishes or undoes what a crash left. Once, before all else. */
void manager_start(struct manager *m, manager_done done, void *userdata);
/* No operation is running or queued. */
bool manager_is_idle(const struct manager *m);

enum {
	ADOPT_HOST_WQS = 1 << 0,
	ADOPT_POOL_MIN = 1 << 1,
	ADOPT_DRY_RUN = 1 << 2,
};

struct adopt_options {
	unsigned int set;		/* ADOPT_*: which of the fields count */
	unsigned int host_wqs;		/* default 1 */
	unsigned int pool_min;		/* default 1 */
};

enum {
	CREATE_DRY_RUN = 1 << 0,
	CREATE_PLACE = 1 << 1,
};

struct create_request {
	const char *type;		/* idxd-dsa-1dwq-v1 */
	const char *parent;		/* dsa0 or PCI address; NULL: any adopted */
	const char *uuid;		/* NULL: a new one */
	const char *wq;			/* wq0.1; NULL: any */
	const char *lease;		/* kept with the mdev, see mdev.h; NULL: none */
	unsigned int flags;		/* CREATE_* */
	const char *placement;		/* spread or pack; counts with CREATE_PLACE, as what follows */
	int numa_node;			/* -1: any */
	unsigned int min_size;
	unsigned int priority, max_transfer, max_batch;	/* 0: the usual ones */
};

/* The user for whom the following calls ask; root unless said. */
void manager_act_for(struct manager *m, unsigned int uid);
/* False: no user is bound by one. */
bool manager_has_quotas(const struct manager *m);
/* How many more mdevs that user may make; -1: no quota binds him. */
int manager_quota_left(const struct manager *m, unsigned int uid);
/* Refuses if that is none. */
int manager_check_quota(const struct manager *m, unsigned int uid, struct refusal *ret);

/* Strings are copied. @done may be NULL. @device is dsa0 or a PCI address. */
void manager_adopt(struct manager *m, const char *device, const struct adopt_options *opts,
		   manager_done done, void *userdata);
void manager_release(struct manager *m, const char *device, bool dry_run, manager_done done,
		     void *userdata);
/* Opens a device under an erratum for guests until the module lets it go, or closes it (@on false). */
void manager_trust(struct manager *m, const char *device, bool on, bool dry_run, manager_done done,
		   void *userdata);
void manager_create_mdev(struct manager *m, const struct create_request *req, manager_done done,
			 void *userdata);
void manager_destroy_mdev(struct manager *m, const char *uuid, bool dry_run, manager_done done,
			  void *userdata);

/*
 * The same by force: an mdev that is open, or that others made. Who has it open is asked to let go;
 * nobody is killed, and if he does not the mdev goes when he does. Release takes all mdevs first.
 */
void manager_destroy_by_force(struct manager *m, const char *uuid, bool dry_run, manager_done done,
			      void *userdata);
void manager_release_by_force(struct manager *m, const char *device, bool dry_run,
			      manager_done done, void *userdata);

struct drain_request {
	const char *object;		/* wq0.1, or the UUID of an mdev */
	int pid;			/* 0: all, else of this process that has the queue open */
	unsigned int pasid;		/* 0: all, else of this one, on all queues of the device */
	bool dry_run;
};

/* Answers when nothing is in flight; changes nothing, and stops nobody. The plan says who it is. */
void manager_drain(struct manager *m, const struct drain_request *req, manager_done done,
		   void *userdata);

enum {
	DEFINE_TYPE = 1 << 0,
	DEFINE_WQ = 1 << 1,
	DEFINE_AUTOSTART = 1 << 2,
	DEFINE_LABELS = 1 << 3,
	DEFINE_DRY_RUN = 1 << 4,
};

/* What is not in @set is left as it is; in a new definition that is manual, any queue, no labels. */
struct define_request {
	unsigned int set;		/* DEFINE_* */
	const char *uuid;		/* define: NULL is a new one */
	const char *parent;		/* define only; NULL: the mdev's if it runs, else one that fits */
	const char *type;
	const char *wq;			/* "any" */
	bool autostart;
	char *const *labels;		/* "key=value"; "key=" removes; ends in NULL */
};

/* Definitions outlive the kernel and need not run; an mdev that runs is not touched by these. */
void manager_define(struct manager *m, const struct define_request *req, manager_done done,
		    void *userdata);
void manager_modify(struct manager *m, const struct define_request *req, manager_done done,
		    void *userdata);
void manager_undefine(struct manager *m, const char *uuid, bool dry_run, manager_done done,
		      void *userdata);
/* Creates the mdev that is defined so. */
void manager_start_mdev(struct manager *m, const char *uuid, bool dry_run, manager_done done,
			void *userdata);

/* Files of definitions may have been edited. */
void manager_rescan_definitions(struct manager *m);

/* Something may have changed; @subsystem and @name as in the uevent, both NULL: read everything. */
void manager_rescan(struct manager *m, const char *subsystem, const char *name);
/* Reads everything, facts without an event included; @done comes when that is known. */
void manager_refresh(struct manager *m, manager_done done, void *userdata);

/*
 * Makes everything of ours what the document says (hostdoc.h), all or nothing; a plan of no steps if
 * it is that already.
 */
void manager_apply(struct manager *m, const char *document, bool dry_run, manager_done done,
		   void *userdata);
/*
 * Has the one that is under way taken back after the step that is being done; it is answered as
 * cancelled. One that has done its last step is no longer cancelled.
 */
int manager_cancel_apply(struct manager *m, struct refusal *ret);
/* What is being done now, in a few words, "" if nothing; and how many wait for it. */
void manager_describe(const struct manager *m, char *buf, size_t size, size_t *ret_waiting);
/* What is ours as such a document; the caller frees it. */
int manager_export(const struct manager *m, char **ret);

/* Looks who holds what now; @wq NULL: all. */
void manager_holdings(struct manager *m, const char *wq, manager_done done, void *userdata);

/* What there is. Pointers are valid until the loop runs again. */
size_t manager_n_accels(const struct manager *m);
const struct accel *manager_accel(const struct manager *m, size_t i);
const struct accel *manager_find_accel(const struct manager *m, const char *name_or_bdf);
const struct wq *manager_find_wq(const struct manager *m, const char *name,
				 const struct accel **ret_accel);
const struct mdev *manager_next_mdev(const struct manager *m, const struct mdev *prev);
const struct mdev *manager_find_mdev(const struct manager *m, const char *uuid);
size_t manager_n_mdevs(const struct manager *m);
const struct definition *manager_next_definition(const struct manager *m,
						 const struct definition *prev);
const struct definition *manager_find_definition(const struct manager *m, const char *uuid);
size_t manager_n_definitions(const struct manager *m);
/* Files that should be definitions and cannot be used. */
const struct definition_bad *manager_bad_definitions(const struct manager *m, size_t *ret_n);
/* mdevs of that type that could be created now: pool and free wqs of adopted accelerators. */
unsigned int manager_type_available(const struct manager *m, const struct mdev_type *type,
				    const struct accel *a /* NULL: all */);

#endif
