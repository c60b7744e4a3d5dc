/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_LEDGER_H
#define IDXDVD_LEDGER_H

/*
 * Joins what the backend read with what the store knows: who holds what. Data only; every change is
 * noted, for whoever tells others, until ledger_take_changes().
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/definition.h"
#include "idxdvd/device.h"
#include "idxdvd/manager.h"
#include "idxdvd/mdev.h"
#include "idxdvd/policy.h"
#include "idxdvd/record.h"

#define LEDGER_BUCKETS 1024

/* An accelerator and what is kept of it; either may be missing, not both. */
struct slot {
	char bdf[NAME_LEN];
	struct accel *accel;
	struct record *record;
	bool appeared;			/* the accelerator is new since the last look at this */
	bool autostart_failed;		/* of one at least; tried again by the next daemon */
	bool stalled;			/* upkeep failed; wait for a change before it is tried again */
};

struct change {
	enum object_kind kind;
	enum object_change change;
	char id[UUID_LEN];
};

struct ledger {
	char boot_id[UUID_LEN];
	const struct policy *policy;	/* NULL: it says nothing */
	struct slot *slots;
	size_t n_slots;
	struct accel **accels;		/* those of the slots, in the order of their names */
	size_t n_accels;
	struct mdev *buckets[LEDGER_BUCKETS];
	size_t n_mdevs;
	struct definition *definitions[LEDGER_BUCKETS];
	size_t n_definitions;
	struct change *changes;
	size_t n_changes, size_changes;
};

void ledger_init(struct ledger *l);
void ledger_done(struct ledger *l);

struct slot *ledger_slot(struct ledger *l, const char *bdf);
struct accel *ledger_find_accel(const struct ledger *l, const char *name_or_bdf);
struct mdev *ledger_find_mdev(const struct ledger *l, const char *uuid);
struct mdev *ledger_next_mdev(const struct ledger *l, const struct mdev *prev);

/* Takes the accelerator over, in place of an older one at the same address. */
int ledger_put_accel(struct ledger *l, struct accel *a);
void ledger_drop_accel(struct ledger *l, const char *bdf);
/* Takes the record over; NULL: it is not adopted (any more). */
int ledger_put_record(struct ledger *l, const char *bdf, struct record *rec);
int ledger_put_mdev(struct ledger *l, const struct mdev *m);
void ledger_drop_mdev(struct ledger *l, const char *uuid);

struct definition *ledger_find_definition(const struct ledger *l, const char *uuid);
struct definition *ledger_next_definition(const struct ledger *l, const struct definition *prev);
/* Takes the definition over, in place of an older one of the same UUID. */
void ledger_put_definition(struct ledger *l, struct definition *d);
void ledger_drop_definition(struct ledger *l, const char *uuid);
/* Takes over what is in the array; forgets what is not. */
void ledger_replace_definitions(struct ledger *l, struct definition **defs, size_t n);
/*
 * The next one of this accelerator that is to run from the start and does not: first those that want
 * a certain queue, then those that had one, so that nobody else takes it.
 */
struct definition *ledger_next_autostart(struct ledger *l, const struct slot *s);

/* Inside of the ledger. */
size_t ledger_bucket(const char *uuid);
void ledger_note(struct ledger *l, enum object_kind kind, enum object_change change,
		 const char *id);

/* The caller frees the array. */
size_t ledger_take_changes(struct ledger *l, struct change **ret);

#endif
