/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/alloc.h"
#include "idxdvd/common/json.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/record.h"

#define RECORD_VERSION 1

int record_new(struct record **ret, const char *bdf)
{
	struct record *rec = calloc(1, sizeof(*rec));

	if (!rec)
		return -ENOMEM;
	snprintf(rec->bdf, sizeof(rec->bdf), "%s", bdf);
	*ret = rec;
	return 0;
}

struct record *record_free(struct record *rec)
{
	if (!rec)
		return NULL;
	free(rec->mdevs);
	free(rec->bindings);
	free(rec);
	return NULL;
}

void record_freep(struct record **rec)
{
	record_free(*rec);
}

int record_copy(const struct record *rec, struct record **ret)
{
	struct record *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *rec;
	copy->mdevs = calloc(rec->n_mdevs + 1, sizeof(*copy->mdevs));
	copy->bindings = calloc(rec->n_bindings + 1, sizeof(*copy->bindings));
	if (!copy->mdevs || !copy->bindings) {
		record_free(copy);
		return -ENOMEM;
	}
	if (rec->n_mdevs)
		memcpy(copy->mdevs, rec->mdevs, rec->n_mdevs * sizeof(*copy->mdevs));
	if (rec->n_bindings)
		memcpy(copy->bindings, rec->bindings, rec->n_bindings * sizeof(*copy->bindings));
	*ret = copy;
	return 0;
}

/* Both arrays are in the order of their UUIDs, which come first in each element. Where it is or would be. */
static size_t search(const void *list, size_t n, size_t size, const char *uuid, bool *ret_found)
{
	size_t low = 0, high = n;

	*ret_found = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = strcmp(uuid, (const char *)list + mid * size);

		if (!d) {
			*ret_found = true;
			return mid;
		}
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* n_mdevs: there is none. */
static size_t find_mdev(const struct record *rec, const char *uuid)
{
	bool found;
	size_t i = search(rec->mdevs, rec->n_mdevs, sizeof(*rec->mdevs), uuid, &found);

	return found ? i : rec->n_mdevs;
}

static size_t find_binding(const struct record *rec, const char *uuid)
{
	bool found;
	size_t i = search(rec->bindings, rec->n_bindings, sizeof(*rec->bindings), uuid, &found);

	return found ? i : rec->n_bindings;
}

bool record_has_mdev(const struct record *rec, const char *uuid)
{
	return find_mdev(rec, uuid) < rec->n_mdevs;
}

int record_add_mdev(struct record *rec, const char *uuid, const char *type)
{
	struct record_mdev *mdevs;
	bool found;
	size_t i = search(rec->mdevs, rec->n_mdevs, sizeof(*mdevs), uuid, &found);

	if (found)
		return 0;
	mdevs = realloc(rec->mdevs, (rec->n_mdevs + 1) * sizeof(*mdevs));
	if (!mdevs)
		return -ENOMEM;
	rec->mdevs = mdevs;
	mdevs += i;
	memmove(mdevs + 1, mdevs, (rec->n_mdevs++ - i) * sizeof(*mdevs));
	snprintf(mdevs->uuid, sizeof(mdevs->uuid), "%s", uuid);
	snprintf(mdevs->type, sizeof(mdevs->type), "%s", type);
	mdevs->lease[0] = '\0';
	mdevs->owner = 0;
	return 0;
}

const char *record_lease(const struct record *rec, const char *uuid)
{
	size_t i = find_mdev(rec, uuid);

	return i < rec->n_mdevs ? rec->mdevs[i].lease : "";
}

void record_set_lease(struct record *rec, const char *uuid, const char *lease)
{
	size_t i = find_mdev(rec, uuid);

	if (i < rec->n_mdevs)
		snprintf(rec->mdevs[i].lease, LEASE_LEN, "%s", lease);
}

unsigned int record_owner(const struct record *rec, const char *uuid)
{
	size_t i = find_mdev(rec, uuid);

	return i < rec->n_mdevs ? rec->mdevs[i].owner : 0;
}

void record_set_owner(struct record *rec, const char *uuid, unsigned int owner)
{
	size_t i = find_mdev(rec, uuid);

	if (i < rec->n_mdevs)
		rec->mdevs[i].owner = owner;
	i = find_binding(rec, uuid);
	if (i < rec->n_bindings)
		rec->bindings[i].owner = owner;
}

void record_drop_mdev(struct record *rec, const char *uuid)
{
	size_t i = find_mdev(rec, uuid);

	if (i < rec->n_mdevs)
		memmove(&rec->mdevs[i], &rec->mdevs[i + 1],
			(--rec->n_mdevs - i) * sizeof(*rec->mdevs));
}

const struct record_binding *record_binding(const struct record *rec, const char *uuid)
{
	size_t i = find_binding(rec, uuid);

	return i < rec->n_bindings ? &rec->bindings[i] : NULL;
}

void record_restart(struct record *rec)
{
	rec->autostarted = false;
	for (size_t i = 0; i < rec->n_bindings; i++)
		rec->bindings[i].started = false;
}

int record_bind(struct record *rec, const char *uuid, const char *wq, bool started)
{
	struct record_binding *more;
	bool found;
	size_t i = search(rec->bindings, rec->n_bindings, sizeof(*more), uuid, &found);

	if (!found) {
		more = reallocarray(rec->bindings, rec->n_bindings + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		memmove(&more[i + 1], &more[i], (rec->n_bindings++ - i) * sizeof(*more));
		more[i].owner = 0;
		rec->bindings = more;
	}
	snprintf(rec->bindings[i].uuid, UUID_LEN, "%s", uuid);
	snprintf(rec->bindings[i].wq, NAME_LEN, "%s", wq);
	rec->bindings[i].started = started;
	return 0;
}

void record_prune(struct record *rec, bool (*is_wanted)(void *userdata, const char *uuid),
		  void *userdata)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_bindings; i++) {
		const char *uuid = rec->bindings[i].uuid;

		if (record_has_mdev(rec, uuid) || is_wanted(userdata, uuid))
			rec->bindings[n++] = rec->bindings[i];
	}
	rec->n_bindings = n;
}

/* 1 of wq0.1; -EINVAL if the object is no wq. */
static int wq_id(const char *object)
{
	const char *dot = strchr(object, '.');
	unsigned int id;

	if (strncmp(object, "wq", 2) || !dot || parse_uint(dot + 1, &id) < 0 ||
	    id >= RECORD_MAX_WQS)
		return -EINVAL;
	return id;
}

int record_apply(struct record *rec, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];
		int r = 0;

		switch (s->kind) {
		case STEP_BIND:
		case STEP_UNBIND:
			if (strcmp(s->attr, ALLOC_DRIVER))
				break;
			r = wq_id(s->object);
			if (r >= 0)
				rec->wqs[r] = s->kind == STEP_BIND;
			break;
		case STEP_MDEV_CREATE:
			r = record_add_mdev(rec, s->object, s->attr);
			break;
		case STEP_MDEV_REMOVE:
		case STEP_MDEV_EVICT:
			record_drop_mdev(rec, s->object);
			break;
		case STEP_MDEV_WQ:
			r = record_bind(rec, s->object, s->val, true);
			break;
		case STEP_SET:
		case STEP_KIND_COUNT:
			break;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Root is not named. */
static void add_owner(struct json_object *o, unsigned int owner)
{
	if (owner)
		json_object_object_add(o, "owner", json_object_new_int64(owner));
}

static int read_owner(struct json_object *o, unsigned int *ret)
{
	int r;

	*ret = 0;
	r = json_get_uint(o, "owner", ret);
	return r == -ENOENT ? 0 : r;
}

int record_to_json(const struct record *rec, struct json_object *o)
{
	struct json_object *wqs = json_object_new_array(), *mdevs = json_object_new_array();
	struct json_object *bindings = json_object_new_array();

	json_object_object_add(o, "version", json_object_new_int(RECORD_VERSION));
	json_object_object_add(o, "device", json_object_new_string(rec->bdf));
	json_object_object_add(o, "boot-id", json_object_new_string(rec->boot_id));
	json_object_object_add(o, "operation", json_object_new_string(rec->op));
	json_object_object_add(o, "host-wqs", json_object_new_int64(rec->host_wqs));
	json_object_object_add(o, "pool-min", json_object_new_int64(rec->pool_min));
	json_object_object_add(o, "laid-out", json_object_new_boolean(rec->laid_out));
	json_object_object_add(o, "iaa-engines", json_object_new_int64(rec->iaa_engines));
	json_object_object_add(o, "iaa-enabled", json_object_new_boolean(rec->iaa_enabled));
	for (int i = 0; i < RECORD_MAX_WQS; i++)
		if (rec->wqs[i])
			json_object_array_add(wqs, json_object_new_int(i));
	for (size_t i = 0; i < rec->n_mdevs; i++) {
		struct json_object *m = json_object_new_object();

		json_object_object_add(m, "uuid", json_object_new_string(rec->mdevs[i].uuid));
		json_object_object_add(m, "type", json_object_new_string(rec->mdevs[i].type));
		if (rec->mdevs[i].lease[0])
			json_object_object_add(m, "lease",
					       json_object_new_string(rec->mdevs[i].lease));
		add_owner(m, rec->mdevs[i].owner);
		json_object_array_add(mdevs, m);
	}
	json_object_object_add(o, "wqs", wqs);
	json_object_object_add(o, "mdevs", mdevs);
	for (size_t i = 0; i < rec->n_bindings; i++) {
		struct json_object *b = json_object_new_object();

		json_object_object_add(b, "uuid", json_object_new_string(rec->bindings[i].uuid));
		json_object_object_add(b, "wq", json_object_new_string(rec->bindings[i].wq));
		json_object_object_add(b, "started",
				       json_object_new_boolean(rec->bindings[i].started));
		add_owner(b, rec->bindings[i].owner);
		json_object_array_add(bindings, b);
	}
	json_object_object_add(o, "bindings", bindings);
	json_object_object_add(o, "autostarted", json_object_new_boolean(rec->autostarted));
	return wqs && mdevs && bindings ? 0 : -ENOMEM;
}

static int read_wqs(struct json_object *o, struct record *rec)
{
	struct json_object *a;
	int r;

	r = json_get_array(o, "wqs", &a);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_object_array_length(a); i++) {
		struct json_object *v = json_object_array_get_idx(a, i);
		int64_t id = json_object_get_int64(v);

		if (!json_object_is_type(v, json_type_int) || id < 0 || id >= RECORD_MAX_WQS)
			return -EBADMSG;
		rec->wqs[id] = true;
	}
	return 0;
}

static int read_mdevs(struct json_object *o, struct record *rec)
{
	struct json_object *a;
	int r;

	r = json_get_array(o, "mdevs", &a);
	for (size_t i = 0; r >= 0 && i < json_object_array_length(a); i++) {
		struct json_object *v = json_object_array_get_idx(a, i);
		char uuid[UUID_LEN], type[NAME_LEN], lease[LEASE_LEN] = "";
		unsigned int owner;
		int q;

		if (!json_object_is_type(v, json_type_object) ||
		    json_get_string(v, "uuid", uuid, sizeof(uuid)) < 0 ||
		    json_get_string(v, "type", type, sizeof(type)) < 0 ||
		    parse_uuid(uuid, uuid) < 0 || read_owner(v, &owner) < 0)
			return -EBADMSG;
		q = json_get_string(v, "lease", lease, sizeof(lease));
		if (q < 0 && q != -ENOENT)
			return -EBADMSG;
		r = record_add_mdev(rec, uuid, type);
		if (r < 0)
			break;
		record_set_lease(rec, uuid, lease);
		record_set_owner(rec, uuid, owner);
	}
	return r;
}

/* Keys that the first version did not write. */
static int read_later_keys(struct json_object *o, struct record *rec)
{
	struct json_object *a;
	int r;

	r = json_get_bool(o, "autostarted", &rec->autostarted);
	if (r < 0 && r != -ENOENT)
		return r;
	r = json_get_array(o, "bindings", &a);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; r >= 0 && i < json_object_array_length(a); i++) {
		struct json_object *v = json_object_array_get_idx(a, i);
		char uuid[UUID_LEN], wq[NAME_LEN];
		unsigned int owner;
		bool started;

		if (!json_object_is_type(v, json_type_object) ||
		    json_get_string(v, "uuid", uuid, sizeof(uuid)) < 0 ||
		    json_get_string(v, "wq", wq, sizeof(wq)) < 0 ||
		    json_get_bool(v, "started", &started) < 0 || parse_uuid(uuid, uuid) < 0 ||
		    read_owner(v, &owner) < 0)
			return -EBADMSG;
		r = record_bind(rec, uuid, wq, started);
		if (r >= 0)
			rec->bindings[find_binding(rec, uuid)].owner = owner;
	}
	return r;
}

int record_from_json(struct json_object *o, struct record **ret)
{
	_cleanup_(record_freep) struct record *rec = NULL;
	unsigned int version;
	int r;

	if (json_get_uint(o, "version", &version) < 0)
		return -EBADMSG;
	if (version > RECORD_VERSION)
		return -EPROTONOSUPPORT;

	r = record_new(&rec, "");
	if (r < 0)
		return r;
	if (json_get_string(o, "device", rec->bdf, sizeof(rec->bdf)) < 0 ||
	    json_get_string(o, "boot-id", rec->boot_id, sizeof(rec->boot_id)) < 0 ||
	    json_get_string(o, "operation", rec->op, sizeof(rec->op)) < 0 ||
	    json_get_uint(o, "host-wqs", &rec->host_wqs) < 0 ||
	    json_get_uint(o, "pool-min", &rec->pool_min) < 0 ||
	    json_get_bool(o, "laid-out", &rec->laid_out) < 0 ||
	    json_get_uint(o, "iaa-engines", &rec->iaa_engines) < 0 ||
	    json_get_bool(o, "iaa-enabled", &rec->iaa_enabled) < 0 ||
	    !string_is_pci_address(rec->bdf))
		return -EBADMSG;
	r = read_wqs(o, rec);
	if (r >= 0)
		r = read_mdevs(o, rec);
	if (r >= 0)
		r = read_later_keys(o, rec);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;

	*ret = TAKE(rec);
	return 0;
}
