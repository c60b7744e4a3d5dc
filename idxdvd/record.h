/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_RECORD_H
#define IDXDVD_RECORD_H

/* What is kept of one adopted accelerator: what was asked, and what on it is ours. Data and JSON. */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/mdev.h"
#include "idxdvd/plan.h"

#define RECORD_MAX_WQS 256	/* WQCAP's field has 8 bits */

struct json_object;

struct record_mdev {
	char uuid[UUID_LEN];
	char type[NAME_LEN];
	char lease[LEASE_LEN];
	unsigned int owner;		/* number of the user it counts for */
};

/* The wq that a UUID had last, for the day when it comes again. */
struct record_binding {
	char uuid[UUID_LEN];
	char wq[NAME_LEN];
	bool started;			/* in this boot, and since the device is there */
	unsigned int owner;		/* who made it last */
};

struct record {
	char bdf[NAME_LEN];
	char boot_id[UUID_LEN];		/* in which what follows is true */
	char op[UUID_LEN];		/* the operation that wrote this: its journal entry is done */
	unsigned int host_wqs, pool_min;
	bool laid_out;
	unsigned int iaa_engines;	/* see alloc_history */
	bool iaa_enabled;
	bool wqs[RECORD_MAX_WQS];	/* bound by us */
	struct record_mdev *mdevs;
	size_t n_mdevs;
	struct record_binding *bindings;
	size_t n_bindings;
	bool autostarted;		/* what is to run from the start was started in this boot */
};

int record_new(struct record **ret, const char *bdf);
int record_copy(const struct record *rec, struct record **ret);
struct record *record_free(struct record *rec);
void record_freep(struct record **rec);

bool record_has_mdev(const struct record *rec, const char *uuid);
int record_add_mdev(struct record *rec, const char *uuid, const char *type);
/* "" if it has none, or is not there. */
const char *record_lease(const struct record *rec, const char *uuid);
void record_set_lease(struct record *rec, const char *uuid, const char *lease);
/* 0 if it is not there. */
unsigned int record_owner(const struct record *rec, const char *uuid);
/* Of the mdev, and of its binding, so that it is his when it comes again. */
void record_set_owner(struct record *rec, const char *uuid, unsigned int owner);
void record_drop_mdev(struct record *rec, const char *uuid);
/* NULL: none is known. */
const struct record_binding *record_binding(const struct record *rec, const char *uuid);
int record_bind(struct record *rec, const char *uuid, const char *wq, bool started);
/* The device is new: what is to run from the start has to be started. */
void record_restart(struct record *rec);
/* Forgets the bindings of those that are neither mdevs nor wanted. */
void record_prune(struct record *rec, bool (*is_wanted)(void *userdata, const char *uuid),
		  void *userdata);
/* Follows a plan that was carried out: wqs bound and unbound, mdevs made and removed. */
int record_apply(struct record *rec, const struct plan *p);

/* Overlays @o's known keys, so that keys of a later version survive. */
int record_to_json(const struct record *rec, struct json_object *o);
int record_from_json(struct json_object *o, struct record **ret);

#endif
