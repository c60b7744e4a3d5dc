/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_LEDGER_H
#define IDXDVD_LEDGER_H

/*
 * Joins what the backend read with what the store knows: who holds what. Data only; every change is
 * noted, for whoever tells others, until ledger_take_changes().
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/common/table.h"
#include "idxdvd/definition.h"
#include "idxdvd/device.h"
#include "idxdvd/manager.h"
#include "idxdvd/mdev.h"
#include "idxdvd/policy.h"
#include "idxdvd/record.h"

/* An accelerator and what is kept of it; either may be missing, not both. */
struct slot {
	char bdf[NAME_LEN];
	struct accel *accel;
	struct record *record;
	size_t index, order;		/* in the ledger's two arrays */
	bool appeared;			/* the accelerator is new since the last look at this */
	bool autostart_failed;		/* of one at least; tried again by the next daemon */
	bool stalled;			/* upkeep failed; wait for a change before it is tried again */
	bool unsettled;			/* what follows from a change is not worked out yet */
	bool touched;			/* in the list of those that upkeep has to look at */
	struct slot *next_touched;

	/* What is to run from the start, in order; not known before somebody asks. */
	bool starts_known;
	char (*starts)[UUID_LEN];
	size_t n_starts, next_start;
	bool all_tried;			/* to start them at once; the rest goes one by one */
};

struct change {
	enum object_kind kind;
	enum object_change change;
	char id[UUID_LEN];
	size_t earlier;			/* index + 1 of the one before it of the same object */
	bool dead;
};

struct ledger {
	char boot_id[UUID_LEN];
	const struct policy *policy;	/* NULL: it says nothing */
	struct slot **slots;
	size_t n_slots;
	struct table names, wq_names;	/* slots by 0000:6a:01.0 or dsa0, and by wq0 */
	struct slot *touched, **last_touched;
	bool batch;
	struct accel **accels;		/* those of the slots, in the order of their names */
	size_t n_accels;
	struct table mdevs, definitions;	/* by UUID */
	struct table owners;		/* number of mdevs by number of the user */
	struct change *changes;
	size_t n_changes, size_changes;
	struct table noted;		/* index + 1 of the last change by object */
};

void ledger_init(struct ledger *l);
void ledger_done(struct ledger *l);

struct slot *ledger_slot(struct ledger *l, const char *bdf);
struct accel *ledger_find_accel(const struct ledger *l, const char *name_or_bdf);
struct wq *ledger_find_wq(const struct ledger *l, const char *name, struct accel **ret_accel);
struct mdev *ledger_find_mdev(const struct ledger *l, const char *uuid);
struct mdev *ledger_next_mdev(const struct ledger *l, const struct mdev *prev);

/* How many mdevs that this user made. */
unsigned int ledger_count_owner(const struct ledger *l, unsigned int uid);

/* Between the two what follows from changes is worked out once for all of them, at the end. */
void ledger_begin(struct ledger *l);
void ledger_end(struct ledger *l);

/* The next that upkeep has to look at; it stays that until it is passed. */
struct slot *ledger_touched(const struct ledger *l);
void ledger_pass_touched(struct ledger *l);

/* Takes the accelerator over, in place of an older one at the same address. */
int ledger_put_accel(struct ledger *l, struct accel *a);
void ledger_drop_accel(struct ledger *l, const char *bdf);
/* Takes the record over; NULL: it is not adopted (any more). */
int ledger_put_record(struct ledger *l, const char *bdf, struct record *rec);
int ledger_put_mdev(struct ledger *l, const struct mdev *m);
void ledger_drop_mdev(struct ledger *l, const char *uuid);
/* Forgets those that are not in the array. */
int ledger_keep_accels(struct ledger *l, struct accel *const *accels, size_t n);
int ledger_keep_mdevs(struct ledger *l, const struct mdev *mdevs, size_t n);

struct definition *ledger_find_definition(const struct ledger *l, const char *uuid);
struct definition *ledger_next_definition(const struct ledger *l, const struct definition *prev);
/* Takes the definition over, in place of an older one of the same UUID. */
int ledger_put_definition(struct ledger *l, struct definition *d);
void ledger_drop_definition(struct ledger *l, const char *uuid);
/* Takes over what is in the array; forgets what is not, unless it could not be read. */
int ledger_replace_definitions(struct ledger *l, struct definition **defs, size_t n,
			       const struct definition_bad *bad, size_t n_bad);
/*
 * The next one of this accelerator that is to run from the start and does not: first those that want
 * a certain queue, then those that had one, so that nobody else takes it.
 */
struct definition *ledger_next_autostart(struct ledger *l, struct slot *s);

/* What is to run from the start on it has to be started: it is new, or what makes mdevs is. */
void ledger_restart(struct ledger *l, struct slot *s);

/* Inside of the ledger: an mdev comes to a wq, goes from it, or is read again where it is. */
void seat_take(struct wq *w, struct mdev *m);
void seat_leave(const struct ledger *l, struct wq *w, const struct mdev *m);
void seat_change(struct wq *w, const struct mdev *before, struct mdev *m);
/* Who is on it is not read with the accelerator; @old NULL: nobody yet. */
void seat_keep(struct wq *w, const struct wq *old);
void ledger_touch(struct ledger *l, struct slot *s);
void ledger_forget_starts(struct slot *s);
/* Those of this parent that had their turn have one again. */
void ledger_try_starts(struct ledger *l, struct slot *s);
void ledger_note(struct ledger *l, enum object_kind kind, enum object_change change,
		 const char *id);

/* The caller frees the array. */
size_t ledger_take_changes(struct ledger *l, struct change **ret);

#endif
