/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What idxd, the mdev bus and our module do in a kernel, done to a struct fake_hw. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/fake-kernel.h"

/* What idxd leaves in cmd_status when it refuses. */
enum {
	STS_WQ_SIZE_ZERO = 0x16,
	STS_DEV_ENABLED = 0x80000010,
	STS_DEV_DISABLED = 0x80000020,
	STS_NO_GROUP = 0x80030000,
	STS_NO_NAME = 0x80040000,
	STS_SHARED = 0x80050000,
	STS_SHARED_WQ = 0x800c0000,
	STS_NO_WQ = 0x800d0000,
	STS_SIZE = 0x800e0000,
	STS_DRIVER_NAME = 0x80200000,
};

bool fake_is_unsafe(const struct fake_accel *a)
{
	return a->pci_device == 0x0b25 || a->pci_device == 0x0cfe;
}

/* "dsa0" of the first is accelerator 0, as the number says. */
static struct fake_accel *accel_of(struct fake_hw *hw, const char *name)
{
	unsigned int id;

	if (parse_uint(name + strcspn(name, "0123456789"), &id) < 0 || id >= hw->n_accels ||
	    strcmp(hw->accels[id].name, name))
		return NULL;
	return &hw->accels[id];
}

/* 0 and 1 of wq0.1; false if it is none. */
static bool parse_part(const char *object, const char *what, unsigned int *ret_id, unsigned int *ret_n)
{
	size_t len = strlen(what);
	int end = 0;

	return !strncmp(object, what, len) &&
	       sscanf(object + len, "%u.%u%n", ret_id, ret_n, &end) == 2 && !object[len + end];
}

int fake_find(struct fake_hw *hw, const char *object, struct target *ret)
{
	unsigned int id, n;

	*ret = (struct target) { 0 };
	if (parse_part(object, "wq", &id, &n)) {
		ret->accel = id < hw->n_accels && n < hw->accels[id].n_wqs ? &hw->accels[id] : NULL;
		ret->wq = ret->accel ? &ret->accel->wqs[n] : NULL;
	} else if (parse_part(object, "engine", &id, &n)) {
		ret->accel = id < hw->n_accels && n < hw->accels[id].n_engines ? &hw->accels[id] :
										 NULL;
		ret->engine_group = ret->accel ? &ret->accel->engine_group[n] : NULL;
	} else {
		ret->accel = accel_of(hw, object);
	}
	return ret->accel && !ret->accel->absent ? 0 : -ENODEV;
}

/* --- enabling and disabling -------------------------------------------------------------------- */

void fake_disable_wq(struct fake_hw *hw, struct fake_accel *a, struct fake_wq *w)
{
	while (w->mdev)
		fake_drop_mdev(hw, &hw->mdevs[w->mdev - 1]);
	w->driver[0] = w->label[0] = '\0';
	w->type = WQ_TYPE_NONE;
	w->state = STATE_DISABLED;
	w->dedicated = false;
	w->threshold = w->priority = w->clients = 0;
	fake_wq_reset_limits(a, w);
	memset(&w->holder, 0, sizeof(w->holder));
}

void fake_disable_accel(struct fake_hw *hw, struct fake_accel *a)
{
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		if (a->wqs[i].driver[0] || a->configurable)
			fake_disable_wq(hw, a, &a->wqs[i]);
		if (a->configurable) {
			a->wqs[i].size = 0;
			a->wqs[i].group = -1;
		}
	}
	for (unsigned int i = 0; a->configurable && i < a->n_engines; i++)
		a->engine_group[i] = -1;
	a->enabled = false;
}

static int status(struct fake_accel *a, unsigned int sts, int r)
{
	a->cmd_status = sts;
	return r;
}

static int enable_accel(const struct fake_hw *hw, struct fake_accel *a)
{
	bool wq = false, engine = false;

	if (a->enabled)
		return status(a, STS_DEV_ENABLED, -ENXIO);
	for (unsigned int i = 0; i < a->n_wqs; i++)
		wq = wq || a->wqs[i].group >= 0;
	for (unsigned int i = 0; i < a->n_engines; i++)
		engine = engine || a->engine_group[i] >= 0;
	if (!wq || !engine)
		return status(a, STS_NO_WQ, -ENXIO);
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		if (a->wqs[i].group < 0)
			continue;
		if (!a->wqs[i].dedicated && (!hw->enqcmd || !a->pasid))
			return status(a, STS_SHARED_WQ, -ENXIO);
		if (!a->wqs[i].size)
			return status(a, STS_WQ_SIZE_ZERO, -ENXIO);
	}
	a->enabled = true;
	return 0;
}

static bool group_has_engine(const struct fake_accel *a, int group)
{
	for (unsigned int i = 0; i < a->n_engines; i++)
		if (a->engine_group[i] == group)
			return true;
	return false;
}

static int enable_wq(const struct fake_hw *hw, struct fake_accel *a, struct fake_wq *w,
		     const char *driver)
{
	if (strncmp(w->driver_name, driver, strlen(driver)))
		return status(a, STS_DRIVER_NAME, -ENODEV);
	if (w->type == WQ_TYPE_NONE)
		return -ENODEV;
	if (!strcmp(driver, "mdev") && (!a->iommu || !a->pasid))
		return -EOPNOTSUPP;
	if (!a->enabled)
		return status(a, STS_DEV_DISABLED, -ENXIO);
	if (w->group < 0)
		return status(a, STS_NO_GROUP, -ENXIO);
	if (!w->label[0])
		return status(a, STS_NO_NAME, -ENXIO);
	if (!w->size)
		return status(a, STS_SIZE, -ENXIO);
	if (!w->dedicated && (!hw->enqcmd || !a->pasid))
		return status(a, STS_SHARED_WQ, -ENXIO);
	if (!w->dedicated && !w->threshold)
		return status(a, STS_SHARED, -ENXIO);
	if (!group_has_engine(a, w->group) || w->priority < 1 || w->priority > 15)
		return status(a, 0x21, -ENXIO);
	w->state = STATE_ENABLED;
	snprintf(w->driver, sizeof(w->driver), "%s", driver);
	return 0;
}

/* --- attributes ------------------------------------------------------------------------------ */

/* The order of a store's tests is the kernel's. */
static int check_wq_store(const struct fake_accel *a, const struct fake_wq *w, bool device_off)
{
	if (!a->configurable || w->state != STATE_DISABLED)
		return -EPERM;
	return device_off && a->enabled ? -EPERM : 0;
}

static int set_group(const struct fake_accel *a, int *group, const char *value)
{
	int v;

	if (parse_int(value, &v) < 0)
		return -EINVAL;
	if (!a->configurable)
		return -EPERM;
	if (v < -1 || v >= (int)a->n_groups)
		return -EINVAL;
	*group = v;
	return 0;
}

static int set_wq_group(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	return w->state != STATE_DISABLED ? -EPERM : set_group(a, &w->group, value);
}

static int set_wq_size(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	unsigned int v, sum = 0;
	int r;

	if (parse_uint(value, &v) < 0)
		return -EINVAL;
	r = check_wq_store(a, w, true);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < a->n_wqs; i++)
		sum += &a->wqs[i] == w ? 0 : a->wqs[i].size;
	if (v > a->max_size || sum + v > a->max_size)
		return -EINVAL;
	w->size = v;
	return 0;
}

static int set_wq_mode(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	int r;

	r = check_wq_store(a, w, false);
	if (r < 0)
		return r;
	if (strcmp(value, "dedicated") && strcmp(value, "shared"))
		return -EINVAL;
	w->dedicated = !strcmp(value, "dedicated");
	if (w->dedicated)
		w->threshold = 0;
	return 0;
}

/* There is no way back to 0 but through the mode. */
static int set_wq_threshold(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	unsigned int v;
	int r;

	if (parse_uint(value, &v) < 0 || !v || v > w->size)
		return -EINVAL;
	r = check_wq_store(a, w, false);
	if (r < 0)
		return r;
	if (w->dedicated)
		return -EINVAL;
	w->threshold = v;
	return 0;
}

static int set_wq_priority(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	unsigned int v;
	int r;

	if (parse_uint(value, &v) < 0)
		return -EINVAL;
	r = check_wq_store(a, w, false);
	if (r < 0)
		return r;
	if (v > 15)
		return -EINVAL;
	w->priority = v;
	return 0;
}

/* idxd rounds up to a power of two before it compares. */
static int set_limit(const struct fake_accel *a, const struct fake_wq *w, const char *value,
		     unsigned int max, unsigned int *limit)
{
	unsigned int v, power = 1;
	int r;

	r = check_wq_store(a, w, false);
	if (r < 0)
		return r;
	if (parse_uint(value, &v) < 0 || !v || v > 1u << 31)
		return -EINVAL;
	while (power < v)
		power *= 2;
	if (power > max)
		return -EINVAL;
	*limit = power;
	return 0;
}

static int set_wq_max_transfer(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	return set_limit(a, w, value, a->max_transfer, &w->max_transfer);
}

static int set_wq_max_batch(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	return set_limit(a, w, value, a->max_batch, &w->max_batch);
}

static int set_wq_type(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	enum wq_type old = w->type;

	if (w->state != STATE_DISABLED)
		return -EPERM;
	if (!strcmp(value, "none"))
		w->type = WQ_TYPE_NONE;
	else if (!strcmp(value, "kernel"))
		w->type = WQ_TYPE_KERNEL;
	else if (!strcmp(value, "user"))
		w->type = WQ_TYPE_USER;
	else
		return -EINVAL;
	if (w->type != old)
		w->label[0] = '\0';
	return 0;
}

static int set_string(const struct fake_wq *w, char *s, const char *value)
{
	if (w->state != STATE_DISABLED)
		return -EPERM;
	if (strlen(value) >= LABEL_LEN)
		return -EINVAL;
	strcpy(s, value);
	return 0;
}

static int set_wq_name(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	return set_string(w, w->label, value);
}

static int set_wq_driver_name(struct fake_accel *a, struct fake_wq *w, const char *value)
{
	return set_string(w, w->driver_name, value);
}

static void show_wq_group(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%d", w->group);
}

static void show_wq_size(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%u", w->size);
}

static void show_wq_mode(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%s", w->dedicated ? "dedicated" : "shared");
}

static void show_wq_threshold(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%u", w->threshold);
}

static void show_wq_priority(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%u", w->priority);
}

static void show_wq_max_transfer(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%u", w->max_transfer);
}

static void show_wq_max_batch(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%u", w->max_batch);
}

static void show_wq_type(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%s", wq_type_name(w->type));
}

static void show_wq_name(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%s", w->label);
}

static void show_wq_driver_name(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%s", w->driver_name);
}

static void show_wq_driver(const struct fake_wq *w, char *buf, size_t size)
{
	snprintf(buf, size, "%s", w->driver);
}

static const struct {
	const char *name;
	void (*show)(const struct fake_wq *w, char *buf, size_t size);
	int (*store)(struct fake_accel *a, struct fake_wq *w, const char *value);
} wq_attrs[] = {
	{ "group_id", show_wq_group, set_wq_group },
	{ "size", show_wq_size, set_wq_size },
	{ "mode", show_wq_mode, set_wq_mode },
	{ "threshold", show_wq_threshold, set_wq_threshold },
	{ "priority", show_wq_priority, set_wq_priority },
	{ "max_transfer_size", show_wq_max_transfer, set_wq_max_transfer },
	{ "max_batch_size", show_wq_max_batch, set_wq_max_batch },
	{ "type", show_wq_type, set_wq_type },
	{ "name", show_wq_name, set_wq_name },
	{ "driver_name", show_wq_driver_name, set_wq_driver_name },
	{ "driver", show_wq_driver, NULL },
};

/* The attribute comes and goes with the first queue that is bound to the module. */
static bool is_parent(const struct fake_hw *hw, const struct fake_accel *a)
{
	bool bound = false;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		bound = bound || !strcmp(a->wqs[i].driver, "mdev");
	return hw->module && bound;
}

static int set_unsafe(const struct fake_hw *hw, struct fake_accel *a, const char *value)
{
	bool on = !strcmp(value, "1");

	if (!is_parent(hw, a))
		return -ENOENT;
	if (on && !hw->allow_unsafe)
		return -EPERM;
	a->unsafe_allowed = on;
	return 0;
}

int fake_get(struct fake_hw *hw, const char *object, const char *attr, char *buf,
		    size_t size)
{
	struct target t;
	int r;

	r = fake_find(hw, object, &t);
	if (r < 0)
		return r;
	for (size_t i = 0; t.wq && i < ARRAY_LEN(wq_attrs); i++)
		if (!strcmp(wq_attrs[i].name, attr)) {
			wq_attrs[i].show(t.wq, buf, size);
			return 0;
		}
	if (t.engine_group && !strcmp(attr, "group_id"))
		snprintf(buf, size, "%d", *t.engine_group);
	else if (!t.wq && !t.engine_group && !strcmp(attr, "driver"))
		snprintf(buf, size, "%s", t.accel->enabled ? "idxd" : "");
	else if (!t.wq && !t.engine_group && !strcmp(attr, "cmd_status"))
		snprintf(buf, size, "0x%x", t.accel->cmd_status);
	else if (!t.wq && !t.engine_group && !strcmp(attr, "idxd_mdev_unsafe") &&
		 is_parent(hw, t.accel))
		snprintf(buf, size, "%d", t.accel->unsafe_allowed);
	else
		return -ENOENT;
	return 0;
}

int fake_set(struct fake_hw *hw, const char *object, const char *attr, const char *value)
{
	struct target t;
	int r;

	r = fake_find(hw, object, &t);
	if (r < 0)
		return r;
	for (size_t i = 0; t.wq && i < ARRAY_LEN(wq_attrs); i++)
		if (!strcmp(wq_attrs[i].name, attr) && wq_attrs[i].store)
			return wq_attrs[i].store(t.accel, t.wq, value);
	if (t.engine_group && !strcmp(attr, "group_id"))
		return set_group(t.accel, t.engine_group, value);
	if (!t.wq && !t.engine_group && !strcmp(attr, "idxd_mdev_unsafe"))
		return set_unsafe(hw, t.accel, value);
	return -ENOENT;
}

int fake_bind(struct fake_hw *hw, const char *object, const char *driver)
{
	struct target t;
	int r;

	r = fake_find(hw, object, &t);
	if (r < 0)
		return r;
	if (!t.wq)
		return !t.engine_group && !strcmp(driver, "idxd") ? enable_accel(hw, t.accel) : -ENODEV;
	if (!strcmp(driver, "mdev") && !hw->module)
		return -ENOENT;
	if (t.wq->driver[0])
		return -EBUSY;
	return enable_wq(hw, t.accel, t.wq, driver);
}

int fake_unbind(struct fake_hw *hw, const char *object, const char *driver)
{
	struct target t;
	int r;

	r = fake_find(hw, object, &t);
	if (r < 0)
		return r;
	if (t.wq) {
		if (strcmp(t.wq->driver, driver))
			return -ENODEV;
		fake_disable_wq(hw, t.accel, t.wq);
		return 0;
	}
	if (t.engine_group || strcmp(driver, "idxd") || !t.accel->enabled)
		return -ENODEV;
	fake_disable_accel(hw, t.accel);
	return 0;
}

/* --- what happens to it ---------------------------------------------------------------------- */

static void unplug(struct fake_hw *hw, struct fake_accel *a)
{
	for (unsigned int i = 0; i < a->n_wqs; i++)
		while (a->wqs[i].mdev)
			fake_drop_mdev(hw, &hw->mdevs[a->wqs[i].mdev - 1]);
	fake_accel_reset(a);
	a->absent = true;
}

static void reset(struct fake_accel *a, bool done)
{
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		struct fake_wq *w = &a->wqs[i];

		if (done ? !w->interrupted : strcmp(w->driver, "mdev"))
			continue;
		w->interrupted = !done;
		w->state = done ? STATE_ENABLED : STATE_DISABLED;
		strcpy(w->driver, done ? "mdev" : "");
	}
}

static void unload(struct fake_hw *hw)
{
	for (unsigned int i = 0; i < hw->n_accels; i++)
		for (unsigned int k = 0; k < hw->accels[i].n_wqs; k++)
			if (!strcmp(hw->accels[i].wqs[k].driver, "mdev"))
				fake_disable_wq(hw, &hw->accels[i],
						&hw->accels[i].wqs[k]);
	hw->module = false;
}

void fake_event(struct fake_hw *hw, struct fake_accel *a, enum fake_event event)
{
	switch (event) {
	case FAKE_UNPLUG:
		unplug(hw, a);
		break;
	case FAKE_PLUG:
		a->instance += a->absent;
		a->absent = false;
		break;
	case FAKE_RESET:
	case FAKE_RESET_DONE:
		reset(a, event == FAKE_RESET_DONE);
		break;
	case FAKE_UNLOAD:
		unload(hw);
		break;
	case FAKE_LOAD:
		hw->module = true;
		break;
	}
}
