/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_EXECUTE_H
#define IDXDVD_EXECUTE_H

/*
 * The part of an operation that may sleep: read, journal, act, commit. Worker only. The order is
 * always intent, hardware, record, end of intent; what a crash leaves between them is finished or
 * taken back by execute_start().
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/backend.h"
#include "idxdvd/defstore.h"
#include "idxdvd/journal.h"
#include "idxdvd/plan.h"
#include "idxdvd/record.h"
#include "idxdvd/refusal.h"
#include "idxdvd/store.h"

struct executor {
	struct backend *backend;
	struct store *store;
	struct defstore *definitions;
	struct journal *journal;
	int lock_fd;			/* the state directory, locked against a second daemon */
	char boot_id[UUID_LEN];
	/* Devices of which the journal holds an entry that could not be settled. */
	char (*unsettled)[NAME_LEN];
	size_t n_unsettled;
	bool unsettled_all;		/* it is not known which */
	bool retried;			/* something was taken back late: read everything again */
};

/* What the machine and the store hold at the start. */
struct inventory {
	struct record **records;
	size_t n_records;
	struct store_bad *bad;
	size_t n_bad;
	struct accel **accels;
	size_t n_accels;
	struct mdev *mdevs;
	size_t n_mdevs;
	struct definition **definitions;
	size_t n_definitions;
	struct definition_bad *bad_definitions;
	size_t n_bad_definitions;
	char *before;			/* an apply that was interrupted: what was before it */
	bool before_same_boot;
};

/* Where things are kept; NULL for the last two: below the first. */
struct directories {
	const char *state, *mdevctl, *definitions;
};

/* -EWOULDBLOCK: another daemon uses this state directory. Logs what is wrong with it. */
int executor_init(struct executor *e, struct backend *b, const struct directories *dirs);
void executor_done(struct executor *e);

/* Settles the journal, then reads everything. */
int execute_start(struct executor *e, struct inventory *ret, struct refusal *ret_refusal);
/* Reads accelerators and mdevs only, or definitions only. */
int execute_scan(struct executor *e, struct inventory *ret);
int execute_scan_definitions(struct executor *e, struct inventory *ret);
void inventory_done(struct inventory *inv);

/*
 * Carries a plan out and commits @after (NULL: deletes the record), whose op is set here. On an
 * error everything is as before, unless executor_is_unsettled() for that device.
 */
int execute_plan(struct executor *e, const struct plan *p, struct record *after,
		 struct refusal *ret_refusal);

/* An operation on the device could be neither finished nor taken back yet; NULL: on any. */
bool executor_is_unsettled(const struct executor *e, const char *bdf);

/* What was before a change of everything, kept until that is over; ret_text NULL: nothing is. */
int execute_remember_before(struct executor *e, const char *text);
int execute_forget_before(struct executor *e);
int execute_read_before(struct executor *e, char **ret_text, bool *ret_same_boot);

/* Takes back what could not be taken back when its operation was refused. */
int execute_retry(struct executor *e);

#endif
