/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/definition.h"

#define TYPE_PREFIX	"idxd-"
#define EXTRA_VERSION	1
#define WQ_ATTR		"wq"		/* of the mdev in sysfs */

static int copy_string(char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

int definition_new(struct definition **ret, const char *uuid, const char *parent)
{
	struct definition *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	snprintf(d->uuid, sizeof(d->uuid), "%s", uuid);
	snprintf(d->parent, sizeof(d->parent), "%s", parent);
	*ret = d;
	return 0;
}

struct definition *definition_free(struct definition *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n_labels; i++)
		free(d->labels[i]);
	free(d->labels);
	free(d->text);
	free(d->extra);
	free(d);
	return NULL;
}

void definition_freep(struct definition **d)
{
	definition_free(*d);
}

int definition_copy(const struct definition *d, struct definition **ret)
{
	_cleanup_(definition_freep) struct definition *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *d;
	copy->n_labels = 0;
	copy->text = copy->extra = NULL;
	copy->labels = calloc(DEFINITION_MAX_LABELS, sizeof(*copy->labels));
	if (!copy->labels || copy_string(&copy->text, d->text) < 0 ||
	    copy_string(&copy->extra, d->extra) < 0)
		return -ENOMEM;
	for (; copy->n_labels < d->n_labels; copy->n_labels++)
		if (copy_string(&copy->labels[copy->n_labels], d->labels[copy->n_labels]) < 0)
			return -ENOMEM;
	*ret = TAKE(copy);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool definition_same(const struct definition *a, const struct definition *b)
{
	return !strcmp(a->parent, b->parent) && same_text(a->text, b->text) &&
	       same_text(a->extra, b->extra);
}

/* --- labels ---------------------------------------------------------------------------------- */

static bool label_is_valid(const char *label)
{
	const char *value = strchr(label, '=');

	if (!value || value == label || strlen(label) >= LABEL_LEN)
		return false;
	for (; *label; label++)
		if (*label < ' ' || *label > '~')
			return false;
	return true;
}

int definition_set_label(struct definition *d, const char *label)
{
	size_t key, i, same;
	char *copy;

	if (!label_is_valid(label))
		return -EINVAL;
	if (!d->labels)
		d->labels = calloc(DEFINITION_MAX_LABELS, sizeof(*d->labels));
	if (!d->labels)
		return -ENOMEM;

	key = strchr(label, '=') - label + 1;
	for (i = 0; i < d->n_labels && strncmp(d->labels[i], label, key) < 0; i++)
		;
	same = i < d->n_labels && !strncmp(d->labels[i], label, key);
	if (!label[key]) {
		if (same) {
			free(d->labels[i]);
			memmove(&d->labels[i], &d->labels[i + 1],
				(--d->n_labels - i) * sizeof(*d->labels));
		}
		return 0;
	}
	if (!same && d->n_labels == DEFINITION_MAX_LABELS)
		return -E2BIG;
	copy = strdup(label);
	if (!copy)
		return -ENOMEM;
	if (same) {
		free(d->labels[i]);
	} else {
		memmove(&d->labels[i + 1], &d->labels[i],
			(d->n_labels++ - i) * sizeof(*d->labels));
	}
	d->labels[i] = copy;
	return 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* The list of one-member objects that mdevctl writes to sysfs in their order. */
static int parse_attrs(struct json_object *attrs, struct definition *d)
{
	for (size_t i = 0; i < json_object_array_length(attrs); i++) {
		struct json_object *o = json_object_array_get_idx(attrs, i);

		if (!json_object_is_type(o, json_type_object))
			return -EBADMSG;
		json_object_object_foreach(o, key, value) {
			if (!json_object_is_type(value, json_type_string))
				return -EBADMSG;
			if (!strcmp(key, WQ_ATTR))
				snprintf(d->wq, sizeof(d->wq), "%s", json_object_get_string(value));
			else
				snprintf(d->attr, sizeof(d->attr), "%s", key);
		}
	}
	return 0;
}

static int parse_text(struct definition *d)
{
	_cleanup_(json_putp) struct json_object *o = NULL;
	struct json_object *attrs;
	char start[16] = "manual";
	int r;

	r = json_parse(d->text, &o);
	if (r < 0)
		return r;
	if (json_get_string(o, "mdev_type", d->type, sizeof(d->type)) < 0)
		return -EBADMSG;
	if (strncmp(d->type, TYPE_PREFIX, strlen(TYPE_PREFIX)))
		return -ENOTSUP;
	r = json_get_string(o, "start", start, sizeof(start));
	if ((r < 0 && r != -ENOENT) || (strcmp(start, "auto") && strcmp(start, "manual")))
		return -EBADMSG;
	d->autostart = !strcmp(start, "auto");
	r = json_get_array(o, "attrs", &attrs);
	return r == -ENOENT ? 0 : r < 0 ? r : parse_attrs(attrs, d);
}

static int parse_extra(struct definition *d)
{
	_cleanup_(json_putp) struct json_object *o = NULL;
	struct json_object *labels;
	unsigned int version;
	int r;

	r = json_parse(d->extra, &o);
	if (r < 0)
		return r;
	if (json_get_uint(o, "version", &version) < 0 || version > EXTRA_VERSION)
		return -EBADMSG;
	if (!json_object_object_get_ex(o, "labels", &labels))
		return 0;
	if (!json_object_is_type(labels, json_type_object))
		return -EBADMSG;
	json_object_object_foreach(labels, key, value) {
		char label[LABEL_LEN + 1];

		if (!json_object_is_type(value, json_type_string))
			return -EBADMSG;
		snprintf(label, sizeof(label), "%s=%s", key, json_object_get_string(value));
		r = definition_set_label(d, label);
		if (r < 0)
			return r == -ENOMEM ? r : -EBADMSG;
	}
	return 0;
}

int definition_parse(struct definition **ret, const char *uuid, const char *parent,
		     const char *text, const char *extra)
{
	_cleanup_(definition_freep) struct definition *d = NULL;
	int r;

	r = definition_new(&d, uuid, parent);
	if (r >= 0)
		r = copy_string(&d->text, text);
	if (r >= 0)
		r = copy_string(&d->extra, extra);
	if (r >= 0)
		r = parse_text(d);
	if (r >= 0 && extra)
		r = parse_extra(d);
	if (r < 0)
		return r;
	*ret = TAKE(d);
	return 0;
}

/* --- writing --------------------------------------------------------------------------------- */

/* The old text, so that what is not ours to know stays in its place; or a new object. */
static int begin(const char *old, struct json_object **ret)
{
	if (old)
		return json_parse(old, ret);
	*ret = json_object_new_object();
	return *ret ? 0 : -ENOMEM;
}

static int finish(struct json_object *o, char **text)
{
	const char *s = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_SPACED |
							  JSON_C_TO_STRING_NOSLASHESCAPE);
	char *copy;

	if (!s || asprintf(&copy, "%s\n", s) < 0)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

/* Other attributes keep their place; there is one for the queue at most. */
static int render_attrs(struct json_object *o, const char *wq)
{
	struct json_object *old = NULL, *attrs = json_object_new_array(), *pin;

	json_object_object_get_ex(o, "attrs", &old);
	for (size_t i = 0; old && i < json_object_array_length(old); i++) {
		struct json_object *attr = json_object_array_get_idx(old, i);

		if (!json_object_object_get_ex(attr, WQ_ATTR, NULL))
			json_object_array_add(attrs, json_object_get(attr));
	}
	if (wq[0]) {
		pin = json_object_new_object();
		json_object_object_add(pin, WQ_ATTR, json_object_new_string(wq));
		json_object_array_add(attrs, pin);
	}
	return json_object_object_add(o, "attrs", attrs) < 0 ? -ENOMEM : 0;
}

static int render_text(struct definition *d)
{
	_cleanup_(json_putp) struct json_object *o = NULL;
	int r;

	r = begin(d->text, &o);
	if (r < 0)
		return r;
	json_object_object_add(o, "mdev_type", json_object_new_string(d->type));
	json_object_object_add(o, "start",
			       json_object_new_string(d->autostart ? "auto" : "manual"));
	r = render_attrs(o, d->wq);
	return r < 0 ? r : finish(o, &d->text);
}

/* There is no file as long as it would say nothing. */
static int render_extra(struct definition *d)
{
	_cleanup_(json_putp) struct json_object *o = NULL;
	struct json_object *labels;
	int r;

	if (!d->extra && !d->n_labels)
		return 0;
	r = begin(d->extra, &o);
	if (r < 0)
		return r;
	labels = json_object_new_object();
	for (size_t i = 0; i < d->n_labels; i++) {
		char *value = strchr(d->labels[i], '=');

		*value = '\0';
		json_object_object_add(labels, d->labels[i], json_object_new_string(value + 1));
		*value = '=';
	}
	json_object_object_add(o, "version", json_object_new_int(EXTRA_VERSION));
	json_object_object_add(o, "labels", labels);
	return finish(o, &d->extra);
}

int definition_render(struct definition *d)
{
	int r = render_text(d);

	return r < 0 ? r : render_extra(d);
}

/* --- changes --------------------------------------------------------------------------------- */

struct definition_change *definition_change_free(struct definition_change *c)
{
	if (!c)
		return NULL;
	free(c->before);
	free(c->before_extra);
	free(c->after);
	free(c->after_extra);
	free(c);
	return NULL;
}

int definition_change_new(struct definition_change **ret, const struct definition *before,
			  const struct definition *after)
{
	const struct definition *any = after ? after : before;
	struct definition_change *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	memcpy(c->uuid, any->uuid, sizeof(c->uuid));
	memcpy(c->parent, any->parent, sizeof(c->parent));
	if (copy_string(&c->before, before ? before->text : NULL) < 0 ||
	    copy_string(&c->before_extra, before ? before->extra : NULL) < 0 ||
	    copy_string(&c->after, after ? after->text : NULL) < 0 ||
	    copy_string(&c->after_extra, after ? after->extra : NULL) < 0) {
		definition_change_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

/* The texts of a change by their keys in the journal. */
static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{ "before", offsetof(struct definition_change, before) },
	{ "before-extra", offsetof(struct definition_change, before_extra) },
	{ "after", offsetof(struct definition_change, after) },
	{ "after-extra", offsetof(struct definition_change, after_extra) },
};

static char **text_of(const struct definition_change *c, size_t i)
{
	return (char **)((char *)c + texts[i].offset);
}

struct json_object *definition_change_to_json(const struct definition_change *c)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "uuid", json_object_new_string(c->uuid));
	json_object_object_add(o, "parent", json_object_new_string(c->parent));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (*text_of(c, i))
			json_object_object_add(o, texts[i].key,
					       json_object_new_string(*text_of(c, i)));
	return o;
}

int definition_change_from_json(struct json_object *o, struct definition_change **ret)
{
	struct definition_change *c;
	struct json_object *text;
	int r = 0;

	if (!json_object_is_type(o, json_type_object))
		return -EBADMSG;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	if (json_get_string(o, "uuid", c->uuid, sizeof(c->uuid)) < 0 ||
	    parse_uuid(c->uuid, c->uuid) < 0 ||
	    json_get_string(o, "parent", c->parent, sizeof(c->parent)) < 0 ||
	    !string_is_pci_address(c->parent))
		r = -EBADMSG;
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(texts); i++)
		if (json_object_object_get_ex(o, texts[i].key, &text))
			r = copy_string(text_of(c, i), json_object_get_string(text));
	if (r < 0) {
		definition_change_free(c);
		return r;
	}
	*ret = c;
	return 0;
}
