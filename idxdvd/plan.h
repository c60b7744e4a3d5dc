/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_PLAN_H
#define IDXDVD_PLAN_H

/* What is to be done, as data: made by alloc, shown by a dry run, kept in the journal, run by apply. */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/definition.h"
#include "idxdvd/mdev.h"

enum plan_kind {
	PLAN_ADOPT,
	PLAN_RELEASE,
	PLAN_CREATE,
	PLAN_DESTROY,
	PLAN_POOL,
	PLAN_DEFINE,
	PLAN_UNDEFINE,
	PLAN_MODIFY,
	PLAN_AUTOSTART,			/* writes down that it is over */
	PLAN_START_ALL,			/* what is to run from the start on one device */
	PLAN_TRUST,			/* despite an erratum, or no longer */
	PLAN_KIND_COUNT,
};

enum step_kind {
	STEP_SET,		/* object, attr: old -> val */
	STEP_BIND,		/* object to driver attr */
	STEP_UNBIND,		/* object from driver attr */
	STEP_MDEV_CREATE,	/* object = UUID, attr = type, val = parent */
	STEP_MDEV_REMOVE,	/* the same, old = its wq: undo makes it again */
	STEP_MDEV_EVICT,	/* the same, and who has it open is asked to let go */
	STEP_MDEV_WQ,		/* object = UUID, val = wq */
	STEP_KIND_COUNT,
};

struct step {
	enum step_kind kind;
	char object[UUID_LEN];
	char attr[NAME_LEN];
	char old[LABEL_LEN];
	char val[LABEL_LEN];
	char reason[96];
};

struct plan {
	enum plan_kind kind;
	char accel[NAME_LEN];
	char bdf[NAME_LEN];		/* "": it concerns no accelerator, and no record */
	char uuid[UUID_LEN];		/* of the mdev that it is about, if it is about one */
	struct definition_change *definition;	/* NULL: none */
	struct step *steps;
	size_t n, size;
	int error;			/* first -ENOMEM while it was built */
};

const char *plan_kind_name(enum plan_kind kind);
const char *step_kind_name(enum step_kind kind);
/* After a crash this kind is carried on; the others are undone. */
bool plan_kind_rolls_forward(enum plan_kind kind);

int plan_new(struct plan **ret, enum plan_kind kind, const struct accel *a);
struct plan *plan_free(struct plan *p);
void plan_freep(struct plan **p);

/* Adds a step; a lack of memory is kept in p->error for whoever finishes the plan. */
void plan_add(struct plan *p, enum step_kind kind, const char *object, const char *attr,
	      const char *old, const char *val, const char *reason_fmt, ...) _printf_(7, 8);

/* The steps of another plan behind those that are there. */
int plan_append(struct plan *p, const struct plan *more);

/* "1. set wq0.1 mode: shared -> dedicated  (reason)", one a line. */
void step_format(const struct step *s, char *buf, size_t size);
int plan_format(const struct plan *p, char **ret);

#endif
