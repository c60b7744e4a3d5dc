/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/accfgdoc.h"
#include "idxdvd/alloc.h"
#include "idxdvd/common/json.h"
#include "idxdvd/hostdoc.h"

bool accfgdoc_is(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '[';
}

/* What the file says of one device. */
struct reading {
	const struct accel *a;
	unsigned int n_ours, n_host;	/* queues for mdevs and for the host */
	unsigned int n_taken;		/* queues that mdevs have now */
	bool seen[RECORD_MAX_WQS];
	struct refusal *refusal;
};

static int refuse_file(struct refusal *ret, const char *object, const char *reason)
{
	return refuse(ret, REFUSE_INVALID_ARGS, EBADMSG, object,
		      "accel-config save-config writes such a file", "%s", reason);
}

static int refuse_layout(struct reading *r, const char *object, const char *what, int file, int is)
{
	return refuse(r->refusal, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, object,
		      "idxdctl release the device, accel-config load-config the file, idxdctl adopt it",
		      "the file wants %s %d, and it is %d, which can be changed only while the device is off",
		      what, file, is);
}

/* A number that may be left out has to be as it is. */
static int check_number(struct reading *r, struct json_object *o, const char *object,
			const char *key, int is)
{
	int n = 0, q = json_get_int(o, key, &n);

	if (q == -ENOENT || (q >= 0 && n == is))
		return 0;
	return q < 0 ? refuse_file(r->refusal, object, "a size or group_id is no number") :
		       refuse_layout(r, object, key, n, is);
}

static int check_mdev_queue(struct reading *r, struct json_object *o, const struct wq *w)
{
	char mode[NAME_LEN] = "dedicated";

	if (json_get_string(o, "mode", mode, sizeof(mode)) == -EBADMSG ||
	    (strcmp(mode, "dedicated") && (w->dedicated || !w->mdev[0])))
		return refuse(r->refusal, REFUSE_NOT_SUPPORTED, EOPNOTSUPP, w->name,
			      "make it dedicated in the file",
			      "the file wants a shared queue for mdevs, and one is shared only while mdevs of a 1swq type are on it");
	r->n_ours++;
	return 0;
}

static int check_host_queue(struct reading *r, const struct wq *w)
{
	int q;

	r->n_host++;
	if (!w->mdev[0])
		return 0;
	q = refuse(r->refusal, REFUSE_IN_USE, EBUSY, w->name,
		   "idxdctl destroy that mdev, or give the queue the driver mdev in the file",
		   "the file wants it for the host");
	refusal_set_holder(r->refusal, "mdev %s", w->mdev);
	return q;
}

static int read_queue(struct reading *r, struct json_object *o, const char *name)
{
	const struct wq *w = accel_find_wq((struct accel *)r->a, name);
	char type[NAME_LEN] = "none", driver[NAME_LEN] = "";
	int q;

	if (!w)
		return refuse(r->refusal, REFUSE_NO_SUCH_WQ, ENOENT, name,
			      "idxdctl list shows what there is", "there is no such work queue on %s",
			      r->a->name);
	if (w->id < RECORD_MAX_WQS && r->seen[w->id])
		return refuse_file(r->refusal, name, "it is there twice");
	r->seen[w->id % RECORD_MAX_WQS] = true;
	if (json_get_string(o, "type", type, sizeof(type)) == -EBADMSG ||
	    json_get_string(o, "driver_name", driver, sizeof(driver)) == -EBADMSG)
		return refuse_file(r->refusal, name, "its type or driver_name is no short text");
	if (!strcmp(type, "none"))
		return 0;
	q = check_number(r, o, name, "size", w->size);
	if (q >= 0)
		q = check_number(r, o, name, "group_id", w->group);
	if (q < 0)
		return q;
	/* The type mdev is from before drivers had names. */
	if (!strcmp(driver, ALLOC_DRIVER) || !strcmp(type, "mdev"))
		return check_mdev_queue(r, o, w);
	if (!strcmp(type, "user") || !strcmp(type, "kernel"))
		return check_host_queue(r, w);
	return refuse_file(r->refusal, name, "its type is neither user nor kernel");
}

static int read_engine(struct reading *r, struct json_object *o, const char *name)
{
	for (unsigned int i = 0; i < r->a->n_engines; i++)
		if (!strcmp(r->a->engines[i].name, name))
			return check_number(r, o, name, "group_id", r->a->engines[i].group);
	return refuse_file(r->refusal, name, "the device has no such engine");
}

/* Each entry of a list that may be missing; @read gets it with its name. */
static int read_list(struct reading *r, struct json_object *o, const char *key,
		     int (*read)(struct reading *r, struct json_object *o, const char *name))
{
	struct json_object *list;
	int q = json_get_array(o, key, &list);

	if (q < 0)
		return q == -ENOENT ? 0 : refuse_file(r->refusal, key, "it is no array");
	for (size_t i = 0; q >= 0 && i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		char name[NAME_LEN];

		if (!json_object_is_type(v, json_type_object) ||
		    json_get_string(v, "dev", name, sizeof(name)) < 0)
			return refuse_file(r->refusal, key, "an entry has no dev");
		q = read(r, v, name);
	}
	return q;
}

static int read_members(struct reading *r, struct json_object *o, const char *name)
{
	int q = read_list(r, o, "grouped_workqueues", read_queue);

	return q < 0 ? q : read_list(r, o, "grouped_engines", read_engine);
}

static int read_device(struct reading *r, struct json_object *o)
{
	int q = read_list(r, o, "groups", read_members);

	if (q >= 0)
		q = read_list(r, o, "ungrouped_workqueues", read_queue);
	if (q >= 0)
		q = read_list(r, o, "ungrouped_engines", read_engine);
	if (q < 0)
		return q;
	for (unsigned int i = 0; i < r->a->n_wqs; i++)
		r->n_taken += r->a->wqs[i].mdev[0] != '\0';
	if (r->n_ours >= r->n_taken)
		return 0;
	return refuse(r->refusal, REFUSE_IN_USE, EBUSY, r->a->name,
		      "idxdctl destroy some, or give more queues the driver mdev in the file",
		      "the file leaves %u queues for %u mdevs", r->n_ours, r->a->n_mdevs);
}

/* Of a device that is not ours nothing is read but whether the file wants it to be. */
static bool wants_mdevs(struct json_object *device)
{
	const char *text = json_object_to_json_string_ext(device, JSON_C_TO_STRING_PLAIN);

	return text && (strstr(text, "\"driver_name\":\"" ALLOC_DRIVER "\"") ||
			strstr(text, "\"type\":\"mdev\""));
}

static struct json_object *find_entry(struct json_object *doc, const char *bdf)
{
	struct json_object *list = NULL;
	char device[NAME_LEN];

	json_get_array(doc, "accelerators", &list);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (json_get_string(v, "device", device, sizeof(device)) >= 0 &&
		    !strcmp(device, bdf))
			return v;
	}
	return NULL;
}

static int convert_device(const struct ledger *l, struct json_object *o, struct json_object *doc,
			  struct refusal *ret)
{
	struct reading r = { .refusal = ret };
	struct json_object *entry;
	char name[NAME_LEN];
	int q;

	if (!json_object_is_type(o, json_type_object) ||
	    json_get_string(o, "dev", name, sizeof(name)) < 0)
		return refuse_file(ret, "file", "a device has no dev");
	r.a = ledger_find_accel(l, name);
	if (!r.a)
		return refuse(ret, REFUSE_NO_SUCH_DEVICE, ENODEV, name,
			      "idxdctl list shows what there is", "there is no such accelerator");
	entry = find_entry(doc, r.a->bdf);
	if (!r.a->adopted || !entry)
		return !wants_mdevs(o) ? 0 :
		       refuse(ret, REFUSE_NOT_ADOPTED, EPERM, name, "idxdctl adopt it first",
			      "the file wants queues for mdevs on it, and it is not adopted");
	q = read_device(&r, o);
	if (q < 0)
		return q;
	json_object_object_add(entry, "host-wqs", json_object_new_int64(r.n_host));
	json_object_object_add(entry, "pool-min", json_object_new_int64(r.n_ours - r.n_taken));
	return 0;
}

/* As accel-config itself reads: one comma too many does not matter. */
static struct json_object *parse_array(const char *text)
{
	struct json_tokener *tok;
	size_t len = strlen(text), end;
	struct json_object *o;

	tok = len <= JSON_MAX_SIZE ? json_tokener_new_ex(JSON_MAX_DEPTH) : NULL;
	if (!tok)
		return NULL;
	o = json_tokener_parse_ex(tok, text, len + 1);
	/* It may have read the NUL too. */
	end = json_tokener_get_parse_end(tok);
	if (json_tokener_get_error(tok) != json_tokener_success ||
	    !json_object_is_type(o, json_type_array) ||
	    (end < len && text[end + strspn(text + end, " \t\r\n")])) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}

/* All entries have a name by now. */
static bool is_repeated(struct json_object *list)
{
	char name[NAME_LEN], other[NAME_LEN];

	for (size_t i = 0; i < json_object_array_length(list); i++)
		for (size_t k = 0; k < i; k++)
			if (json_get_string(json_object_array_get_idx(list, i), "dev", name,
					    sizeof(name)) >= 0 &&
			    json_get_string(json_object_array_get_idx(list, k), "dev", other,
					    sizeof(other)) >= 0 && !strcmp(name, other))
				return true;
	return false;
}

int accfgdoc_convert(const struct ledger *l, const char *text, char **ret,
		     struct refusal *ret_refusal)
{
	_cleanup_(json_putp) struct json_object *o = parse_array(text);
	_cleanup_(json_putp) struct json_object *doc = NULL;
	_cleanup_(freep) char *now = NULL;
	const char *result;
	int r = 0;

	if (!o)
		return refuse_file(ret_refusal, "file", "it is not one JSON array");
	if (hostdoc_export(l, &now) < 0 || json_parse(now, &doc) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < json_object_array_length(o) && r >= 0; i++)
		r = convert_device(l, json_object_array_get_idx(o, i), doc, ret_refusal);
	if (r < 0)
		return r;
	if (is_repeated(o))
		return refuse_file(ret_refusal, "file", "a device is there twice");
	result = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY);
	*ret = result ? strdup(result) : NULL;
	return *ret ? 0 : -ENOMEM;
}
