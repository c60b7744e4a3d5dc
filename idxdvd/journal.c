/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"
#include "idxdvd/fs.h"
#include "idxdvd/journal.h"

#define JOURNAL_VERSION 1
#define SUFFIX ".json"

struct journal {
	int dirfd;
};

int journal_new(struct journal **ret, int state_dirfd)
{
	struct journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	r = fs_open_subdir(state_dirfd, "journal", &j->dirfd);
	if (r < 0) {
		free(j);
		return r;
	}
	*ret = j;
	return 0;
}

struct journal *journal_free(struct journal *j)
{
	if (!j)
		return NULL;
	close(j->dirfd);
	free(j);
	return NULL;
}

void journal_freep(struct journal **j)
{
	journal_free(*j);
}

static struct json_object *step_to_json(const struct step *s)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "step", json_object_new_string(step_kind_name(s->kind)));
	json_object_object_add(o, "object", json_object_new_string(s->object));
	json_object_object_add(o, "attr", json_object_new_string(s->attr));
	json_object_object_add(o, "old", json_object_new_string(s->old));
	json_object_object_add(o, "val", json_object_new_string(s->val));
	json_object_object_add(o, "reason", json_object_new_string(s->reason));
	return o;
}

static int entry_to_json(const struct journal_entry *e, struct json_object *o)
{
	struct json_object *steps = json_object_new_array(), *after = NULL;
	const struct plan *p = e->plan;
	int r = 0;

	json_object_object_add(o, "version", json_object_new_int(JOURNAL_VERSION));
	json_object_object_add(o, "operation", json_object_new_string(e->op));
	json_object_object_add(o, "boot-id", json_object_new_string(e->boot_id));
	json_object_object_add(o, "kind", json_object_new_string(plan_kind_name(p->kind)));
	json_object_object_add(o, "accelerator", json_object_new_string(p->accel));
	json_object_object_add(o, "device", json_object_new_string(p->bdf));
	json_object_object_add(o, "uuid", json_object_new_string(p->uuid));
	json_object_object_add(o, "refused", json_object_new_boolean(e->refused));
	for (size_t i = 0; i < p->n; i++)
		json_object_array_add(steps, step_to_json(&p->steps[i]));
	json_object_object_add(o, "steps", steps);
	if (e->after) {
		after = json_object_new_object();
		r = record_to_json(e->after, after);
	}
	json_object_object_add(o, "record", after);
	if (p->definition)
		json_object_object_add(o, "definition", definition_change_to_json(p->definition));
	return r;
}

static void file_name(const char *op, char *buf, size_t size)
{
	snprintf(buf, size, "%s" SUFFIX, op);
}

int journal_begin(struct journal *j, const struct journal_entry *e)
{
	_cleanup_(json_putp) struct json_object *o = NULL;
	char file[UUID_LEN + 8];
	int r;

	o = json_object_new_object();
	if (!o)
		return -ENOMEM;
	r = entry_to_json(e, o);
	if (r < 0)
		return r;
	file_name(e->op, file, sizeof(file));
	return fs_write(j->dirfd, file, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
}

int journal_end(struct journal *j, const char *op)
{
	char file[UUID_LEN + 8];

	file_name(op, file, sizeof(file));
	return fs_remove(j->dirfd, file);
}

static int kind_by_name(const char *(*name)(int), int count, const char *s)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(name(i), s))
			return i;
	return -EBADMSG;
}

static const char *plan_name(int i)
{
	return plan_kind_name(i);
}

static const char *step_name(int i)
{
	return step_kind_name(i);
}

static int step_from_json(struct json_object *o, struct plan *p)
{
	char kind[NAME_LEN];
	struct step s;
	int k;

	memset(&s, 0, sizeof(s));
	if (!json_object_is_type(o, json_type_object) ||
	    json_get_string(o, "step", kind, sizeof(kind)) < 0 ||
	    json_get_string(o, "object", s.object, sizeof(s.object)) < 0 ||
	    json_get_string(o, "attr", s.attr, sizeof(s.attr)) < 0 ||
	    json_get_string(o, "old", s.old, sizeof(s.old)) < 0 ||
	    json_get_string(o, "val", s.val, sizeof(s.val)) < 0 ||
	    json_get_string(o, "reason", s.reason, sizeof(s.reason)) < 0)
		return -EBADMSG;
	k = kind_by_name(step_name, STEP_KIND_COUNT, kind);
	if (k < 0)
		return k;
	plan_add(p, k, s.object, s.attr, s.old, s.val, "%s", s.reason);
	return p->error;
}

static int plan_from_json(struct json_object *o, struct plan **ret)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct json_object *steps, *definition;
	char kind[NAME_LEN];
	int r;

	if (json_get_string(o, "kind", kind, sizeof(kind)) < 0)
		return -EBADMSG;
	r = kind_by_name(plan_name, PLAN_KIND_COUNT, kind);
	if (r < 0)
		return r;
	r = plan_new(&p, r, NULL);
	if (r < 0)
		return r;
	if (json_get_string(o, "accelerator", p->accel, sizeof(p->accel)) < 0 ||
	    json_get_string(o, "device", p->bdf, sizeof(p->bdf)) < 0 ||
	    json_get_string(o, "uuid", p->uuid, sizeof(p->uuid)) < 0 ||
	    json_get_array(o, "steps", &steps) < 0)
		return -EBADMSG;
	if (json_object_object_get_ex(o, "definition", &definition)) {
		r = definition_change_from_json(definition, &p->definition);
		if (r < 0)
			return r;
	}

	for (size_t i = 0; i < json_object_array_length(steps); i++) {
		r = step_from_json(json_object_array_get_idx(steps, i), p);
		if (r < 0)
			return r;
	}
	*ret = TAKE(p);
	return 0;
}

static int entry_from_json(struct json_object *o, struct journal_entry *e)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct json_object *after;
	unsigned int version;
	int r;

	if (json_get_uint(o, "version", &version) < 0 || version > JOURNAL_VERSION ||
	    json_get_string(o, "operation", e->op, sizeof(e->op)) < 0 ||
	    json_get_string(o, "boot-id", e->boot_id, sizeof(e->boot_id)) < 0 ||
	    json_get_bool(o, "refused", &e->refused) < 0 ||
	    !json_object_object_get_ex(o, "record", &after))
		return -EBADMSG;
	r = plan_from_json(o, &p);
	if (r < 0)
		return r;

	e->after = NULL;
	if (after) {
		if (!json_object_is_type(after, json_type_object))
			return -EBADMSG;
		r = record_from_json(after, &e->after);
		if (r < 0)
			return r;
	}
	e->plan = TAKE(p);
	return 0;
}

static int read_entry(struct journal *j, const char *file, struct journal_entry *e)
{
	_cleanup_(json_putp) struct json_object *o = NULL;
	_cleanup_(freep) char *text = NULL;
	int r;

	r = fs_read(j->dirfd, file, JSON_MAX_SIZE, &text);
	if (r < 0)
		return r;
	r = json_parse(text, &o);
	if (r < 0)
		return r;
	return entry_from_json(o, e);
}

static void remove_temp(struct journal *j)
{
	char **names;
	size_t n;

	/* An entry that was never renamed into place was never acted on. */
	if (fs_list(j->dirfd, FS_TEMP_SUFFIX, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		fs_remove(j->dirfd, names[i]);
	fs_list_free(names, n);
}

int journal_load(struct journal *j, struct journal_entry **ret, size_t *ret_n, size_t *ret_bad)
{
	struct journal_entry *entries;
	char **names;
	size_t n;
	int r;

	remove_temp(j);
	r = fs_list(j->dirfd, SUFFIX, &names, &n);
	if (r < 0)
		return r;
	entries = calloc(n + 1, sizeof(*entries));
	if (!entries) {
		fs_list_free(names, n);
		return -ENOMEM;
	}

	*ret_n = *ret_bad = 0;
	for (size_t i = 0; i < n; i++) {
		if (read_entry(j, names[i], &entries[*ret_n]) < 0)
			(*ret_bad)++;
		else
			(*ret_n)++;
	}
	fs_list_free(names, n);
	*ret = entries;
	return 0;
}

void journal_entries_free(struct journal_entry *entries, size_t n)
{
	for (size_t i = 0; entries && i < n; i++) {
		plan_free(entries[i].plan);
		record_free(entries[i].after);
	}
	free(entries);
}
