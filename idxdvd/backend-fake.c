/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine in memory: for tests and for a daemon without hardware. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/fake-kernel.h"
#include "idxdvd/holder.h"

#define MAGIC "idxdvd-fake-3"

struct fake {
	struct backend backend;
	struct fake_hw *hw;
	backend_fake_hook hook;
	void *userdata;
};

static struct fake *fake(struct backend *b)
{
	return (struct fake *)b;
}

static int suffer(struct fake_hw *hw, const char *call, bool after)
{
	int r = 0;

	for (unsigned int i = 0; i < hw->n_faults && r == 0; i++) {
		struct fake_fault *t = &hw->faults[i];
		unsigned int n = t->seen;

		if (strcmp(t->call, call) || (t->die == FAKE_DIE_AFTER) != after)
			continue;
		t->seen++;
		if (n < t->after || (t->times && n - t->after >= t->times))
			continue;
		usleep(t->ms * 1000);
		if (t->die)
			raise(SIGKILL);
		r = -t->error;
	}
	return r;
}

static int enter(struct backend *b, const char *call)
{
	struct fake *f = fake(b);
	int r = f->hook ? f->hook(f->userdata, call, false) : 0;

	return r < 0 ? r : suffer(f->hw, call, false);
}

static int leave(struct backend *b, const char *call, int r)
{
	struct fake *f = fake(b);

	if (f->hook)
		f->hook(f->userdata, call, true);
	suffer(f->hw, call, true);
	return r;
}

static void show_mdev(const struct fake_hw *hw, const struct fake_mdev *m, struct mdev *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->uuid, m->uuid, sizeof(ret->uuid));
	memcpy(ret->type, m->type, sizeof(ret->type));
	memcpy(ret->parent, hw->accels[m->accel].bdf, sizeof(ret->parent));
	snprintf(ret->wq, sizeof(ret->wq), "wq%u.%u", m->accel, m->wq);
	ret->iommu_group = 100 + (int)(m - hw->mdevs);
	ret->holder = m->holder;
	ret->in_use = m->holder.pid;
}

/* --- the operations -------------------------------------------------------------------------- */

static void show_wq(const struct fake_accel *f, unsigned int accel, unsigned int id, struct wq *w)
{
	const struct fake_wq *v = &f->wqs[id];

	snprintf(w->name, sizeof(w->name), "wq%u.%u", accel, id);
	w->id = id;
	w->group = v->group;
	w->size = v->size;
	w->priority = v->priority;
	w->threshold = v->threshold;
	w->max_transfer = v->max_transfer;
	w->max_batch = v->max_batch;
	w->dedicated = v->dedicated;
	w->state = v->state;
	w->type = v->type;
	memcpy(w->label, v->label, sizeof(w->label));
	memcpy(w->driver_name, v->driver_name, sizeof(w->driver_name));
	memcpy(w->driver, v->driver, sizeof(w->driver));
	w->clients = v->clients;
	w->holder = v->holder;
}

static void show_accel(const struct fake_hw *hw, unsigned int id, struct accel *a)
{
	const struct fake_accel *f = &hw->accels[id];

	memcpy(a->name, f->name, sizeof(a->name));
	memcpy(a->bdf, f->bdf, sizeof(a->bdf));
	a->kind = f->kind;
	a->id = id;
	a->pci_vendor = 0x8086;
	a->pci_device = f->pci_device;
	a->numa_node = f->numa_node;
	a->max_groups = f->n_groups;
	a->max_size = f->max_size;
	a->max_transfer = f->max_transfer;
	a->max_batch = f->max_batch;
	a->configurable = f->configurable;
	a->unsafe = fake_is_unsafe(f);
	a->state = f->enabled ? STATE_ENABLED : STATE_DISABLED;
	a->unsafe_allowed = f->unsafe_allowed;
	a->iommu = f->iommu;
	a->pasid = f->pasid;
	a->instance = f->instance;
	a->module = hw->module;
	a->enqcmd = hw->enqcmd;
	a->shared_mode = f->pasid;
	a->ims = f->ims;
	a->max_sharers = hw->max_sharers;
	a->cmd_status = f->cmd_status;
	for (unsigned int i = 0; i < f->n_wqs; i++)
		show_wq(f, id, i, &a->wqs[i]);
	for (unsigned int i = 0; i < f->n_engines; i++) {
		snprintf(a->engines[i].name, sizeof(a->engines[i].name), "engine%u.%u", id, i);
		a->engines[i].group = f->engine_group[i];
	}
}

static int op_boot_id(struct backend *b, char ret[UUID_LEN])
{
	int r = enter(b, "boot_id");

	if (r < 0)
		return r;
	memcpy(ret, fake(b)->hw->boot_id, UUID_LEN);
	return leave(b, "boot_id", 0);
}

static int scan(struct fake_hw *hw, struct accel ***ret, size_t *ret_n)
{
	struct accel **accels = calloc(hw->n_accels + 1, sizeof(*accels));
	int r = accels ? 0 : -ENOMEM;
	size_t n = 0;

	for (unsigned int i = 0; r == 0 && i < hw->n_accels; i++) {
		if (hw->accels[i].absent)
			continue;
		r = accel_new(&accels[n], hw->accels[i].n_wqs, hw->accels[i].n_engines);
		if (r == 0)
			show_accel(hw, i, accels[n++]);
	}
	if (r < 0) {
		for (size_t i = 0; i < n; i++)
			accel_free(accels[i]);
		free(accels);
		return r;
	}
	*ret = accels;
	*ret_n = n;
	return 0;
}

static int op_scan(struct backend *b, struct accel ***ret, size_t *ret_n)
{
	int r = enter(b, "scan");

	return r < 0 ? r : leave(b, "scan", scan(fake(b)->hw, ret, ret_n));
}

static int op_refresh(struct backend *b, struct accel *a)
{
	struct fake_hw *hw = fake(b)->hw;
	int r = enter(b, "refresh");

	if (r < 0)
		return r;
	r = a->id < hw->n_accels && !strcmp(hw->accels[a->id].bdf, a->bdf) &&
	    a->n_wqs == hw->accels[a->id].n_wqs && !hw->accels[a->id].absent ? 0 : -ENODEV;
	if (r == 0)
		show_accel(hw, a->id, a);
	return leave(b, "refresh", r);
}

/* sysfs forgets an mdev when its removal begins, the kernel when it ends. */
static bool is_shown(const struct fake_mdev *m)
{
	return m->used && !m->going;
}

static int scan_mdevs(struct fake_hw *hw, struct mdev **ret, size_t *ret_n)
{
	size_t n = 0, k = 0;
	struct mdev *list;

	for (unsigned int i = 0; i < hw->n_mdevs; i++)
		n += is_shown(&hw->mdevs[i]);
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (unsigned int i = 0; i < hw->n_mdevs; i++)
		if (is_shown(&hw->mdevs[i]))
			show_mdev(hw, &hw->mdevs[i], &list[k++]);
	*ret = list;
	*ret_n = n;
	return 0;
}

static int op_scan_mdevs(struct backend *b, struct mdev **ret, size_t *ret_n)
{
	int r = enter(b, "scan_mdevs");

	return r < 0 ? r : leave(b, "scan_mdevs", scan_mdevs(fake(b)->hw, ret, ret_n));
}

static int op_read_mdev(struct backend *b, const char *uuid, struct mdev *ret)
{
	struct fake_mdev *m;
	int r = enter(b, "read_mdev");

	if (r < 0)
		return r;
	m = fake_find_mdev(fake(b)->hw, uuid);
	if (m && m->going)
		m = NULL;
	if (m)
		show_mdev(fake(b)->hw, m, ret);
	return leave(b, "read_mdev", m ? 0 : -ENOENT);
}

static int op_get(struct backend *b, const char *object, const char *attr, char *buf, size_t size)
{
	int r = enter(b, "get");

	return r < 0 ? r : leave(b, "get", fake_get(fake(b)->hw, object, attr, buf, size));
}

static int op_set(struct backend *b, const char *object, const char *attr, const char *value)
{
	int r = enter(b, "set");

	return r < 0 ? r : leave(b, "set", fake_set(fake(b)->hw, object, attr, value));
}

static int op_bind(struct backend *b, const char *object, const char *driver)
{
	int r = enter(b, "bind");

	return r < 0 ? r : leave(b, "bind", fake_bind(fake(b)->hw, object, driver));
}

static int op_unbind(struct backend *b, const char *object, const char *driver)
{
	int r = enter(b, "unbind");

	return r < 0 ? r : leave(b, "unbind", fake_unbind(fake(b)->hw, object, driver));
}

static int op_mdev_create(struct backend *b, const char *parent, const char *type,
			  const char *uuid)
{
	int r = enter(b, "mdev_create");

	if (r < 0)
		return r;
	return leave(b, "mdev_create", fake_create_mdev(fake(b)->hw, parent, type, uuid));
}

static int op_mdev_remove(struct backend *b, const char *uuid)
{
	struct fake_mdev *m;
	int r = enter(b, "mdev_remove");

	if (r < 0)
		return r;
	m = fake_find_mdev(fake(b)->hw, uuid);
	r = !m || m->going ? -ENOENT : m->holder.pid ? -EBUSY : m->racer.pid ? -ETIMEDOUT : 0;
	if (r == -ETIMEDOUT) {
		m->holder = m->racer;
		m->going = true;
	}
	if (r == 0)
		fake_drop_mdev(fake(b)->hw, m);
	return leave(b, "mdev_remove", r);
}

static bool is_stubborn(const struct fake_hw *hw, const char *uuid)
{
	for (unsigned int i = 0; i < hw->n_openers; i++)
		if (!strcmp(hw->openers[i].uuid, uuid))
			return hw->openers[i].stubborn;
	return false;
}

static int op_mdev_evict(struct backend *b, const char *uuid)
{
	struct fake_hw *hw = fake(b)->hw;
	struct fake_mdev *m;
	int r = enter(b, "mdev_evict");

	if (r < 0)
		return r;
	m = fake_find_mdev(hw, uuid);
	r = !m || m->going ? -ENOENT : m->holder.pid && is_stubborn(hw, uuid) ? -ETIMEDOUT : 0;
	if (r == -ETIMEDOUT)
		m->going = true;
	if (r == 0)
		fake_drop_mdev(hw, m);
	return leave(b, "mdev_evict", r);
}

static int op_drain(struct backend *b, const char *wq, int pid, unsigned int pasid)
{
	struct fake_hw *hw = fake(b)->hw;
	struct target t;
	int r = enter(b, "drain");

	if (r >= 0)
		r = hw->module ? fake_find(hw, wq, &t) : -ENOENT;
	if (r < 0)
		return r;
	r = t.wq && t.wq->state == STATE_ENABLED ? 0 : -ENXIO;
	if (r == 0 && pid && pid != t.wq->holder.pid)
		r = -ESRCH;
	return leave(b, "drain", r);
}

static int op_mdev_set_wq(struct backend *b, const char *uuid, const char *wq)
{
	int r = enter(b, "mdev_set_wq");

	return r < 0 ? r : leave(b, "mdev_set_wq", fake_move_mdev(fake(b)->hw, uuid, wq));
}

static int op_wq_mdev(struct backend *b, const char *parent, const char *wq, char ret[UUID_LEN])
{
	struct fake_hw *hw = fake(b)->hw;
	struct target t;
	int r = enter(b, "wq_mdev");

	if (r < 0)
		return r;
	r = fake_find(hw, wq, &t);
	ret[0] = '\0';
	if (r == 0 && t.wq && t.wq->mdev)
		memcpy(ret, hw->mdevs[t.wq->mdev - 1].uuid, UUID_LEN);
	return leave(b, "wq_mdev", r);
}

static void name_holder(struct holding *h, const struct holder *who)
{
	if (!who->pid)
		return;
	h->pid = who->pid;
	memcpy(h->comm, who->comm, sizeof(h->comm));
	snprintf(h->exe, sizeof(h->exe), "/usr/bin/%s", who->comm);
	snprintf(h->unit, sizeof(h->unit), "%s.service", who->comm);
}

static int add_holding(struct holding **list, size_t *n, unsigned int accel, unsigned int wq,
		       const struct holder *who, struct holding **ret)
{
	int r;

	r = holding_grow(list, n, ret);
	if (r < 0)
		return r;
	snprintf((*ret)->wq, NAME_LEN, "wq%u.%u", accel, wq);
	name_holder(*ret, who);
	return 0;
}

static int list_taken(const struct fake_taken *t, struct holding **list, size_t *n)
{
	struct holding *h;
	int r;

	r = holding_grow(list, n, &h);
	if (r < 0)
		return r;
	h->kind = HOLDING_DEVICE;
	memcpy(h->device, t->bdf, sizeof(h->device));
	memcpy(h->name, t->driver, sizeof(t->driver));
	name_holder(h, &t->holder);
	return 0;
}

static int list_sharers(const struct fake_hw *hw, unsigned int accel, unsigned int wq,
			struct holding **list, size_t *n)
{
	struct holding *h;
	int r = 0;

	for (unsigned int i = hw->accels[accel].wqs[wq].mdev; i && r >= 0; i = hw->mdevs[i - 1].beside) {
		const struct fake_mdev *m = &hw->mdevs[i - 1];

		if (!m->holder.pid)
			continue;
		r = add_holding(list, n, accel, wq, &m->holder, &h);
		if (r < 0)
			break;
		h->kind = HOLDING_VFIO;
		memcpy(h->mdev, m->uuid, sizeof(h->mdev));
	}
	return r;
}

static int list_wq(const struct fake_hw *hw, unsigned int accel, unsigned int wq,
		   struct holding **list, size_t *n)
{
	const struct fake_wq *w = &hw->accels[accel].wqs[wq];
	bool user = !strcmp(w->driver, "user");
	struct holding *h;
	int r = 0;

	if (w->mdev)
		return list_sharers(hw, accel, wq, list, n);
	if (user) {
		r = add_holding(list, n, accel, wq, &w->holder, &h);
		if (r >= 0)
			h->kind = HOLDING_CDEV;
	} else if (w->driver[0] && !user && strcmp(w->driver, "mdev")) {
		r = add_holding(list, n, accel, wq, &(struct holder) { 0 }, &h);
		if (r >= 0) {
			h->kind = HOLDING_KERNEL;
			h->clients = w->clients;
			memcpy(h->name, w->driver, sizeof(w->driver));
		}
	} else if (!w->driver[0] && (w->type != WQ_TYPE_NONE || w->label[0])) {
		r = add_holding(list, n, accel, wq, &(struct holder) { 0 }, &h);
		if (r >= 0)
			h->kind = HOLDING_CONFIG;
	} else {
		return 0;
	}
	if (r >= 0)
		memcpy(h->label, w->label, sizeof(h->label));
	return r;
}

static int op_holdings(struct backend *b, struct holding **ret, size_t *ret_n)
{
	const struct fake_hw *hw = fake(b)->hw;
	struct holding *list = NULL;
	size_t n = 0;
	int r = enter(b, "holdings");

	for (unsigned int i = 0; i < hw->n_accels && r >= 0; i++)
		for (unsigned int k = 0; k < hw->accels[i].n_wqs && r >= 0; k++)
			r = list_wq(hw, i, k, &list, &n);
	for (unsigned int i = 0; i < hw->n_taken && r >= 0; i++)
		r = list_taken(&hw->taken[i], &list, &n);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret = list;
	*ret_n = n;
	return leave(b, "holdings", 0);
}

static void op_free(struct backend *b)
{
	munmap(fake(b)->hw, sizeof(struct fake_hw));
	free(b);
}

static const struct backend_ops fake_ops = {
	.free = op_free,
	.boot_id = op_boot_id,
	.scan = op_scan,
	.refresh = op_refresh,
	.scan_mdevs = op_scan_mdevs,
	.read_mdev = op_read_mdev,
	.get = op_get,
	.set = op_set,
	.bind = op_bind,
	.unbind = op_unbind,
	.mdev_create = op_mdev_create,
	.mdev_remove = op_mdev_remove,
	.mdev_evict = op_mdev_evict,
	.drain = op_drain,
	.wq_mdev = op_wq_mdev,
	.holdings = op_holdings,
	.mdev_set_wq = op_mdev_set_wq,
};

/* Shared memory, so that it outlives a process that shares it and dies. */
static int map_hw(const char *state, struct fake_hw **ret)
{
	int flags = MAP_SHARED | (state ? 0 : MAP_ANONYMOUS);
	_cleanup_(closep) int fd = -1;
	void *p;

	if (state) {
		fd = open(state, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, sizeof(struct fake_hw)) < 0)
			return -errno;
	}
	p = mmap(NULL, sizeof(struct fake_hw), PROT_READ | PROT_WRITE, flags, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	return 0;
}

int backend_fake_new(struct backend **ret, const char *topology, const char *state)
{
	struct fake *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->backend.ops = &fake_ops;
	r = map_hw(state, &f->hw);
	if (r < 0) {
		free(f);
		return r;
	}

	if (!strcmp(f->hw->magic, MAGIC) && f->hw->size == sizeof(*f->hw)) {
		fake_index_mdevs(f->hw);
	} else {
		if (f->hw->magic[0])
			memset(f->hw, 0, sizeof(*f->hw));
		r = fake_hw_init(f->hw, topology);
		if (r < 0) {
			/* Half a machine is no machine. */
			if (state)
				unlink(state);
			op_free(&f->backend);
			return r;
		}
		f->hw->size = sizeof(*f->hw);
		strcpy(f->hw->magic, MAGIC);
	}
	*ret = &f->backend;
	return 0;
}

void backend_fake_set_hook(struct backend *b, backend_fake_hook hook, void *userdata)
{
	fake(b)->hook = hook;
	fake(b)->userdata = userdata;
}

static void set_holder(struct holder *h, int pid, const char *comm)
{
	h->pid = pid;
	snprintf(h->comm, sizeof(h->comm), "%s", pid ? comm : "");
}

int backend_fake_open_mdev(struct backend *b, const char *uuid, int pid, const char *comm)
{
	struct fake_mdev *m = fake_find_mdev(fake(b)->hw, uuid);

	if (!m)
		return -ENOENT;
	set_holder(&m->holder, pid, comm);
	if (!pid && m->going)
		fake_drop_mdev(fake(b)->hw, m);
	return 0;
}

int backend_fake_race_open(struct backend *b, const char *uuid, int pid, const char *comm)
{
	struct fake_mdev *m = fake_find_mdev(fake(b)->hw, uuid);

	if (!m)
		return -ENOENT;
	set_holder(&m->racer, pid, comm);
	return 0;
}

static struct fake_accel *any_accel(struct fake_hw *hw, const char *name)
{
	for (unsigned int i = 0; i < hw->n_accels; i++)
		if (!strcmp(hw->accels[i].name, name))
			return &hw->accels[i];
	return NULL;
}

int backend_fake_event(struct backend *b, const char *accel, enum fake_event event)
{
	struct fake_hw *hw = fake(b)->hw;
	struct fake_accel *a = any_accel(hw, accel);

	if (!a)
		return -ENODEV;
	fake_event(hw, a, event);
	return 0;
}

int backend_fake_swap(struct backend *b, const char *accel, const char *other)
{
	struct fake_accel *x = any_accel(fake(b)->hw, accel), *y = any_accel(fake(b)->hw, other);
	struct fake_accel old;

	if (!x || !y || !x->absent || !y->absent || x->kind != y->kind)
		return -EINVAL;
	old = *x;
	*x = *y;
	*y = old;
	memcpy(y->name, x->name, sizeof(y->name));
	memcpy(x->name, old.name, sizeof(x->name));
	return 0;
}

void backend_fake_reboot(struct backend *b)
{
	fake_hw_reset(fake(b)->hw);
}
