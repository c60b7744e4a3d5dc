/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/device.h"

static const char *const state_names[] = {
	[STATE_DISABLED] = "disabled",
	[STATE_ENABLED] = "enabled",
	[STATE_HALTED] = "halted",
	[STATE_UNKNOWN] = "unknown",
};

static const char *const type_names[] = {
	[WQ_TYPE_NONE] = "none",
	[WQ_TYPE_KERNEL] = "kernel",
	[WQ_TYPE_USER] = "user",
};

static const char *const class_names[WQ_CLASS_COUNT] = {
	[WQ_FREE] = "free",
	[WQ_HOST_KERNEL] = "host-kernel",
	[WQ_HOST_USER] = "host-user",
	[WQ_POOL] = "pool",
	[WQ_MDEV_IDLE] = "mdev-idle",
	[WQ_MDEV_IN_USE] = "mdev-in-use",
	[WQ_FOREIGN] = "foreign",
};

const char *accel_kind_name(enum accel_kind kind)
{
	return kind == ACCEL_DSA ? "dsa" : "iax";
}

const char *object_state_name(enum object_state state)
{
	return state_names[state];
}

const char *wq_type_name(enum wq_type type)
{
	return type_names[type];
}

const char *wq_class_name(enum wq_class cls)
{
	return class_names[cls];
}

struct accel *accel_free(struct accel *a)
{
	if (!a)
		return NULL;
	free(a->wqs);
	free(a->engines);
	free(a);
	return NULL;
}

void accel_freep(struct accel **a)
{
	accel_free(*a);
}

int accel_new(struct accel **ret, unsigned int n_wqs, unsigned int n_engines)
{
	struct accel *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;

	a->wqs = calloc(n_wqs + 1, sizeof(*a->wqs));
	a->engines = calloc(n_engines + 1, sizeof(*a->engines));
	if (!a->wqs || !a->engines) {
		accel_free(a);
		return -ENOMEM;
	}
	a->n_wqs = n_wqs;
	a->n_engines = n_engines;
	*ret = a;
	return 0;
}

int accel_copy(const struct accel *a, struct accel **ret)
{
	struct engine *engines;
	struct accel *b;
	struct wq *wqs;
	int r;

	r = accel_new(&b, a->n_wqs, a->n_engines);
	if (r < 0)
		return r;

	wqs = b->wqs;
	engines = b->engines;
	*b = *a;
	b->wqs = memcpy(wqs, a->wqs, a->n_wqs * sizeof(*wqs));
	b->engines = memcpy(engines, a->engines, a->n_engines * sizeof(*engines));
	*ret = b;
	return 0;
}

static bool wq_same_hardware(const struct wq *v, const struct wq *w)
{
	return v->group == w->group && v->size == w->size && v->priority == w->priority &&
	       v->threshold == w->threshold && v->max_transfer == w->max_transfer &&
	       v->max_batch == w->max_batch && v->dedicated == w->dedicated &&
	       v->state == w->state && v->type == w->type && v->clients == w->clients &&
	       v->holder.pid == w->holder.pid && !strcmp(v->label, w->label) &&
	       !strcmp(v->driver_name, w->driver_name) && !strcmp(v->driver, w->driver);
}

bool accel_same_hardware(const struct accel *a, const struct accel *b)
{
	if (a->state != b->state || a->unsafe_allowed != b->unsafe_allowed ||
	    a->iommu != b->iommu || a->pasid != b->pasid || a->module != b->module ||
	    a->enqcmd != b->enqcmd || a->shared_mode != b->shared_mode || a->ims != b->ims ||
	    a->max_sharers != b->max_sharers ||
	    a->n_wqs != b->n_wqs || a->n_engines != b->n_engines)
		return false;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (!wq_same_hardware(&a->wqs[i], &b->wqs[i]))
			return false;

	for (unsigned int i = 0; i < a->n_engines; i++)
		if (a->engines[i].group != b->engines[i].group)
			return false;
	return true;
}

struct wq *accel_find_wq(struct accel *a, const char *name)
{
	const char *dot = strchr(name, '.');
	unsigned int id;

	/* Where it is if its name is what the kernel makes of its number. */
	if (dot && parse_uint(dot + 1, &id) == 0 && id < a->n_wqs && !strcmp(a->wqs[id].name, name))
		return &a->wqs[id];
	for (unsigned int i = 0; i < a->n_wqs; i++)
		if (!strcmp(a->wqs[i].name, name))
			return &a->wqs[i];
	return NULL;
}

unsigned int accel_group_engines(const struct accel *a, int group)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n_engines; i++)
		n += group >= 0 && a->engines[i].group == group;
	return n;
}

bool wq_is_unconfigured(const struct wq *w)
{
	return w->state == STATE_DISABLED && w->type == WQ_TYPE_NONE && !w->label[0] &&
	       !w->driver[0] && !w->threshold;
}

bool wq_is_iaa_default(const struct accel *a, const struct wq *w)
{
	return a->kind == ACCEL_IAX && w->id == 0 && w->state == STATE_DISABLED && w->dedicated &&
	       w->size == a->max_size && w->priority == 10 && w->group == 0 &&
	       w->type != WQ_TYPE_USER && !w->driver[0] && !strcmp(w->label, "iaa_crypto") &&
	       !strcmp(w->driver_name, "crypto");
}

bool accel_is_unconfigured(const struct accel *a)
{
	bool iaa_default = a->n_wqs && wq_is_iaa_default(a, &a->wqs[0]);

	if (a->state != STATE_DISABLED && !(iaa_default && a->state == STATE_ENABLED))
		return false;

	for (unsigned int i = iaa_default; i < a->n_wqs; i++) {
		const struct wq *w = &a->wqs[i];

		if (!wq_is_unconfigured(w) || w->size || w->group >= 0)
			return false;
	}

	/* Of the engines idxd's IAA defaults take one or all, by version, into group 0. */
	for (unsigned int i = 0; i < a->n_engines; i++)
		if (a->engines[i].group > (iaa_default ? 0 : -1))
			return false;
	return true;
}

void wq_classify(struct wq *w, bool in_use)
{
	if (w->mdev[0])
		w->cls = in_use ? WQ_MDEV_IN_USE : WQ_MDEV_IDLE;
	else if (!strcmp(w->driver, "mdev"))
		w->cls = WQ_POOL;
	else if (!strcmp(w->driver, "user"))
		w->cls = WQ_HOST_USER;
	else if (w->driver[0] || (w->state == STATE_ENABLED && w->type == WQ_TYPE_KERNEL))
		w->cls = WQ_HOST_KERNEL;
	else if (wq_is_unconfigured(w))
		w->cls = WQ_FREE;
	else
		w->cls = WQ_FOREIGN;
}
