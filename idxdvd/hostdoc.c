/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/common/json.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/hostdoc.h"

#define HOSTDOC_VERSION 1

struct hostdoc *hostdoc_free(struct hostdoc *doc)
{
	if (!doc)
		return NULL;
	for (size_t i = 0; i < doc->n_mdevs; i++)
		definition_free(doc->mdevs[i].d);
	free(doc->mdevs);
	free(doc->accels);
	free(doc);
	return NULL;
}

void hostdoc_freep(struct hostdoc **doc)
{
	hostdoc_free(*doc);
}

void hostdoc_forget_running(struct hostdoc *doc, const struct ledger *l)
{
	for (size_t i = 0; i < doc->n_mdevs; i++) {
		doc->mdevs[i].running = ledger_find_mdev(l, doc->mdevs[i].d->uuid);
		doc->mdevs[i].on[0] = '\0';
	}
}

/* --- reading --------------------------------------------------------------------------------- */

/* A key that may be left out. */
static bool opt(int r)
{
	return r >= 0 || r == -ENOENT;
}

/* Somebody who misspells a key means something by it. */
static const char *find_unknown(struct json_object *o, const char *const *known)
{
	json_object_object_foreach(o, key, value) {
		size_t i;

		(void)value;
		for (i = 0; known[i] && strcmp(known[i], key); i++)
			;
		if (!known[i])
			return key;
	}
	return NULL;
}

static int parse_accel(struct json_object *o, struct hostdoc_accel *a, const char **ret_what)
{
	static const char *const keys[] = { "device", "host-wqs", "pool-min", NULL };

	*ret_what = "an accelerator";
	if (!json_object_is_type(o, json_type_object))
		return -EBADMSG;
	*ret_what = find_unknown(o, keys);
	if (*ret_what)
		return -EBADMSG;
	*ret_what = "device, the PCI address of an accelerator";
	if (json_get_string(o, "device", a->bdf, sizeof(a->bdf)) < 0 ||
	    !string_is_pci_address(a->bdf))
		return -EBADMSG;
	*ret_what = "host-wqs or pool-min";
	a->host_wqs = a->pool_min = 1;
	return opt(json_get_uint(o, "host-wqs", &a->host_wqs)) &&
	       opt(json_get_uint(o, "pool-min", &a->pool_min)) ? 0 : -EBADMSG;
}

static int parse_labels(struct json_object *o, struct definition *d)
{
	struct json_object *a;
	int r;

	r = json_get_array(o, "labels", &a);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; r >= 0 && i < json_object_array_length(a); i++) {
		struct json_object *v = json_object_array_get_idx(a, i);

		r = json_object_is_type(v, json_type_string) ?
		    definition_set_label(d, json_object_get_string(v)) : -EBADMSG;
	}
	return r;
}

static int parse_mdev(struct json_object *o, struct hostdoc_mdev *m, const char **ret_what)
{
	static const char *const keys[] = {
		"uuid", "parent", "type", "defined", "autostart", "wq", "labels", "running", "on",
		"owner", NULL,
	};
	struct definition *d = m->d;
	int r;

	*ret_what = "an mdev";
	if (!json_object_is_type(o, json_type_object))
		return -EBADMSG;
	*ret_what = find_unknown(o, keys);
	if (*ret_what)
		return -EBADMSG;
	*ret_what = "uuid";
	if (json_get_string(o, "uuid", d->uuid, sizeof(d->uuid)) < 0 ||
	    parse_uuid(d->uuid, d->uuid) < 0)
		return -EBADMSG;
	*ret_what = "parent or type of an mdev";
	if (json_get_string(o, "parent", d->parent, sizeof(d->parent)) < 0 ||
	    !string_is_pci_address(d->parent) ||
	    json_get_string(o, "type", d->type, sizeof(d->type)) < 0 || !mdev_type_find(d->type))
		return -EBADMSG;
	*ret_what = "defined, autostart or running, which are true or false";
	if (!opt(json_get_bool(o, "defined", &m->defined)) ||
	    !opt(json_get_bool(o, "autostart", &d->autostart)) ||
	    !opt(json_get_bool(o, "running", &m->running)))
		return -EBADMSG;
	*ret_what = "wq or on, names of work queues";
	if (!opt(json_get_string(o, "wq", d->wq, sizeof(d->wq))) ||
	    !opt(json_get_string(o, "on", m->on, sizeof(m->on))))
		return -EBADMSG;
	*ret_what = "owner, the number of a user";
	if (!opt(json_get_uint(o, "owner", &m->owner)))
		return -EBADMSG;
	*ret_what = "labels";
	r = parse_labels(o, d);
	if (r < 0)
		return r;
	*ret_what = "an mdev that is neither defined nor running";
	return m->defined || m->running ? 0 : -EBADMSG;
}

static int parse_accels(struct json_object *list, struct hostdoc *doc, const char **ret_what)
{
	size_t n = json_object_array_length(list);
	int r = 0;

	doc->accels = calloc(n + 1, sizeof(*doc->accels));
	if (!doc->accels)
		return -ENOMEM;
	for (; r >= 0 && doc->n_accels < n; doc->n_accels++)
		r = parse_accel(json_object_array_get_idx(list, doc->n_accels),
				&doc->accels[doc->n_accels], ret_what);
	for (size_t i = 0; r >= 0 && i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(doc->accels[i].bdf, doc->accels[k].bdf)) {
				*ret_what = "an accelerator that is there twice";
				r = -EBADMSG;
			}
	return r;
}

static int compare_mdevs(const void *a, const void *b)
{
	const struct hostdoc_mdev *x = a, *y = b;

	return strcmp(x->d->uuid, y->d->uuid);
}

static int parse_mdevs(struct json_object *list, struct hostdoc *doc, const char **ret_what)
{
	size_t n = json_object_array_length(list);
	int r = 0;

	doc->mdevs = calloc(n + 1, sizeof(*doc->mdevs));
	if (!doc->mdevs)
		return -ENOMEM;
	while (r >= 0 && doc->n_mdevs < n) {
		struct hostdoc_mdev *m = &doc->mdevs[doc->n_mdevs];

		r = definition_new(&m->d, "", "");
		if (r < 0)
			return r;
		doc->n_mdevs++;
		r = parse_mdev(json_object_array_get_idx(list, doc->n_mdevs - 1), m, ret_what);
	}
	if (r < 0)
		return r;
	qsort(doc->mdevs, doc->n_mdevs, sizeof(*doc->mdevs), compare_mdevs);
	for (size_t i = 1; i < doc->n_mdevs; i++)
		if (!strcmp(doc->mdevs[i - 1].d->uuid, doc->mdevs[i].d->uuid)) {
			*ret_what = "a UUID that is there twice";
			return -EBADMSG;
		}
	return 0;
}

static const struct hostdoc_accel *find_accel(const struct hostdoc *doc, const char *bdf)
{
	for (size_t i = 0; i < doc->n_accels; i++)
		if (!strcmp(doc->accels[i].bdf, bdf))
			return &doc->accels[i];
	return NULL;
}

static const struct hostdoc_mdev *find_mdev(const struct hostdoc *doc, const char *uuid)
{
	size_t low = 0, high = doc->n_mdevs;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = strcmp(uuid, doc->mdevs[mid].d->uuid);

		if (!d)
			return &doc->mdevs[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static int parse(struct json_object *o, struct hostdoc *doc, const char **ret_what)
{
	static const char *const keys[] = { "version", "accelerators", "mdevs", NULL };
	struct json_object *accels, *mdevs;
	unsigned int version;
	int r;

	*ret_what = find_unknown(o, keys);
	if (*ret_what)
		return -EBADMSG;
	*ret_what = "version, accelerators or mdevs";
	if (json_get_uint(o, "version", &version) < 0 || version != HOSTDOC_VERSION ||
	    json_get_array(o, "accelerators", &accels) < 0 || json_get_array(o, "mdevs", &mdevs) < 0)
		return -EBADMSG;
	r = parse_accels(accels, doc, ret_what);
	if (r >= 0)
		r = parse_mdevs(mdevs, doc, ret_what);
	if (r < 0)
		return r;
	*ret_what = "the parent of an mdev that runs, which is not among the accelerators";
	for (size_t i = 0; i < doc->n_mdevs; i++)
		if (doc->mdevs[i].running && !find_accel(doc, doc->mdevs[i].d->parent))
			return -EBADMSG;
	return 0;
}

int hostdoc_parse(struct hostdoc **ret, const char *text, struct refusal *ret_refusal)
{
	_cleanup_(hostdoc_freep) struct hostdoc *doc = calloc(1, sizeof(*doc));
	_cleanup_(json_putp) struct json_object *o = NULL;
	const char *what = "not being one JSON object";
	int r;

	if (!doc)
		return refuse(ret_refusal, REFUSE_FAILED, ENOMEM, "document",
			      "free some memory, then try again", "out of memory");
	r = json_parse(text, &o);
	if (r >= 0)
		r = parse(o, doc, &what);
	if (r < 0)
		return refuse(ret_refusal, REFUSE_INVALID_ARGS, -r, "document",
			      "idxdctl export shows the format",
			      "it cannot be used because of: %.100s", what);
	*ret = TAKE(doc);
	return 0;
}

/* --- writing --------------------------------------------------------------------------------- */

static void add_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

static void add_string(struct json_object *o, const char *key, const char *v)
{
	json_object_object_add(o, key, json_object_new_string(v));
}

static struct json_object *mdev_to_json(const struct mdev *m, const struct definition *d)
{
	struct json_object *o = json_object_new_object(), *labels;

	add_string(o, "uuid", m ? m->uuid : d->uuid);
	add_string(o, "parent", d ? d->parent : m->parent);
	add_string(o, "type", d ? d->type : m->type);
	add_bool(o, "defined", d);
	if (d) {
		add_bool(o, "autostart", d->autostart);
		if (d->wq[0])
			add_string(o, "wq", d->wq);
		labels = json_object_new_array();
		for (size_t i = 0; i < d->n_labels; i++)
			json_object_array_add(labels, json_object_new_string(d->labels[i]));
		json_object_object_add(o, "labels", labels);
	}
	add_bool(o, "running", m);
	if (m)
		add_string(o, "on", m->wq);
	if (m && m->owner)
		json_object_object_add(o, "owner", json_object_new_int64(m->owner));
	return o;
}

static int compare_json(const void *a, const void *b)
{
	struct json_object *x = *(struct json_object *const *)a, *y = *(struct json_object *const *)b;
	struct json_object *u, *v;

	json_object_object_get_ex(x, "uuid", &u);
	json_object_object_get_ex(y, "uuid", &v);
	return strcmp(json_object_get_string(u), json_object_get_string(v));
}

static struct json_object *mdevs_to_json(const struct ledger *l)
{
	struct json_object *a = json_object_new_array();
	const struct definition *d = NULL;
	const struct mdev *m = NULL;

	while ((m = ledger_next_mdev(l, m))) {
		const struct definition *of = ledger_find_definition(l, m->uuid);

		if (m->ours || of)
			json_object_array_add(a, mdev_to_json(m->ours ? m : NULL, of));
	}
	while ((d = ledger_next_definition(l, d)))
		if (!ledger_find_mdev(l, d->uuid))
			json_object_array_add(a, mdev_to_json(NULL, d));
	json_object_array_sort(a, compare_json);
	return a;
}

int hostdoc_export(const struct ledger *l, char **ret)
{
	_cleanup_(json_putp) struct json_object *o = json_object_new_object();
	struct json_object *accels = json_object_new_array();
	const char *text;

	json_object_object_add(o, "version", json_object_new_int(HOSTDOC_VERSION));
	for (size_t i = 0; i < l->n_accels; i++) {
		const struct accel *a = l->accels[i];
		struct json_object *v;

		if (!a->adopted)
			continue;
		v = json_object_new_object();
		add_string(v, "device", a->bdf);
		json_object_object_add(v, "host-wqs", json_object_new_int64(a->host_wqs));
		json_object_object_add(v, "pool-min", json_object_new_int64(a->pool_min));
		json_object_array_add(accels, v);
	}
	json_object_object_add(o, "accelerators", accels);
	json_object_object_add(o, "mdevs", mdevs_to_json(l));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						 JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text || asprintf(ret, "%s\n", text) < 0)
		return -ENOMEM;
	return 0;
}

/* --- the way from here to there -------------------------------------------------------------- */

struct way {
	const struct ledger *l;
	const struct hostdoc *want;
	struct hostdoc_step *steps;
	size_t n, size;
	int error;
};

static struct hostdoc_step *add(struct way *w, enum hostdoc_kind kind, const char *object)
{
	static struct hostdoc_step lost;
	struct hostdoc_step *s;

	if (w->n == w->size) {
		size_t size = w->size ? 2 * w->size : 16;

		s = reallocarray(w->steps, size, sizeof(*s));
		if (!s) {
			w->error = -ENOMEM;
			return &lost;
		}
		w->steps = s;
		w->size = size;
	}
	s = &w->steps[w->n++];
	*s = (struct hostdoc_step) { .kind = kind };
	snprintf(s->object, sizeof(s->object), "%s", object);
	return s;
}

static bool accel_stays(const struct way *w, const struct accel *a)
{
	const struct hostdoc_accel *want = find_accel(w->want, a->bdf);

	return want && want->host_wqs == a->host_wqs && want->pool_min == a->pool_min;
}

static bool mdev_stays(const struct way *w, const struct mdev *m)
{
	const struct accel *a = ledger_find_accel(w->l, m->parent);
	const struct hostdoc_mdev *want = find_mdev(w->want, m->uuid);

	return want && want->running && !strcmp(want->d->parent, m->parent) &&
	       !strcmp(want->d->type, m->type) && (!want->on[0] || !strcmp(want->on, m->wq)) &&
	       a && accel_stays(w, a);
}

static bool same_labels(const struct definition *a, const struct definition *b)
{
	if (a->n_labels != b->n_labels)
		return false;
	for (size_t i = 0; i < a->n_labels; i++)
		if (strcmp(a->labels[i], b->labels[i]))
			return false;
	return true;
}

static bool same_definition(const struct definition *a, const struct definition *b)
{
	return !strcmp(a->type, b->type) && !strcmp(a->wq, b->wq) &&
	       a->autostart == b->autostart && same_labels(a, b);
}

/* Away with what is in the way; a definition cannot move to another parent. */
static void add_removals(struct way *w)
{
	const struct definition *d = NULL;
	const struct hostdoc_mdev *want;
	const struct mdev *m = NULL;

	while ((m = ledger_next_mdev(w->l, m)))
		if (m->ours && !mdev_stays(w, m))
			add(w, HOSTDOC_STOP, m->uuid);
	while ((d = ledger_next_definition(w->l, d))) {
		want = find_mdev(w->want, d->uuid);
		if (!want || !want->defined || strcmp(want->d->parent, d->parent))
			add(w, HOSTDOC_UNDEFINE, d->uuid);
	}
	for (size_t i = 0; i < w->l->n_accels; i++)
		if (w->l->accels[i]->adopted && !accel_stays(w, w->l->accels[i]))
			add(w, HOSTDOC_RELEASE, w->l->accels[i]->bdf);
}

static void add_definition(struct way *w, const struct hostdoc_mdev *want)
{
	const struct definition *d = ledger_find_definition(w->l, want->d->uuid);

	if (!d || strcmp(d->parent, want->d->parent))
		add(w, HOSTDOC_DEFINE, want->d->uuid)->mdev = want;
	else if (!same_definition(d, want->d))
		add(w, HOSTDOC_MODIFY, want->d->uuid)->mdev = want;
}

static void add_additions(struct way *w)
{
	for (size_t i = 0; i < w->want->n_accels; i++) {
		const struct hostdoc_accel *want = &w->want->accels[i];
		const struct accel *a = ledger_find_accel(w->l, want->bdf);

		if (!a || !a->adopted || !accel_stays(w, a))
			add(w, HOSTDOC_ADOPT, want->bdf)->accel = want;
	}
	for (size_t i = 0; i < w->want->n_mdevs; i++)
		if (w->want->mdevs[i].defined)
			add_definition(w, &w->want->mdevs[i]);
	/* First those that want a certain queue, so that nobody else gets it. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < w->want->n_mdevs; i++) {
			const struct hostdoc_mdev *want = &w->want->mdevs[i];
			const struct mdev *m = ledger_find_mdev(w->l, want->d->uuid);

			bool first = want->on[0];

			if (want->running && first == (pass == 0) && (!m || !mdev_stays(w, m)))
				add(w, HOSTDOC_START, want->d->uuid)->mdev = want;
		}
}

int hostdoc_diff(const struct ledger *l, const struct hostdoc *want, struct hostdoc_step **ret,
		 size_t *ret_n)
{
	struct way w = { .l = l, .want = want };

	add_removals(&w);
	add_additions(&w);
	if (w.error) {
		free(w.steps);
		return w.error;
	}
	*ret = w.steps;
	*ret_n = w.n;
	return 0;
}

static const char *const kind_names[HOSTDOC_KIND_COUNT] = {
	[HOSTDOC_STOP] = "stop",
	[HOSTDOC_UNDEFINE] = "undefine",
	[HOSTDOC_RELEASE] = "release",
	[HOSTDOC_ADOPT] = "adopt",
	[HOSTDOC_DEFINE] = "define",
	[HOSTDOC_MODIFY] = "modify",
	[HOSTDOC_START] = "start",
};

void hostdoc_step_format(const struct hostdoc_step *s, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s %s", kind_names[s->kind], s->object);

	if (n < 0 || (size_t)n >= size)
		return;
	if (s->accel)
		snprintf(buf + n, size - n, " with host-wqs %u and pool-min %u", s->accel->host_wqs,
			 s->accel->pool_min);
	else if (s->mdev)
		snprintf(buf + n, size - n, " of type %s on %s", s->mdev->d->type,
			 s->mdev->on[0] ? s->mdev->on : s->mdev->d->parent);
}
