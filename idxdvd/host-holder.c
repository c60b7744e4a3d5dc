/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of holders, and where the kernel says who they are: drivers of its own that a queue is
 * bound to; idxd's "fileN" below a character device; the mdevs' openers; and the drivers of
 * accelerators that are not idxd's, such as vfio-pci.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/holder.h"
#include "idxdvd/host-holder.h"
#include "idxdvd/host-mdev.h"

#define DSA_DEVICES	"/sys/bus/dsa/devices"
#define PCI_DEVICES	"/sys/bus/pci/devices"
#define INTEL		"0x8086"
#define DMAENGINE	"dmaengine"

/* Those of the accelerators that idxd drives. */
static const char *const pci_ids[] = {
	"0x0b25", "0x11fb", "0x1212", "0x0cfe", "0x1216", "0xb02d", "0xfd2d",
};

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* --- character devices ----------------------------------------------------------------------- */

bool host_find_cdev(const char *wq, char cdev[SYSFS_PATH_LEN])
{
	_cleanup_(closedirp) DIR *dir = NULL;
	char path[SYSFS_PATH_LEN];
	struct dirent *de;

	if (sysfs_path(path, DSA_DEVICES "/%s", wq) < 0)
		return false;
	dir = opendir(path);
	while (dir && (de = readdir(dir)))
		if (strchr(de->d_name, '!'))
			return sysfs_path(cdev, "%s/%s", path, de->d_name) == 0;
	return false;
}

static int holding_of(const struct wq *w, enum holding_kind kind, struct holding **list, size_t *n,
		      struct holding **ret)
{
	if (holding_grow(list, n, ret) < 0)
		return -ENOMEM;
	(*ret)->kind = kind;
	memcpy((*ret)->wq, w->name, sizeof((*ret)->wq));
	memcpy((*ret)->label, w->label, sizeof((*ret)->label));
	return 0;
}

/* One holding for each process that has it open, or one without a process. */
static int list_openers(const struct wq *w, struct holding **list, size_t *n)
{
	_cleanup_(closedirp) DIR *files = NULL;
	char path[SYSFS_PATH_LEN], cdev[SYSFS_PATH_LEN];
	struct holding *h;
	struct dirent *de;
	bool found = false;
	int pid;

	files = host_find_cdev(w->name, cdev) ? opendir(cdev) : NULL;
	while (files && (de = readdir(files))) {
		if (strncmp(de->d_name, "file", 4) ||
		    sysfs_path(path, "%s/%s/pid", cdev, de->d_name) < 0 ||
		    sysfs_read_int(path, &pid) < 0)
			continue;
		if (holding_of(w, HOLDING_CDEV, list, n, &h) < 0)
			return -ENOMEM;
		h->pid = pid;
		holder_describe(h);
		found = true;
	}
	return found ? 0 : holding_of(w, HOLDING_CDEV, list, n, &h);
}

/* --- the kernel ------------------------------------------------------------------------------ */

static unsigned int count_dmaengine(const struct accel *a)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		n += !strcmp(a->wqs[i].driver, DMAENGINE);
	return n;
}

/*
 * The channels of a device are in its directory "dma", without a word of which queue each is: one can
 * be told only if there is one of both. Whoever asked for a channel by dma_request_chan() is linked
 * there; dmatest and the like do not say who they are.
 */
static void read_channel(const struct accel *a, struct holding *h)
{
	char path[SYSFS_PATH_LEN], channel[NAME_LEN] = "";
	_cleanup_(closedirp) DIR *dir = NULL;
	unsigned int n = 0;
	struct dirent *de;

	if (sysfs_path(path, PCI_DEVICES "/%s/dma", a->bdf) < 0)
		return;
	dir = opendir(path);
	while (dir && (de = readdir(dir)))
		if (!strncmp(de->d_name, "dma", 3)) {
			snprintf(channel, sizeof(channel), "%.*s", NAME_LEN - 1, de->d_name);
			n++;
		}
	if (n != 1 || count_dmaengine(a) != 1)
		return;
	memcpy(h->channel, channel, sizeof(h->channel));
	if (sysfs_path(path, PCI_DEVICES "/%s/dma/%s/slave", a->bdf, channel) < 0 ||
	    sysfs_read_link(path, h->client, sizeof(h->client)) < 0)
		h->client[0] = '\0';
}

static int list_wq(const struct accel *a, const struct wq *w, struct holding **list, size_t *n)
{
	struct holding *h;

	if (!strcmp(w->driver, "user"))
		return list_openers(w, list, n);
	if (!strcmp(w->driver, "mdev"))
		return 0;
	if (!w->driver[0])
		return wq_is_unconfigured(w) ? 0 : holding_of(w, HOLDING_CONFIG, list, n, &h);
	if (holding_of(w, HOLDING_KERNEL, list, n, &h) < 0)
		return -ENOMEM;
	h->clients = w->clients;
	snprintf(h->name, sizeof(h->name), "%s", w->driver);
	if (!strcmp(w->driver, DMAENGINE))
		read_channel(a, h);
	return 0;
}

/* --- VFIO ------------------------------------------------------------------------------------ */

struct targets {
	struct holder_group *groups;
	size_t n;
};

static void targets_done(struct targets *t)
{
	free(t->groups);
}

static int target_add(struct targets *t, int group, enum holding_kind kind,
		      struct holder_group **ret)
{
	struct holder_group *more = reallocarray(t->groups, t->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	t->groups = more;
	*ret = memset(&more[t->n++], 0, sizeof(*more));
	(*ret)->group = group;
	(*ret)->as.kind = kind;
	return 0;
}

static int add_mdevs(struct targets *t)
{
	_cleanup_(freep) struct mdev *mdevs = NULL;
	struct holder_group *g;
	size_t n = 0;
	int r;

	r = host_scan_mdevs(NULL, &mdevs, &n);
	for (size_t i = 0; i < n && r >= 0; i++) {
		r = target_add(t, mdevs[i].iommu_group, HOLDING_VFIO, &g);
		if (r < 0)
			break;
		memcpy(g->as.mdev, mdevs[i].uuid, sizeof(g->as.mdev));
		memcpy(g->as.wq, mdevs[i].wq, sizeof(g->as.wq));
		if (!mdevs[i].in_use)
			continue;
		g->as.pid = mdevs[i].holder.pid;
		memcpy(g->as.comm, mdevs[i].holder.comm, sizeof(g->as.comm));
	}
	return r;
}

static bool is_accelerator(const char *bdf)
{
	char path[SYSFS_PATH_LEN], text[16];

	if (sysfs_path(path, PCI_DEVICES "/%s/vendor", bdf) < 0 ||
	    sysfs_read(path, text, sizeof(text)) < 0 || strcmp(text, INTEL) ||
	    sysfs_path(path, PCI_DEVICES "/%s/device", bdf) < 0 ||
	    sysfs_read(path, text, sizeof(text)) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(pci_ids); i++)
		if (!strcmp(text, pci_ids[i]))
			return true;
	return false;
}

/* Accelerators that another driver has, or none. */
static int add_devices(struct targets *t)
{
	char path[SYSFS_PATH_LEN], driver[NAME_LEN], text[NAME_LEN];
	_cleanup_(closedirp) DIR *dir = opendir(PCI_DEVICES);
	struct holder_group *g;
	struct dirent *de;
	int group;

	while (dir && (de = readdir(dir))) {
		if (!string_is_pci_address(de->d_name) || !is_accelerator(de->d_name) ||
		    sysfs_path(path, PCI_DEVICES "/%s/driver", de->d_name) < 0 ||
		    sysfs_read_link(path, driver, sizeof(driver)) < 0 || !strcmp(driver, "idxd"))
			continue;
		if (sysfs_path(path, PCI_DEVICES "/%s/iommu_group", de->d_name) < 0 ||
		    sysfs_read_link(path, text, sizeof(text)) < 0 || parse_int(text, &group) < 0)
			group = -1;
		if (target_add(t, group, HOLDING_DEVICE, &g) < 0)
			return -ENOMEM;
		snprintf(g->as.device, sizeof(g->as.device), "%.*s", NAME_LEN - 1, de->d_name);
		snprintf(g->as.name, sizeof(g->as.name), "%s", driver);
	}
	return 0;
}

/* Whom no process's open files show: an mdev's opener that the module names, a driver alone. */
static int list_unfound(const struct targets *t, struct holding **list, size_t *n)
{
	struct holding *h;

	for (size_t i = 0; i < t->n; i++) {
		const struct holder_group *g = &t->groups[i];

		if (g->found || (g->as.kind == HOLDING_VFIO && !g->as.pid))
			continue;
		if (holding_grow(list, n, &h) < 0)
			return -ENOMEM;
		*h = g->as;
		holder_describe(h);
	}
	return 0;
}

/* --- all of them ----------------------------------------------------------------------------- */

int host_list_holdings(struct accel *const *accels, size_t n_accels, struct holding **ret,
		       size_t *ret_n)
{
	_cleanup_(targets_done) struct targets t = { 0 };
	_cleanup_(freep) struct holding *list = NULL;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < n_accels; i++)
		for (unsigned int k = 0; r >= 0 && k < accels[i]->n_wqs; k++)
			r = list_wq(accels[i], &accels[i]->wqs[k], &list, &n);
	if (r >= 0)
		r = add_mdevs(&t);
	if (r >= 0)
		r = add_devices(&t);
	if (r >= 0)
		r = holder_list_groups(t.groups, t.n, &list, &n);
	if (r >= 0)
		r = list_unfound(&t, &list, &n);
	if (r < 0)
		return r;
	*ret = TAKE(list);
	*ret_n = n;
	return 0;
}
