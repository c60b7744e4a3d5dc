/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same records as JSON: the field tables name every key, so nothing can be left out here. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <json.h>

#include "cli/client.h"
#include "cli/doctor/doctor.h"
#include "cli/find.h"
#include "cli/print.h"

/* Raised when a key changes its meaning or goes away; a new key does not count. */
#define JSON_FORMAT 1

/* Takes ownership of @value; a value that could not be made is refused too. */
static int add(struct json_object *o, const char *key, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(o, key, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}

	return 0;
}

static int append(struct json_object *array, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_array_add(array, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}

	return 0;
}

static struct json_object *lines_new(const char *lines)
{
	struct json_object *array = json_object_new_array();
	size_t n;

	for (; *lines; lines += n + 1) {
		n = strcspn(lines, "\n");
		if (append(array, json_object_new_string_len(lines, n)) < 0)
			break;
	}
	return array;
}

/* A reference to another object is shown by that object's name. */
static struct json_object *value_new(const struct client_snapshot *s, const struct client_field *f,
				     const void *record)
{
	const void *place = (const char *)record + f->offset;

	switch (f->type) {
	case 'b':
		return json_object_new_boolean(*(const bool *)place);
	case 'u':
		return json_object_new_int64(*(const uint32_t *)place);
	case 't':
		return json_object_new_int64(*(const uint64_t *)place);
	case 'i':
		return json_object_new_int(*(const int32_t *)place);
	case 'a':
		return lines_new(*(char *const *)place);
	case 'o':
		return json_object_new_string(client_snapshot_name(s, *(char *const *)place));
	default:
		return json_object_new_string(*(char *const *)place);
	}
}

static int add_fields(struct json_object *o, const struct client_snapshot *s,
		      const struct client_class *class, const void *record)
{
	size_t i;
	int r;

	for (i = 0; i < class->n_fields; i++) {
		if (!class->fields[i].key)
			continue;
		r = add(o, class->fields[i].key, value_new(s, &class->fields[i], record));
		if (r < 0)
			return r;
	}

	return 0;
}

/* Adds @key to @o: an array of the records of @l, or of those whose accelerator is @owner. */
static int add_list(struct json_object *o, const char *key, const struct client_snapshot *s,
		    const struct client_list *l, const char *owner, size_t owner_offset)
{
	struct json_object *array, *item;
	size_t i;
	int r;

	array = json_object_new_array();
	r = add(o, key, array);
	if (r < 0)
		return r;

	for (i = 0; i < l->n; i++) {
		const char *record = (const char *)l->items + i * l->class->size;

		if (owner && strcmp(*(char *const *)(record + owner_offset), owner))
			continue;
		item = json_object_new_object();
		r = append(array, item);
		if (r < 0)
			return r;
		r = add_fields(item, s, l->class, record);
		if (r < 0)
			return r;
	}

	return 0;
}

static int add_accelerators(struct json_object *o, const struct client_snapshot *s)
{
	const struct client_accelerator *a = s->accelerators.items;
	struct json_object *array, *item;
	size_t i;
	int r;

	array = json_object_new_array();
	r = add(o, "accelerators", array);
	if (r < 0)
		return r;

	for (i = 0; i < s->accelerators.n; i++) {
		item = json_object_new_object();
		r = append(array, item);
		if (r < 0)
			return r;
		r = add_fields(item, s, s->accelerators.class, &a[i]);
		if (r < 0)
			return r;
		r = add_list(item, "work_queues", s, &s->work_queues, a[i].path,
			     offsetof(struct client_work_queue, accelerator));
		if (r < 0)
			return r;
		r = add_list(item, "mdevs", s, &s->mdevs, a[i].path,
			     offsetof(struct client_mdev, accelerator));
		if (r < 0)
			return r;
	}

	return 0;
}

static bool print_lines;

void print_set_lines(bool lines)
{
	print_lines = lines;
}

static int print_one(struct json_object *o, int flags)
{
	const char *text = json_object_to_json_string_ext(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE);

	return text && puts(text) >= 0 ? 0 : -ENOMEM;
}

/*
 * The records of each array of @o, named by its key without the s. A document without arrays of records
 * is a record.
 */
static int print_records(struct json_object *o)
{
	char kind[32];
	size_t i, n = 0;
	int r = 0;

	json_object_object_foreach(o, key, value) {
		if (!json_object_is_type(value, json_type_array) || !strcmp(key, "bad_files"))
			continue;
		n++;
		snprintf(kind, sizeof(kind), "%.*s", (int)(strlen(key) - (key[strlen(key) - 1] == 's')),
			 key);
		for (i = 0; i < json_object_array_length(value) && r >= 0; i++) {
			struct json_object *record = json_object_array_get_idx(value, i);

			r = add(record, "record", json_object_new_string(kind));
			if (r >= 0)
				r = print_one(record, JSON_C_TO_STRING_PLAIN);
		}
	}
	return n || r < 0 ? r : print_one(o, JSON_C_TO_STRING_PLAIN);
}

/* Prints @o if it was filled without error, and drops it either way. */
static int finish(struct json_object *o, int r)
{
	if (r >= 0)
		r = print_lines ? print_records(o) :
			print_one(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	json_object_put(o);
	return r;
}

static int begin(struct json_object **ret)
{
	struct json_object *o;
	int r;

	o = json_object_new_object();
	if (!o)
		return -ENOMEM;

	r = add(o, "format", json_object_new_int(JSON_FORMAT));
	if (r < 0) {
		json_object_put(o);
		return r;
	}

	*ret = o;
	return 0;
}

int print_tree_json(const struct client_snapshot *s)
{
	struct json_object *o;
	int r;

	r = begin(&o);
	if (r < 0)
		return r;

	r = add_accelerators(o, s);
	if (r >= 0)
		r = add_list(o, "definitions", s, &s->definitions, NULL, 0);
	return finish(o, r);
}

int print_list_json(const char *key, const struct client_list *l)
{
	struct json_object *o;
	int r;

	r = begin(&o);
	if (r < 0)
		return r;

	return finish(o, add_list(o, key, NULL, l, NULL, 0));
}

int print_status_json(const struct client_manager *m, const struct client_snapshot *s)
{
	struct json_object *o;
	int r;

	r = begin(&o);
	if (r < 0)
		return r;

	return finish(o, add_fields(o, s, &client_manager_class, m));
}

/* The key under which the list of a class stands in a document. */
static const char *class_key(const struct client_class *class)
{
	return class == &client_accelerator_class ? "accelerators" :
	       class == &client_work_queue_class ? "work_queues" :
	       class == &client_mdev_class ? "mdevs" : "definitions";
}

int print_objects_json(const struct client_snapshot *s, const struct find_match *found, size_t n)
{
	struct json_object *o, *array, *item;
	size_t i;
	int r;

	r = begin(&o);
	for (i = 0; i < n && r >= 0; i++) {
		if (!json_object_object_get_ex(o, class_key(found[i].class), &array)) {
			array = json_object_new_array();
			r = add(o, class_key(found[i].class), array);
			if (r < 0)
				break;
		}
		item = json_object_new_object();
		r = append(array, item);
		if (r >= 0)
			r = add_fields(item, s, found[i].class, found[i].record);
	}
	return finish(o, r);
}

int print_doctor_json(const struct doctor *d)
{
	struct json_object *o, *checks, *f;
	size_t i;
	int r;

	r = begin(&o);
	if (r < 0)
		return r;

	checks = json_object_new_array();
	r = add(o, "ready", json_object_new_boolean(doctor_is_ready(d)));
	if (r >= 0)
		r = add(o, "checks", checks);
	for (i = 0; i < d->n && r >= 0; i++) {
		const struct doctor_finding *found = &d->findings[i];
		const char *name = found->accel >= 0 ? d->accels[found->accel].name : "";

		f = json_object_new_object();
		r = append(checks, f);
		if (r >= 0)
			r = add(f, "check", json_object_new_string(found->check));
		if (r >= 0)
			r = add(f, "result", json_object_new_string(doctor_result_name(found->result)));
		if (r >= 0)
			r = add(f, "accelerator", json_object_new_string(name));
		if (r >= 0)
			r = add(f, "evidence", json_object_new_string(found->evidence));
		if (r >= 0)
			r = add(f, "fix", json_object_new_string(found->fix));
	}
	return finish(o, r);
}
