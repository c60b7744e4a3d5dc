/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "idxdvd/apply.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/message.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/execute.h"
#include "idxdvd/fs.h"

static void log_directory(const char *state_dir, int error)
{
	if (error == -EWOULDBLOCK)
		log_error("%s: another idxdvd uses it; stop that one, or name another directory with --state-dir",
			  state_dir);
	else
		log_error("%s: cannot be used as the state directory: %s; run idxdvd as root, or name a directory that it may write with --state-dir",
			  state_dir, strerror(-error));
}

static int open_state(struct executor *e, const char *dir)
{
	int r;

	r = fs_open_dir(dir, &e->lock_fd);
	if (r >= 0 && flock(e->lock_fd, LOCK_EX | LOCK_NB) < 0)
		r = -errno;
	if (r >= 0)
		r = store_new(&e->store, e->lock_fd);
	if (r >= 0)
		r = journal_new(&e->journal, e->lock_fd);
	if (r < 0)
		log_directory(dir, r);
	return r;
}

static int open_definitions(struct executor *e, const struct directories *dirs)
{
	char mdevctl[PATH_MAX], ours[PATH_MAX];
	int r;

	if (snprintf(mdevctl, sizeof(mdevctl), "%s/mdevctl.d", dirs->state) >= (int)sizeof(mdevctl) ||
	    snprintf(ours, sizeof(ours), "%s/mdev.d", dirs->state) >= (int)sizeof(ours))
		return -ENAMETOOLONG;
	r = defstore_new(&e->definitions, dirs->mdevctl ? dirs->mdevctl : mdevctl,
			 dirs->definitions ? dirs->definitions : ours);
	if (r < 0)
		log_error("the directories of definitions cannot be opened: %s; see that /etc can be written",
			  strerror(-r));
	return r;
}

int executor_init(struct executor *e, struct backend *b, const struct directories *dirs)
{
	int r;

	memset(e, 0, sizeof(*e));
	e->lock_fd = -1;
	r = open_state(e, dirs->state);
	if (r >= 0)
		r = open_definitions(e, dirs);
	if (r < 0) {
		executor_done(e);
		return r;
	}
	e->backend = b;
	return 0;
}

void executor_done(struct executor *e)
{
	e->store = store_free(e->store);
	e->definitions = defstore_free(e->definitions);
	e->journal = journal_free(e->journal);
	e->backend = backend_free(e->backend);
	free(TAKE(e->unsettled));
	closep(&e->lock_fd);
	e->lock_fd = -1;
}

bool executor_is_unsettled(const struct executor *e, const char *bdf)
{
	if (!bdf || e->unsettled_all)
		return e->n_unsettled || e->unsettled_all;
	for (size_t i = 0; i < e->n_unsettled; i++)
		if (!strcmp(e->unsettled[i], bdf))
			return true;
	return false;
}

static void note_unsettled(struct executor *e, const char *bdf)
{
	char (*more)[NAME_LEN];

	more = realloc(e->unsettled, (e->n_unsettled + 1) * sizeof(*more));
	if (!more) {
		e->unsettled_all = true;
		return;
	}
	e->unsettled = more;
	snprintf(more[e->n_unsettled++], sizeof(*more), "%s", bdf);
}

/* --- one plan -------------------------------------------------------------------------------- */

static int commit(struct executor *e, const struct plan *p, const struct record *after)
{
	if (!p->bdf[0])
		return 0;
	return after ? store_put(e->store, after) : store_delete(e->store, p->bdf);
}

/* 1: the store holds what the operation wants; 0: it does not. */
static int is_committed(struct executor *e, const struct journal_entry *entry)
{
	_cleanup_(record_freep) struct record *rec = NULL;
	int r;

	if (!entry->plan->bdf[0])
		return 0;
	r = store_get(e->store, entry->plan->bdf, &rec);
	if (r == -ENOENT)
		return !entry->after;
	if (r < 0)
		return r;
	return entry->after && !strcmp(rec->op, entry->op);
}

static void end(struct executor *e, const struct journal_entry *entry)
{
	int r = journal_end(e->journal, entry->op);

	if (r < 0) {
		log_error("journal entry %s cannot be removed: %s", entry->op, strerror(-r));
		note_unsettled(e, entry->plan->bdf);
	}
}

/* On an error the device is unsettled. */
static int take_back(struct executor *e, struct journal_entry *entry, size_t n)
{
	const struct definition_change *definition = entry->plan->definition;
	int r = apply_undo(e->backend, entry->plan, n);

	if (r >= 0 && definition)
		r = defstore_undo(e->definitions, definition);
	if (r < 0) {
		message_log(&(struct message){
				.kind = MESSAGE_UNSETTLED, .level = LOG_ERR,
				.operation = plan_kind_name(entry->plan->kind),
				.accelerator = entry->plan->accel, .mdev = entry->plan->uuid,
			    }, "%s of %s could not be taken back, it is tried again later",
			    plan_kind_name(entry->plan->kind), entry->plan->accel);
		note_unsettled(e, entry->plan->bdf);
		entry->refused = true;
		if (journal_begin(e->journal, entry) < 0)
			log_error("and the journal cannot be written");
		return r;
	}
	end(e, entry);
	return 0;
}

#define NOT_TAKEN_BACK "could not be taken back yet; it is tried again before each operation"

/* Whoever is refused must not think that all is as it was. */
static void add_not_taken_back(struct refusal *r)
{
	size_t n = strlen(r->reason);

	snprintf(r->reason + n, sizeof(r->reason) - n,
		 ", and what was done before it " NOT_TAKEN_BACK);
}

/* A record that cannot be read may say anything about the device: nothing is touched then. */
static int check_record(struct executor *e, const char *bdf, struct refusal *ret)
{
	_cleanup_(record_freep) struct record *rec = NULL;
	int r = bdf[0] ? store_get(e->store, bdf, &rec) : 0;

	if (r >= 0 || r == -ENOENT)
		return 0;
	return refuse(ret, REFUSE_FAILED, -r, bdf,
		      "mend the file in the state directory's devices, or move it away",
		      "its record cannot be used: %s", strerror(-r));
}

static int refuse_definition(const struct plan *p, int r, struct refusal *ret)
{
	if (r == -ESTALE)
		return refuse(ret, REFUSE_FAILED, ESTALE, p->uuid, "try again",
			      "somebody edited its definition in the same moment");
	return refuse(ret, REFUSE_FAILED, -r, p->uuid,
		      "see that /etc/mdevctl.d and /etc/idxdvd/mdev.d can be written",
		      "its definition cannot be written, so nothing was changed: %s",
		      strerror(-r));
}

/* The steps, then the files of the definition. */
static int carry_out(struct executor *e, const struct plan *p, bool again, size_t *ret_acted,
		     struct refusal *ret_refusal)
{
	int r;

	r = (again ? apply_plan_again : apply_plan)(e->backend, p, ret_acted, ret_refusal);
	if (r < 0 || !p->definition)
		return r;
	r = defstore_do(e->definitions, p->definition);
	return r < 0 ? refuse_definition(p, r, ret_refusal) : 0;
}

/* What was taken from its user cannot be given back to him. */
static bool is_final(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].kind == STEP_MDEV_EVICT)
			return true;
	return false;
}

int execute_plan(struct executor *e, const struct plan *p, struct record *after,
		 struct refusal *ret_refusal)
{
	struct journal_entry entry = { .plan = (struct plan *)p, .after = after };
	size_t acted;
	int r;

	r = check_record(e, p->bdf, ret_refusal);
	if (r < 0)
		return r;
	r = p->definition ? defstore_check(e->definitions, p->definition) : 0;
	if (r < 0)
		return refuse_definition(p, r, ret_refusal);
	r = uuid_random(entry.op);
	if (r < 0)
		return refuse(ret_refusal, REFUSE_FAILED, -r, p->accel,
			      "see the kernel log, then try again", "no random numbers");
	memcpy(entry.boot_id, e->boot_id, sizeof(entry.boot_id));
	if (after) {
		memcpy(after->op, entry.op, sizeof(after->op));
		memcpy(after->boot_id, e->boot_id, sizeof(after->boot_id));
	}

	r = journal_begin(e->journal, &entry);
	if (r < 0) {
		end(e, &entry);
		return refuse(ret_refusal, REFUSE_FAILED, -r, p->accel,
			      "see that the state directory can be written",
			      "the journal cannot be written, so nothing was done: %s",
			      strerror(-r));
	}

	r = carry_out(e, p, false, &acted, ret_refusal);
	if (r < 0) {
		if (take_back(e, &entry, acted) < 0)
			add_not_taken_back(ret_refusal);
		return r;
	}

	r = commit(e, p, after);
	/* It is done; the journal still says so, and the record is written before the next operation. */
	if (r < 0 && is_final(p) && is_committed(e, &entry) != 1) {
		log_error("record of %s cannot be written, it is tried again later: %s", p->bdf,
			  strerror(-r));
		note_unsettled(e, p->bdf);
		return 0;
	}
	/* The new text may be in place although making it durable failed. */
	if (r < 0 && is_committed(e, &entry) != 1) {
		bool undone = take_back(e, &entry, p->n) == 0;

		return refuse(ret_refusal, REFUSE_FAILED, -r, p->bdf,
			      "see that the state directory can be written",
			      "its record cannot be written (%s), %s", strerror(-r),
			      undone ? "so all was taken back" :
				       "and what was done " NOT_TAKEN_BACK);
	}
	end(e, &entry);
	return 0;
}

/* --- after a crash --------------------------------------------------------------------------- */

/* Somebody opened what we were creating: taking it back would wait for him, so it stays. */
static bool is_taken_already(struct executor *e, const struct plan *p)
{
	struct mdev m;

	return p->kind == PLAN_CREATE && e->backend->ops->read_mdev(e->backend, p->uuid, &m) == 0 &&
	       m.in_use;
}

/* The names in a plan mean the devices of its time; they can have been given out anew. */
static bool is_same_device(struct accel *const *accels, size_t n, const struct plan *p)
{
	if (!p->bdf[0])
		return true;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(accels[i]->name, p->accel) && !strcmp(accels[i]->bdf, p->bdf))
			return true;
	return false;
}

/* The hardware forgot what was done to it; a file did not. */
static bool is_of_other_boot(const struct executor *e, const struct journal_entry *entry)
{
	return entry->plan->bdf[0] && strcmp(entry->boot_id, e->boot_id);
}

static void settle(struct executor *e, struct journal_entry *entry)
{
	const struct plan *p = entry->plan;
	bool forward = !entry->refused &&
		       (plan_kind_rolls_forward(p->kind) || is_taken_already(e, p));
	struct refusal refusal;
	char text[1024];
	size_t acted;
	int r;

	message_log(&(struct message){
			.kind = MESSAGE_INTERRUPTED, .level = LOG_NOTICE,
			.operation = plan_kind_name(p->kind), .accelerator = p->accel, .mdev = p->uuid,
		    }, "%s of %s was interrupted, it is %s", plan_kind_name(p->kind),
		    p->uuid[0] ? p->uuid : p->accel, forward ? "finished" : "taken back");
	if (!forward) {
		take_back(e, entry, p->n);
		return;
	}

	r = is_taken_already(e, p) ? 0 : carry_out(e, p, true, &acted, &refusal);
	if (r < 0) {
		refusal_format(&refusal, text, sizeof(text));
		log_warning("it cannot be finished, it is taken back: %s", text);
	} else {
		r = commit(e, p, entry->after);
		if (r < 0)
			log_warning("its record cannot be written, it is taken back: %s",
				    strerror(-r));
	}
	if (r < 0 && is_committed(e, entry) != 1)
		take_back(e, entry, p->n);
	else
		end(e, entry);
}

/*
 * Finishes or takes back what is in the journal. Until it is known what is in there, and what there
 * is, nothing is known to be settled.
 */
static int recover(struct executor *e)
{
	struct journal_entry *entries = NULL;
	struct accel **accels = NULL;
	size_t n, n_accels = 0, bad;
	int r;

	e->unsettled_all = true;
	r = journal_load(e->journal, &entries, &n, &bad);
	if (r < 0)
		return r;
	if (bad)
		log_error("%zu journal entries cannot be read and are left alone", bad);
	if (n)
		r = e->backend->ops->scan(e->backend, &accels, &n_accels);
	if (r >= 0) {
		e->n_unsettled = 0;
		e->unsettled_all = false;
	}

	for (size_t i = 0; r >= 0 && i < n; i++) {
		int committed = is_committed(e, &entries[i]);

		if (committed < 0) {
			log_error("record of %s cannot be read: %s", entries[i].plan->bdf,
				  strerror(-committed));
			note_unsettled(e, entries[i].plan->bdf);
		} else if (committed || is_of_other_boot(e, &entries[i]) ||
			   !is_same_device(accels, n_accels, entries[i].plan)) {
			end(e, &entries[i]);
		} else {
			settle(e, &entries[i]);
		}
	}

	for (size_t i = 0; i < n_accels; i++)
		accel_free(accels[i]);
	free(accels);
	journal_entries_free(entries, n);
	return r;
}

int execute_retry(struct executor *e)
{
	e->retried = true;
	return recover(e);
}

/* --- all or nothing -------------------------------------------------------------------------- */

#define BEFORE_FILE "apply.json"
#define BEFORE_MAX (16 * 1024 * 1024)

/* The first line is the boot in which it is true. */
int execute_remember_before(struct executor *e, const char *text)
{
	_cleanup_(freep) char *file = NULL;

	if (asprintf(&file, "%s\n%s", e->boot_id, text) < 0)
		return -ENOMEM;
	return fs_write(e->lock_fd, BEFORE_FILE, file);
}

int execute_forget_before(struct executor *e)
{
	return fs_remove(e->lock_fd, BEFORE_FILE);
}

int execute_read_before(struct executor *e, char **ret_text, bool *ret_same_boot)
{
	_cleanup_(freep) char *file = NULL;
	char *text;
	int r;

	*ret_text = NULL;
	fs_remove(e->lock_fd, BEFORE_FILE FS_TEMP_SUFFIX);
	r = fs_read(e->lock_fd, BEFORE_FILE, BEFORE_MAX, &file);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	text = strchr(file, '\n');
	if (!text)
		return -EBADMSG;
	*text++ = '\0';
	*ret_same_boot = !strcmp(file, e->boot_id);
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

/* --- reading --------------------------------------------------------------------------------- */

void inventory_done(struct inventory *inv)
{
	for (size_t i = 0; i < inv->n_records; i++)
		record_free(inv->records[i]);
	for (size_t i = 0; i < inv->n_accels; i++)
		accel_free(inv->accels[i]);
	for (size_t i = 0; i < inv->n_definitions; i++)
		definition_free(inv->definitions[i]);
	free(inv->definitions);
	free(inv->bad_definitions);
	free(inv->before);
	free(inv->records);
	free(inv->bad);
	free(inv->accels);
	free(inv->mdevs);
	memset(inv, 0, sizeof(*inv));
}

int execute_scan(struct executor *e, struct inventory *ret)
{
	int r;

	r = e->backend->ops->scan(e->backend, &ret->accels, &ret->n_accels);
	if (r < 0)
		return r;
	return e->backend->ops->scan_mdevs(e->backend, &ret->mdevs, &ret->n_mdevs);
}

int execute_scan_definitions(struct executor *e, struct inventory *ret)
{
	return defstore_load(e->definitions, &ret->definitions, &ret->n_definitions,
			     &ret->bad_definitions, &ret->n_bad_definitions);
}

int execute_start(struct executor *e, struct inventory *ret, struct refusal *ret_refusal)
{
	const char *what = "the boot id";
	int r;

	r = e->backend->ops->boot_id(e->backend, e->boot_id);
	if (r >= 0) {
		what = "the journal";
		r = recover(e);
	}
	if (r >= 0) {
		what = "the store";
		r = store_load(e->store, &ret->records, &ret->n_records, &ret->bad, &ret->n_bad);
	}
	if (r >= 0) {
		what = "the state before an apply";
		r = execute_read_before(e, &ret->before, &ret->before_same_boot);
	}
	if (r >= 0) {
		what = "the definitions";
		r = execute_scan_definitions(e, ret);
	}
	if (r >= 0) {
		what = "the accelerators";
		r = execute_scan(e, ret);
	}
	if (r < 0)
		return refuse(ret_refusal, REFUSE_FAILED, -r, what, "the log may say more",
			      "cannot be read: %s", strerror(-r));
	return 0;
}
