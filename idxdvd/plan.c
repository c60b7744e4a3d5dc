/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/plan.h"

static const struct {
	const char *name;
	bool forward;
} plan_kinds[PLAN_KIND_COUNT] = {
	[PLAN_ADOPT] = { "adopt", false },
	[PLAN_RELEASE] = { "release", true },
	[PLAN_CREATE] = { "create", false },
	[PLAN_DESTROY] = { "destroy", true },
	[PLAN_POOL] = { "pool", false },
	[PLAN_DEFINE] = { "define", true },
	[PLAN_UNDEFINE] = { "undefine", true },
	[PLAN_MODIFY] = { "modify", true },
	[PLAN_AUTOSTART] = { "autostart", true },
	[PLAN_START_ALL] = { "start-all", true },
	[PLAN_TRUST] = { "trust", false },
};

static const char *const step_kinds[STEP_KIND_COUNT] = {
	[STEP_SET] = "set",
	[STEP_BIND] = "bind",
	[STEP_UNBIND] = "unbind",
	[STEP_MDEV_CREATE] = "mdev-create",
	[STEP_MDEV_REMOVE] = "mdev-remove",
	[STEP_MDEV_EVICT] = "mdev-evict",
	[STEP_MDEV_WQ] = "mdev-wq",
};

const char *plan_kind_name(enum plan_kind kind)
{
	return plan_kinds[kind].name;
}

const char *step_kind_name(enum step_kind kind)
{
	return step_kinds[kind];
}

bool plan_kind_rolls_forward(enum plan_kind kind)
{
	return plan_kinds[kind].forward;
}

int plan_new(struct plan **ret, enum plan_kind kind, const struct accel *a)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;

	p->kind = kind;
	if (a) {
		memcpy(p->accel, a->name, sizeof(p->accel));
		memcpy(p->bdf, a->bdf, sizeof(p->bdf));
	}
	*ret = p;
	return 0;
}

struct plan *plan_free(struct plan *p)
{
	if (!p)
		return NULL;
	definition_change_free(p->definition);
	free(p->steps);
	free(p);
	return NULL;
}

void plan_freep(struct plan **p)
{
	plan_free(*p);
}

static int plan_grow(struct plan *p)
{
	size_t size = p->size ? 2 * p->size : 16;
	struct step *steps;

	if (p->n < p->size)
		return 0;

	steps = realloc(p->steps, size * sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	p->steps = steps;
	p->size = size;
	return 0;
}

void plan_add(struct plan *p, enum step_kind kind, const char *object, const char *attr,
	      const char *old, const char *val, const char *reason_fmt, ...)
{
	struct step *s;
	va_list ap;

	if (p->error)
		return;
	p->error = plan_grow(p);
	if (p->error)
		return;

	s = &p->steps[p->n++];
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	snprintf(s->object, sizeof(s->object), "%s", object);
	snprintf(s->attr, sizeof(s->attr), "%s", attr);
	snprintf(s->old, sizeof(s->old), "%s", old);
	snprintf(s->val, sizeof(s->val), "%s", val);
	va_start(ap, reason_fmt);
	vsnprintf(s->reason, sizeof(s->reason), reason_fmt, ap);
	va_end(ap);
}

int plan_append(struct plan *p, const struct plan *more)
{
	for (size_t i = 0; i < more->n; i++) {
		int r = p->n == p->size ? plan_grow(p) : 0;

		if (r < 0)
			return r;
		p->steps[p->n++] = more->steps[i];
	}
	return 0;
}

void step_format(const struct step *s, char *buf, size_t size)
{
	switch (s->kind) {
	case STEP_SET:
		if (!strcmp(s->old, s->val))
			snprintf(buf, size, "keep %s %s: %s", s->object, s->attr, s->val);
		else
			snprintf(buf, size, "set %s %s: %s -> %s", s->object, s->attr,
				 s->old[0] ? s->old : "\"\"", s->val[0] ? s->val : "\"\"");
		break;
	case STEP_BIND:
		snprintf(buf, size, "bind %s to driver %s", s->object, s->attr);
		break;
	case STEP_UNBIND:
		snprintf(buf, size, "unbind %s from driver %s", s->object, s->attr);
		break;
	case STEP_MDEV_CREATE:
		snprintf(buf, size, "create mdev %s of type %s on %s", s->object, s->attr, s->val);
		break;
	case STEP_MDEV_REMOVE:
		snprintf(buf, size, "remove mdev %s of type %s on %s", s->object, s->attr, s->val);
		break;
	case STEP_MDEV_EVICT:
		snprintf(buf, size, "take mdev %s of type %s on %s from its user", s->object,
			 s->attr, s->val);
		break;
	case STEP_MDEV_WQ:
		snprintf(buf, size, "pin mdev %s to %s", s->object, s->val);
		break;
	case STEP_KIND_COUNT:
		snprintf(buf, size, "?");
		break;
	}
}

int plan_format(const struct plan *p, char **ret)
{
	_cleanup_(freep) char *buf = NULL;
	char line[512];
	size_t len;
	FILE *f;

	f = open_memstream(&buf, &len);
	if (!f)
		return -ENOMEM;

	for (size_t i = 0; i < p->n; i++) {
		step_format(&p->steps[i], line, sizeof(line));
		fprintf(f, "%zu. %s  (%s)\n", i + 1, line, p->steps[i].reason);
	}
	if (p->definition)
		fprintf(f, "%zu. %s the definition of mdev %s on %s  (asked for)\n", p->n + 1,
			!p->definition->after ? "remove" :
			!p->definition->before ? "write" : "rewrite",
			p->definition->uuid, p->definition->parent);
	if (fclose(f))
		return -ENOMEM;

	*ret = TAKE(buf);
	return 0;
}
